"""Amounts that stand in a file as they are stored are taken as they are, and nothing else is."""

from __future__ import annotations

import pytest

from builder.domain.fields import FieldDefinition
from builder.domain.labels import Label
from builder.fieldtypes.base import FieldContext, InvalidValue
from builder.fieldtypes.registry import field_type

FILE = FieldContext(currency="CNY", marks=(".", ","))
GERMAN = FieldContext(currency="EUR", marks=(",", "."))


def read(text: str, ctx: FieldContext = FILE, **params: str) -> object:
    field = FieldDefinition("amount", "money", Label.of("Amount"), params=params)
    return field_type("money").parse(field, text, ctx)


@pytest.mark.parametrize("text", ["0.00", "0.10", "7.25", "1234.50", "99999999999.99"])
def test_an_amount_in_its_stored_form_is_read_as_with_a_sign_that_changes_nothing(text: str) -> None:
    assert read(text) == read(f"+{text}") == text


@pytest.mark.parametrize(
    ("text", "stored"), [("007.25", "7.25"), ("7.2", "7.20"), ("7", "7.00"), ("-0.00", "0.00")]
)
def test_other_forms_become_the_stored_one(text: str, stored: str) -> None:
    assert read(text) == stored


def test_currencies_with_other_decimals_and_signs_that_are_refused_are_looked_at() -> None:
    assert read("7.00", currency="JPY") == "7"
    with pytest.raises(InvalidValue):
        read("7.25", currency="JPY")
    with pytest.raises(InvalidValue):
        read("0.00", sign="positive")


def test_where_a_point_marks_thousands_it_is_no_decimal_mark() -> None:
    assert read("1.234,50", GERMAN) == "1234.50"
    with pytest.raises(InvalidValue):
        read("7.25", GERMAN)
