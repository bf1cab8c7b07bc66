"""Stored definitions and their versions; texts and library of packs; exchange rates; saved views."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string


class Definition(Base, WorkspaceScoped):
    """One thing the admin defines: ``kind`` (object, pipeline, feedback, view, funnel, role, and pack_install
    for a pack that some of them came from) and ``key``."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "key"),)

    kind: Mapped[str] = mapped_column(key_string(20))
    key: Mapped[str] = mapped_column(key_string())
    live_version_id: Mapped[int | None]
    created_at: Mapped[datetime]


class DefinitionVersion(Base, WorkspaceScoped):
    """One version of a document: draft, published or retired. A published document never changes.

    ``schema`` is the completed JSON Schema of its fields (objects and feedback), ``slots`` the typed
    column of each filterable field. ``base_id``: of a draft, the version that was live when it was begun;
    ``change_set_id``: of the others, with what they went live.
    """

    __tablename__ = "definition_version"
    __table_args__ = (UniqueConstraint("workspace_id", "definition_id", "number"),)

    definition_id: Mapped[int]
    number: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(key_string(20))
    grammar: Mapped[int] = mapped_column(Integer)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    schema: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    slots: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    checksum: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None]
    published_at: Mapped[datetime | None]
    base_id: Mapped[int | None]
    change_set_id: Mapped[int | None]


class ChangeSet(Base, WorkspaceScoped):
    """What was published together, by whom and why (B7). ``source``: studio, pack, file, import or rollback.

    ``undoes_id``: of a rollback, the change set that it takes back.
    """

    __tablename__ = "change_set"
    __table_args__ = (UniqueConstraint("workspace_id", "number"),)

    number: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(key_string(20))
    note: Mapped[str] = mapped_column(String(500))
    undoes_id: Mapped[int | None]
    published_at: Mapped[datetime]
    published_by: Mapped[int | None]


class PackBase(Base, WorkspaceScoped):
    """The text that a pack had for a definition when it was installed: base of later three-way merges (B9).

    Found by its checksum, which the ``pack_install`` definitions name; never changed.
    """

    __tablename__ = "pack_base"
    __table_args__ = (UniqueConstraint("workspace_id", "checksum"),)

    checksum: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]] = mapped_column(JSON)


class LibraryPack(Base, WorkspaceScoped):
    """A pack in the library of a workspace. ``user_id``: the sign-in that put it there, who sees it in all
    workspaces of theirs (a consultant's own library, S116).
    """

    __tablename__ = "library_pack"
    __table_args__ = (
        UniqueConstraint("workspace_id", "pack_key", "version"),
        Index("ix_library_pack_user", "user_id"),
    )

    pack_key: Mapped[str] = mapped_column(key_string())
    version: Mapped[str] = mapped_column(String(40))
    checksum: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    saved_at: Mapped[datetime]
    saved_by: Mapped[int | None]


class ExchangeRate(Base, WorkspaceScoped):
    """One unit of ``currency`` in the workspace's currency, from ``valid_on`` on."""

    __tablename__ = "exchange_rate"
    __table_args__ = (UniqueConstraint("workspace_id", "currency", "valid_on"),)

    currency: Mapped[str] = mapped_column(String(3))
    valid_on: Mapped[date]
    rate: Mapped[Decimal] = mapped_column(Numeric(24, 12, asdecimal=True).with_variant(String(40), "sqlite"))


class SavedView(Base, WorkspaceScoped):
    """A list or board view that a member saved; shared with all when ``is_shared``."""

    __tablename__ = "saved_view"
    __table_args__ = (Index("ix_saved_view_object", "workspace_id", "object_key"),)

    member_id: Mapped[int]
    object_key: Mapped[str] = mapped_column(key_string())
    name: Mapped[str] = mapped_column(String(200))
    is_shared: Mapped[bool] = mapped_column(default=False)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Arrangement(Base):
    """How a member has arranged a page for themselves: which columns of a board are folded, what its cards
    show. ``place`` names the page, ``document`` holds what they chose.
    """

    __tablename__ = "arrangement"

    workspace_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(key_string(200), primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    updated_at: Mapped[datetime]
