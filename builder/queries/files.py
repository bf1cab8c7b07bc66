"""One file of a record, for whoever sees the record: asked at each download."""

from __future__ import annotations

from sqlalchemy import select

from builder.db.imports import StoredFile
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import N_, NotFound
from builder.queries.record import find_record

RECORD = "record"
GONE = N_("This file is no longer stored.")


def readable_file(session: WorkspaceSession, actor: Actor, file_id: int) -> StoredFile:
    """The file when the actor sees the record that it belongs to; one that is not attached yet is its
    bringer's. Files of deleted records are read from the recycle bin by nobody.

    Errors: NotFound, the same for what is not there and for what one may not see.
    """
    file = session.scalars(
        select(StoredFile).where(StoredFile.id == file_id, StoredFile.purpose == RECORD)
    ).one_or_none()
    if file is None:
        raise NotFound(GONE)
    if file.record_id is None:
        is_readable = bool(actor.member_id) and file.created_by == actor.member_id
    else:
        is_readable = find_record(session, actor, file.record_id) is not None
    if not is_readable:
        raise NotFound(GONE)
    return file
