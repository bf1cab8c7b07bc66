"""What the roll-up tells of the whole workspace, or of owners and departments, with what it lacks yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, TextClause, func, select, text, union_all

from builder.db.ledger import OF_ALL_TIME, FunnelRollup, RollupCells, RollupDelta
from builder.db.tenancy import WorkspaceSession
from builder.domain.rollup import ALL_TIME
from builder.queries.dimensions import Dimension
from builder.queries.population import NOBODY, Population, matching_keys, narrowed

WORKSPACE_GRAIN = 0
# What is asked of the cells, said of the columns of either table.
Asked: TypeAlias = Callable[[type[RollupCells]], Iterable[ColumnElement[bool] | TextClause]]


def is_rolled_up(by: Dimension | None) -> bool:
    """Whether the roll-up tells groups of the dimension apart."""
    return by is None or by.kind in ("owner", "department")


def rolled_up(
    session: WorkspaceSession,
    population: Population,
    by: Dimension | None,
    keys: Sequence[str],
    numbers: Sequence[str],
    asked: Asked,
) -> Iterator[tuple[Any, ...]]:
    """Sums of the population's pipelines (one statement): a group (``None`` for none; 0 where there is no
    dimension), the columns ``keys``, the sums of the columns ``numbers``.
    """
    for row in session.execute(_statement(population, by, keys, numbers, asked)):
        group, *told = row if by is not None else (0, *row)
        texts, sums = told[: len(keys)], told[len(keys) :]
        yield None if group == NOBODY else group, *texts, *map(int, sums)


def _statement(
    population: Population, by: Dimension | None, keys: Sequence[str], numbers: Sequence[str], asked: Asked
) -> Select[*tuple[Any, ...]]:
    names = (*(() if by is None else (f"{by.kind}_id",)), *keys)
    parts = []
    for cells in (FunnelRollup, RollupDelta):
        columns = [getattr(cells, name) for name in names]
        sums = [func.sum(getattr(cells, number)).label(number) for number in numbers]
        where = (*_grain(cells, population, by), *asked(cells))
        parts.append(select(*columns, *sums).where(*where).group_by(*columns))
    both = union_all(*parts).subquery().c
    told = [both[name] for name in names]
    return select(*told, *(func.sum(both[number]) for number in numbers)).group_by(*told)


def _grain(
    cells: type[RollupCells], population: Population, by: Dimension | None
) -> list[ColumnElement[bool]]:
    """The rows of the population's pipelines, of the coarser grain where that tells what is asked."""
    owner, department = cells.owner_id, cells.department_id
    parts = [matching_keys(population.pipelines, cells.pipeline_key)]
    narrow = narrowed(population, owner, department, nobody=False)
    if cells is RollupDelta:
        return [*parts, *narrow]
    if not narrow and by is None:
        return [*parts, owner == WORKSPACE_GRAIN, department == WORKSPACE_GRAIN]
    return [*parts, owner != WORKSPACE_GRAIN, *narrow]


def is_told(population: Population) -> bool:
    """Whether the roll-up counts the population: of all time or of whole months, without a filter."""
    is_whole = population.period.months is not None
    return population.is_rolled_up and population.condition is None and is_whole


def asked_of(population: Population, measures: Iterable[str]) -> Asked:
    """These measures in the population's period, which is all time or whole months."""
    wanted = tuple(measures)
    return lambda cells: [cells.measure.in_(wanted), *_window(cells, population)]


def _window(cells: type[RollupCells], population: Population) -> list[ColumnElement[bool] | TextClause]:
    if not population.period:
        # spelled out: no database takes a partial index for a number that it is told later
        return [text(OF_ALL_TIME)]
    months = population.period.months
    assert months is not None
    start, end = months
    # Month 0 is all time; every real month is later.
    parts: list[ColumnElement[bool] | TextClause] = [
        cells.month_from >= (start if start is not None else ALL_TIME + 1)
    ]
    return parts if end is None else [*parts, cells.month_to < end]
