"""What an engine says of transactions that get into each other's way."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from builder.db.engine import PREPARED, make_engine
from builder.errors import Conflict
from tests.fixtures.databases import FreshDatabase

LOCK = text("SELECT pg_advisory_xact_lock(:key)")


def test_of_two_writers_who_wait_for_each_other_one_is_told_to_try_again(
    postgres_database: FreshDatabase,
) -> None:
    engine = make_engine(postgres_database.url)
    both_hold, told = Barrier(2), []

    def write(first: int, second: int) -> None:
        with engine.begin() as connection:
            connection.execute(LOCK, {"key": first})
            both_hold.wait(timeout=20)
            connection.execute(LOCK, {"key": second})

    def try_to_write(first: int, second: int) -> None:
        try:
            write(first, second)
        except Conflict as error:
            told.append(error)

    writers = [Thread(target=try_to_write, args=keys) for keys in ((1, 2), (2, 1))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=30)
    engine.dispose()
    assert [error.status for error in told] == [409]


NUMBERS = text("SELECT :one + CAST(:two AS integer)")
LASTING = NUMBERS.execution_options(**PREPARED)
KNOWN = "SELECT count(*) FROM pg_prepared_statements"


def test_only_what_says_so_is_planned_once_and_reads_that_end_do_not_undo_it(
    postgres_database: FreshDatabase,
) -> None:
    """Each request reads and rolls back: the driver alone would forget what it prepared every time."""
    engine = make_engine(postgres_database.url)
    found = []
    for statement in (NUMBERS, LASTING):
        for number in range(8):
            with engine.connect() as connection:
                assert connection.scalar(statement, {"one": number, "two": 2}) == number + 2
        with engine.connect() as connection:
            found.append(connection.exec_driver_sql(KNOWN).scalar())
    engine.dispose()
    assert found == [0, 1]


def test_after_an_error_nothing_is_taken_for_prepared(postgres_database: FreshDatabase) -> None:
    """A table that was changed meanwhile would be met with the plan of before for as long as a process lives."""
    engine = make_engine(postgres_database.url)
    asked = {"one": 1, "two": 2}
    for _ in range(8):
        with engine.connect() as connection:
            connection.execute(LASTING, asked)
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql("SELECT 1/0")
    with engine.connect() as connection:
        known = connection.exec_driver_sql(KNOWN).scalar()
        assert connection.scalar(LASTING, asked) == 3
    engine.dispose()
    assert known == 0


def test_what_was_not_committed_is_rolled_back(postgres_database: FreshDatabase) -> None:
    engine = make_engine(postgres_database.owner_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE rolled (n integer)")
    with engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO rolled VALUES (1)")
        connection.rollback()
        connection.exec_driver_sql("INSERT INTO rolled VALUES (2)")
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM rolled").scalar() == 0
        connection.exec_driver_sql("DROP TABLE rolled")
    engine.dispose()
