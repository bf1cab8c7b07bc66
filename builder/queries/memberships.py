"""Which workspaces a sign-in belongs to, and who acts in one of them (idea 7, part 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Date, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from builder.db.people import Department, DepartmentMember, Member, UserAccount, Workspace
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import N_, Forbidden
from builder.metadata.catalog import Catalog

ROLE_GONE = N_("Your role “%(role)s” is not defined in this workspace. Ask an admin for another one.")


@dataclass(frozen=True)
class Membership:
    """A sign-in's place in one workspace."""

    workspace: WorkspaceInfo
    member_id: int
    name: str
    role_key: str
    manager_id: int | None
    last_seen_at: datetime | None
    unread_notices: int = 0


def memberships_of(session: WorkspaceSession, user_id: int) -> list[Membership]:
    """The active memberships of a sign-in in all workspaces, by name of the workspace: one statement.

    The session must be bound to the sign-in (``bind_user``): on PostgreSQL the wall shows it just these.
    """
    return [membership_of(row) for row in session.execute(_MEMBERSHIPS, {"user_id": user_id})]


def membership_of(row: Sequence[Any]) -> Membership:
    """The membership whose ``MEMBERSHIP`` columns are the values of ``row``."""
    return Membership(WorkspaceInfo(*row[:_WORKSPACE_WIDTH]), *row[_WORKSPACE_WIDTH:])


def count_memberships(session: WorkspaceSession, user_id: int) -> int:
    """In how many workspaces a sign-in has a place, active or not."""
    before = session.info.get("user_id")
    session.bind_user(user_id)
    found = session.scalar(
        select(func.count()).select_from(Member).where(Member.user_id == user_id),
        execution_options={"across_workspaces": True},
    )
    session.bind_user(before or 0)
    return int(found or 0)


def actor_of(session: WorkspaceSession, membership: Membership, catalog: Catalog, today: date) -> Actor:
    """The acting person with the rights of their role; departments are read only where they matter.

    Raises Forbidden when the role is not defined any more.
    """
    role = catalog.roles.get(membership.role_key)
    if role is None:
        raise Forbidden(ROLE_GONE, role=membership.role_key)
    own: tuple[int, ...] = ()
    visible: tuple[int, ...] = ()
    if role.visibility in ("department", "subtree"):
        own, visible = _departments(
            session, membership.member_id, today, subtree=role.visibility == "subtree"
        )
    return Actor(
        member_id=membership.member_id,
        name=membership.name,
        role_key=role.key,
        rights=role.rights,
        visibility=role.visibility,
        department_ids=own,
        visible_department_ids=visible,
        manager_id=membership.manager_id,
        open_objects=catalog.open_objects,
        veils=catalog.veils_of(role.key),
    )


def _departments(
    session: WorkspaceSession, member_id: int, today: date, *, subtree: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The member's departments of today (the one begun last first), and those whose records they see.

    Departments that ended still count below: records of then belong to them.
    """
    statement = _SUBTREES if subtree else _DEPARTMENTS
    rows = session.execute(statement, {"member_id": member_id, "today": today}).all()
    return tuple(dict.fromkeys(row.mine for row in rows)), tuple(dict.fromkeys(row.id for row in rows))


def holds_on(starts_on: Any, ends_on: Any, day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Whether a dated row (half-open, open ends allowed) holds on ``day``."""
    return and_(
        or_(starts_on.is_(None), starts_on <= day),
        or_(ends_on.is_(None), ends_on > day),
    )


# Made once: building a statement costs more than sending it, and these go with every request.
_WORKSPACE_WIDTH = len(fields(WorkspaceInfo))
MEMBERSHIP = (
    *(getattr(Workspace, field.name) for field in fields(WorkspaceInfo)),
    *(Member.id, Member.name, Member.role_key, Member.manager_id, Member.last_seen_at, Member.unread_notices),
)
_MEMBERSHIPS = (
    select(*MEMBERSHIP)
    .join(Member, Member.workspace_id == Workspace.id)
    .where(Member.user_id == bindparam("user_id", type_=BigInteger), Member.is_active)
    .order_by(Workspace.name, Workspace.id)
    .execution_options(across_workspaces=True)
)


@cache
def with_memberships(account: type[UserAccount]) -> Select[*tuple[Any, ...]]:
    """The account of a session (``fs_uniquifier``) once for each of its memberships, or without one: rows of
    the account and the ``MEMBERSHIP`` columns.
    """
    return (
        select(account, *MEMBERSHIP)
        .outerjoin(Member, and_(Member.user_id == account.id, Member.is_active))
        .outerjoin(Workspace, Workspace.id == Member.workspace_id)
        .where(account.fs_uniquifier == bindparam("fs_uniquifier"))
        .order_by(Workspace.name, Workspace.id)
        .execution_options(across_workspaces=True)
    )


_mine = aliased(Department)
_TODAY = bindparam("today", type_=Date)


def _departments_below(is_below: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(_mine.id.label("mine"), Department.id)
        .select_from(DepartmentMember)
        .join(_mine, _mine.id == DepartmentMember.department_id)
        .join(Department, is_below)
        .where(
            DepartmentMember.member_id == bindparam("member_id", type_=BigInteger),
            holds_on(DepartmentMember.starts_on, DepartmentMember.ends_on, _TODAY),
            holds_on(_mine.starts_on, _mine.ends_on, _TODAY),
        )
        .order_by(DepartmentMember.starts_on.desc(), DepartmentMember.id.desc(), Department.path)
    )


_DEPARTMENTS = _departments_below(Department.id == _mine.id)
_SUBTREES = _departments_below(Department.path.like(_mine.path.concat("%")))
