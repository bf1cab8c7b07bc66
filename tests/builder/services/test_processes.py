"""A live process is changed: order, texts, probability."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from builder.db.ledger import SliceRow
from builder.db.records import Record
from builder.errors import Invalid, Stale
from builder.services import maintenance, processes, records, transitions
from builder.services.entries import Entry
from builder.services.processes import ChangeStage
from builder.services.records import NewRecord
from builder.services.transitions import MoveRecord
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    made = make_world(database_url.url)
    with made.work() as uow:
        for number in range(3):
            values = {"title": f"No. {number}", "worth": "100"}
            record_id = records.create(uow, "matter", NewRecord(values, Entry("free"))).record_id
            if number:
                transitions.move(uow, MoveRecord(record_id, "c"))
        uow.commit()
    return made


def assert_clean(world: World) -> None:
    with world.work() as uow:
        report = maintenance.verify(uow)
    assert report.is_clean, (report.differences, report.examples)


def test_a_new_order_is_kept_and_the_sums_follow_it(world: World) -> None:
    with world.work() as uow:
        processes.reorder(uow, "free", ["a", "c", "b", "won", "lost", "invalid"], seen=1)
        uow.commit()
    with world.work() as uow:
        assert [stage.key for stage in uow.catalog.pipeline("free").open_stages] == ["a", "c", "b"]
    assert_clean(world)


def test_an_order_that_forgets_a_stage_is_refused(world: World) -> None:
    with world.work() as uow, pytest.raises(Invalid) as caught:
        processes.reorder(uow, "free", ["a", "b", "won", "lost", "invalid"])
    assert [problem.place for problem in caught.value.problems] == ["stages"]


def test_the_second_of_two_admins_is_told(world: World) -> None:
    with world.work() as uow:
        processes.change_stage(uow, "free", ChangeStage("b", label={"en": "Bee"}), seen=1)
        uow.commit()
    with world.work() as uow, pytest.raises(Stale):
        processes.change_stage(uow, "free", ChangeStage("b", label={"en": "Bay"}), seen=1)


def test_a_new_probability_counts_at_once_and_the_old_one_stays_in_the_past(world: World) -> None:
    with world.work() as uow:
        processes.change_stage(uow, "free", ChangeStage("c", probability=65), seen=1)
        uow.commit()
    with world.work() as uow:
        found = uow.session.execute(select(Record.stage_key, Record.probability).order_by(Record.id)).all()
        assert [tuple(row) for row in found] == [("a", 10), ("c", 65), ("c", 65)]
        past = uow.session.scalars(
            select(SliceRow.probability).where(SliceRow.stage_key == "c").order_by(SliceRow.id)
        ).all()
        assert sorted(past) == [65, 65, 80, 80]
    assert_clean(world)


def test_a_probability_beyond_a_hundred_is_refused_by_name(world: World) -> None:
    with world.work() as uow, pytest.raises(Invalid) as caught:
        processes.change_stage(uow, "free", ChangeStage("b", label={"en": " "}, probability=101))
    assert [problem.place for problem in caught.value.problems] == ["label", "probability"]


def test_a_move_that_began_before_a_publish_counts_by_the_new_order(world: World) -> None:
    with world.work() as early:
        record_id = early.session.scalar(select(Record.id).where(Record.stage_key == "a"))
        assert record_id is not None
        early.session.rollback()
        with world.work() as uow:
            processes.reorder(uow, "free", ["a", "c", "b", "won", "lost", "invalid"])
            uow.commit()
        transitions.move(early, MoveRecord(record_id, "c"))
        early.commit()
    assert_clean(world)


def test_a_publish_waits_for_the_moves_that_are_under_way(world: World) -> None:
    """On PostgreSQL; SQLite has one writer anyway."""
    if world.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    published = threading.Event()

    def publish() -> None:
        with world.work() as uow:
            processes.reorder(uow, "free", ["a", "c", "b", "won", "lost", "invalid"])
            uow.commit()
            published.set()

    with world.work() as uow:
        record_id = uow.session.scalar(select(Record.id).where(Record.stage_key == "a"))
        assert record_id is not None
        transitions.move(uow, MoveRecord(record_id, "c"))
        uow.flush()
        thread = threading.Thread(target=publish)
        thread.start()
        assert not published.wait(0.5)
        uow.commit()
        thread.join(10)
    assert published.is_set()
    assert_clean(world)
