"""What rules and services need to know of a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from zoneinfo import ZoneInfo, available_timezones


@cache
def time_zones() -> frozenset[str]:
    """The time zones that one can choose; the machine's folder of zones is read once."""
    return frozenset(available_timezones())


@dataclass(frozen=True)
class WorkspaceInfo:
    """One client company. Periods and days are days of ``time_zone``; money defaults to ``currency``."""

    id: int
    key: str
    name: str
    locale: str
    time_zone: str
    currency: str
    definitions_stamp: int = 0

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()
