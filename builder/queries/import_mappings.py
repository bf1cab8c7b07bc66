"""Mappings of columns that were kept under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from builder.db.imports import ImportMapping
from builder.db.people import Member
from builder.db.tenancy import WorkspaceSession


@dataclass(frozen=True)
class MappingRow:
    """One mapping as lists show it; ``columns`` are the headers that it was made for."""

    id: int
    object_key: str
    name: str
    columns: tuple[str, ...]
    columns_key: str
    revision: int
    creator: str | None
    updated_at: datetime


def mappings(session: WorkspaceSession, object_key: str | None = None) -> list[MappingRow]:
    """All mappings of the workspace or of one object, by name."""
    statement = select(ImportMapping, Member.name.label("creator")).join(
        Member, Member.id == ImportMapping.created_by, isouter=True
    )
    if object_key is not None:
        statement = statement.where(ImportMapping.object_key == object_key)
    rows = session.execute(statement).all()
    found = [
        MappingRow(
            row.ImportMapping.id,
            row.ImportMapping.object_key,
            row.ImportMapping.name,
            tuple(row.ImportMapping.columns),
            row.ImportMapping.columns_key,
            row.ImportMapping.revision,
            row.creator,
            row.ImportMapping.updated_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (row.name.casefold(), row.id))
