"""A person's own open records: what the first page of the workspace shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, literal, select, union_all

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
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
    session: WorkspaceSession, member_id: int, pipeline_keys: Sequence[str], today: date
) -> tuple[OwnWork, ...]:
    """The member's open records by pipeline, in the order of ``pipeline_keys``; two statements."""
    if not pipeline_keys:
        return ()
    sources = [_own(member_id, key) for key in pipeline_keys]
    overdue = Record.expected_close_on < today
    counts = session.execute(
        select(
            *(_count(source) for source in sources), *(_count(source.where(overdue)) for source in sources)
        )
    ).one()
    parts = []
    for place, source in enumerate(sources):
        for is_rest, late in enumerate((True, False)):
            condition = overdue if late else func.coalesce(Record.expected_close_on >= today, True)
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
        by_pipeline.setdefault(row[WIDTH] // 2, []).append(row_of(row))
    many = len(sources)
    return tuple(
        OwnWork(key, tuple(by_pipeline.get(place, ())[:EACH]), counts[place], counts[many + place])
        for place, key in enumerate(pipeline_keys)
    )


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
