"""Deleted records that an actor may see, the latest deletion first; those that were merged are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.queries.visibility import visible

SHOWN = 200


@dataclass(frozen=True, slots=True)
class DeletedRecord:
    """``deleted_by_name`` is ``''`` when the product itself deleted it."""

    id: int
    object_key: str
    name: str
    number: str | None
    revision: int
    owner_name: str
    deleted_at: datetime
    deleted_by_name: str


def deleted_records(session: WorkspaceSession, actor: Actor) -> tuple[DeletedRecord, ...]:
    """The latest ``SHOWN`` deleted records; one statement."""
    owner: Any = aliased(Member)
    deleter: Any = aliased(Member)
    seen = visible(actor, None)
    statement = (
        select(
            Record.id,
            Record.object_key,
            Record.name,
            Record.number,
            Record.revision,
            func.coalesce(owner.name, ""),
            Record.deleted_at,
            func.coalesce(deleter.name, ""),
        )
        .select_from(Record)
        .outerjoin(owner, owner.id == Record.owner_id)
        .outerjoin(deleter, deleter.id == Record.deleted_by)
        .where(
            Record.deleted_at.is_not(None),
            Record.merged_into_id.is_(None),
            Record.erased_at.is_(None),
            *(() if seen is None else (seen,)),
        )
        .order_by(Record.deleted_at.desc(), Record.id.desc())
        .limit(SHOWN)
    )
    return tuple(DeletedRecord(*row) for row in session.execute(statement))
