"""Undoing imports: the state before comes back record by record; what was touched since stays, with why."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.batches import Batch
from builder.db.imports import ImportJob
from builder.db.records import Record, SearchToken
from builder.domain.permissions import RIGHTS, Actor
from builder.errors import Conflict, Forbidden
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.profile import profile
from builder.queries import imports as queries
from builder.services import import_undo, imports, records, rollup
from builder.services.entries import Entry
from builder.services.import_choices import Choices
from builder.services.import_runs import fail, run
from builder.services.import_setup import carry_out, plan_import
from builder.services.maintenance import verify
from builder.services.records import NewRecord, SaveRecord
from builder.services.transitions import Applied, MoveRecord, move
from tests.builder.queries.world import counted
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase

FIRST = "ref,title,worth,client\nA,One,1.50,Acme\nB,Two,2.50,Acme\nC,Three,3.50,Bolt\n"
AGAIN = "ref,title,worth,client\nA,Uno,10,Acme\nB,Two,20,Acme\nD,Four,4,Acme\n"
CHOICES = Choices(key_column="ref", create_references=True, entry_pipeline="free")


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = make_world(database_url.url)
    yield made
    made.engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path / "files")


def bring(
    world: World, blobs: FolderBlobStore, text: str, batch_rows: int = 2, *, is_run: bool = True
) -> int:
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(text.encode()), "file.csv", "matter")
        with imports.OpenFile(blobs, job) as table:
            columns = profile(table)
        proposal = plan_import(uow, columns, imports.format_of(job), "matter", CHOICES)
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        uow.commit()
        job_id = job.id
    if is_run:
        with world.work() as uow:
            run(uow, blobs, job_id, batch_rows=batch_rows)
    return job_id


def undo(world: World, job_id: int) -> ImportJob:
    with world.work() as uow:
        import_undo.begin_undo(uow, imports.find(uow, job_id))
        uow.commit()
    with world.work() as uow:
        return import_undo.undo(uow, job_id)


def state(world: World) -> dict[str, Any]:
    """What live records hold, by object and name."""
    with world.work() as uow:
        rows = uow.session.scalars(select(Record).where(Record.deleted_at.is_(None)))
        found: dict[str, Any] = {
            f"{row.object_key} {row.external_key or row.name}": (
                row.name, row.data, row.stage_key, row.amount_minor, row.owner_id, row.department_id,
            )
            for row in rows
        }  # fmt: skip
        tokens = uow.session.execute(select(SearchToken.token, SearchToken.record_id))
        found["tokens"] = sorted(tuple(row) for row in tokens)
        return found


def sound(world: World) -> bool:
    with world.work() as uow:
        return not verify(uow).examples


def kept(world: World, job_id: int) -> dict[str, str]:
    """The names of what stayed, with the reason."""
    with world.work() as uow:
        rows = uow.session.scalars(select(Batch.kept).where(Batch.job_id == job_id))
        reasons = {int(record_id): reason for row in rows for record_id, reason in row}
        names = uow.session.execute(select(Record.id, Record.name).where(Record.id.in_(reasons)))
        return {name: reasons[record_id] for record_id, name in names}


def find(world: World, key: str) -> int:
    with world.work() as uow:
        return uow.session.scalars(select(Record.id).where(Record.external_key == key)).one()


def test_state_before_is_state_after(world: World, blobs: FolderBlobStore) -> None:
    empty = state(world)
    first = bring(world, blobs, FIRST)
    between = state(world)
    second = bring(world, blobs, AGAIN)
    assert state(world) != between

    job = undo(world, second)
    assert (job.status, job.removed_records, job.restored_records, job.kept_records) == ("undone", 1, 2, 0)
    assert state(world) == between
    assert sound(world)

    job = undo(world, first)
    assert (job.removed_records, job.kept_records) == (5, 0), "three cases and two clients they named"
    assert state(world) == empty
    assert sound(world)


def test_the_number_of_statements_does_not_depend_on_the_records(
    world: World, blobs: FolderBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Now and then a write folds the roll-up, which takes statements of its own.
    monkeypatch.setattr(rollup, "FOLD_EVERY", 1 << 62)
    sizes = []
    for count in (2, 40):
        rows = "".join(f"{count}-{number},Case,{number + 1},\n" for number in range(count))
        job_id = bring(world, blobs, f"ref,title,worth,client\n{rows}", batch_rows=100)
        with counted(world.engine) as statements:
            assert undo(world, job_id).removed_records == count
        sizes.append(len(statements))
    assert sizes[0] == sizes[1]


def test_what_was_touched_since_stays_and_says_why(world: World, blobs: FolderBlobStore) -> None:
    job_id = bring(world, blobs, FIRST)
    with world.work() as uow:
        records.save(uow, SaveRecord(find(world, "A"), {"title": "Mine"}))
        assert isinstance(move(uow, MoveRecord(find(world, "B"), "b")), Applied)
        uow.commit()
    job = undo(world, job_id)
    assert (job.removed_records, job.kept_records) == (2, 3)
    assert kept(world, job_id) == {"Mine": "edited", "Two": "moved", "Acme": "referred"}
    assert {key for key in state(world) if key != "tokens"} == {"matter A", "matter B", "client Acme"}
    assert sound(world)


def test_what_a_changed_record_was_made_to_name_goes_again(world: World, blobs: FolderBlobStore) -> None:
    bring(world, blobs, FIRST)
    between = state(world)
    job = undo(world, bring(world, blobs, "ref,title,worth,client\nA,One,1.50,New\n"))
    assert (job.removed_records, job.restored_records, job.kept_records) == (1, 1, 0)
    assert state(world) == between
    assert sound(world)


def test_of_a_changed_record_only_fields_of_the_import_count(world: World, blobs: FolderBlobStore) -> None:
    bring(world, blobs, FIRST)
    second = bring(world, blobs, AGAIN)
    with world.work() as uow:
        records.save(uow, SaveRecord(find(world, "A"), {"due": "2026-01-01"}))
        records.save(uow, SaveRecord(find(world, "B"), {"worth": "99.00"}))
        records.create(uow, "matter", NewRecord({"title": "Own", "worth": "1"}, Entry("free")))
        uow.commit()
    job = undo(world, second)
    assert (job.removed_records, job.restored_records, job.kept_records) == (1, 1, 1)
    found = state(world)
    assert found["matter A"][1]["title"] == "One"
    assert found["matter A"][1]["due"] == "2026-01-01"
    assert found["matter B"][1]["worth"] == "99.00"
    assert kept(world, second) == {"Two": "edited"}
    assert "matter Own" in found
    assert sound(world)


def test_an_undo_that_was_broken_off_goes_on(
    world: World, blobs: FolderBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = state(world)
    job_id = bring(world, blobs, FIRST)
    with world.work() as uow:
        import_undo.begin_undo(uow, imports.find(uow, job_id))
        uow.commit()

    class BrokenOff(Exception):
        pass

    def stop() -> None:
        raise BrokenOff

    with world.work() as uow, pytest.raises(BrokenOff):
        import_undo.undo(uow, job_id, on_progress=stop)
    with world.work() as uow:
        assert imports.find(uow, job_id).status == "undoing"
        job = import_undo.undo(uow, job_id)
    assert (job.status, job.removed_records) == ("undone", 5)
    assert state(world) == empty


def test_it_is_undone_once_and_only_when_something_was_written(world: World, blobs: FolderBlobStore) -> None:
    job_id = bring(world, blobs, FIRST)
    undo(world, job_id)
    nothing = bring(world, blobs, "ref,title\nX,\n")
    with world.work() as uow:
        for each in (job_id, nothing):
            with pytest.raises(Conflict):
                import_undo.begin_undo(uow, imports.find(uow, each))


def test_an_import_that_is_undone_is_neither_stopped_nor_carried_on(
    world: World, blobs: FolderBlobStore
) -> None:
    empty = state(world)
    job_id = bring(world, blobs, FIRST)
    with world.work() as uow:
        import_undo.begin_undo(uow, imports.find(uow, job_id))
        uow.commit()
    for _undoing_then_undone in range(2):
        with world.work() as uow, pytest.raises(Conflict):
            imports.cancel(uow, imports.find(uow, job_id))
        with world.work() as uow:
            before = imports.find(uow, job_id).status
            assert run(uow, blobs, job_id, batch_rows=2).status == before
        with world.work() as uow:
            assert import_undo.undo(uow, job_id).status == "undone"
    assert state(world) == empty


def test_an_import_whose_undo_could_not_go_on_is_undone_again_and_not_carried_on(
    world: World, blobs: FolderBlobStore
) -> None:
    empty = state(world)
    job_id = bring(world, blobs, FIRST)
    with world.work() as uow:
        import_undo.begin_undo(uow, imports.find(uow, job_id))
        uow.commit()
        fail(uow, job_id, Forbidden())  # whoever asked for it has left
    with world.work() as uow:
        job = queries.job(uow.session, uow.actor, job_id)
        assert (job.status, job.is_resumable, job.is_undoable) == ("failed", False, True)
        with pytest.raises(Conflict):
            imports.resume(uow, imports.find(uow, job_id))
    assert undo(world, job_id).status == "undone"
    assert state(world) == empty


def test_rows_end_where_somebody_stops_and_undoes_a_running_import(
    world: World, blobs: FolderBlobStore
) -> None:
    empty = state(world)
    job_id = bring(world, blobs, FIRST, is_run=False)

    stopped: list[object] = []

    def stop_and_undo(progress: object) -> None:
        if stopped:
            return
        stopped.append(progress)
        with world.work() as uow:
            imports.cancel(uow, imports.find(uow, job_id))
            uow.commit()
        undo(world, job_id)

    with world.work() as uow:
        assert run(uow, blobs, job_id, batch_rows=1, on_progress=stop_and_undo).status == "undone"
    assert state(world) == empty


def test_deleting_is_a_right_of_its_own(world: World, blobs: FolderBlobStore) -> None:
    job_id = bring(world, blobs, FIRST)
    actor = Actor(world.admin_id, "Ada", "admin", frozenset(RIGHTS) - {"record.delete"}, "all")
    with world.work(actor) as uow, pytest.raises(Forbidden):
        import_undo.begin_undo(uow, imports.find(uow, job_id))
