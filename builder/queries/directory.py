"""Who is in a workspace, and its departments as a tree, for the pages of an admin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from builder.db.people import Department, DepartmentMember, Member
from builder.db.tenancy import WorkspaceSession
from builder.errors import NotFound
from builder.queries.memberships import holds_on

MOST = 500


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the list. ``department`` is that of today; ``has_sign_in``: may sign in at all."""

    id: int
    name: str
    email: str
    role_key: str
    is_active: bool
    has_sign_in: bool
    last_seen_at: datetime | None
    manager_id: int | None
    manager: str | None
    department_id: int | None
    department: str | None
    revision: int
    successor_id: int | None


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """One department of the tree, in order; ``depth`` counts from 0, ``people`` those of today."""

    id: int
    name: str
    parent_id: int | None
    depth: int
    people: int
    revision: int


def people(
    session: WorkspaceSession, today: date, *, text: str = "", with_inactive: bool = False
) -> list[PersonRow]:
    """People by name, at most ``MOST``; ``text`` is looked for in names and e-mail addresses."""
    conditions: list[ColumnElement[bool]] = [] if with_inactive else [Member.is_active.is_(True)]
    if text:
        wanted = f"%{_plain(text.lower())}%"
        conditions.append(
            or_(
                func.lower(Member.name).like(wanted, escape="!"),
                func.lower(Member.email).like(wanted, escape="!"),
            )
        )
    return _rows(session, today, conditions)


def person(session: WorkspaceSession, member_id: int, today: date) -> PersonRow:
    """Raises NotFound."""
    found = _rows(session, today, [Member.id == member_id])
    if not found:
        raise NotFound()
    return found[0]


def _plain(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _rows(session: WorkspaceSession, today: date, conditions: list[ColumnElement[bool]]) -> list[PersonRow]:
    manager = aliased(Member)
    statement = (
        select(
            Member.id,
            Member.name,
            Member.email,
            Member.role_key,
            Member.is_active,
            Member.user_id,
            Member.last_seen_at,
            Member.manager_id,
            Member.revision,
            Member.successor_id,
            manager.name.label("manager"),
            Department.id.label("department_id"),
            Department.name.label("department"),
        )
        .outerjoin(manager, manager.id == Member.manager_id)
        .outerjoin(
            DepartmentMember,
            (DepartmentMember.member_id == Member.id)
            & holds_on(DepartmentMember.starts_on, DepartmentMember.ends_on, today),
        )
        .outerjoin(Department, Department.id == DepartmentMember.department_id)
        .where(*conditions)
        .order_by(Member.is_active.desc(), Member.name, Member.id, DepartmentMember.starts_on)
        .limit(MOST)
    )
    found: dict[int, PersonRow] = {}
    for row in session.execute(statement):
        # Of several departments the one begun last counts, as for records (services.ownership).
        found[row.id] = PersonRow(
            id=row.id,
            name=row.name,
            email=row.email or "",
            role_key=row.role_key,
            is_active=row.is_active,
            has_sign_in=row.user_id is not None,
            last_seen_at=row.last_seen_at,
            manager_id=row.manager_id,
            manager=row.manager,
            department_id=row.department_id,
            department=row.department,
            revision=row.revision,
            successor_id=row.successor_id,
        )
    return list(found.values())


def departments(session: WorkspaceSession, today: date) -> list[DepartmentRow]:
    """The departments of today, parents before their parts, siblings by name."""
    counts = (
        select(DepartmentMember.department_id, func.count().label("n"))
        .join(Member, Member.id == DepartmentMember.member_id)
        .where(holds_on(DepartmentMember.starts_on, DepartmentMember.ends_on, today), Member.is_active)
        .group_by(DepartmentMember.department_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Department.id,
            Department.name,
            Department.parent_id,
            Department.revision,
            func.coalesce(counts.c.n, 0).label("people"),
        )
        .outerjoin(counts, counts.c.department_id == Department.id)
        .where(holds_on(Department.starts_on, Department.ends_on, today))
        .order_by(Department.name, Department.id)
    ).all()
    below: dict[int | None, list[DepartmentRow]] = {}
    known = {row.id for row in rows}
    for row in rows:
        parent = row.parent_id if row.parent_id in known else None
        below.setdefault(parent, []).append(
            DepartmentRow(row.id, row.name, parent, 0, row.people, row.revision)
        )
    return _in_order(below, None, 0)


def _in_order(
    below: dict[int | None, list[DepartmentRow]], parent: int | None, depth: int
) -> list[DepartmentRow]:
    ordered: list[DepartmentRow] = []
    for row in below.get(parent, ()):
        ordered.append(replace(row, depth=depth))
        ordered += _in_order(below, row.id, depth + 1)
    return ordered
