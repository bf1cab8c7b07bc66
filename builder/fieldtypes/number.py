"""Whole numbers, decimals and percentages; the reading of numbers as people and files write them.

A decimal is a string of decimals in JSON, so that nothing is rounded on its way; it has at most 15
significant digits, so that a double in a slot keeps the exact order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.numbers import format_decimal

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import SIGNIFICANT_DIGITS, Kind, is_empty
from builder.domain.labels import Label
from builder.errors import N_, Problem
from builder.fieldtypes.base import END, FieldContext, FieldType, InvalidValue, babel_locale, stripped
from builder.fieldtypes.figures import Figure, figure_of

LARGEST = 10**SIGNIFICANT_DIGITS - 1
MOST_DECIMALS = 6
NOT_A_NUMBER = N_("“%(value)s” is not a number.")
TOO_MANY_DECIMALS = N_("At most %(digits)s decimals fit in this field.")
TOO_LARGE = N_("The number is too large.")
# Input methods for Chinese write full-width digits and signs.
_HALF_WIDTH = str.maketrans("０１２３４５６７８９．，－＋％（）\u2212", "0123456789.,-+%()-")
_SPACES = " \u00a0\u202f\u2009'’"


@lru_cache(maxsize=32)
def _grammar(decimal_mark: str, group_mark: str) -> re.Pattern[str]:
    groups = re.escape(_SPACES if group_mark in _SPACES else group_mark)
    return re.compile(
        rf"(?P<sign>[+-]?)(?P<whole>[0-9]{{1,3}}(?P<mark>[{groups}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*|[0-9]*)"
        rf"(?:{re.escape(decimal_mark)}(?P<part>[0-9]*))?"
    )


def read_number(text: str, ctx: FieldContext) -> Decimal:
    """The number that ``text`` writes with the marks of ``ctx``: ``1,234.50`` or, in German, ``1.234,50``.

    Thousands marks must stand at thousands; ``(5)`` means −5 as accountants write it. Exponents, infinities
    and anything else are refused. Errors: InvalidValue.
    """
    source = (text if text.isascii() else text.translate(_HALF_WIDTH)).strip()
    inner = f"-{source[1:-1]}" if source.startswith("(") and source.endswith(")") else source
    found = _grammar(*ctx.number_marks).fullmatch(inner) if len(inner) <= 60 else None
    if found is None or not (found["whole"] or found["part"]):
        raise InvalidValue(NOT_A_NUMBER, value=text[:80])
    whole = (re.sub(r"[^0-9]", "", found["whole"]) if found["mark"] else found["whole"]) or "0"
    return Decimal(f"{found['sign']}{whole}.{found['part'] or '0'}")


def decimal_text(number: Decimal, *, most_decimals: int) -> str:
    """The JSON form: no exponent, no thousands marks, no leading zeros, decimals as given.

    Errors: InvalidValue beyond ``most_decimals`` (zeros at the end do not count) or 15 digits.
    """
    decimals = max(0, -_exponent(number))
    if decimals > most_decimals:
        number = number.normalize()
        decimals = max(0, -_exponent(number))
        if decimals > most_decimals:
            raise InvalidValue(TOO_MANY_DECIMALS, digits=most_decimals)
    if number.adjusted() >= SIGNIFICANT_DIGITS - most_decimals:
        raise InvalidValue(TOO_LARGE)
    return format(abs(number) if number.is_zero() else number, "f")


def decimals_of(number: Decimal) -> int:
    """How many decimals the number needs; zeros at the end do not count."""
    return max(0, -_exponent(number.normalize()))


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def decimal_pattern(most_decimals: int, *, sign: str = "any") -> str:
    """The pattern of a string of decimals with at most 15 digits; ``sign``: any, not_negative or positive."""
    whole = rf"(0|[1-9][0-9]{{0,{SIGNIFICANT_DIGITS - most_decimals - 1}}})"
    part = rf"(\.[0-9]{{1,{most_decimals}}})?" if most_decimals else ""
    return f"{pattern_head(sign)}{whole}{part}{END}"


def pattern_head(sign: str) -> str:
    return {"any": "^-?", "not_negative": "^", "positive": "^(?=.*[1-9])"}[sign]


def unmarked(value: Decimal | str, ctx: FieldContext) -> str:
    """A number for a form control: the locale's decimal mark, no thousands marks."""
    return str(value).replace(".", ctx.number_marks[0])


class Integer(FieldType):
    """A whole number of at most 15 digits."""

    key = "integer"
    label = Label.of({"en": "Whole number", "zh_Hans": "整数"})
    match_kind = "text"
    icon = "number"
    kind = Kind.NUMBER
    slot = "n"
    widget = "number"
    is_figure = True

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {key: int(document[key]) for key in ("minimum", "maximum") if key in document}

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        if definition.params.get("minimum", -LARGEST) > definition.params.get("maximum", LARGEST):
            yield Problem(N_("The smallest value is greater than the largest."), "minimum")

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        low, high = definition.params.get("minimum", -LARGEST), definition.params.get("maximum", LARGEST)
        return {"type": "integer", "minimum": max(low, -LARGEST), "maximum": min(high, LARGEST)}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        number = read_number(source, ctx)
        if number != number.to_integral_value():
            raise InvalidValue(N_("“%(value)s” is not a whole number."), value=source[:80])
        if abs(number) > LARGEST:
            raise InvalidValue(TOO_LARGE)
        return int(number)

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if is_empty(value):
            return ""
        return grouped(str(value), ctx)


class DecimalNumber(FieldType):
    """A number with up to ``scale`` decimals (2 unless the definition says otherwise)."""

    key = "decimal"
    label = Label.of({"en": "Decimal number", "zh_Hans": "小数"})
    icon = "decimal"
    kind = Kind.NUMBER
    slot = "n"
    widget = "number"
    is_figure = True

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"scale": int(document.get("x-scale", 2)), "sign": document.get("x-sign", "any")}

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        pattern = decimal_pattern(definition.params["scale"], sign=definition.params.get("sign", "any"))
        return {"type": "string", "pattern": pattern}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        return self._checked(definition, read_number(source, ctx))

    def _checked(self, definition: FieldDefinition, number: Decimal) -> str:
        refuse_sign(number, definition.params.get("sign", "any"))
        return decimal_text(number, most_decimals=definition.params["scale"])

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return [] if is_empty(value) else [unmarked(str(value), ctx)]

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else grouped(str(value), ctx)


def grouped(value: str, ctx: FieldContext) -> str:
    """A string of decimals for reading: thousands marks of the locale, as many decimals as it has."""
    decimals = len(value.partition(".")[2])
    figure = None if value.startswith("-") else _figure(ctx.locale, decimals)
    return figure.text(value) if figure else _written(Decimal(value), ctx.locale, decimals)


@lru_cache(maxsize=512)
def _figure(locale: str, decimals: int) -> Figure | None:
    return figure_of(lambda number: _written(number, locale, decimals), decimals)


def _written(number: Decimal, locale: str, decimals: int) -> str:
    shape = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(number, format=shape, locale=babel_locale(locale))


def refuse_sign(number: Decimal, sign: str) -> None:
    """Errors: InvalidValue when the number is negative (or zero) where the field does not allow it."""
    if sign != "any" and number < 0:
        raise InvalidValue(N_("The number must not be negative."))
    if sign == "positive" and number == 0:
        raise InvalidValue(N_("The number must be greater than zero."))


class Percent(DecimalNumber):
    """A percentage as people write it: ``"12.5"`` is 12.5 %. ``range`` may limit it to 0–100."""

    key = "percent"
    label = Label.of({"en": "Percent", "zh_Hans": "百分比"})
    icon = "percentage"
    widget = "percent"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"scale": int(document.get("x-scale", 2)), "range": document.get("x-range", "any")}

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        scale, limits = definition.params["scale"], definition.params["range"]
        if limits != "0_to_100":
            return {"type": "string", "pattern": decimal_pattern(scale, sign=limits)}
        zeros, part = (rf"(\.0{{1,{scale}}})?", rf"(\.[0-9]{{1,{scale}}})?") if scale else ("", "")
        return {"type": "string", "pattern": rf"^(100{zeros}|[1-9]?[0-9]{part}){END}"}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text).translate(_HALF_WIDTH)
        return super().parse(definition, source.removesuffix("%"), ctx)

    def _checked(self, definition: FieldDefinition, number: Decimal) -> str:
        limits = definition.params["range"]
        if limits == "0_to_100" and not 0 <= number <= 100:
            raise InvalidValue(N_("The percentage must be between 0 and 100."))
        refuse_sign(number, limits if limits != "0_to_100" else "any")
        return decimal_text(number, most_decimals=definition.params["scale"])

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else f"{grouped(str(value), ctx)}%"
