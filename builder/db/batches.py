"""Batches: what was done to many records at once, so that it can be undone as a whole (B24)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string


class Batch(Base, WorkspaceScoped):
    """What was done to many records as one act; the events that it logged carry its id.

    ``kind``: import, edit, move, delete or merge; of an import, ``job_id`` names its job. ``refused`` holds
    ``[record id, name, message key, values, field]`` for each reason of the records that were left out, the
    first thousand; once undone, ``kept`` holds ``[record id, reason]`` of those that stayed as the batch had
    left them. ``state``: done, or while the background works at it queued, running, undoing, and then maybe
    failed (``problem``: a message key with its values) or stopped. ``plan``: what the background does, to
    ``total_records``, of which it has passed those up to ``after_id``. ``waiting_records``: moves among those
    done that wait for approval.
    """

    __tablename__ = "batch"
    __table_args__ = (Index("ix_batch_job", "workspace_id", "job_id", "id"),)

    kind: Mapped[str] = mapped_column(key_string(20))
    object_key: Mapped[str] = mapped_column(key_string())
    job_id: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    state: Mapped[str] = mapped_column(key_string(20), default="done")
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    total_records: Mapped[int] = mapped_column(default=0)
    after_id: Mapped[int] = mapped_column(default=0)
    done_records: Mapped[int] = mapped_column(default=0)
    waiting_records: Mapped[int] = mapped_column(default=0)
    refused_records: Mapped[int] = mapped_column(default=0)
    refused: Mapped[list[Any]] = mapped_column(JSON, default=list)
    undone_at: Mapped[datetime | None]
    removed_records: Mapped[int] = mapped_column(default=0)
    restored_records: Mapped[int] = mapped_column(default=0)
    kept: Mapped[list[Any]] = mapped_column(JSON, default=list)
