"""The funnel of one pipeline: M1, M2a–d, M3, M4, M28's counts, from the quickest source that has the answer.

*Roll-up*: all time or whole months, narrowed by owner, department and row visibility only: sums of
``funnel_rollup``. *Journeys*: any free filter without a period: records grouped by the text of their visits.
*Stays*: everything else, in SQL on the ledger. All three make ``domain.reach`` sums of which
``domain.funnel.figures`` makes the figures, and a property test holds them equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import and_, func, literal, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.funnel import REACH, Count, FunnelFigures, JourneyGroup, Mode, figures, sums_of_journeys
from builder.domain.pipeline import Pipeline
from builder.domain.reach import (
    ENTRY,
    LEFT_BY_VIA,
    VISIT_BY_STANDING,
    FunnelSteps,
)
from builder.domain.rollup import NOW
from builder.errors import Invalid
from builder.queries.dimensions import NO_FIELD, Buckets, Dimension, GroupName, expression, names
from builder.queries.funnel_rollup import tally_of_rollup
from builder.queries.funnel_stays import Amounts, tally_of_stays
from builder.queries.population import Population, clauses
from builder.queries.rolled_up import is_rolled_up, rolled_up
from builder.queries.side_by_side import selects_many, side_by_side
from builder.queries.tally import Tally, together
from builder.queries.wins import chosen_currency

Source: TypeAlias = Literal["rollup", "journeys", "stays"]
# What any mode needs beside its reach: the flow of M1, and how those who visited stand now.
_EVER = (ENTRY, *LEFT_BY_VIA.values(), *VISIT_BY_STANDING.values())


@dataclass(frozen=True)
class FunnelGroup:
    name: GroupName
    figures: FunnelFigures


@dataclass(frozen=True)
class FunnelReport:
    """``currency`` is the one of all amounts; ``currencies`` are those that occur, the commonest first."""

    figures: FunnelFigures
    currency: str
    currencies: tuple[str, ...]
    source: Source
    groups: tuple[FunnelGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class StageStock:
    """What is in a stage now, in one currency: records, Σ amount and Σ amount × probability (minor)."""

    stage: str
    n: int
    amount_minor: int
    weighted_minor: int


@dataclass(frozen=True)
class Snapshot:
    stages: tuple[StageStock, ...]
    currency: str
    currencies: tuple[str, ...]


def funnel_report(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    mode: Mode,
    *,
    currency: str,
    amounts: Amounts = "entry",
    by: Dimension | None = None,
) -> FunnelReport:
    """The funnel in ``mode`` of records that entered stages in the period (of all time without one).

    ``amounts``: as at entry, as of now, or "none" (quicker: amounts are 0). ``currency`` is the wanted one;
    where it does not occur, the commonest. Amounts that are hidden from the reader are 0, and no currency is
    told. One statement from the roll-up, one or two from journeys, two from
    stays, up to two more for the names of groups. Errors: Invalid for groups by closing: visits have none.
    """
    if by is not None and by.is_closing:
        raise Invalid(NO_FIELD, field=by.key)
    steps = FunnelSteps.of(pipeline)
    if population.hides_amounts:
        amounts = "none"
    source = source_of(population, pipeline, amounts, by)
    if source == "rollup":
        measures = {*_EVER, *REACH[mode]}
        tally = tally_of_rollup(session, population, pipeline, measures, by)
    elif source == "journeys":
        tally = _from_journeys(session, population, steps, by)
    else:
        group = None if by is None else expression(by, Buckets())
        tally = tally_of_stays(session, population, pipeline, steps, amounts, group)
    if population.hides_amounts:
        tally.forget_amounts()
    return _report(session, tally, steps, mode, currency, source, by)


def source_of(population: Population, pipeline: Pipeline, amounts: Amounts, by: Dimension | None) -> Source:
    """Which source answers; see the module's text."""
    if population.condition is None and is_rolled_up(by) and amounts != "now" and population.period.months:
        return "rollup" if pipeline.is_counted else "stays"
    if not population.period and amounts != "entry":
        return "journeys"
    return "stays"


def snapshot(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, *, currency: str
) -> Snapshot:
    """What is in each stage now (one statement): from the roll-up, or from records under a free filter."""
    of_pipeline = population.only(pipeline.key)
    is_summed = population.condition is None and pipeline.is_counted
    stocks = _stocks_summed if is_summed else _stocks_of_records
    rows = [
        (stage, code or "", int(n), int(amount), int(weighted))
        for _, stage, code, n, amount, weighted in stocks(session, of_pipeline)
    ]
    if population.hides_amounts:
        rows = [(stage, "", n, 0, 0) for stage, _, n, _, _ in rows]
    elif population.actor.hides(population.object_key, "probability"):
        rows = [(stage, code, n, amount, 0) for stage, code, n, amount, _ in rows]
    known = _by_frequency((code, n if amount else 0) for _, code, n, amount, _ in rows)
    chosen = chosen_currency(currency, known)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for stage, code, n, minor, weighted in rows:
        found[stage][0] += n
        if code == chosen:
            found[stage][1] += minor
            found[stage][2] += round(weighted / 100)
    stages = tuple(StageStock(stage.key, *found[stage.key]) for stage in pipeline.open_stages)
    return Snapshot(stages, chosen, known)


def _stocks_summed(session: WorkspaceSession, population: Population) -> Iterable[Sequence[Any]]:
    keys, numbers = ("stage_key", "currency"), ("n", "amount_minor", "weighted_minor")
    return rolled_up(session, population, None, keys, numbers, lambda cells: [cells.measure == NOW])


def _stocks_of_records(session: WorkspaceSession, population: Population) -> Iterable[Sequence[Any]]:
    probability = func.coalesce(Record.probability_override, Record.probability, 0)
    amount = func.coalesce(Record.amount_minor, 0)
    sums = (func.count(), func.sum(amount), func.sum(amount * probability))
    keys = (Record.stage_key, Record.currency)
    return session.execute(select(literal(0), *keys, *sums).where(clauses(population)).group_by(*keys))


def _from_journeys(
    session: WorkspaceSession, population: Population, steps: FunnelSteps, by: Dimension | None
) -> Tally:
    group = literal(0) if by is None else expression(by, Buckets())
    of_each = select(
        group.label("g"),
        Record.journey.label("journey"),
        Record.currency.label("currency"),
        Record.amount_minor.label("amount"),
        Record.id.label("id"),
    ).where(and_(clauses(population, is_there_now=False), Record.journey != ""))
    rows = (side_by_side(of_each) if selects_many(session, population) else of_each).subquery()
    keys = (rows.c.g, rows.c.journey, rows.c.currency)
    counted = select(*keys, func.count(), func.coalesce(func.sum(rows.c.amount), 0), func.min(rows.c.id))
    groups: dict[tuple[Any, str], list[JourneyGroup]] = defaultdict(list)
    tally = Tally()
    for value, journey, code, n, amount, sample in session.execute(counted.group_by(*keys)):
        groups[value, code or ""].append(JourneyGroup(journey, int(n), int(amount)))
        tally.samples.setdefault(value, sample)
    for (value, code), members in groups.items():
        for (measure, place), count in sums_of_journeys(members, steps).items():
            tally.add(value, measure, place, code, count.n, count.amount_minor)
    return tally


def _report(
    session: WorkspaceSession,
    tally: Tally,
    steps: FunnelSteps,
    mode: Mode,
    currency: str,
    source: Source,
    by: Dimension | None,
) -> FunnelReport:
    known = _by_frequency(tally.frequencies())
    chosen = chosen_currency(currency, known)
    sums = tally.sums(chosen)
    groups: tuple[FunnelGroup, ...] = ()
    if by is not None:
        named = names(session, by, Buckets(), {value: tally.samples.get(value, 0) for value in tally.groups})
        each = [FunnelGroup(named[value], figures(mode, steps, part)) for value, part in sums.items()]
        each.sort(key=lambda group: (-group.figures.steps[0].reached, group.name.text or ""))
        groups = tuple(each)
    whole = figures(mode, steps, together(sums.values()))
    return FunnelReport(whole, chosen, known, source, groups)


def _by_frequency(pairs: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    counts: dict[str, int] = defaultdict(int)
    for code, n in pairs:
        if code:
            counts[code] += n
    return tuple(sorted((code for code, n in counts.items() if n), key=lambda code: (-counts[code], code)))


__all__ = ["Count", "FunnelReport", "Snapshot", "funnel_report", "snapshot", "source_of"]
