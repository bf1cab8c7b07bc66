"""What is counted of a set of records for the page of wins, wherever it was counted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from builder.domain.win_sums import MICROS_A_DAY
from builder.domain.wins import Cycle, WinCounts, WinFigures, figures

TERMINAL = ("won", "lost", "invalid")


@dataclass(slots=True)
class Money:
    """Amounts in one currency, minor units; ``won_n`` won and ``lost_n`` lost records have one in it."""

    won_minor: int = 0
    won_n: int = 0
    lost_minor: int = 0
    lost_n: int = 0
    median_minor: Fraction | float | None = None


@dataclass(slots=True)
class WinSet:
    """What is counted of one set of records, in all currencies; of won ones with a known cycle how many
    there are, their microseconds together, and the middle one.
    """

    outcomes: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("won", "lost", "invalid", "open"), 0)
    )
    cycles_n: int = 0
    micros: int | float = 0
    median_micros: Fraction | float | None = None
    money: dict[str, Money] = field(default_factory=lambda: defaultdict(Money))

    def count(
        self, outcome: str | None, n: int, currency: str = "", amount_minor: int = 0, valued: int = 0
    ) -> None:
        """Count ``n`` records, ``valued`` of them with amounts in ``currency``, ``amount_minor`` together."""
        self.outcomes[outcome if outcome in TERMINAL else "open"] += n
        if valued and outcome in ("won", "lost"):
            money = self.money[currency]
            if outcome == "won":
                money.won_minor += amount_minor
                money.won_n += valued
            else:
                money.lost_minor += amount_minor
                money.lost_n += valued

    def forget_amounts(self) -> None:
        self.money.clear()

    def add(self, other: WinSet) -> None:
        for outcome, n in other.outcomes.items():
            self.outcomes[outcome] += n
        self.cycles_n += other.cycles_n
        self.micros += other.micros
        for currency, money in other.money.items():
            mine = self.money[currency]
            mine.won_minor += money.won_minor
            mine.won_n += money.won_n
            mine.lost_minor += money.lost_minor
            mine.lost_n += money.lost_n

    @property
    def n(self) -> int:
        """How many records there are."""
        return sum(self.outcomes.values())

    @property
    def currencies(self) -> tuple[str, ...]:
        """Currencies with won or lost amounts, those of most won records first."""
        known = (code for code, money in self.money.items() if code and money.won_n + money.lost_n)
        return tuple(sorted(known, key=lambda code: (-self.money[code].won_n, code)))

    def figures(self, currency: str) -> WinFigures:
        """M5–M7, M27 and M10, amounts in ``currency``."""
        money = self.money.get(currency, Money())
        others = (other.won_n + other.lost_n for code, other in self.money.items() if code != currency)
        mean = _exact(self.micros, MICROS_A_DAY * self.cycles_n)
        days = Cycle(self.cycles_n, mean, _exact(self.median_micros, MICROS_A_DAY))
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


def _exact(value: Fraction | float | None, by: int = 1) -> Fraction | None:
    return None if value is None or not by else Fraction(value) / by
