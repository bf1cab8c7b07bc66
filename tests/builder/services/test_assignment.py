"""Beginning a process: the rules and departments hold at every door (S6–S10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.records import Record
from builder.domain.permissions import Actor
from builder.domain.transitions import Refused
from builder.errors import Invalid
from builder.services import transitions
from builder.services.assignment import NO_PROCESS, NONE_OPEN, NOT_OPEN
from builder.services.conversion import ConvertRecord, convert
from builder.services.entries import Entry
from builder.services.records import NewRecord, Refusal, Saved, create, create_many
from builder.services.unit_of_work import UnitOfWork
from tests.blueprints.workspace.test_conversion import COURT, ENQUIRY
from tests.factories import (
    CASE,
    DOCUMENTS,
    REP_RIGHTS,
    World,
    add_department,
    add_member,
    make_world,
    publish,
    role,
)
from tests.fixtures.databases import FreshDatabase

RULES = [
    {"key": "steel", "when": {"field": "client.sector", "op": "eq", "value": "steel"}, "pipeline": "free"},
    {"key": "hot", "when": {"field": "heat", "op": "eq", "value": "hot"}, "pipeline": "flow"},
]

OPEN = frozenset({"client"})


@pytest.fixture(scope="module")
def world(shared_database: FreshDatabase) -> Iterator[World]:
    made = make_world(shared_database.url, documents=[*DOCUMENTS, ENQUIRY, COURT])
    yield made
    made.engine.dispose()


def assign(world: World, **processes: Any) -> None:
    with world.work() as uow:
        publish(uow, [{**CASE, "processes": processes} if processes else CASE])
        uow.commit()


def person(world: World) -> tuple[Actor, dict[str, int]]:
    """A rep in a department under another one; the ids of both."""
    with world.work() as uow:
        branch = add_department(uow, "South")
        team = add_department(uow, "South team", branch)
        member = add_member(uow, "Rita", "rep", department_id=team.id)
        uow.commit()
        ids = {"branch": branch.id, "team": team.id}
    return Actor(member, "Rita", "rep", frozenset(REP_RIGHTS), "own", open_objects=OPEN), ids


def made(uow: UnitOfWork, values: Mapping[str, Any], entry: Entry | None = None) -> Any:
    (result,) = create_many(uow, "matter", [NewRecord({"title": "Case", **values}, entry or Entry(None))])
    return result


def pipeline_of(uow: UnitOfWork, record_id: int) -> str | None:
    return uow.session.scalar(select(Record.pipeline_key).where(Record.id == record_id))


def test_without_a_process_the_rules_say_which_one_looking_at_what_is_referred_to(world: World) -> None:
    assign(world, rules=RULES, default="flow")
    with world.work() as uow:
        steel = create(uow, "client", NewRecord({"title": "Mill", "sector": "steel"})).record_id
        retail = create(uow, "client", NewRecord({"title": "Shop", "sector": "retail"})).record_id
        found = {
            name: pipeline_of(uow, made(uow, values).record_id)
            for name, values in {
                "steel": {"client": str(steel), "heat": "hot"},
                "retail": {"client": str(retail)},
                "hot": {"heat": "hot"},
                "nothing": {},
            }.items()
        }
    assert found == {"steel": "free", "retail": "flow", "hot": "flow", "nothing": "flow"}


def test_where_no_rule_decides_and_there_is_no_default_it_is_asked_for(world: World) -> None:
    assign(world, rules=RULES)
    with world.work() as uow:
        refused = made(uow, {"heat": "cold"})
        assert isinstance(refused, Refusal)
        assert [each.message_key for each in refused.unmet] == [NO_PROCESS]


def test_a_process_of_other_departments_is_refused_however_it_is_asked_for(world: World) -> None:
    rita, ids = person(world)
    assign(world, departments={"flow": [str(ids["branch"] + 1)]}, default="flow")
    with world.work(rita) as uow:
        refused = made(uow, {}, Entry("flow"))
        assert isinstance(refused, Refusal)
        assert [(each.message_key, each.is_overridable) for each in refused.unmet] == [(NOT_OPEN, False)]
        with pytest.raises(Invalid):
            create(uow, "matter", NewRecord({"title": "Forged"}, Entry("flow", "b", is_confirmed=True)))
        loose = create(uow, "matter", NewRecord({"title": "In none"})).record_id
        assert isinstance(transitions.start(uow, loose, Entry("flow")), Refused)
        assert isinstance(transitions.start(uow, loose, Entry("free")), Saved)
        # The default is not open, so the only one that is counts.
        assert pipeline_of(uow, made(uow, {}).record_id) == "free"


def test_people_below_the_department_may_start_and_running_records_go_on_when_it_is_unassigned(
    world: World,
) -> None:
    rita, ids = person(world)
    everything = {"flow": [str(ids["branch"])], "free": [str(ids["branch"])]}
    assign(world, departments=everything)
    with world.work(rita) as uow:
        record_id = create(uow, "matter", NewRecord({"title": "Runs"}, Entry("free"))).record_id
        uow.commit()
    assign(world, departments={key: ["1"] for key in everything})
    with world.work(rita) as uow:
        refused = made(uow, {})
        assert isinstance(refused, Refusal)
        assert [each.message_key for each in refused.unmet] == [NONE_OPEN]
        assert isinstance(transitions.move(uow, transitions.MoveRecord(record_id, "b")), transitions.Applied)
        assert pipeline_of(uow, record_id) == "free"


def test_a_rule_about_the_branch_and_role_of_who_starts(world: World) -> None:
    rita, ids = person(world)
    south = {"field": "actor.departments", "op": "has_any", "value": [str(ids["branch"])]}
    rep = {"field": "actor.role", "op": "eq", "value": "rep"}
    assign(world, rules=[{"key": "south", "when": {"all": [south, rep]}, "pipeline": "free"}], default="flow")
    with world.work(rita) as uow:
        assert pipeline_of(uow, made(uow, {}).record_id) == "free"
    with world.work(replace(rita, role_key="manager")) as uow:
        assert pipeline_of(uow, made(uow, {}).record_id) == "flow"


def test_a_rule_that_asks_for_what_is_hidden_from_the_person_does_not_tell_it(world: World) -> None:
    rita, _ = person(world)
    assign(world, rules=RULES, default="flow")
    with world.work() as uow:
        publish(uow, [{**role("blind", REP_RIGHTS, "own"), "fields": {"client": {"sector": "hidden"}}}])
        steel = create(uow, "client", NewRecord({"title": "Mill", "sector": "steel"})).record_id
        veils = uow.catalog.veils_of("blind")
        uow.commit()
    blind = replace(rita, role_key="blind", veils=veils)
    with world.work(blind) as uow:
        assert pipeline_of(uow, made(uow, {"client": str(steel)}).record_id) == "flow"


def test_a_conversion_enters_what_the_rules_say_of_the_new_record(world: World) -> None:
    enter = {"field": "worth", "op": "ge", "value": 100}
    assign(world, rules=[{"key": "dear", "when": enter, "pipeline": "flow"}])
    found = {}
    with world.work() as uow:
        for worth in ("5.00", "500.00"):
            values = {"wish": "A fence", "firm": "Farms", "worth": worth}
            record_id = create(uow, "enquiry", NewRecord(values)).record_id
            found[worth] = pipeline_of(uow, convert(uow, ConvertRecord(record_id)).main)
        values = {"wish": "A gate", "firm": "Farms", "worth": "500.00"}
        chosen = create(uow, "enquiry", NewRecord(values)).record_id
        found["chosen"] = pipeline_of(uow, convert(uow, ConvertRecord(chosen, pipeline_key="free")).main)
    # Without a rule, the process of the conversion.
    assert found == {"5.00": "free", "500.00": "flow", "chosen": "free"}
