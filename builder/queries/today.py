"""A person's own open records: what the first page of the workspace shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import false, func, literal, select, true, union_all

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline
from builder.queries.row import ROWS, WIDTH, RecordRow, row_of

EACH = 8
COUNT_CAP = 1000


@dataclass(frozen=True)
class OwnWork:
    """Open records of one pipeline. ``rows``: those overdue first, then the longest in their stage.

    ``count`` and ``overdue`` (expected close passed) count all of them, up to ``COUNT_CAP``.
    """

    pipeline_key: str
    rows: tuple[RecordRow, ...]
    count: int
    overdue: int


def own_work(
    session: WorkspaceSession, actor: Actor, pipelines: Sequence[Pipeline], today: date
) -> tuple[OwnWork, ...]:
    """The actor's open records by pipeline, in the order of ``pipelines``; two statements.

    Nothing is overdue for whom the expected close is hidden.
    """
    if not pipelines:
        return ()
    sources = [_own(actor.member_id, pipeline.key) for pipeline in pipelines]
    lateness = [_lateness(actor, pipeline, today) for pipeline in pipelines]
    late_ones = (source.where(overdue) for source, (overdue, _) in zip(sources, lateness, strict=True))
    counts = session.execute(
        select(*(_count(source) for source in sources), *(_count(source) for source in late_ones))
    ).one()
    parts = []
    for place, source in enumerate(sources):
        for is_rest, condition in enumerate(lateness[place]):
            part = source.where(condition).order_by(Record.stage_entered_at, Record.id).limit(EACH).subquery()
            parts.append(select(part.c.id, literal(place * 2 + is_rest).label("place")))
    found = union_all(*parts).subquery()
    statement = (
        ROWS.add_columns(found.c.place)
        .join(found, found.c.id == Record.id)
        .order_by(found.c.place, Record.stage_entered_at, Record.id)
    )
    by_pipeline: dict[int, list[RecordRow]] = {}
    for row in session.execute(statement):
        by_pipeline.setdefault(row[WIDTH] // 2, []).append(row_of(row, actor))
    many = len(sources)
    return tuple(
        OwnWork(pipeline.key, tuple(by_pipeline.get(place, ())[:EACH]), counts[place], counts[many + place])
        for place, pipeline in enumerate(pipelines)
    )


def _lateness(actor: Actor, pipeline: Pipeline, today: date) -> tuple[Any, Any]:
    """The clauses of records whose expected close has passed, and of the others."""
    if actor.hides(pipeline.object_key, "expected_close"):
        return false(), true()
    return Record.expected_close_on < today, func.coalesce(Record.expected_close_on >= today, True)


def tasks_done(session: WorkspaceSession, record_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
    """The ticked tasks of the present stays of records, by record; one statement, none for no records."""
    if not record_ids:
        return {}
    rows = session.execute(
        select(StayRow.record_id, StayRow.tasks_done).where(
            StayRow.record_id.in_(record_ids), StayRow.left_via.is_(None)
        )
    )
    return {record_id: frozenset(done or {}) for record_id, done in rows}


def _own(member_id: int, pipeline_key: str) -> Any:
    return select(Record.id.label("id")).where(
        Record.pipeline_key == pipeline_key,
        Record.owner_id == member_id,
        Record.outcome == "open",
        Record.deleted_at.is_(None),
    )


def _count(source: Any) -> Any:
    return select(func.count()).select_from(source.limit(COUNT_CAP).subquery()).scalar_subquery()
