"""The age of a record against the average cycle of its product or process (S13, S14)."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from builder.domain.cycle import ProductCycle, cycle_age

BEGAN = date(2026, 10, 1)


def after(days: int) -> date:
    return BEGAN + timedelta(days=days)


def test_the_cycle_of_the_product_comes_before_that_of_the_process() -> None:
    found = cycle_age(BEGAN, after(38), 60, [ProductCycle(7, 45)])
    assert found is not None
    assert (found.age, found.days, found.product_id, found.is_over) == (38, 45, 7, False)


def test_without_a_product_that_knows_one_the_process_counts() -> None:
    found = cycle_age(BEGAN, after(61), 60)
    assert found is not None
    assert (found.days, found.product_id, found.is_over) == (60, None, True)


def test_of_several_products_the_slowest_counts() -> None:
    found = cycle_age(BEGAN, after(1), None, [ProductCycle(1, 30), ProductCycle(2, 90), ProductCycle(3, 45)])
    assert found is not None
    assert (found.days, found.product_id) == (90, 2)


def test_nothing_is_said_where_no_cycle_is_known() -> None:
    assert cycle_age(BEGAN, after(9), None) is None


def test_the_owner_is_reminded_some_days_before_the_end_by_the_word_of_the_product_first() -> None:
    by_process = cycle_age(BEGAN, after(40), 45, remind_days=5)
    by_product = cycle_age(BEGAN, after(40), 60, [ProductCycle(1, 45, remind_days=10)], remind_days=5)
    assert by_process is not None
    assert by_product is not None
    assert (by_process.reminds_at, by_process.is_near) == (40, True)
    assert by_product.reminds_at == 35


@given(st.integers(-5, 400), st.integers(1, 400), st.none() | st.integers(0, 500))
def test_a_record_is_never_near_and_over_at_once(age: int, days: int, remind: int | None) -> None:
    found = cycle_age(BEGAN, after(age), days, remind_days=remind)
    assert found is not None
    assert found.age >= 0
    assert not (found.is_near and found.is_over)
