"""Sums of a funnel from the ledger itself, counted inside the database: for periods that do not end with
months and for amounts at entry under a free filter.

Per record the visited steps are a sum of distinct bits, so two grouped statements give every measure of
``domain.reach`` whatever the number of stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
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
from builder.queries.side_by_side import by_standing, selects_many, side_by_side
from builder.queries.tally import Tally

Amounts: TypeAlias = Literal["entry", "now", "none"]
MOST_STEPS = 62  # bits of a signed 64-bit integer


def tally_of_stays(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    steps: FunnelSteps,
    amounts: Amounts,
    group: ColumnElement[Any] | None,
) -> Tally:
    """The flow (M1) and the reach (M2a–c, M3, M4) of stays entered in the period: two statements, and one
    more under a condition.

    Errors: Invalid for a pipeline with more than 62 steps.
    """
    if len(steps.places) > MOST_STEPS:
        raise Invalid(N_("A funnel has at most %(steps)s steps here."), steps=MOST_STEPS)
    tally = Tally()
    key = literal(0) if group is None else group
    visits = _visits(session, population, pipeline)
    whose = replace(population, condition=None)
    _add_flow(session, tally, _flow(whose, pipeline, visits, amounts, key))
    bits = _bits(pipeline, steps)
    if bits:
        of_steps = sorted(set(bits.values())) if amounts != "none" else []
        entries = _entries(whose, visits, bits, amounts)
        each = _each_with_amounts(session, entries, of_steps) if amounts == "entry" else _each(entries)
        reach = _reach(whose, pipeline, each, of_steps, amounts, key)
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


def _visits(
    session: WorkspaceSession, population: Population, pipeline: Pipeline
) -> list[ColumnElement[bool]]:
    """Entries in the period of records that satisfy the condition, which is asked of each of them once."""
    start, end = population.edges
    parts = [StayRow.pipeline_key == pipeline.key, StayRow.left_via.is_distinct_from("void")]
    if start is not None:
        parts.append(StayRow.entered_at >= start)
    if end is not None:
        parts.append(StayRow.entered_at < end)
    if population.condition is not None:
        chosen = select(Record.id).where(clauses(population, is_there_now=False))
        is_many = selects_many(session, population)
        parts.append(StayRow.record_id.in_(side_by_side(chosen) if is_many else chosen))
    return parts


def _into(stages: Iterable[str]) -> ColumnElement[bool]:
    """Named, even where they are all there are: so the index of entries serves, which holds all that is
    asked of a visit.
    """
    return StayRow.stage_key.in_(sorted(stages))


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
    population: Population,
    pipeline: Pipeline,
    visits: Sequence[ColumnElement[bool]],
    amounts: Amounts,
    group: ColumnElement[Any],
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
    rows = entries.where(*visits, _into(pipeline.by_key)).subquery()
    keys = (rows.c.g, rows.c.stage, rows.c.via, rows.c.currency)
    total = func.coalesce(func.sum(rows.c.amount), 0)
    return select(*keys, func.count(), total, func.min(rows.c.record)).group_by(*keys)


def _add_flow(session: WorkspaceSession, tally: Tally, statement: Select[*tuple[Any, ...]]) -> None:
    for group, stage, via, currency, n, amount, sample in session.execute(statement):
        code = currency or ""
        tally.samples.setdefault(group, sample)
        tally.add(group, ENTRY, stage, code, int(n), int(amount))
        tally.add(group, LEFT_BY_VIA[via], stage, code, int(n), int(amount))


def _entries(
    population: Population, visits: Sequence[ColumnElement[bool]], bits: dict[str, int], amounts: Amounts
) -> Subquery:
    """(record, step's bit, currency, amount, sequence) of each visit; amounts as at entry or none."""
    bit = cast(case(bits, value=StayRow.stage_key), BigInteger).label("bit")
    currency, amount = _worth(amounts if amounts == "entry" else "none")
    worth = (currency.label("currency"), amount.label("amount"))
    entries = select(StayRow.record_id.label("record"), bit, *worth, StayRow.sequence.label("sequence"))
    entries = entries.where(*visits, _into(bits))
    if narrowed(population):
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
