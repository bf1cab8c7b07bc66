"""Undoing an import: batch by batch from its end, each in a transaction of its own (B24).

What an import made goes to the recycle bin and what it changed gets its former values, unless somebody has
touched it since or the record is referred to; such records stay, and the batch says which and why.
Definitions and colleagues that came with an import stay.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select, update

from builder.db.batches import Batch
from builder.db.imports import ImportJob
from builder.errors import N_, Conflict
from builder.services import batches
from builder.services.imports import FINAL, UNDOING, UNDONE, find
from builder.services.unit_of_work import UnitOfWork

NOTHING_TO_UNDO = N_(
    "This import cannot be undone: it has not ended, has written nothing or was undone already."
)


def begin_undo(uow: UnitOfWork, job: ImportJob) -> None:
    """From an ended import to one that is being undone; the caller enqueues the work in this transaction.

    Errors: Forbidden (deleting is a right of its own), Conflict.
    """
    uow.require("record.delete")
    uow.begin()
    changed = uow.session.execute(
        update(ImportJob)
        .where(
            ImportJob.id == job.id,
            ImportJob.status.in_(FINAL),
            ImportJob.created_rows + ImportJob.updated_rows > 0,
        )
        .values(status=UNDOING, options={**job.options, "undone_by": uow.actor.member_id or None})
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(NOTHING_TO_UNDO)
    uow.session.expire(job)
    uow.log("import.undo_started", object_key=job.object_key, data={"job_id": str(job.id)})


def undo(uow: UnitOfWork, job_id: int, *, on_progress: Callable[[], None] | None = None) -> ImportJob:
    """Carry it out, or go on with one that was interrupted: batches that are undone already are left alone.

    Errors: NotFound, Forbidden.
    """
    job = find(uow, job_id)
    left = uow.session.scalars(
        select(Batch.id).where(Batch.job_id == job_id, Batch.undone_at.is_(None)).order_by(Batch.id.desc())
    ).all()
    if job.status == UNDOING:
        for batch_id in left:
            _undo_batch(uow, job_id, batch_id)
            if on_progress is not None:
                on_progress()
        _finish(uow, job_id)
    return find(uow, job_id)


def _undo_batch(uow: UnitOfWork, job_id: int, batch_id: int) -> None:
    uow.begin()
    uow.require("record.delete")
    batch = batches.lock(uow, batch_id)
    if batch is None or batch.undone_at is not None:
        uow.rollback()
        return
    own = frozenset(uow.session.scalars(select(Batch.id).where(Batch.job_id == job_id)))
    outcome = batches.undo(uow, batch, own)
    uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job_id)
        .values(
            removed_records=ImportJob.removed_records + outcome.removed,
            restored_records=ImportJob.restored_records + outcome.restored,
            kept_records=ImportJob.kept_records + len(outcome.kept),
        )
        .execution_options(synchronize_session=False)
    )
    uow.commit()


def _finish(uow: UnitOfWork, job_id: int) -> None:
    uow.begin()
    left = uow.session.scalar(select(func.count()).where(Batch.job_id == job_id, Batch.undone_at.is_(None)))
    if not left:
        uow.session.execute(
            update(ImportJob)
            .where(ImportJob.id == job_id, ImportJob.status == UNDOING)
            .values(status=UNDONE, finished_at=uow.clock.now())
            .execution_options(synchronize_session=False)
        )
        uow.log("import.undone", data={"job_id": str(job_id)})
    uow.commit()
    uow.session.expire_all()
