"""The drafts tried on the past: counts as worked out by hand, on both databases (B8)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from builder.domain.permissions import Actor
from builder.errors import Forbidden, Invalid, Malformed, NotFound
from builder.services import drafts, records, transitions
from builder.services.entries import Entry
from builder.services.records import NewRecord, SaveRecord
from builder.services.simulation import Simulation, simulate
from builder.services.transitions import MoveRecord
from tests.factories import FREE, TALK, World, make_world, text_field
from tests.fixtures.databases import FreshDatabase

Document = dict[str, Any]


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    """Three matters: one was worth something when it left a, one only later, one never moved."""
    made = make_world(database_url.url)
    with made.work() as uow:
        early = _matter(uow, "Early", worth="100.00")
        late = _matter(uow, "Late")
        _matter(uow, "Idle", worth="7.00")
        _go(uow, early, "b")
        _go(uow, early, "c")
        _go(uow, late, "b")
        records.save(uow, SaveRecord(late, {"worth": "50.00"}))
        uow.commit()
    return made


def _matter(uow: Any, title: str, pipeline: str = "free", **values: str) -> int:
    return records.create(uow, "matter", NewRecord({"title": title, **values}, Entry(pipeline))).record_id


def _go(uow: Any, record_id: int, to: str, **said: Any) -> None:
    assert isinstance(transitions.move(uow, MoveRecord(record_id, to, **said)), transitions.Applied)


def _stage(document: Document, key: str) -> Document:
    return next(stage for stage in document["stages"] if stage["key"] == key)


def _tried(world: World, *documents: Document, pipeline: str = "free") -> Simulation:
    with world.work() as uow:
        for document in documents:
            drafts.save_draft(uow, document)
        return simulate(uow, pipeline, 100)


def test_what_was_missing_at_that_moment_is_refused_though_it_is_there_now(world: World) -> None:
    document = copy.deepcopy(FREE)
    _stage(document, "a")["gate"] = {"leave": {"required_fields": ["worth"]}}
    _stage(document, "b").update(probability=60, tasks=[{"key": "ring", "label": {"en": "Ring"}}])

    found = _tried(world, document)

    assert (found.comparison.moves, found.records, found.comparison.worse) == (3, 2, 2)
    assert dict(found.comparison.now) == {"passes": 3}
    assert dict(found.comparison.then) == {"passes": 1, "refused": 2}
    assert {
        (
            each.from_stage,
            each.to_stage,
            each.unmet.kind,
            each.unmet.field,
            each.count,
            *each.examples.values(),
        )
        for each in found.comparison.causes
    } == {("a", "b", "required_field", "worth", 1, "Late"), ("b", "c", "task", None, 1, "Early")}
    assert found.tasks == (0, 1)
    # 100 in c at 80 %, 50 in b at 40 or 60 %, 7 in a at 10 %
    assert found.forecast == {"USD": (8_000 + 2_000 + 70, 8_000 + 3_000 + 70)}
    assert [(each.stage.key, each.now, each.then, each.count) for each in found.chances] == [("b", 40, 60, 1)]


def test_an_approval_a_warning_and_a_stage_that_goes_are_told_apart(world: World) -> None:
    document = copy.deepcopy(FREE)
    when = {"field": "worth", "op": "ge", "value": "1000.00"}
    _stage(document, "a")["gate"] = {
        "leave": {"conditions": [{"when": when, "severity": "warn", "message": {"en": "Small"}}]}
    }
    _stage(document, "b")["gate"] = {"leave": {"approval": {"approver": "role", "role": "admin"}}}
    assert dict(_tried(world, document).comparison.then) == {"asks": 2, "parked": 1}

    gone = copy.deepcopy(FREE)
    gone["stages"] = [stage for stage in gone["stages"] if stage["key"] != "b"]
    found = _tried(world, gone)
    assert dict(found.comparison.then) == {"gone": 3}
    assert [(each.stage.key, each.then, each.count) for each in found.chances] == [("b", None, 1)]


def test_answers_tasks_and_overrides_are_those_of_that_visit(world: World) -> None:
    with world.work() as uow:
        done = {"answers": {"address": "1 Road"}, "done_tasks": frozenset({"call"})}
        _go(uow, _matter(uow, "Asked", "flow"), "b", **done)
        _go(uow, _matter(uow, "Pushed", "flow"), "b", override_reason="The director said so")
        uow.commit()
    assert dict(_tried(world, pipeline="flow").comparison.then) == {"passes": 1, "set_aside": 1}
    form = copy.deepcopy(TALK)
    form["fields"]["required"].append("room")
    form["fields"]["properties"]["room"] = text_field("Room")
    found = _tried(world, form, pipeline="flow")
    assert dict(found.comparison.now) == {"passes": 1, "set_aside": 1}
    assert dict(found.comparison.then) == {"refused": 1, "set_aside": 1}
    assert {(each.unmet.field, each.count) for each in found.comparison.causes} == {("room", 2)}


def test_people_whose_role_goes_could_not_have_moved(world: World) -> None:
    with world.work() as uow:
        drafts.draft_removal(uow, "role", "admin")
        found = simulate(uow, "free", 100)
    assert dict(found.comparison.now) == {"passes": 3}
    assert dict(found.comparison.then) == {"refused": 3}
    assert {each.unmet.kind for each in found.comparison.causes} == {"right"}


def test_who_may_not_and_what_cannot_be_tried_is_told(world: World) -> None:
    with world.work() as uow:
        with pytest.raises(NotFound):
            simulate(uow, "nothing", 100)
        with pytest.raises(Malformed):
            simulate(uow, "free", 7)
        drafts.draft_removal(uow, "pipeline", "free")
        with pytest.raises(Invalid):
            simulate(uow, "free", 100)
        drafts.discard(uow, "pipeline", "free")
        drafts.save_draft(uow, {**FREE, "stages": [{"key": "a"}]})
        with pytest.raises(Invalid):
            simulate(uow, "free", 100)
    rep = Actor(world.admin_id, "Rita", "rep", frozenset({"move"}), "own")
    with world.work(rep) as uow, pytest.raises(Forbidden):
        simulate(uow, "flow", 100)
