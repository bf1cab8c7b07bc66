"""Every operator that rules may use, on every small value: the schema of a condition is the condition."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Comparison, Not, evaluate
from builder.domain.fields import FieldDefinition, Option
from builder.domain.kinds import ALL_OPERATORS
from builder.domain.labels import Label
from builder.fieldtypes.registry import all_types
from builder.metadata.rule_schema import UnsayableRule, condition_schema, is_sayable

NO_LABEL = Label(())
CONTEXT = EvaluationContext(datetime(2026, 1, 1, tzinfo=UTC))
VALUES: dict[str, list[Any]] = {
    "integer": [-1, 0, 1],
    "duration": [0, 60],
    "rating": [1, 5],
    "yes_no": [True, False],
    "choice": ["a", "b", "c"],
    "choices": [["a"], ["b"], ["a", "b"], ["c", "b"]],
    "user": ["1", "2"],
    "text": ["a", "b"],
    "date": ["2026-01-01"],
}
LISTS = ("in", "not_in", "has_any", "has_all")


def definition(kind: str) -> FieldDefinition:
    return FieldDefinition("field", kind, NO_LABEL, options=tuple(Option(key, NO_LABEL) for key in "abc"))


@pytest.mark.parametrize("kind", VALUES)
def test_the_schema_of_a_condition_is_the_condition(kind: str) -> None:
    field = definition(kind)
    operands = list("abc") if kind == "choices" else VALUES[kind]
    for op in (op for op in ALL_OPERATORS if is_sayable(op, field)):
        given = [(), *((one, other) for one in operands for other in operands)] if op in LISTS else operands
        for operand in given:
            for condition in (Comparison("field", op, operand), Not(Comparison("field", op, operand))):
                schema = Draft202012Validator(condition_schema(condition, {"field": field}))
                for data in ({}, *({"field": value} for value in VALUES[kind])):
                    wanted = evaluate(condition, data, {"field": field}, CONTEXT)
                    assert schema.is_valid(data) is wanted, (condition, data)


def test_what_json_schema_cannot_say_is_refused() -> None:
    sayable = {
        kind.key: {op for op in ALL_OPERATORS if is_sayable(op, definition(kind.key))} for kind in all_types()
    }
    assert sayable["text"] == sayable["money"] == sayable["date"] == {"empty", "not_empty"}
    assert {"lt", "le", "gt", "ge", "eq", "in"} <= sayable["integer"]
    assert sayable["address"] == sayable["sub_form"] == {"empty", "not_empty"}
    assert "is_me" not in sayable["user"]
    with pytest.raises(UnsayableRule):
        condition_schema(Comparison("field", "lt", "5"), {"field": definition("decimal")})
    with pytest.raises(UnsayableRule):
        condition_schema(Comparison("other", "empty"), {"field": definition("text")})


def test_operands_written_otherwise_mean_the_same() -> None:
    for kind, op, operand, value in (
        ("integer", "eq", "5", 5),
        ("integer", "in", ("5", 6.0), 6),
        ("user", "eq", 7, "7"),
    ):
        condition = Comparison("field", op, operand)
        fields = {"field": definition(kind)}
        assert evaluate(condition, {"field": value}, fields, CONTEXT)
        assert Draft202012Validator(condition_schema(condition, fields)).is_valid({"field": value})
