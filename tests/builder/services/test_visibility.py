"""What one does not see cannot be named anew, and is refused exactly like what does not exist."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ids import new_id
from builder.db.ledger import StayRow
from builder.db.records import Record, RecordShare
from builder.domain.permissions import Actor
from builder.domain.transitions import Refused
from builder.errors import Forbidden, Invalid, NotFound
from builder.exchange.blobs import FolderBlobStore
from builder.queries.record import get_record
from builder.queries.row import names_of_visible
from builder.services import deletion, imports, records, transitions
from builder.services.entries import Entry
from builder.services.import_checks import check_file
from builder.services.import_choices import Choices
from builder.services.import_history import HistoryChoice
from builder.services.import_runs import run
from builder.services.import_setup import carry_out, plan_import
from builder.services.records import NewRecord, SaveRecord
from builder.services.stage_work import WorkOnStage, work
from builder.services.transitions import MoveRecord
from builder.services.values import NO_RECORD
from tests.factories import (
    ACCOUNT,
    CASE,
    FLOW,
    REP_RIGHTS,
    TALK,
    World,
    add_member,
    make_world,
    publish,
    stage,
)
from tests.fixtures.databases import FreshDatabase

# Objects in which somebody owns the records, so that they are somebody's to see.
PLAINT: dict[str, Any] = {
    **CASE,
    "key": "plaint",
    "label": {"en": "Plaint"},
    "label_plural": {"en": "Plaints"},
    "fields": {
        **CASE["fields"],
        "properties": {
            **CASE["fields"]["properties"],
            "about": {"x-type": "reference", "x-label": {"en": "About"}, "x-target": "matter"},
            "parts": {
                "x-type": "table",
                "x-label": {"en": "Parts"},
                "items": {
                    "type": "object",
                    "properties": {
                        "what": {"x-type": "reference", "x-label": {"en": "What"}, "x-target": "matter"}
                    },
                },
            },
        },
    },
}
HEARING: dict[str, Any] = {
    **TALK,
    "key": "hearing",
    "object": "plaint",
    "fields": {
        "type": "object",
        "properties": {"on": {"x-type": "reference", "x-label": {"en": "On"}, "x-target": "matter"}},
    },
}
COURT: dict[str, Any] = {
    **FLOW,
    "key": "court",
    "object": "plaint",
    "stages": [stage("a", 10, feedback="hearing"), stage("b", 40), *FLOW["stages"][3:]],
    "transitions": {"default": "any"},
}


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    made = make_world(database_url.url)
    with made.work() as uow:
        publish(uow, [PLAINT, HEARING, COURT])
        uow.commit()
    return made


def rep(world: World, name: str = "Rita", *rights: str) -> Actor:
    with world.work() as uow:
        member_id = add_member(uow, name, "rep")
        uow.commit()
    return Actor(member_id, name, "rep", frozenset((*REP_RIGHTS, *rights)), "own")


def new(world: World, title: str, who: Actor | None = None, object_key: str = "matter", **values: Any) -> int:
    with world.work(who) as uow:
        entry = Entry("court") if object_key == "plaint" else None
        made = records.create(uow, object_key, NewRecord({"title": title, **values}, entry)).record_id
        uow.commit()
    return made


def share(world: World, record_id: int, who: Actor) -> None:
    with world.work() as uow:
        facts = {"workspace_id": uow.workspace.id, "id": new_id(), "created_at": uow.clock.now()}
        uow.session.add(RecordShare(**facts, record_id=record_id, member_id=who.member_id))
        uow.commit()


def fault(world: World, who: Actor, **values: Any) -> tuple[str, str, dict[str, Any]]:
    """The one reason why a new record with these values is refused."""
    with world.work(who) as uow, pytest.raises(Invalid) as caught:
        records.create(uow, "plaint", NewRecord({"title": "New", **values}))
    (problem,) = caught.value.problems
    return problem.message, problem.place, problem.values


@pytest.mark.parametrize(
    ("field", "wrap"),
    [("about", str), ("parts", lambda record_id: [{"what": str(record_id)}])],
)
def test_what_one_does_not_see_is_refused_like_what_does_not_exist(
    world: World, field: str, wrap: Any
) -> None:
    rita = rep(world)
    hidden, own = new(world, "Ada's secret"), new(world, "Rita's", rita)

    told = fault(world, rita, **{field: wrap(hidden)})

    assert told == fault(world, rita, **{field: wrap(12345)}) == (NO_RECORD, field, {})
    with world.work(rita) as uow:
        assert records.create(uow, "plaint", NewRecord({"title": "New", field: wrap(own)})).record_id


def test_what_is_shared_with_one_may_be_named(world: World) -> None:
    rita, hidden = rep(world), new(world, "Ada's")
    share(world, hidden, rita)
    assert new(world, "New", rita, "plaint", about=str(hidden))


def test_a_reference_that_is_stored_may_stay_and_may_not_come_back(world: World) -> None:
    rita, hidden, other = rep(world), new(world, "Ada's"), new(world, "Another of Ada's")
    made = new(world, "Rita's", object_key="plaint", about=str(hidden), holder=str(rita.member_id))

    with world.work(rita) as uow:
        saved = records.save(uow, SaveRecord(made, {"note": "seen", "about": str(hidden)}))
        assert saved.changed == ("note",)
        with pytest.raises(Invalid):
            records.save(uow, SaveRecord(made, {"about": str(other)}))
        records.save(uow, SaveRecord(made, {"about": None}))
        with pytest.raises(Invalid):
            records.save(uow, SaveRecord(made, {"about": str(hidden)}))


def test_a_move_and_the_work_on_a_stage_name_nothing_hidden(world: World) -> None:
    rita, hidden = rep(world), new(world, "Ada's")
    made = new(world, "Rita's", rita, "plaint")

    with world.work(rita) as uow:
        result = transitions.move(uow, MoveRecord(made, "b", 1, values={"about": str(hidden)}))
        assert isinstance(result, Refused)
        result = transitions.move(uow, MoveRecord(made, "b", 1, answers={"on": str(hidden)}))
        assert isinstance(result, Refused)
        with pytest.raises(Invalid) as caught:
            work(uow, WorkOnStage(made, answers={"on": str(hidden)}))
        assert [problem.message for problem in caught.value.problems] == [NO_RECORD]
    with world.work() as uow:
        work(uow, WorkOnStage(made, answers={"on": str(hidden)}))
        uow.commit()
    with world.work(rita) as uow:
        assert isinstance(transitions.move(uow, MoveRecord(made, "b")), transitions.Applied)
        uow.commit()
        stay = uow.session.scalars(select(StayRow).where(StayRow.stage_key == "a")).one()
        assert stay.answers == {"on": str(hidden)}


def test_names_of_typed_ids_are_told_to_those_who_see_the_records(world: World) -> None:
    rita = rep(world)
    hidden, own = new(world, "Ada's secret"), new(world, "Rita's", rita)
    with world.work(rita) as uow:
        assert names_of_visible(uow.session, rita, [hidden, own]) == {own: "Rita's"}
        assert set(names_of_visible(uow.session, world.admin(), [hidden, own])) == {hidden, own}


def bring(world: World, folder: Path, who: Actor, text: str, choices: Choices) -> Any:
    """A file brought in by somebody: the report of its dry run, then the job with its reasons."""
    blobs = FolderBlobStore(folder)
    with world.work(who) as uow:
        job = imports.receive(uow, blobs, io.BytesIO(text.encode()), "file.csv", "matter")
        profile = imports.column_profile(blobs, job)
        proposal = plan_import(uow, profile, imports.format_of(job), "matter", choices)
        imports.set_plan(uow, job, carry_out(uow, proposal), profile.rows)
        report = check_file(uow, blobs, job)
        imports.queue(uow, job)
        uow.commit()
        job_id = job.id
    with world.work(who) as uow:
        done = run(uow, blobs, job_id)
        from builder.queries.imports import refusals

        return report, done, [(item.line, item.message) for item in refusals(uow.session, job_id)]


def by_key(world: World, key: str) -> Any:
    with world.work() as uow:
        return uow.session.scalars(select(Record).where(Record.external_key == key)).one()


@pytest.mark.parametrize("worth", ["5.00", "7.00"])
def test_an_import_neither_changes_nor_tells_what_its_importer_does_not_see(
    world: World, tmp_path: Path, worth: str
) -> None:
    rita = rep(world, "Rita", "import")
    with world.work() as uow:
        records.create(uow, "matter", NewRecord({"title": "Ada's", "worth": "5.00"}, external_key="K1"))
        uow.commit()

    text = f"ref,title,worth\nK1,Ada's,{worth}\nK2,Own,1.00\n"
    report, job, refused = bring(world, tmp_path, rita, text, Choices(key_column="ref"))

    assert (report.refused, report.created, report.unchanged) == (1, 1, 0)
    assert (job.refused_rows, job.created_rows, job.updated_rows, job.unchanged_rows) == (1, 1, 0, 0)
    assert [line for line, _ in refused] == [2]
    assert "you may not see it" in refused[0][1]
    assert (by_key(world, "K1").data["worth"], by_key(world, "K1").revision) == ("5.00", 1)


def test_a_history_of_a_hidden_record_is_refused_without_telling_its_stage(
    world: World, tmp_path: Path
) -> None:
    rita = rep(world, "Rita", "import", "load_history", "definitions.edit")
    history = HistoryChoice("Past", "phase", create=True, order=("One", "Two"), won=("Done",))
    choices = Choices(key_column="ref", history=history)
    bring(world, tmp_path, world.admin(), "ref,title,phase\nK1,Ada's,Two\nK0,Ada's,Done\n", choices)

    again = replace(choices, history=replace(history, create=False))
    text = "ref,title,phase\nK1,Mine,One\nK2,Mine,Two\n"
    report, job, refused = bring(world, tmp_path, rita, text, again)

    assert (report.refused, job.refused_rows, job.created_rows) == (1, 1, 1)
    assert "you may not see it" in refused[0][1]


def test_an_import_may_name_what_it_has_just_made(world: World, tmp_path: Path) -> None:
    rita = rep(world, "Rita", "import")
    choices = Choices(key_column="ref", create_references=True)

    _, job, refused = bring(world, tmp_path, rita, "ref,title,client\nK1,Own,Steel Ltd\n", choices)

    assert (job.created_rows, refused) == (1, [])


def of_company(world: World, who: Actor) -> Actor:
    """The actor as a page makes them: clients belong to nobody here, so everybody sees them."""
    with world.work() as uow:
        assert uow.catalog.open_objects == {"client"}
        return replace(who, open_objects=uow.catalog.open_objects)


def test_everybody_may_name_and_by_right_change_what_is_the_companys(world: World) -> None:
    client, hidden = new(world, "Steel Ltd", object_key="client"), new(world, "Ada's")
    rita = of_company(world, rep(world))

    made = new(world, "Rita's", rita, client=str(client))
    with world.work(rita) as uow:
        records.save(uow, SaveRecord(client, {"sector": "steel"}, revision=1))
        with pytest.raises(Invalid):
            records.save(uow, SaveRecord(made, {"client": str(hidden)}))
        with pytest.raises(Forbidden):
            deletion.delete(uow, client)
        uow.commit()
        assert get_record(uow.session, rita, client).record.data["sector"] == "steel"
        with pytest.raises(NotFound):
            records.save(uow, SaveRecord(hidden, {"note": "mine"}))


def test_an_import_names_what_is_the_companys_and_makes_no_second_one(world: World, tmp_path: Path) -> None:
    client = new(world, "Steel Ltd", object_key="client")
    rita = of_company(world, rep(world, "Rita", "import"))
    choices = Choices(key_column="ref", create_references=True)

    _, job, refused = bring(world, tmp_path, rita, "ref,title,client\nK1,Own,steel ltd\n", choices)

    assert (job.created_rows, refused) == (1, [])
    assert by_key(world, "K1").data["client"] == str(client)


def test_a_write_sees_by_the_definitions_that_are_live_when_it_begins(world: World) -> None:
    """Somebody gives an object an owner field, or takes it away, while a page is being answered."""
    client = new(world, "Steel Ltd", object_key="client")
    rita = of_company(world, rep(world))
    owned = json.loads(json.dumps(ACCOUNT))
    owned["fields"]["properties"]["keeper"] = {
        "x-type": "user",
        "x-label": {"en": "Keeper"},
        "x-role": "owner",
        "x-filterable": True,
    }
    for document, is_seen in ((owned, False), (ACCOUNT, True)):
        with world.work(rita) as uow:
            uow.actor = rita
            with world.work() as other:
                publish(other, [document])
                other.commit()
            uow.begin()
            assert uow.actor.can_see("client", None, None) is is_seen
            if is_seen:
                records.save(uow, SaveRecord(client, {"sector": "steel"}))
            else:
                with pytest.raises(NotFound):
                    records.save(uow, SaveRecord(client, {"sector": "steel"}))
        with world.work() as uow:
            rita = replace(rita, open_objects=uow.catalog.open_objects)


def test_what_somebody_owned_is_the_companys_once_its_object_has_no_owner(world: World) -> None:
    made = new(world, "Ada's", holder=str(world.admin_id))
    rita = rep(world)
    without = json.loads(json.dumps(CASE))
    del without["fields"]["properties"]["holder"]["x-role"]
    with world.work() as uow:
        publish(uow, [without])
        uow.commit()
        rita = replace(rita, open_objects=uow.catalog.open_objects)

    with world.work(rita) as uow:
        records.save(uow, SaveRecord(made, {"note": "ours"}))
        uow.commit()
        record = uow.session.get_one(Record, (uow.workspace.id, made))
        assert (record.owner_id, record.department_id, record.data["note"]) == (None, None, "ours")
