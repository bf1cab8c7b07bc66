"""Where the application reads the time, so that tests and the demo can set it.

Every instant is an aware `datetime` in UTC; a naive one is refused. Nothing else in the project may
call `datetime.now`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FakeClock:
    """A clock that stands still until it is set or advanced: for tests and for making history.

    `advance` refuses to go back; `set` may, because a loader walks several records one after another.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)

    def now(self) -> datetime:
        return self._now

    def set(self, instant: datetime) -> None:
        self._now = _in_utc(instant)

    def advance(self, by: timedelta) -> datetime:
        """Move forward by `by` and return the new instant. Errors: ValueError when `by` is negative."""
        if by < timedelta(0):
            raise ValueError("a clock advances forward only")
        self._now += by
        return self._now


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)
