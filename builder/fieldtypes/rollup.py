"""Roll-up fields: totals over the records that refer to this one, kept by ``services.totals``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import SIGNIFICANT_DIGITS, Kind, is_empty
from builder.domain.labels import Label
from builder.errors import N_, Problem
from builder.fieldtypes.base import END, FieldContext, FieldType, Objects, no_start
from builder.fieldtypes.duration import clock_text, length_text
from builder.fieldtypes.money import money_text
from builder.fieldtypes.number import grouped

NEEDS_A_FIELD = N_("Name the field whose values are added up or compared.")
NOTHING_TO_COUNT = N_(
    "No published object refers to this one by a field yet, so there is nothing to add up. "
    "Add a reference there first."
)
MOST_DECIMALS = 6


class Rollup(FieldType):
    """A count, or sum, least or greatest of a field with numbers: a string of decimals."""

    key = "rollup"
    label = Label.of({"en": "Total of related records", "zh_Hans": "关联汇总"})
    icon = "math-function"
    kind = Kind.NUMBER
    slot: ClassVar[Literal["t", "n"] | None] = "n"
    widget = "computed"
    is_computed = True
    is_figure = True

    figures: ClassVar[tuple[str, ...]] = ()

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        """Over the first object that refers to this one, and has what is added up."""
        for source, fields in objects.items():
            for by, field in fields.items():
                if field.get("x-type") != "reference" or field.get("x-target") != object_key:
                    continue
                of = [key for key, one in fields.items() if one.get("x-type") in self.figures]
                if not self.figures:
                    return {"x-from": source, "x-by": by, "x-function": "count"}
                if of:
                    return {"x-from": source, "x-by": by, "x-function": "sum", "x-of": of[0]}
        raise no_start(NOTHING_TO_COUNT)

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        params = {"from": document["x-from"], "by": document["x-by"], "function": document["x-function"]}
        given = {"of": document.get("x-of"), "outcome": document.get("x-outcome")}
        return params | {name: value for name, value in given.items() if value is not None}

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        if definition.params["function"] != "count" and "of" not in definition.params:
            yield Problem(NEEDS_A_FIELD, "x-of")

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        whole = [rf"(0|[1-9][0-9]{{0,{SIGNIFICANT_DIGITS - 1}}})"]
        whole += [
            rf"(0|[1-9][0-9]{{0,{SIGNIFICANT_DIGITS - digits - 1}}})\.[0-9]{{{digits}}}"
            for digits in range(1, MOST_DECIMALS + 1)
        ]
        return {"type": "string", "pattern": f"^-?({'|'.join(whole)}){END}", "readOnly": True}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        """Nobody brings a total."""
        return None

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """A number; a length of time where that is what it adds up (``metadata.total_units``)."""
        if is_empty(value):
            return ""
        unit = definition.params.get("unit")
        return grouped(str(value), ctx) if unit is None else length_text(int(str(value)), unit, ctx.locale)

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if is_empty(value) or "unit" not in definition.params:
            return super().export(definition, value, ctx)
        return clock_text(int(str(value)))

    def default(self, definition: FieldDefinition, ctx: FieldContext) -> JsonValue:
        return "0" if definition.params["function"] == "count" else None


class MoneyRollup(Rollup):
    """Sum, least or greatest of amounts, per currency: ``{"CNY": "12.50", "USD": "3.00"}``.

    Amounts are never mixed where they are shown; lists are ordered by the plain sum of them, as they are by
    amounts of several currencies.
    """

    key = "money_rollup"
    label = Label.of({"en": "Money total of related records", "zh_Hans": "关联金额汇总"})
    icon = "coin"
    kind = Kind.ROWS
    figures = ("money",)
    is_figure = False

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^[A-Z]{{3}}{END}"},
            "additionalProperties": {
                "type": "string",
                "pattern": rf"^-?(0|[1-9][0-9]{{0,29}})(\.[0-9]{{1,4}})?{END}",
            },
            "minProperties": 1,
            "readOnly": True,
        }

    def slot_value(self, value: JsonValue) -> str | float | None:
        held = value.values() if isinstance(value, Mapping) else ()
        return float(sum(Decimal(str(amount)) for amount in held)) if held else None

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        held = value if isinstance(value, Mapping) else {}
        return " · ".join(money_text(str(amount), str(currency), ctx) for currency, amount in held.items())

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else json.dumps(value, ensure_ascii=False)

    def default(self, definition: FieldDefinition, ctx: FieldContext) -> JsonValue:
        return None
