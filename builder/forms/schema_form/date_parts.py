"""A date, or a date and time in UTC, in selects of its own: year, month, day, hour, minute, second."""

from __future__ import annotations

from typing import Any

from builder.errors import N_
from builder.forms.schema_form import scalars
from builder.forms.schema_form.nodes import ABSENT

DATE_PARTS = {
    "year": N_("year"),
    "month": N_("month"),
    "day": N_("day"),
    "hour": N_("hour"),
    "minute": N_("minute"),
    "second": N_("second"),
}


def range_of(name: str, years: Any) -> list[str]:
    if name == "year":
        is_given = (
            isinstance(years, list) and len(years) == 2 and all(isinstance(each, int) for each in years)
        )
        first, last = sorted(years) if is_given else (1900, 2100)
        first, last = max(first, 1), min(last, 9999, max(first, 1) + 300)
        return [f"{year:04}" for year in range(first, last + 1)]
    first, last = {"month": (1, 12), "day": (1, 31), "hour": (0, 23)}.get(name, (0, 59))
    return [f"{number:02}" for number in range(first, last + 1)]


def date_of(typed: list[str]) -> Any:
    """The date of its parts, as far as they are all there; else what there is, which the schema refuses."""
    if not any(typed):
        return ABSENT
    day = "-".join(typed[:3])
    return day if len(typed) == 3 else f"{day}T{':'.join(part or '00' for part in typed[3:])}Z"


def parts_of(value: Any, has_time: bool) -> list[str]:
    count = 6 if has_time else 3
    if not isinstance(value, str):
        return [""] * count
    text = scalars.to_text(value, "string", "datetime-local" if has_time else "date")
    day, _, clock = text.partition("T")
    days, clocks = [*day.split("-"), "", "", ""], [*clock.removesuffix("Z").split(":"), "", "", ""]
    return [*days[:3], *clocks[:3]][:count]
