"""Wins and losses: rates M5, M6, M7 and M27, won amounts, and the cycle M10; exact until displayed.

Which records are in the set (closed in a period, all of a pipeline …) is the caller's to say and to state.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

from builder.domain.pipeline import StageKind
from builder.domain.rates import mean, median, share
from builder.errors import N_

Key = TypeVar("Key", bound=Hashable)

DEFINITIONS = {
    "win_rate": N_("M5: won / (won + lost)."),
    "win_rate_broad": N_("M6: won / (won + lost + invalid)."),
    "win_rate_by_value": N_("M7: won amount / (won amount + lost amount)."),
    "won_share": N_("M27: won / all records of the set, open ones included."),
    "won_amount": N_("Sum of the amounts of won records, in the currency shown."),
    "average_won": N_("Won amount / won records that have an amount in the currency shown."),
    "median_won": N_("The middle one of the amounts of won records."),
    "cycle_days": N_(
        "M10: days from the first known moment to winning, of won records where both are known;"
        " the median first, the mean second."
    ),
}


class WinRow(NamedTuple):
    """One record: how it ended (or ``open``), its amount in minor units, and its cycle in days.

    ``days`` is ``None`` where the beginning or the end is not known; it counts for won records only.
    """

    outcome: StageKind
    amount_minor: int | None = None
    currency: str | None = None
    days: int | Fraction | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """M10 in days: how many won records it is known of, mean and median."""

    n: int
    mean: Fraction | None
    median: Fraction | None


@dataclass(frozen=True, slots=True)
class WinCounts:
    """What the figures are made of, counted from rows or by a query.

    Amounts are in minor units of one currency. ``won_valued``: won records with an amount in it;
    ``other_currency``: won and lost records whose amount is in another and so counted as records only.
    """

    won: int = 0
    lost: int = 0
    invalid: int = 0
    open: int = 0
    won_minor: int = 0
    lost_minor: int = 0
    won_valued: int = 0
    median_won_minor: Fraction | None = None
    cycle: Cycle = Cycle(0, None, None)
    other_currency: int = 0


@dataclass(frozen=True, slots=True)
class WinFigures:
    """The figures of one set or group; a rate is ``None`` where there is nothing to divide by."""

    counts: WinCounts
    opportunities: int
    win_rate: Fraction | None
    win_rate_broad: Fraction | None
    win_rate_by_value: Fraction | None
    won_share: Fraction | None
    average_won_minor: Fraction | None


@dataclass(frozen=True, slots=True)
class WinGroup(Generic[Key]):
    key: Key
    figures: WinFigures


def figures(counts: WinCounts) -> WinFigures:
    """Rates of what was counted (M5, M6, M7, M27)."""
    decided = counts.won + counts.lost
    closed = decided + counts.invalid
    opportunities = closed + counts.open
    return WinFigures(
        counts=counts,
        opportunities=opportunities,
        win_rate=share(counts.won, decided),
        win_rate_broad=share(counts.won, closed),
        win_rate_by_value=share(counts.won_minor, counts.won_minor + counts.lost_minor),
        won_share=share(counts.won, opportunities),
        average_won_minor=share(counts.won_minor, counts.won_valued),
    )


def count(rows: Iterable[WinRow], currency: str | None) -> WinCounts:
    """Count rows; amounts of ``currency`` only (a row without a currency has no amount to count)."""
    numbers: dict[StageKind, int] = {"won": 0, "lost": 0, "invalid": 0, "open": 0}
    won: list[int] = []
    lost_minor = other = 0
    days: list[int | Fraction] = []
    for row in rows:
        numbers[row.outcome] += 1
        if row.outcome == "won" and row.days is not None:
            days.append(row.days)
        if row.amount_minor is None or row.outcome not in ("won", "lost"):
            continue
        if row.currency != currency:
            other += 1
        elif row.outcome == "won":
            won.append(row.amount_minor)
        else:
            lost_minor += row.amount_minor
    return WinCounts(
        **numbers,
        won_minor=sum(won),
        lost_minor=lost_minor,
        won_valued=len(won),
        median_won_minor=median(won),
        cycle=cycle(days),
        other_currency=other,
    )


def cycle(days: Sequence[int | Fraction]) -> Cycle:
    """M10 from the cycles of won records, in days."""
    return Cycle(len(days), mean(days), median(days))


def grouped(rows: Iterable[tuple[Key, WinRow]], currency: str | None) -> list[WinGroup[Key]]:
    """The figures of each group, in the order in which the keys first come."""
    groups: dict[Key, list[WinRow]] = {}
    for key, row in rows:
        groups.setdefault(key, []).append(row)
    return [WinGroup(key, figures(count(members, currency))) for key, members in groups.items()]
