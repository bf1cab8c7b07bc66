"""Dates and times as people and other programs write them, turned into ISO text.

Whether 03/04/2021 is in March or in April cannot be seen in one value: ``possible_orders`` says which
readings a value allows, the whole column decides, and where it cannot, a person is asked.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

DateOrder: TypeAlias = Literal["dmy", "mdy"]
ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy")

_TIME = (
    r"(?:[T ,]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.年])(?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?" + _TIME
)
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
    """Whether the two orders give different days."""
    if not _YEAR_LAST.fullmatch(text.strip()):
        return False
    readings = {read_moment(text, order) for order in ORDERS}
    return len(readings) == 2 and None not in readings


def read_moment(text: str, order: DateOrder = "dmy") -> date | datetime | None:
    """A date; or a datetime where the text has a time (aware where it names a zone). ``None``: neither."""
    text = text.strip()
    if len(text) > 60 or not _BEGINNING.match(text):
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
        # A full stop is never used with the month in front.
        day, month = (second, first) if order == "mdy" and match["mark"] != "." else (first, second)
        return _moment(match, _full_year(match["year"]), month, day)
    if match := _DAY_NAME.fullmatch(text) or _NAME_DAY.fullmatch(text):
        named = _MONTHS.get(match["name"][:3].casefold())
        return None if named is None else _moment(match, int(match["year"]), named, int(match["day"]))
    return None


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
