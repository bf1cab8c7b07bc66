"""Batches: what was done to many records at once, so that it can be undone as a whole (B24)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string


class Batch(Base, WorkspaceScoped):
    """One transaction's worth of changes; the events that it logged carry its id.

    ``kind``: import, edit or delete; of an import, ``job_id`` names its job. ``refused`` holds ``[record id,
    name, message key, values, field]`` of the records that were left out; once undone, ``kept`` holds
    ``[record id, reason]`` of those that stayed as the batch had left them.
    """

    __tablename__ = "batch"
    __table_args__ = (Index("ix_batch_job", "workspace_id", "job_id", "id"),)

    kind: Mapped[str] = mapped_column(key_string(20))
    object_key: Mapped[str] = mapped_column(key_string())
    job_id: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    done_records: Mapped[int] = mapped_column(default=0)
    refused: Mapped[list[Any]] = mapped_column(JSON, default=list)
    undone_at: Mapped[datetime | None]
    removed_records: Mapped[int] = mapped_column(default=0)
    restored_records: Mapped[int] = mapped_column(default=0)
    kept: Mapped[list[Any]] = mapped_column(JSON, default=list)
