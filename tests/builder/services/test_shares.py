"""Records shared with somebody for reading, or for changing as well (S34), on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from builder.db.ids import new_id
from builder.db.records import Record, RecordShare
from builder.domain.permissions import Actor
from builder.errors import Forbidden, NotFound
from builder.services import deletion, records, transitions
from builder.services.entries import Entry
from builder.services.records import NewRecord, SaveRecord
from builder.services.stage_work import WorkOnStage, work
from builder.services.transitions import Applied, MoveRecord
from builder.services.unit_of_work import UnitOfWork
from tests.factories import REP_RIGHTS, World, add_member, make_world
from tests.fixtures.databases import FreshDatabase

WRITES: dict[str, Callable[[UnitOfWork, int], object]] = {
    "save": lambda uow, made: records.save(uow, SaveRecord(made, {"note": "changed"})),
    "move": lambda uow, made: transitions.move(uow, MoveRecord(made, "b", 1)),
    "work": lambda uow, made: work(uow, WorkOnStage(made, is_marked=True)),
    "delete": lambda uow, made: deletion.delete(uow, made, 1),
}


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    return make_world(database_url.url)


def colleague(world: World) -> Actor:
    with world.work() as uow:
        member_id = add_member(uow, "Rita", "rep")
        uow.commit()
    return Actor(member_id, "Rita", "rep", frozenset((*REP_RIGHTS, "record.delete")), "own")


def shared(world: World, rita: Actor, *, can_edit: bool) -> int:
    """Ada's record in the stage a, shared with Rita."""
    with world.work() as uow:
        made = records.create(uow, "matter", NewRecord({"title": "Bridge"}, Entry("free"))).record_id
        uow.session.add(
            RecordShare(
                workspace_id=uow.workspace.id,
                id=new_id(),
                record_id=made,
                member_id=rita.member_id,
                can_edit=can_edit,
                created_at=uow.clock.now(),
            )
        )
        uow.commit()
    return made


@pytest.mark.parametrize("write", sorted(WRITES))
def test_what_is_shared_for_reading_is_not_changed(world: World, write: str) -> None:
    rita = colleague(world)
    made = shared(world, rita, can_edit=False)

    with world.work(rita) as uow, pytest.raises(Forbidden, match="shared with you for reading"):
        WRITES[write](uow, made)

    with world.work() as uow:
        assert uow.session.scalar(select(Record.revision).where(Record.id == made)) == 1


def test_what_is_shared_for_changing_is_saved_and_moved(world: World) -> None:
    rita = colleague(world)
    made = shared(world, rita, can_edit=True)

    with world.work(rita) as uow:
        assert records.save(uow, SaveRecord(made, {"note": "changed"}, 1)).revision == 2
        assert isinstance(transitions.move(uow, MoveRecord(made, "b", 2)), Applied)
        uow.commit()

    with world.work() as uow:
        row = uow.session.execute(select(Record.stage_key, Record.data).where(Record.id == made)).one()
    assert (row.stage_key, row.data["note"]) == ("b", "changed")


def test_what_is_shared_with_another_is_not_there(world: World) -> None:
    rita, tom = colleague(world), colleague(world)
    made = shared(world, rita, can_edit=True)

    with world.work(tom) as uow, pytest.raises(NotFound):
        records.save(uow, SaveRecord(made, {"note": "changed"}))
