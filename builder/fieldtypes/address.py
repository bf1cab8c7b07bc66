"""Postal address: street, postal code, city, region and country, each by itself.

The country is an ISO 3166-1 code, its name comes from the CLDR. Which part stands where is the custom of the
reader's language and of the country.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from babel import Locale

from builder.domain.fields import FieldDefinition, JsonValue, Option
from builder.domain.kinds import PLACE_PARTS, Kind, fold
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import END, FieldContext, InvalidValue, storable, stripped
from builder.fieldtypes.choice import option_key
from builder.fieldtypes.sub_form import Group

LENGTHS: Mapping[str, int] = {"street": 160, "postal_code": 20, "city": 60, "region": 60}
LABELS: Mapping[str, dict[str, str]] = {
    "street": {"en": "Street", "zh_Hans": "街道"},
    "postal_code": {"en": "Postal code", "zh_Hans": "邮政编码"},
    "city": {"en": "City", "zh_Hans": "城市"},
    "region": {"en": "State or region", "zh_Hans": "省/地区"},
    "country": {"en": "Country or region", "zh_Hans": "国家/地区"},
}
LANGUAGES = ("en", "zh_Hans")
NOT_AN_ADDRESS = N_("“%(value)s” is not an address.")
TOO_LONG = N_("The address is too long: at most %(limit)s characters fit its street.")
# Where the city stands before region and postal code; elsewhere the postal code stands before the city.
_CODE_LAST = frozenset({"US", "CA", "AU", "GB", "IE", "IN", "NZ", "ZA", "SG", "HK", "TW", "MX", "TH", "PH"})
# Languages that name the greater before the smaller, when the country does as well.
_GREAT_FIRST = frozenset({"zh", "ja", "ko"})
_GREAT_FIRST_COUNTRIES = frozenset({"", "CN", "TW", "HK", "MO", "JP", "KR", "KP"})
# Codes of the CLDR that are no country: the world, unions, outlying oceans, test codes.
_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


class Address(Group):
    """An object of its filled parts, at least one."""

    key = "address"
    label = Label.of({"en": "Address", "zh_Hans": "地址"})
    icon = "map-pin"
    kind = Kind.PLACE
    slot = "t"
    widget = "address"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"parts": parts()}

    def in_order(self, definition: FieldDefinition, locale: str) -> tuple[FieldDefinition, ...]:
        """From the country down to the street where the language says it so; the postal code last."""
        if locale[:2] not in _GREAT_FIRST:
            return definition.inner
        by_key = {part.key: part for part in definition.inner}
        return tuple(by_key[key] for key in ("country", "region", "city", "street", "postal_code"))

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        line = rf"^[^\u0000\n\r]*{END}"
        properties: dict[str, Any] = {
            key: {"type": "string", "minLength": 1, "maxLength": length, "pattern": line}
            for key, length in LENGTHS.items()
        }
        properties["street"]["pattern"] = r"^[^\u0000]*$"
        properties["country"] = {"type": "string", "enum": list(country_codes())}
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "minProperties": 1,
        }

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        """The JSON object that ``export`` writes; any other text is the street, line by line."""
        source = stripped(text).replace("\r\n", "\n")
        if not source:
            return None
        if source[0] != "{":
            if len(source) > LENGTHS["street"]:
                raise InvalidValue(TOO_LONG, limit=LENGTHS["street"])
            return {"street": source}
        try:
            given = json.loads(source)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or not set(given) <= set(PLACE_PARTS):
            raise InvalidValue(NOT_AN_ADDRESS, value=source[:80])
        return {key: self.part(key, str(given[key]), ctx) for key in PLACE_PARTS if given.get(key)} or None

    def part(self, key: str, text: str, ctx: FieldContext) -> str:
        """One part as people or files write it; a country by its code or name. Errors: InvalidValue."""
        if key == "country":
            return option_key(_country(), text.strip())
        if len(text) > LENGTHS[key] or ("\n" in text and key != "street"):
            raise InvalidValue(NOT_AN_ADDRESS, value=text[:80])
        return storable(text)

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """On one line."""
        held = value if isinstance(value, Mapping) else {}
        written = lines(held, ctx.locale)
        return _run_on(written) if _is_great_first(held, ctx.locale) else ", ".join(written)

    def long_text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "\n".join(lines(value if isinstance(value, Mapping) else {}, ctx.locale))

    def written(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> tuple[str, ...]:
        """Files for people hold it on one line, in the language of whoever made them."""
        lines = (self.text(definition, value, replace(ctx, locale=locale)) for locale in LANGUAGES)
        return (self.export(definition, value, ctx), *lines)

    def search_text(self, definition: FieldDefinition, value: JsonValue) -> str:
        """All parts, and the country in English and Chinese: one searches for 德国 and for Germany."""
        held = value if isinstance(value, Mapping) else {}
        names = [country_name(str(held.get("country", "")), locale) for locale in LANGUAGES]
        return " ".join([*(str(held[key]) for key in PLACE_PARTS if held.get(key)), *names])


def lines(held: Mapping[str, Any], locale: str) -> list[str]:
    """The lines of an address in the order that is usual for language and country; empty ones left out."""
    part = {key: str(held.get(key) or "") for key in PLACE_PARTS}
    street = [line.strip() for line in part["street"].split("\n") if line.strip()]
    country = country_name(part["country"], locale)
    if _is_great_first(held, locale):
        region = "" if part["region"] == part["city"] else part["region"]
        town = _run_on(_filled([region, part["city"]]))
        return _filled([country, town, *street, part["postal_code"]])
    if part["country"] in _CODE_LAST or (not part["country"] and locale.startswith("en")):
        tail = " ".join(_filled([part["region"], part["postal_code"]]))
        return _filled([*street, ", ".join(_filled([part["city"], tail])), country])
    town = " ".join(_filled([part["postal_code"], part["city"]]))
    return _filled([*street, town, part["region"], country])


def _run_on(texts: Sequence[str]) -> str:
    """One after the other as Chinese is written; Latin words and numbers keep a space between them."""
    found = ""
    for text in texts:
        is_latin = any(mark.isascii() and mark.isalnum() for mark in (found[-1:], text[:1]))
        found += f" {text}" if found and is_latin else text
    return found


def _filled(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if text]


def _is_great_first(held: Mapping[str, Any], locale: str) -> bool:
    return locale[:2] in _GREAT_FIRST and str(held.get("country") or "") in _GREAT_FIRST_COUNTRIES


@cache
def country_codes() -> tuple[str, ...]:
    """ISO 3166-1 alpha-2 codes of the countries that the CLDR names, in the order of their English names."""
    names: Mapping[str, str] = Locale.parse("en").territories
    codes = (code for code in names if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY)
    return tuple(sorted(codes, key=lambda code: fold(names[code])))


@lru_cache(maxsize=2048)
def country_name(code: str, locale: str) -> str:
    return str(Locale.parse(locale).territories.get(code, code)) if code else ""


@cache
def _country() -> FieldDefinition:
    options = tuple(
        Option(code, Label.of({name: country_name(code, name) for name in ("en", "zh_Hans")}))
        for code in country_codes()
    )
    return FieldDefinition(
        "country", "choice", Label.of(LABELS["country"]), options=options, params={"layout": "select"}
    )


@cache
def parts() -> tuple[FieldDefinition, ...]:
    """The parts as fields, which forms are made of."""
    texts = [
        FieldDefinition(
            key,
            "long_text" if key == "street" else "text",
            Label.of(LABELS[key]),
            params={"max_length": length, "rows": 2},
        )
        for key, length in LENGTHS.items()
    ]
    return (*texts, _country())
