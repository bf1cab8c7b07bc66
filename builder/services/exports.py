"""Exports: records into a file, at once when there are few, in the background when there are many (S25, S48).

The right ``record.export`` is asked for at each step; which records are written is row visibility's matter
(``queries.visibility``), not the plan's. Every export stands in the event log with what was asked and how
many records it held (S119).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import BinaryIO

from sqlalchemy import delete, select, update

from builder.db.exports import ExportJob
from builder.db.ids import new_id
from builder.db.imports import StoredFile
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import parse
from builder.errors import N_, Conflict, Invalid, NotFound
from builder.exchange.blobs import BlobStore
from builder.exchange.export_files import MOST_XLSX_ROWS, CsvSheet, Sheet, XlsxSheet
from builder.exchange.export_plan import ExportPlan
from builder.queries.export_rows import ExportRows, listed
from builder.queries.exports import running_count
from builder.queries.list import ListRequest
from builder.services.export_columns import ExportColumns
from builder.services.imports import CANCELLED, DONE, FINAL, QUEUED, blob_key
from builder.services.unit_of_work import UnitOfWork

RIGHT = "record.export"
# Up to so many records the file is the answer to the request.
AT_ONCE = 2_000
MOST_LISTED = 20_000
MOST_CSV_ROWS = 5_000_000
MOST_RUNNING = 3
KEPT = timedelta(days=7)
TOO_MANY = N_("An export holds at most %(most)s records, and this list has more. Narrow it with a filter.")
TOO_MANY_LISTED = N_(
    "At most %(most)s records behind a figure can be exported, and these are more. Narrow it with a filter."
)
TOO_MANY_RUNNING = N_("%(most)s of your exports are still running. Wait until one has ended.")


def rows_of(uow: UnitOfWork, plan: ExportPlan) -> ExportRows:
    """The records that the plan is about, as far as the actor sees them. Errors: NotFound, ConditionError."""
    request = ListRequest(
        plan.object_key,
        sort=plan.sort,
        filter=None if plan.filter is None else parse(plan.filter),
        query=plan.query,
        pipeline_key=plan.pipeline,
    )
    context = EvaluationContext(
        uow.clock.now(),
        uow.workspace.time_zone,
        uow.actor.member_id,
        uow.actor.department_ids,
        uow.catalog.time_limits,
    )
    return ExportRows(uow.session, uow.shown, uow.actor, request, context)


def most_rows(plan: ExportPlan) -> int:
    """How many records a file of this format may hold."""
    return MOST_XLSX_ROWS if plan.format == "xlsx" else MOST_CSV_ROWS


def is_small(uow: UnitOfWork, plan: ExportPlan) -> bool:
    """Whether the file can be made while somebody waits.

    Errors: Forbidden, NotFound, ConditionError, Invalid when a file cannot hold so many records.
    """
    uow.require(RIGHT)
    rows = rows_of(uow, plan)
    if rows.count(AT_ONCE + 1) <= AT_ONCE:
        return True
    refuse_too_many(plan, rows.count(most_rows(plan) + 1))
    return False


def refuse_too_many(plan: ExportPlan, count: int) -> None:
    """Errors: Invalid, with how many there may be."""
    if count > most_rows(plan):
        raise Invalid(TOO_MANY, most=most_rows(plan))


def write(
    uow: UnitOfWork,
    plan: ExportPlan,
    stream: BinaryIO,
    on_batch: Callable[[int], None] | None = None,
    *,
    ids: Sequence[int] | None = None,
) -> int:
    """Write the records as they stand in one state of the database; how many they are.

    ``ids``: only these, in this order. ``on_batch`` is told the number so far. The stream stays the caller's.
    Errors: Forbidden, NotFound, ConditionError, Invalid for a cell that does not fit.
    """
    uow.require(RIGHT)
    uow.begin_snapshot()
    columns = ExportColumns(uow, plan)
    sheet = _sheet(uow, plan, stream, columns)
    done = 0
    if ids is None:
        batches = rows_of(uow, plan).batches()
    else:
        batches = listed(uow.session, uow.actor, plan.object_key, ids)
    for batch in batches:
        sheet.write(columns.rows(batch))
        done += len(batch)
        if on_batch is not None:
            on_batch(done)
    sheet.close()
    return done


def _sheet(uow: UnitOfWork, plan: ExportPlan, stream: BinaryIO, columns: ExportColumns) -> Sheet:
    if plan.format == "xlsx":
        return XlsxSheet(stream, columns.sheet_columns, zone=uow.workspace.time_zone, title=plan.title)
    return CsvSheet(stream, columns.sheet_columns, bom=plan.bom)


def export_now(uow: UnitOfWork, plan: ExportPlan, stream: BinaryIO, ids: Sequence[int] | None = None) -> int:
    """Write a small export and note it; the caller commits before the file leaves the house.

    ``ids``: the records behind a figure, at most ``MOST_LISTED``. Errors: as ``write``; Invalid for more.
    """
    if ids is not None and len(ids) > MOST_LISTED:
        raise Invalid(TOO_MANY_LISTED, most=MOST_LISTED)
    count = write(uow, plan, stream, ids=ids)
    uow.begin()
    note(uow, plan, count)
    return count


def note(uow: UnitOfWork, plan: ExportPlan, count: int, job_id: int | None = None) -> None:
    """Put the export into the event log."""
    uow.log(
        "records.exported",
        object_key=plan.object_key,
        data={
            "count": count,
            "title": plan.title,
            "format": plan.format,
            "filter": None if plan.filter is None else dict(plan.filter),
            "query": plan.query,
            "pipeline": plan.pipeline,
            "columns": [name for name, _ in plan.columns],
            "job_id": None if job_id is None else str(job_id),
        },
    )


def queue(uow: UnitOfWork, plan: ExportPlan) -> ExportJob:
    """A job that writes the file in the background; the caller enqueues the work in the same transaction.

    Errors: Forbidden, Conflict when too many of one's exports are running.
    """
    uow.require(RIGHT)
    uow.begin()
    if running_count(uow.session, uow.actor) >= MOST_RUNNING:
        raise Conflict(TOO_MANY_RUNNING, most=MOST_RUNNING)
    now = uow.clock.now()
    job = ExportJob(
        workspace_id=uow.workspace.id,
        id=new_id(),
        object_key=plan.object_key,
        status=QUEUED,
        options=plan.to_document(),
        done_rows=0,
        problem=None,
        created_at=now,
        created_by=uow.actor.member_id,
        expires_at=now + KEPT,
    )
    uow.session.add(job)
    uow.log("export.started", object_key=plan.object_key, data={"job_id": str(job.id)})
    uow.session.flush()
    return job


def find(uow: UnitOfWork, job_id: int) -> ExportJob:
    """The actor's own job. Errors: Forbidden, NotFound (somebody else's as well)."""
    uow.require(RIGHT)
    job = uow.session.scalar(
        select(ExportJob).where(ExportJob.id == job_id, ExportJob.created_by == uow.actor.member_id)
    )
    if job is None:
        raise NotFound()
    return job


def cancel(uow: UnitOfWork, job: ExportJob) -> None:
    """Stop after the batch that is running. Errors: Conflict when it has ended."""
    uow.begin()
    changed = uow.session.execute(
        update(ExportJob)
        .where(ExportJob.id == job.id, ExportJob.status.not_in(FINAL))
        .values(status=CANCELLED, finished_at=uow.clock.now())
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(N_("This export has ended already."))
    uow.session.expire(job)
    uow.log("export.cancelled", object_key=job.object_key, data={"job_id": str(job.id)})


def open_file(uow: UnitOfWork, blobs: BlobStore, job: ExportJob) -> BinaryIO:
    """The finished file, for reading; the download is noted, the caller commits.

    Errors: Conflict while there is none yet, NotFound when it has expired.
    """
    if job.status != DONE:
        raise Conflict(N_("This export has no file."))
    if job.file_id is None or uow.clock.now() >= job.expires_at:
        raise NotFound(N_("This file is no longer stored."))
    stream = blobs.open(blob_key(job.workspace_id, job.file_id))
    uow.begin()
    uow.log("export.downloaded", object_key=job.object_key, data={"job_id": str(job.id)})
    return stream


def drop_file(uow: UnitOfWork, blobs: BlobStore, job_id: int) -> None:
    """Remove the file of a job, whoever's: because its time is over or its owner wants it gone. Commits."""
    uow.begin()
    job = uow.session.scalar(select(ExportJob).where(ExportJob.id == job_id))
    if job is None or job.file_id is None:
        uow.rollback()
        return
    key = blob_key(job.workspace_id, job.file_id)
    uow.session.execute(delete(StoredFile).where(StoredFile.id == job.file_id))
    job.file_id = None
    uow.log("export.removed", object_key=job.object_key, data={"job_id": str(job.id)})
    uow.commit()
    blobs.delete(key)
