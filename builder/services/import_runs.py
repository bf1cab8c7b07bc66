"""Carrying out an import job, batch by batch (part 9).

Each batch commits with its own ``import_batch`` row, so a job that was killed anywhere goes on where it stood
and no row is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from builder.db.ids import new_id
from builder.db.imports import ImportBatch, ImportJob
from builder.errors import N_, Conflict, FunnelwrightError, Problem
from builder.exchange.blobs import BlobStore
from builder.exchange.cases import Case, cases
from builder.exchange.csv import Table
from builder.exchange.plan import ImportPlan
from builder.services import batches
from builder.services.import_ahead import batches_of
from builder.services.import_log import LogImport
from builder.services.import_rows import RowImport, Verdict
from builder.services.imports import DONE, ENDED, FAILED, FINAL, QUEUED, RUNNING, UNDONE, OpenFile, find
from builder.services.unit_of_work import UnitOfWork

# The more rows, the fewer pages of indexes are written twice and the fewer rows the roll-up gets; but the
# longer do others wait who write into SQLite: a second where an import takes half a millisecond a row.
BATCH_ROWS = 2_000
_LETTERS = {"created": "c", "updated": "u", "unchanged": "n", "refused": "r"}


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows so far. ``total`` is known once the file was read through."""

    total: int
    done: int
    created: int
    updated: int
    unchanged: int
    refused: int


def fail(uow: UnitOfWork, job_id: int, error: FunnelwrightError) -> None:
    """End a job for a reason that all of its rows share; commits."""
    uow.rollback()
    uow.begin()
    options = uow.session.scalar(select(ImportJob.options).where(ImportJob.id == job_id)) or {}
    reasons = error.problems or (Problem(error.message_key, "", error.values),)
    # As a key and values, so that each reader is told in their language.
    why = [[reason.message, batches.plain_values(reason)] for reason in reasons]
    uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job_id, ImportJob.status.not_in((*FINAL, UNDONE)))
        .values(
            status=FAILED,
            problem=str(error)[:2000],
            options={**options, "why": why},
            finished_at=uow.clock.now(),
        )
    )
    uow.log("import.failed", data={"job_id": str(job_id), "problem": str(error)[:2000]})
    uow.commit()


def run(
    uow: UnitOfWork,
    blobs: BlobStore,
    job_id: int,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> ImportJob:
    """Carry out a queued job, or go on with one that was interrupted. Commits each batch.

    Batches that were committed before are skipped. A problem of the whole file or plan ends the job as failed
    and is raised. Errors: FunnelwrightError.
    """
    job = find(uow, job_id)
    if job.status in ENDED:
        return job
    if "plan" not in job.options:
        raise Conflict(N_("It is not decided yet how to import this file."))
    plan = ImportPlan.from_document(job.options["plan"])
    _begin(uow, job)
    try:
        done = frozenset(uow.session.scalars(select(ImportBatch.number).where(ImportBatch.job_id == job_id)))
        with (
            OpenFile(blobs, job, plan.format) as table,
            closing(_batches(uow, plan, table, batch_rows, done)) as found,
        ):
            for size, write in found:
                if not _run_batch(uow, job_id, plan.object_key, size, write):
                    break
                if on_progress is not None:
                    on_progress(progress(uow, job_id))
    except FunnelwrightError as error:
        fail(uow, job_id, error)
        raise
    return _finish(uow, job_id)


@dataclass(frozen=True, slots=True)
class _Size:
    """The place of a batch in the file: its number, its first row and how many rows it has."""

    number: int
    first_row: int
    rows: int


def _batches(
    uow: UnitOfWork, plan: ImportPlan, table: Table, batch_rows: int, done: Container[int]
) -> Generator[tuple[_Size, Callable[[], list[Verdict]]]]:
    """The batches of a file with what writes them: always the same ones for the same file and plan.

    ``done``: the numbers of those that were written before.
    """
    first = 0
    if plan.mode == "log":
        log = LogImport(uow, plan, table.columns)
        place = table.columns.index(plan.key_column or "")
        for number, group in enumerate(_groups(cases(table.rows(), place), batch_rows)):
            rows = sum(len(case.rows) for case in group)
            yield _Size(number, first, rows), lambda group=group: log.write_cases(group)  # type: ignore[misc]
            first += rows
        return
    rows_import = RowImport(uow, plan, table.columns)
    with closing(batches_of(uow, plan, table, batch_rows, done)) as stream:
        for number, (batch, ahead) in enumerate(stream):
            yield _Size(number, first, len(batch)), partial(rows_import.write, batch, ahead)
            first += len(batch)


def _groups(found: Iterable[Case], batch_rows: int) -> Iterator[list[Case]]:
    """Whole records together, about ``batch_rows`` rows at a time."""
    group: list[Case] = []
    size = 0
    for case in found:
        group.append(case)
        size += len(case.rows)
        if size >= batch_rows:
            yield group
            group, size = [], 0
    if group:
        yield group


def _run_batch(
    uow: UnitOfWork, job_id: int, object_key: str, size: _Size, write: Callable[[], list[Verdict]]
) -> bool:
    """Write one batch with its row of ``import_batch`` and the job's counts; false: the job was cancelled."""
    uow.begin()
    # Locked: whoever stops or undoes the import meanwhile waits for the end of this batch.
    status = uow.session.scalar(select(ImportJob.status).where(ImportJob.id == job_id).with_for_update())
    if status in ENDED:
        uow.rollback()
        return False
    done = uow.session.scalar(
        select(ImportBatch.id).where(ImportBatch.job_id == job_id, ImportBatch.number == size.number)
    )
    if done is not None:
        uow.rollback()
        return True
    batch_id = new_id()
    try:
        # First of all, so that another worker with the same batch waits here and then gives way.
        uow.session.execute(
            insert(ImportBatch).values(
                workspace_id=uow.workspace.id,
                id=batch_id,
                job_id=job_id,
                number=size.number,
                first_row=size.first_row,
                rows=size.rows,
                verdicts="",
                lines=[],
                refusals=[],
                created_at=uow.clock.now(),
            )
        )
    except IntegrityError:
        uow.rollback()
        return True
    with batches.open_batch(uow, "import", object_key, batch_id=batch_id, job_id=job_id) as batch:
        verdicts = write()
        batch.done_records = sum(verdict.status in ("created", "updated") for verdict in verdicts)
        _record(uow, job_id, batch_id, verdicts)
    uow.commit()
    return True


def _record(uow: UnitOfWork, job_id: int, batch_id: int, verdicts: Sequence[Verdict]) -> None:
    letters = "".join(_LETTERS[verdict.status] for verdict in verdicts)
    refusals = [
        [verdict.line, verdict.reason.place, verdict.reason.message, batches.plain_values(verdict.reason)]
        for verdict in verdicts
        if verdict.reason is not None
    ]
    uow.session.execute(
        update(ImportBatch)
        .where(ImportBatch.id == batch_id)
        .values(verdicts=letters, lines=[verdict.line for verdict in verdicts], refusals=refusals)
    )
    uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job_id)
        .values(
            done_rows=ImportJob.done_rows + len(letters),
            created_rows=ImportJob.created_rows + letters.count("c"),
            updated_rows=ImportJob.updated_rows + letters.count("u"),
            unchanged_rows=ImportJob.unchanged_rows + letters.count("n"),
            refused_rows=ImportJob.refused_rows + letters.count("r"),
        )
        .execution_options(synchronize_session=False)
    )


def progress(uow: UnitOfWork, job_id: int) -> Progress:
    row = uow.session.execute(
        select(
            ImportJob.total_rows,
            ImportJob.done_rows,
            ImportJob.created_rows,
            ImportJob.updated_rows,
            ImportJob.unchanged_rows,
            ImportJob.refused_rows,
        ).where(ImportJob.id == job_id)
    ).one()
    return Progress(row[0] or 0, *row[1:])


def _begin(uow: UnitOfWork, job: ImportJob) -> None:
    uow.begin()
    uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job.id, ImportJob.status.not_in(ENDED))
        .values(status=RUNNING, started_at=job.started_at or uow.clock.now())
    )
    uow.commit()


def _finish(uow: UnitOfWork, job_id: int) -> ImportJob:
    uow.begin()
    # Queued: it was stopped and went on while the last batches were written.
    changed = uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job_id, ImportJob.status.in_((QUEUED, RUNNING)))
        .values(status=DONE, finished_at=uow.clock.now(), total_rows=ImportJob.done_rows)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount:  # type: ignore[attr-defined]
        uow.log("import.finished", data={"job_id": str(job_id)})
    uow.commit()
    uow.session.expire_all()
    return find(uow, job_id)
