"""Reading what reports and totals ask for from the one index that holds it, where most records are read.

``ix_record_report`` keeps the reported columns of a record side by side. SQLite's planner does not count what
fetching a row from a page of its own costs, so it takes another index whose order promises something and is
four times as slow. PostgreSQL has no such index: there the hint is silent. For a few records the index of the
field that selects them is quickest: ``selects_many`` asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Select, Table, literal_column, select
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause, False_
from sqlalchemy.sql.selectable import SelectBase

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.queries.population import Population
from builder.queries.probing import FEW, least, parts_of

_Statement = TypeVar("_Statement", bound=Select[Any])
_INDEX = "INDEXED BY ix_record_report"
# Spelled out: no database takes a partial index for a value that it is told later.
_HAS_ENDED = Record.outcome != literal_column("'open'")
_TABLE = cast(Table, Record.__table__)


def _columns(index_name: str) -> frozenset[str]:
    found = next(index for index in _TABLE.indexes if index.name == index_name)
    return frozenset(column.name for column in found.columns)


_HELD = _columns("ix_record_report")
_STANDING = _columns("ix_record_standing")


def side_by_side(statement: _Statement) -> _Statement:
    """The same statement, read from that index. It must ask for live records of one object; columns that the
    index lacks cost as much as without it.
    """
    return _read_by(statement, _INDEX)


def along_ends(statement: _Statement) -> _Statement:
    """The same statement of live records with outcomes, named in it, read from the index that holds what is
    reported of what has ended: in the order of the ends, or of a period alone.
    """
    return _read_by(statement.where(_HAS_ENDED), "INDEXED BY ix_record_ended")


def by_standing(statement: _Statement, asked: Sequence[ColumnElement[Any]]) -> _Statement:
    """The same statement of records that are met by their ids, each looked up in the index that holds how
    they stand and nothing else, where that answers all that is ``asked`` of them.
    """
    is_held = all(_is_within(clause, _STANDING) for clause in asked)
    return _read_by(statement, "INDEXED BY ix_record_standing") if is_held else statement


def _read_by(statement: _Statement, index: str) -> _Statement:
    where = statement.whereclause
    if where is not None and any(isinstance(part, False_) for part in visitors.iterate(where)):
        # Of a clause that nothing satisfies only that is left: SQLite would not find its way by the index.
        return statement
    return statement.with_hint(Record, index, "sqlite")


def seldom(session: WorkspaceSession, clauses: Sequence[ColumnElement[bool]], most: int) -> list[int] | None:
    """The ids of live records of one object that satisfy the clauses; ``None`` where there are more than
    ``most``, or where the index does not hold what they ask. Up to one statement: to meet few among many
    takes a walk along all of them, which here costs a twentieth of one that fetches each record.
    """
    if session.get_bind().dialect.name != "sqlite" or not all(map(holds, clauses)):
        return None
    ids = session.scalars(side_by_side(select(Record.id).where(*clauses).limit(most + 1))).all()
    return list(ids) if len(ids) <= most else None


def holds(clause: ColumnElement[bool]) -> bool:
    """Whether that index answers the clause by itself."""
    return _is_within(clause, _HELD)


def _is_within(clause: ColumnElement[Any], columns: frozenset[str]) -> bool:
    """Whether the clause asks for nothing of a record but these columns."""
    parts = list(visitors.iterate(clause))
    tables = ((part.table, part.name) for part in parts if isinstance(part, ColumnClause))
    names = {name for table, name in tables if getattr(table, "name", "") == _TABLE.name}
    return names <= columns and not any(isinstance(part, SelectBase) for part in parts)


def selects_many(session: WorkspaceSession, population: Population) -> bool:
    """Whether an index would serve the filter, and leads to more than ``FEW`` records (one statement)."""
    if population.condition is None or session.get_bind().dialect.name != "sqlite":
        return False
    parts = parts_of(population.condition)
    return bool(parts) and least(session, population.object_key, parts)[0] > FEW
