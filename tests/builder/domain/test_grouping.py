"""Months as groups."""

from __future__ import annotations

from datetime import date

import pytest

from builder.domain.grouping import days_of, month_of


@pytest.mark.parametrize("month", ["2026-03", "2024-02", "2025-12", "0001-01", "9999-12"])
def test_a_month_holds_exactly_its_days(month: str) -> None:
    first, after = days_of(month)
    assert {month_of(day) for day in range(first, after)} == {month}
    assert date.fromordinal(first).day == 1
    assert after > date.max.toordinal() or date.fromordinal(after).day == 1


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "0000-01", "2026-1", "２０２６-03", "2026-03-01"]
)
def test_other_texts_are_no_month(text: str) -> None:
    with pytest.raises(ValueError, match=r"month|year"):
        days_of(text)
