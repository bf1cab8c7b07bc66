"""Taking a record for a write: in one statement, and never with stays of another moment than the record."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text

from builder.db.tenancy import WorkspaceSession
from builder.queries.taken import TakenRecord, take_record
from builder.services.standings import load_standing
from builder.services.transitions import MoveRecord, move
from tests.builder.queries.world import World, counted


@pytest.fixture
def moved(world: World) -> int:
    """A record with two stays."""
    made = world.opportunity("one", stage="first", amount="10")
    uow = world.uow()
    move(uow, MoveRecord(made, "second", is_confirmed=True))
    uow.commit()
    return made


def test_what_is_taken_is_what_is_read_apart(world: World, moved: int) -> None:
    apart = load_standing(world.uow(), moved)
    uow = world.uow()
    with counted(world.engine) as statements:
        uow.begin(on=moved)
        taken = load_standing(uow, moved)
        assert len(taken.stays) == 2
    assert len(statements) == 1
    assert taken.record == apart.record
    assert taken.stays == apart.stays
    with counted(world.engine) as statements:
        assert load_standing(uow, moved).stays == taken.stays
    assert len(statements) == 2, "asked again, it is read again"
    uow.rollback()


def test_a_record_in_no_pipeline_is_taken_without_stays(world: World) -> None:
    account = world.account("Acme")
    uow = world.uow()
    uow.begin(on=account)
    assert load_standing(uow, account).stays == []
    uow.rollback()


def test_another_workspaces_record_is_not_taken(world: World, moved: int) -> None:
    with world.open(8) as session:
        session.begin_write()
        assert take_record(session, moved) is None


@contextmanager
def beside(world: World) -> Iterator[Connection]:
    """A transaction of somebody else in the workspace; only PostgreSQL lets two write at once."""
    if world.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    with world.engine.connect() as connection:
        connection.execute(text("SELECT set_config('app.workspace_id', '7', true)"))
        yield connection


def taking(world: World, pool: ThreadPoolExecutor, record_id: int, process: list[int]) -> Future[Any]:
    def take() -> TakenRecord | None:
        with WorkspaceSession(world.engine) as session:
            session.bind_workspace(7)
            session.begin_write()
            process.append(int(session.connection().exec_driver_sql("select pg_backend_pid()").scalar() or 0))
            return take_record(session, record_id)

    return pool.submit(take)


def wait_for_lock(world: World, process: list[int]) -> None:
    """Until the other one waits for a lock."""
    waits = text("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = :pid")
    with world.engine.connect() as connection:
        while not process or not connection.execute(waits, {"pid": process[0]}).scalar():
            connection.execute(text("SELECT pg_sleep(0.01)"))


def test_stays_of_before_are_not_taken_with_a_record_that_changed_meanwhile(world: World, moved: int) -> None:
    process: list[int] = []
    with ThreadPoolExecutor(1) as pool, beside(world) as other:
        other.execute(text("UPDATE record SET revision = revision + 1 WHERE id = :id"), {"id": moved})
        found = taking(world, pool, moved, process)
        wait_for_lock(world, process)
        other.commit()
        assert found.result(10) is None


def test_a_lock_that_is_waited_for_and_changed_nothing_is_taken(world: World, moved: int) -> None:
    process: list[int] = []
    with ThreadPoolExecutor(1) as pool, beside(world) as other:
        other.execute(text("SELECT id FROM record WHERE id = :id FOR UPDATE"), {"id": moved})
        found = taking(world, pool, moved, process)
        wait_for_lock(world, process)
        other.rollback()
        taken = found.result(10)
        assert taken is not None
        assert len(taken.stays) == 2


def test_who_waits_for_a_workspace_holds_none_of_its_records(world: World, moved: int) -> None:
    process: list[int] = []
    with ThreadPoolExecutor(1) as pool, beside(world) as other:
        other.execute(text("SELECT id FROM workspace WHERE id = 7 FOR UPDATE"))
        found = taking(world, pool, moved, process)
        wait_for_lock(world, process)
        other.execute(text("SELECT id FROM record WHERE id = :id FOR UPDATE NOWAIT"), {"id": moved})
        other.execute(text("UPDATE workspace SET definitions_stamp = 77 WHERE id = 7"))
        other.commit()
        taken = found.result(10)
        assert taken is not None
        assert taken.stamp == 77
