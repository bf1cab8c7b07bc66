"""A clock tells aware instants in UTC, and a fake one moves only as it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from builder.clock import FakeClock, SystemClock

NOON = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)


def test_the_system_clock_is_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_fake_clock_stands_still_until_it_is_advanced() -> None:
    clock = FakeClock(NOON)

    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(hours=13)) == datetime(2024, 3, 1, 1, 0, tzinfo=UTC)


def test_a_fake_clock_may_be_set_back_but_not_advanced_back() -> None:
    clock = FakeClock(NOON)
    clock.set(NOON - timedelta(days=1))

    assert clock.now() == NOON - timedelta(days=1)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(timedelta(seconds=-1))


def test_other_zones_become_utc_and_naive_instants_are_refused() -> None:
    shanghai = timezone(timedelta(hours=8))

    assert FakeClock(datetime(2024, 1, 1, 7, tzinfo=shanghai)).now().hour == 23
    with pytest.raises(ValueError, match="time zone"):
        FakeClock(datetime(2024, 1, 1))  # noqa: DTZ001
