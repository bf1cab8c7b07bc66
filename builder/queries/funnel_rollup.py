"""Sums of a funnel from the roll-up: all time or whole months, narrowed by owner, department, visibility."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from builder.db.tenancy import WorkspaceSession
from builder.domain.funnel import Count, Sums
from builder.domain.pipeline import Pipeline
from builder.queries.dimensions import Dimension
from builder.queries.population import Population
from builder.queries.rolled_up import asked_of, rolled_up
from builder.queries.tally import Tally


def tally_of_rollup(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    measures: Iterable[str],
    by: Dimension | None = None,
) -> Tally:
    """The sums of these measures, grouped by owner or department where asked (one statement)."""
    keys, asked = ("measure", "stage_key", "currency"), asked_of(population, measures)
    tally = Tally()
    for sums in rolled_up(session, population.only(pipeline.key), by, keys, ("n", "amount_minor"), asked):
        tally.add(*sums)
    return tally


def numbers_of_rollup(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    measures: Iterable[str],
    by: Dimension,
) -> dict[Any, Sums]:
    """The same of each group without amounts, which leaves less than half to read (one statement)."""
    keys, asked = ("measure", "stage_key"), asked_of(population, measures)
    groups: dict[Any, dict[tuple[str, str], Count]] = defaultdict(dict)
    for group, measure, stage, n in rolled_up(
        session, population.only(pipeline.key), by, keys, ("n",), asked
    ):
        groups[group][measure, stage] = Count(n, 0)
    return dict(groups)
