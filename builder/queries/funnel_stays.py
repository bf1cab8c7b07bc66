"""Sums of a funnel from the ledger itself, counted inside the database: for periods that do not end with
months and for amounts at entry under a free filter.

Per record the visited steps are a sum of distinct bits, so two grouped statements give every measure of
``domain.reach`` whatever the number of stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.funnel import ZERO, Count, Sums
from builder.domain.pipeline import Pipeline
from builder.domain.reach import (
    ENTRY,
    LEFT_BY_VIA,
    STRICT,
    VISIT_BY_STANDING,
    FunnelSteps,
    Standing,
    furthest_of,
    pair_of,
)
from builder.errors import N_, Invalid
from builder.queries.population import Population, clauses, narrowed
from builder.queries.side_by_side import by_standing

Amounts: TypeAlias = Literal["entry", "now", "none"]
MOST_STEPS = 62  # bits of a signed 64-bit integer


@dataclass
class Tally:
    """Sums by group, measure, place and currency; group 0 where nothing is grouped."""

    cells: dict[Any, dict[tuple[str, str], dict[str, list[int]]]] = field(default_factory=dict)
    samples: dict[Any, int] = field(default_factory=dict)

    def add(self, group: Any, measure: str, place: str, currency: str, n: int, amount_minor: int) -> None:
        places = self.cells.setdefault(group, {})
        total = places.setdefault((measure, place), {}).setdefault(currency, [0, 0])
        total[0] += n
        total[1] += amount_minor

    def forget_amounts(self) -> None:
        """Leave the numbers alone, in no currency: for readers from whom amounts are hidden."""
        for places in self.cells.values():
            for key, currencies in places.items():
                places[key] = {"": [sum(n for n, _ in currencies.values()), 0]}

    @property
    def groups(self) -> list[Any]:
        return list(self.cells)

    def frequencies(self) -> Iterator[tuple[str, int]]:
        """Currencies and how many entries have an amount in them."""
        for places in self.cells.values():
            for (measure, _), currencies in places.items():
                if measure == ENTRY:
                    yield from ((code, n) for code, (n, amount) in currencies.items() if amount)

    def sums(self, currency: str) -> dict[Any, Sums]:
        """Of each group: numbers over all currencies, amounts of one."""
        return {
            group: {key: _worth_in(currency, each) for key, each in places.items()}
            for group, places in self.cells.items()
        }


def together(parts: Iterable[Sums]) -> Sums:
    """The sums of several groups added up."""
    totals: dict[tuple[str, str], Count] = {}
    for part in parts:
        for key, (n, amount) in part.items():
            before = totals.get(key, ZERO)
            totals[key] = Count(before.n + n, before.amount_minor + amount)
    return totals


def _worth_in(currency: str, cells: dict[str, list[int]]) -> Count:
    n = amount = 0
    for code, (number, minor) in cells.items():
        n += number
        if code == currency:
            amount += minor
    return Count(n, amount)


def tally_of_stays(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    steps: FunnelSteps,
    amounts: Amounts,
    group: ColumnElement[Any] | None,
) -> Tally:
    """Two statements: the flow (M1) and the reach (M2a–c, M3, M4) of stays entered in the period.

    Errors: Invalid for a pipeline with more than 62 steps.
    """
    if len(steps.places) > MOST_STEPS:
        raise Invalid(N_("A funnel has at most %(steps)s steps here."), steps=MOST_STEPS)
    tally = Tally()
    key = literal(0) if group is None else group
    _add_flow(session, tally, _flow(population, pipeline, amounts, key))
    bits = _bits(pipeline, steps)
    if bits:
        of_steps = sorted(set(bits.values())) if amounts != "none" else []
        entries = _entries(population, pipeline, bits, amounts)
        each = _each_with_amounts(session, entries, of_steps) if amounts == "entry" else _each(entries)
        reach = _reach(population, pipeline, each, of_steps, amounts, key)
        _add_reach(session, tally, steps, of_steps, reach)
    return tally


def _bits(pipeline: Pipeline, steps: FunnelSteps) -> dict[str, int]:
    """Stage key → bit of its step. Any won stage is a visit to the won step (``domain.reach``)."""
    places = {stage: 1 << index for index, (_, stage) in enumerate(steps.stages)}
    won = next(
        (places[stage.key] for stage in pipeline.stages if stage.kind == "won" and stage.key in places), None
    )
    if won is not None:
        places.update({stage.key: won for stage in pipeline.stages if stage.kind == "won"})
    return places


def _entered(population: Population, pipeline: Pipeline, stages: Iterable[str]) -> list[ColumnElement[bool]]:
    """Entries into these stages in the period. They are named, so that the index of entries serves, which
    holds all that is asked of a visit.
    """
    start, end = population.edges
    parts = [
        StayRow.pipeline_key == pipeline.key,
        StayRow.stage_key.in_(sorted(stages)),
        StayRow.left_via.is_distinct_from("void"),
    ]
    if start is not None:
        parts.append(StayRow.entered_at >= start)
    if end is not None:
        parts.append(StayRow.entered_at < end)
    return parts


def _with_records(
    population: Population,
    columns: Sequence[ColumnElement[Any]],
    record_id: ColumnElement[Any],
) -> Select[*tuple[Any, ...]]:
    """These columns of rows of the population's records."""
    mine = clauses(population, is_there_now=False)
    statement = select(*columns).join(Record, Record.id == record_id).where(mine)
    # Of everybody's records most are met; of those of a few people, theirs are read.
    return statement if narrowed(population) else by_standing(statement, (*columns, mine))


def _worth(amounts: Amounts) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Currency and amount that a visit counts with."""
    if amounts == "none":
        return literal(""), literal(0)
    source = StayRow if amounts == "entry" else Record
    return source.currency.expression, source.amount_minor.expression


def _flow(
    population: Population, pipeline: Pipeline, amounts: Amounts, group: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    currency, amount = _worth(amounts)
    columns = [
        group.label("g"),
        StayRow.stage_key.label("stage"),
        StayRow.left_via.label("via"),
        currency.label("currency"),
        amount.label("amount"),
        StayRow.record_id.label("record"),
    ]
    entries = _with_records(population, columns, StayRow.record_id.expression)
    rows = entries.where(*_entered(population, pipeline, pipeline.by_key)).subquery()
    keys = (rows.c.g, rows.c.stage, rows.c.via, rows.c.currency)
    total = func.coalesce(func.sum(rows.c.amount), 0)
    return select(*keys, func.count(), total, func.min(rows.c.record)).group_by(*keys)


def _add_flow(session: WorkspaceSession, tally: Tally, statement: Select[*tuple[Any, ...]]) -> None:
    for group, stage, via, currency, n, amount, sample in session.execute(statement):
        code = currency or ""
        tally.samples.setdefault(group, sample)
        tally.add(group, ENTRY, stage, code, int(n), int(amount))
        tally.add(group, LEFT_BY_VIA[via], stage, code, int(n), int(amount))


def _entries(population: Population, pipeline: Pipeline, bits: dict[str, int], amounts: Amounts) -> Subquery:
    """(record, step's bit, currency, amount, sequence) of each visit; amounts as at entry or none."""
    bit = cast(case(bits, value=StayRow.stage_key), BigInteger).label("bit")
    currency, amount = _worth(amounts if amounts == "entry" else "none")
    worth = (currency.label("currency"), amount.label("amount"))
    entries = select(StayRow.record_id.label("record"), bit, *worth, StayRow.sequence.label("sequence"))
    entries = entries.where(*_entered(population, pipeline, bits))
    if narrowed(population) or population.condition is not None:
        mine = clauses(population, is_there_now=False)
        entries = entries.where(StayRow.record_id.in_(select(Record.id).where(mine)))
    return entries.subquery()


def _each(entries: Subquery) -> Subquery:
    """(record, currency, bits of its steps that have the currency, bits of all) without amounts."""
    bits = func.sum(entries.c.bit.distinct())
    columns = (entries.c.record, literal("").label("currency"), bits.label("here"), bits.label("mask"))
    return select(*columns).group_by(entries.c.record).subquery()


def _each_with_amounts(session: WorkspaceSession, entries: Subquery, of_steps: Sequence[int]) -> Subquery:
    """The same by currency, with the amount of each step: that of the latest visit to it."""
    visit = (entries.c.record, entries.c.bit)
    told = select(*visit, entries.c.currency, entries.c.amount)
    if session.get_bind().dialect.name == "sqlite":
        # Columns that are not grouped come from the row of the maximum, there and nowhere else.
        latest = told.add_columns(func.max(entries.c.sequence)).group_by(*visit).subquery()
    else:
        in_order = told.order_by(*visit, entries.c.sequence.desc())
        latest = in_order.ext(distinct_on(*visit)).subquery()
    here, one = func.sum(latest.c.bit), (latest.c.record, latest.c.currency)
    mask = func.sum(here).over(partition_by=latest.c.record).label("mask")
    sums = [func.sum(case((latest.c.bit == bit, latest.c.amount))).label(f"a{bit}") for bit in of_steps]
    return select(*one, here.label("here"), mask, *sums).group_by(*one).subquery()


def _reach(
    population: Population,
    pipeline: Pipeline,
    each: Subquery,
    of_steps: Sequence[int],
    amounts: Amounts,
    group: ColumnElement[Any],
) -> Select[*tuple[Any, ...]]:
    """(group, bits of a record's steps, standing, those of them with the currency, currency) → records, then
    Σ amount of each of the steps ``of_steps``.
    """
    standing = case(
        (Record.pipeline_key == pipeline.key, func.coalesce(Record.outcome, "open")), else_="gone"
    )
    now = _worth(amounts) if amounts == "now" else None
    columns = [
        group.label("g"),
        each.c.mask,
        standing.label("standing"),
        each.c.here,
        (each.c.currency if now is None else now[0]).label("currency"),
        *((each.c[f"a{bit}"] if now is None else now[1]).label(f"a{bit}") for bit in of_steps),
    ]
    rows = _with_records(population, columns, each.c.record).subquery()
    keys = (rows.c.g, rows.c.mask, rows.c.standing, rows.c.here, rows.c.currency)
    totals = (func.coalesce(func.sum(rows.c[f"a{bit}"]), 0) for bit in of_steps)
    return select(*keys, func.count(), *totals).group_by(*keys)


def _add_reach(
    session: WorkspaceSession,
    tally: Tally,
    steps: FunnelSteps,
    of_steps: Sequence[int],
    statement: Select[*tuple[Any, ...]],
) -> None:
    for group, mask, standing, here, currency, n, *sums in session.execute(statement):
        amounts = dict(zip(of_steps, sums, strict=True))
        for one in _bits_of(int(here)):
            for measure, place in _measures(int(mask), one.bit_length() - 1, standing, steps):
                tally.add(group, measure, place, currency or "", int(n), int(amounts.get(one, 0)))


def _bits_of(mask: int) -> list[int]:
    return [1 << index for index in range(mask.bit_length()) if mask >> index & 1]


def _measures(mask: int, step: int, standing: Standing, steps: FunnelSteps) -> Iterable[tuple[str, str]]:
    """What a record with these steps counts for at one of them (``domain.reach.hits``)."""
    place = steps.places[step]
    yield VISIT_BY_STANDING[standing], place
    if mask >> (step + 1) & 1:
        yield pair_of(standing), place
    lower = (1 << (step + 1)) - 1
    if step and mask & lower == lower:
        yield STRICT, place
    if mask >> (step + 1) == 0:
        yield furthest_of(standing), place
