"""Export jobs for reading: one's own and nobody else's, for a file may hold more than others may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from builder.db.exports import ExportJob
from builder.db.imports import StoredFile
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import NotFound

LISTED = 50
RUNNING = ("queued", "running")


@dataclass(frozen=True)
class ExportRow:
    """One export as lists and pages show it. ``file_size`` in bytes, once the file is whole."""

    id: int
    object_key: str
    status: str
    options: dict[str, Any]
    file_id: int | None
    file_size: int | None
    total_rows: int | None
    done_rows: int
    problem: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime

    @property
    def file_name(self) -> str:
        return f"{self.options['file_name']}.{self.options['format']}"

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING

    @property
    def percent(self) -> int:
        """How much is done, 0–100."""
        if self.status == "done":
            return 100
        return min(99, self.done_rows * 100 // self.total_rows) if self.total_rows else 0

    def has_file(self, now: datetime) -> bool:
        """Whether it can be downloaded."""
        return self.file_id is not None and now < self.expires_at

    def rate(self, now: datetime) -> float | None:
        """Rows a second since the start."""
        if self.started_at is None:
            return None
        seconds = ((self.finished_at or now) - self.started_at).total_seconds()
        return self.done_rows / seconds if seconds > 0 else None


def recent(session: WorkspaceSession, actor: Actor) -> list[ExportRow]:
    """The actor's latest exports, newest first."""
    statement = _jobs(actor).order_by(ExportJob.created_at.desc(), ExportJob.id.desc()).limit(LISTED)
    return [ExportRow(**row._mapping) for row in session.execute(statement)]


def job(session: WorkspaceSession, actor: Actor, job_id: int) -> ExportRow:
    """Errors: NotFound, for somebody else's as well."""
    row = session.execute(_jobs(actor).where(ExportJob.id == job_id)).one_or_none()
    if row is None:
        raise NotFound()
    return ExportRow(**row._mapping)


def running_count(session: WorkspaceSession, actor: Actor) -> int:
    """How many exports of the actor have not ended."""
    statement = select(func.count()).where(
        ExportJob.created_by == actor.member_id, ExportJob.status.in_(RUNNING)
    )
    return session.scalar(statement) or 0


def _jobs(actor: Actor) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ExportJob.id,
            ExportJob.object_key,
            ExportJob.status,
            ExportJob.options,
            ExportJob.file_id,
            StoredFile.size.label("file_size"),
            ExportJob.total_rows,
            ExportJob.done_rows,
            ExportJob.problem,
            ExportJob.created_at,
            ExportJob.started_at,
            ExportJob.finished_at,
            ExportJob.expires_at,
        )
        .outerjoin(StoredFile, StoredFile.id == ExportJob.file_id)
        .where(ExportJob.created_by == actor.member_id)
    )
