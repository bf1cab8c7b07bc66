"""Writing rows without the ORM's cost: many of one table in one statement, or one known by its columns.

The workspace is put in here, from the session, whatever the rows say (idea 7). On SQLite one prepared
statement runs over all rows; on PostgreSQL the columns travel as arrays, because COPY does not work under
row-level security and a statement a row costs a message each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Float, Integer, Table
from sqlalchemy.types import JSON, TypeEngine

from builder.db.base import Base, Instant, to_micros
from builder.db.tenancy import WorkspaceSession

# Turns the values of a column into the driver's.
Writer: TypeAlias = Callable[[list[Any]], list[Any]]
_WORKSPACE = "workspace_id"
# From so many rows on, columns without any value are left out: such statements are few then, and binding
# nothing for half of a record's columns takes its time.
_MANY = 100
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


def insert_rows(
    session: WorkspaceSession, entity: type[Base], rows: Sequence[Mapping[str, Any]], conflict: str = ""
) -> None:
    """Insert ``rows``: mappings of column names to values that all have the same keys as the first.

    ``conflict``: an ``ON CONFLICT`` clause in words that both databases understand. Columns that no row
    names get null, as no default of the ORM applies. None in a JSON column is stored as JSON's null, a
    ``JsonText`` as it is.
    """
    if rows:
        names = tuple(rows[0])
        columns = zip(*map(itemgetter(*names), rows), strict=True)
        insert_columns(session, entity, dict(zip(names, columns, strict=True)), conflict)


def insert_columns(
    session: WorkspaceSession, entity: type[Base], columns: Mapping[str, Sequence[Any]], conflict: str = ""
) -> None:
    """``insert_rows`` for rows that are given as columns of one length, at least one row."""
    connection = session.connection()
    table, system = entity.__table__, connection.dialect.name
    if _WORKSPACE not in columns:
        raise ValueError(f"rows of {entity.__tablename__} without a workspace")
    count = len(columns[_WORKSPACE])
    written = {name: list(values) for name, values in columns.items()}
    written[_WORKSPACE] = [session.workspace_id] * count
    for name, write in _writers(table, tuple(columns), system):
        written[name] = write(written[name])
    if count >= _MANY:
        written = {name: values for name, values in written.items() if _has_any(values)}
    statement = _insert(table, tuple(written), conflict, system, count > 1)
    if system == "postgresql" and count > 1:
        kinds = _kinds(table, tuple(written))
        arrays = tuple(_literal(kind, values) for kind, values in zip(kinds, written.values(), strict=True))
        connection.exec_driver_sql(statement, arrays)
    else:
        connection.exec_driver_sql(statement, list(zip(*written.values(), strict=True)))


def _has_any(values: list[Any]) -> bool:
    """Whether a column has a value; most show it at once."""
    return values[0] is not None or values.count(None) < len(values)


def update_row(
    session: WorkspaceSession, entity: type[Base], values: Mapping[str, Any], where: Mapping[str, Any]
) -> int:
    """Set ``values`` in the rows of the workspace whose columns equal ``where``; how many there were."""
    connection = session.connection()
    table = entity.__table__
    statement, writers = _update(table, tuple(values), tuple(where), connection.dialect.name)
    given = (*values.values(), *where.values())
    written = [
        value if write is None else write([value])[0] for value, write in zip(given, writers, strict=True)
    ]
    return connection.exec_driver_sql(statement, (*written, session.workspace_id)).rowcount


@lru_cache(maxsize=256)
def _update(
    table: Table, names: tuple[str, ...], keys: tuple[str, ...], system: str
) -> tuple[str, tuple[Writer | None, ...]]:
    def place(name: str) -> str:
        return f"{name} = {'?' if system == 'sqlite' else f'%s::{_array(table.c[name])}'}"

    changes = ", ".join(map(place, names))
    condition = " AND ".join(map(place, (*keys, _WORKSPACE)))
    statement = f"UPDATE {table.name} SET {changes} WHERE {condition}"  # noqa: S608 - names of our own columns
    return statement, tuple(_writer(table.c[name], system) for name in (*names, *keys))


@lru_cache(maxsize=256)
def _insert(table: Table, names: tuple[str, ...], conflict: str, system: str, are_many: bool) -> str:
    listed = ", ".join(names)
    types = _kinds(table, names)
    if system == "sqlite":
        source = f"VALUES ({', '.join('?' * len(names))})"
    elif are_many:
        arrays = ", ".join(f"%s::{kind}[]" for kind in types)
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own columns
    else:
        source = f"VALUES ({', '.join(f'%s::{kind}' for kind in types)})"
    return f"INSERT INTO {table.name} ({listed}) {source} {conflict}".rstrip()


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
