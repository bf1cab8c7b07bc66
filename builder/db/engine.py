"""Engines for SQLite (WAL) and PostgreSQL, set up the same way wherever one is made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import ExceptionContext, ExecutionContext, make_url

from builder.errors import N_, Conflict

WRITE = "funnelwright_write"
# What a statement says that is asked again and again and whose best plan does not hang on its values.
PREPARED = {"funnelwright_prepared": True}
AT_ONCE = N_("Somebody else changed the same things at this very moment. Nothing was saved; try again.")
# What PostgreSQL says to the one of two transactions that wait for each other, and that it lets go.
_LET_GO = ("40P01", "40001")


def engine_options(url: str) -> dict[str, Any]:
    """Options for ``create_engine`` that suit the database behind ``url``."""
    if make_url(url).get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30}, "pool_size": 20, "max_overflow": 20}
    return {"pool_size": 10, "max_overflow": 20, "pool_pre_ping": False, "pool_use_lifo": True}


def make_engine(url: str) -> Engine:
    """A ready engine; raises ArgumentError for an address SQLAlchemy cannot read."""
    return prepare(create_engine(url, **engine_options(url)))


def prepare(engine: Engine) -> Engine:
    """Attach what every connection of the engine needs. Idempotent."""
    if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _open_sqlite):
        engine.dialect.statement_compiler = _HintedCompiler
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    if engine.dialect.name == "postgresql" and not event.contains(engine, "handle_error", _in_words):
        event.listen(engine, "handle_error", _in_words)
        event.listen(engine, "do_execute", _planned)
        engine.dialect.do_rollback = _remembering(engine.dialect.do_rollback)  # type: ignore[assignment, method-assign]
    return engine


class _HintedCompiler(SQLiteCompiler):
    """Says the hints of statements (``INDEXED BY``), which the dialect places but leaves out."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def _planned(cursor: Any, statement: str, parameters: Any, context: ExecutionContext | None) -> bool:
    """Ask PostgreSQL to plan a read for its values, each time, unless it says ``PREPARED``.

    The driver prepares what it has sent five times, and the server then settles on one plan for all values:
    it saves milliseconds where each plan is the same (``record`` has sixty indexes to weigh), and costs
    seconds where one filter selects ten records and the next a million.
    """
    from psycopg import ServerCursor

    options = {} if context is None else context.execution_options
    is_write = bool(getattr(context, "is_crud", False))
    if is_write or isinstance(cursor, ServerCursor) or PREPARED.keys() <= options.keys():
        return False
    cursor.execute(statement, parameters, prepare=False)
    return True


def _remembering(rollback: Callable[[Any], None]) -> Callable[[Any], None]:
    """Roll back without forgetting what is prepared: every read ends so, and the driver forgets all of it
    then, lest a table was dropped that a statement names. After an error it still does.
    """

    def roll_back(connection: Any) -> None:
        from psycopg.pq import ExecStatus, TransactionStatus

        driver = getattr(connection, "driver_connection", connection)
        is_sound = driver.pgconn.transaction_status == TransactionStatus.INTRANS
        if not is_sound or driver.pgconn.exec_(b"ROLLBACK").status != ExecStatus.COMMAND_OK:
            rollback(connection)

    return roll_back


def _in_words(context: ExceptionContext) -> None:
    """Errors: Conflict where the transaction was let go for another: nothing is wrong, it may be repeated."""
    if getattr(context.original_exception, "sqlstate", None) in _LET_GO:
        raise Conflict(AT_ONCE)


def _open_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # sqlite3 would otherwise begin transactions by its own rules; _begin_sqlite does it by ours.
    connection.isolation_level = None
    for pragma in (
        "busy_timeout=30000",  # first: the next one may have to wait while another process recovers
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-20480",
        "mmap_size=2147418112",  # the most there is: mapped pages are read without asking the system
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that will write takes the write lock at once: upgrading a read snapshot later
    # fails with "database is locked" as soon as another process has written in between.
    is_write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
