"""Money: a string of decimals in JSON; its currency is the field's, the record's or the workspace's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.numbers import format_currency, get_currency_symbol

from builder.domain import money
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import is_empty
from builder.domain.labels import Label
from builder.fieldtypes.base import END, FieldContext, InvalidValue, babel_locale, stripped
from builder.fieldtypes.figures import Figure, figure_of
from builder.fieldtypes.number import (
    TOO_MANY_DECIMALS,
    DecimalNumber,
    decimal_pattern,
    decimal_text,
    decimals_of,
    pattern_head,
    read_number,
    refuse_sign,
)

_WRITTEN = re.compile(r"(?:0|[1-9][0-9]{0,10})\.[0-9]{2}")
_SIGNS = ("$", "¥", "￥", "€", "£", "元")


class Money(DecimalNumber):
    """An amount. ``currency`` fixes its currency; without one the record's currency field or the workspace
    decides.

    The schema allows as many decimals as the fixed currency has; otherwise up to four, and
    ``metadata.record_schema`` narrows them by the record's currency.
    """

    key = "money"
    label = Label.of({"en": "Money", "zh_Hans": "金额"})
    icon = "coin"
    widget = "money"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        params: dict[str, Any] = {"sign": document.get("x-sign", "any")}
        if "x-currency" in document:
            params["currency"] = document["x-currency"]
        return params

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        sign = definition.params.get("sign", "any")
        currency = definition.params.get("currency")
        if currency:
            return {"type": "string", "pattern": decimal_pattern(money.exponent(currency), sign=sign)}
        return {"type": "string", "pattern": any_currency_pattern(sign=sign)}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        currency = currency_of(definition, ctx)
        if _is_written(source, currency, ctx) and definition.params.get("sign", "any") == "any":
            return source
        number = read_number(_without_currency(source, currency), ctx)
        refuse_sign(number, definition.params.get("sign", "any"))
        digits = money.exponent(currency)
        # The record's own currency may be another: its decimals are checked with the whole record.
        most = digits if "currency" in definition.params else max(digits, decimals_of(number))
        if most > money.LARGEST_EXPONENT:
            raise InvalidValue(TOO_MANY_DECIMALS, digits=digits)
        return padded(decimal_text(number, most_decimals=most), digits)

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else money_text(str(value), currency_of(definition, ctx), ctx)


def _is_written(source: str, currency: str, ctx: FieldContext) -> bool:
    """Whether a text is the JSON form already, as in most files: reading it would change nothing."""
    return (
        ctx.number_marks[0] == "."
        and _WRITTEN.fullmatch(source) is not None
        and money.exponent(currency) == 2
    )


def money_text(amount: str, currency: str, ctx: FieldContext) -> str:
    """An amount for reading, with its currency's sign, e.g. ``¥1,234.50``."""
    digits = max(money.exponent(currency), len(amount.partition(".")[2]))
    figure = None if amount.startswith("-") else _figure(ctx.locale, currency, digits)
    return figure.text(amount) if figure else _written(Decimal(amount), ctx.locale, currency, digits)


@lru_cache(maxsize=512)
def _figure(locale: str, currency: str, digits: int) -> Figure | None:
    return figure_of(lambda amount: _written(amount, locale, currency, digits), digits)


def _written(amount: Decimal, locale: str, currency: str, digits: int) -> str:
    return format_currency(
        amount, currency, format=_shape(locale, digits), locale=babel_locale(locale), currency_digits=False
    )


@lru_cache(maxsize=128)
def _shape(locale: str, digits: int) -> str:
    """The locale's pattern of amounts with exactly ``digits`` decimals."""
    pattern = babel_locale(locale).currency_formats["standard"].pattern
    return re.sub(r"0(\.0+)?", "0" + ("." + "0" * digits if digits else ""), pattern)


def padded(amount: str, digits: int) -> str:
    """At least as many decimals as the currency has: ``"1234.5"`` becomes ``"1234.50"``."""
    whole, _, part = amount.partition(".")
    part = part.rstrip("0").ljust(digits, "0") if len(part) > digits else part.ljust(digits, "0")
    return f"{whole}.{part}" if part else whole


def is_money(definition: FieldDefinition) -> bool:
    """Whether the values are amounts in a currency: typed ones, and those that a formula makes."""
    return definition.type == Money.key or bool(definition.params.get("is_money"))


def currency_of(definition: FieldDefinition, ctx: FieldContext) -> str:
    """The field's fixed currency, else the context's (the record's, when the page knows it)."""
    return str(definition.params.get("currency") or ctx.currency)


def any_currency_pattern(*, sign: str = "any") -> str:
    """Amounts of at most 15 digits in a currency that is not known: the fewer decimals, the larger."""
    shapes = [
        r"(0|[1-9][0-9]{0,14})",
        r"(0|[1-9][0-9]{0,12})\.[0-9]{1,2}",
        r"(0|[1-9][0-9]{0,11})\.[0-9]{3}",
        r"(0|[1-9][0-9]{0,10})\.[0-9]{4}",
    ]
    return f"{pattern_head(sign)}({'|'.join(shapes)}){END}"


def _without_currency(text: str, currency: str) -> str:
    """``text`` without the sign or code of its own currency, before or after; others stay and are refused."""
    if text[:1].isdecimal() and text[-1:].isdecimal():
        return text
    sign = "-" if text[:1] in "-−－" else ""
    bare = text[len(sign) :]
    for mark in _marks_of(currency):
        if bare.upper().startswith(mark):
            return sign + bare[len(mark) :].strip()
        if bare.upper().endswith(mark):
            return sign + bare[: -len(mark)].strip()
    return text


@lru_cache(maxsize=256)
def _marks_of(currency: str) -> tuple[str, ...]:
    """The currency's code and signs, the longest first."""
    own = {
        currency,
        get_currency_symbol(currency, locale="en"),
        get_currency_symbol(currency, locale="zh_Hans"),
    }
    own |= {sign for sign in _SIGNS if _fits(sign, currency)}
    return tuple(sorted(own, key=lambda mark: (-len(mark), mark)))


def _fits(sign: str, currency: str) -> bool:
    return {"¥": currency in ("CNY", "JPY"), "￥": currency in ("CNY", "JPY"), "元": currency == "CNY",
            "$": currency.endswith("D"), "€": currency == "EUR", "£": currency == "GBP"}[sign]  # fmt: skip
