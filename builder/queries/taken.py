"""A record taken for a write: read under its lock, together with its stays and the workspace's stamp.

Three statements in one. The workspace is locked (shared) before the record, as ``UnitOfWork.begin`` does it:
whoever has a workspace alone may want any of its records. A statement that has waited for a lock on
PostgreSQL sees the locked rows anew but those beside them as they were; so the record stands in it twice,
locked and as it was, and only when both are one version do the stays beside it count: no stay changes without
the row of its record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select, text, true

from builder.db.ledger import StayRow
from builder.db.people import Workspace
from builder.db.records import Record
from builder.db.tenancy import ScopedStatement, WorkspaceSession, scoped

_TAKEN, _SEEN = "taken", "seen"
_RECORD = tuple(Record.__table__.c.keys())
_STAY = tuple(StayRow.__table__.c.keys())


@dataclass(frozen=True, slots=True)
class TakenRecord:
    """``stamp``: of the definitions in force. ``record`` and ``stays``: columns by name, stays in order."""

    stamp: int
    record: Mapping[str, Any]
    stays: Sequence[Mapping[str, Any]]


def take_record(session: WorkspaceSession, record_id: int) -> TakenRecord | None:
    """Lock and read a record in a transaction that was begun for writing. One statement.

    ``None`` when there is no such record, or when somebody changed it while its lock was waited for.
    """
    rows = session.run(_statement(session.get_bind().dialect.name), record_id=record_id).all()
    if not rows:
        return None
    first: tuple[Any, ...] = tuple(rows[0])
    stamp, is_same = first[:2]
    if not is_same:
        return None
    end = 2 + len(_RECORD)
    stays = [dict(zip(_STAY, row[end:], strict=True)) for row in rows]
    return TakenRecord(
        stamp,
        dict(zip(_RECORD, first[2:end], strict=True)),
        [stay for stay in stays if stay["id"] is not None],
    )


@cache
def _statement(dialect: str) -> ScopedStatement:
    workspace, stay = Workspace.__table__, StayRow.__table__
    taken, seen = Record.__table__.alias(_TAKEN), Record.__table__.alias(_SEEN)
    is_first = or_(stay.c.id.is_(None), stay.c.sequence == 0)
    of_record = and_(stay.c.workspace_id == taken.c.workspace_id, stay.c.record_id == taken.c.id)
    # A record is wide, so it comes with its first stay only.
    as_it_was = and_(seen.c.workspace_id == taken.c.workspace_id, seen.c.id == taken.c.id, is_first)
    statement = (
        select(workspace.c.definitions_stamp, _is_one_version(dialect, seen.c.id), *seen.c, *stay.c)
        .select_from(
            workspace.join(taken, taken.c.workspace_id == workspace.c.id)
            .outerjoin(stay, of_record)
            .outerjoin(seen, as_it_was)
        )
        .where(taken.c.id == bindparam("record_id"))
        .order_by(func.coalesce(stay.c.sequence, 0))
        .suffix_with(text(f"FOR KEY SHARE OF workspace FOR UPDATE OF {_TAKEN}"), dialect="postgresql")
    )
    return scoped(statement)


def _is_one_version(dialect: str, seen_id: ColumnElement[int]) -> ColumnElement[Any]:
    """On PostgreSQL whether the row that was locked is the one that was seen; SQLite has one writer."""
    if dialect == "postgresql":
        return literal_column(f"{_TAKEN}.xmin = {_SEEN}.xmin")
    return seen_id.is_not(None) & true()
