"""Formula: a number that the server computes from other fields of the same record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from builder.domain import formulas
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.labels import Label
from builder.errors import Problem
from builder.fieldtypes.base import FieldContext, Objects
from builder.fieldtypes.number import DecimalNumber, decimal_pattern


class Formula(DecimalNumber):
    """``formula`` gives the value, rounded to ``scale`` decimals; nobody can type it."""

    key = "formula"
    label = Label.of({"en": "Formula", "zh_Hans": "公式"})
    icon = "math-function"
    widget = "computed"
    is_computed = True

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        return {"x-formula": "0"}

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"formula": document["x-formula"], "scale": int(document.get("x-scale", 2))}

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        try:
            formulas.parse(definition.params["formula"])
        except formulas.FormulaError as error:
            yield Problem(error.message_key, "x-formula", error.values)

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "pattern": decimal_pattern(definition.params["scale"]), "readOnly": True}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        return None
