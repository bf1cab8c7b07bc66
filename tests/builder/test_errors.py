"""Errors carry keys and values, and tell themselves in English to logs and the command line."""

from __future__ import annotations

from builder.errors import Conflict, Invalid, NotFound, Problem, Stale


def test_values_fill_the_placeholders() -> None:
    assert str(Invalid("%(field)s is missing", field="Amount")) == "Amount is missing"


def test_a_percent_sign_without_values_is_only_text() -> None:
    assert str(Conflict("100 % is the most")) == "100 % is the most"


def test_all_problems_are_told() -> None:
    error = Invalid(
        "Not saved", problems=(Problem("%(n)s is too large", "/a", {"n": 7}), Problem("b is empty", "/b"))
    )

    assert str(error) == "Not saved; 7 is too large; b is empty"


def test_each_kind_has_its_status() -> None:
    assert (NotFound().status, Invalid("x").status, Stale().status, Conflict("x").status) == (
        404,
        422,
        409,
        409,
    )
