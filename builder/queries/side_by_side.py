"""Reading what reports and totals ask for from the one index that holds it, where most records are read.

``ix_record_report`` keeps the reported columns of a record side by side. SQLite's planner does not count what
fetching a row from a page of its own costs, so it takes another index whose order promises something and is
four times as slow. PostgreSQL has no such index: there the hint is silent. For a few records the index of the
field that selects them is quickest: ``selects_many`` asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, False_

from builder.db.records import NUMBER_SLOTS, TEXT_SLOTS, Record
from builder.db.tenancy import WorkspaceSession
from builder.queries.population import Population

_Statement = TypeVar("_Statement", bound=Select[Any])
_INDEX = "INDEXED BY ix_record_report"
FEW = 2000
_SLOTS = frozenset(TEXT_SLOTS + NUMBER_SLOTS)


def side_by_side(statement: _Statement) -> _Statement:
    """The same statement, read from that index. It must ask for live records of one object; columns that the
    index lacks cost as much as without it.
    """
    where = statement.whereclause
    if where is not None and any(isinstance(part, False_) for part in visitors.iterate(where)):
        # Of a clause that nothing satisfies only that is left: SQLite would not find its way by the index.
        return statement
    return statement.with_hint(Record, _INDEX, "sqlite")


def selects_many(session: WorkspaceSession, population: Population) -> bool:
    """Whether an index would serve the filter, and leads to more than ``FEW`` records (one statement)."""
    condition = population.condition
    if condition is None or session.get_bind().dialect.name != "sqlite":
        return False
    probes = [_capped_count(population, terms) for terms in _terms_by_slot(condition).values()]
    return bool(probes) and min(session.execute(select(*probes)).one()) > FEW


def _terms_by_slot(condition: ColumnElement[bool]) -> dict[str, list[ColumnElement[bool]]]:
    """What must hold of single slots, by slot: where there is something an index of a slot could serve."""
    found: dict[str, list[ColumnElement[bool]]] = {}
    for term in _conjuncts(condition):
        if isinstance(term, BinaryExpression) and getattr(term.left, "name", None) in _SLOTS:
            found.setdefault(term.left.name, []).append(term)
    return found


def _conjuncts(condition: ColumnElement[bool]) -> Iterator[ColumnElement[Any]]:
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for part in condition.clauses:
            yield from _conjuncts(part)
    else:
        yield condition


def _capped_count(population: Population, terms: list[ColumnElement[bool]]) -> Any:
    rows: Select[*tuple[Any, ...]] = select(literal(1).label("one")).where(
        Record.object_key == population.object_key, Record.deleted_at.is_(None), *terms
    )
    counted = rows.limit(FEW + 1).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()
