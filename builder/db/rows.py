"""Writing rows without the ORM's cost: many of one table in one statement, or one known by its columns.

The workspace is put in here, from the session, whatever the rows say (idea 7). On SQLite a prepared statement
takes some hundred rows at once, so that other threads of the process work while it runs: after each statement
one of them may take the interpreter for 5 ms. On PostgreSQL the columns travel as arrays, because COPY does
not work under row-level security and a statement a row costs a message each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Float, Integer, Table
from sqlalchemy.types import JSON, TypeEngine

from builder.db.base import Base, Instant, to_micros
from builder.db.engine import PREPARED
from builder.db.tenancy import WorkspaceSession

# Turns the values of a column into the driver's.
Writer: TypeAlias = Callable[[list[Any]], list[Any]]
_WORKSPACE = "workspace_id"
# From so many rows on, columns without any value are left out: such statements are few then, and binding
# nothing for half of a record's columns takes its time.
_MANY = 100
# So many rows and values at most has one statement on SQLite. It knows up to 32,766 values, but statements
# of that many held 30 MB more during an import with history, for as long as they stay prepared.
_ROWS_AT_ONCE = 512
_VALUES_AT_ONCE = 8_192
_ARRAYS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (Instant, "bigint"),
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Double, "double precision"),
    (Float, "double precision"),
    (Boolean, "boolean"),
    (Date, "date"),
    (JSON, "json"),
)


class JsonText(NamedTuple):
    """JSON that was written already: what stands in two rows is written once."""

    text: str

    @classmethod
    def of(cls, value: object) -> JsonText:
        """A value as it stands in a JSON column."""
        return cls(json.dumps(value))

    @classmethod
    def of_parts(cls, parts: Mapping[str, object]) -> JsonText:
        """An object, the values of which may be written already."""
        written = (
            f"{json.dumps(key)}: {value.text if isinstance(value, JsonText) else json.dumps(value)}"
            for key, value in parts.items()
        )
        return cls(f"{{{', '.join(written)}}}")


class Insertion(NamedTuple):
    """Rows as the driver takes them: made ready before, so that writing them is all that is left to do."""

    workspace_id: int
    statements: Sequence[tuple[str, Any]]

    def write(self, session: WorkspaceSession) -> None:
        """Errors: ValueError in another workspace than the rows were made ready for."""
        if session.workspace_id != self.workspace_id:
            raise ValueError("rows of another workspace")
        connection = session.connection()
        for statement, values in self.statements:
            connection.exec_driver_sql(statement, values, execution_options=PREPARED)


def insert_rows(
    session: WorkspaceSession, entity: type[Base], rows: Sequence[Mapping[str, Any]], conflict: str = ""
) -> None:
    """Insert ``rows``: mappings of column names to values that all have the same keys as the first.

    ``conflict``: an ``ON CONFLICT`` clause in words that both databases understand. Columns that no row
    names get null, as no default of the ORM applies. None in a JSON column is stored as JSON's null, a
    ``JsonText`` as it is.
    """
    if rows:
        insert_columns(session, entity, columns_of(rows), conflict)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    """At least one row by columns: each has the keys of the first."""
    names = tuple(rows[0])
    return dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))


def insert_columns(
    session: WorkspaceSession, entity: type[Base], columns: Mapping[str, Sequence[Any]], conflict: str = ""
) -> None:
    """``insert_rows`` for rows that are given as columns of one length, at least one row."""
    insertion(session, entity, columns, conflict).write(session)


def insertion(
    session: WorkspaceSession, entity: type[Base], columns: Mapping[str, Sequence[Any]], conflict: str = ""
) -> Insertion:
    """What ``insert_columns`` writes; reads nothing."""
    table, system = entity.__table__, session.get_bind().dialect.name
    if _WORKSPACE not in columns:
        raise ValueError(f"rows of {entity.__tablename__} without a workspace")
    count = len(columns[_WORKSPACE])
    written = {name: list(values) for name, values in columns.items()}
    written[_WORKSPACE] = [session.workspace_id] * count
    for name, write in _writers(table, tuple(columns), system):
        written[name] = write(written[name])
    if count >= _MANY:
        written = {name: values for name, values in written.items() if _has_any(values)}
    names = tuple(written)
    if system == "postgresql" and count > 1:
        arrays = tuple(map(_literal, _kinds(table, names), written.values()))
        return Insertion(session.workspace_id, [(_insert_arrays(table, names, conflict), arrays)])
    rows = list(zip(*written.values(), strict=True))
    if count < _MANY:
        return Insertion(session.workspace_id, [(_insert(table, names, conflict, system), rows)])
    return Insertion(
        session.workspace_id,
        [
            (_insert(table, names, conflict, system, len(part)), tuple(chain.from_iterable(part)))
            for part in _parts(rows, _VALUES_AT_ONCE // len(names))
        ],
    )


def _parts(rows: list[tuple[Any, ...]], most: int) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in parts of powers of two: so a table has few statements, which stay prepared."""
    start, size = 0, _ROWS_AT_ONCE
    while start < len(rows):
        while size > min(most, len(rows) - start):
            size //= 2
        yield rows[start : start + size]
        start += size


def _has_any(values: list[Any]) -> bool:
    """Whether a column has a value; most show it at once."""
    return values[0] is not None or values.count(None) < len(values)


def update_rows(
    session: WorkspaceSession, entity: type[Base], values: Mapping[str, Any], where: Mapping[str, Any]
) -> int:
    """Set ``values`` in the rows of the workspace whose columns equal ``where``, of a list of ids one of
    them; how many there were.
    """
    connection = session.connection()
    system = connection.dialect.name
    lists = tuple(name for name, value in where.items() if isinstance(value, list))
    statement, writers = _update(entity.__table__, tuple(values), tuple(where), lists, system)
    known = {**where, **{name: _list_text(where[name], system) for name in lists}}
    given = (*values.values(), *known.values())
    written = [
        value if write is None else write([value])[0] for value, write in zip(given, writers, strict=True)
    ]
    row = (*written, session.workspace_id)
    return connection.exec_driver_sql(statement, row, execution_options=PREPARED).rowcount


def _list_text(ids: list[int], system: str) -> str:
    """All of them in one place of the statement, which so is the same however many there are."""
    return json.dumps(ids) if system == "sqlite" else _literal("bigint", ids)


@lru_cache(maxsize=256)
def _update(
    table: Table, names: tuple[str, ...], keys: tuple[str, ...], lists: tuple[str, ...], system: str
) -> tuple[str, tuple[Writer | None, ...]]:
    def place(name: str) -> str:
        return f"{name} = {'?' if system == 'sqlite' else f'%s::{_array(table.c[name])}'}"

    def one_of(name: str) -> str:
        listed = "IN (SELECT value FROM json_each(?))" if system == "sqlite" else "= ANY (%s::bigint[])"
        return f"{name} {listed}"

    changes = ", ".join(map(place, names))
    condition = " AND ".join(one_of(key) if key in lists else place(key) for key in (*keys, _WORKSPACE))
    statement = f"UPDATE {table.name} SET {changes} WHERE {condition}"  # noqa: S608 - names of our own columns
    return statement, tuple(_writer(table.c[name], system) for name in (*names, *keys))


@lru_cache(maxsize=256)
def _insert(table: Table, names: tuple[str, ...], conflict: str, system: str, rows: int = 1) -> str:
    """With places for the values of so many rows, one row's behind the other's."""
    places = "?" * len(names) if system == "sqlite" else [f"%s::{kind}" for kind in _kinds(table, names)]
    values = ", ".join([f"({', '.join(places)})"] * rows)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {values}"  # noqa: S608 - as above
    return f"{statement} {conflict}".rstrip()


@lru_cache(maxsize=256)
def _insert_arrays(table: Table, names: tuple[str, ...], conflict: str) -> str:
    """With a place for an array of all rows' values in each column."""
    arrays = ", ".join(f"%s::{kind}[]" for kind in _kinds(table, names))
    source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own columns
    return f"INSERT INTO {table.name} ({', '.join(names)}) {source} {conflict}".rstrip()


@lru_cache(maxsize=256)
def _kinds(table: Table, names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns' types in words of PostgreSQL."""
    return tuple(_array(table.c[name]) for name in names)


@lru_cache(maxsize=256)
def _writers(table: Table, names: tuple[str, ...], system: str) -> tuple[tuple[str, Writer], ...]:
    """By their names, the columns whose values must be turned into the driver's."""
    writers = ((name, _writer(table.c[name], system)) for name in names)
    return tuple((name, write) for name, write in writers if write is not None)


def _array(column: Column[Any]) -> str:
    return next((name for kind, name in _ARRAYS if isinstance(column.type, kind)), "text")


def _literal(kind: str, values: list[Any]) -> str:
    """An array as PostgreSQL reads it. The driver's own way looks at every value a dozen times, which took a
    third of an import."""
    write = _quoted if kind in ("text", "json") else _bare
    return f"{{{','.join(map(write, values))}}}"


def _bare(value: float | date | None) -> str:
    return "NULL" if value is None else str(value)


def _quoted(value: object) -> str:
    if value is None:
        return "NULL"
    text = str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _writer(column: Column[Any], system: str) -> Writer | None:
    if isinstance(column.type, Instant):
        return lambda values: list(map(_micros, values))
    if isinstance(column.type, JSON):
        return _json_texts
    if isinstance(column.type, Double | Float):
        return lambda values: [None if value is None else float(value) for value in values]
    if isinstance(column.type, Date) and system == "sqlite":
        return lambda values: [None if value is None else value.isoformat() for value in values]
    return None


def _json_texts(values: list[Any]) -> list[str]:
    return [
        "null" if value is None else value.text if value.__class__ is JsonText else json.dumps(value)
        for value in values
    ]


@lru_cache(maxsize=16384)
def _micros(value: datetime | None) -> int | None:
    """A visit's end is the next one's beginning, and both are a slice's: most instants come again."""
    return None if value is None else to_micros(value)
