"""Pairs of records that look alike, what people said about them, and the searches that found them (S121)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Double, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string


class DuplicatePair(Base, WorkspaceScoped):
    """Two records of an object that look alike; ``one_id`` is the smaller id.

    ``state``: open, later or distinct. What was said holds while ``digest``, of what both say, stays as it
    is. ``reasons`` hold ``[kind, field, percent]``.
    """

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("workspace_id", "object_key", "one_id", "other_id"),
        Index("ix_duplicate_pair_likeness", "workspace_id", "object_key", "state", "likeness", "id"),
    )

    object_key: Mapped[str] = mapped_column(key_string())
    one_id: Mapped[int]
    other_id: Mapped[int]
    likeness: Mapped[float] = mapped_column(Double)
    reasons: Mapped[list[Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(key_string(10))
    digest: Mapped[str] = mapped_column(String(64))
    found_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]


class DuplicateSearch(Base, WorkspaceScoped):
    """One pass over the match keys of an object. ``crowded_keys``: those that very many records share, of
    which only neighbours by name were compared; ``is_cut``: there were more pairs than are kept.
    """

    __tablename__ = "duplicate_search"
    __table_args__ = (Index("ix_duplicate_search_object", "workspace_id", "object_key", "id"),)

    object_key: Mapped[str] = mapped_column(key_string())
    status: Mapped[str] = mapped_column(key_string(20))
    total_keys: Mapped[int | None]
    done_keys: Mapped[int] = mapped_column(default=0)
    compared_pairs: Mapped[int] = mapped_column(default=0)
    found_pairs: Mapped[int] = mapped_column(default=0)
    crowded_keys: Mapped[int] = mapped_column(default=0)
    is_cut: Mapped[bool] = mapped_column(default=False)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    finished_at: Mapped[datetime | None]
