"""A person's own open records: what the first page of the workspace shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import and_, false, func, literal, literal_column, not_, select, union_all

from builder.db.conditions_sql import compile_condition
from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Comparison
from builder.domain.kinds import TIME_LIMIT
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline
from builder.queries.row import ROWS, WIDTH, RecordRow, row_of

EACH = 8
_RANKS = 3
PAST_LIMITS = Comparison(TIME_LIMIT, "in", ("warning", "breach"))
COUNT_CAP = 1000


@dataclass(frozen=True)
class OwnWork:
    """Open records of one pipeline. ``rows``: those overdue first, then those past a limit of their stage,
    then the longest in their stage.

    ``count``, ``overdue`` (expected close passed) and ``strained`` (past the warning or the limit of their
    stage) count all of them, up to ``COUNT_CAP``.
    """

    pipeline_key: str
    rows: tuple[RecordRow, ...]
    count: int
    overdue: int
    strained: int


def own_work(
    session: WorkspaceSession, actor: Actor, pipelines: Sequence[Pipeline], context: EvaluationContext
) -> tuple[OwnWork, ...]:
    """The actor's open records by pipeline, in the order of ``pipelines``; two statements.

    Nothing is overdue for whom the expected close is hidden.
    """
    if not pipelines:
        return ()
    sources = [_own(actor.member_id, pipeline.key) for pipeline in pipelines]
    late = [_overdue(actor, pipeline, context.today) for pipeline in pipelines]
    strained = [_strained(pipeline, context) for pipeline in pipelines]
    counted = [
        *sources,
        *(
            source.where(clause)
            for clauses in (late, strained)
            for source, clause in zip(sources, clauses, strict=True)
        ),
    ]
    counts = session.execute(select(*map(_count, counted))).one()
    parts = []
    for place, source in enumerate(sources):
        for rank, condition in enumerate(_ranks(late[place], strained[place])):
            part = source.where(condition).order_by(Record.stage_entered_at, Record.id).limit(EACH).subquery()
            parts.append(select(part.c.id, literal(place * _RANKS + rank).label("place")))
    found = union_all(*parts).subquery()
    statement = (
        ROWS.add_columns(found.c.place)
        .join(found, found.c.id == Record.id)
        .order_by(found.c.place, Record.stage_entered_at, Record.id)
    )
    by_pipeline: dict[int, list[RecordRow]] = {}
    for row in session.execute(statement):
        by_pipeline.setdefault(row[WIDTH] // _RANKS, []).append(row_of(row, actor))
    many = len(sources)
    return tuple(
        OwnWork(
            pipeline.key,
            tuple(by_pipeline.get(place, ())[:EACH]),
            counts[place],
            counts[many + place],
            counts[2 * many + place],
        )
        for place, pipeline in enumerate(pipelines)
    )


def _overdue(actor: Actor, pipeline: Pipeline, today: date) -> Any:
    """The clause of records whose expected close has passed."""
    if actor.hides(pipeline.object_key, "expected_close"):
        return false()
    return and_(Record.expected_close_on.is_not(None), Record.expected_close_on < today)


def _strained(pipeline: Pipeline, context: EvaluationContext) -> Any:
    """The clause of records past the warning or the limit of their stage (B13)."""
    own = {place: each for place, each in (context.limits or {}).items() if place[0] == pipeline.key}
    return compile_condition(PAST_LIMITS, {}, replace(context, limits=own)) if own else false()


def _ranks(late: Any, strained: Any) -> tuple[Any, ...]:
    """What comes first, second and last; each record is in one."""
    return late, and_(not_(late), strained), and_(not_(late), not_(strained))


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
        # spelled out: no database takes a partial index for a value that it is told later
        Record.outcome == literal_column("'open'"),
        Record.deleted_at.is_(None),
    )


def _count(source: Any) -> Any:
    return select(func.count()).select_from(source.limit(COUNT_CAP).subquery()).scalar_subquery()
