"""The same for all that match: by filter, through every gate, in the background, and the way back (B24)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.batches import Batch
from builder.db.ledger import EventRow
from builder.db.records import Record
from builder.domain.permissions import RIGHTS, Actor
from builder.errors import Conflict, Forbidden, FunnelwrightError, Invalid
from builder.services import batches, bulk_runs, records
from builder.services.bulk import BulkResult, Chosen, do_to_many
from builder.services.bulk_acts import Act, Delete, Edit, Move, act_of
from builder.services.bulk_runs import Everything
from builder.services.entries import Entry
from builder.services.maintenance import verify
from builder.services.records import NewRecord, SaveRecord
from tests.factories import CASE, DOCUMENTS, FREE, World, make_world, stage
from tests.fixtures.databases import FreshDatabase

WORTHY = {"field": "worth", "op": "gt", "value": "1"}
WARY = {
    **FREE,
    "key": "wary",
    "label": {"en": "Wary"},
    "stages": [
        stage(
            "a",
            10,
            gate={
                "leave": {
                    "required_fields": ["note"],
                    "conditions": [{"when": WORTHY, "message": {"en": "Too small"}, "severity": "warn"}],
                }
            },
        ),
        stage("b", 40),
        *FREE["stages"][3:],
    ],
}
RULES = [
    {"effect": "read_only", "fields": ["heat"], "when": {"field": "note", "op": "eq", "value": "locked"}}
]
RULED = {**CASE, "fields": {**CASE["fields"], "x-rules": RULES}}


@pytest.fixture
def world(shared_database: FreshDatabase, request: pytest.FixtureRequest) -> Iterator[World]:
    key = f"w{abs(hash(request.node.name)) % 10**8}"
    documents = [RULED if one is CASE else one for one in DOCUMENTS]
    made = make_world(shared_database.url, key, (*documents, WARY))
    yield made
    made.engine.dispose()


def make(world: World, flow: str = "free", count: int = 5, **more: Any) -> list[int]:
    with world.work() as uow:
        news = [
            NewRecord({"title": f"M{n}", "worth": f"{n}.00", "note": "n", **more}, Entry(flow))
            for n in range(count)
        ]
        results = records.create_many(uow, "matter", news)
        uow.commit()
        return [one.record_id for one in results]


def everything(count: int, condition: dict[str, Any] | None = None) -> Everything:
    return Everything("matter", condition, "", None, count)


def queued(world: World, wanted: Everything, act: Act, **options: Any) -> int:
    with world.work() as uow:
        batch_id = bulk_runs.queue(uow, wanted, act, **options)
        uow.commit()
        return batch_id


def run(world: World, batch_id: int, part: int = 2) -> str:
    with world.work() as uow:
        return bulk_runs.run_as_owner(uow, batch_id, part)


def batch_of(world: World, batch_id: int) -> Batch:
    with world.work() as uow:
        return uow.session.scalars(select(Batch).where(Batch.id == batch_id)).one()


def state(world: World) -> dict[int, tuple[Any, ...]]:
    """Everything that undoing must bring back, record by record."""
    left_out = {"revision", "updated_at", "updated_by", "slice_id"}
    with world.work() as uow:
        names = [column.name for column in Record.__table__.columns if column.name not in left_out]
        rows = uow.session.scalars(select(Record))
        return {row.id: tuple(getattr(row, name) for name in names) for row in rows}


def stages(world: World) -> list[str | None]:
    with world.work() as uow:
        return list(uow.session.scalars(select(Record.stage_key).order_by(Record.id)))


def sound(world: World) -> bool:
    with world.work() as uow:
        return not verify(uow).examples


def move(world: World, ids: list[int], act: Act, **options: Any) -> BulkResult:
    with world.work() as uow:
        result = do_to_many(uow, "matter", [Chosen(one, 1) for one in ids], act, **options)
        uow.commit()
        return result


def test_acts_travel_as_documents() -> None:
    for act in (Edit({"worth": None}), Delete(), Move("free", "b", "price", "words", True)):
        assert act_of(act.to_document()) == act


def test_all_that_match_are_changed_in_parts_and_get_everything_back(world: World) -> None:
    make(world)
    before = state(world)
    batch_id = queued(world, everything(3, WORTHY | {"value": "1.50"}), Edit({"heat": "hot", "note": None}))
    late = make(world, count=1, worth="9.00")
    assert run(world, batch_id) == "done"
    batch = batch_of(world, batch_id)
    assert (batch.done_records, batch.refused_records, batch.total_records) == (3, 0, 3)
    with world.work() as uow:
        changed = uow.session.scalars(select(Record.id).where(Record.data["heat"].as_string() == "hot"))
        assert not set(late) & set(changed), "made after it was asked for"
        uow.rollback()
        assert bulk_runs.ask_undo(uow, batch_id) is False
        uow.commit()
    assert {key: value for key, value in state(world).items() if key not in late} == before
    assert sound(world)


def test_a_batch_goes_on_where_it_was_interrupted_and_stops_when_told(world: World) -> None:
    make(world)
    batch_id = queued(world, everything(5), Edit({"heat": "hot"}))
    with world.work() as uow:
        bulk_runs._become_owner(uow, batch_id)
        assert bulk_runs._run_part(uow, batch_id, 2) is True
    assert batch_of(world, batch_id).done_records == 2
    with world.work() as uow, pytest.raises(Conflict):
        batches.undo_own(uow, batch_id)
    with world.work() as uow:
        bulk_runs.stop(uow, batch_id)
        uow.commit()
    assert run(world, batch_id) == "stopped"
    assert batch_of(world, batch_id).done_records == 2
    with world.work() as uow, pytest.raises(Conflict):
        bulk_runs.stop(uow, batch_id)
    again = queued(world, everything(5), Edit({"heat": "cold"}))
    assert (run(world, again), run(world, again)) == ("done", "done")
    with world.work() as uow:
        events = select(EventRow.record_id).where(EventRow.batch_id == again)
        assert len(set(uow.session.scalars(events))) == 5


@pytest.mark.parametrize("act", [Edit({"worth": "7.00"}), Delete()], ids=["edit", "delete"])
def test_a_large_batch_is_undone_in_parts_also_after_a_crash(
    world: World, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_runs, "AT_ONCE", 2)
    make(world)
    before = state(world)
    batch_id = queued(world, everything(5), act)
    run(world, batch_id)
    with world.work() as uow:
        assert bulk_runs.ask_undo(uow, batch_id) is True
        uow.commit()
    monkeypatch.setattr(batches, "chunks", lambda ids: [ids[:3], ids[3:]])
    with world.work() as uow:
        uow.begin()
        locked = batches.lock(uow, batch_id)
        assert locked is not None
        monkeypatch.setattr(uow, "begin", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            batches.undo(uow, locked, in_parts=True)
    assert state(world) != before
    with world.work() as uow:
        assert bulk_runs.undo_as_asker(uow, batch_id) == "done"
        assert bulk_runs.undo_as_asker(uow, batch_id) == "done"
    assert state(world) == before
    assert batch_of(world, batch_id).restored_records == 5
    assert sound(world)


def test_the_gate_refuses_row_by_row_and_the_rest_goes_through(world: World) -> None:
    ids = make(world, "wary") + make(world, "free", 1)
    with world.work() as uow:
        records.save(uow, SaveRecord(ids[4], {"note": None}))
        uow.commit()
    act = Move("wary", "b")
    asked = move(world, ids, act, asks_first=True)
    assert asked.batch_id is None
    assert [one.is_confirmable for one in asked.refused] == [True, True, False, False]
    assert set(stages(world)) == {"a"}
    left = move(world, ids, act)
    assert left.done == 2
    assert [(one.name, one.problem.message % one.problem.values) for one in left.refused[:2]] == [
        ("M0", "Too small"), ("M1", "Too small")
    ]  # fmt: skip
    assert stages(world) == ["a", "a", "b", "b", "a", "a"]
    confirmed = replace(act, is_confirmed=True)
    nothing = move(world, [ids[5], ids[0]], confirmed, is_all_or_nothing=True)
    assert (nothing.batch_id, len(nothing.refused)) == (None, 1)
    assert move(world, ids[:2], confirmed, is_all_or_nothing=True).done == 2
    assert sound(world)


def test_moves_are_not_undone(world: World) -> None:
    ids = make(world)
    result = move(world, ids, Move("free", "c"))
    assert result.batch_id is not None
    with world.work() as uow:
        for undo in (batches.undo_own, bulk_runs.ask_undo):
            with pytest.raises(Conflict, match="ledger"):
                undo(uow, result.batch_id)
    assert set(stages(world)) == {"c"}


def test_all_moved_or_none_in_the_background(world: World) -> None:
    make(world, "wary")
    whole = queued(world, everything(5), Move("wary", "b"), is_all_or_nothing=True)
    assert run(world, whole) == "done"
    batch = batch_of(world, whole)
    assert (batch.done_records, batch.refused_records) == (0, 2)
    assert set(stages(world)) == {"a"}
    loose = queued(world, everything(5), Move("wary", "b"))
    assert run(world, loose) == "done"
    assert stages(world) == ["a", "a", "b", "b", "b"]
    assert len(batch_of(world, loose).refused) == 2


def test_a_field_that_the_form_locks_is_refused(world: World) -> None:
    (locked,), (free,) = make(world, count=1, note="locked"), make(world, count=1)
    result = move(world, [locked, free], Edit({"heat": "hot"}))
    assert [one.record_id for one in result.refused] == [locked]
    assert result.refused[0].problem.place == "heat"
    assert move(world, [locked], Edit({"heat": None})).done == 1, "nothing would change"


def test_nothing_happens_without_the_right_the_number_or_the_person(world: World) -> None:
    make(world)
    viewer = Actor(world.admin_id, "Ada", "viewer", frozenset(RIGHTS) - {"move"}, "all")
    with world.work(viewer) as uow, pytest.raises(Forbidden):
        bulk_runs.queue(uow, everything(5), Move("free", "b"))
    with world.work() as uow:
        for act in (bulk_runs.queue, bulk_runs.do_to_all):
            with pytest.raises(Conflict, match="5 records now, not 4"):
                act(uow, everything(4), Delete())
        with pytest.raises(Invalid):
            bulk_runs.queue(uow, everything(0, WORTHY | {"value": "99"}), Delete())
    batch_id = queued(world, everything(5), Move("nowhere", "b"))
    assert run(world, batch_id) == "done"
    assert batch_of(world, batch_id).refused_records == 5
    gone = queued(world, everything(5), Delete())
    with world.work() as uow:
        uow.session.execute(Batch.__table__.update().where(Batch.id == gone).values(created_by=5))
        uow.session.commit()
    with pytest.raises(FunnelwrightError):
        run(world, gone)
    failed = batch_of(world, gone)
    assert (failed.state, failed.done_records) == ("failed", 0)
    assert failed.problem is not None
    assert set(stages(world)) == {"a"}


def test_only_so_many_run_at_once_and_only_so_many_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(world)
    monkeypatch.setattr(bulk_runs, "MOST_WHOLE", 3)
    with world.work() as uow, pytest.raises(Invalid, match="at most 3 records"):
        bulk_runs.queue(uow, everything(5), Delete(), is_all_or_nothing=True)
    for _ in range(bulk_runs.MOST_RUNNING):
        queued(world, everything(5), Delete())
    with world.work() as uow, pytest.raises(Conflict):
        bulk_runs.queue(uow, everything(5), Delete())
