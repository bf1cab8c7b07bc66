"""Loaded history: marked as such, exact in all copies, and told apart from moves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from builder.db.ledger import RollupDelta, SliceRow, StayRow
from builder.db.records import Record
from builder.domain.stays import LoggedEntry
from builder.errors import Forbidden
from builder.services import maintenance, rollup
from builder.services.history import LoadedRecord, load_histories
from builder.services.records import NewRecord, Refusal, Saved
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    return make_world(database_url.url, zone="Asia/Shanghai")


def day(number: int) -> datetime:
    return datetime(2024, 1, 1, 12, tzinfo=UTC).replace(month=1 + number // 28, day=1 + number % 28)


def history(*visits: tuple[str, datetime | None]) -> list[LoggedEntry]:
    return [LoggedEntry(stage, at) for stage, at in visits]


ONE_HISTORY = (
    history(("a", day(0)), ("b", day(2)), ("c", day(40)), ("won", day(41))),
    history(("a", None), ("c", day(3)), ("won", day(70))),
    history(("a", day(1)), ("b", day(2)), ("a", day(30)), ("b", day(31)), ("lost", day(90))),
    history(("a", None)),
    # Passed at unknown times, one after the other: what ended nobody knows when leaves no slice.
    history(("a", None), ("b", None), ("c", day(5))),
)


def load(world: World) -> list[Saved | Refusal]:
    with world.work() as uow:
        results = load_histories(
            uow,
            "matter",
            "free",
            [
                LoadedRecord(NewRecord({"title": f"No. {number}", "worth": "10"}), entries)
                for number, entries in enumerate(ONE_HISTORY)
            ],
        )
        uow.commit()
    return results


def test_stays_slices_and_sums_are_exact(world: World) -> None:
    assert all(isinstance(result, Saved) for result in load(world))
    with world.work() as uow:
        report = maintenance.verify(uow)
        assert report.is_clean, (report.differences, report.examples)
        assert uow.session.scalar(select(func.count()).select_from(StayRow)) == 16
        assert uow.session.scalar(select(func.count()).select_from(SliceRow)) == 15
        assert uow.session.scalars(select(Record.is_loaded)).all() == [True] * 5


def test_folding_changes_no_sum(world: World) -> None:
    load(world)
    with world.work() as uow:
        assert rollup.fold(uow) > 0
        uow.commit()
    load(world)
    with world.work() as uow:
        rollup.fold(uow)
        uow.commit()
        assert uow.session.scalar(select(func.count()).select_from(RollupDelta)) == 0
        report = maintenance.verify(uow)
    assert report.is_clean, (report.differences, report.examples)


def test_an_invalid_row_is_refused_and_the_others_are_loaded(world: World) -> None:
    with world.work() as uow:
        results = load_histories(
            uow,
            "matter",
            "free",
            [
                LoadedRecord(NewRecord({"title": "good"}), ONE_HISTORY[0]),
                LoadedRecord(NewRecord({"heat": "boiling"}), ONE_HISTORY[1]),
            ],
        )
        uow.commit()
    assert isinstance(results[1], Refusal)
    assert {fault.field for fault in results[1].faults} == {"title", "heat"}
    with world.work() as uow:
        assert uow.session.scalars(select(Record.name)).all() == ["good"]


def test_loading_needs_its_own_right(world: World) -> None:
    from dataclasses import replace

    nobody = replace(world.admin(), rights=frozenset({"record.create", "import", "move"}))
    with world.work(nobody) as uow, pytest.raises(Forbidden):
        load_histories(uow, "matter", "free", [])
