"""How many records each object has, for the overview of objects in the Studio."""

from __future__ import annotations

from sqlalchemy import func, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession


def record_counts(session: WorkspaceSession) -> dict[str, int]:
    """Object key → records that are not deleted; one grouped statement over an index."""
    rows = session.execute(
        select(Record.object_key, func.count()).where(Record.deleted_at.is_(None)).group_by(Record.object_key)
    )
    return {key: int(count) for key, count in rows}
