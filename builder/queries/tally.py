"""What a funnel's source has counted, before it becomes figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from builder.domain.funnel import ZERO, Count, Sums
from builder.domain.reach import ENTRY


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
