"""Wins and losses counted from the records themselves, where a period, a free filter or a field of one's own
is asked for: three statements at most, whatever the number of records and groups.

One adds up by group, outcome and currency; one finds the medians of all groups with window functions, and one
those of all groups together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Double, Select, and_, cast, func, literal, select, union_all

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.queries.side_by_side import along_ends
from builder.queries.win_sets import WinSet

WHOLE: ColumnElement[Any] = literal(0)
Along: TypeAlias = Callable[[Select[Any]], Select[Any]]


def as_it_is(statement: Select[Any]) -> Select[Any]:
    return statement


@dataclass(frozen=True)
class Scan:
    """The records of ``where``, grouped by ``group`` (``WHOLE``: all as one). ``along``: how a statement
    finds those of them that are open too, and ``along_ends`` where the index of what has ended holds all that
    is asked (``has_held_ends``).
    """

    session: WorkspaceSession
    where: ColumnElement[bool]
    group: ColumnElement[Any]
    along: Along = as_it_is
    has_held_ends: bool = False

    def counted(self) -> tuple[dict[Any, WinSet], dict[Any, int]]:
        """Group value → its set with its medians, and → one record of it."""
        sets, samples = self._counts()
        self.add_medians(sets)
        return sets, samples

    def add_medians(self, sets: Mapping[Any, WinSet]) -> None:
        """Fill in, of each group, what is no sum of a month."""
        self._add_medians(sets, self.group)

    def together(self, sets: Iterable[WinSet]) -> WinSet:
        """All groups as one set, with the medians of all."""
        total = WinSet()
        for counts in sets:
            total.add(counts)
        self._add_medians({0: total}, WHOLE)
        return total

    def _counts(self) -> tuple[dict[Any, WinSet], dict[Any, int]]:
        amount = Record.amount_minor.label("amount")
        of_each = select(self.group.label("g"), Record.outcome, Record.currency, amount, Record.id)
        of_each = of_each.where(self.where)
        rows = self.along(of_each).subquery()
        keys = (rows.c.g, rows.c.outcome, rows.c.currency)
        statement = select(
            *keys, func.count(), func.count(rows.c.amount), func.sum(rows.c.amount), func.min(rows.c.id)
        ).group_by(*keys)
        sets: dict[Any, WinSet] = defaultdict(WinSet)
        samples: dict[Any, int] = {}
        for value, outcome, currency, n, valued, minor, sample in self.session.execute(statement):
            sets[value].count(outcome, int(n), currency or "", int(minor or 0), int(valued))
            samples.setdefault(value, sample)
        return dict(sets), samples

    def _add_medians(self, sets: Mapping[Any, WinSet], group: ColumnElement[Any]) -> None:
        """Fill the medians of amount (per currency) and cycle, and how long all cycles took together."""
        won = and_(self.where, Record.outcome == "won")
        amount = cast(Record.amount_minor, Double)
        micros = cast(Record.cycle, Double)
        money = self._median(won, group, amount, Record.currency.expression, is_money=True)
        cycles = self._median(won, group, micros, literal(""), is_money=False)
        for is_money, value, currency, median, n, total in self.session.execute(union_all(money, cycles)):
            counts = sets.get(value)
            if counts is None:
                # It ended after the statement before this one.
                continue
            if is_money:
                counts.money[currency or ""].median_minor = float(median)
            else:
                counts.cycles_n, counts.micros, counts.median_micros = int(n), float(total), float(median)

    def _median(
        self,
        where: ColumnElement[bool],
        group: ColumnElement[Any],
        value: ColumnElement[Any],
        currency: ColumnElement[Any],
        *,
        is_money: bool,
    ) -> Select[*tuple[Any, ...]]:
        """Per group and currency: the mean of the middle one or two values, their number, and their sum."""
        of_each = select(group.label("g"), currency.label("currency"), value.label("value"))
        of_each = of_each.where(where, value.is_not(None))
        rows = (along_ends if self.has_held_ends else self.along)(of_each).subquery()
        keys = (rows.c.g, rows.c.currency)
        placed = select(
            *keys,
            rows.c.value,
            func.row_number().over(partition_by=keys, order_by=rows.c.value).label("place"),
            func.count().over(partition_by=keys).label("n"),
            func.sum(rows.c.value).over(partition_by=keys).label("total"),
        ).subquery()
        middle = (func.avg(placed.c.value), func.max(placed.c.n), func.max(placed.c.total))
        return (
            select(literal(int(is_money)), placed.c.g, placed.c.currency, *middle)
            .where(placed.c.place.in_([(placed.c.n + 1) // 2, (placed.c.n + 2) // 2]))
            .group_by(placed.c.g, placed.c.currency)
        )
