"""Records of every object: typed columns for every process, slots for filters, JSON for the rest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Double,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string

TEXT_SLOTS = tuple(f"t{number:02}" for number in range(1, 21))
NUMBER_SLOTS = tuple(f"n{number:02}" for number in range(1, 21))
LIVE = text("deleted_at IS NULL")
# Value × probability, by which lists are ordered (S46): kept by the database, so no writer can forget it.
WEIGHTED = "CAST(amount_minor AS DOUBLE PRECISION) * probability / 100.0"
WON = "outcome = 'won' AND deleted_at IS NULL"
DELETED = "deleted_at IS NOT NULL"
ENDED = "outcome <> 'open' AND deleted_at IS NULL"


class Record(Base, WorkspaceScoped):
    """One record. ``data`` is the truth; typed columns and slots are copies made by projections.

    ``journey`` is the compact text of all visits (``domain.journey``), ``stay_id`` the open stay and
    ``slice_id`` the open slice, which each change of a reported column closes. ``weighted`` is the amount ×
    probability in minor units, ``cycle`` a won one's microseconds from the beginning to the close (M10).
    ``revision`` rises with each save or move and guards against stale writes. ``merged_into_id``: the record
    that a deleted one was merged into; ``merged_ids`` are, of a live one, all that were merged into it.
    ``erased_at``: when a person's data was erased from it; what is left is anonymous.
    """

    __tablename__ = "record"

    object_key: Mapped[str] = mapped_column(key_string())
    definition_version_id: Mapped[int]
    number: Mapped[str | None] = mapped_column(key_string())
    name: Mapped[str] = mapped_column(key_string(400), default="")
    external_key: Mapped[str | None] = mapped_column(key_string(200))
    owner_id: Mapped[int | None]
    department_id: Mapped[int | None]
    pipeline_key: Mapped[str | None] = mapped_column(key_string())
    pipeline_version_id: Mapped[int | None]
    stage_key: Mapped[str | None] = mapped_column(key_string())
    outcome: Mapped[str | None] = mapped_column(key_string(10))
    reason_key: Mapped[str | None] = mapped_column(key_string())
    stay_id: Mapped[int | None]
    slice_id: Mapped[int | None]
    stage_entered_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cycle: Mapped[int | None]
    journey: Mapped[str] = mapped_column(Text, default="")
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    expected_close_on: Mapped[date | None]
    probability: Mapped[int | None] = mapped_column(Integer)
    probability_override: Mapped[int | None] = mapped_column(Integer)
    weighted: Mapped[float | None] = mapped_column(Double, Computed(WEIGHTED, persisted=True))
    forecast_category: Mapped[str | None] = mapped_column(key_string(20))
    converted_from_id: Mapped[int | None]
    is_loaded: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    updated_at: Mapped[datetime]
    updated_by: Mapped[int | None]
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[int | None]
    merged_into_id: Mapped[int | None]
    merged_ids: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    erased_at: Mapped[datetime | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


for _slot in TEXT_SLOTS:
    setattr(Record, _slot, Column(_slot, key_string(400), nullable=True))
for _slot in NUMBER_SLOTS:
    setattr(Record, _slot, Column(_slot, Double, nullable=True))

_table = Record.__table__
_scope = (_table.c.workspace_id, _table.c.object_key)
for _slot in TEXT_SLOTS + NUMBER_SLOTS:
    _filled = text(f"{_slot} IS NOT NULL AND deleted_at IS NULL")
    Index(
        f"ix_record_{_slot}",
        *_scope,
        _table.c[_slot],
        _table.c.id,
        sqlite_where=_filled,
        postgresql_where=_filled,
    )
for _name, _columns in {
    "name": ("object_key", "name", "id"),
    # SQLite looks at what the index is about in every row, here or in the table: search walks these.
    "updated_at": ("object_key", "updated_at", "id", "deleted_at"),
    "created_at": ("object_key", "created_at", "id"),
    "owner": ("object_key", "owner_id", "updated_at", "id", "deleted_at"),
    "department": ("object_key", "department_id", "updated_at", "id", "deleted_at"),
    "closed_at": ("object_key", "closed_at", "id"),
}.items():
    Index(
        f"ix_record_{_name}",
        _table.c.workspace_id,
        *(_table.c[column] for column in _columns),
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
_weighed = text("weighted IS NOT NULL AND deleted_at IS NULL")
Index(
    "ix_record_weighted",
    *_scope,
    _table.c.weighted,
    _table.c.id,
    sqlite_where=_weighed,
    postgresql_where=_weighed,
)
# Open records of a person, those longest in their stage first (Today), with what says whether they are late.
_open = text("outcome = 'open' AND deleted_at IS NULL")
Index(
    "ix_record_open",
    *(_table.c[_name] for _name in ("workspace_id", "pipeline_key", "owner_id", "stage_entered_at", "id")),
    *(_table.c[_name] for _name in ("expected_close_on", "stage_key")),
    sqlite_where=_open,
    postgresql_where=_open,
)
for _name, _columns in {
    "board": ("pipeline_key", "stage_key"),
    "board_owner": ("pipeline_key", "owner_id", "stage_key"),
    "board_department": ("pipeline_key", "department_id", "stage_key"),
}.items():
    # A column of a board runs from the latest entry to unknown ones: on PostgreSQL only an index in exactly
    # that order of nulls serves it; SQLite's nulls are the smallest, so its plain index does.
    for _dialect, _suffix, _order in (
        ("sqlite", "", (_table.c.stage_entered_at, _table.c.id)),
        ("postgresql", "_latest", (_table.c.stage_entered_at.desc().nulls_last(), _table.c.id.desc())),
    ):
        Index(
            f"ix_record_{_name}{_suffix}",
            _table.c.workspace_id,
            *(_table.c[column] for column in _columns),
            *_order,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
            info={"dialect": _dialect},
        ).ddl_if(dialect=_dialect)
# Amounts and cycles of won records in their order, of everybody and of each owner: for medians.
for _name, _value in {"amount": ("currency", "amount_minor"), "cycle": ("cycle",)}.items():
    for _suffix, _columns in {
        "": (*_value, "owner_id", "department_id"),
        "_owner": ("owner_id", *_value, "department_id"),
    }.items():
        Index(
            f"ix_record_won_{_name}{_suffix}",
            _table.c.workspace_id,
            _table.c.pipeline_key,
            *(_table.c[column] for column in _columns),
            # SQLite looks at what the index is about in every row, here or in the table.
            _table.c.outcome,
            _table.c.deleted_at,
            sqlite_where=text(WON),
            postgresql_where=text(WON),
        )
# What has ended, by its end: lists behind wins and reasons run along it, and reports of a period read nothing
# else. Open records are not in it, so only what ends is written to it.
Index(
    "ix_record_ended",
    *(_table.c[_name] for _name in ("workspace_id", "pipeline_key", "outcome", "closed_at", "id")),
    *(_table.c[_name] for _name in ("object_key", "owner_id", "department_id", "reason_key")),
    *(_table.c[_name] for _name in ("currency", "amount_minor", "cycle", "deleted_at")),
    sqlite_where=text(ENDED),
    postgresql_where=text(ENDED),
)
# The recycle bin, the latest deletion first: among a million records it would read all of them.
Index(
    "ix_record_deleted",
    *(_table.c[_name] for _name in ("workspace_id", "deleted_at", "id")),
    sqlite_where=text(DELETED),
    postgresql_where=text(DELETED),
)
# How a record stands, by its id: what a period's visits ask of it, which lie side by side here and not on a
# page for each.
Index(
    "ix_record_standing",
    *(_table.c[_name] for _name in ("workspace_id", "id", "object_key", "pipeline_key", "outcome")),
    *(_table.c[_name] for _name in ("owner_id", "department_id", "deleted_at")),
)
# What reports with a free filter read of each record, side by side: SQLite would fetch every row, with its
# document, from a page of its own. PostgreSQL reads pages in their order, and an index of its has 32 columns.
Index(
    "ix_record_report",
    *_scope,
    *(_table.c[_name] for _name in ("owner_id", "journey", "currency", "amount_minor", "id", "deleted_at")),
    *(_table.c[_name] for _name in ("department_id", "pipeline_key", "stage_key", "outcome", "probability")),
    *(_table.c[_name] for _name in ("expected_close_on", "created_at", "closed_at", "stage_entered_at")),
    _table.c.cycle,
    *(_table.c[_slot] for _slot in TEXT_SLOTS + NUMBER_SLOTS),
    sqlite_where=LIVE,
    info={"dialect": "sqlite"},
).ddl_if(dialect="sqlite")
Index("ix_record_external_key", *_scope, _table.c.external_key)
Index(
    "ix_record_converted_from",
    _table.c.workspace_id,
    _table.c.converted_from_id,
    sqlite_where=text("converted_from_id IS NOT NULL"),
    postgresql_where=text("converted_from_id IS NOT NULL"),
)
Index(
    "ix_record_merged_into",
    _table.c.workspace_id,
    _table.c.merged_into_id,
    sqlite_where=text("merged_into_id IS NOT NULL"),
    postgresql_where=text("merged_into_id IS NOT NULL"),
)


class Link(Base, WorkspaceScoped):
    """Record → record by a reference field: keeps references honest and makes reverse lists fast."""

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("workspace_id", "record_id", "field_key", "target_id"),
        Index("ix_link_target", "workspace_id", "target_id", "field_key", "record_id"),
    )

    record_id: Mapped[int]
    field_key: Mapped[str] = mapped_column(key_string())
    target_id: Mapped[int]


class SearchToken(Base):
    """One word or gram of one record; the key finds prefixes and works under row-level security.

    The object leads the token, so that typing into a field that refers to a small object never walks the
    words of a large one. ``field_key``: the field that holds the word, ``""`` for the name: a role that hides
    the field does not find the record by it (S118).
    """

    __tablename__ = "search_token"

    workspace_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    object_key: Mapped[str] = mapped_column(key_string(), primary_key=True)
    token: Mapped[str] = mapped_column(key_string(), primary_key=True)
    record_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    field_key: Mapped[str] = mapped_column(key_string(), primary_key=True)

    __table_args__ = (
        Index("ix_search_token_record", "workspace_id", "record_id", "token"),
        {"sqlite_with_rowid": False},
    )


class RecordShare(Base, WorkspaceScoped):
    """A record shown to a member beyond row visibility (S34)."""

    __tablename__ = "record_share"
    __table_args__ = (
        UniqueConstraint("workspace_id", "record_id", "member_id"),
        Index("ix_record_share_member", "workspace_id", "member_id", "record_id"),
    )

    record_id: Mapped[int]
    member_id: Mapped[int]
    can_edit: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class RecordNumber(Base):
    """The last count given out per field of type *automatic number*, within its period."""

    __tablename__ = "record_number"

    workspace_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    object_key: Mapped[str] = mapped_column(key_string(), primary_key=True)
    field_key: Mapped[str] = mapped_column(key_string(), primary_key=True)
    period: Mapped[str] = mapped_column(key_string(20), default="")
    last: Mapped[int] = mapped_column(default=0)


class GivenNumber(Base):
    """The automatic numbers that records have: a copy, by which a number is found."""

    __tablename__ = "given_number"
    __table_args__ = (
        Index("ix_given_number_record", "workspace_id", "record_id"),
        {"sqlite_with_rowid": False},
    )

    workspace_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    object_key: Mapped[str] = mapped_column(key_string(), primary_key=True)
    field_key: Mapped[str] = mapped_column(key_string(), primary_key=True)
    value: Mapped[str] = mapped_column(key_string(), primary_key=True)
    record_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
