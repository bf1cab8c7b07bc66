"""Members and departments of the workspace: names, pickers, search by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from builder.db.people import Department, Member
from builder.db.tenancy import WorkspaceSession
from builder.domain.search import folded

MOST_MEMBERS = 5000


@dataclass(frozen=True, slots=True)
class Person:
    """One member. Inactive ones keep what they owned and are not offered any more."""

    id: int
    name: str
    email: str | None
    role_key: str
    manager_id: int | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class DepartmentNode:
    """A department in tree order; ``depth`` counts from 0 at the roots."""

    id: int
    name: str
    parent_id: int | None
    depth: int


def members_by_id(session: WorkspaceSession, ids: Iterable[int]) -> dict[int, Person]:
    """Members by id, inactive ones too; unknown ids are left out. One statement, none for no ids."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {person.id: person for person in _people(session, _members().where(Member.id.in_(wanted)))}


def active_members(session: WorkspaceSession) -> tuple[Person, ...]:
    """Everyone who may be chosen, by name; at most ``MOST_MEMBERS``."""
    statement = _members().where(Member.is_active).order_by(Member.name, Member.id).limit(MOST_MEMBERS)
    return tuple(_people(session, statement))


def find_members(session: WorkspaceSession, text: str, *, limit: int = 10) -> tuple[Person, ...]:
    """Active members whose name or e-mail contains ``text``, however written; names that begin with it first.

    Members are hundreds, not millions: they are read and compared here, so that 李 and É are found alike on
    both databases.
    """
    wanted = folded(text).strip()
    found = [
        (not folded(person.name).startswith(wanted), position, person)
        for position, person in enumerate(active_members(session))
        if wanted in folded(person.name) or wanted in folded(person.email or "")
    ]
    return tuple(person for *_, person in sorted(found, key=lambda item: item[:2])[:limit])


def departments(session: WorkspaceSession) -> tuple[DepartmentNode, ...]:
    """All departments, each before those below it, siblings by name."""
    rows = session.execute(select(Department.id, Department.name, Department.parent_id)).all()
    below: dict[int | None, list[Any]] = {}
    known = {row.id for row in rows}
    for row in sorted(rows, key=lambda row: (row.name, row.id)):
        below.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)
    found: list[DepartmentNode] = []

    def walk(parent_id: int | None, depth: int) -> None:
        for row in below.get(parent_id, ()):
            found.append(DepartmentNode(row.id, row.name, row.parent_id, depth))
            walk(row.id, depth + 1)

    walk(None, 0)
    return tuple(found)


def _members() -> Select[*tuple[Any, ...]]:
    return select(Member.id, Member.name, Member.email, Member.role_key, Member.manager_id, Member.is_active)


def _people(session: WorkspaceSession, statement: Select[*tuple[Any, ...]]) -> list[Person]:
    return [Person(*row) for row in session.execute(statement)]
