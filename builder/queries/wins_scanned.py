"""Wins and losses counted from the records themselves, where a period, a free filter or a field of one's own
is asked for: two statements, whatever the number of records and groups.

One adds up by group, outcome and currency. One reads amounts and cycles of what was won, of which the medians
are found here, of each group and of all together: sorting by window functions took five times as long.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, func, literal, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.rates import median
from builder.queries.side_by_side import along_ends
from builder.queries.win_sets import WinSet

WHOLE: ColumnElement[Any] = literal(0)
# Rows are read some at a time, so that neither database hands over all of them at once.
_BY_PARTS = {"yield_per": 10_000}
_Rows: TypeAlias = Select[*tuple[Any, ...]]
Along: TypeAlias = Callable[[_Rows], _Rows]


def as_it_is(statement: _Rows) -> _Rows:
    return statement


@dataclass(slots=True)
class _Won:
    """Amounts by currency, and cycles, as bare numbers: eight bytes each, however many there are."""

    amounts: dict[str, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))
    cycles: array[int] = field(default_factory=lambda: array("q"))

    def add(self, other: _Won) -> None:
        for currency, amounts in other.amounts.items():
            self.amounts[currency].extend(amounts)
        self.cycles.extend(other.cycles)

    def fill(self, counts: WinSet) -> None:
        for currency, amounts in self.amounts.items():
            counts.money[currency].median_minor = median(amounts)
        if self.cycles:
            counts.cycles_n, counts.micros = len(self.cycles), sum(self.cycles)
            counts.median_micros = median(self.cycles)


@dataclass
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
    _read: dict[Any, _Won] | None = field(default=None, init=False)

    def counted(self) -> tuple[dict[Any, WinSet], dict[Any, int]]:
        """Group value → its set with its medians, and → one record of it."""
        sets, samples = self._counts()
        self.add_medians(sets)
        return sets, samples

    def add_medians(self, sets: Mapping[Any, WinSet]) -> None:
        """Fill in, of each group, what is no sum of a month."""
        for value, won in self._won().items():
            # What ended after the statement that counted is in neither.
            if value in sets:
                won.fill(sets[value])

    def together(self, sets: Iterable[WinSet]) -> WinSet:
        """All groups as one set, with the medians of all."""
        total = WinSet()
        for counts in sets:
            total.add(counts)
        whole = _Won()
        for won in self._won().values():
            whole.add(won)
        whole.fill(total)
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

    def _won(self) -> dict[Any, _Won]:
        """Group value → amounts and cycles of its won records; read once (one statement)."""
        if self._read is None:
            self._read = defaultdict(_Won)
            columns = (self.group.label("g"), Record.currency, Record.amount_minor, Record.cycle)
            statement: _Rows = select(*columns).where(self.where, Record.outcome == "won")
            found = (along_ends if self.has_held_ends else self.along)(statement)
            for value, currency, amount, cycle in self.session.execute(found, execution_options=_BY_PARTS):
                won = self._read[value]
                if amount is not None:
                    won.amounts[currency or ""].append(amount)
                if cycle is not None:
                    won.cycles.append(cycle)
        return self._read
