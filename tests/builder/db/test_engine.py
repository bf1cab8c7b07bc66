"""What an engine says of transactions that get into each other's way."""

from __future__ import annotations

from threading import Barrier, Thread

from sqlalchemy import text

from builder.db.engine import make_engine
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
