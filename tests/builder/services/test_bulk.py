"""Many records at once: what goes through, what is refused, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.batches import Batch
from builder.db.ids import new_id
from builder.db.people import Member
from builder.db.records import Record, RecordShare
from builder.domain.permissions import RIGHTS, Actor
from builder.errors import Conflict, Forbidden, Invalid, NotFound
from builder.services import batches, records
from builder.services.bulk import MOST_RECORDS, BulkResult, Chosen, delete_many, edit_many
from builder.services.entries import Entry
from builder.services.maintenance import verify
from builder.services.records import NewRecord, SaveRecord
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = make_world(database_url.url)
    yield made
    made.engine.dispose()


@pytest.fixture
def three(world: World) -> list[int]:
    with world.work() as uow:
        made = [
            records.create(uow, "matter", NewRecord({"title": f"M{n}", "worth": f"{n}.00"}, Entry("free")))
            for n in range(3)
        ]
        uow.commit()
        return [saved.record_id for saved in made]


def chosen(*ids: int, revision: int = 1) -> list[Chosen]:
    return [Chosen(record_id, revision) for record_id in ids]


def edit(world: World, rows: list[Chosen], values: dict[str, Any], **options: Any) -> BulkResult:
    with world.work() as uow:
        result = edit_many(uow, "matter", rows, values, **options)
        uow.commit()
        return result


def undo(world: World, batch_id: int | None) -> batches.Outcome:
    assert batch_id is not None
    with world.work() as uow:
        outcome = batches.undo_own(uow, batch_id)
        uow.commit()
        return outcome


def state(world: World) -> dict[int, tuple[Any, ...]]:
    with world.work() as uow:
        rows = uow.session.scalars(select(Record).where(Record.object_key == "matter"))
        return {row.id: (row.name, row.data, row.amount_minor, row.deleted_at is None) for row in rows}


def sound(world: World) -> bool:
    with world.work() as uow:
        return not verify(uow).examples


def test_all_get_the_value_and_their_own_back(world: World, three: list[int]) -> None:
    before = state(world)
    result = edit(world, chosen(*three), {"worth": "9.50"})
    assert (result.done, result.refused) == (3, ())
    assert {row[2] for row in state(world).values()} == {950}
    assert undo(world, result.batch_id) == batches.Outcome(restored=3)
    assert state(world) == before
    assert sound(world)


def test_deleted_records_come_back(world: World, three: list[int]) -> None:
    before = state(world)
    with world.work() as uow:
        result = delete_many(uow, "matter", chosen(*three[:2]))
        uow.commit()
    assert [row[3] for row in state(world).values()].count(True) == 1
    assert undo(world, result.batch_id).restored == 2
    assert state(world) == before
    assert sound(world)


def test_what_is_refused_is_left_out_and_told(world: World, three: list[int]) -> None:
    with world.work() as uow:
        records.save(uow, SaveRecord(three[1], {"title": "Newer"}))
        client = records.create(uow, "client", NewRecord({"title": "Client"})).record_id
        uow.commit()
    result = edit(world, chosen(*three, client, 5), {"worth": "9.50"})
    assert result.done == 2
    assert [(one.record_id, one.name) for one in result.refused] == [
        (three[1], "Newer"), (client, "Client"), (5, "")
    ]  # fmt: skip
    assert state(world)[three[1]][2] == 100
    with world.work() as uow:
        assert len(uow.session.scalars(select(Batch)).one().refused) == 3


def test_or_nothing_is_done(world: World, three: list[int]) -> None:
    before = state(world)
    rows = [*chosen(*three[:2]), Chosen(three[2], 7)]
    result = edit(world, rows, {"worth": "9.50"}, is_all_or_nothing=True)
    assert (result.batch_id, result.done, len(result.refused)) == (None, 0, 1)
    assert state(world) == before
    with world.work() as uow:
        assert uow.session.scalars(select(Batch)).all() == []


def test_a_value_that_no_record_takes_writes_nothing(world: World, three: list[int]) -> None:
    result = edit(world, chosen(*three), {"worth": "lots"})
    assert (result.batch_id, len(result.refused)) == (None, 3)
    assert {one.problem.place for one in result.refused} == {"worth"}


def test_what_was_touched_since_keeps_its_new_value(world: World, three: list[int]) -> None:
    result = edit(world, chosen(*three), {"worth": "9.50"})
    with world.work() as uow:
        records.save(uow, SaveRecord(three[0], {"worth": "1.00"}))
        records.save(uow, SaveRecord(three[1], {"title": "Renamed"}))
        uow.commit()
    outcome = undo(world, result.batch_id)
    assert (outcome.restored, outcome.kept) == (2, [(three[0], "edited")])
    found = state(world)
    assert (found[three[0]][2], found[three[1]][0], found[three[1]][2]) == (100, "Renamed", 100)


def test_undone_once_by_whoever_did_it(world: World, three: list[int]) -> None:
    result = edit(world, chosen(*three), {"worth": "9.50"})
    assert result.batch_id is not None
    stranger = Actor(77, "Else", "rep", frozenset(RIGHTS) - {"members.edit"}, "all")
    with world.work(stranger) as uow, pytest.raises(Forbidden):
        batches.undo_own(uow, result.batch_id)
    with world.work() as uow, pytest.raises(NotFound):
        batches.undo_own(uow, 5)
    undo(world, result.batch_id)
    with world.work() as uow, pytest.raises(Conflict):
        batches.undo_own(uow, result.batch_id)


def test_rights_and_limits(world: World, three: list[int]) -> None:
    reader = Actor(world.admin_id, "Ada", "viewer", frozenset(), "all")
    with world.work(reader) as uow:
        for act in (
            lambda: edit_many(uow, "matter", chosen(*three), {"worth": "1"}),
            lambda: delete_many(uow, "matter", chosen(*three)),
        ):
            with pytest.raises(Forbidden):
                act()
    with world.work() as uow:
        for rows in ([], chosen(*range(MOST_RECORDS + 1))):
            with pytest.raises(Invalid):
                edit_many(uow, "matter", rows, {"worth": "1"})


def test_two_who_undo_at_once_undo_it_once(world: World, three: list[int]) -> None:
    result = edit(world, chosen(*three), {"worth": "9.50"})
    assert result.batch_id is not None
    batch_id, ready = result.batch_id, Barrier(2)

    def take_back(_number: int) -> batches.Outcome | None:
        with world.work() as uow:
            assert uow.session.scalars(select(Batch)).one().undone_at is None
            if world.engine.dialect.name == "sqlite":
                uow.session.rollback()
            ready.wait(timeout=10)
            try:
                outcome = batches.undo_own(uow, batch_id)
            except Conflict:
                return None
            uow.commit()
            return outcome

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(take_back, range(2)))
    assert sorted(outcomes, key=bool) == [None, batches.Outcome(restored=3)]
    with world.work() as uow:
        revisions = uow.session.scalars(select(Record.revision).where(Record.id.in_(three))).all()
    assert revisions == [3, 3, 3]
    assert sound(world)


def test_what_is_now_shared_for_reading_only_stays_and_the_rest_comes_back(
    world: World, three: list[int]
) -> None:
    rep, other = new_id(), new_id()
    with world.work() as uow:
        facts = {"workspace_id": uow.workspace.id, "created_at": uow.clock.now(), "is_active": True}
        uow.session.add_all(Member(id=one, name=str(one), role_key="rep", **facts) for one in (rep, other))
        uow.flush()
        for record_id in three:
            records.save(uow, SaveRecord(record_id, {"holder": str(rep)}))
        uow.commit()
    actor = Actor(rep, "Rep", "rep", frozenset({"record.edit"}), "own")
    with world.work(actor) as uow:
        result = edit_many(uow, "matter", chosen(*three, revision=2), {"worth": "7"})
        uow.commit()
    assert result.batch_id is not None
    with world.work() as uow:
        records.save(uow, SaveRecord(three[0], {"holder": str(other)}))
        share = {"record_id": three[0], "member_id": rep, "can_edit": False, "created_at": uow.clock.now()}
        uow.session.add(RecordShare(workspace_id=uow.workspace.id, id=new_id(), **share))
        uow.commit()
    with world.work(actor) as uow:
        outcome = batches.undo_own(uow, result.batch_id)
        uow.commit()
    assert (outcome.restored, outcome.kept) == (2, [(three[0], "hidden")])
    assert sound(world)
