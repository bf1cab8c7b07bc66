"""The event log: the latest first, page by page, by whom, what, when; and nothing of others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from builder.queries.audit import AuditFilter, audit, audit_rows, kinds
from builder.services.records import NewRecord, SaveRecord, create, save
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = make_world(database_url.url)
    yield made
    made.engine.dispose()


def acted(world: World, times: int = 3) -> int:
    """A record, and so many changes of it with an hour between them; its id."""
    with world.work() as uow:
        record_id = create(uow, "matter", NewRecord({"title": "Case", "worth": "0.00"})).record_id
        uow.commit()
    for number in range(1, times + 1):
        world.clock.advance(timedelta(hours=1))
        with world.work() as uow:
            uow.origin = "203.0.113.7"
            save(uow, SaveRecord(record_id, {"worth": f"{number}.00"}))
            uow.commit()
    return record_id


def test_pages_follow_one_another_without_gap_or_repeat(world: World) -> None:
    acted(world, 7)
    with world.work() as uow:
        whole = audit(uow.session, uow.actor, AuditFilter(), limit=100).events
        seen, cursor = [], ""
        while True:
            page = audit(uow.session, uow.actor, AuditFilter(), before=cursor, limit=3)
            seen += page.events
            if page.next is None:
                break
            cursor = page.next
        assert seen == list(whole)
        assert list(audit_rows(uow.session, uow.actor, AuditFilter())) == seen
    times = [event.recorded_at for event in seen]
    assert times == sorted(times, reverse=True)
    assert seen[0].origin == "203.0.113.7"
    assert (seen[0].data["before"], seen[0].data["after"]) == ({"worth": "6.00"}, {"worth": "7.00"})
    assert seen[0].record_name == "Case"


def test_the_filter_narrows_by_each_of_its_parts(world: World) -> None:
    record_id = acted(world)
    now = world.clock.now()
    with world.work() as uow:

        def count(**parts: object) -> int:
            return len(audit(uow.session, uow.actor, AuditFilter(**parts)).events)  # type: ignore[arg-type]

        assert count(kind="record.changed") == 3
        assert count(record_id=record_id) == 4
        assert count(object_key="client") == 0
        assert count(member_id=world.admin_id, kind="record.created") == 1
        assert count(member_id=5) == 0
        assert count(kind="record.changed", start=now - timedelta(hours=1)) == 2
        assert count(kind="record.changed", end=now) == 2
        assert {"record.changed", "record.created"} <= set(kinds(uow.session))


@pytest.mark.parametrize("cursor", ["x", "1.2", "99999999999999999999.AAAAAAAAAAA", "１.AAAAAAAAAAA", "-1.a"])
def test_a_bad_cursor_gives_the_latest_and_says_so(world: World, cursor: str) -> None:
    acted(world, 1)
    with world.work() as uow:
        page = audit(uow.session, uow.actor, AuditFilter(), before=cursor)
    assert page.problem is not None
    assert page.events[0].kind == "record.changed"
