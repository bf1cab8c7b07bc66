"""Conditions in Python: a table of truths written by hand, so that a mutated operator is caught."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import (
    ALWAYS,
    All,
    AnyOf,
    Comparison,
    Not,
    check,
    evaluate,
    fields_of,
    parse,
    to_document,
)
from builder.domain.fields import FieldDefinition, Option
from builder.domain.kinds import OPERATORS, ConditionError, Kind, fold
from builder.domain.labels import Label

NO_LABEL = Label(())
FIELDS = {
    key: FieldDefinition(key, key, NO_LABEL, options=(Option("a", NO_LABEL), Option("b", NO_LABEL)))
    for key in (
        "text",
        "decimal",
        "integer",
        "yes_no",
        "date",
        "datetime",
        "choice",
        "choices",
        "user",
        "table",
    )
}
NOW = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
SHANGHAI = EvaluationContext(NOW, "Asia/Shanghai", member_id=7)  # there it is Sunday, 22 November


def holds(field: str, op: str, operand: Any, value: Any, context: EvaluationContext = SHANGHAI) -> bool:
    values = {} if value is None else {field: value}
    return evaluate(Comparison(field, op, operand), values, FIELDS, context)


TRUTHS: list[tuple[str, str, Any, list[Any], list[Any]]] = [
    # field, operator, operand, values for which it holds, values for which it does not
    ("text", "eq", "Straße", ["STRASSE", "straße", "strasse"], ["Strase", "", None]),
    ("text", "eq", "e\u0301", ["\u00e9", "\u00c9", "E\u0301"], ["e"]),
    ("text", "eq", "İ", ["i\u0307", "İ"], ["i", "ı", "I"]),
    ("text", "ne", "华为", ["华", "华为技术", "中兴"], ["华为", "", None]),
    ("text", "in", ["A", "华为"], ["a", "华为"], ["b", None]),
    ("text", "not_in", ["A", "b"], ["c"], ["a", "B", None]),
    ("text", "contains", "为", ["华为", "为"], ["华", None]),
    ("text", "contains", "50%_\\", ["a 50%_\\ b"], ["a 50xx b", "50%\\"]),
    ("text", "not_contains", "X", ["abc"], ["axc", "aXc", "", None]),
    ("text", "starts_with", "Hu", ["huawei", "HU"], ["a hu", "h", None]),
    ("text", "empty", None, [None, ""], ["a", "0"]),
    ("text", "not_empty", None, ["a"], [None, ""]),
    ("decimal", "eq", "10.50", ["10.5", "10.500"], ["10.51", "-10.5", None]),
    ("decimal", "eq", 0, ["0", "0.00", "-0"], ["0.01", None]),
    ("decimal", "ne", "1", ["2"], ["1.0", None]),
    ("decimal", "lt", "0.3", ["0.29", "-5"], ["0.3", "0.31", None]),
    ("decimal", "le", "0.3", ["0.3", "0.30"], ["0.300001", None]),
    ("decimal", "gt", "999999999999.98", ["999999999999.99"], ["999999999999.98", "0"]),
    ("decimal", "ge", "9", ["9", "10", "9.00"], ["8.99", None]),
    ("decimal", "between", ["1", "2"], ["1", "1.5", "2.0"], ["0.99", "2.01", None]),
    ("decimal", "in", ["1", 2], ["1.0", "2"], ["3", None]),
    ("decimal", "not_in", ["1"], ["2"], ["1.00", None]),
    ("integer", "lt", 10, [9, -1], [10, 11, None]),
    ("integer", "eq", 0, [0], [1, None]),
    ("integer", "empty", None, [None], [0]),
    ("yes_no", "eq", True, [True], [False, None]),
    ("yes_no", "ne", True, [False], [True, None]),
    ("yes_no", "empty", None, [None], [False, True]),
    ("date", "eq", "2026-02-28", ["2026-02-28"], ["2026-03-01", None]),
    ("date", "ne", "2026-02-28", ["2026-02-27"], ["2026-02-28", None]),
    ("date", "lt", "2026-03-01", ["2026-02-28"], ["2026-03-01", None]),
    ("date", "le", "2026-03-01", ["2026-03-01"], ["2026-03-02"]),
    ("date", "gt", "2026-03-01", ["2026-03-02"], ["2026-03-01"]),
    ("date", "ge", "2026-03-01", ["2026-03-01"], ["2026-02-28"]),
    (
        "date",
        "between",
        ["2026-01-01", "2026-01-31"],
        ["2026-01-01", "2026-01-31"],
        ["2026-02-01", "2025-12-31"],
    ),
    ("date", "in_period", "today", ["2026-11-22"], ["2026-11-21", "2026-11-23", None]),
    ("date", "in_period", "yesterday", ["2026-11-21"], ["2026-11-22"]),
    ("date", "in_period", "this_week", ["2026-11-16", "2026-11-22"], ["2026-11-15", "2026-11-23"]),
    ("date", "in_period", "last_week", ["2026-11-09", "2026-11-15"], ["2026-11-08", "2026-11-16"]),
    ("date", "in_period", "next_week", ["2026-11-23", "2026-11-29"], ["2026-11-22", "2026-11-30"]),
    ("date", "in_period", "this_month", ["2026-11-01", "2026-11-30"], ["2026-10-31", "2026-12-01"]),
    ("date", "in_period", "last_month", ["2026-10-01", "2026-10-31"], ["2026-09-30", "2026-11-01"]),
    ("date", "in_period", "next_month", ["2026-12-01", "2026-12-31"], ["2027-01-01", "2026-11-30"]),
    ("date", "in_period", "this_quarter", ["2026-10-01", "2026-12-31"], ["2026-09-30", "2027-01-01"]),
    ("date", "in_period", "last_quarter", ["2026-07-01", "2026-09-30"], ["2026-06-30", "2026-10-01"]),
    ("date", "in_period", "next_quarter", ["2027-01-01", "2027-03-31"], ["2026-12-31", "2027-04-01"]),
    ("date", "in_period", "this_year", ["2026-01-01", "2026-12-31"], ["2025-12-31", "2027-01-01"]),
    ("date", "in_period", "last_year", ["2025-01-01", "2025-12-31"], ["2024-12-31", "2026-01-01"]),
    ("date", "in_period", "last_n_days:3", ["2026-11-20", "2026-11-22"], ["2026-11-19", "2026-11-23"]),
    ("date", "in_period", "next_n_days:3", ["2026-11-22", "2026-11-24"], ["2026-11-21", "2026-11-25"]),
    # A day of Shanghai is 16:00 to 16:00 in UTC.
    (
        "datetime",
        "eq",
        "2026-11-22",
        ["2026-11-21T16:00:00Z", "2026-11-22T15:59:59.999999Z"],
        ["2026-11-21T15:59:59.999999Z", "2026-11-22T16:00:00Z", None],
    ),
    ("datetime", "ne", "2026-11-22", ["2026-11-22T16:00:00Z"], ["2026-11-21T16:00:00Z", None]),
    ("datetime", "lt", "2026-11-22", ["2026-11-21T15:59:59.999999Z"], ["2026-11-21T16:00:00Z"]),
    ("datetime", "le", "2026-11-22", ["2026-11-22T15:59:59.999999Z"], ["2026-11-22T16:00:00Z"]),
    ("datetime", "gt", "2026-11-22", ["2026-11-22T16:00:00Z"], ["2026-11-22T15:59:59.999999Z"]),
    ("datetime", "ge", "2026-11-22", ["2026-11-21T16:00:00Z"], ["2026-11-21T15:59:59.999999Z"]),
    (
        "datetime",
        "eq",
        "2026-11-22T08:00:00+08:00",
        ["2026-11-22T00:00:00Z"],
        ["2026-11-22T00:00:00.000001Z"],
    ),
    ("datetime", "gt", "2026-11-22T00:00:00Z", ["2026-11-22T00:00:00.000001Z"], ["2026-11-22T00:00:00Z"]),
    ("datetime", "in_period", "today", ["2026-11-21T20:30:00Z"], ["2026-11-21T15:00:00Z"]),
    ("choice", "eq", "a", ["a"], ["b", "A", None]),
    ("choice", "ne", "a", ["b"], ["a", None]),
    ("choice", "in", ["a"], ["a"], ["b", None]),
    ("choice", "in", [], [], ["a", None]),
    ("choice", "not_in", ["a"], ["b"], ["a", None]),
    ("choices", "has_any", ["a", "b"], [["a"], ["b", "c"]], [["c"], [], None]),
    ("choices", "has_all", ["a", "b"], [["b", "a", "c"]], [["a"], None]),
    ("choices", "contains", "a", [["a", "b"]], [["b"], ["ab"], None]),
    ("choices", "not_contains", "a", [["b"]], [["a"], [], None]),
    ("choices", "empty", None, [[], None], [["a"]]),
    ("user", "is_me", None, ["7"], ["8", None]),
    ("user", "eq", "7", ["7"], ["70", None]),
    ("table", "empty", None, [[], None], [[{"q": 1}]]),
    ("table", "not_empty", None, [[{"q": 1}]], [[], None]),
]


@pytest.mark.parametrize(("field", "op", "operand", "yes", "no"), TRUTHS)
def test_operator_holds_for_these_values_and_not_for_those(
    field: str, op: str, operand: Any, yes: list[Any], no: list[Any]
) -> None:
    assert [value for value in yes if not holds(field, op, operand, value)] == []
    assert [value for value in no if holds(field, op, operand, value)] == []


def test_every_operator_of_every_kind_stands_in_the_table() -> None:
    kinds = {
        "text": Kind.TEXT,
        "decimal": Kind.NUMBER,
        "yes_no": Kind.BOOLEAN,
        "date": Kind.DAY,
        "choices": Kind.KEYS,
    }
    for field, kind in kinds.items():
        tested = {op for key, op, *_ in TRUTHS if key == field}
        assert set(OPERATORS[kind]) - tested <= {"empty", "not_empty", "in", "not_in", "contains"}, field
    assert {op for _, op, *_ in TRUTHS} == {op for names in OPERATORS.values() for op in names}


def test_not_of_a_comparison_is_true_for_an_empty_value() -> None:
    assert evaluate(Not(Comparison("text", "eq", "a")), {}, FIELDS, SHANGHAI)
    assert not evaluate(Comparison("text", "ne", "a"), {}, FIELDS, SHANGHAI)


def test_all_of_nothing_holds_and_any_of_nothing_does_not() -> None:
    assert evaluate(ALWAYS, {}, FIELDS, SHANGHAI)
    assert not evaluate(AnyOf(()), {}, FIELDS, SHANGHAI)


def test_all_needs_every_part_and_any_needs_one() -> None:
    yes, no = Comparison("integer", "eq", 1), Comparison("integer", "eq", 2)
    values = {"integer": 1}
    assert not evaluate(All((yes, no)), values, FIELDS, SHANGHAI)
    assert evaluate(All((yes, yes)), values, FIELDS, SHANGHAI)
    assert evaluate(AnyOf((no, yes)), values, FIELDS, SHANGHAI)
    assert not evaluate(AnyOf((no, no)), values, FIELDS, SHANGHAI)


def test_nobody_is_me_without_a_member() -> None:
    assert not holds("user", "is_me", None, "7", EvaluationContext(NOW))


def test_record_columns_take_datetimes_and_integers() -> None:
    condition = parse(
        {
            "all": [
                {"field": "record.owner", "op": "is_me"},
                {"field": "record.created_at", "op": "in_period", "value": "today"},
                {"field": "record.stage", "op": "in", "value": ["won"]},
            ]
        }
    )
    values: Any = {"record.owner": 7, "record.created_at": NOW, "record.stage": "won"}
    assert evaluate(condition, values, FIELDS, SHANGHAI)
    assert not evaluate(condition, {**values, "record.owner": 8}, FIELDS, SHANGHAI)


@pytest.mark.parametrize(
    ("zone", "day", "first", "after"),
    [
        # 23 and 25 hours, midnight that does not exist, a day that was left out
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
    ],
)
def test_a_day_begins_and_ends_with_the_wall_clock(zone: str, day: str, first: str, after: str) -> None:
    context = EvaluationContext(NOW, zone)
    assert holds("datetime", "eq", day, first, context)
    assert not holds("datetime", "eq", day, after, context)
    assert holds("datetime", "ge", day, first, context)
    assert not holds("datetime", "le", day, after, context)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        {"all": {}},
        {"all": [], "any": []},
        {"not": [{}]},
        {"field": "a", "op": "like"},
        {"field": "", "op": "eq", "value": 1},
        {"field": "a", "op": "eq", "value": {}},
        {"field": 1, "op": "eq"},
        {"field": "a", "op": "in", "value": [[1]]},
        {"field": "a", "op": "eq", "value": 1, "else": 2},
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(document: Any) -> None:
    with pytest.raises(ConditionError) as caught:
        parse({"all": [document]})
    assert caught.value.problems[0].place.startswith("/all/0")


def test_nesting_is_limited() -> None:
    document: dict[str, Any] = {"field": "text", "op": "empty"}
    for _ in range(50):
        document = {"not": document}
    with pytest.raises(ConditionError):
        parse(document)


@pytest.mark.parametrize(
    ("field", "op", "operand"),
    [
        ("text", "lt", "a"),
        ("nothing", "eq", 1),
        ("record.nothing", "eq", 1),
        ("decimal", "eq", "abc"),
        ("decimal", "eq", "1e400"),
        ("decimal", "eq", "NaN"),
        ("decimal", "eq", True),
        ("text", "eq", ""),
        ("decimal", "eq", "1234567890123456"),
        ("date", "eq", "2026-02-30"),
        ("date", "eq", 5),
        ("text", "eq", 5),
        ("date", "in_period", "soon"),
        ("date", "in_period", "last_n_days:0"),
        # Only the first digits were looked at once, and the days of all of them overflowed.
        ("date", "in_period", "last_n_days:000001999999999999"),
        ("date", "between", ["2026-01-01"]),
        ("date", "eq", "9999-12-31"),
        ("text", "in", "abc"),
        ("text", "eq", "a\x00"),
        ("text", "eq", "\ud800"),
        ("user", "eq", "x"),
        ("yes_no", "eq", "true"),
        ("text", "eq", "x" * 2000),
        ("choices", "has_any", "a"),
    ],
)
def test_comparisons_that_make_no_sense_are_refused_and_checked(field: str, op: str, operand: Any) -> None:
    with pytest.raises(ConditionError):
        holds(field, op, operand, None)
    assert check(Comparison(field, op, operand), FIELDS, SHANGHAI)


def test_a_document_survives_parsing() -> None:
    document = {
        "any": [
            {"not": {"field": "text", "op": "in", "value": ["a", "b"]}},
            {
                "all": [
                    {"field": "user", "op": "is_me"},
                    {"field": "decimal", "op": "between", "value": ["1", "2"]},
                ]
            },
        ]
    }
    condition = parse(document)
    assert to_document(condition) == document
    assert fields_of(condition) == {"text", "user", "decimal"}
    assert hash(condition) == hash(parse(document))


@pytest.mark.parametrize(("one", "other"), [("ﬀ", "FF"), ("Σ", "ς"), ("\u212b", "å"), ("ǅ", "ǆ"), ("ΐ", "ΐ")])
def test_folding_makes_caseless_equals_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)
