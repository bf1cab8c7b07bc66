"""The ledger: stays, slices, move requests, events and the roll-up (head of metrics.md)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Double, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string
from builder.domain.rollup import ALL_TIME


class StayRow(Base, WorkspaceScoped):
    """One visit of a record to a stage. ``sequence`` counts a record's stays from 0.

    ``entered_at``/``left_at`` are effective times (null: unknown, or still there, told apart by
    ``left_via``); ``recorded_at`` is system time and never edited. ``seconds`` is stored when the
    stay ends. ``answers`` is the feedback given, ``feedback_version_id`` the form it was given under.
    """

    __tablename__ = "stay"
    __table_args__ = (
        Index("ix_stay_record", "workspace_id", "record_id", "sequence", unique=True),
        # The lists behind figures are walked from the latest entry on; the way out and the record are in the
        # index, so that visits that do not count are stepped over without being read. So are amounts: the
        # funnel of a period of days is counted here alone.
        Index(
            "ix_stay_entered",
            "workspace_id",
            "pipeline_key",
            "stage_key",
            "entered_at",
            "id",
            "left_via",
            "record_id",
            "sequence",
            "currency",
            "amount_minor",
        ),
        Index("ix_stay_period", "workspace_id", "pipeline_key", "entered_at"),
        Index(
            "ix_stay_open",
            "workspace_id",
            "record_id",
            unique=True,
            sqlite_where=text("left_via IS NULL"),
            postgresql_where=text("left_via IS NULL"),
        ),
    )

    record_id: Mapped[int]
    sequence: Mapped[int] = mapped_column(Integer)
    pipeline_key: Mapped[str] = mapped_column(key_string())
    pipeline_version_id: Mapped[int]
    stage_key: Mapped[str] = mapped_column(key_string())
    stage_kind: Mapped[str] = mapped_column(key_string(10))
    position: Mapped[int] = mapped_column(Integer)
    entered_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    entered_via: Mapped[str] = mapped_column(key_string(20))
    left_via: Mapped[str | None] = mapped_column(key_string(20))
    entered_by: Mapped[int | None]
    left_by: Mapped[int | None]
    seconds: Mapped[float | None] = mapped_column(Double)
    next_stage_key: Mapped[str | None] = mapped_column(key_string())
    skipped: Mapped[list[Any] | None] = mapped_column(JSON)
    owner_id: Mapped[int | None]
    department_id: Mapped[int | None]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    rate: Mapped[float | None] = mapped_column(Double)
    probability: Mapped[int | None] = mapped_column(Integer)
    is_loaded: Mapped[bool] = mapped_column(default=False)
    feedback_key: Mapped[str | None] = mapped_column(key_string())
    feedback_version_id: Mapped[int | None]
    answers: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    tasks_done: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    is_marked: Mapped[bool] = mapped_column(default=False)
    reason_key: Mapped[str | None] = mapped_column(key_string())
    reason_note: Mapped[str | None] = mapped_column(Text)
    override_reason: Mapped[str | None] = mapped_column(Text)


class SliceRow(Base, WorkspaceScoped):
    """A period in which a record's reported columns stood still, by effective time (B6)."""

    __tablename__ = "slice"
    __table_args__ = (
        Index("ix_slice_record", "workspace_id", "record_id", "valid_from"),
        Index("ix_slice_period", "workspace_id", "object_key", "valid_from", "valid_to"),
    )

    record_id: Mapped[int]
    object_key: Mapped[str] = mapped_column(key_string())
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
    pipeline_key: Mapped[str | None] = mapped_column(key_string())
    stage_key: Mapped[str | None] = mapped_column(key_string())
    outcome: Mapped[str | None] = mapped_column(key_string(10))
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    expected_close_on: Mapped[date | None]
    probability: Mapped[int | None] = mapped_column(Integer)
    forecast_category: Mapped[str | None] = mapped_column(key_string(20))
    owner_id: Mapped[int | None]
    department_id: Mapped[int | None]


class MoveRequestRow(Base, WorkspaceScoped):
    """A parked move with its answers and the version it was made under, waiting for approval.

    A record has at most one that waits: a later one replaces it (``status`` *replaced*).
    """

    __tablename__ = "move_request"
    __table_args__ = (
        Index("ix_move_request_record", "workspace_id", "record_id"),
        Index(
            "uq_move_request_waiting",
            "workspace_id",
            "record_id",
            unique=True,
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    record_id: Mapped[int]
    stay_id: Mapped[int | None]
    pipeline_version_id: Mapped[int]
    from_stage_key: Mapped[str] = mapped_column(key_string())
    to_stage_key: Mapped[str] = mapped_column(key_string())
    status: Mapped[str] = mapped_column(key_string(20))
    round: Mapped[int] = mapped_column(Integer, default=1)
    command: Mapped[dict[str, Any]] = mapped_column(JSON)
    approver_id: Mapped[int | None]
    approver_role: Mapped[str | None] = mapped_column(key_string())
    requested_by: Mapped[int | None]
    requested_at: Mapped[datetime]
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(Text)


class EventRow(Base, WorkspaceScoped):
    """Append-only log of all that happened: timeline, audit and outbox in one. Kinds are past tense.

    ``batch_id``: the batch that it was a part of, so that all of it can be undone (B24). ``origin``: where it
    came from: a network address, or none for commands and background work (S119).
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_record", "workspace_id", "record_id", "id"),
        Index("ix_event_recorded", "workspace_id", "recorded_at", "id"),
        Index(
            "ix_event_batch",
            "workspace_id",
            "batch_id",
            "id",
            sqlite_where=text("batch_id IS NOT NULL"),
            postgresql_where=text("batch_id IS NOT NULL"),
        ),
    )

    kind: Mapped[str] = mapped_column(key_string(60))
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor_id: Mapped[int | None]
    object_key: Mapped[str | None] = mapped_column(key_string())
    record_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    request_id: Mapped[str | None] = mapped_column(String(64))
    batch_id: Mapped[int | None]
    origin: Mapped[str | None] = mapped_column(String(64))


ROLLUP_CELL = (
    "workspace_id",
    "pipeline_key",
    "measure",
    "stage_key",
    "owner_id",
    "department_id",
    "currency",
    "month_from",
    "month_to",
)
OF_ALL_TIME = f"month_from = {ALL_TIME} AND month_to = {ALL_TIME}"


class RollupCells(WorkspaceScoped):
    """The columns of signed sums of ``domain.rollup`` cells."""

    pipeline_key: Mapped[str] = mapped_column(key_string())
    measure: Mapped[str] = mapped_column(key_string(30))
    # Of what has ended: outcome, reason and stage left.
    stage_key: Mapped[str] = mapped_column(key_string(180))
    owner_id: Mapped[int]
    department_id: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    month_from: Mapped[int] = mapped_column(Integer)
    month_to: Mapped[int] = mapped_column(Integer)
    n: Mapped[int]
    amount_minor: Mapped[int]
    weighted_minor: Mapped[int]


class FunnelRollup(Base, RollupCells):
    """Signed sums of ``domain.rollup`` cells, one row per cell; what ``RollupDelta`` holds is to be added.

    Grain: ``owner_id = department_id = 0`` is the whole workspace, otherwise owner × department (records
    without one count under −1).
    """

    __tablename__ = "funnel_rollup"
    __table_args__ = (
        # Months of an owner and of a department, whole in the index: what a manager sees is either.
        *(
            Index(
                f"ix_funnel_rollup_{first}",
                "workspace_id",
                "pipeline_key",
                f"{first}_id",
                "measure",
                "month_from",
                "month_to",
                f"{second}_id",
                "stage_key",
                "currency",
                "n",
                "amount_minor",
            )
            for first, second in (("owner", "department"), ("department", "owner"))
        ),
        # Figures of all time, whole in the index: a comparison of owners would step over all of their months.
        Index(
            "ix_funnel_rollup_all_time",
            "workspace_id",
            "pipeline_key",
            "measure",
            "owner_id",
            "stage_key",
            "currency",
            "department_id",
            "n",
            "amount_minor",
            "weighted_minor",
            "month_from",
            "month_to",
            sqlite_where=text(OF_ALL_TIME),
            postgresql_where=text(OF_ALL_TIME),
        ),
        Index("uq_funnel_rollup_cell", *ROLLUP_CELL, unique=True),
    )


class RollupDelta(Base, RollupCells):
    """Differences of cells that ``FunnelRollup`` lacks yet, of owner × department: together they are also the
    whole workspace's.

    A write only appends here, so two moves never wait for one row, and a row stands in none of the wide
    indexes of the sums, where the cells of one move changed 150 pages. Folding (``services.rollup``) adds
    them up.
    """

    __tablename__ = "rollup_delta"
    __table_args__ = (Index("ix_rollup_delta_measure", "workspace_id", "pipeline_key", "measure"),)
