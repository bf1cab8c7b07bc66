"""Sums of a funnel from the roll-up: all time or whole months, narrowed by owner, department, visibility."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, func, literal, select, text

from builder.db.ledger import OF_ALL_TIME, FunnelRollup
from builder.db.tenancy import WorkspaceSession
from builder.domain.funnel import Count, Sums
from builder.domain.pipeline import Pipeline
from builder.domain.rollup import ALL_TIME
from builder.queries.dimensions import Dimension
from builder.queries.funnel_stays import Tally
from builder.queries.population import NOBODY, Population
from builder.queries.rolled_up import grain, group_column


def tally_of_rollup(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    measures: Iterable[str],
    by: Dimension | None = None,
) -> Tally:
    """The sums of these measures, grouped by owner or department where asked (one statement)."""
    keys = [FunnelRollup.measure, FunnelRollup.stage_key, FunnelRollup.currency, _group(by)]
    sums = func.sum(FunnelRollup.n), func.sum(FunnelRollup.amount_minor)
    found: Select[*tuple[Any, ...]] = (
        select(*keys, *sums).where(*_cells(population, pipeline, measures, by)).group_by(*keys)
    )
    tally = Tally()
    for measure, stage, code, group, n, amount in session.execute(found):
        tally.add(None if group == NOBODY else group, measure, stage, code, int(n), int(amount))
    return tally


def numbers_of_rollup(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    measures: Iterable[str],
    by: Dimension,
) -> dict[Any, Sums]:
    """The same of each group without amounts, which leaves less than half to read (one statement)."""
    keys = [FunnelRollup.measure, FunnelRollup.stage_key, _group(by)]
    found: Select[*tuple[Any, ...]] = (
        select(*keys, func.sum(FunnelRollup.n))
        .where(*_cells(population, pipeline, measures, by))
        .group_by(*keys)
    )
    groups: dict[Any, dict[tuple[str, str], Count]] = defaultdict(dict)
    for measure, stage, group, n in session.execute(found):
        groups[None if group == NOBODY else group][measure, stage] = Count(int(n), 0)
    return dict(groups)


def _group(by: Dimension | None) -> ColumnElement[Any]:
    return literal(0) if by is None else group_column(by)


def _cells(
    population: Population, pipeline: Pipeline, measures: Iterable[str], by: Dimension | None
) -> list[ColumnElement[bool] | TextClause]:
    return [
        *grain(population.only(pipeline.key), by),
        FunnelRollup.measure.in_(tuple(measures)),
        *_window(population),
    ]


def _window(population: Population) -> list[ColumnElement[bool] | TextClause]:
    if not population.period:
        # spelled out: no database takes a partial index for a number that it is told later
        return [text(OF_ALL_TIME)]
    months = population.period.months
    assert months is not None
    start, end = months
    # Month 0 is all time; every real month is later.
    parts: list[ColumnElement[bool] | TextClause] = [
        FunnelRollup.month_from >= (start if start is not None else ALL_TIME + 1)
    ]
    return parts if end is None else [*parts, FunnelRollup.month_to < end]
