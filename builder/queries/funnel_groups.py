"""The funnel of a pipeline beside how far its owners, departments or other groups came."""

from __future__ import annotations

from typing import NamedTuple

from builder.db.tenancy import WorkspaceSession
from builder.domain.funnel import REACH, Mode, StepFigures, StepReach, reach_of
from builder.domain.pipeline import Pipeline
from builder.domain.reach import FunnelSteps
from builder.queries.dimensions import Buckets, Dimension, GroupName, names
from builder.queries.funnel import FunnelReport, funnel_report, source_of
from builder.queries.funnel_rollup import numbers_of_rollup
from builder.queries.funnel_stays import Amounts
from builder.queries.population import Population


class GroupReach(NamedTuple):
    """How far the records of one group came, step by step."""

    name: GroupName
    steps: tuple[StepReach, ...]


def compared_funnel(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    mode: Mode,
    *,
    currency: str,
    amounts: Amounts,
    by: Dimension,
) -> tuple[FunnelReport, list[GroupReach]]:
    """The funnel of all, as ``funnel_report`` tells it, and the reach of each group, the largest first.

    Of many owners the roll-up is asked only for what is compared (one statement more): their flow and
    their amounts would be three times as much to read and to add up.
    """
    if source_of(population, pipeline, amounts, by) == "rollup":
        whole = funnel_report(session, population, pipeline, mode, currency=currency, amounts=amounts)
        return whole, _reaches(session, population, pipeline, mode, by)
    whole = funnel_report(session, population, pipeline, mode, currency=currency, amounts=amounts, by=by)
    return whole, [GroupReach(each.name, tuple(map(_reach, each.figures.steps))) for each in whole.groups]


def _reaches(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, mode: Mode, by: Dimension
) -> list[GroupReach]:
    numbers = numbers_of_rollup(session, population, pipeline, REACH[mode], by)
    named = names(session, by, Buckets(), dict.fromkeys(numbers, 0))
    steps = FunnelSteps.of(pipeline)
    groups = [GroupReach(named[value], reach_of(mode, steps, sums)) for value, sums in numbers.items()]
    return sorted(groups, key=lambda group: (-group.steps[0].reached, group.name.text or ""))


def _reach(step: StepFigures) -> StepReach:
    return StepReach(step.stage, step.reached, step.numerator, step.denominator)
