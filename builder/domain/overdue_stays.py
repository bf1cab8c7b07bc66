"""The time that records stand in their stage as something that conditions ask about (``record.time_limit``).

Its value is the *standing* of ``domain.time_limits``; it is empty for a record that is closed, in no stage,
or in one without limits. Such a comparison is spelled out as one over process, stage and the moment of
entering, which both evaluators know already, so a database needs no row in Python. Limits are those of the
processes as they stand now; a stage that is gone has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, get_args

from builder.domain.time_limits import Standing, TimeLimits

STANDINGS: tuple[Standing, ...] = get_args(Standing)
# The limits of each stage that has any, by process and stage.
StageLimits: TypeAlias = Mapping[tuple[str, str], TimeLimits]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Stages of a process with the instants (ISO) between which a stay in them began: after the first, at the
    second or before it; ``None``: no such bound.
    """

    pipeline: str
    stages: tuple[str, ...]
    after: str | None
    until: str | None


def stretches(wanted: Collection[str], limits: StageLimits, now: datetime) -> Iterator[Stretch]:
    """Where and since when open records stand whose standing is among ``wanted`` at ``now`` (an instant)."""
    alike: dict[tuple[str, TimeLimits], list[str]] = {}
    for (pipeline, stage), each in limits.items():
        alike.setdefault((pipeline, each), []).append(stage)
    for (pipeline, each), stages in alike.items():
        for standing, passed, kept in _days(each):
            if standing in wanted and (passed is None or kept is None or passed < kept):
                yield Stretch(pipeline, tuple(stages), _began(now, kept), _began(now, passed))


def _days(limits: TimeLimits) -> Iterator[tuple[Standing, int | None, int | None]]:
    """Each standing that a stay may have, with the days that it passed and those that it kept."""
    kept: int | None = None
    found: tuple[tuple[Standing, int | None], ...] = (
        ("breach", limits.breach_days),
        ("warning", limits.warning_days),
        ("over_target", limits.target_days),
    )
    for standing, days in found:
        if days is not None:
            yield standing, days, kept
            kept = days if kept is None else min(kept, days)
    yield "on_time", None, kept


def _began(now: datetime, days: int | None) -> str | None:
    """More than n full days have passed exactly when a stay began n + 1 days ago or before."""
    return None if days is None else (now - timedelta(days=days + 1)).isoformat()
