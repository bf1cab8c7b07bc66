"""Wins and losses from the roll-up: two statements that read no more of a large company than of a small one.

The first adds up the cells of ``domain.win_sums``; the second reads, of each group, the one or two records in
the middle of its amounts and of its cycles, among the few of the bucket that holds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, literal_column, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession, scoped_means
from builder.domain.win_sums import (
    ENDED,
    MEASURES,
    WON_AMOUNT,
    Middle,
    micros_of,
    middle_of,
)
from builder.queries.dimensions import Dimension
from builder.queries.population import Population, matching_keys, narrowed
from builder.queries.rolled_up import asked_of, rolled_up
from builder.queries.win_sets import WinSet

MEDIANS_AT_ONCE = 200
# SQLite takes 32,766 parameters unless it was built for more, and each median names every department again.
_IDS_AT_ONCE = 25_000
# The bare table: forty small statements on the class take four times as long to put together.
_TABLE: Any = Record.__table__
_RECORD = _TABLE.c
# Spelled out: no database takes a partial index for a value that it is told later.
_IS_WON = (_RECORD.outcome == literal_column("'won'"), _RECORD.deleted_at.is_(None))


@dataclass(slots=True)
class SummedSet(WinSet):
    """``amounts`` (by currency) and ``lengths`` of cycles: how many won records each bucket holds."""

    amounts: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    lengths: dict[int, int] = field(default_factory=dict)

    def add_cell(self, measure: str, place: str, currency: str, n: int, amount: int, third: int) -> None:
        if measure == ENDED:
            self.count(place, n, currency, amount, third)
        elif measure == WON_AMOUNT:
            self.amounts[currency][int(place)] = n
        else:
            self.lengths[int(place)] = n
            self.cycles_n += n
            self.micros += micros_of(amount, third)

    def forget_amounts(self) -> None:
        WinSet.forget_amounts(self)
        self.amounts.clear()

    def add_buckets(self, other: SummedSet) -> None:
        for currency, buckets in other.amounts.items():
            _add(self.amounts[currency], buckets)
        _add(self.lengths, other.lengths)


def _add(mine: dict[int, int], others: Mapping[int, int]) -> None:
    for bucket, n in others.items():
        mine[bucket] = mine.get(bucket, 0) + n


def is_summed(population: Population) -> bool:
    """Whether the roll-up tells all of the population."""
    return population.is_rolled_up and population.condition is None and not population.period


def ended_counts(session: WorkspaceSession, population: Population) -> dict[str, int]:
    """Outcome ("open": none yet) → how many records of a population that ``is_told``; one statement."""
    asked = asked_of(population, (ENDED,))
    return {place: n for _, place, n in rolled_up(session, population, None, ("stage_key",), ("n",), asked)}


def summed_wins(
    session: WorkspaceSession, population: Population, by: Dimension | None
) -> dict[Any, SummedSet]:
    """Group value (``None`` for none) → counts and sums; 0 → those of all where there is no dimension. Of
    months there is nothing of cycles and medians.
    """
    measures = (ENDED,) if population.period else MEASURES
    sets: dict[Any, SummedSet] = defaultdict(SummedSet)
    for group, measure, place, currency, n, amount, third in rolled_up(
        session,
        population,
        by,
        ("measure", "stage_key", "currency"),
        ("n", "amount_minor", "weighted_minor"),
        asked_of(population, measures),
    ):
        # What has moved on leaves cells of nothing behind.
        if n:
            sets[group].add_cell(measure, place, currency, n, amount, third)
    return dict(sets)


def together(sets: Iterable[SummedSet]) -> SummedSet:
    """All of them as one set; its medians are still to be found."""
    whole = SummedSet()
    for each in sets:
        whole.add(each)
        whole.add_buckets(each)
    return whole


class _Wanted(NamedTuple):
    """A median to be read: of whom (``clauses`` on ``record``), of amounts in a currency or of cycles."""

    counts: SummedSet
    clauses: tuple[ColumnElement[bool], ...]
    currency: str | None
    middle: Middle

    @property
    def values(self) -> Select[Any]:
        """The one or two in the middle."""
        column = _RECORD.cycle if self.currency is None else _RECORD.amount_minor
        in_currency = () if self.currency is None else (_RECORD.currency == self.currency,)
        least, greatest, skipped, n = self.middle
        spanned = (*self.clauses, *in_currency, column >= least, column <= greatest)
        return select(column).where(*_IS_WON, *spanned).order_by(column).offset(skipped).limit(n)

    def take(self, value: Any) -> None:
        if value is None:
            return
        if self.currency is None:
            self.counts.median_micros = Fraction(value)
        else:
            self.counts.money[self.currency].median_minor = Fraction(value)


def add_medians(
    session: WorkspaceSession,
    population: Population,
    sets: Iterable[tuple[tuple[ColumnElement[bool], ...], SummedSet]],
    currency: str,
) -> None:
    """Fill in the medians of amounts in ``currency`` and of cycles; one statement per ``MEDIANS_AT_ONCE``
    (fewer, where they are narrowed by hundreds of departments).

    ``sets``: each with the clauses that tell its records within the population.
    """
    every = (
        matching_keys(population.pipelines, _RECORD.pipeline_key),
        *narrowed(population, _RECORD.owner_id, _RECORD.department_id),
    )
    wanted = [one for own, counts in sets for one in _wanted(counts, (*every, *own), currency)]
    departments = len(population.actor.visible_department_ids) + len(population.department_ids or ())
    at_once = max(1, min(MEDIANS_AT_ONCE, _IDS_AT_ONCE // max(1, departments)))
    for start in range(0, len(wanted), at_once):
        some = wanted[start : start + at_once]
        found = session.run(scoped_means(_TABLE, (one.values for one in some))).one()
        for one, value in zip(some, found, strict=True):
            one.take(value)


def in_group(by: Dimension, value: int | None) -> tuple[ColumnElement[bool]]:
    """The clause of the records of a group (of owners or departments)."""
    column = _RECORD.owner_id if by.kind == "owner" else _RECORD.department_id
    return (column.is_(None) if value is None else column == value,)


def _wanted(counts: SummedSet, clauses: tuple[ColumnElement[bool], ...], currency: str) -> Iterator[_Wanted]:
    for code, buckets in ((currency, counts.amounts.get(currency, {})), (None, counts.lengths)):
        middle = middle_of(buckets)
        if middle is not None:
            yield _Wanted(counts, clauses, code, middle)
