"""How long a record has stood in its stage, against the time limits of the stage, in words (B13)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext, ngettext

from builder.domain.pipeline import Pipeline, Stage
from builder.domain.time_limits import NO_LIMITS, TimeLimits


@dataclass(frozen=True, slots=True)
class ShownLimit:
    """``age``: how long, against the target where one is set; ``word``: empty while on time; ``tone``: good,
    warn or bad; ``limits``: all of them in one line.
    """

    age: str
    word: str
    tone: str
    limits: str


def shown_limit(days: int, limits: TimeLimits) -> ShownLimit | None:
    """Nothing for a stage without limits."""
    standing = limits.standing(days)
    if standing is None:
        return None
    word, tone = {
        "on_time": ("", "good"),
        "over_target": (gettext("over target"), "warn"),
        "warning": (gettext("warning"), "warn"),
        "breach": (gettext("limit broken"), "bad"),
    }[standing]
    if limits.target_days is None:
        age = ngettext("%(num)d day", "%(num)d days", days)
    else:
        age = gettext("day %(age)s of %(days)s", age=days, days=limits.target_days)
    return ShownLimit(age, word, tone, limits_line(limits))


def standing_words() -> dict[str, str]:
    """What a filter asks for, in the order of what passes."""
    return {
        "on_time": gettext("on time"),
        "over_target": gettext("over the target"),
        "warning": gettext("past the warning"),
        "breach": gettext("past the limit"),
    }


def limits_line(limits: TimeLimits) -> str:
    """“target 5 days · warning after 8 days · limit 12 days”; empty where nothing is set."""
    parts = []
    if limits.target_days is not None:
        parts.append(ngettext("target %(num)s day", "target %(num)s days", limits.target_days))
    if limits.warning_days is not None:
        days = limits.warning_days
        parts.append(ngettext("warning after %(num)s day", "warning after %(num)s days", days))
    if limits.breach_days is not None:
        parts.append(ngettext("limit %(num)s day", "limit %(num)s days", limits.breach_days))
    return " · ".join(parts)


def limits_of(live: Pipeline | None, stage: Stage) -> TimeLimits:
    """The limits of a stage as its process stands now, whatever version a record is on; those of a stage
    that is gone are of its own version."""
    now = live.by_key.get(stage.key) if live is not None else None
    return (now or stage).limits if stage.is_open else NO_LIMITS
