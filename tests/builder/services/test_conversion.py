"""Conversion as a service: once, with nothing hidden, with warnings read and the closing chosen (S26)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from builder.db.records import Record
from builder.domain.permissions import Actor
from builder.domain.transitions import Refused
from builder.errors import Conflict, Forbidden, Invalid, Unconfirmed
from builder.services import deletion, records, transitions
from builder.services.bulk import Chosen
from builder.services.conversion import CHOOSE_STAGE, ConvertRecord, convert
from builder.services.entries import Entry
from builder.services.merging import Merge, merge
from builder.services.records import NewRecord, Saved
from builder.services.values import NO_RECORD
from tests.blueprints.workspace.test_conversion import COURT, ENQUIRY
from tests.factories import FREE, REP_RIGHTS, World, add_member, make_world, publish, stage
from tests.fixtures.databases import FreshDatabase

WARNING = {
    "enter": {
        "conditions": [
            {
                "when": {"field": "heat", "op": "eq", "value": "hot"},
                "message": {"en": "It is not hot."},
                "severity": "warn",
            }
        ]
    }
}


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    made = make_world(database_url.url)
    put(made, ENQUIRY, COURT)
    return made


def put(world: World, *documents: dict[str, Any]) -> None:
    with world.work() as uow:
        publish(uow, documents)
        uow.commit()


def rep(world: World, *rights: str) -> Actor:
    with world.work() as uow:
        member_id = add_member(uow, "Rita", "rep")
        uow.commit()
    return Actor(member_id, "Rita", "rep", frozenset((*REP_RIGHTS, *rights)), "own")


def enquiry(world: World, flow: str | None = "court", who: Actor | None = None) -> int:
    with world.work(who) as uow:
        values = {"wish": "A fence", "firm": "Farms", "worth": "5.00"}
        made = records.create(uow, "enquiry", NewRecord(values, Entry(flow) if flow else None)).record_id
        uow.commit()
    return made


def new(world: World, object_key: str, title: str) -> int:
    with world.work() as uow:
        made = records.create(uow, object_key, NewRecord({"title": title})).record_id
        uow.commit()
    return made


def count(world: World, object_key: str) -> int:
    with world.work() as uow:
        found = select(func.count()).select_from(Record).where(Record.object_key == object_key)
        return uow.session.scalar(found) or 0


def stage_of(world: World, record_id: int) -> Any:
    with world.work() as uow:
        return uow.session.scalar(select(Record.stage_key).where(Record.id == record_id))


@pytest.mark.parametrize("flow", [None, "court"])
def test_a_record_is_converted_once_in_a_process_or_in_none(world: World, flow: str | None) -> None:
    record = enquiry(world, flow)
    with world.work() as uow:
        convert(uow, ConvertRecord(record))
        with pytest.raises(Conflict):
            convert(uow, ConvertRecord(record))
        uow.commit()
    with world.work() as uow, pytest.raises(Conflict):
        convert(uow, ConvertRecord(record))
    assert (count(world, "matter"), count(world, "client")) == (1, 1)


def test_a_conversion_takes_over_what_the_converter_does_not_see(world: World) -> None:
    """Clients belong to nobody here: a rep makes one and does not see it."""
    rita = rep(world)
    record = enquiry(world, who=rita)
    with world.work(rita) as uow:
        made = convert(uow, ConvertRecord(record))
        uow.commit()
    with world.work() as uow:
        data = uow.session.scalar(select(Record.data).where(Record.id == made.main)) or {}
    assert data["client"] == str(made.records["client"])


def test_a_record_to_use_instead_is_one_of_that_object_that_one_sees(world: World) -> None:
    rita = rep(world)
    record = enquiry(world, who=rita)
    hidden, other = new(world, "client", "Hidden"), new(world, "matter", "Another")
    for chosen in (
        {"client": hidden},
        {"client": other},
        {"client": 12345},
        {"matter": other},
        {"x": hidden},
    ):
        with world.work(rita) as uow, pytest.raises(Invalid) as caught:
            convert(uow, ConvertRecord(record, existing=chosen))
        assert [problem.message for problem in caught.value.problems] == [NO_RECORD], chosen
    with world.work(rita) as uow, pytest.raises(Invalid) as caught:
        convert(uow, ConvertRecord(record, values={"matter": {"client": str(hidden)}}))
    assert [problem.message for problem in caught.value.problems] == [NO_RECORD]
    with world.work() as uow:
        assert convert(uow, ConvertRecord(record, existing={"client": hidden})).records["client"] == hidden
        uow.commit()
    assert count(world, "client") == 1


def test_converting_needs_the_right_to_create(world: World) -> None:
    record = enquiry(world)
    reader = Actor(world.admin_id, "Ada", "reader", frozenset({"record.edit", "move"}), "all")
    with world.work(reader) as uow, pytest.raises(Forbidden):
        convert(uow, ConvertRecord(record))


@pytest.mark.parametrize("where", ["closing", "entering"])
def test_warnings_are_told_and_confirmed(world: World, where: str) -> None:
    if where == "closing":
        gate = {"enter": {"conditions": [{**WARNING["enter"]["conditions"][0]}]}}
        gate["enter"]["conditions"][0]["when"] = {"field": "firm", "op": "eq", "value": "Steel"}
        put(
            world,
            {
                **COURT,
                "stages": [COURT["stages"][0], stage("won", 100, "won", gate=gate), *FREE["stages"][4:]],
            },
        )
    else:
        put(world, {**FREE, "stages": [stage("a", 10, gate=WARNING), *FREE["stages"][1:]]})
    record = enquiry(world)

    with world.work() as uow:
        with pytest.raises(Unconfirmed) as caught:
            convert(uow, ConvertRecord(record))
        assert [
            str(problem.values.get("message", "")) or problem.message for problem in caught.value.problems
        ]
        uow.rollback()
    assert (stage_of(world, record), count(world, "matter")) == ("new", 0)
    with world.work() as uow:
        convert(uow, ConvertRecord(record, is_confirmed=True))
        uow.commit()
    assert (stage_of(world, record), count(world, "matter")) == ("won", 1)


def test_of_several_won_stages_one_is_chosen(world: World) -> None:
    more = [stage("new", 10), stage("won", 100, "won"), stage("gift", 100, "won"), *FREE["stages"][4:]]
    put(world, {**COURT, "stages": more})
    record = enquiry(world)
    for chosen in (None, "lost", "new", "nowhere"):
        with world.work() as uow, pytest.raises(Invalid) as caught:
            convert(uow, ConvertRecord(record, to_stage=chosen))
        assert [problem.message for problem in caught.value.problems] == [CHOOSE_STAGE]
    with world.work() as uow:
        convert(uow, ConvertRecord(record, to_stage="gift"))
        uow.commit()
    assert stage_of(world, record) == "gift"


def test_of_several_won_stages_the_only_one_that_may_be_entered_is_taken(world: World) -> None:
    more = [stage("new", 10), stage("won", 100, "won"), stage("gift", 100, "won"), *FREE["stages"][4:]]
    put(world, {**COURT, "stages": more, "transitions": {"default": "any", "deny": [["new", "won"]]}})
    record = enquiry(world)
    with world.work() as uow:
        convert(uow, ConvertRecord(record))
        uow.commit()
    assert stage_of(world, record) == "gift"


def test_creating_and_starting_tell_warnings_and_take_a_confirmation(world: World) -> None:
    put(world, {**FREE, "stages": [stage("a", 10, gate=WARNING), *FREE["stages"][1:]]})
    with world.work() as uow, pytest.raises(Unconfirmed):
        records.create(uow, "matter", NewRecord({"title": "Cold"}, Entry("free")))
    with world.work() as uow:
        assert records.create(uow, "matter", NewRecord({"title": "Hot", "heat": "hot"}, Entry("free")))
        assert records.create(uow, "matter", NewRecord({"title": "C"}, Entry("free", is_confirmed=True)))
        uow.commit()
    made = new(world, "matter", "Later")
    with world.work() as uow:
        refused = transitions.start(uow, made, Entry("free"), 1)
        assert isinstance(refused, Refused)
        assert refused.is_confirmable
        uow.rollback()
    with world.work() as uow:
        assert isinstance(transitions.start(uow, made, Entry("free", is_confirmed=True), 1), Saved)
        uow.commit()
    assert stage_of(world, made) == "a"


def by_itself(world: World, *documents: dict[str, Any]) -> None:
    put(world, {**ENQUIRY, "conversion": {**ENQUIRY["conversion"], "automatic": True}}, *documents)


def win(world: World, record: int, who: Actor | None = None) -> transitions.MoveResult:
    with world.work(who) as uow:
        result = transitions.move(uow, transitions.MoveRecord(record, "won"))
        uow.commit()
    return result


def test_what_follows_a_win_begins_by_itself_once(world: World) -> None:
    by_itself(world)
    rita = rep(world, "move")  # without the right to make records
    rita = Actor(rita.member_id, "Rita", "rep", rita.rights - {"record.create"}, "all")
    record = enquiry(world)
    won = win(world, record, rita)
    assert isinstance(won, transitions.Applied)
    assert set(won.successors) == {"client", "matter"}
    with world.work() as uow:
        row = uow.session.execute(select(Record).where(Record.id == won.successors["matter"])).scalar_one()
        assert (row.pipeline_key, row.stage_key, row.converted_from_id) == ("free", "a", record)
        assert (row.created_by, row.data["worth"]) == (rita.member_id, "5.00")
        again = transitions.MoveRecord(record, "new", override_reason="The wrong one")
        assert isinstance(transitions.move(uow, again), transitions.Applied)
        uow.commit()
    twice = win(world, record)
    assert isinstance(twice, transitions.Applied)
    assert (twice.successors, count(world, "matter")) == ({}, 1)


def test_a_conversion_by_hand_makes_no_second_set(world: World) -> None:
    by_itself(world)
    with world.work() as uow:
        convert(uow, ConvertRecord(enquiry(world)))
        uow.commit()
    assert (count(world, "matter"), count(world, "client")) == (1, 1)


def test_nothing_is_won_where_what_follows_cannot_begin(world: World) -> None:
    by_itself(world)
    record = enquiry(world)
    with world.work() as uow:
        records.save(uow, records.SaveRecord(record, {"firm": None}))
        uow.commit()
    with world.work() as uow, pytest.raises(Invalid) as caught:
        transitions.move(uow, transitions.MoveRecord(record, "won"))
    assert [problem.place for problem in caught.value.problems] == ["title"]
    assert (stage_of(world, record), count(world, "client")) == ("new", 0)


def test_what_was_begun_for_a_record_that_was_merged_is_not_begun_again(world: World) -> None:
    by_itself(world)
    gone, stays = enquiry(world), enquiry(world)
    win(world, gone)
    with world.work() as uow:
        revisions = dict(uow.session.execute(select(Record.id, Record.revision)).all())
        merge(uow, Merge(Chosen(stays, revisions[stays]), (Chosen(gone, revisions[gone]),)))
        uow.commit()
    won = win(world, stays)
    assert isinstance(won, transitions.Applied)
    assert (won.successors, count(world, "matter")) == ({}, 1)


def test_a_record_that_was_won_and_reopened_is_converted_again_only_once_what_it_became_is_gone(
    world: World,
) -> None:
    by_itself(world)
    record = enquiry(world)
    won = win(world, record)
    assert isinstance(won, transitions.Applied)

    def reopened() -> None:
        with world.work() as uow:
            again = transitions.MoveRecord(record, "new", override_reason="The wrong one")
            assert isinstance(transitions.move(uow, again), transitions.Applied)
            uow.commit()

    reopened()
    with world.work() as uow, pytest.raises(Conflict, match="converted already"):
        convert(uow, ConvertRecord(record))
    assert stage_of(world, record) == "new"
    with world.work() as uow:
        deletion.delete(uow, won.successors["matter"])
        uow.commit()
    with world.work() as uow:
        made = convert(uow, ConvertRecord(record, existing={"client": won.successors["client"]}))
        uow.commit()
    assert count(world, "client") == 1
    with world.work() as uow:
        deletion.delete(uow, made.main)
        uow.commit()
    reopened()
    twice = win(world, record)
    assert isinstance(twice, transitions.Applied)
    assert "matter" in twice.successors
