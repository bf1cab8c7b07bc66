"""Rows that are made ready while those before them are written end as if they had been read after them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.records import Link, Record, SearchToken
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.csv import Row
from builder.exchange.plan import ImportPlan
from builder.services import imports
from builder.services.deletion import delete
from builder.services.import_choices import Choices
from builder.services.import_history import HistoryChoice
from builder.services.import_rows import ReadyRows, RowImport
from builder.services.import_runs import Progress
from builder.services.maintenance import verify
from builder.services.records import NewRecord, create
from tests.builder.services.test_imports import carry, prepare, reasons, stored
from tests.factories import CASE, DOCUMENTS, World, make_world, publish, text_field
from tests.fixtures.databases import FreshDatabase

PLAIN = Choices(key_column="ref")
PLACED: Any = deepcopy(CASE)
PLACED["fields"]["properties"]["place"] = text_field("Place")
FILTERED: Any = deepcopy(PLACED)
FILTERED["fields"]["properties"]["place"]["x-filterable"] = True


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = make_world(database_url.url, documents=(*DOCUMENTS[:1], PLACED, *DOCUMENTS[2:]))
    yield made
    made.engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path / "files")


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads in which rows were made ready."""
    seen: list[str] = []
    make_ready = RowImport.make_ready

    def noted(self: RowImport, rows: Any) -> ReadyRows:
        seen.append(threading.current_thread().name)
        return make_ready(self, rows)

    monkeypatch.setattr(RowImport, "make_ready", noted)
    return seen


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each batch that is written, whether it was made ready beforehand."""
    seen: list[bool] = []
    write = RowImport.write

    def noted(self: RowImport, rows: Any, ahead: ReadyRows | None = None) -> Any:
        seen.append(ahead is not None)
        return write(self, rows, ahead)

    monkeypatch.setattr(RowImport, "write", noted)
    return seen


def plan_of(world: World, job_id: int) -> tuple[ImportPlan, list[str]]:
    with world.work() as uow:
        plan = ImportPlan.from_document(imports.find(uow, job_id).options["plan"])
    return plan, ["ref", *(column for column, _ in plan.fields)]


def test_rows_meet_what_the_batch_before_them_made(
    world: World, blobs: FolderBlobStore, threads: list[str]
) -> None:
    text = "ref,title,worth\n" + "".join(
        f"{key},{key} {n},{n}\n" for n, key in enumerate("AB AC CD DD EA".replace(" ", ""), 1)
    )
    job = carry(world, blobs, prepare(world, blobs, text, PLAIN), batch_rows=2)
    assert (job.created_rows, job.updated_rows) == (5, 5)
    assert [record.name for record in stored(world)] == ["A 10", "B 2", "C 5", "D 8", "E 9"]
    assert len(threads) == 5
    assert all(name.startswith("import-ahead") for name in threads)
    with world.work() as uow:
        assert not verify(uow).differences


@pytest.mark.parametrize("batch_rows", [3, 100])
def test_histories_are_the_same_in_any_batches(
    world: World, blobs: FolderBlobStore, threads: list[str], batch_rows: int
) -> None:
    history = HistoryChoice("Past", "phase", create=True, at_column="since", closed_column="done",
                            order=("Talk", "Offer"), won=("Yes",))  # fmt: skip
    phases = ("Talk", "Offer", "Yes", "No")
    rows = [f"{n},T{n},{phases[n % 3]},2025-01-{n:02},2025-03-{n:02},{n}.5" for n in range(1, 11)]
    rows[4] = "5,T5,Talk,2025-01-05,,many"
    text = "ref,title,phase,since,done,worth\n" + "\n".join(rows)
    choices = Choices(key_column="ref", history=history)
    job = carry(world, blobs, prepare(world, blobs, text, choices), batch_rows=batch_rows)
    assert (job.created_rows, job.refused_rows) == (9, 1)
    assert [(line, column) for line, column, _ in reasons(world, job)] == [(6, "worth")]
    assert len(threads) == (4 if batch_rows == 3 else 1)
    found = {record.external_key: (record.stage_key, record.is_loaded) for record in stored(world)}
    assert found == {str(n): (("talk", "offer", "yes")[n % 3], True) for n in range(1, 11) if n != 5}
    with world.work() as uow:
        assert not verify(uow).differences


def test_names_that_the_file_makes_are_made_once_and_found_afterwards(
    world: World, blobs: FolderBlobStore, written: list[bool]
) -> None:
    text = "ref,title,client,holder\n" + "".join(
        f"R{n},Title {n},Client {n % 3},{('Ada', 'Bob')[n > 8]}\n" for n in range(18)
    )
    choices = Choices(key_column="ref", create_references=True, create_users=True)
    job = carry(world, blobs, prepare(world, blobs, text, choices), batch_rows=2)
    assert (job.created_rows, job.refused_rows) == (18, 0)
    clients = {str(client.id): client.name for client in stored(world, "client")}
    assert sorted(clients.values()) == ["Client 0", "Client 1", "Client 2"]
    found = {record.external_key: clients[record.data["client"]] for record in stored(world)}
    assert found == {f"R{n}": f"Client {n % 3}" for n in range(18)}
    assert len({record.owner_id for record in stored(world)}) == 2
    # Those that name somebody new wait for their turn; those right behind them may be read before that.
    assert not any(written[place] for place in (0, 1, 4))
    assert all(written[place] for place in (3, 6, 7, 8))
    with world.work() as uow:
        assert not verify(uow).differences


def test_what_was_made_ready_by_definitions_of_before_is_made_anew(
    world: World, blobs: FolderBlobStore
) -> None:
    plan, columns = plan_of(world, prepare(world, blobs, "ref,title,place\nA,One,Bonn\n", PLAIN))
    rows = [Row(2, ["A", "One", "Bonn"])]
    with world.work() as uow, uow.beside() as reading:
        ready = RowImport(reading, plan, columns).make_ready(rows)
        importing = RowImport(uow, plan, columns)
        with world.work() as other:
            other.begin(alone=True)
            publish(other, [FILTERED])
            other.commit()
        assert [verdict.status for verdict in importing.write(rows, ready)] == ["created"]
        uow.commit()
    with world.work() as uow:
        (record,) = uow.session.scalars(select(Record))
        slot = uow.catalog.object("matter").fields.by_key["place"].slot
        assert slot is not None
        assert getattr(record, slot) == "bonn"
        assert not verify(uow).differences


def test_what_somebody_stored_meanwhile_is_changed_and_not_made_twice(
    world: World, blobs: FolderBlobStore
) -> None:
    plan, columns = plan_of(world, prepare(world, blobs, "ref,title,worth\nA,One,1\nB,Two,2\n", PLAIN))
    rows = [Row(2, ["A", "One", "1"]), Row(3, ["B", "Two", "2"])]
    with world.work() as uow, uow.beside() as reading:
        ready = RowImport(reading, plan, columns).make_ready(rows)
        with world.work() as other:
            create(other, "matter", NewRecord({"title": "Uno"}, external_key="A"))
            other.commit()
        written = RowImport(uow, plan, columns).write(rows, ready)
        uow.commit()
    assert [verdict.status for verdict in written] == ["updated", "created"]
    assert [record.name for record in stored(world)] == ["One", "Two"]
    with world.work() as uow:
        found = set(uow.session.scalars(select(SearchToken.token)))
        assert {"one", "two"} <= found
        assert "uno" not in found


def test_what_was_deleted_meanwhile_is_not_referred_to(world: World, blobs: FolderBlobStore) -> None:
    with world.work() as uow:
        clients = [create(uow, "client", NewRecord({"title": name})).record_id for name in ("Acme", "Bolt")]
        uow.commit()
    text = "ref,title,client\nA,One,Acme\nB,Two,Bolt\nC,Three,\n"
    plan, columns = plan_of(world, prepare(world, blobs, text, PLAIN))
    rows = [Row(2, ["A", "One", "Acme"]), Row(3, ["B", "Two", "Bolt"]), Row(4, ["C", "Three", ""])]
    with world.work() as uow, uow.beside() as reading:
        ready = RowImport(reading, plan, columns).make_ready(rows)
        assert ready.new.records is not None
        assert ready.new.records.still_hold(uow)
        uow.rollback()
        importing = RowImport(uow, plan, columns)
        uow.rollback()
        with world.work() as other:
            delete(other, clients[0])
            other.commit()
        assert not ready.new.records.still_hold(uow)
        uow.rollback()
        written = importing.write(rows, ready)
        uow.commit()
    assert [verdict.status for verdict in written] == ["refused", "created", "created"]
    with world.work() as uow:
        assert list(uow.session.scalars(select(Link.target_id))) == clients[1:]
        assert not verify(uow).differences


def test_making_ready_holds_no_state_of_the_database_and_writes_nothing(
    world: World, blobs: FolderBlobStore
) -> None:
    plan, columns = plan_of(world, prepare(world, blobs, "ref,title\nA,One\n", PLAIN))
    with world.work() as uow, uow.beside() as reading:
        importing = RowImport(reading, plan, columns)
        ready = importing.make_ready([Row(2, ["A", "One"])])
        assert ready.new.records is not None
        assert not reading.session.in_transaction()
    assert not stored(world)


def test_an_import_that_breaks_off_leaves_no_thread(world: World, blobs: FolderBlobStore) -> None:
    text = "ref,title\n" + "".join(f"R{n},Title {n}\n" for n in range(20))
    job_id = prepare(world, blobs, text, PLAIN)

    def crash(_progress: Progress) -> None:
        raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        carry(world, blobs, job_id, on_progress=crash, batch_rows=4)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("import-ahead")]
    assert len(stored(world)) == 4
    assert carry(world, blobs, job_id, batch_rows=4).created_rows == 20
