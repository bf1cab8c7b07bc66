"""Automatic numbers are unique whoever creates, imports or publishes meanwhile, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from builder.db.records import GivenNumber, Record
from builder.errors import Invalid
from builder.services import definitions, deletion, maintenance, records
from builder.services.numbers import TAKEN
from builder.services.records import NewRecord, Refusal, Saved, SaveRecord
from builder.services.values import NUMBER_STAYS
from tests.factories import CASE, ROLES, World, make_world
from tests.fixtures.databases import FreshDatabase

NUMBER = {"x-type": "auto_number", "x-label": {"en": "Number"}, "x-format": "Q-{year}-{number:3}"}


def with_number(**own: Any) -> dict[str, Any]:
    fields = CASE["fields"]
    properties = {
        "title": fields["properties"]["title"],
        "code": {**NUMBER, "x-role": "number", "x-filterable": True, **own},
    }
    return {**CASE, "search": ["title", "code"], "fields": {**fields, "properties": properties}}


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    return make_world(database_url.url, documents=(with_number(), *ROLES))


def create(world: World, *values: dict[str, Any]) -> list[Saved | Refusal]:
    with world.work() as uow:
        results = records.create_many(
            uow, "matter", [NewRecord({"title": "Bridge", **own}) for own in values]
        )
        uow.commit()
    return results


def codes(world: World) -> list[str | None]:
    with world.work() as uow:
        rows = uow.session.execute(select(Record.number, Record.data).order_by(Record.id)).all()
        assert [row.number for row in rows] == [row.data.get("code") for row in rows]
        report = maintenance.verify(uow)
        assert report.is_clean, report.differences
        return [row.number for row in rows]


def test_records_are_numbered_in_turn_and_anew_each_year(world: World) -> None:
    create(world, {}, {})
    create(world, {})
    assert codes(world) == ["Q-2025-001", "Q-2025-002", "Q-2025-003"]
    world.clock.set(world.clock.now() + timedelta(days=300))
    create(world, {})
    assert codes(world)[-1] == "Q-2026-001"


def test_a_number_that_a_file_brings_is_kept_and_counting_goes_on_after_it(world: World) -> None:
    create(world, {"code": "Q-2025-007"}, {}, {"code": "OLD 1"}, {})
    assert codes(world) == ["Q-2025-007", "Q-2025-008", "OLD 1", "Q-2025-009"]


def test_a_taken_number_is_refused_and_the_others_go_through(world: World) -> None:
    create(world, {"code": "A"})
    results = create(world, {"code": "A"}, {"code": "B"}, {"code": "B"}, {"title": "", "code": "C"}, {})
    assert [isinstance(result, Saved) for result in results] == [False, True, False, False, True]
    assert isinstance(results[2], Refusal)
    assert [(fault.field, fault.message_key) for fault in results[2].faults] == [("code", TAKEN)]
    assert codes(world) == ["A", "B", "Q-2025-001"]


def test_a_number_that_was_brought_before_is_passed_over(world: World) -> None:
    # Brought as a number of next year: the counter of this year does not know it then.
    create(world, {"code": "Q-2026-001"})
    world.clock.set(world.clock.now() + timedelta(days=300))
    create(world, {})
    assert codes(world) == ["Q-2026-001", "Q-2026-002"]


def test_a_number_never_changes_and_a_deleted_record_keeps_it(world: World) -> None:
    (saved,) = create(world, {})
    assert isinstance(saved, Saved)
    for value in ("X", None):
        with world.work() as uow, pytest.raises(Invalid) as caught:
            records.save(uow, SaveRecord(saved.record_id, {"code": value}))
        assert caught.value.problems[0].message == NUMBER_STAYS
    with world.work() as uow:
        records.save(uow, SaveRecord(saved.record_id, {"code": "Q-2025-001", "title": "Dam"}))
        deletion.delete(uow, saved.record_id)
        uow.commit()
    results = create(world, {"code": "Q-2025-001"})
    assert isinstance(results[0], Refusal)


def test_people_who_create_at_once_never_get_the_same_number(world: World) -> None:
    def work(_: int) -> None:
        for _turn in range(5):
            create(world, {}, {})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = codes(world)
    assert sorted(map(str, found)) == [f"Q-2025-{number:03}" for number in range(1, 41)]


def test_a_field_that_becomes_a_number_knows_what_records_hold(world: World) -> None:
    create(world, {"code": "A"})
    with world.work() as uow:
        uow.session.execute(update(GivenNumber).values(value="other"))
        report = maintenance.verify(uow)
        assert dict(report.differences) == {"given_number": 1}
        maintenance.rebuild(uow)
        uow.commit()
    assert isinstance(create(world, {"code": "A"})[0], Refusal)
    with world.work() as uow:
        definitions.publish(uow, [with_number(**{"x-format": "N{number}"})])
        uow.commit()
    create(world, {})
    assert codes(world) == ["A", "N1"]
