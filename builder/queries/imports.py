"""Import jobs for reading: the list, one job's figures, the verdict of every row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from builder.db.batches import Batch
from builder.db.imports import ImportBatch, ImportJob, StoredFile
from builder.db.people import Member
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import N_, Forbidden, NotFound
from builder.exchange.results import RefusedRow, RowVerdict
from builder.metadata.catalog import Catalog
from builder.queries.batches import LISTED as LISTED_KEPT
from builder.queries.batches import KeptRecord, kept_records
from builder.queries.memberships import Membership, actor_of

LISTED = 50


@dataclass(frozen=True)
class JobRow:
    """One import as lists and pages show it."""

    id: int
    object_key: str
    status: str
    file_name: str
    file_size: int
    total_rows: int | None
    done_rows: int
    created_rows: int
    updated_rows: int
    unchanged_rows: int
    refused_rows: int
    removed_records: int
    restored_records: int
    kept_records: int
    problem: str | None
    created_at: datetime
    created_by: int | None
    creator: str | None
    started_at: datetime | None
    finished_at: datetime | None
    options: dict[str, Any]

    @property
    def percent(self) -> int:
        """How much is done, 0–100."""
        if self.status in ("done", "undone"):
            return 100
        if self.status == "undoing":
            undone = self.removed_records + self.restored_records + self.kept_records
            return min(99, undone * 100 // max(1, self.created_rows + self.updated_rows))
        return min(99, self.done_rows * 100 // self.total_rows) if self.total_rows else 0

    @property
    def is_running(self) -> bool:
        return self.status in ("queued", "running", "undoing")

    @property
    def is_undoable(self) -> bool:
        """Whether it has ended and has written something that is still there."""
        return self.status in ("done", "failed", "cancelled") and self.created_rows + self.updated_rows > 0

    def rate(self, now: datetime) -> float | None:
        """Rows a second since the start, or since it went on after it was stopped."""
        if self.started_at is None:
            return None
        seconds = ((self.finished_at or now) - self.started_at).total_seconds()
        rows = self.done_rows - int(self.options.get("resumed_rows", 0))
        return rows / seconds if seconds > 0 else None

    def seconds_left(self, now: datetime) -> float | None:
        """How long the rows that are left take at the rate so far; ``None`` while that cannot be said."""
        rate = self.rate(now) if self.status == "running" else None
        return max(0, (self.total_rows or 0) - self.done_rows) / rate if rate and self.total_rows else None

    @property
    def is_resumable(self) -> bool:
        """Whether it was stopped or could not go on before its last row, and nobody began to undo it."""
        return (
            self.status in ("cancelled", "failed")
            and "plan" in self.options
            and "undone_by" not in self.options
        )


_COLUMNS = (
    ImportJob.id,
    ImportJob.object_key,
    ImportJob.status,
    StoredFile.name.label("file_name"),
    StoredFile.size.label("file_size"),
    ImportJob.total_rows,
    ImportJob.done_rows,
    ImportJob.created_rows,
    ImportJob.updated_rows,
    ImportJob.unchanged_rows,
    ImportJob.refused_rows,
    ImportJob.removed_records,
    ImportJob.restored_records,
    ImportJob.kept_records,
    ImportJob.problem,
    ImportJob.created_at,
    ImportJob.created_by,
    Member.name.label("creator"),
    ImportJob.started_at,
    ImportJob.finished_at,
    ImportJob.options,
)


def _jobs() -> Any:
    return (
        select(*_COLUMNS)
        .join(StoredFile, StoredFile.id == ImportJob.file_id)
        .outerjoin(Member, Member.id == ImportJob.created_by)
    )


def visible_jobs(actor: Actor) -> ColumnElement[bool]:
    """A file and its results are for whoever brought it, and for those who keep the workspace's people."""
    return true() if actor.sees_all_imports else ImportJob.created_by == actor.member_id


def recent(session: WorkspaceSession, actor: Actor) -> list[JobRow]:
    """The latest imports that the actor may see, newest first."""
    rows = session.execute(
        _jobs()
        .where(visible_jobs(actor))
        .order_by(ImportJob.created_at.desc(), ImportJob.id.desc())
        .limit(LISTED)
    )
    return [JobRow(**row._mapping) for row in rows]


def job(session: WorkspaceSession, actor: Actor, job_id: int) -> JobRow:
    """Errors: NotFound, for somebody else's as well."""
    row = session.execute(_jobs().where(ImportJob.id == job_id, visible_jobs(actor))).one_or_none()
    if row is None:
        raise NotFound()
    return JobRow(**row._mapping)


def starter(
    session: WorkspaceSession, workspace: WorkspaceInfo, catalog: Catalog, member_id: int, now: datetime
) -> Actor:
    """The member who started a job, with their rights of now. Errors: Forbidden when they left."""
    row = session.execute(
        select(Member.id, Member.name, Member.role_key, Member.manager_id, Member.is_active).where(
            Member.id == member_id
        )
    ).one_or_none()
    if row is None or not row.is_active:
        raise Forbidden(N_("Whoever started this does not belong to the workspace any more."))
    membership = Membership(workspace, row.id, row.name, row.role_key, row.manager_id, None)
    return actor_of(session, membership, catalog, workspace.day_of(now))


def refusals(session: WorkspaceSession, job_id: int, *, limit: int = 100) -> list[RefusedRow]:
    """The first refused rows in file order, with their reasons."""
    found: list[RefusedRow] = []
    statement = (
        select(ImportBatch.refusals)
        .where(ImportBatch.job_id == job_id, func.length(ImportBatch.verdicts) > 0)
        .order_by(ImportBatch.number)
    )
    for (batch,) in session.execute(statement):
        found += [RefusedRow(*item) for item in batch]
        if len(found) >= limit:
            break
    return sorted(found[:limit], key=lambda item: item.line)


def kept(session: WorkspaceSession, actor: Actor, job_id: int) -> tuple[KeptRecord, ...]:
    """The first records that undoing the import left, with the reason of each."""
    found: list[Any] = []
    batches = select(Batch.kept).where(Batch.job_id == job_id, Batch.undone_at.is_not(None))
    for left in session.scalars(batches.order_by(Batch.id)):
        found += left
        if len(found) >= LISTED_KEPT:
            break
    return kept_records(session, actor, found[:LISTED_KEPT])


def verdicts(session: WorkspaceSession, job_id: int) -> Iterator[RowVerdict]:
    """What became of every row, batch by batch. Refused rows come with their reason."""
    statement = (
        select(ImportBatch.verdicts, ImportBatch.lines, ImportBatch.refusals)
        .where(ImportBatch.job_id == job_id)
        .order_by(ImportBatch.number)
    )
    for letters, lines, refused in session.execute(statement):
        reasons = {item[0]: RefusedRow(*item) for item in refused}
        for letter, line in zip(letters, lines, strict=True):
            yield RowVerdict(line, letter, reasons.get(line))
