"""One visit of a record to a stage: the stay, the row that every figure is counted from (head of metrics.md).

Terminal stages are stages too: closing opens a last stay, reopening ends it. An unknown time is ``None``
(brought-in history may have none); *still there* is told from *unknown when it left* by ``left_via``.

What is made once a visit is a named tuple: a frozen dataclass of so many fields takes five times as long to
make, and histories are loaded by the hundred thousand visits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from builder.domain.pipeline import Pipeline, Stage, StageKind

EnteredVia: TypeAlias = Literal[
    "create", "convert", "advance", "back", "repeat", "reopen", "load", "pipeline_change", "migrate"
]
LeftVia: TypeAlias = Literal[
    "advance", "back", "repeat", "won", "lost", "invalid", "pipeline_change", "migrate", "void"
]

# The ways out that the identity of M1 adds up; *void* stays are removed from both of its sides.
COUNTED_EXITS: tuple[LeftVia, ...] = (
    "advance",
    "back",
    "repeat",
    "won",
    "lost",
    "invalid",
    "pipeline_change",
    "migrate",
)


class EntryFacts(NamedTuple):
    """What is remembered of the record at the moment it entered the stage.

    ``amount_minor`` is in minor units of ``currency``; ``rate`` converts the currency into the
    workspace's on that day; ``probability`` is in percent, 0–100.
    """

    owner_id: int | None = None
    department_id: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    rate: Decimal | None = None
    probability: int | None = None


NO_FACTS = EntryFacts()


class Stay(NamedTuple):
    """One visit. ``seconds`` is the elapsed time, stored once the stay ended and both times are known.

    ``position`` is the stage's place in the order at that time, ``skipped`` the keys of the open stages
    that the entering move jumped over, in order.
    """

    pipeline_key: str
    stage_key: str
    position: int
    kind: StageKind
    entered_at: datetime | None
    entered_via: EnteredVia
    left_at: datetime | None = None
    left_via: LeftVia | None = None
    seconds: float | None = None
    owner_id: int | None = None
    department_id: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    rate: Decimal | None = None
    probability: int | None = None
    skipped: tuple[str, ...] = ()

    @property
    def is_running(self) -> bool:
        """Still there: no way out yet, whether or not the time of entry is known."""
        return self.left_via is None

    @property
    def is_void(self) -> bool:
        """Taken back as a mistake: counts nowhere."""
        return self.left_via == "void"


class LoggedEntry(NamedTuple):
    """One line of a history from another system: the record entered ``stage_key`` at ``at`` (or when?)."""

    stage_key: str
    at: datetime | None = None
    facts: EntryFacts = NO_FACTS


def open_stay(
    pipeline: Pipeline,
    stage: Stage,
    at: datetime | None,
    via: EnteredVia,
    facts: EntryFacts = NO_FACTS,
    skipped: tuple[str, ...] = (),
) -> Stay:
    """Begin a visit to ``stage``. ValueError when ``at`` carries no time zone."""
    return Stay(
        pipeline_key=pipeline.key,
        stage_key=stage.key,
        position=stage.position,
        kind=stage.kind,
        entered_at=_in_utc(at),
        entered_via=via,
        owner_id=facts.owner_id,
        department_id=facts.department_id,
        amount_minor=facts.amount_minor,
        currency=facts.currency,
        rate=facts.rate,
        probability=facts.probability,
        skipped=skipped,
    )


def close_stay(stay: Stay, at: datetime | None, via: LeftVia) -> Stay:
    """End a running visit. ValueError when it has ended already or would end before it began."""
    if not stay.is_running:
        raise ValueError(f"the stay in {stay.stage_key} has ended already ({stay.left_via})")
    left_at = _in_utc(at)
    if stay.entered_at is not None and left_at is not None and left_at < stay.entered_at:
        raise ValueError(f"the stay in {stay.stage_key} cannot end before it began")
    return stay._replace(left_at=left_at, left_via=via, seconds=elapsed_seconds(stay.entered_at, left_at))


def elapsed_seconds(entered_at: datetime | None, left_at: datetime | None) -> float | None:
    """Elapsed (not working) seconds with their microseconds; ``None`` when either time is unknown."""
    if entered_at is None or left_at is None:
        return None
    return (left_at - entered_at).total_seconds()


def way_out(source: Stage, target: Stage) -> Literal["advance", "back", "repeat", "won", "lost", "invalid"]:
    """How a stay in ``source`` ends when the record goes to ``target`` (``left_via``).

    1. The same stage again: *repeat*. 2. A terminal stage: its kind. 3. From a terminal stage back
    into the path: *back*. 4. By the order of the stages: *advance* or *back*.
    """
    if source.key == target.key:
        return "repeat"
    if target.kind != "open":
        return target.kind
    if source.kind != "open":
        return "back"
    return "advance" if target.position > source.position else "back"


def way_in(source: Stage, target: Stage) -> Literal["advance", "back", "repeat", "reopen"]:
    """How the stay in ``target`` begins (``entered_via``) when the record comes from ``source``.

    Closing is an *advance* (the kind of closing is the other stay's ``left_via``); leaving a terminal
    stage for an open one is a *reopen*.
    """
    if source.key == target.key:
        return "repeat"
    if target.kind != "open":
        return "advance"
    if source.kind != "open":
        return "reopen"
    return "advance" if target.position > source.position else "back"


def skipped_between(pipeline: Pipeline, source: Stage, target: Stage) -> tuple[str, ...]:
    """Keys of the open stages jumped over by an advance or by winning; losing skips nothing (M1)."""
    if not source.is_open or target.kind in ("lost", "invalid"):
        return ()
    if target.kind == "open" and target.position <= source.position + 1:
        return ()
    return tuple(
        stage.key
        for stage in pipeline.open_stages
        if stage.position > source.position and (target.kind == "won" or stage.position < target.position)
    )


def in_log_order(entries: Sequence[LoggedEntry]) -> tuple[LoggedEntry, ...]:
    """Order one record's history by time; ties follow the file.

    An entry without a time stays right behind the one before it in the file.
    """
    last = datetime.min.replace(tzinfo=UTC)
    moments = [last := _in_utc(entry.at) or last for entry in entries]
    return tuple(entries[place] for place in sorted(range(len(entries)), key=moments.__getitem__))


def stays_from_log(
    pipeline: Pipeline, entries: Sequence[LoggedEntry], *, first_via: EnteredVia = "load"
) -> tuple[Stay, ...]:
    """Make the stays of one record from its history (``load history``, part 9).

    Every entry is a visit that the next one ends: the same stage twice is a *repeat*, and a visit after
    a terminal stage ends the terminal stay, as event logs have it. The last visit is running.
    KeyError when a stage is not in the pipeline.
    """
    ordered = in_log_order(entries)
    stages = [pipeline.by_key[entry.stage_key] for entry in ordered]
    times = [_in_utc(entry.at) for entry in ordered]
    stays: list[Stay] = []
    for index, (entry, stage, entered_at) in enumerate(zip(ordered, stages, times, strict=True)):
        before = stages[index - 1] if index else None
        after = stages[index + 1] if index + 1 < len(stages) else None
        left_at = None if after is None else times[index + 1]
        stays.append(
            Stay(
                pipeline.key,
                stage.key,
                stage.position,
                stage.kind,
                entered_at,
                first_via if before is None else way_in(before, stage),
                left_at,
                None if after is None else way_out(stage, after),
                elapsed_seconds(entered_at, left_at),
                *entry.facts,
                () if before is None else skipped_between(pipeline, before, stage),
            )
        )
    return tuple(stays)


def _in_utc(at: datetime | None) -> datetime | None:
    if at is None or at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)
