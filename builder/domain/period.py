"""The period of a report: half-open days of the workspace's zone, and the names people choose it by.

``[first, end)``; a missing edge is unbounded (head of metrics.md). A period that begins and ends with
months is *month-aligned*: such a one is answered from roll-ups.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from builder.domain import calendar
from builder.errors import N_, Invalid, Problem

PRESETS = (
    "this_month",
    "last_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
    "last_n_days:30",
    "last_n_days:90",
)
_EARLIEST = date(1900, 1, 1)
_LATEST = date(9000, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` up to but not including ``end``; ``None`` leaves that side open."""

    first: date | None = None
    end: date | None = None

    @classmethod
    def named(cls, name: str, today: date) -> Period:
        """The preset or period of the condition language, seen from ``today``. Errors: ValueError."""
        span = calendar.period(name, today)
        return cls(span.first, span.end)

    @classmethod
    def read(cls, first: str, end: str) -> Period:
        """From two ISO dates, either of which may be empty.

        Errors: Invalid for what is no date, for years outside 1900–8999 and for an end before the beginning.
        """
        period = cls(_day(first, "from"), _day(end, "to"))
        if period.first and period.end and period.first > period.end:
            raise Invalid(N_("The period ends before it begins."), problems=(Problem(N_("Too early"), "to"),))
        return period

    def __bool__(self) -> bool:
        return self.first is not None or self.end is not None

    def edges(self, time_zone: str) -> tuple[datetime | None, datetime | None]:
        """The first instant inside and the first instant after, in UTC; ``None`` where unbounded."""
        return (
            None if self.first is None else calendar.start_of_day(self.first, time_zone),
            None if self.end is None else calendar.start_of_day(self.end, time_zone),
        )

    @property
    def months(self) -> tuple[int | None, int | None] | None:
        """Both edges as counted months (year × 12 + month − 1), ``None`` where unbounded; ``None`` for all
        when an edge is inside a month."""
        if any(day is not None and day.day != 1 for day in (self.first, self.end)):
            return None
        return _month(self.first), _month(self.end)


ALL_TIME = Period()


def month_edges(first: date, last: date, months: int, time_zone: str) -> list[tuple[date, datetime]]:
    """Beginnings of the spans of ``months`` months (1 month, 3 a quarter) that cover first … last, and of
    the one after: ``(first day, first instant)``."""
    at = first.year * 12 + first.month - 1
    at -= at % months
    edges = []
    while True:
        day = date(at // 12, at % 12 + 1, 1)
        edges.append((day, calendar.start_of_day(day, time_zone)))
        if day > last:
            return edges
        at += months


def _month(day: date | None) -> int | None:
    return None if day is None else day.year * 12 + day.month - 1


def _day(text: str, place: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not _EARLIEST <= day < _LATEST:
        raise Invalid(
            N_("“%(value)s” is not a date."),
            value=text[:40],
            problems=(Problem(N_("Not a date"), place, {}),),
        )
    return day
