"""Open records come over to a new version of their process as chosen; the ledger tells it (S16, S17)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.errors import Forbidden, Invalid
from builder.services import definitions, migration
from builder.services.entries import Entry
from builder.services.maintenance import verify
from builder.services.records import NewRecord, create
from builder.services.transitions import MoveRecord, move
from tests import factories
from tests.factories import World
from tests.fixtures.databases import FreshDatabase

# Without its second stage, and with a new one.
SHORTER = {
    **factories.FREE,
    "stages": [
        factories.stage("a", 15),
        factories.stage("c", 80),
        factories.stage("d", 90),
        *factories.FREE["stages"][3:],
    ],
}


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = factories.make_world(database_url.url)
    yield made
    made.engine.dispose()


def prepared(world: World) -> dict[str, int]:
    """Records in a, b and b and one that is won, then the new version; ids by name."""
    ids = {}
    with world.work() as uow:
        for name, stage in (("first", None), ("second", "b"), ("third", "b"), ("winner", "won")):
            made = create(uow, "matter", NewRecord({"title": name, "worth": "10"}, Entry("free")))
            ids[name] = made.record_id
            if stage:
                move(uow, MoveRecord(made.record_id, stage))
        uow.commit()
        world.clock.advance(timedelta(days=2))
        definitions.publish(uow, [SHORTER])
        uow.commit()
    return ids


def test_records_come_over_as_chosen_and_the_ledger_tells_it(world: World) -> None:
    ids = prepared(world)
    with world.work() as uow:
        pipeline = uow.catalog.pipeline("free")
        assert migration.waiting(uow, "free") == {"a": 1, "b": 2}
        mapping = migration.checked_mapping(pipeline, {"b": "d"})
        assert migration.migrate_as(uow, "free", pipeline.version_id, mapping, world.admin_id) == 3
        assert migration.waiting(uow, "free") == {}
        rows = {row.name: row for row in uow.session.scalars(select(Record))}
        assert [rows[name].stage_key for name in ids] == ["a", "d", "d", "won"]
        assert [rows[name].probability for name in ids] == [15, 90, 90, 100]
        assert rows["winner"].pipeline_version_id != pipeline.version_id
        visits = uow.session.execute(
            select(StayRow.stage_key, StayRow.entered_via, StayRow.left_via)
            .where(StayRow.record_id == ids["second"])
            .order_by(StayRow.sequence)
        ).all()
        assert [tuple(visit) for visit in visits] == [
            ("a", "create", "advance"),
            ("b", "advance", "migrate"),
            ("d", "migrate", None),
        ]
        (kept,) = uow.session.execute(
            select(StayRow.stage_key, StayRow.left_via).where(StayRow.record_id == ids["first"])
        ).all()
        assert tuple(kept) == ("a", None)
        assert not verify(uow).differences
        # From now on the new version is what counts for them.
        move(uow, MoveRecord(ids["first"], "d"))


def test_what_nothing_was_chosen_for_stays_where_it_is(world: World) -> None:
    prepared(world)
    with world.work() as uow:
        pipeline = uow.catalog.pipeline("free")
        assert migration.migrate_as(uow, "free", pipeline.version_id, {}, world.admin_id) == 1
        assert migration.waiting(uow, "free") == {"b": 2}
        assert not verify(uow).differences


def test_it_ends_when_another_version_is_published_meanwhile(world: World) -> None:
    prepared(world)
    with world.work() as uow:
        version = uow.catalog.pipeline("free").version_id
        definitions.publish(uow, [{**SHORTER, "label": {"en": "Other"}}])
        uow.commit()
        assert migration.migrate_as(uow, "free", version, {"b": "d"}, world.admin_id) == 0


def test_only_open_stages_can_be_chosen_and_only_by_those_who_may(world: World) -> None:
    prepared(world)
    with world.work() as uow:
        pipeline = uow.catalog.pipeline("free")
        for stage in ("won", "b", "nowhere"):
            with pytest.raises(Invalid):
                migration.checked_mapping(pipeline, {"b": stage})
        rep = factories.add_member(uow, "Rita", "rep")
        uow.commit()
        with pytest.raises(Forbidden):
            migration.migrate_as(uow, "free", pipeline.version_id, {}, rep)
