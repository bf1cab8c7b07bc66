"""What a member owns: records by object (S117)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.metadata.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Holding:
    """Records of one object that a member owns; ``open_count``: those that are under way in a process."""

    object_key: str
    count: int
    open_count: int


def owned_objects(catalog: Catalog) -> list[str]:
    """Objects whose records have an owner, in the order of the menu."""
    return [key for key in catalog.objects if key not in catalog.open_objects]


def holdings(session: WorkspaceSession, catalog: Catalog, member_id: int) -> tuple[Holding, ...]:
    """Whatever their visibility, without the recycle bin; one statement, read from the index by owner."""
    keys = owned_objects(catalog)
    rows = session.execute(
        select(Record.object_key, func.count(), func.count().filter(Record.outcome == "open"))
        .where(Record.object_key.in_(keys), Record.owner_id == member_id, Record.deleted_at.is_(None))
        .group_by(Record.object_key)
    )
    found = [Holding(*row) for row in rows]
    return tuple(sorted(found, key=lambda each: keys.index(each.object_key)))


def some_held(
    session: WorkspaceSession, object_key: str, member_id: int, after: int, limit: int
) -> Sequence[tuple[int, int]]:
    """(id, revision) of the next records of an object that a member owns, by id."""
    rows = session.execute(
        select(Record.id, Record.revision)
        .where(
            Record.object_key == object_key,
            Record.owner_id == member_id,
            Record.deleted_at.is_(None),
            Record.id > after,
        )
        .order_by(Record.id)
        .limit(limit)
    )
    return [(row.id, row.revision) for row in rows]
