"""What a record was converted into (S26), also where that lies in the recycle bin or was merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession


@dataclass(frozen=True, slots=True)
class Successor:
    """A record that a conversion made, or the one that it was merged into; ``is_live``: not in the bin."""

    id: int
    name: str
    is_live: bool


def successors_of(session: WorkspaceSession, record_id: int, object_key: str) -> tuple[Successor, ...]:
    """The records of an object that were made from a record, the newest first; one statement.

    Whoever sees a record is told what it was converted into, so nobody's sight is asked.
    """
    survivor: Any = aliased(Record)
    rows = session.execute(
        select(Record.id, Record.name, Record.deleted_at, survivor.id, survivor.name, survivor.deleted_at)
        .outerjoin(survivor, survivor.id == Record.merged_into_id)
        .where(Record.converted_from_id == record_id, Record.object_key == object_key)
        .order_by(Record.id.desc())
    )
    return tuple(
        Successor(own_id, own_name, own_gone is None)
        if other_id is None
        else Successor(other_id, other_name, other_gone is None)
        for own_id, own_name, own_gone, other_id, other_name, other_gone in rows
    )
