"""Money: exact conversions between decimals and minor units, by the currency's own exponent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.money import MoneyError, exponent, from_minor, is_currency, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1234.5", "USD", 123450),
        ("-0.01", "CNY", -1),
        ("5", "JPY", 5),
        ("5.0", "JPY", 5),
        ("1.234", "KWD", 1234),
        ("0", "EUR", 0),
    ],
)
def test_minor_units_are_exact(amount: str, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.234", "USD"),
        ("0.5", "JPY"),
        ("x", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("1", "usd"),
        ("1", "DOLLAR"),
        ("99999999999999", "USD"),
        ("", "USD"),
    ],
)
def test_what_is_not_exact_or_no_money_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(MoneyError) as caught:
        to_minor(amount, currency)
    assert str(caught.value)


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_there_and_back_again(minor: int, currency: str) -> None:
    text = from_minor(minor, currency)
    assert to_minor(text, currency) == minor
    assert len(text.partition(".")[2]) == exponent(currency)


def test_codes_are_three_capital_letters() -> None:
    assert is_currency("CNY")
    assert not is_currency("cny")
    assert not is_currency("CNY\n")
