"""Dates and times as people and other programs write them, turned into ISO text.

Whether 03/04/2021 is in March or in April cannot be seen in one value: ``possible_orders`` says which
readings a value allows, the whole column decides, and where it cannot, a person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

DateOrder: TypeAlias = Literal["dmy", "mdy", "ymd", "serial"]
# Those that a value is tried with. ``ymd`` (20/12/31, 20201231) and ``serial`` (44196, the days of Excel) are
# only read where somebody says so.
ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy")
STATED: tuple[DateOrder, ...] = (*ORDERS, "ymd", "serial")

_TIME = (
    r"(?:[T ,]\s*(?P<part>[上下]午)?\s*(?P<hour>\d{1,2})[:时點点](?P<minute>\d{2})"
    r"(?:[:分](?:(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?秒?)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.年])(?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?" + _TIME
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + _TIME)
_SERIAL = re.compile(r"(?P<days>\d{1,7})(?:[.,](?P<part>\d{1,12}))?")
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})" + _TIME)
_DAY_NAME = re.compile(r"(?P<day>\d{1,2})\.?[ -]+(?P<name>[^\W\d_]{3,9})\.?,?[ -]+(?P<year>\d{4})" + _TIME)
_NAME_DAY = re.compile(r"(?P<name>[^\W\d_]{3,9})\.?[ -]+(?P<day>\d{1,2}),?[ -]+(?P<year>\d{4})" + _TIME)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan mär",
            "feb",
            "mar mär mrz",
            "apr",
            "may mai",
            "jun",
            "jul",
            "aug",
            "sep",
            "oct okt",
            "nov",
            "dec dez",
        ),
        1,
    )
    for name in names.split()
}
_MONTHS["mär"] = 3
_BARE_YEARS_FROM = 70
# What programs write: read by the standard library, in a fifth of the time.
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?(?:Z|[+-][0-9]{2}:[0-5][0-9])?"
)
# Day 1 is 1 January 1900; a 29 February that never was is day 60.
_DAY_ZERO = datetime.combine(date(1899, 12, 30), time())
_NO_DAY, _LAST_DAY = 60, 2_958_465
# What every date begins with; most other texts do not, and are told apart at once.
_BEGINNING = re.compile(r"\d{1,4}[-/.年 ]+\w|[^\W\d_]{3,9}\.?[ -]+\d")
_NO_ORDER: frozenset[DateOrder] = frozenset()
_ANY_ORDER: frozenset[DateOrder] = frozenset(ORDERS)


def possible_orders(text: str) -> frozenset[DateOrder]:
    """Which orders read ``text`` as a date: both when it does not matter, none when it is no date."""
    text = text.strip()
    if not _BEGINNING.match(text):
        return _NO_ORDER
    if _YEAR_LAST.fullmatch(text):
        return frozenset(order for order in ORDERS if read_moment(text, order) is not None)
    return _NO_ORDER if read_moment(text) is None else _ANY_ORDER


def depends_on_order(text: str) -> bool:
    """Whether day first and month first give different days."""
    if not _YEAR_LAST.fullmatch(text.strip()):
        return False
    readings = {read_moment(text, order) for order in ORDERS}
    return len(readings) == 2 and None not in readings


def only_order(text: str) -> DateOrder | None:
    """The order that a value shows: 31/12 can only have its day in front."""
    if not _YEAR_LAST.fullmatch(text.strip()) or "." in text[:3]:
        return None
    found = [order for order in ORDERS if read_moment(text, order) is not None]
    return found[0] if len(found) == 1 else None


def stated_order(values: Iterable[str]) -> DateOrder | None:
    """How numbers that stand for dates are written, when all of them are read so: ``ymd`` or ``serial``."""
    texts = list(values)
    for order in STATED[len(ORDERS) :]:
        if texts and all(read_moment(text, order) is not None for text in texts):
            return order
    return None


def read_moment(text: str, order: DateOrder = "dmy") -> date | datetime | None:
    """A date; or a datetime where the text has a time (aware where it names a zone). ``None``: neither."""
    text = text.strip()
    if len(text) > 60:
        return None
    if order == "ymd" and (match := _COMPACT.fullmatch(text)):
        return _moment(match, int(match["year"]), int(match["month"]), int(match["day"]))
    if order == "serial" and (match := _SERIAL.fullmatch(text)):
        return _serial(int(match["days"]), match["part"])
    if not _BEGINNING.match(text):
        return None
    is_day = _ISO_DAY.fullmatch(text)
    if is_day or _ISO.fullmatch(text):
        try:
            return date.fromisoformat(text) if is_day else datetime.fromisoformat(text)
        except ValueError:
            return None
    if match := _YEAR_FIRST.fullmatch(text):
        return _moment(match, int(match["year"]), int(match["month"]), int(match["day"]))
    if match := _YEAR_LAST.fullmatch(text):
        first, second = int(match["a"]), int(match["b"])
        if order == "ymd":
            last = match["year"]
            return None if len(last) == 4 else _moment(match, _full_year(match["a"]), second, int(last))
        # A full stop is never used with the month in front.
        day, month = (second, first) if order == "mdy" and match["mark"] != "." else (first, second)
        return _moment(match, _full_year(match["year"]), month, day)
    if match := _DAY_NAME.fullmatch(text) or _NAME_DAY.fullmatch(text):
        named = _MONTHS.get(match["name"][:3].casefold())
        return None if named is None else _moment(match, int(match["year"]), named, int(match["day"]))
    return None


def _serial(days: int, part: str | None) -> date | datetime | None:
    if days == _NO_DAY or not 1 <= days <= _LAST_DAY:
        return None
    day = _DAY_ZERO + timedelta(days=days + (1 if days < _NO_DAY else 0))
    if not part or not int(part):
        return day.date()
    return day + timedelta(seconds=round(int(part) * 86_400 / 10 ** len(part)))


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year >= _BARE_YEARS_FROM else 2000)


def _moment(match: re.Match[str], year: int, month: int, day: int) -> date | datetime | None:
    try:
        if match["hour"] is None:
            return date(year, month, day)
        hour = int(match["hour"])
        if half := match["half"]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if half[0] in "Pp" else 0)
        elif match["part"] == "下午" and hour < 12:
            hour += 12
        micros = int((match["fraction"] or "").ljust(6, "0")[:6] or 0)
        return datetime(
            year,
            month,
            day,
            hour,
            int(match["minute"]),
            int(match["second"] or 0),
            micros,
            tzinfo=_zone(match),
        )
    except ValueError:
        return None


def _zone(match: re.Match[str]) -> timezone | None:
    name = match["zone"]
    if not name:
        return None
    if name in ("Z", "UTC"):
        return UTC
    digits = name[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if name[0] == "-" else offset)


def as_instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant: a day begins at its midnight in ``zone``, a time without a zone is in ``zone``."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)
