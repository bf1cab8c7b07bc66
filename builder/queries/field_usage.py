"""How a field of an object is filled: by how many records, how many with a filler, and when last (B20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.queries.veils import as_seen
from builder.queries.visibility import visible

MOST_RECORDS = 2000
PLACEHOLDERS = (
    "-", "--", "—", ".", "/", "?", "x", "xx", "xxx", "n/a", "na", "none", "null", "tbd", "todo", "test",
    "unknown",    "无", "没有", "不详", "未知", "待定", "测试", "暂无",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldUsage:
    """Of the ``looked_at`` records changed last, ``filled`` hold a value, ``placeholders`` a filler;
    ``last_at``: when one that holds a value was last changed.
    """

    looked_at: int
    filled: int
    placeholders: int
    last_at: datetime | None

    @property
    def percent(self) -> int:
        return round(100 * self.filled / self.looked_at) if self.looked_at else 0


def field_usage(session: WorkspaceSession, object_key: str, field_key: str) -> FieldUsage:
    """One statement over the latest ``MOST_RECORDS`` records that are not deleted."""
    newest = (
        select(Record.data, Record.updated_at)
        .where(Record.object_key == object_key, Record.deleted_at.is_(None))
        .order_by(Record.updated_at.desc(), Record.id.desc())
        .limit(MOST_RECORDS)
        .subquery()
    )
    value = newest.c.data[field_key].as_string()
    is_filler = func.lower(value).in_(PLACEHOLDERS)
    row = session.execute(
        select(
            func.count(),
            func.count(value),
            func.sum(case((is_filler, 1), else_=0)),
            func.max(case((value.is_not(None), newest.c.updated_at))),
        )
    ).one()
    return FieldUsage(row[0], row[1], int(row[2] or 0), row[3])


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
