"""How a report with a free filter reads records on SQLite.

SQLite takes the index of a filtered field whatever that selects, and fetches each record, with its document,
from a page of its own. Where more than a few are selected, one walk along ``ix_record_report``, which holds
all that reports read, takes half of the time; so a filter that selects many is kept out of the planner's
sight. PostgreSQL knows what a filter selects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Select, UnaryExpression, func, literal, select
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList

from builder.db.records import NUMBER_SLOTS, TEXT_SLOTS, Record
from builder.db.tenancy import WorkspaceSession
from builder.queries.population import Population

FEW = 2000
_SLOTS = frozenset(TEXT_SLOTS + NUMBER_SLOTS)


def on_report_path(session: WorkspaceSession, population: Population) -> Population:
    """The same population, read along ``ix_record_report`` where its filter selects many (one statement)."""
    condition = population.condition
    if condition is None or session.get_bind().dialect.name != "sqlite":
        return population
    probes = [_capped_count(population, terms) for terms in _terms_by_slot(condition).values()]
    if not probes or min(session.execute(select(*probes)).one()) <= FEW:
        return population
    return replace(population, condition=_unindexed(condition))


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


def _unindexed(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """``+(condition)``: true of the same records, but no index serves it."""
    return UnaryExpression(condition.self_group(), operator=operators.custom_op("+"), type_=Boolean())
