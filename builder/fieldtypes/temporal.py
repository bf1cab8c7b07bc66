"""Dates and date-times. A date is a calendar day of nobody's zone; a date-time is a UTC instant."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from builder.domain.calendar import day_of, zone
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind, is_empty
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import END, FieldContext, FieldType, InvalidValue, babel_locale, stripped

NOT_A_DATE = N_("“%(value)s” is not a date. Write it as 2026-11-21.")
NOT_A_TIME = N_("“%(value)s” is not a date and time. Write it as 2026-11-21 08:30.")
AMBIGUOUS = N_("“%(value)s” may mean two days. Write it as 2026-11-21.")
SKIPPED = N_("“%(value)s” does not exist: clocks are put forward then.")
FIRST_YEAR, LAST_YEAR = 1000, 2999
# Formats are checked by format checkers; the pattern keeps those that differ (leap seconds, small t and z)
# apart.
DAY_PATTERN = rf"^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}{END}"
INSTANT_PATTERN = (
    r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z" + END
)
TODAY = "today"
NOW = "now"
_YEAR_FIRST = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")
_TIME = re.compile(
    r"(.*?)[T\s]\s*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,6})?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def read_day(text: str, ctx: FieldContext) -> date:
    """The day that ``text`` writes: year first, or as ``ctx.date_order`` says. Errors: InvalidValue."""
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _YEAR_LAST.fullmatch(text):
        first, second, year = (int(part) for part in found.groups())
        if ctx.date_order == "ymd" and first <= 12 and second <= 12 and first != second:
            raise InvalidValue(AMBIGUOUS, value=text[:80])
        is_day_first = ctx.date_order == "dmy" or (ctx.date_order == "ymd" and first > 12)
        day, month = (first, second) if is_day_first else (second, first)
    else:
        raise InvalidValue(NOT_A_DATE, value=text[:80])
    try:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError
        return date(year, month, day)
    except ValueError:
        raise InvalidValue(NOT_A_DATE, value=text[:80]) from None


def read_moment(text: str, ctx: FieldContext) -> datetime:
    """The UTC instant of a date and time; without an offset it is wall-clock time of ``ctx.time_zone``.

    Errors: InvalidValue, also for times that the clocks skip. Of times that exist twice the first is taken.
    """
    found = _TIME.fullmatch(text)
    if not found:
        raise InvalidValue(NOT_A_TIME, value=text[:80])
    head, hour, minute, second, part, offset = found.groups()
    day = read_day(head.strip(), ctx)
    clock = f"{int(hour):02}:{minute}:{second or '00'}{(part or '.0').ljust(7, '0')}"
    try:
        if offset:
            shift = offset if offset == "Z" or ":" in offset else f"{offset[:3]}:{offset[3:]}"
            instant = datetime.fromisoformat(f"{day.isoformat()}T{clock}{shift}").astimezone(UTC)
        else:
            instant = _on_wall(
                datetime.fromisoformat(f"{day.isoformat()}T{clock}"), zone(ctx.time_zone), text
            )
    except (ValueError, OverflowError):
        raise InvalidValue(NOT_A_TIME, value=text[:80]) from None
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise InvalidValue(NOT_A_TIME, value=text[:80])
    return instant


def _on_wall(naive: datetime, wall: ZoneInfo, text: str) -> datetime:
    instant = naive.replace(tzinfo=wall).astimezone(UTC)
    if instant.astimezone(wall).replace(tzinfo=None) != naive:
        raise InvalidValue(SKIPPED, value=text[:80])
    return instant


def instant_text(instant: datetime) -> str:
    """The JSON form of an instant: UTC, ``Z``, a fraction only where there is one."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _instant(value: JsonValue) -> datetime:
    return datetime.fromisoformat(str(value))


class Date(FieldType):
    """A calendar day, ``"2026-11-21"``. The default ``today`` is the day of the reader's zone."""

    key = "date"
    label = Label.of({"en": "Date", "zh_Hans": "日期"})
    icon = "calendar"
    kind = Kind.DAY
    slot = "n"
    default_word = TODAY
    widget = "date"

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "format": "date", "pattern": DAY_PATTERN}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        # A file may write a day as its first instant.
        return read_day(re.sub(r"[T ]0?0:00(:00(\.0+)?)?$", "", source), ctx).isoformat()

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if is_empty(value):
            return ""
        return _day_text(str(value), ctx.locale)

    def default(self, definition: FieldDefinition, ctx: FieldContext) -> JsonValue:
        if definition.default != TODAY:
            return definition.default
        return day_of(ctx.now, ctx.time_zone).isoformat() if ctx.now else None


@lru_cache(maxsize=4096)
def _day_text(value: str, locale: str) -> str:
    return format_date(date.fromisoformat(value), "medium", locale=babel_locale(locale))


class DateTime(FieldType):
    """A UTC instant, ``"2026-11-21T08:30:00Z"``, typed and shown in the reader's zone."""

    key = "datetime"
    label = Label.of({"en": "Date and time", "zh_Hans": "日期时间"})
    icon = "calendar-time"
    kind = Kind.INSTANT
    slot = "n"
    default_word = NOW
    widget = "datetime"

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        return instant_text(read_moment(source, ctx))

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        if is_empty(value):
            return []
        local = _instant(value).astimezone(zone(ctx.time_zone)).replace(tzinfo=None)
        has_seconds = local - local.replace(second=0, microsecond=0) > timedelta(0)
        return [local.replace(microsecond=0).isoformat(timespec="seconds" if has_seconds else "minutes")]

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if is_empty(value):
            return ""
        return format_datetime(
            _instant(value).astimezone(zone(ctx.time_zone)), "medium", locale=babel_locale(ctx.locale)
        )

    def default(self, definition: FieldDefinition, ctx: FieldContext) -> JsonValue:
        if definition.default != NOW:
            return definition.default
        return instant_text(ctx.now.replace(microsecond=0)) if ctx.now else None
