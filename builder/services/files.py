"""Files of records: taken in before the record is saved, attached when it is, read by whoever sees it.

A file that was taken in belongs to whoever brought it until a record holds it; from then on it belongs to
that record for good, also when another takes its place, so that the record's history can be opened. What
nobody attached within a day is dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO

from sqlalchemy import delete, or_, select, update

from builder.db.ids import new_id
from builder.db.imports import StoredFile
from builder.domain.fields import FieldDefinition, FieldSet, ObjectDefinition
from builder.domain.moves import FieldViolation
from builder.errors import N_, Conflict, Forbidden, Invalid
from builder.exchange.blobs import BlobStore, blob_key
from builder.exchange.media import media_type
from builder.fieldtypes.file import MEGABYTE, MOST_MEGABYTES, NAME_LENGTH, NO_FILE, File, Image
from builder.fieldtypes.registry import type_of
from builder.services.unit_of_work import UnitOfWork

RECORD = "record"
FILE_TYPES = (File.key, Image.key)
KEPT = timedelta(days=1)
EMPTY = N_("The file is empty.")
NOT_ACCEPTED = N_("A file of this kind (%(kind)s) does not belong here.")
MAY_NOT = N_("Your role may not attach files.")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]+")


@dataclass(frozen=True, slots=True)
class Intake:
    """Which files are taken: up to ``limit`` bytes, of the media types that ``accepts`` says yes to."""

    limit: int = MOST_MEGABYTES * MEGABYTE
    accepts: Callable[[str], bool] = lambda _media_type: True

    @classmethod
    def of(cls, field: FieldDefinition) -> Intake:
        """What a field of type *file* or *image* takes."""
        kind = type_of(field)
        assert isinstance(kind, File)
        return cls(field.params["limit"], partial(kind.accepts, field))


def receive(uow: UnitOfWork, blobs: BlobStore, stream: BinaryIO, name: str, intake: Intake) -> StoredFile:
    """Keep a file that is to belong to some record. The caller commits.

    Errors: Forbidden, Invalid (empty, or of a kind that is not taken here), TooLarge; nothing is kept.
    """
    if not (uow.actor.can("record.create") or uow.actor.can("record.edit")):
        raise Forbidden(MAY_NOT)
    file_id = new_id()
    key = blob_key(uow.workspace.id, file_id)
    stored = blobs.put(key, stream, limit=intake.limit)
    with blobs.open(key) as kept:
        sniffed = media_type(kept)
    if not stored.size or not intake.accepts(sniffed):
        blobs.delete(key)
        raise Invalid(NOT_ACCEPTED, kind=sniffed) if stored.size else Invalid(EMPTY)
    uow.begin()
    _drop_forgotten(uow, blobs)
    file = StoredFile(
        workspace_id=uow.workspace.id,
        id=file_id,
        name=_safe_name(name),
        media_type=sniffed,
        size=stored.size,
        checksum=stored.checksum,
        created_at=uow.clock.now(),
        created_by=uow.actor.member_id or None,
        purpose=RECORD,
    )
    uow.session.add(file)
    uow.session.flush()
    return file


def _safe_name(name: str) -> str:
    """The last part of what the browser sent, without signs that a file system or a header could misread."""
    plain = unicodedata.normalize("NFC", name).encode("utf-8", "replace").decode("utf-8")
    last = _UNSAFE.split(plain)[-1].strip(" .")
    return last[-NAME_LENGTH:] or "file"


def _drop_forgotten(uow: UnitOfWork, blobs: BlobStore) -> None:
    """What the actor brought and never attached."""
    mine = (
        StoredFile.purpose == RECORD,
        StoredFile.record_id.is_(None),
        StoredFile.created_by == (uow.actor.member_id or None),
        StoredFile.created_at < uow.clock.now() - KEPT,
    )
    forgotten = uow.session.scalars(select(StoredFile.id).where(*mine).limit(50)).all()
    if forgotten:
        uow.session.execute(delete(StoredFile).where(StoredFile.id.in_(forgotten)))
    for file_id in forgotten:
        blobs.delete(blob_key(uow.workspace.id, file_id))


def facts(file: StoredFile) -> dict[str, Any]:
    """What a record holds of a file."""
    return {
        "id": str(file.id), "name": file.name, "media_type": file.media_type, "size": file.size,
    }  # fmt: skip


def file_fields(fields: FieldSet) -> tuple[FieldDefinition, ...]:
    return fields.of_type(*FILE_TYPES)


def file_faults(
    uow: UnitOfWork, fields: FieldSet, stored: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[FieldViolation]:
    """Files that are named anew must be the actor's own and free, and be told of as they are."""
    for field in file_fields(fields):
        value = values.get(field.key)
        if not isinstance(value, Mapping) or value == stored.get(field.key):
            continue
        identifier = str(value.get("id", ""))
        file = waiting(uow, int(identifier)) if identifier.isdecimal() and len(identifier) < 19 else None
        intake = Intake.of(field)
        fits = file is not None and intake.accepts(file.media_type) and file.size <= intake.limit
        if file is None or not fits or facts(file) != value:
            yield FieldViolation(field.key, NO_FILE, {}, f"/{field.key}")


def waiting(uow: UnitOfWork, file_id: int) -> StoredFile | None:
    """A file that the actor brought and no record holds yet."""
    return uow.session.scalars(
        select(StoredFile).where(
            StoredFile.id == file_id,
            StoredFile.purpose == RECORD,
            StoredFile.record_id.is_(None),
            StoredFile.created_by == (uow.actor.member_id or None),
        )
    ).one_or_none()


def attach(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    record_id: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Let the files that stand in the values anew belong to the record. Errors: Conflict."""
    for field in file_fields(definition.fields):
        value = after.get(field.key)
        if not isinstance(value, Mapping) or value == before.get(field.key):
            continue
        give(uow, record_id, [int(value["id"])])


def give(uow: UnitOfWork, record_id: int, file_ids: Sequence[int]) -> None:
    """Let files belong to a record. Errors: Conflict when one is another's or no longer there."""
    changed = uow.session.execute(
        update(StoredFile)
        .where(
            StoredFile.id.in_(file_ids),
            StoredFile.purpose == RECORD,
            # Its own file again: somebody undoes a change.
            or_(StoredFile.record_id.is_(None), StoredFile.record_id == record_id),
        )
        .values(record_id=record_id)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != len(file_ids):  # type: ignore[attr-defined]
        raise Conflict(NO_FILE)


def drop(uow: UnitOfWork, file_ids: Sequence[int]) -> list[str]:
    """Forget stored files for good; the keys of their blobs, to be deleted once this is committed."""
    uow.session.execute(delete(StoredFile).where(StoredFile.id.in_(file_ids)))
    return [blob_key(uow.workspace.id, file_id) for file_id in file_ids]
