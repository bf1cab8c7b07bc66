"""Handing over what a member owns, and whom they manage, to a successor (S117).

What is handed over goes in batches, each committed by itself; ``member.successor_id`` says that it goes on.
After a crash the rest goes on with what the member still owns.
"""

from __future__ import annotations

from sqlalchemy import select, update

from builder.db.people import Member
from builder.domain.succession import new_managers
from builder.errors import N_, Conflict, Invalid, NotFound, Problem, Stale
from builder.queries.holdings import owned_objects, some_held
from builder.queries.imports import starter
from builder.services.bulk import Chosen, edit_many
from builder.services.people import EDIT_PEOPLE
from builder.services.unit_of_work import UnitOfWork

AT_ONCE = 200
NOT_BEGUN = N_("Nothing was handed over.")
CHOOSE = N_("Choose a colleague who works here.")
RUNNING = N_("What this person owns is being handed over already.")


def ask(uow: UnitOfWork, member_id: int, successor_id: int | None, revision: int) -> None:
    """Begin: the reports of the member get their new manager at once, the records follow by ``carry_out``.

    Errors: Forbidden (needs the rights to keep the people and to reassign), NotFound, Stale, Conflict,
    Invalid.
    """
    uow.require(EDIT_PEOPLE)
    uow.require("record.reassign")
    uow.begin()
    member = uow.session.get(Member, (uow.workspace.id, member_id), with_for_update=True)
    if member is None:
        raise NotFound()
    if member.successor_id is not None:
        raise Conflict(RUNNING)
    if member.revision != revision:
        raise Stale()
    rows = uow.session.execute(select(Member.id, Member.manager_id, Member.is_active)).all()
    active = {row.id for row in rows if row.is_active}
    if successor_id is None or successor_id == member_id or successor_id not in active:
        raise Invalid(NOT_BEGUN, problems=(Problem(CHOOSE, "successor_id"),))
    member.successor_id, member.revision = successor_id, revision + 1
    uow.session.flush()
    managers = {row.id: row.manager_id for row in rows}
    for report, manager in new_managers(managers, member_id, successor_id).items():
        uow.session.execute(
            update(Member).where(Member.id == report).values(manager_id=manager, revision=Member.revision + 1)
        )
        _log_manager(uow, report, managers[report], manager)
    uow.log("member.hand_over_begun", data=_facts(member_id, successor_id))


def carry_out_as(uow: UnitOfWork, member_id: int, actor_id: int) -> int:
    """Hand over the records as the person who asked for it, with the rights that they have now.

    A batch at a time, each committed; how many changed hands. A record that is refused keeps its owner and is
    passed over. Whatever happens, the handing over has ended then. Errors: Forbidden when that person left.
    """
    successor = uow.session.scalar(select(Member.successor_id).where(Member.id == member_id))
    if successor is None:
        return 0
    done = 0
    try:
        uow.actor = starter(uow.session, uow.workspace, uow.catalog, actor_id, uow.clock.now())
        for object_key in owned_objects(uow.catalog):
            done += _hand_over(uow, object_key, member_id, successor)
    finally:
        uow.rollback()
        uow.begin()
        uow.session.execute(update(Member).where(Member.id == member_id).values(successor_id=None))
        uow.log("member.handed_over", data={**_facts(member_id, successor), "records": done})
        uow.commit()
    return done


def _hand_over(uow: UnitOfWork, object_key: str, member_id: int, successor_id: int) -> int:
    owner = uow.catalog.object(object_key).fields.by_role["owner"].key
    done, after = 0, 0
    while rows := some_held(uow.session, object_key, member_id, after, AT_ONCE):
        chosen = [Chosen(*row) for row in rows]
        done += edit_many(uow, object_key, chosen, {owner: str(successor_id)}).done
        uow.commit()
        after = rows[-1][0]
    return done


def _facts(member_id: int, successor_id: int) -> dict[str, str]:
    return {"member_id": str(member_id), "successor_id": str(successor_id)}


def _log_manager(uow: UnitOfWork, member_id: int, before: int | None, after: int | None) -> None:
    def told(manager: int | None) -> str | None:
        return None if manager is None else str(manager)

    uow.log(
        "member.changed",
        data={
            "member_id": str(member_id),
            "before": {"manager_id": told(before)},
            "after": {"manager_id": told(after)},
        },
    )
