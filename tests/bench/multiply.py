"""The measured company many times over: its opportunities copied within the database (issue 3, part 8).

Loading a million one batch after another takes hours and shows nothing that loading the first part does not.
Each copy is the first part with other ids: the same names, amounts, people and times, its own rows everywhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Table, insert, literal, select, text, update

from builder.db.engine import make_engine
from builder.db.ledger import EventRow, FunnelRollup, RollupDelta, SliceRow, StayRow
from builder.db.records import Link, Record, SearchToken
from builder.services.unit_of_work import UnitOfWork
from tests.bench import documents as company
from tests.bench.databases import Database, PostgresDatabases, SqliteFiles
from tests.bench.world import Parameters, prepare, work

# More than lies between the first and the last id of one load, which grow with time.
APART = 2**42
SHIFTED = ("id", "record_id", "stay_id", "slice_id")
# Those that are no constraint: table, name and what makes them.
INDEXES = {
    "sqlite": "select tbl_name, name, sql from sqlite_master where type = 'index' and sql is not null",
    "postgresql": "select tablename, indexname, indexdef from pg_indexes where schemaname = current_schema()"
    " and not exists (select 1 from pg_constraint where conname = indexname)",
}
COPIED: tuple[Any, ...] = (Record, StayRow, SliceRow, EventRow, SearchToken, Link)


def multiplied(store: SqliteFiles | PostgresDatabases, parameters: Parameters, times: int) -> Database:
    """A database of its own for this run, with ``times`` as many opportunities; kept like the first."""
    name = f"{parameters.name}_x{times}"
    if store.find(name) is None:
        first, _build = prepare(store, parameters)
        unfinished = f"{name}_{os.getpid()}"
        made = store.rename(first.name, unfinished)
        began = time.perf_counter()
        with _without_indexes(made):
            for copy in range(1, times):
                with work(made) as uow:
                    _copy(uow, copy * APART)
                    uow.commit()
                print(f"copy {copy + 1} after {time.perf_counter() - began:.0f} s", flush=True)
        print(f"indexes after {time.perf_counter() - began:.0f} s", flush=True)
        with work(made) as uow:
            _multiply_rollup(uow, times)
            uow.commit()
        store.settle(unfinished)
        store.rename(unfinished, name)
    return store.copy(name, f"fw_measured_{os.getpid()}")


@contextmanager
def _without_indexes(database: Database) -> Iterator[None]:
    """Take the indexes of what is copied away and make them anew: sorted once, not searched for each row."""
    tables = {model.__table__.name for model in COPIED}
    engine = make_engine(database.owner_url)
    with engine.begin() as connection:
        rows = connection.exec_driver_sql(INDEXES[engine.dialect.name]).all()
        found = [(name, made_by) for table, name, made_by in rows if table in tables]
        for name, _made_by in found:
            connection.exec_driver_sql(f"drop index {name}")
    yield
    for _name, made_by in found:
        with engine.begin() as connection:
            connection.exec_driver_sql(made_by)
    engine.dispose()


def _copy(uow: UnitOfWork, shift: int) -> None:
    uow.begin()
    if uow.session.get_bind().dialect.name == "sqlite":
        uow.session.execute(text("PRAGMA cache_size = -1500000"))
    for model in COPIED:
        table: Table = model.__table__
        columns = [column for column in table.c if column.computed is None]
        shown = [column + literal(shift) if column.name in SHIFTED else column for column in columns]
        first = select(*shown).where(table.c.workspace_id == uow.workspace.id, *_of_first(table))
        uow.session.execute(insert(table).from_select(columns, first))


def _of_first(table: Table) -> list[Any]:
    """Opportunities, and only those that were loaded."""
    key = table.c.id if table is Record.__table__ else table.c.record_id
    first = select(Record.id).where(Record.object_key == company.OBJECT).order_by(Record.id).limit(1)
    low = first.scalar_subquery()
    clauses = [key >= low, key < low + literal(APART)]
    if "object_key" in table.c:
        clauses.append(table.c.object_key == company.OBJECT)
    return clauses


def _multiply_rollup(uow: UnitOfWork, times: int) -> None:
    uow.begin()
    for cells in (FunnelRollup, RollupDelta):
        sums = {name: getattr(cells, name) * times for name in ("n", "amount_minor", "weighted_minor")}
        uow.session.execute(update(cells).values(sums).execution_options(synchronize_session=False))
