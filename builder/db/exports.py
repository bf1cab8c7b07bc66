"""Exports that run in the background; their files are ``stored_file`` rows, as those of imports are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string


class ExportJob(Base, WorkspaceScoped):
    """Records being written into a file. ``options`` hold the plan; ``file_id`` is the file once it is whole.

    The file is for whoever asked for it, and is removed at ``expires_at``. ``problem`` is a message key with
    its values.
    """

    __tablename__ = "export_job"
    __table_args__ = (Index("ix_export_job_created_by", "workspace_id", "created_by", "created_at"),)

    object_key: Mapped[str] = mapped_column(key_string())
    status: Mapped[str] = mapped_column(key_string(20))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    file_id: Mapped[int | None]
    total_rows: Mapped[int | None]
    done_rows: Mapped[int] = mapped_column(default=0)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    created_by: Mapped[int]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
