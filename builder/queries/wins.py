"""Wins and losses: M5, M6, M7, M27 and the cycle M10, in total and by group.

Of all time and without a free filter, in total, by owner and by department they come from the roll-up
(``queries.wins_summed``); otherwise from the records (``queries.wins_scanned``). Without a period the set is
every record of the population; with one it is those *closed* in it, so open records are not in the set and
M27 equals M6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.wins import WinFigures
from builder.queries.dimensions import Buckets, Dimension, GroupName, buckets, expression, names
from builder.queries.population import Population, clauses
from builder.queries.rolled_up import is_rolled_up, is_told
from builder.queries.side_by_side import along_ends, selects_many, side_by_side
from builder.queries.win_sets import TERMINAL, WinSet
from builder.queries.wins_scanned import WHOLE, Along, Scan, as_it_is
from builder.queries.wins_summed import add_medians, in_group, is_summed, summed_wins, together


@dataclass(frozen=True)
class WinGroup:
    name: GroupName
    figures: WinFigures


@dataclass(frozen=True)
class WinReport:
    """``groups`` are ordered by size (by time for months and quarters), none without a dimension.

    ``currency`` is the one of all amounts; ``currencies`` are those that occur, the commonest first.
    """

    total: WinFigures
    currency: str
    currencies: tuple[str, ...]
    groups: tuple[WinGroup, ...] = ()


def closed_in(population: Population) -> list[ColumnElement[bool]]:
    """Clauses of "closed in the period"; none for all time."""
    if not population.period:
        return []
    start, end = population.edges
    parts: list[ColumnElement[bool]] = [Record.outcome.in_(TERMINAL)]
    if start is not None:
        parts.append(Record.closed_at >= start)
    if end is not None:
        parts.append(Record.closed_at < end)
    return parts


def win_report(
    session: WorkspaceSession,
    population: Population,
    *,
    currency: str,
    by: Dimension | None = None,
    most: int | None = None,
) -> WinReport:
    """Figures of the whole set and of each group of ``by``; amounts in ``currency``, or in the commonest
    one where that does not occur. Where amounts are hidden from the reader there are none.

    Groups by closing month or quarter leave out what is not closed or has no known time of closing.
    ``most``: so many groups are shown, the first ones; of those beyond them medians may be missing.
    """
    if is_summed(population) and is_rolled_up(by):
        return _from_rollup(session, population, currency, by, most)
    return _from_records(session, population, currency, by)


def _from_rollup(
    session: WorkspaceSession, population: Population, currency: str, by: Dimension | None, most: int | None
) -> WinReport:
    sets = summed_wins(session, population, by)
    total = together(sets.values())
    chosen = _chosen(population, currency, total, sets)
    if by is None:
        add_medians(session, population, [((), total)], chosen)
        return WinReport(total.figures(chosen), chosen, total.currencies)
    named = names(session, by, Buckets(), dict.fromkeys(sets, 0))
    # Each group's median is looked up: of a thousand owners that takes longer than all the rest.
    shown = [(in_group(by, value), sets[value]) for value in _in_order(by, sets, named)[:most]]
    add_medians(session, population, [((), total), *shown], chosen)
    return WinReport(total.figures(chosen), chosen, total.currencies, _groups(by, sets, named, chosen))


def _from_records(
    session: WorkspaceSession, population: Population, currency: str, by: Dimension | None
) -> WinReport:
    where = and_(clauses(population), *closed_in(population))
    has_held_ends = population.condition is None and (by is None or by.kind != "field")
    # Without period and filter most records are looked at; otherwise an index leads to those that count.
    is_wide = not population.period and population.condition is None
    along: Along = as_it_is
    if has_held_ends and (population.period or (by is not None and by.is_closing)):
        along = along_ends
    elif is_wide or selects_many(session, population):
        along = side_by_side
    if by is None:
        scan = Scan(session, where, WHOLE, along, has_held_ends)
        sets, _ = _counted(session, population, by, scan)
        total = sets.get(0, WinSet())
        chosen = _chosen(population, currency, total, sets)
        return WinReport(total.figures(chosen), chosen, total.currencies)
    if by.is_closing:
        where = and_(where, Record.outcome.in_(TERMINAL), Record.closed_at.is_not(None))
    spans = buckets(session, by, where, population.time_zone, along)
    scan = Scan(session, where, expression(by, spans), along, has_held_ends)
    sets, samples = _counted(session, population, by, scan)
    if is_summed(population) and not by.is_closing:
        # What is not closed at a known time is in no group, but in the sums.
        whole = together(summed_wins(session, population, None).values())
        chosen = _chosen(population, currency, whole, sets)
        add_medians(session, population, [((), whole)], chosen)
        total = whole
    else:
        total = scan.together(sets.values())
        chosen = _chosen(population, currency, total, sets)
    named = names(session, by, spans, samples)
    return WinReport(total.figures(chosen), chosen, total.currencies, _groups(by, sets, named, chosen))


def _counted(
    session: WorkspaceSession, population: Population, by: Dimension | None, scan: Scan
) -> tuple[Mapping[Any, WinSet], Mapping[Any, int]]:
    """As ``Scan.counted``; all but medians and cycles of whole months from the roll-up."""
    if not (population.period and is_told(population) and is_rolled_up(by)):
        return scan.counted()
    sets = summed_wins(session, population, by)
    scan.add_medians(sets)
    return sets, dict.fromkeys(sets, 0)


def _chosen(population: Population, wanted: str, total: WinSet, sets: Mapping[Any, WinSet]) -> str:
    """The currency of all amounts; where they are hidden from the reader, they are forgotten first."""
    for counts in (total, *sets.values()) if population.hides_amounts else ():
        counts.forget_amounts()
    return chosen_currency(wanted, total.currencies)


def _groups(
    by: Dimension, sets: Mapping[Any, WinSet], named: Mapping[Any, GroupName], currency: str
) -> tuple[WinGroup, ...]:
    order = _in_order(by, sets, named)
    return tuple(WinGroup(named[value], sets[value].figures(currency)) for value in order)


def _in_order(by: Dimension, sets: Mapping[Any, WinSet], named: Mapping[Any, GroupName]) -> list[Any]:
    """The values of the groups, as ``WinReport`` orders them."""
    if by.is_closing:
        return sorted(sets, key=lambda value: named[value].text or "")
    return sorted(sets, key=lambda value: (-sets[value].n, named[value].text or ""))


def chosen_currency(wanted: str, known: tuple[str, ...]) -> str:
    """The wanted currency, unless only others occur: then the commonest of those."""
    return wanted if wanted in known or not known else known[0]
