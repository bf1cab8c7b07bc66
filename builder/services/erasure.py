"""Erasing a person's data on request (S120). It is not undone.

What the record says goes, with its history, notes, files, tokens and shares; files of imports that brought
it and of exports that may hold it go as a whole. Where other records, notes and log entries mention the
person by name, address or number, that is blacked out. What remains is what figures are counted from:
visits to stages, amounts and days, of nobody in particular. A receipt without personal data stands in the
audit log.

Another record that is called exactly so may be another person's: it is not touched, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from builder.db.batches import Batch
from builder.db.duplicates import DuplicatePair
from builder.db.exports import ExportJob
from builder.db.imports import ImportJob, StoredFile
from builder.db.ledger import EventRow, MoveRequestRow, StayRow
from builder.db.notes import Note, Notice
from builder.db.records import Link, Record, RecordShare
from builder.domain.blackout import BAR, Marks
from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Conflict, Invalid, Problem
from builder.exchange.blobs import blob_key
from builder.services.erasure_traces import black_out, holds, mentioning
from builder.services.ledger import Ledger, Standing
from builder.services.notices import recount
from builder.services.numbers import write_numbers
from builder.services.projections import write_links, write_tokens
from builder.services.records import projected_of, put_back, write_record
from builder.services.standings import apply_values, load_standing, load_standings
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

RIGHT = "record.erase"
ERASED = "record.erased"
# By these somebody is known; values of other fields are about them, and go, but are not looked for elsewhere.
_KNOWN_BY = ("email", "phone")
# What figures are counted from, and what tells nothing about a person.
_KEPT_ROLES = (
    "amount", "currency", "expected_close", "probability", "forecast_category", "owner", "account", "source",
)  # fmt: skip
_KEPT_OF_EVENTS = frozenset({"pipeline", "from", "to", "stage", "version", "note", "with", "state"})
_RUNNING = ("queued", "running", "undoing")
NOT_ERASED = N_("Nothing was erased.")
WRONG_NAME = N_("Type the name exactly as it stands above.")
HAS_REQUEST = N_("A move of this record waits for approval. Decide it first.")
IMPORT_RUNS = N_("An import that concerns this record is still running. Wait until it has ended.")
ERASED_BEFORE = N_("The data of this record was erased before.")


@dataclass(frozen=True)
class Holding:
    """What is stored about a person: counts of what goes, and of what stays.

    ``same`` are records of exactly this name, which stay as they are.
    """

    values: int
    events: int
    notes: int
    files: int
    imports: int
    exports: int
    mentions: int
    visits: int
    references: int
    same: tuple[int, ...]
    is_counted: bool


def holding(uow: UnitOfWork, record_id: int) -> Holding:
    """What erasing would take away and leave; writes nothing. Errors: Forbidden, NotFound."""
    uow.require(RIGHT)
    standing = load_standing(uow, record_id)
    return _holding(uow, standing, _with_merged(standing), _marks(uow, standing))


def erase(uow: UnitOfWork, record_id: int, name: str, revision: int) -> list[str]:
    """Erase; the keys of blobs to be deleted once this is committed. The caller commits.

    Errors: Forbidden, NotFound, Stale, Invalid (the name is not typed as it is), Conflict.
    """
    uow.begin()
    uow.require(RIGHT)
    standing = load_standing(uow, record_id, revision)
    if standing.record["erased_at"] is not None:
        raise Conflict(ERASED_BEFORE)
    if " ".join(name.split()) != " ".join(standing.record["name"].split()):
        raise Invalid(NOT_ERASED, problems=(Problem(WRONG_NAME, "name"),))
    ids = _with_merged(standing)
    _refuse_waiting(uow, ids)
    marks = _marks(uow, standing)
    found = _holding(uow, standing, ids, marks)
    blobs = _drop_files(uow, ids)
    for one in ids:
        _empty(uow, standing if one == record_id else _binned(uow, one))
    _clear_rows(uow, ids)
    _black_out_records(uow, marks, set(ids))
    uow.flush()
    _clear_events(uow, ids)
    black_out(uow, marks)
    uow.log(
        ERASED,
        record_id=record_id,
        object_key=standing.record["object_key"],
        data={"after": receipt(found)},
    )
    uow.flush()
    return blobs


def receipt(found: Holding) -> dict[str, int]:
    """What the audit log says: numbers only."""
    return {
        "erased.values": found.values,
        "erased.events": found.events,
        "erased.notes": found.notes,
        "erased.files": found.files,
        "erased.imports": found.imports,
        "erased.exports": found.exports,
        "erased.mentions": found.mentions,
        "kept.visits": found.visits,
        "kept.references": found.references,
        "kept.same": len(found.same),
    }


def _with_merged(standing: Standing) -> list[int]:
    """The record and all that were merged into it: one person's data."""
    return [standing.record_id, *(standing.record["merged_ids"] or ())]


def _binned(uow: UnitOfWork, record_id: int) -> Standing:
    return load_standings(uow, [record_id], is_deleted=True, of_everyone=True)[record_id]


def _refuse_waiting(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Errors: Conflict where somebody is about to decide, or a file is still being read."""
    waiting = select(MoveRequestRow.id).where(
        MoveRequestRow.record_id.in_(ids), MoveRequestRow.status == "waiting"
    )
    if uow.session.scalar(waiting.limit(1)) is not None:
        raise Conflict(HAS_REQUEST)
    jobs = _import_jobs(uow, ids)
    running = select(ImportJob.id).where(ImportJob.id.in_(jobs), ImportJob.status.in_(_RUNNING))
    if uow.session.scalar(running.limit(1)) is not None:
        raise Conflict(IMPORT_RUNS)


def _marks(uow: UnitOfWork, standing: Standing) -> Marks:
    """Names, addresses and numbers that the record has and had, those merged into it too."""
    definition = uow.catalog.object(standing.record["object_key"])
    keys = [field.key for field in definition.fields if field.role == "name" or field.type in _KNOWN_BY]
    texts: set[str] = {standing.record["name"]}
    ids = _with_merged(standing)
    documents: list[Any] = list(uow.session.scalars(select(Record.data).where(Record.id.in_(ids))))
    for data in uow.session.scalars(select(EventRow.data).where(EventRow.record_id.in_(ids))):
        documents += [data.get("before"), data.get("after")]
    for document in documents:
        if isinstance(document, Mapping):
            texts.update(str(document[key]) for key in keys if document.get(key))
    return Marks.of(texts - {BAR})


def _holding(uow: UnitOfWork, standing: Standing, ids: Sequence[int], marks: Marks) -> Holding:
    same, mentions = _others(uow, marks, set(ids))
    return Holding(
        values=len(standing.record["data"]),
        events=_count(uow, EventRow.record_id.in_(ids)),
        notes=_count(uow, Note.record_id.in_(ids)),
        files=_count(uow, StoredFile.record_id.in_(ids)),
        imports=len(_import_jobs(uow, ids)),
        exports=_count(uow, ExportJob.file_id.is_not(None)),
        mentions=len(mentions) + mentioning(uow, marks, ids),
        visits=_count(uow, StayRow.record_id.in_(ids)),
        references=_count(uow, Link.target_id.in_(ids)),
        same=tuple(sorted(same)),
        is_counted=standing.record["pipeline_key"] is not None,
    )


def _count(uow: UnitOfWork, where: ColumnElement[bool]) -> int:
    return uow.session.scalar(select(func.count()).where(where)) or 0


def _import_jobs(uow: UnitOfWork, ids: Sequence[int]) -> list[int]:
    """Imports that made or changed the record, or a record that refers to it: their files name it."""
    referring = select(Link.record_id).where(Link.target_id.in_(ids))
    batches = select(EventRow.batch_id).where(
        or_(EventRow.record_id.in_(ids), EventRow.record_id.in_(referring)), EventRow.batch_id.is_not(None)
    )
    jobs = select(Batch.job_id).where(Batch.id.in_(batches), Batch.job_id.is_not(None)).distinct()
    return [job for job in uow.session.scalars(jobs) if job is not None]


def _drop_files(uow: UnitOfWork, ids: Sequence[int]) -> list[str]:
    """Files of the record go; of imports and exports their content does, as a whole: it cannot be told apart
    whose row is whose in what somebody else wrote.
    """
    own = uow.session.scalars(select(StoredFile.id).where(StoredFile.record_id.in_(ids))).all()
    exports = uow.session.scalars(select(ExportJob.file_id).where(ExportJob.file_id.is_not(None))).all()
    gone = [file_id for file_id in (*own, *exports) if file_id is not None]
    _execute(uow, delete(StoredFile).where(StoredFile.id.in_(gone)))
    _execute(uow, update(ExportJob).where(ExportJob.file_id.in_(gone)).values(file_id=None))
    jobs = _import_jobs(uow, ids)
    files: set[int] = set()
    for source, result in uow.session.execute(
        select(ImportJob.file_id, ImportJob.result_file_id).where(ImportJob.id.in_(jobs))
    ):
        files |= {one for one in (source, result) if one is not None}
    # The row stays, for the import is told of by it.
    _execute(uow, update(StoredFile).where(StoredFile.id.in_(files)).values(name=BAR, size=0, checksum=""))
    return [blob_key(uow.workspace.id, file_id) for file_id in (*gone, *sorted(files))]


def _empty(uow: UnitOfWork, standing: Standing) -> None:
    """Leave of the values what figures are counted from; without a process nothing, and the record goes."""
    record = standing.record
    definition = uow.catalog.object(record["object_key"])
    now = uow.clock.now()
    is_counted = record["pipeline_key"] is not None
    apply_values(uow, definition, standing, _kept(definition, record["data"]) if is_counted else {})
    record.update(external_key=None, erased_at=now)
    if not is_counted and record["deleted_at"] is None:
        record.update(deleted_at=now, deleted_by=uow.actor.member_id or None)
    ledger = Ledger(uow)
    ledger.settle(standing, now)
    write_record(uow, standing)
    ledger.write()
    shown = projected_of(standing)
    write_tokens(uow, definition, [shown])
    write_links(uow, definition, [shown])
    write_numbers(uow, definition, [(standing.record_id, standing.record["data"])], is_new=False)


def _kept(definition: ObjectDefinition, data: Mapping[str, Any]) -> dict[str, Any]:
    roles = definition.fields.by_role
    kept = {
        roles[role].key: data[roles[role].key]
        for role in _KEPT_ROLES
        if role in roles and roles[role].key in data
    }
    if "name" in roles:
        kept[roles["name"].key] = BAR
    return kept


def _clear_rows(uow: UnitOfWork, ids: Sequence[int]) -> None:
    told = uow.session.scalars(select(Notice.member_id).where(Notice.record_id.in_(ids))).all()
    for table in (Note, Notice, RecordShare):
        _execute(uow, delete(table).where(table.record_id.in_(ids)))
    recount(uow, told)
    _execute(
        uow, delete(DuplicatePair).where(or_(DuplicatePair.one_id.in_(ids), DuplicatePair.other_id.in_(ids)))
    )
    said = {"answers": None, "reason_note": None, "override_reason": None, "tasks_done": None}
    _execute(uow, update(StayRow).where(StayRow.record_id.in_(ids)).values(**said))
    _execute(
        uow,
        update(MoveRequestRow).where(MoveRequestRow.record_id.in_(ids)).values(command={}, comment=None),
    )


def _clear_events(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Of the history remains what happened when, and where the record moved."""
    for part in chunks(sorted(uow.session.scalars(select(EventRow.id).where(EventRow.record_id.in_(ids))))):
        rows = uow.session.execute(select(EventRow.id, EventRow.data).where(EventRow.id.in_(part))).all()
        for event_id, data in rows:
            kept = {key: value for key, value in data.items() if key in _KEPT_OF_EVENTS}
            _execute(uow, update(EventRow).where(EventRow.id == event_id).values(data=kept))


def _others(uow: UnitOfWork, marks: Marks, own: set[int]) -> tuple[set[int], dict[int, dict[str, Any]]]:
    """Records that hold exactly one of the marks in a field by which they are known themselves; and, by
    record, the values of others without the marks.
    """
    same: set[int] = set()
    changed: dict[int, dict[str, Any]] = {}
    for record_id, object_key, data in _holders(uow, marks, own):
        definition = uow.catalog.objects.get(object_key)
        if definition is None:
            continue
        values = {}
        for key, value in data.items():
            field = definition.fields.by_key.get(key)
            if (
                field is not None
                and (field.role == "name" or field.type in _KNOWN_BY)
                and marks.is_all_of(value)
            ):
                same.add(record_id)
                continue
            without = marks.blacked_out(value)
            if without != value:
                values[key] = without
        if values:
            changed[record_id] = values
    return same, changed


def _holders(uow: UnitOfWork, marks: Marks, own: set[int]) -> Iterable[tuple[int, str, dict[str, Any]]]:
    where = holds(uow, Record.data, marks)
    rows = uow.session.execute(select(Record.id, Record.object_key, Record.data).where(where)).all()
    return [(row.id, row.object_key, row.data) for row in rows if row.id not in own]


def _black_out_records(uow: UnitOfWork, marks: Marks, own: set[int]) -> None:
    """Other records that mention the person, deleted ones too."""
    _same, changed = _others(uow, marks, own)
    for part in chunks(sorted(changed)):
        found = load_standings(uow, part, of_everyone=True)
        left = [one for one in part if one not in found]
        found |= load_standings(uow, left, is_deleted=True, of_everyone=True) if left else {}
        for record_id, standing in found.items():
            put_back(uow, standing, changed[record_id])


def _execute(uow: UnitOfWork, statement: Any) -> None:
    uow.session.execute(statement.execution_options(synchronize_session=False))
