"""The page of one record, its timeline, and the people on it."""

from __future__ import annotations

import pytest

from builder.db.ids import from_public
from builder.domain.permissions import Actor
from builder.errors import NotFound
from builder.queries.people import active_members, departments, find_members, members_by_id
from builder.queries.record import RecordPage, find_record, record_page
from builder.queries.timeline import timeline
from builder.services import deletion, records
from builder.services.records import SaveRecord
from tests.builder.queries.world import ANN, BEN, EVA, NORTH, World, actor, counted


def page(world: World, record_id: int, who: Actor | None = None) -> RecordPage:
    return record_page(world.session, world.catalog, who or actor(), record_id)


def test_a_record_comes_with_its_stay_values_and_names(world: World) -> None:
    account = world.account("Acme")
    made = world.opportunity("deal", stage="second", account=str(account), owner=str(ANN), helper=str(BEN))
    found = page(world, made)
    assert found.record.name == "deal"
    assert found.record.owner_name == "Ann Lee"
    assert found.names == {account: "Acme"}
    assert found.members == {ANN: "Ann Lee", BEN: "Ben 李明"}
    assert [stay.stage_key for stay in found.stays] == ["second"]
    assert found.open_stay is not None
    assert found.open_stay.entered_by_name == "Ann Lee"
    assert found.pending == ()


def test_a_record_out_of_sight_is_not_found(world: World) -> None:
    made = world.opportunity("deal", owner=str(BEN))
    assert find_record(world.session, actor(ANN, "own"), made) is None
    with pytest.raises(NotFound):
        page(world, made, actor(ANN, "own"))
    with pytest.raises(NotFound):
        page(world, 12345)
    other = world.open(8)
    assert find_record(other, actor(), made) is None
    other.close()
    world.share(made, ANN, can_edit=True)
    opened = find_record(world.session, actor(ANN, "own"), made)
    assert opened is not None
    assert (opened.is_shared, opened.may_change) == (True, True)
    assert [(share.member_id, share.can_edit) for share in page(world, made).shares] == [(ANN, True)]


def test_a_deleted_record_is_found_only_when_asked_for(world: World) -> None:
    made = world.opportunity("deal")
    uow = world.uow()
    deletion.delete(uow, made, None)
    uow.commit()
    assert find_record(world.session, actor(), made) is None
    assert find_record(world.session, actor(), made, with_deleted=True) is not None


def test_related_lists_hold_the_newest_visible_records_and_a_capped_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.account("Acme")
    other = world.account("Other")
    for number in range(12):
        world.opportunity(f"{number}", account=str(account), owner=str(ANN if number % 2 else BEN))
    world.opportunity("elsewhere", account=str(other))
    (related,) = page(world, account).related
    assert (related.object_key, related.field_key) == ("opportunity", "account")
    assert [row.name for row in related.rows] == [str(number) for number in range(11, 1, -1)]
    assert (related.count, related.is_capped) == (12, False)
    who = actor(ANN, "own")
    world.share(account, ANN)
    assert page(world, account, who).related[0].count == 6
    monkeypatch.setattr("builder.queries.related.RELATED_CAP", 5)
    assert (page(world, account).related[0].count, page(world, account).related[0].is_capped) == (5, True)


def test_an_account_without_opportunities_has_an_empty_list(world: World) -> None:
    (related,) = page(world, world.account("Acme")).related
    assert (related.rows, related.count) == ((), 0)


def test_the_page_takes_few_statements_whatever_it_holds(world: World) -> None:
    account = world.account("Acme")
    made = [
        world.opportunity(f"{n}", stage="first", account=str(account), owner=str(ANN), helper=str(BEN))
        for n in range(8)
    ]
    for record_id in (account, *made[:2]):
        with counted(world.engine) as statements:
            page(world, record_id)
        assert len(statements) <= 6


def test_the_timeline_runs_backwards_page_after_page(world: World) -> None:
    made = world.opportunity("deal", owner=str(ANN))
    for number in range(5):
        uow = world.uow()
        records.save(uow, SaveRecord(made, {"city": f"Town {number}"}))
        uow.commit()
    world.opportunity("another")
    whole = timeline(world.session, made)
    assert len(whole.events) >= 6
    assert whole.events[-1].kind == "record.created"
    assert whole.events[0].actor_name == f"{members_by_id(world.session, [ANN])[ANN].name}"
    assert whole.next is None
    walked, before = [], None
    while True:
        part = timeline(world.session, made, before=before, limit=2)
        walked += part.events
        if part.next is None:
            break
        before = part.next
        assert from_public(before) == part.events[-1].id
    assert tuple(walked) == whole.events
    for cursor in ("x", "\x00", "é", "AAAAAAAAAAAAAAAAAA"):
        part = timeline(world.session, made, before=cursor)
        assert part.problem is not None
        assert part.events == whole.events


def test_people_are_found_by_any_part_of_their_name(world: World) -> None:
    assert [person.id for person in active_members(world.session)] == [ANN, BEN]
    assert [person.name for person in find_members(world.session, "李")] == ["Ben 李明"]
    assert [person.id for person in find_members(world.session, "LEE")] == [ANN]
    assert [person.id for person in find_members(world.session, "52@")] == [BEN]
    assert members_by_id(world.session, [EVA, 9])[EVA].is_active is False
    assert members_by_id(world.session, []) == {}
    assert [(node.name, node.depth) for node in departments(world.session)] == [("North", 0), ("South", 0)]
    assert departments(world.session)[0].id == NORTH
