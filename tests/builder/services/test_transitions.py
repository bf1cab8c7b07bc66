"""The one door for moves, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from builder.clock import FakeClock
from builder.db.ledger import EventRow, MoveRequestRow, RollupDelta, SliceRow, StayRow
from builder.db.records import Record
from builder.domain.permissions import RIGHTS, Actor
from builder.domain.transitions import Refused
from builder.errors import Conflict, Invalid, NotFound, Stale
from builder.queries.record import record_page
from builder.services import deletion, maintenance, records, rollup, transitions
from builder.services.entries import Entry
from builder.services.records import NewRecord, SaveRecord
from builder.services.stage_work import WorkOnStage, work
from builder.services.transitions import Applied, MoveRecord, Waiting
from tests.factories import CASE, FLOW, FREE, World, add_department, add_member, make_world, publish, stage
from tests.fixtures.databases import FreshDatabase


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    return make_world(database_url.url)


def new(world: World, pipeline: str = "flow", **values: object) -> int:
    with world.work() as uow:
        saved = records.create(
            uow, "matter", NewRecord({"title": "Bridge", "worth": "1000.50", **values}, Entry(pipeline))
        )
        uow.commit()
    return saved.record_id


def assert_clean(world: World) -> None:
    with world.work() as uow:
        report = maintenance.verify(uow)
    assert report.is_clean, (report.differences, report.examples)


def test_a_new_record_enters_the_first_stage(world: World) -> None:
    record_id = new(world)
    with world.work() as uow:
        row = uow.session.execute(
            select(Record.stage_key, Record.outcome, Record.amount_minor, Record.name)
        ).one()
        stay = uow.session.execute(select(StayRow.record_id, StayRow.stage_key, StayRow.entered_via)).one()
    assert tuple(row) == ("a", "open", 100050, "Bridge")
    assert tuple(stay) == (record_id, "a", "create")
    assert_clean(world)


def test_a_move_is_refused_with_every_reason_and_writes_nothing(world: World) -> None:
    record_id = new(world)
    with world.work() as uow:
        result = transitions.move(uow, MoveRecord(record_id, "b", revision=1))
        assert isinstance(result, Refused)
        assert {(item.kind, item.field) for item in result.unmet} == {("feedback", "address"), ("task", None)}
        uow.commit()
    with world.work() as uow:
        assert uow.session.scalar(select(Record.stage_key)) == "a"
        assert uow.session.scalars(select(EventRow.kind).where(EventRow.record_id == record_id)).all() == [
            "record.created"
        ]
    assert_clean(world)


def test_answers_and_move_commit_together(world: World) -> None:
    record_id = new(world)
    world.clock.advance(timedelta(hours=5))
    with world.work() as uow:
        command = MoveRecord(
            record_id,
            "b",
            1,
            answers={"address": "1 High St"},
            done_tasks=frozenset({"call"}),
            values={"heat": "hot"},
        )
        result = transitions.move(uow, command)
        assert isinstance(result, Applied)
        uow.commit()
    with world.work() as uow:
        first, second = uow.session.scalars(select(StayRow).order_by(StayRow.sequence)).all()
        assert (first.left_via, first.seconds, first.answers) == (
            "advance",
            18000.0,
            {"address": "1 High St"},
        )
        assert list(first.tasks_done) == ["call"]
        assert (second.stage_key, second.left_via, second.entered_via) == ("b", None, "advance")
        record = uow.session.execute(
            select(Record.stage_key, Record.revision, Record.data, Record.probability)
        ).one()
        assert record.stage_key == "b"
        assert record.revision == 2
        assert record.data["heat"] == "hot"
        assert record.probability == 40
    assert_clean(world)


def test_a_slice_does_not_end_before_it_began_when_a_clock_is_set_back(world: World) -> None:
    record_id, began = new(world, "free"), world.clock.now()
    world.clock = FakeClock(began - timedelta(hours=2))
    with world.work() as uow:
        assert isinstance(transitions.move(uow, MoveRecord(record_id, "b")), Applied)
        uow.commit()
    with world.work() as uow:
        slices = uow.session.scalars(select(SliceRow).order_by(SliceRow.id)).all()
        spans = [(slice.stage_key, slice.valid_from, slice.valid_to) for slice in slices]
    assert spans == [("a", began, began), ("b", world.clock.now(), None)]


def test_folding_after_the_answer_disturbs_nobody_when_it_cannot_be_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_uow: object) -> int:
        raise Conflict("Somebody else was quicker.")

    new(world, "free")
    with world.work() as uow:
        monkeypatch.setattr(rollup, "fold", refuse)
        rollup.fold_beside(uow)
        monkeypatch.undo()
        rollup.fold_beside(uow)
    with world.work() as uow:
        assert not uow.session.scalars(select(RollupDelta.id)).all()
    assert_clean(world)


def test_a_write_whose_turn_it_is_folds_all_that_was_appended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deltas() -> int:
        with world.work() as uow:
            return len(uow.session.scalars(select(RollupDelta.id)).all())

    monkeypatch.setattr(rollup, "FOLD_EVERY", 1 << 40)
    record_id = new(world, "free")
    assert deltas() > 0
    monkeypatch.setattr(rollup, "FOLD_EVERY", 1)
    with world.work() as uow:
        records.save(uow, SaveRecord(record_id, {"worth": "7"}))
        uow.commit()
    assert deltas() == 0
    assert_clean(world)


def test_the_second_of_two_people_is_told(world: World) -> None:
    record_id = new(world, "free")
    with world.work() as uow:
        transitions.move(uow, MoveRecord(record_id, "b", 1))
        uow.commit()
    with world.work() as uow, pytest.raises(Stale):
        transitions.move(uow, MoveRecord(record_id, "c", 1))


def test_feedback_is_kept_per_visit(world: World) -> None:
    record_id = new(world)
    with world.work() as uow:
        work(uow, WorkOnStage(record_id, answers={"address": "first"}, tasks={"call": True}))
        uow.commit()
    for target in ("b", "a"):
        with world.work() as uow:
            assert isinstance(transitions.move(uow, MoveRecord(record_id, target)), Applied)
            uow.commit()
    with world.work() as uow:
        answers = uow.session.scalars(select(StayRow.answers).order_by(StayRow.sequence)).all()
        vias = uow.session.scalars(select(StayRow.left_via).order_by(StayRow.sequence)).all()
    assert answers == [{"address": "first"}, None, None]
    assert vias == ["advance", "back", None]
    assert_clean(world)


def test_winning_closes_and_reopening_is_kept(world: World) -> None:
    record_id = new(world, "free")
    for target in ("b", "won", "c"):
        world.clock.advance(timedelta(days=1))
        with world.work() as uow:
            result = transitions.move(uow, MoveRecord(record_id, target))
            assert isinstance(result, Applied), result
            uow.commit()
    with world.work() as uow:
        assert uow.session.execute(select(Record.outcome, Record.closed_at)).one() == ("open", None)
    assert_clean(world)


def test_losing_asks_for_the_reason(world: World) -> None:
    record_id = new(world)
    with world.work() as uow:
        result = transitions.move(uow, MoveRecord(record_id, "lost"))
        assert isinstance(result, Refused)
        assert [item.kind for item in result.unmet] == ["reason"]
        result = transitions.move(uow, MoveRecord(record_id, "lost", reason_key="price"))
        assert isinstance(result, Applied)
        uow.commit()
    assert_clean(world)


def test_saving_deleting_and_restoring_keep_all_copies_exact(world: World) -> None:
    record_id = new(world, "free")
    with world.work() as uow:
        records.save(
            uow, SaveRecord(record_id, {"worth": "20", "title": "华为 bridge", "due": "2025-09-01"}, 1)
        )
        uow.commit()
    assert_clean(world)
    with world.work() as uow:
        deletion.delete(uow, record_id, 2)
        uow.commit()
    assert_clean(world)
    with world.work() as uow, pytest.raises(NotFound):
        transitions.move(uow, MoveRecord(record_id, "b"))
    with world.work() as uow:
        deletion.restore(uow, record_id)
        uow.commit()
    assert_clean(world)


def test_somebody_who_does_not_see_a_record_cannot_move_it(world: World) -> None:
    record_id = new(world, "free")
    stranger = replace(world.admin(), member_id=99, visibility="own")
    with world.work(stranger) as uow, pytest.raises(NotFound):
        transitions.move(uow, MoveRecord(record_id, "b"))


def test_verify_reads_one_state_whatever_is_written_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_id = new(world, "free")
    summing = maintenance._verify_rollup

    def after_a_move(*arguments: Any) -> None:
        with world.work() as uow:
            assert isinstance(transitions.move(uow, MoveRecord(record_id, "b", 1)), Applied)
            uow.commit()
        summing(*arguments)

    monkeypatch.setattr(maintenance, "_verify_rollup", after_a_move)
    assert_clean(world)
    with world.work() as uow:
        assert uow.session.scalar(select(Record.stage_key).where(Record.id == record_id)) == "b"
        level = uow.session.connection().get_isolation_level()
    assert level in ("READ COMMITTED", "SERIALIZABLE")
    monkeypatch.setattr(maintenance, "_verify_rollup", summing)
    assert_clean(world)


def test_a_task_that_the_stage_does_not_have_is_told_with_those_it_has(world: World) -> None:
    record_id = new(world)
    with world.work() as uow, pytest.raises(Invalid) as caught:
        transitions.move(uow, MoveRecord(record_id, "b", done_tasks=frozenset({"call", "cal"})))
    assert str(caught.value) == "The stage “A” has no task “cal”. Its tasks are: call."


def parked(world: World, record_id: int, to: str = "b") -> int:
    with world.work() as uow:
        result = transitions.move(uow, MoveRecord(record_id, to))
        assert isinstance(result, Waiting), result
        uow.commit()
    return result.request_id


def with_approval(world: World) -> None:
    gate = {"enter": {"approval": {"approver": "manager", "fallback_role": "admin"}}}
    stages = [stage("a", 10), stage("b", 40, gate=gate), stage("c", 80, gate=gate), *FLOW["stages"][3:]]
    with world.work() as uow:
        publish(uow, [{**FREE, "stages": stages}])
        uow.commit()


def test_a_second_parked_move_replaces_the_first(world: World) -> None:
    with_approval(world)
    record_id = new(world, "free")
    first, second = parked(world, record_id), parked(world, record_id, "c")

    with world.work() as uow:
        rows = uow.session.execute(
            select(MoveRequestRow.id, MoveRequestRow.status, MoveRequestRow.decided_at)
        )
        assert {row.id: (row.status, row.decided_at is not None) for row in rows} == {
            first: ("replaced", True),
            second: ("waiting", False),
        }
        told = uow.session.scalars(
            select(EventRow.data).where(EventRow.kind == "move.requested").order_by(EventRow.id)
        ).all()
        assert [each["replaces"] for each in told] == [[], [str(first)]]
        page = record_page(uow.session, uow.catalog, uow.actor, record_id)
        assert [pending.id for pending in page.pending] == [second]


def test_the_database_itself_holds_one_waiting_move_a_record(world: World) -> None:
    with_approval(world)
    record_id = new(world, "free")
    request_id = parked(world, record_id)
    with world.work() as uow:
        names = [column.key for column in MoveRequestRow.__mapper__.column_attrs]
        columns = [getattr(MoveRequestRow, name) for name in names]
        row = uow.session.execute(select(*columns)).mappings().one()
        with pytest.raises(IntegrityError):
            uow.session.execute(insert(MoveRequestRow), {**row, "id": request_id + 1})


def test_what_was_parked_on_an_earlier_visit_is_not_waited_for_any_more(world: World) -> None:
    with_approval(world)
    record_id = new(world, "free")
    parked(world, record_id)
    with world.work() as uow:
        assert isinstance(transitions.move(uow, MoveRecord(record_id, "lost")), Applied)
        uow.commit()
    with world.work() as uow:
        assert record_page(uow.session, uow.catalog, uow.actor, record_id).pending == ()


def test_rebuild_mends_what_was_changed_behind_our_back(world: World) -> None:
    from sqlalchemy import delete, update

    from builder.db.records import SearchToken

    record_id = new(world, "free")
    with world.work() as uow:
        uow.begin()
        uow.session.execute(
            update(Record).where(Record.id == record_id).values(name="?", amount_minor=1, slice_id=7)
        )
        uow.session.execute(delete(SearchToken))
        uow.session.execute(delete(RollupDelta))
        uow.commit()
    with world.work() as uow:
        assert not maintenance.verify(uow).is_clean
        maintenance.rebuild(uow)
        uow.commit()
    assert_clean(world)


@pytest.mark.parametrize("target", ["a", "lost", "c"])
def test_values_that_could_not_be_saved_refuse_a_move_in_every_direction(world: World, target: str) -> None:
    record_id = new(world, "free")
    with world.work() as uow:
        assert isinstance(transitions.move(uow, MoveRecord(record_id, "b")), Applied)
        uow.commit()
    for values in ({"heat": "boiling"}, {"title": None}, {"client": "12345"}, {"stage_key": "won"}):
        with world.work() as uow:
            command = MoveRecord(record_id, target, values=values, override_reason="I say so")
            result = transitions.move(uow, command)
            assert isinstance(result, Refused), values
            assert {(item.kind, item.field) for item in result.unmet} == {("record", *values)}
            assert not result.is_overridable
    assert_clean(world)


def test_a_record_cannot_enter_a_process_of_another_object(world: World) -> None:
    with world.work() as uow:
        client = records.create(uow, "client", NewRecord({"title": "Acme"})).record_id
        uow.commit()
    with world.work() as uow, pytest.raises(Conflict):
        transitions.start(uow, client, Entry("free"))
    with world.work() as uow, pytest.raises(Conflict):
        records.create(uow, "client", NewRecord({"title": "Bcme"}, Entry("flow")))


def test_a_record_for_somebody_else_belongs_to_the_department_of_that_person(world: World) -> None:
    checker = {"x-type": "user", "x-label": {"en": "Checker"}}
    fields = {**CASE["fields"], "properties": {**CASE["fields"]["properties"], "checker": checker}}
    with world.work() as uow:
        publish(uow, [{**CASE, "fields": fields}])
        east, west = add_department(uow, "East").id, add_department(uow, "West").id
        mia = add_member(uow, "Mia", "manager", department_id=east)
        will = add_member(uow, "Will", "rep", department_id=west)
        uow.commit()
    actor = Actor(mia, "Mia", "manager", frozenset(RIGHTS), "department", (east,), (east,))
    with world.work(actor) as uow:
        values = {"title": "Bridge", "holder": str(will), "checker": str(mia)}
        records.create(uow, "matter", NewRecord(values))
        uow.commit()
        assert uow.session.scalar(select(Record.department_id)) == west


def test_a_rule_that_a_save_sets_off_is_not_an_old_fault(world: World) -> None:
    rule = {"effect": "require", "fields": ["note"], "when": {"field": "heat", "op": "eq", "value": "hot"}}
    with world.work() as uow:
        publish(uow, [{**CASE, "fields": {**CASE["fields"], "x-rules": [rule]}}])
        uow.commit()
    record_id = new(world)
    with world.work() as uow, pytest.raises(Invalid) as caught:
        records.save(uow, SaveRecord(record_id, {"heat": "hot"}))
    assert [problem.place for problem in caught.value.problems] == ["note"]
