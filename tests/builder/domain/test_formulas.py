"""Formulas: exact decimals, a closed language, computed in the order of their needs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.computation import compute, order
from builder.domain.fields import FieldDefinition
from builder.domain.formulas import FormulaError, evaluate, parse
from builder.domain.labels import Label

NO_LABEL = Label(())


def field(key: str, kind: str, **params: Any) -> FieldDefinition:
    return FieldDefinition(key, kind, NO_LABEL, params=params)


def formula(key: str, text: str, scale: int = 2) -> FieldDefinition:
    return field(key, "formula", formula=text, scale=scale)


LINES = field(
    "lines",
    "table",
    columns=(field("quantity", "integer"), field("price", "money"), formula("total", "quantity * price")),
)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1 / 3 * 3", "0.9999999999999999999999999999999999"),
        ("2 ** 10", "1024"),
        ("-5 % 3", "-2"),
        ("round(2.345, 2)", "2.35"),
        ("round(-2.5)", "-3"),
        ("if(1 > 2, 1 / 0, 7)", "7"),
        ("if(1 == 1 and not 2 < 1, 1, 0)", "1"),
        ("min(3, 1, 2) + max(3, 1)", "4"),
        ("abs(-3)", "3"),
        ("3 > 2", "1"),
        ("a * 2", "20"),
        ("if(stage == 'won', 1, 0)", "1"),
        ("sum(rows.x) / count(rows.x)", "2"),
        ("max(rows.x)", "3"),
        ("1 / 0", None),
        ("2 ** 99", None),
        ("min(rows.none)", None),
    ],
)
def test_the_result_is_exact(text: str, result: str | None) -> None:
    from builder.domain.formulas import Rows

    names = {"a": Decimal(10), "stage": "won", "rows": Rows({"x": [Decimal(1), Decimal(3)], "none": []})}
    assert evaluate(parse(text), names) == (None if result is None else Decimal(result))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 +",
        "a.__class__",
        "a.b.c",
        "(lambda: 1)()",
        "a[0]",
        "f'{a}'",
        "[1]",
        "{1: 2}",
        "x if y else z",
        "open('x')",
        "__import__('os')",
        "round(a, b=1)",
        "1e999",
        "a; b",
        "a = 1",
        "a := 1",
        "sum(*a)",
        "True",
        "None",
        "_a",
        "min",
        "a @ b",
        "1234567890123456",
        "if(1, 2)",
        "'a' 'b' + (yield)",
        "(" * 60 + "1" + ")" * 60 + "+" * 300,
        "a" * 501,
        "1\x00",
        "-" * 60 + "1",
        "exec('1')",
        "sum(rows.x).real",
        "not",
        "a\n+b;c",
        "1j",
        "...",
        "b'x'",
        "a is b",
        "a in b",
        "1 << 2",
        "1 // 2",
    ],
)
def test_what_is_not_in_the_language_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text)


@pytest.mark.parametrize(
    "text", ["'a' * 9", "'a' + 'b'", "a + 'b'", "sum(stage)", "'a'", "missing + 1", "-'a'", "stage < 1"]
)
def test_texts_are_compared_and_never_computed_with(text: str) -> None:
    with pytest.raises(FormulaError):
        evaluate(parse(text), {"a": Decimal(1), "stage": "won"})


@given(st.text(alphabet="ab12.+-*/%()<>=!&|,'\"_ifsumaxnot \n\t\\{}[]:@#", max_size=40))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    try:
        parsed = parse(text)
        evaluate(parsed, {name.partition(".")[0]: Decimal(1) for name in parsed.names})
    except FormulaError:
        pass


def test_formulas_of_rows_and_totals_are_computed_in_order() -> None:
    fields = [formula("gross", "net * 1.1"), formula("net", "sum(lines.total)"), LINES]
    result = compute(fields, {"lines": [{"quantity": 3, "price": "19.99"}, {"quantity": 1}], "net": "1"})
    assert result["net"] == "59.97"
    assert result["gross"] == "65.97"
    assert result["lines"] == [
        {"quantity": 3, "price": "19.99", "total": "59.97"},
        {"quantity": 1, "total": "0.00"},
    ]


def test_a_result_is_empty_when_all_it_asks_for_is_empty_and_its_old_value_goes() -> None:
    fields = [field("a", "integer"), field("b", "decimal"), formula("c", "a + b")]
    assert compute(fields, {"c": "5.00"}) == {}
    assert compute(fields, {"a": 2}) == {"a": 2, "c": "2.00"}


def test_a_result_beyond_fifteen_digits_is_empty() -> None:
    fields = [field("a", "integer"), formula("b", "a * a")]
    assert compute(fields, {"a": 10**14}) == {"a": 10**14}


def test_dates_differ_by_days_and_a_tiny_negative_is_zero() -> None:
    fields = [
        field("d", "date"),
        field("e", "date"),
        formula("n", "e - d", 0),
        formula("z", "0 - 0.001 + n * 0"),
    ]
    assert compute(fields, {"d": "2024-02-28", "e": "2024-03-01"})["n"] == "2"
    assert compute(fields, {"d": "2024-02-28", "e": "2024-03-01"})["z"] == "0.00"


@pytest.mark.parametrize("broken", [{"a": "x"}, {"a": None}, {"a": True}, {"a": "NaN"}, {"a": []}])
def test_values_that_are_not_valid_count_as_nothing(broken: dict[str, Any]) -> None:
    fields = [field("a", "decimal"), field("b", "integer"), formula("c", "a + b")]
    assert compute(fields, {"b": 1, **broken})["c"] == "1.00"


def test_a_circle_and_an_unknown_field_are_named() -> None:
    with pytest.raises(FormulaError, match="a → b → a"):
        order([formula("a", "b"), formula("b", "a")])
    with pytest.raises(FormulaError, match="nothing"):
        order([formula("a", "nothing + 1")])
    with pytest.raises(FormulaError, match=r"lines\.other"):
        order([LINES, formula("a", "sum(lines.other)")])
    with pytest.raises(FormulaError, match="lines"):
        order([LINES, formula("a", "lines + 1")])
