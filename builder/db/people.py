"""Workspaces, sign-ins, members, departments (dated, as a tree) and memberships of departments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import JSON

from builder.db.base import Base, WorkspaceScoped, key_string


class Workspace(Base):
    """One client company. ``definitions_stamp`` changes with every publish (see CONTRIBUTING)."""

    __tablename__ = "workspace"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(key_string(), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(20), default="en")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    definitions_stamp: Mapped[int] = mapped_column(default=0)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]


class PlatformRole(Base):
    """Roles outside any workspace (Flask-Security's role model); roles of a workspace are definitions."""

    __tablename__ = "platform_role"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(key_string(), unique=True)
    description: Mapped[str | None] = mapped_column(String(255))


class UserPlatformRole(Base):
    __tablename__ = "user_platform_role"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("platform_role.id"), primary_key=True)


class UserAccount(Base):
    """A sign-in. Columns beyond name, locale and zone are those that Flask-Security asks for."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    confirmed_at: Mapped[datetime | None]
    locale: Mapped[str | None] = mapped_column(String(20))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    theme: Mapped[str | None] = mapped_column(String(10))
    last_workspace_id: Mapped[int | None] = mapped_column(BigInteger)
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    tf_phone_number: Mapped[str | None] = mapped_column(String(128))
    mf_recovery_codes: Mapped[list[Any] | None] = mapped_column(JSON)
    create_datetime: Mapped[datetime]
    update_datetime: Mapped[datetime]
    roles: Mapped[list[PlatformRole]] = relationship(secondary="user_platform_role", lazy="select")


class Member(Base, WorkspaceScoped):
    """A person of one workspace; ``user_id`` is their sign-in, if they have one. ``manager_id``: 直属上级.

    ``successor_id``: who gets what they own, while it is being handed over.
    ``unread_notices`` is a copy, so that every page can show it: how many notices they have not read.
    """

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("workspace_id", "user_id"),
        Index("ix_member_user", "user_id"),
        Index("ix_member_name", "workspace_id", "name"),
    )

    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(255))
    role_key: Mapped[str] = mapped_column(key_string())
    manager_id: Mapped[int | None] = mapped_column(BigInteger)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    successor_id: Mapped[int | None] = mapped_column(BigInteger)
    unread_notices: Mapped[int] = mapped_column(Integer, default=0)
    revision: Mapped[int] = mapped_column(Integer, default=1)


class Department(Base, WorkspaceScoped):
    """A department; ``path`` is the ids from the root, ``/1/5/``, so a subtree is a prefix."""

    __tablename__ = "department"
    __table_args__ = (Index("ix_department_path", "workspace_id", "path"),)

    name: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    revision: Mapped[int] = mapped_column(Integer, default=1)


class DepartmentMember(Base, WorkspaceScoped):
    """From when until when (half-open) a member belongs to a department."""

    __tablename__ = "department_member"
    __table_args__ = (Index("ix_department_member_member", "workspace_id", "member_id"),)

    member_id: Mapped[int]
    department_id: Mapped[int]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
