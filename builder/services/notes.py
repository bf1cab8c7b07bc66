"""Notes on a record: written by whoever works with it, told to those whom they mention (S125)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.db.ids import new_id
from builder.db.notes import Note
from builder.domain.mentions import mentioned
from builder.errors import N_, Forbidden, Invalid, NotFound, Problem, Stale
from builder.queries.people import active_members
from builder.queries.readers import readers_among
from builder.queries.record import get_record
from builder.queries.row import FullRecord
from builder.services import files, notices, postings
from builder.services.unit_of_work import UnitOfWork

LONGEST = 10_000
MOST_FILES = 10
NOT_SAVED = N_("The note was not saved.")
EMPTY = N_("Write something, or attach a file.")
TOO_LONG = N_("A note has at most %(most)s characters; this one has %(count)s.")
UNREADABLE = N_("The note contains characters that cannot be stored.")
TOO_MANY_FILES = N_("A note has at most %(most)s files.")
FILE_GONE = N_("One of the files is no longer stored. Choose it again.")
NOT_YOURS = N_("Only whoever wrote a note may change it.")


@dataclass(frozen=True)
class WriteNote:
    """A new note. ``file_ids``: files that the author brought and nothing holds yet."""

    record_id: int
    text: str
    file_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Written:
    """A note that was written. ``untold``: members whom it mentions and who may not see the record."""

    note_id: int
    record_id: int
    untold: tuple[int, ...] = ()


def write(uow: UnitOfWork, command: WriteNote) -> Written:
    """Write a note and tell those whom it mentions, but the author and those who may not see the record.

    Errors: NotFound, Forbidden, Invalid.
    """
    uow.begin()
    uow.require("record.edit")
    record = get_record(uow.session, uow.actor, command.record_id).record
    text = _checked(command.text, has_files=bool(command.file_ids))
    facts = _files(uow, command.file_ids)
    note_id, now = new_id(), uow.clock.now()
    mentions = mentioned(text, _people(uow))
    note = Note(
        workspace_id=uow.workspace.id,
        id=note_id,
        record_id=record.id,
        author_id=uow.actor.member_id or None,
        text=text,
        mentions=list(mentions),
        files=facts,
        revision=1,
        created_at=now,
    )
    uow.session.add(note)
    uow.session.flush()
    if command.file_ids:
        files.give(uow, record.id, command.file_ids)
    untold = _tell(uow, record, note, mentions)
    _log(uow, "note.written", note, record.object_key, {"after": _facts(note)})
    return Written(note_id, record.id, untold)


def change(uow: UnitOfWork, note_id: int, text: str, revision: int) -> Written:
    """Change the text; only those are told whom it did not mention before.

    Errors: NotFound, Forbidden (another's note), Stale, Invalid.
    """
    uow.begin()
    note, record = _own(uow, note_id)
    if note.author_id != uow.actor.member_id:
        raise Forbidden(NOT_YOURS)
    if note.revision != revision:
        raise Stale()
    before = _facts(note)
    note.text = _checked(text, has_files=bool(note.files))
    earlier = note.mentions
    note.mentions = list(mentioned(note.text, _people(uow)))
    note.revision, note.edited_at = revision + 1, uow.clock.now()
    uow.session.flush()
    untold = _tell(uow, record, note, [member for member in note.mentions if member not in earlier])
    _log(uow, "note.changed", note, record.object_key, {"before": before, "after": _facts(note)})
    return Written(note.id, note.record_id, untold)


def remove(uow: UnitOfWork, note_id: int, revision: int) -> list[str]:
    """Remove a note with its files and what was told of it; the keys of their blobs, to be deleted after the
    commit. Its author may, and whoever may delete records.

    Errors: NotFound, Forbidden, Stale.
    """
    uow.begin()
    note, record = _own(uow, note_id)
    if note.author_id != uow.actor.member_id:
        uow.require("record.delete")
    if note.revision != revision:
        raise Stale()
    before = _facts(note)
    blobs = files.drop(uow, [int(file["id"]) for file in note.files])
    note.text, note.files, note.mentions = "", [], []
    note.revision, note.deleted_at = revision + 1, uow.clock.now()
    uow.session.flush()
    notices.take_back(uow, note.id)
    postings.forget_made(uow, note.id)
    _log(uow, "note.removed", note, record.object_key, {"before": before})
    return blobs


def _own(uow: UnitOfWork, note_id: int) -> tuple[Note, FullRecord]:
    """A note, locked, and its record, which the actor sees. Errors: NotFound."""
    statement = select(Note).where(Note.id == note_id, Note.deleted_at.is_(None)).with_for_update()
    note = uow.session.scalars(statement).one_or_none()
    if note is None:
        raise NotFound()
    return note, get_record(uow.session, uow.actor, note.record_id).record


def _checked(text: str, *, has_files: bool) -> str:
    """The text as it is stored. Errors: Invalid."""
    plain = text.replace("\r\n", "\n").strip()
    problem = None
    if not plain and not has_files:
        problem = Problem(EMPTY, "text")
    elif len(plain) > LONGEST:
        problem = Problem(TOO_LONG, "text", {"most": LONGEST, "count": len(plain)})
    elif "\x00" in plain or any("\ud800" <= character <= "\udfff" for character in plain):
        problem = Problem(UNREADABLE, "text")
    if problem is not None:
        raise Invalid(NOT_SAVED, problems=(problem,))
    return plain


def _files(uow: UnitOfWork, file_ids: Sequence[int]) -> list[dict[str, Any]]:
    if len(file_ids) > MOST_FILES:
        raise Invalid(NOT_SAVED, problems=(Problem(TOO_MANY_FILES, "files", {"most": MOST_FILES}),))
    found = [files.waiting(uow, file_id) for file_id in file_ids]
    kept = [files.facts(file) for file in found if file is not None]
    if len(kept) != len(found):
        raise Invalid(NOT_SAVED, problems=(Problem(FILE_GONE, "files"),))
    return kept


def _people(uow: UnitOfWork) -> list[tuple[int, str]]:
    return [(person.id, person.name) for person in active_members(uow.session)]


def _tell(uow: UnitOfWork, record: FullRecord, note: Note, members: Sequence[int]) -> tuple[int, ...]:
    """Tell those who see the record; who does not is given back."""
    others = [member for member in members if member != uow.actor.member_id]
    today = uow.workspace.day_of(uow.clock.now())
    readers = readers_among(uow.session, uow.catalog, record, others, today)
    told = [member for member in others if member in readers]
    notices.tell(uow, told, notices.MENTION, record.id, note.id)
    return tuple(member for member in others if member not in readers)


def _facts(note: Note) -> dict[str, Any]:
    return {"note.text": note.text, "note.files": [file["name"] for file in note.files]}


def _log(uow: UnitOfWork, kind: str, note: Note, object_key: str, data: Mapping[str, Any]) -> None:
    uow.log(kind, record_id=note.record_id, object_key=object_key, data={"note": str(note.id), **data})
