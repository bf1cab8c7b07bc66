"""Wins and losses: M5, M6, M7, M27 and the cycle M10, in total and by group.

Two statements whatever the number of records (and two more with groups): one adds up by group, outcome and
currency, one finds the medians with window functions. Without a period the set is every record of the
population; with one it is those *closed* in it, so open records are not in the set and M27 equals M6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, and_, cast, func, literal, select, union_all

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.wins import Cycle, WinCounts, WinFigures, figures
from builder.queries.dimensions import Dimension, GroupName, buckets, expression, names
from builder.queries.population import Population, clauses
from builder.queries.side_by_side import side_by_side

TERMINAL = ("won", "lost", "invalid")
MICROS_A_DAY = 86_400_000_000
_TOTAL = literal(0)


@dataclass(slots=True)
class _Money:
    """Amounts in one currency, minor units; ``won_n`` won and ``lost_n`` lost records have one in it."""

    won_minor: int = 0
    won_n: int = 0
    lost_minor: int = 0
    lost_n: int = 0
    median_minor: float | None = None


@dataclass(slots=True)
class _Set:
    """What is counted of one set of records, in all currencies."""

    outcomes: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("won", "lost", "invalid", "open"), 0)
    )
    days_n: int = 0
    days_sum: float = 0.0
    days_median: float | None = None
    money: dict[str, _Money] = field(default_factory=lambda: defaultdict(_Money))

    def add(self, other: _Set) -> None:
        for outcome, n in other.outcomes.items():
            self.outcomes[outcome] += n
        self.days_n += other.days_n
        self.days_sum += other.days_sum
        for currency, money in other.money.items():
            mine = self.money[currency]
            mine.won_minor += money.won_minor
            mine.won_n += money.won_n
            mine.lost_minor += money.lost_minor
            mine.lost_n += money.lost_n

    def figures(self, currency: str) -> WinFigures:
        """M5–M7, M27 and M10, amounts in ``currency``."""
        money = self.money.get(currency, _Money())
        others = (other.won_n + other.lost_n for code, other in self.money.items() if code != currency)
        days = Cycle(self.days_n, _exact(self.days_sum, self.days_n), _exact(self.days_median))
        counts = WinCounts(
            **self.outcomes,
            won_minor=money.won_minor,
            lost_minor=money.lost_minor,
            won_valued=money.won_n,
            median_won_minor=_exact(money.median_minor),
            cycle=days,
            other_currency=sum(others),
        )
        return figures(counts)


def _exact(value: float | None, by: int = 1) -> Fraction | None:
    return None if value is None or not by else Fraction(value) / by


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
    session: WorkspaceSession, population: Population, *, currency: str, by: Dimension | None = None
) -> WinReport:
    """Figures of the whole set and of each group of ``by``; amounts in ``currency``, or in the commonest
    one where that does not occur. Where amounts are hidden from the reader there are none.

    Groups by closing month or quarter leave out what is not closed or has no known time of closing.
    """
    where = and_(clauses(population), *closed_in(population))
    is_blind = population.hides_amounts
    # Without period and filter most records are looked at; otherwise an index leads to those that count.
    is_wide = not population.period and population.condition is None
    if by is None:
        sets, _ = _counts(session, where, _TOTAL, is_wide=is_wide)
        _add_medians(session, where, sets, _TOTAL, is_wide=is_wide)
        total = sets.get(0, _Set())
        if is_blind:
            total.money.clear()
        known = _currencies(total)
        chosen = chosen_currency(currency, known)
        return WinReport(total.figures(chosen), chosen, known)
    if by.is_closing:
        where = and_(where, Record.outcome.in_(TERMINAL), Record.closed_at.is_not(None))
    spans = buckets(session, by, where, population.time_zone)
    group = expression(by, spans)
    sets, samples = _counts(session, where, group, is_wide=is_wide)
    _add_medians(session, where, sets, group, is_wide=is_wide)
    total = _Set()
    for counts in sets.values():
        total.add(counts)
    _add_medians(session, where, {0: total}, _TOTAL, is_wide=is_wide)
    for counts in (total, *sets.values()) if is_blind else ():
        counts.money.clear()
    known = _currencies(total)
    chosen = chosen_currency(currency, known)
    named = names(session, by, spans, samples)
    groups = [WinGroup(named[value], counts.figures(chosen)) for value, counts in sets.items()]
    return WinReport(total.figures(chosen), chosen, known, tuple(_ordered(by, groups)))


def chosen_currency(wanted: str, known: tuple[str, ...]) -> str:
    """The wanted currency, unless only others occur: then the commonest of those."""
    return wanted if wanted in known or not known else known[0]


def _counts(
    session: WorkspaceSession, where: ColumnElement[bool], group: ColumnElement[Any], *, is_wide: bool
) -> tuple[dict[Any, _Set], dict[Any, int]]:
    """Group value → counts, and → one record of the group. One statement."""
    amount = Record.amount_minor.label("amount")
    of_each = select(group.label("g"), Record.outcome, Record.currency, amount, Record.id).where(where)
    rows = (side_by_side(of_each) if is_wide else of_each).subquery()
    keys = (rows.c.g, rows.c.outcome, rows.c.currency)
    statement = select(
        *keys, func.count(), func.count(rows.c.amount), func.sum(rows.c.amount), func.min(rows.c.id)
    ).group_by(*keys)
    groups: dict[Any, _Set] = defaultdict(_Set)
    samples: dict[Any, int] = {}
    for value, outcome, currency, n, amount_n, amount, sample in session.execute(statement):
        counts = groups[value]
        samples.setdefault(value, sample)
        counts.outcomes[outcome if outcome in TERMINAL else "open"] += int(n)
        if amount_n and outcome in ("won", "lost"):
            money = counts.money[currency or ""]
            if outcome == "won":
                money.won_minor += int(amount)
                money.won_n += int(amount_n)
            else:
                money.lost_minor += int(amount)
                money.lost_n += int(amount_n)
    return dict(groups), samples


def _cycle_days() -> ColumnElement[Any]:
    """Days from the first contact to the close (M10), a fraction; null when either is unknown."""
    # Taken as micros: the difference of two instants is a span of time, not an instant.
    closed, started = cast(Record.closed_at, Double), cast(Record.started_at, Double)
    return (closed - started) / literal(float(MICROS_A_DAY), Double)


def _add_medians(
    session: WorkspaceSession,
    where: ColumnElement[bool],
    groups: Mapping[Any, _Set],
    group: ColumnElement[Any],
    *,
    is_wide: bool,
) -> None:
    """Fill the medians of amount (per currency) and cycle of every group, and how many days all its cycles
    took together, in one statement: when a record began stands in no index, so it is read of won ones only.
    """
    won = and_(where, Record.outcome == "won")
    amount = cast(Record.amount_minor, Double)
    money = _median(won, group, amount, Record.currency.expression, is_money=True, is_wide=is_wide)
    days = _median(won, group, _cycle_days(), literal(""), is_money=False, is_wide=is_wide)
    for is_money, value, currency, median, n, total in session.execute(union_all(money, days)):
        counts = groups[value]
        if is_money:
            counts.money[currency or ""].median_minor = float(median)
        else:
            counts.days_n, counts.days_sum, counts.days_median = int(n), float(total), float(median)


def _median(
    where: ColumnElement[bool],
    group: ColumnElement[Any],
    value: ColumnElement[Any],
    currency: ColumnElement[Any],
    *,
    is_money: bool,
    is_wide: bool,
) -> Select[*tuple[Any, ...]]:
    """Per group and currency: the mean of the middle one or two values, how many there are, and their sum."""
    of_each = select(group.label("g"), currency.label("currency"), value.label("value"))
    of_each = of_each.where(where, value.is_not(None))
    rows = (side_by_side(of_each) if is_wide else of_each).subquery()
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


def _ordered(by: Dimension, groups: list[WinGroup]) -> list[WinGroup]:
    if by.is_closing:
        return sorted(groups, key=lambda group: group.name.text or "")
    return sorted(groups, key=lambda group: (-group.figures.opportunities, group.name.text or ""))


def _currencies(total: _Set) -> tuple[str, ...]:
    """Currencies with won or lost amounts, those of most won records first."""
    known = (code for code, money in total.money.items() if code and money.won_n + money.lost_n)
    return tuple(sorted(known, key=lambda code: (-total.money[code].won_n, code)))
