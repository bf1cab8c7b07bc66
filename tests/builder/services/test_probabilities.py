"""A live process is changed: order, texts, probability."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from builder.db.ledger import SliceRow
from builder.db.records import Record
from builder.metadata.editing.stages import ChangeStage, StepStage
from builder.services import definitions, maintenance, records, transitions
from builder.services.entries import Entry
from builder.services.records import NewRecord
from builder.services.transitions import MoveRecord
from tests import factories
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase

REORDERED = StepStage("c", -1).apply(factories.FREE)


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
        definitions.publish(uow, [REORDERED])
        uow.commit()
    with world.work() as uow:
        assert [stage.key for stage in uow.catalog.pipeline("free").open_stages] == ["a", "c", "b"]
    assert_clean(world)


def test_a_new_probability_counts_at_once_and_the_old_one_stays_in_the_past(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [ChangeStage("c", {"probability": 65}).apply(factories.FREE)])
        uow.commit()
    with world.work() as uow:
        found = uow.session.execute(select(Record.stage_key, Record.probability).order_by(Record.id)).all()
        assert [tuple(row) for row in found] == [("a", 10), ("c", 65), ("c", 65)]
        past = uow.session.scalars(
            select(SliceRow.probability).where(SliceRow.stage_key == "c").order_by(SliceRow.id)
        ).all()
        assert sorted(past) == [65, 65, 80, 80]
    assert_clean(world)


def test_a_move_that_began_before_a_publish_counts_by_the_new_order(world: World) -> None:
    with world.work() as early:
        record_id = early.session.scalar(select(Record.id).where(Record.stage_key == "a"))
        assert record_id is not None
        early.session.rollback()
        with world.work() as uow:
            definitions.publish(uow, [REORDERED])
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
            definitions.publish(uow, [REORDERED])
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
