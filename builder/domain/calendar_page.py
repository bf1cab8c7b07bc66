"""One page of a calendar: which days it shows, and what comes before and after (part 5).

A month is shown in whole weeks, a week by itself, an agenda as the days that follow. Which day a week begins
with is the reader's language's to say; which day an instant belongs to, the workspace's time zone's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

Span: TypeAlias = Literal["month", "week", "agenda"]
SPANS: tuple[Span, ...] = ("month", "week", "agenda")
AGENDA_DAYS = 30
_MORNING = time(9)
# Days of which every neighbouring page can still be told.
EARLIEST, LATEST = date(1900, 1, 1), date(8999, 12, 31)


@dataclass(frozen=True)
class CalendarPage:
    """The page around the day ``on``. ``first_weekday``: 0 is Monday, 6 Sunday."""

    span: Span
    on: date
    first_weekday: int = 0

    @property
    def days(self) -> tuple[date, ...]:
        """All days of the page, in order."""
        first, end = self._edges()
        return tuple(date.fromordinal(day) for day in range(first.toordinal(), end.toordinal()))

    @property
    def weeks(self) -> tuple[tuple[date, ...], ...]:
        """The days by weeks; an agenda is in one piece."""
        days = self.days
        if self.span == "agenda":
            return (days,)
        return tuple(days[place : place + 7] for place in range(0, len(days), 7))

    def _edges(self) -> tuple[date, date]:
        if self.span == "agenda":
            return self.on, self.on + timedelta(days=AGENDA_DAYS)
        if self.span == "week":
            first = self._week_of(self.on)
            return first, first + timedelta(days=7)
        last = self._following_month() - timedelta(days=1)
        return self._week_of(self.on.replace(day=1)), self._week_of(last) + timedelta(days=7)

    def _week_of(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.first_weekday) % 7)

    def _following_month(self) -> date:
        return (self.on.replace(day=28) + timedelta(days=4)).replace(day=1)

    @property
    def previous(self) -> date:
        """A day of the page before; the first there is, where none is."""
        if self.span == "month":
            return max(EARLIEST, (self.on.replace(day=1) - timedelta(days=1)).replace(day=1))
        return max(EARLIEST, self.on - self._length)

    @property
    def following(self) -> date:
        """A day of the page after; the last there is, where none is."""
        if self.span == "month":
            return min(LATEST, self._following_month())
        return min(LATEST, self.on + self._length)

    @property
    def _length(self) -> timedelta:
        return timedelta(days=7 if self.span == "week" else AGENDA_DAYS)

    def is_beside(self, day: date) -> bool:
        """Whether the day only fills up the weeks of the month that is shown."""
        return self.span == "month" and (day.year, day.month) != (self.on.year, self.on.month)


def read_day(text: str) -> date | None:
    """A day that a calendar can show, from its ISO form; ``None`` for any other text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if text == day.isoformat() and EARLIEST <= day <= LATEST else None


def on_day(value: str | None, day: date, zone: ZoneInfo, *, has_time: bool) -> str:
    """A stored date or time moved to another day: the time of day on the wall clock stays.

    Where the clock leaves that time out, it is the same instant after the change; an empty time begins at 9.
    """
    if not has_time:
        return day.isoformat()
    at = _MORNING if value is None else datetime.fromisoformat(value).astimezone(zone).time()
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
