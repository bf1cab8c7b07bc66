"""How long a record may stay in a stage (B13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.time_limits import TimeLimits, whole_days

ORDER = (None, "on_time", "over_target", "warning", "breach")
DAYS = st.none() | st.integers(1, 40)


@pytest.mark.parametrize(
    ("days", "standing"),
    [(0, "on_time"), (5, "on_time"), (6, "over_target"), (8, "over_target"), (9, "warning"), (12, "warning"),
     (13, "breach")],
)  # fmt: skip
def test_a_limit_is_kept_on_its_day_and_passed_after_it(days: int, standing: str) -> None:
    assert TimeLimits(5, 8, 12).standing(days) == standing


def test_limits_that_are_not_set_are_never_passed() -> None:
    assert TimeLimits().standing(1000) is None
    assert not TimeLimits()
    assert TimeLimits(target_days=3).standing(1000) == "over_target"
    assert TimeLimits(breach_days=3).standing(3) == "on_time"
    assert TimeLimits(5, 5, 5).standing(6) == "breach"


@given(DAYS, DAYS, DAYS, st.integers(0, 50))
def test_standing_never_gets_better_with_the_days(
    target: int | None, warning: int | None, breach: int | None, days: int
) -> None:
    limits = TimeLimits(target, warning, breach)
    assert ORDER.index(limits.standing(days)) <= ORDER.index(limits.standing(days + 1))


def test_days_are_full_days() -> None:
    assert [whole_days(seconds) for seconds in (-5, 0, 86_399, 86_400, 200_000)] == [0, 0, 0, 1, 2]
