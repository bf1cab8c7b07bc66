"""Which workspaces a sign-in belongs to, and who acts in one of them (idea 7, part 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Date,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from builder.db.engine import PREPARED
from builder.db.people import Department, DepartmentMember, Member, UserAccount, Workspace
from builder.db.records import RecordShare
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import N_, Forbidden
from builder.metadata.catalog import Catalog

ROLE_GONE = N_("Your role “%(role)s” is not defined in this workspace. Ask an admin for another one.")


# Whose row visibility depends on departments.
SEES_DEPARTMENTS = ("department", "subtree")


@dataclass(frozen=True)
class Foreseen:
    """What a sign-in is expected to need of the workspace that an address names, so that one statement reads
    both: the departments of ``today`` of members with one of ``role_keys``, and whether records are shared
    with the member. The session must be bound to that workspace, for the wall shows its shares only.

    A guess by what the process saw before. What is read is always of now; whether it is what is needed is
    asked again when the workspace and its roles are known (``actor_of``).
    """

    workspace_id: int
    today: date
    role_keys: tuple[str, ...]


@dataclass(frozen=True)
class Departments:
    """A member's departments of ``today``, the one begun last first, and for each those at and below it."""

    today: date
    below: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class Membership:
    """A sign-in's place in one workspace. ``departments``, and ``has_shares`` (whether records are shared
    with the member): when they were read together with it.
    """

    workspace: WorkspaceInfo
    member_id: int
    name: str
    role_key: str
    manager_id: int | None
    last_seen_at: datetime | None
    unread_notices: int = 0
    departments: Departments | None = None
    has_shares: bool | None = None


def memberships_of(session: WorkspaceSession, user_id: int) -> list[Membership]:
    """The active memberships of a sign-in in all workspaces, by name of the workspace: one statement.

    The session must be bound to the sign-in (``bind_user``): on PostgreSQL the wall shows it just these.
    """
    return [membership_of(row) for row in session.execute(_MEMBERSHIPS, {"user_id": user_id})]


def membership_of(row: Sequence[Any]) -> Membership:
    """The membership whose ``MEMBERSHIP`` columns are the values of ``row``."""
    return Membership(WorkspaceInfo(*row[:_WORKSPACE_WIDTH]), *row[_WORKSPACE_WIDTH:])


def signed_in(rows: Sequence[Sequence[Any]], foreseen: Foreseen) -> list[Membership]:
    """The memberships of the rows of ``with_memberships``, those foreseen with their departments."""
    found = []
    for _account, *values, departments, has_shares in rows:
        if values[0] is None:
            continue
        membership = replace(membership_of(values), has_shares=has_shares)
        if membership.workspace.id == foreseen.workspace_id and membership.role_key in foreseen.role_keys:
            known = Departments(foreseen.today, _below(departments))
            membership = replace(membership, departments=known)
        found.append(membership)
    return found


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
    if role.visibility in SEES_DEPARTMENTS:
        below = _departments(session, membership, today)
        own = tuple(below)
        is_deep = role.visibility == "subtree"
        visible = tuple(dict.fromkeys(chain.from_iterable(below.values()))) if is_deep else own
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
        has_shares=membership.has_shares is not False,
    )


def _departments(
    session: WorkspaceSession, membership: Membership, today: date
) -> Mapping[int, tuple[int, ...]]:
    """The member's departments of today (the one begun last first), each with those whose records they see.

    Departments that ended still count below: records of then belong to them.
    """
    known = membership.departments
    if known is not None and known.today == today:
        return known.below
    asked = {"member_id": membership.member_id, "today": today}
    return _below(session.execute(_DEPARTMENTS, asked).scalar())


def _below(text: str | None) -> Mapping[int, tuple[int, ...]]:
    """Read what ``_departments_below`` wrote."""
    entries = [entry.split(":") for entry in (text or "").split()]
    # Two of one day: the one that was entered last. Who began on an unknown day began first.
    entries.sort(key=lambda entry: (entry[0], int(entry[1])), reverse=True)
    found: dict[int, dict[int, None]] = {}
    for _begun, _id, mine, below in entries:
        found.setdefault(int(mine), {})[int(below)] = None
    return {mine: tuple(below) for mine, below in found.items()}


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
    .execution_options(across_workspaces=True, **PREPARED)
)


_mine = aliased(Department)
_TODAY = bindparam("today", type_=Date)


def _departments_below(member: ColumnElement[bool]) -> Select[str]:
    """The departments of today of a member as one text: ``begun:id:mine:below``, parted by blanks."""

    def text_of(column: Any) -> Any:
        return cast(column, Text)

    begun = func.coalesce(text_of(DepartmentMember.starts_on), "")
    parts = (begun, *map(text_of, (DepartmentMember.id, _mine.id, Department.id)))
    entry = parts[0].concat(":" + parts[1]).concat(":" + parts[2]).concat(":" + parts[3])
    return (
        select(func.aggregate_strings(entry, " "))
        .select_from(DepartmentMember)
        .join(_mine, _beside(_mine, _mine.id == DepartmentMember.department_id))
        .join(Department, _beside(Department, Department.path.like(_mine.path.concat("%"))))
        .where(
            member,
            holds_on(DepartmentMember.starts_on, DepartmentMember.ends_on, _TODAY),
            holds_on(_mine.starts_on, _mine.ends_on, _TODAY),
        )
    )


def _beside(entity: Any, match: ColumnElement[bool]) -> ColumnElement[bool]:
    """Said here, because a statement across workspaces is not filtered by the session."""
    return and_(entity.workspace_id == DepartmentMember.workspace_id, match)


_DEPARTMENTS = _departments_below(DepartmentMember.member_id == bindparam("member_id", type_=BigInteger))


@cache
def with_memberships(account: type[UserAccount]) -> Select[*tuple[Any, ...]]:
    """The account of a session (``fs_uniquifier``) once for each of its memberships, or without one: rows of
    the account, the ``MEMBERSHIP`` columns and, where ``foreseen``, the departments and whether there are
    shares (``signed_in``).
    """
    departments = _departments_below(
        and_(DepartmentMember.workspace_id == Member.workspace_id, DepartmentMember.member_id == Member.id)
    ).correlate(Member)
    is_here = Member.workspace_id == bindparam("workspace_id", type_=BigInteger)
    is_foreseen = and_(is_here, Member.role_key.in_(bindparam("role_keys", expanding=True)))
    has_shares = exists().where(
        RecordShare.workspace_id == Member.workspace_id, RecordShare.member_id == Member.id
    )
    return (
        select(
            account,
            *MEMBERSHIP,
            case((is_foreseen, departments.scalar_subquery())),
            case((is_here, has_shares)),
        )
        .outerjoin(Member, and_(Member.user_id == account.id, Member.is_active))
        .outerjoin(Workspace, Workspace.id == Member.workspace_id)
        .where(account.fs_uniquifier == bindparam("fs_uniquifier"))
        .order_by(Workspace.name, Workspace.id)
        .execution_options(across_workspaces=True, **PREPARED)
    )
