"""Notes on records, and what is told to whom (S125)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from builder.db.base import Base, WorkspaceScoped, key_string

_UNREAD = text("read_at IS NULL")


class Note(Base, WorkspaceScoped):
    """What somebody wrote on a record. ``files``: what is told of the stored files that belong to it.

    ``mentions`` are the members that the text names. A removed note (``deleted_at``) keeps neither text nor
    files.
    """

    __tablename__ = "note"
    __table_args__ = (Index("ix_note_record", "workspace_id", "record_id", "id"),)

    record_id: Mapped[int]
    author_id: Mapped[int | None]
    text: Mapped[str] = mapped_column(Text)
    mentions: Mapped[list[Any]]
    files: Mapped[list[Any]]
    revision: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class Notice(Base, WorkspaceScoped):
    """Something that a member should hear of: ``kind`` says what, ``actor_id`` who brought it about."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_member", "workspace_id", "member_id", "id"),
        Index(
            "ix_notice_unread",
            "workspace_id",
            "member_id",
            "id",
            sqlite_where=_UNREAD,
            postgresql_where=_UNREAD,
        ),
        Index("ix_notice_note", "workspace_id", "note_id"),
    )

    member_id: Mapped[int]
    kind: Mapped[str] = mapped_column(key_string(20))
    record_id: Mapped[int]
    note_id: Mapped[int | None]
    actor_id: Mapped[int | None]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
