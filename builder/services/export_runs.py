"""Carrying out an export job: one pass over one state of the database, its file whole or not there at all."""

from __future__ import annotations

import tempfile
from typing import BinaryIO, cast

from sqlalchemy import select, update

from builder.db.exports import ExportJob
from builder.db.ids import new_id
from builder.db.imports import StoredFile
from builder.errors import FunnelwrightError, NotFound
from builder.exchange.blobs import BlobStore
from builder.exchange.export_plan import MEDIA_TYPES, ExportPlan
from builder.queries.imports import starter
from builder.services import exports
from builder.services.imports import DONE, FAILED, FINAL, RUNNING, blob_key
from builder.services.unit_of_work import UnitOfWork


class Cancelled(Exception):
    """The job was ended by its owner meanwhile."""


def run_as_owner(reading: UnitOfWork, writing: UnitOfWork, blobs: BlobStore, job_id: int) -> str:
    """Carry out a job as the person who asked for it, with the rights that they have now.

    A person who left, or lost the right, gets no file: the job fails. Errors: FunnelwrightError.
    """
    owner = writing.session.scalar(select(ExportJob.created_by).where(ExportJob.id == job_id))
    if owner is None:
        raise NotFound()
    try:
        actor = starter(writing.session, writing.workspace, writing.catalog, owner, writing.clock.now())
        writing.actor = reading.actor = actor
        writing.require(exports.RIGHT)
    except FunnelwrightError as error:
        fail(writing, job_id, error)
        raise
    return run(reading, writing, blobs, job_id)


def run(reading: UnitOfWork, writing: UnitOfWork, blobs: BlobStore, job_id: int) -> str:
    """Carry out a queued job, from the beginning again after a crash; its status at the end.

    ``reading`` sees one state of the database from the first row to the last, so progress is told by
    ``writing``, a unit of work of its own, which commits. A problem of the whole export ends the job as
    failed and is raised. Errors: FunnelwrightError.
    """
    job = exports.find(writing, job_id)
    if job.status in FINAL:
        return job.status
    plan = ExportPlan.from_document(job.options)
    try:
        _begin(reading, writing, plan, job_id)
        with tempfile.TemporaryFile() as file:
            stream = cast(BinaryIO, file)
            count = exports.write(reading, plan, stream, lambda done: _told(writing, job_id, done))
            reading.rollback()
            _finish(writing, blobs, plan, job_id, stream, count)
    except Cancelled:
        reading.rollback()
    except FunnelwrightError as error:
        reading.rollback()
        fail(writing, job_id, error)
        raise
    writing.session.expire_all()
    return exports.find(writing, job_id).status


def _begin(reading: UnitOfWork, writing: UnitOfWork, plan: ExportPlan, job_id: int) -> None:
    reading.begin_snapshot()
    total = exports.rows_of(reading, plan).count(exports.most_rows(plan) + 1)
    exports.refuse_too_many(plan, total)
    writing.begin()
    writing.session.execute(
        update(ExportJob)
        .where(ExportJob.id == job_id, ExportJob.status.not_in(FINAL))
        .values(status=RUNNING, started_at=writing.clock.now(), total_rows=total, done_rows=0)
        .execution_options(synchronize_session=False)
    )
    writing.commit()


def _told(writing: UnitOfWork, job_id: int, done: int) -> None:
    """Note the progress. Raises Cancelled when nobody wants the file any more."""
    writing.begin()
    changed = writing.session.execute(
        update(ExportJob)
        .where(ExportJob.id == job_id, ExportJob.status == RUNNING)
        .values(done_rows=done)
        .execution_options(synchronize_session=False)
    )
    writing.commit()
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Cancelled


def _finish(
    writing: UnitOfWork, blobs: BlobStore, plan: ExportPlan, job_id: int, stream: BinaryIO, count: int
) -> None:
    """Store the file, then say that it is there: a crash between the two leaves a blob that nothing names."""
    file_id = new_id()
    key = blob_key(writing.workspace.id, file_id)
    stream.seek(0)
    stored = blobs.put(key, stream)
    writing.begin()
    running = writing.session.scalar(
        select(ExportJob).where(ExportJob.id == job_id, ExportJob.status == RUNNING)
    )
    if running is None:
        writing.rollback()
        blobs.delete(key)
        raise Cancelled
    now = writing.clock.now()
    writing.session.add(
        StoredFile(
            workspace_id=writing.workspace.id,
            id=file_id,
            name=f"{plan.file_name}.{plan.format}"[-400:],
            media_type=MEDIA_TYPES[plan.format],
            size=stored.size,
            checksum=stored.checksum,
            created_at=now,
            created_by=running.created_by,
        )
    )
    running.file_id, running.status, running.finished_at = file_id, DONE, now
    running.done_rows = running.total_rows = count
    exports.note(writing, plan, count, job_id)
    writing.commit()


def fail(uow: UnitOfWork, job_id: int, error: FunnelwrightError) -> None:
    """End a job for a reason that its owner is told; commits."""
    uow.rollback()
    uow.begin()
    uow.session.execute(
        update(ExportJob)
        .where(ExportJob.id == job_id, ExportJob.status.not_in(FINAL))
        .values(
            status=FAILED,
            problem={"message": error.message_key, "values": error.values},
            finished_at=uow.clock.now(),
        )
        .execution_options(synchronize_session=False)
    )
    uow.log("export.failed", data={"job_id": str(job_id), "problem": str(error)[:2000]})
    uow.commit()
