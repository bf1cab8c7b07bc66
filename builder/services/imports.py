"""Import jobs up to their start: received, described, planned, queued, cancelled (part 9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from sqlalchemy import select, update

from builder.db.ids import new_id
from builder.db.imports import ImportJob, StoredFile
from builder.domain.permissions import Actor
from builder.errors import N_, Conflict, FunnelwrightError, NotFound
from builder.exchange.blobs import BlobStore
from builder.exchange.blobs import blob_key as blob_key
from builder.exchange.csv import Row, Table, detect, unpacked, with_footer
from builder.exchange.detection import FileFormat
from builder.exchange.joining import Join
from builder.exchange.plan import ImportPlan
from builder.exchange.profile import TableProfile, profile
from builder.exchange.workbooks import sheet_names
from builder.queries.imports import starter, visible_jobs
from builder.services.import_setup import Proposal
from builder.services.unit_of_work import UnitOfWork

DRAFT, QUEUED, RUNNING, DONE, FAILED, CANCELLED = "draft", "queued", "running", "done", "failed", "cancelled"
UNDOING, UNDONE = "undoing", "undone"
FINAL = (DONE, FAILED, CANCELLED)
# From here on no row is written any more.
ENDED = (*FINAL, UNDOING, UNDONE)
# The screen judges so many rows; the command line and the import itself read all.
JUDGED = 100_000
NOT_A_DRAFT = N_("This import was started already.")


def receive(
    uow: UnitOfWork,
    blobs: BlobStore,
    stream: BinaryIO,
    name: str,
    object_key: str,
    *,
    limit: int | None = None,
) -> ImportJob:
    """Keep an uploaded file and begin a draft import of it.

    Errors: Forbidden, NotFound, Invalid, TooLarge; nothing is kept of a file that cannot be read.
    """
    uow.require("import")
    uow.catalog.object(object_key)
    file_id = new_id()
    key = blob_key(uow.workspace.id, file_id)
    stored = blobs.put(key, stream, limit=limit)
    file_format = _format_of(blobs, key)
    uow.begin()
    now, actor_id = uow.clock.now(), uow.actor.member_id or None
    uow.session.add(
        StoredFile(
            workspace_id=uow.workspace.id,
            id=file_id,
            name=name[-400:] or "file.csv",
            media_type="text/csv" if file_format.sheet is None else "application/octet-stream",
            size=stored.size,
            checksum=stored.checksum,
            created_at=now,
            created_by=actor_id,
        )
    )
    job = ImportJob(
        workspace_id=uow.workspace.id,
        id=new_id(),
        object_key=object_key,
        file_id=file_id,
        status=DRAFT,
        options={"format": file_format.to_document()},
        created_at=now,
        created_by=actor_id,
    )
    uow.session.add(job)
    uow.session.flush()
    return job


def _format_of(blobs: BlobStore, key: str) -> FileFormat:
    """How a kept file is written. Errors: as ``receive``; then the file is kept no longer."""
    try:
        with blobs.open(key) as kept:
            plain = unpacked(kept)
            found = detect(plain)
            Table(plain, found)  # refuses what has no rows before anything is promised
    except FunnelwrightError:
        blobs.delete(key)
        raise
    return found


def find(uow: UnitOfWork, job_id: int) -> ImportJob:
    """Errors: Forbidden, NotFound (somebody else's as well, unless one may see all)."""
    uow.require("import")
    job = uow.session.scalar(select(ImportJob).where(ImportJob.id == job_id, visible_jobs(uow.actor)))
    if job is None:
        raise NotFound()
    return job


def carrier(uow: UnitOfWork, job_id: int) -> Actor:
    """Whoever asked for the work that the job waits for, with the rights that they have now.

    Errors: NotFound, Forbidden when they left.
    """
    job = find(uow, job_id)
    member_id = job.options["undone_by"] if job.status == UNDOING else job.created_by
    if member_id is None:
        return uow.actor
    return starter(uow.session, uow.workspace, uow.catalog, member_id, uow.clock.now())


def format_of(job: ImportJob, joins: tuple[Join, ...] = ()) -> FileFormat:
    """How the job's file is read; ``joins``: the columns that a person joins."""
    return replace(FileFormat.from_document(job.options["format"]), joins=joins)


class OpenFile:
    """The file of a job, open for reading as long as the ``with`` block lasts."""

    def __init__(self, blobs: BlobStore, job: ImportJob, file_format: FileFormat | None = None) -> None:
        self._stream = blobs.open(blob_key(job.workspace_id, job.file_id))
        self._format = file_format or format_of(job)

    def __enter__(self) -> Table:
        try:
            return Table(self._stream, self._format)
        except BaseException:
            self._stream.close()
            raise

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def try_out(self) -> None:
        """Errors: Invalid when the file cannot be read so."""
        with self:
            pass

    def close(self) -> None:
        """For whoever opened it and never came to read it."""
        self._stream.close()


def sheets_of(blobs: BlobStore, job: ImportJob, file_format: FileFormat) -> tuple[str, ...]:
    """The sheets of a spreadsheet; none of a text file."""
    if file_format.sheet is None:
        return ()
    with blobs.open(blob_key(job.workspace_id, job.file_id)) as kept:
        return sheet_names(unpacked(kept))


def left_out(blobs: BlobStore, job: ImportJob, file_format: FileFormat) -> list[Row]:
    """The rows at the end that the format leaves out. Errors: Invalid when the file cannot be read so."""
    if not file_format.footer:
        return []
    with OpenFile(blobs, job, replace(file_format, footer=0)) as table:
        return list(deque(table.rows(), maxlen=file_format.footer))


def footer_found(blobs: BlobStore, job: ImportJob, file_format: FileFormat) -> FileFormat:
    """The format with the rows at the end that seem to be no data, for a file that is read in another way."""
    with blobs.open(blob_key(job.workspace_id, job.file_id)) as kept:
        return with_footer(unpacked(kept), file_format)


def set_format(uow: UnitOfWork, blobs: BlobStore, job: ImportJob, file_format: FileFormat) -> None:
    """A person knows better how the file is written; what was planned for it is void.

    Errors: Conflict when it was started, Invalid when the file cannot be read so.
    """
    _require_draft(job)
    OpenFile(blobs, job, file_format).try_out()
    uow.begin()
    kept: dict[str, Any] = {name: job.options[name] for name in ("set", "set_of") if name in job.options}
    job.options = {**kept, "format": file_format.to_document()}


def column_profile(
    blobs: BlobStore, job: ImportJob, judged: int | None = JUDGED, *, joins: tuple[Join, ...] = ()
) -> TableProfile:
    """What the columns of the job's file hold, the joined ones too.

    Errors: Invalid for one that is not there.
    """
    with OpenFile(blobs, job, format_of(job, joins)) as table:
        return profile(table, judged)


def set_plan(uow: UnitOfWork, job: ImportJob, plan: ImportPlan, rows: int) -> None:
    """Fix what is to be done; the job is ready to be queued. Errors: Forbidden, Conflict."""
    uow.require("load_history" if plan.history is not None else "import")
    _require_draft(job)
    uow.begin()
    job.options = {**job.options, "plan": plan.to_document()}
    job.total_rows = rows


def set_proposal(uow: UnitOfWork, job: ImportJob, proposal: Proposal, rows: int) -> None:
    """Keep a plan together with the definitions that it would publish, to try it or to look at it."""
    _require_draft(job)
    uow.begin()
    plan = proposal.plan.to_document()
    job.options = {**job.options, "plan": plan, "unpublished": proposal.unpublished}
    job.total_rows = rows


def queue(uow: UnitOfWork, job: ImportJob) -> None:
    """From draft to queued; the caller enqueues the work in the same transaction. Errors: Conflict."""
    uow.begin()
    changed = uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job.id, ImportJob.status == DRAFT)
        .values(status=QUEUED)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(NOT_A_DRAFT)
    uow.session.expire(job)
    uow.log("import.started", object_key=job.object_key, data={"job_id": str(job.id)})


def cancel(uow: UnitOfWork, job: ImportJob) -> None:
    """Stop after the batch that is running; what was written stays.

    Errors: Conflict for one that has ended or was not started: a draft has not published what it needs.
    """
    uow.begin()
    changed = uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job.id, ImportJob.status.in_((QUEUED, RUNNING)))
        .values(status=CANCELLED, finished_at=uow.clock.now())
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(N_("This import is not running: there is nothing to stop."))
    uow.session.expire(job)
    uow.log("import.cancelled", object_key=job.object_key, data={"job_id": str(job.id)})


def resume(uow: UnitOfWork, job: ImportJob) -> None:
    """Go on behind the last written batch of an import that was stopped or could not go on, with the files
    of its set that were waiting for it; the caller enqueues the work in the same transaction.

    Errors: Conflict.
    """
    uow.begin()
    for each in (job, *_behind(uow, job)):
        changed = uow.session.execute(
            update(ImportJob)
            .where(ImportJob.id == each.id, ImportJob.status.in_((CANCELLED, FAILED)))
            .values(
                status=QUEUED,
                problem=None,
                started_at=None,
                finished_at=None,
                # The time in which it stood still counts for no rate.
                options={**_without_why(each), "resumed_rows": each.done_rows},
            )
            .execution_options(synchronize_session=False)
        )
        is_whole = "plan" in each.options and "undone_by" not in each.options
        if changed.rowcount != 1 or not is_whole:  # type: ignore[attr-defined]
            raise Conflict(N_("This import was not stopped, or it was undone: it cannot go on."))
        uow.session.expire(each)
        uow.log("import.resumed", object_key=each.object_key, data={"job_id": str(each.id)})


def _without_why(job: ImportJob) -> dict[str, Any]:
    return {name: value for name, value in job.options.items() if name != "why"}


def _behind(uow: UnitOfWork, job: ImportJob) -> Iterator[ImportJob]:
    """The files that were stopped because this one was."""
    while "then" in job.options:
        job = find(uow, int(job.options["then"]))
        if job.status != CANCELLED or job.started_at is not None:
            return
        yield job


def _require_draft(job: ImportJob) -> None:
    if job.status != DRAFT:
        raise Conflict(NOT_A_DRAFT)
