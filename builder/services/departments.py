"""Departments as a dated tree, and who belongs to which from when (design.md §4)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Select, delete, or_, select, update

from builder.db.ids import new_id
from builder.db.people import Department, DepartmentMember
from builder.errors import N_, Invalid, NotFound, Problem, Stale
from builder.queries.memberships import holds_on
from builder.services import postings
from builder.services.unit_of_work import UnitOfWork

EDIT = "members.edit"
NAME_LENGTH = 200
DEEPEST = 20
NOT_SAVED = N_("The department was not saved.")


def find(uow: UnitOfWork, department_id: int) -> Department | None:
    """A department that exists today."""
    return uow.session.scalar(_of_today(uow, department_id))


def _of_today(uow: UnitOfWork, department_id: int) -> Select[Department]:
    is_there = holds_on(Department.starts_on, Department.ends_on, _today(uow))
    return select(Department).where(Department.id == department_id, is_there)


def add(uow: UnitOfWork, name: str, parent_id: int | None = None) -> int:
    """Add a department below ``parent_id`` (or at the top); its id. Raises Forbidden, Invalid."""
    uow.require(EDIT)
    uow.begin()
    name, parent = _checked(uow, name, parent_id)
    department_id = new_id()
    uow.session.add(
        Department(
            workspace_id=uow.workspace.id,
            id=department_id,
            name=name,
            parent_id=parent_id,
            path=f"{parent.path if parent else '/'}{department_id}/",
        )
    )
    uow.session.flush()
    uow.log("department.added", data={"department_id": str(department_id), "name": name})
    return department_id


def find_or_add(uow: UnitOfWork, name: str) -> int:
    """The department of that name anywhere in the tree, or a new one at the top. Raises as ``add``."""
    wanted = " ".join(name.split()).casefold()
    today = _today(uow)
    rows = uow.session.execute(
        select(Department.id, Department.name)
        .where(holds_on(Department.starts_on, Department.ends_on, today))
        .order_by(Department.path)
    )
    found = next((row.id for row in rows if row.name.casefold() == wanted), None)
    return add(uow, name) if found is None else int(found)


def change(uow: UnitOfWork, department_id: int, name: str, parent_id: int | None, revision: int) -> None:
    """Rename a department or hang it, with all below it, elsewhere.

    ``revision``: what the editor saw. Raises Forbidden, NotFound, Stale, Invalid.
    """
    uow.require(EDIT)
    uow.begin()
    department = _get(uow, department_id, revision)
    name, parent = _checked(uow, name, parent_id, department)
    before = {"name": department.name, "parent_id": _text(department.parent_id)}
    old, new = department.path, f"{parent.path if parent else '/'}{department_id}/"
    department.name, department.parent_id = name, parent_id
    department.revision += 1
    if new != old:
        below = uow.session.scalars(select(Department).where(Department.path.like(f"{old}%"))).all()
        for each in below:
            each.path = new + each.path.removeprefix(old)
    uow.session.flush()
    after = {"name": name, "parent_id": _text(parent_id)}
    uow.log(
        "department.changed", data={"department_id": str(department_id), "before": before, "after": after}
    )


def end(uow: UnitOfWork, department_id: int, revision: int) -> None:
    """Close a department from today on; its records keep it.

    Raises Forbidden, NotFound, Stale; Invalid while it has people or parts.
    """
    uow.require(EDIT)
    uow.begin()
    department, today = _get(uow, department_id, revision), _today(uow)
    parts = select(Department.id).where(
        Department.parent_id == department_id, holds_on(Department.starts_on, Department.ends_on, today)
    )
    people = select(DepartmentMember.id).where(
        DepartmentMember.department_id == department_id,
        holds_on(DepartmentMember.starts_on, DepartmentMember.ends_on, today),
    )
    if uow.session.scalar(parts.limit(1)) or uow.session.scalar(people.limit(1)):
        text = N_("Move its people and the departments below it elsewhere first.")
        raise Invalid(NOT_SAVED, problems=(Problem(text, "name"),))
    department.ends_on = today
    department.revision += 1
    uow.session.flush()
    postings.forget_made(uow, department_id)
    uow.log("department.ended", data={"department_id": str(department_id)})


def assign(uow: UnitOfWork, member_id: int, department_id: int | None, from_day: date | None = None) -> None:
    """Let a member belong to one department (or none) from ``from_day`` (today) on.

    What held before ends on that day (half-open); records keep the department they were given. The caller
    has checked the right and that both exist.
    """
    day = from_day or _today(uow)
    of_member = DepartmentMember.member_id == member_id
    current = uow.session.scalars(
        select(DepartmentMember).where(
            of_member, or_(DepartmentMember.ends_on.is_(None), DepartmentMember.ends_on > day)
        )
    ).all()
    if [row.department_id for row in current] == ([department_id] if department_id else []):
        return
    begun = [row.id for row in current if row.starts_on is not None and row.starts_on >= day]
    # Memberships of no length say nothing.
    uow.session.execute(delete(DepartmentMember).where(DepartmentMember.id.in_(begun)))
    uow.session.execute(
        update(DepartmentMember)
        .where(of_member, or_(DepartmentMember.ends_on.is_(None), DepartmentMember.ends_on > day))
        .values(ends_on=day)
    )
    if department_id is not None:
        has_history = uow.session.scalar(select(DepartmentMember.id).where(of_member).limit(1))
        uow.session.add(
            DepartmentMember(
                workspace_id=uow.workspace.id,
                id=new_id(),
                member_id=member_id,
                department_id=department_id,
                # The first department counts since ever, so that records of before belong somewhere.
                starts_on=day if has_history else None,
            )
        )
    uow.session.flush()


def _checked(
    uow: UnitOfWork, name: str, parent_id: int | None, moved: Department | None = None
) -> tuple[str, Department | None]:
    name = " ".join(name.split())
    problems: list[Problem] = []
    if not name:
        problems.append(Problem(N_("A department needs a name."), "name"))
    if len(name) > NAME_LENGTH or "\0" in name:
        problems.append(Problem(N_("At most %(limit)s characters, please."), "name", {"limit": NAME_LENGTH}))
    parent = find(uow, parent_id) if parent_id is not None else None
    if parent_id is not None and parent is None:
        problems.append(Problem(N_("There is no such department."), "parent_id"))
    elif parent is not None and moved is not None and parent.path.startswith(moved.path):
        problems.append(Problem(N_("A department cannot stand below itself."), "parent_id"))
    elif parent is not None and parent.path.count("/") > DEEPEST:
        problems.append(Problem(N_("At most %(limit)s levels, please."), "parent_id", {"limit": DEEPEST}))
    if not problems and _has_twin(uow, name, parent_id, moved):
        problems.append(Problem(N_("There is a department of this name here already."), "name"))
    if problems:
        raise Invalid(NOT_SAVED, problems=tuple(problems))
    return name, parent


def _has_twin(uow: UnitOfWork, name: str, parent_id: int | None, moved: Department | None) -> bool:
    siblings = select(Department.id, Department.name).where(
        Department.parent_id.is_(None) if parent_id is None else Department.parent_id == parent_id,
        holds_on(Department.starts_on, Department.ends_on, _today(uow)),
    )
    return any(
        row.name.casefold() == name.casefold() and (moved is None or row.id != moved.id)
        for row in uow.session.execute(siblings)
    )


def _get(uow: UnitOfWork, department_id: int, revision: int) -> Department:
    """The department, locked, at the revision that the editor saw. Errors: NotFound, Stale."""
    department = uow.session.scalar(_of_today(uow, department_id).with_for_update())
    if department is None:
        raise NotFound()
    if department.revision != revision:
        raise Stale()
    return department


def _today(uow: UnitOfWork) -> date:
    return uow.workspace.day_of(uow.clock.now())


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
