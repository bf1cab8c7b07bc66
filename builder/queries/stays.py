"""Time in stage and directly-follows of a pipeline, from the ledger (M11 of completed stays, M13 by step).

A stay counts here when it ended, was not void and both its times are known; running ones are counted beside.
With a period: stays that began in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.pipeline import Pipeline
from builder.queries.population import Population, clauses


@dataclass(frozen=True, slots=True)
class StageTime:
    """Completed stays of one stage: how many, mean and median in seconds (``None`` without any); and how
    many stays there are at all, and run now."""

    stage_key: str
    n: int
    mean_seconds: float | None
    median_seconds: float | None
    entered: int
    running: int


@dataclass(frozen=True, slots=True)
class Follows:
    """Stays of ``source`` that ended by going to ``target``: how many, and the mean of those with times."""

    source: str
    target: str
    n: int
    mean_seconds: float | None


@dataclass(frozen=True)
class StayReport:
    stages: tuple[StageTime, ...]
    follows: tuple[Follows, ...]


def stay_report(session: WorkspaceSession, population: Population, pipeline: Pipeline) -> StayReport:
    """Three statements: counts and means, medians, transitions. Stages in pipeline order, transitions by
    size."""
    where = and_(
        StayRow.pipeline_key == pipeline.key,
        StayRow.left_via.is_distinct_from("void"),
        clauses(population.only(pipeline.key), is_there_now=False),
        *_begun_in(population),
    )
    medians = {key: float(value) for key, value in session.execute(_medians(where))}
    counted: dict[str, Any] = {row[0]: row for row in session.execute(_counts(where))}
    order: Sequence[str] = [stage.key for stage in pipeline.stages]
    keys = [*order, *sorted(set(counted) - set(order))]
    stages = []
    for key in keys:
        _, entered, ended, n, mean = counted.get(key, (key, 0, 0, 0, None))
        median = medians.get(key)
        stages.append(StageTime(key, int(n), _number(mean), median, int(entered), int(entered) - int(ended)))
    follows = [
        Follows(source, target, int(n), _number(mean))
        for source, target, n, mean in session.execute(_transitions(where))
    ]
    follows.sort(key=lambda item: (-item.n, item.source, item.target))
    return StayReport(tuple(stages), tuple(follows))


def _begun_in(population: Population) -> list[ColumnElement[bool]]:
    start, end = population.edges
    parts = [] if start is None else [StayRow.entered_at >= start]
    return parts if end is None else [*parts, StayRow.entered_at < end]


def _counts(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            StayRow.stage_key,
            func.count(),
            func.count(StayRow.left_via),
            func.count(StayRow.seconds),
            func.avg(StayRow.seconds),
        )
        .join(Record, and_(Record.workspace_id == StayRow.workspace_id, Record.id == StayRow.record_id))
        .where(where)
        .group_by(StayRow.stage_key)
    )


def _transitions(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(StayRow.stage_key, StayRow.next_stage_key, func.count(), func.avg(StayRow.seconds))
        .join(Record, and_(Record.workspace_id == StayRow.workspace_id, Record.id == StayRow.record_id))
        .where(where, StayRow.next_stage_key.is_not(None))
        .group_by(StayRow.stage_key, StayRow.next_stage_key)
    )


def _medians(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Per stage: the mean of the middle one or two lengths."""
    place = func.row_number().over(partition_by=StayRow.stage_key, order_by=StayRow.seconds)
    placed = (
        select(
            StayRow.stage_key.label("stage_key"),
            StayRow.seconds.label("seconds"),
            place.label("place"),
            func.count().over(partition_by=StayRow.stage_key).label("n"),
        )
        .join(Record, and_(Record.workspace_id == StayRow.workspace_id, Record.id == StayRow.record_id))
        .where(where, StayRow.seconds.is_not(None))
        .subquery()
    )
    return (
        select(placed.c.stage_key, func.avg(placed.c.seconds))
        .where(placed.c.place.in_([(placed.c.n + 1) // 2, (placed.c.n + 2) // 2]))
        .group_by(placed.c.stage_key)
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
