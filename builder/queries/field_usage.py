"""How a field is filled: by how many records or answers, how many of them fillers, when last (B20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Subquery, case, func, select

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.form_cost import FILLERS, Place
from builder.domain.permissions import Actor
from builder.queries.veils import as_seen
from builder.queries.visibility import visible

MOST_RECORDS = 2000
MOST_VISITS = 20_000


@dataclass(frozen=True, slots=True)
class FieldUsage:
    """Of the ``looked_at`` records changed last (of feedback: visits), ``filled`` hold a value, ``fillers``
    one that says nothing; ``last_at``: when one that holds a value was last changed; ``by_stage``: the same
    for the stages in which they stand.
    """

    looked_at: int
    filled: int
    fillers: int
    last_at: datetime | None
    by_stage: Mapping[Place, FieldUsage] = field(default_factory=dict)

    @property
    def percent(self) -> int:
        return round(100 * self.filled / self.looked_at) if self.looked_at else 0


def field_usage(session: WorkspaceSession, kind: str, key: str, field_key: str) -> FieldUsage:
    """One statement over the latest ``MOST_RECORDS`` records, or answers to a form, in groups by stage."""
    newest = _records(key) if kind == "object" else _answers(key)
    value = newest.c.data[field_key].as_string()
    is_filler = func.lower(func.trim(value)).in_(FILLERS)
    rows = session.execute(
        select(
            newest.c.pipeline_key,
            newest.c.stage_key,
            func.count(),
            func.count(value),
            func.sum(case((is_filler, 1), else_=0)),
            func.max(case((value.is_not(None), newest.c.changed_at))),
        ).group_by(newest.c.pipeline_key, newest.c.stage_key)
    ).all()
    by_stage = {
        (row[0] or "", row[1] or ""): FieldUsage(row[2], row[3], int(row[4] or 0), row[5]) for row in rows
    }
    parts = by_stage.values()
    moments = [one.last_at for one in parts if one.last_at is not None]
    return FieldUsage(
        sum(one.looked_at for one in parts),
        sum(one.filled for one in parts),
        sum(one.fillers for one in parts),
        max(moments, default=None),
        by_stage,
    )


def _records(key: str) -> Subquery:
    return (
        select(Record.pipeline_key, Record.stage_key, Record.data, Record.updated_at.label("changed_at"))
        .where(Record.object_key == key, Record.deleted_at.is_(None))
        .order_by(Record.updated_at.desc(), Record.id.desc())
        .limit(MOST_RECORDS)
        .subquery()
    )


def _answers(key: str) -> Subquery:
    """Of the newest visits those that asked for the form."""
    visits = (
        select(
            StayRow.id, StayRow.feedback_key, StayRow.pipeline_key, StayRow.stage_key, StayRow.answers,
            StayRow.recorded_at,
        )
        .where(StayRow.is_loaded.is_(False))
        .order_by(StayRow.id.desc())
        .limit(MOST_VISITS)
        .subquery()
    )  # fmt: skip
    return (
        select(
            visits.c.pipeline_key,
            visits.c.stage_key,
            visits.c.answers.label("data"),
            visits.c.recorded_at.label("changed_at"),
        )
        .where(visits.c.feedback_key == key)
        .order_by(visits.c.id.desc())
        .limit(MOST_RECORDS)
        .subquery()
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that something is tried on, without what the reader's role hides (S118)."""

    id: int
    name: str | None
    data: Mapping[str, Any]
    currency: str | None


def newest_records(
    session: WorkspaceSession, actor: Actor, object_key: str, limit: int = 12
) -> Sequence[Sample]:
    """The records of an object that changed last and that the actor sees."""
    wanted = (
        select(Record.id, Record.name, Record.data, Record.currency)
        .where(Record.object_key == object_key, Record.deleted_at.is_(None))
        .order_by(Record.updated_at.desc(), Record.id.desc())
        .limit(limit)
    )
    clause = visible(actor, (object_key,))
    rows = session.execute(wanted if clause is None else wanted.where(clause))
    return [as_seen(Sample(*row), actor.veils.get(object_key)) for row in rows]
