"""Engines for SQLite (WAL) and PostgreSQL, set up the same way wherever one is made."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import ExceptionContext, make_url

from builder.errors import N_, Conflict

WRITE = "funnelwright_write"
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
    return engine


class _HintedCompiler(SQLiteCompiler):
    """Says the hints of statements (``INDEXED BY``), which the dialect places but leaves out."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


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
        "mmap_size=268435456",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that will write takes the write lock at once: upgrading a read snapshot later
    # fails with "database is locked" as soon as another process has written in between.
    is_write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
