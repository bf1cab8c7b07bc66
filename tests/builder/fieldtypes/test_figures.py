"""Numbers written quickly are the numbers that the locale library writes."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.figures import figure_of
from builder.fieldtypes.money import _written as written_money
from builder.fieldtypes.money import money_text
from builder.fieldtypes.number import _written as written_number
from builder.fieldtypes.number import grouped

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=2).map(lambda value: format(value, "f"))
LOCALES = ("en", "zh_Hans", "de", "fr", "hi", "es", "pl", "ar_EG", "de_CH")


@given(AMOUNTS, st.sampled_from(LOCALES), st.sampled_from(("CNY", "USD", "EUR")))
def test_amounts_read_as_the_library_writes_them(amount: str, locale: str, currency: str) -> None:
    wanted = written_money(Decimal(amount), locale, currency, 2)
    assert money_text(amount, currency, FieldContext(locale=locale)) == wanted


@given(AMOUNTS, st.sampled_from(LOCALES))
def test_numbers_read_as_the_library_writes_them(number: str, locale: str) -> None:
    assert grouped(number, FieldContext(locale=locale)) == written_number(Decimal(number), locale, 2)


def test_other_groups_and_other_digits_are_left_to_the_library() -> None:
    assert figure_of(lambda number: format_decimal(number, locale="hi"), 0) is None
    assert figure_of(lambda _number: "١٬٢٣٤٬٥٦٧", 0) is None
    assert figure_of(lambda number: format_decimal(number, locale="en"), 0) is not None
