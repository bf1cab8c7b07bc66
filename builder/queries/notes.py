"""Notes as timelines show them, and the notices of a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from builder.db.notes import Note, Notice
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import NotFound
from builder.queries.visibility import visible

SHOWN = 100


@dataclass(frozen=True, slots=True)
class NoteView:
    """One note; ``files`` as ``services.files.facts``. A removed one has neither text nor files."""

    id: int
    record_id: int
    author_id: int | None
    text: str
    files: Sequence[Mapping[str, Any]]
    revision: int
    edited_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice about a record that its reader sees; ``text`` is that of the note, ``''`` without one."""

    id: int
    kind: str
    record_id: int
    record_name: str
    object_key: str
    actor_name: str
    text: str
    created_at: datetime
    read_at: datetime | None


_NOTE = (
    *(Note.id, Note.record_id, Note.author_id, Note.text, Note.files),
    *(Note.revision, Note.edited_at, Note.deleted_at),
)


def notes_by_id(session: WorkspaceSession, ids: Iterable[int]) -> dict[int, NoteView]:
    """Notes by id, removed ones too; the caller has opened their record. One statement, none for no ids."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = session.execute(select(*_NOTE).where(Note.id.in_(wanted)))
    return {row.id: NoteView(*row) for row in rows}


def get_note(session: WorkspaceSession, note_id: int) -> NoteView:
    """A note that was not removed; the caller asks whether its record may be seen. Errors: NotFound."""
    row = session.execute(select(*_NOTE).where(Note.id == note_id, Note.deleted_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound()
    return NoteView(*row)


def notices_of(session: WorkspaceSession, actor: Actor) -> tuple[NoticeView, ...]:
    """The latest ``SHOWN`` notices of the actor about records that they still see; one statement."""
    author: Any = aliased(Member)
    seen = visible(actor, None)
    statement = (
        select(
            Notice.id,
            Notice.kind,
            Notice.record_id,
            Record.name,
            Record.object_key,
            func.coalesce(author.name, ""),
            func.coalesce(Note.text, ""),
            Notice.created_at,
            Notice.read_at,
        )
        .join(Record, Record.id == Notice.record_id)
        .outerjoin(author, author.id == Notice.actor_id)
        .outerjoin(Note, Note.id == Notice.note_id)
        .where(
            Notice.member_id == actor.member_id,
            Record.deleted_at.is_(None),
            *(() if seen is None else (seen,)),
        )
        .order_by(Notice.id.desc())
        .limit(SHOWN)
    )
    return tuple(NoticeView(*row) for row in session.execute(statement))


def get_notice(session: WorkspaceSession, actor: Actor, notice_id: int) -> int:
    """The record that a notice of the actor is about. Errors: NotFound."""
    statement = select(Notice.record_id).where(Notice.id == notice_id, Notice.member_id == actor.member_id)
    record_id = session.scalar(statement)
    if record_id is None:
        raise NotFound()
    return record_id


def newest_notice(session: WorkspaceSession, actor: Actor) -> int:
    """The id of the actor's latest notice, also about what they do not see any more; 0 without one."""
    return session.scalar(select(func.max(Notice.id)).where(Notice.member_id == actor.member_id)) or 0
