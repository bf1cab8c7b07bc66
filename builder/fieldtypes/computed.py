"""Formula: a number that the server computes from other fields of the same record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from builder.domain import formulas
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import is_empty
from builder.domain.labels import Label
from builder.domain.money import exponent
from builder.errors import Problem
from builder.fieldtypes.base import FieldContext, Objects
from builder.fieldtypes.money import currency_of, is_money, money_text, padded
from builder.fieldtypes.number import DecimalNumber, decimal_pattern


class Formula(DecimalNumber):
    """``formula`` gives the value, rounded to ``scale`` decimals; nobody can type it.

    One that ``is_money`` is shown as an amount, in a currency of its own or in the record's.
    """

    key = "formula"
    label = Label.of({"en": "Formula", "zh_Hans": "公式"})
    icon = "math-function"
    widget = "computed"
    is_computed = True

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        return {"x-formula": "0"}

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        params = {"formula": document["x-formula"], "scale": int(document.get("x-scale", 2))}
        currency = document.get("x-currency")
        if currency or document.get("x-money"):
            params |= {"is_money": True, **({"currency": currency} if currency else {})}
        return params

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        try:
            formulas.parse(definition.params["formula"])
        except formulas.FormulaError as error:
            yield Problem(error.message_key, "x-formula", error.values)

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "pattern": decimal_pattern(definition.params["scale"]), "readOnly": True}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        return None

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if is_empty(value) or not is_money(definition):
            return super().text(definition, value, ctx)
        currency = currency_of(definition, ctx)
        # Computed to as many decimals as the formula keeps; its currency may have fewer.
        return money_text(padded(str(value), exponent(currency)), currency, ctx)
