"""Days and periods of a workspace: which day an instant belongs to, and where a named period begins and ends.

A day is a day of the workspace's time zone and a week begins on Monday (B11, M0). Everything here is a
half-open span, so that neighbouring periods share no instant and leave none out, on days of 23 and 25 hours
too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)

# Periods that stand on their own; the other two forms are last_n_days:N and next_n_days:N.
NAMED_PERIODS = (
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "next_week",
    "this_month",
    "last_month",
    "next_month",
    "this_quarter",
    "last_quarter",
    "next_quarter",
    "this_year",
    "last_year",
)
COUNTED_PERIODS = ("last_n_days", "next_n_days")
MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days from ``first`` up to but not including ``end``."""

    first: date
    end: date


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Errors: ``zoneinfo.ZoneInfoNotFoundError`` (a KeyError)."""
    return ZoneInfo(name)


def day_of(instant: datetime, time_zone: str) -> date:
    """The day that the wall clock of ``time_zone`` shows at ``instant`` (aware)."""
    return instant.astimezone(zone(time_zone)).date()


@lru_cache(maxsize=4096)
def start_of_day(day: date, time_zone: str) -> datetime:
    """The first instant of ``day`` in UTC.

    Where midnight does not exist (clocks go forward at 0:00) it is the instant of the change; where it
    exists twice, the first one.
    """
    return datetime.combine(day, time(0), tzinfo=zone(time_zone)).astimezone(UTC)


def micros(instant: datetime) -> int:
    """Whole microseconds since 1970 UTC: how instants are stored and compared."""
    return (instant - EPOCH) // MICROSECOND


def is_period(name: object) -> bool:
    """Whether ``name`` is a period of the condition language."""
    if not isinstance(name, str):
        return False
    head, _, count = name.partition(":")
    if head in COUNTED_PERIODS:
        return count.isascii() and count.isdigit() and len(count) <= 6 and 1 <= int(count) <= MOST_DAYS
    return name in NAMED_PERIODS


def period(name: str, today: date) -> DaySpan:
    """The days of the period ``name`` seen from ``today``.

    ``last_n_days:N`` is today and the N − 1 days before it; ``next_n_days:N`` today and the N − 1 after it.
    Errors: ValueError for a name that ``is_period`` refuses.
    """
    if not is_period(name):
        raise ValueError(f"unknown period {name!r}")
    head, _, count = name.partition(":")
    if head == "last_n_days":
        return DaySpan(today - timedelta(days=int(count) - 1), today + ONE_DAY)
    if head == "next_n_days":
        return DaySpan(today, today + timedelta(days=int(count)))
    if head == "today":
        return DaySpan(today, today + ONE_DAY)
    if head == "yesterday":
        return DaySpan(today - ONE_DAY, today)
    which, _, unit = head.partition("_")
    shift = {"last": -1, "this": 0, "next": 1}[which]
    if unit == "week":
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=shift)
        return DaySpan(monday, monday + timedelta(weeks=1))
    return _months(today, unit, shift)


def _months(today: date, unit: str, shift: int) -> DaySpan:
    length = {"month": 1, "quarter": 3, "year": 12}[unit]
    month = today.year * 12 + today.month - 1
    first = month - month % length + shift * length
    return DaySpan(_first_of_month(first), _first_of_month(first + length))


def _first_of_month(months: int) -> date:
    """The first day of the month that is ``months`` months after January of year 0."""
    return date(months // 12, months % 12 + 1, 1)
