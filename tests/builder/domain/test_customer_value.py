"""What a customer is worth (M29)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from builder.domain.customer_value import WonOrders, customer_value

TODAY = date(2026, 11, 22)


def test_two_years_of_four_orders_expect_three_years_of_two() -> None:
    worth = customer_value(WonOrders("CNY", 4, 400_00, date(2024, 11, 22)), TODAY)
    assert worth.expected is not None
    assert worth.expected.average_minor == 100_00
    assert abs(worth.expected.orders_a_year - Decimal(2)) < Decimal("0.01")
    assert abs(worth.expected.value_minor - 600_00) < 100


def test_a_first_year_counts_whole() -> None:
    worth = customer_value(WonOrders("CNY", 2, 300, TODAY - timedelta(days=3)), TODAY, years=5)
    assert worth.expected is not None
    assert (worth.expected.orders_a_year, worth.expected.value_minor) == (2, 1500)


def test_one_order_or_unknown_times_foretell_nothing() -> None:
    assert customer_value(WonOrders("CNY", 1, 100, date(2025, 1, 1)), TODAY).expected is None
    assert customer_value(WonOrders("CNY", 9, 100, None), TODAY).expected is None


@given(st.integers(2, 500), st.integers(0, 10**12), st.integers(0, 9000), st.integers(1, 20))
def test_the_value_is_the_product_of_its_parts(count: int, total: int, days: int, years: int) -> None:
    worth = customer_value(WonOrders("EUR", count, total, TODAY - timedelta(days=days)), TODAY, years)
    assert worth.expected is not None
    product = Decimal(total) / count * worth.expected.orders_a_year * years
    assert abs(worth.expected.value_minor - product) <= 1
    # Never more than all of it every year.
    assert worth.expected.value_minor <= total * years + 1
