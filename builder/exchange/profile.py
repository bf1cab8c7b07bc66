"""What the columns of a file hold: samples, how many are filled, which kind of value all of them are.

A kind stays possible until one value disproves it, over all rows, so a field made from it takes every row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice

from builder.exchange.csv import Table
from builder.exchange.moments import (
    ORDERS,
    DateOrder,
    depends_on_order,
    only_order,
    possible_orders,
    read_moment,
    stated_order,
)
from builder.exchange.numbers import (
    DecimalMark,
    depends_on_mark,
    is_code_like,
    mark_of,
    read_number,
    unit_of,
)
from builder.exchange.words import trimmed, yes_or_no

SAMPLES = 5
# Beyond this many different values a column is no choice, and its values are no longer remembered.
REMEMBERED = 20_000
_AT_ONCE = 1_000
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PHONE = re.compile(r"(?=.*[+ ()-])\+?[\d(][\d ()/-]{5,22}\d")
# Words that mean yes or no only where a person says so: a column of ones is one of numbers.
_NOT_WORDS = frozenset("01x✓✔√✗×")
_LEADING_ZERO = re.compile(r"[-+]?0\d")
_DIGITS_KEPT = 15


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column. ``kind`` is the narrowest that fits all its values (``text`` when none does).

    ``orders``: the date orders that read all values; ``is_order_open`` means that a person must say, for
    which ``likely_order`` is what most values show that can be read in one way only, or what numbers that
    stand for dates look like. ``mark`` is the decimal mark the values show, ``None`` when they show none or
    both; ``is_mark_open`` as for dates. ``number_share`` and
    ``date_share`` (0–1) tell of a column in which some values are mistakes. ``values`` are the different
    values with their counts, ``None`` when too many.
    """

    name: str
    filled: int
    longest: int
    samples: tuple[str, ...]
    kind: str
    orders: tuple[DateOrder, ...] = ()
    is_order_open: bool = False
    likely_order: DateOrder | None = None
    mark: DecimalMark | None = None
    is_mark_open: bool = False
    number_share: float = 0.0
    date_share: float = 0.0
    values: Mapping[str, int] | None = field(default=None, repr=False)

    @property
    def is_unique(self) -> bool:
        return self.values is None or len(self.values) == self.filled


@dataclass(frozen=True, slots=True)
class TableProfile:
    """All columns, and how many rows stand below the header (``unusable`` of them cannot be read).

    The last ``joined`` columns are read from others (``exchange.joining``).
    """

    columns: tuple[ColumnProfile, ...]
    rows: int
    unusable: int
    joined: int = 0

    @property
    def headers(self) -> tuple[str, ...]:
        """The columns of the file itself, without those that are joined from them."""
        return tuple(column.name for column in self.columns[: len(self.columns) - self.joined])

    def column(self, name: str) -> ColumnProfile | None:
        return next((column for column in self.columns if column.name == name), None)


class _Collector:
    """Gathers one column while the rows stream by."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.filled = 0
        self.longest = 0
        self.counts: dict[str, int] = {}
        self.overflow = False

    def add(self, cells: Iterable[str]) -> None:
        counts = self.counts
        for text in filter(None, map(str.strip, cells)):
            if text in counts:
                self.filled += 1
                counts[text] += 1
                continue
            if not (text := trimmed(text)):
                continue
            self.filled += 1
            if text in counts:
                counts[text] += 1
                continue
            self.longest = max(self.longest, len(text))
            if len(counts) < REMEMBERED:
                counts[text] = 1
            else:
                # The kinds are judged on what is remembered; a later misfit is refused with its line.
                self.overflow = True

    def profile(self) -> ColumnProfile:
        values = list(self.counts)
        judge = _Judge(values)
        return ColumnProfile(
            name=self.name,
            filled=self.filled,
            longest=self.longest,
            samples=tuple(value[:200] for value in values[:SAMPLES]),
            kind=judge.kind,
            orders=judge.orders,
            is_order_open=judge.is_order_open,
            likely_order=judge.likely_order,
            mark=judge.mark,
            is_mark_open=judge.is_mark_open,
            number_share=judge.number_share,
            date_share=len(judge.dates) / len(values) if values else 0.0,
            values=None if self.overflow else dict(self.counts),
        )


class _Judge:
    """Which kind all of the values are."""

    def __init__(self, values: list[str]) -> None:
        self._values = values

    def _all(self, holds: Callable[[str], object]) -> bool:
        return bool(self._values) and all(holds(value) for value in self._values)

    @cached_property
    def dates(self) -> dict[str, frozenset[DateOrder]]:
        """The values that some order reads as a date, with these orders."""
        return {text: orders for text in self._values if (orders := possible_orders(text))}

    @cached_property
    def number_share(self) -> float:
        if not self._values:
            return 0.0
        return (len(self._values) - self._numbers.count(None)) / len(self._values)

    @cached_property
    def _numbers(self) -> list[str | None]:
        mark: DecimalMark = self.mark or "."
        return [read_number(text, mark) for text in self._values]

    @cached_property
    def orders(self) -> tuple[DateOrder, ...]:
        possible = self.dates.values()
        return tuple(order for order in ORDERS if possible and all(order in orders for orders in possible))

    @cached_property
    def is_order_open(self) -> bool:
        return len(self.orders) != 1 and any(map(depends_on_order, self.dates))

    @cached_property
    def likely_order(self) -> DateOrder | None:
        shown = Counter(order for text in self.dates if (order := only_order(text)))
        if shown:
            return shown.most_common(1)[0][0]
        return stated_order(self._values) if not self.dates else None

    @cached_property
    def _marks(self) -> set[DecimalMark]:
        return {mark for value in self._values if (mark := mark_of(value))}

    @cached_property
    def mark(self) -> DecimalMark | None:
        return next(iter(self._marks)) if len(self._marks) == 1 else None

    @cached_property
    def is_mark_open(self) -> bool:
        """Values such as 1.054 that could be a thousand, or a bit more than one, and none tells which."""
        return self.mark is None and any(map(depends_on_mark, self._values))

    @property
    def kind(self) -> str:
        if not self._values:
            return "empty"
        if self.orders and len(self.dates) == len(self._values):
            has_time = any(isinstance(read_moment(text, self.orders[0]), datetime) for text in self._values)
            return "datetime" if has_time else "date"
        return self._number() or self._words()

    def _number(self) -> str | None:
        if self._all(lambda text: yes_or_no(text) is not None and text not in _NOT_WORDS):
            return "yes_no"
        plain = [text for text in self._numbers if text is not None]
        if len(self._marks) > 1 or len(plain) < len(self._values):
            return None
        if any(_LEADING_ZERO.match(text) or sum(map(str.isdigit, text)) > _DIGITS_KEPT for text in plain):
            return None  # a postcode or an account number: its zeros and digits must stay
        if any(map(is_code_like, self._values)):
            return None
        units = {unit_of(text) for text in self._values}
        if "%" in units:
            return "percent" if units == {"%"} else None
        if units != {""}:
            return "money"
        return "decimal" if any("." in text for text in plain) or self._marks else "integer"

    def _words(self) -> str:
        if self._all(_EMAIL.fullmatch):
            return "email"
        if self._all(_URL.fullmatch):
            return "url"
        if self._all(_PHONE.fullmatch):
            return "phone"
        return "long_text" if any(len(text) > 300 or "\n" in text for text in self._values) else "text"


def profile(table: Table, judged: int | None = None) -> TableProfile:
    """Read all rows once and describe every column; beyond ``judged`` rows they are only counted."""
    collectors = [_Collector(name) for name in table.columns]
    rows = unusable = 0
    stream = table.rows()
    while some := list(islice(stream, _AT_ONCE)):
        judging = some if judged is None else some[: max(0, judged - rows)]
        usable = [row.cells for row in judging if row.problem is None]
        for collector, *cells in zip(collectors, *usable, strict=True) if usable else ():
            collector.add(cells)
        rows += len(some)
        unusable += sum(row.problem is not None for row in some)
    columns = tuple(collector.profile() for collector in collectors)
    return TableProfile(columns, rows, unusable, len(table.format.joins))
