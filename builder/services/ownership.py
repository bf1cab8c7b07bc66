"""Which department a record belongs to: the one its owner belongs to on the day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import or_, select

from builder.db.people import DepartmentMember
from builder.services.unit_of_work import UnitOfWork


def departments_on(uow: UnitOfWork, day: date) -> Mapping[int, int]:
    """Member id → department id on ``day``. Of several memberships the one begun last counts."""
    rows = uow.session.execute(
        select(DepartmentMember.member_id, DepartmentMember.department_id)
        .where(
            or_(DepartmentMember.starts_on.is_(None), DepartmentMember.starts_on <= day),
            or_(DepartmentMember.ends_on.is_(None), DepartmentMember.ends_on > day),
        )
        .order_by(DepartmentMember.starts_on, DepartmentMember.id)
    )
    return {row.member_id: row.department_id for row in rows}


def department_of(uow: UnitOfWork, member_id: int | None) -> int | None:
    """The department of one owner today; their own when they are the actor saves a statement."""
    if member_id is None:
        return None
    if member_id == uow.actor.member_id and uow.actor.department_ids:
        return uow.actor.department_ids[0]
    return departments_on(uow, uow.workspace.day_of(uow.clock.now())).get(member_id)
