"""Moving many records: what the gate asks is told, answered once for all, or set aside with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.domain.permissions import RIGHTS
from builder.services import records
from builder.services.bulk import BulkResult, Chosen, do_to_many
from builder.services.bulk_acts import Move, act_of
from builder.services.entries import Entry
from builder.services.records import NewRecord
from tests.factories import DOCUMENTS, FLOW, World, make_world, stage
from tests.fixtures.databases import FreshDatabase

ASKING = {
    **FLOW,
    "stages": [
        stage(
            "a",
            10,
            feedback="talk",
            gate={"leave": {"required_fields": ["note", "heat"], "feedback": "block"}},
        ),
        *FLOW["stages"][1:],
    ],
}
TO_B = Move("flow", "b")


@pytest.fixture
def world(shared_database: FreshDatabase, request: pytest.FixtureRequest) -> Iterator[World]:
    rest = [document for document in DOCUMENTS if document["key"] != "flow"]
    made = make_world(shared_database.url, f"w{abs(hash(request.node.name)) % 10**8}", (*rest, ASKING))
    yield made
    made.engine.dispose()


@pytest.fixture
def three(world: World) -> list[int]:
    """The first has its note, the second its heat."""
    own = ({"note": "Mine"}, {"heat": "hot"}, {})
    with world.work() as uow:
        made = [
            records.create(uow, "matter", NewRecord({"title": f"M{n}", **values}, Entry("flow")))
            for n, values in enumerate(own)
        ]
        uow.commit()
        return [saved.record_id for saved in made]


def move(world: World, ids: list[int], act: Move) -> BulkResult:
    with world.work() as uow:
        result = do_to_many(uow, "matter", [Chosen(one, 1) for one in ids], act)
        uow.commit()
        return result


def test_a_refusal_names_what_would_help_by_its_form(world: World, three: list[int]) -> None:
    refused = move(world, three, TO_B).refused
    assert [set(one.asked) for one in refused] == [
        {("", "heat"), ("talk", "address")},
        {("", "note"), ("talk", "address")},
        {("", "note"), ("", "heat"), ("talk", "address")},
    ]
    assert all(one.is_overridable for one in refused)


def test_answers_fill_what_is_empty_and_leave_what_single_records_say(world: World, three: list[int]) -> None:
    act = replace(
        TO_B, values={"note": "All", "heat": "cold"}, answers={"talk": {"address": "Here", "no": 1}}
    )
    result = move(world, three, act)
    assert (result.done, result.refused) == (3, ())
    with world.work() as uow:
        rows = uow.session.scalars(select(Record).where(Record.id.in_(three)).order_by(Record.id)).all()
        answers = uow.session.scalars(select(StayRow.answers).where(StayRow.stage_key == "a")).all()
    assert [(row.stage_key, row.data["note"], row.data["heat"]) for row in rows] == [
        ("b", "Mine", "cold"), ("b", "All", "hot"), ("b", "All", "cold"),
    ]  # fmt: skip
    assert answers == [{"address": "Here"}] * 3


def test_those_that_still_lack_something_stay_refused(world: World, three: list[int]) -> None:
    result = move(world, three, replace(TO_B, values={"heat": "hot"}, answers={"talk": {"address": "x"}}))
    assert (result.done, [one.record_id for one in result.refused]) == (1, three[1:])
    assert {pair for one in result.refused for pair in one.asked} == {("", "note")}


def test_who_may_sets_the_gates_aside_with_one_reason(world: World, three: list[int]) -> None:
    act = replace(TO_B, override_reason="The fair is tomorrow")
    assert move(world, three, act).done == 3
    with world.work() as uow:
        reasons = uow.session.scalars(select(StayRow.override_reason).where(StayRow.stage_key == "a")).all()
        assert reasons == ["The fair is tomorrow"] * 3


def test_who_may_not_is_refused_whatever_the_reason(world: World, three: list[int]) -> None:
    with world.work() as uow:
        uow.actor = replace(uow.actor, rights=frozenset(RIGHTS) - {"move.override"})
        act = replace(TO_B, override_reason="Because")
        result = do_to_many(uow, "matter", [Chosen(one, 1) for one in three], act)
    assert (result.done, len(result.refused)) == (0, 3)
    assert not any(one.is_overridable for one in result.refused)


def test_an_act_travels_as_a_document() -> None:
    act = replace(TO_B, values={"heat": "hot"}, answers={"talk": {"address": "x"}}, override_reason="y")
    assert act_of(act.to_document()) == act
    old = {
        key: value
        for key, value in TO_B.to_document().items()
        if key not in ("values", "answers", "override")
    }
    assert act_of(old) == TO_B
