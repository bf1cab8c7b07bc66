"""Win rates, won amounts and cycles, and the real data whose figures are known."""

from __future__ import annotations

import csv
import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from builder.domain.pipeline import StageKind
from builder.domain.rates import rounded
from builder.domain.wins import Cycle, WinCounts, WinRow, count, figures, grouped

DATA = Path(__file__).parents[4] / "shared" / "data"


def test_rates_of_all_four_kinds() -> None:
    rows = [WinRow("won", 300, "EUR", 10)] * 4 + [WinRow("lost", 100, "EUR")] * 2
    rows += [WinRow("invalid")] * 94 + [WinRow("open", 5, "EUR")] * 100
    result = figures(count(rows, "EUR"))
    assert result.opportunities == 200
    assert result.win_rate == Fraction(2, 3)
    assert result.win_rate_broad == Fraction(4, 100)
    assert result.win_rate_by_value == Fraction(1200, 1400)
    assert result.won_share == Fraction(4, 200)
    assert result.average_won_minor == 300


def test_nothing_to_divide_by_gives_no_rate() -> None:
    result = figures(WinCounts())
    assert (result.win_rate, result.win_rate_broad, result.win_rate_by_value) == (None, None, None)
    assert (result.won_share, result.average_won_minor, result.counts.cycle) == (
        None,
        None,
        Cycle(0, None, None),
    )
    assert figures(count([WinRow("open")], "EUR")).won_share == 0


def test_amounts_of_another_currency_are_told_and_not_added() -> None:
    counts = count([WinRow("won", 10, "EUR"), WinRow("won", 99, "CNY"), WinRow("won", None, "EUR")], "EUR")
    assert (counts.won, counts.won_minor, counts.won_valued, counts.other_currency) == (3, 10, 1, 1)
    assert figures(counts).average_won_minor == 10


def test_median_of_an_even_number_is_exact() -> None:
    rows = [WinRow("won", 1, "EUR", Fraction(1, 3)), WinRow("won", 2, "EUR", Fraction(2, 3))]
    counts = count(rows, "EUR")
    assert counts.median_won_minor == Fraction(3, 2)
    assert counts.cycle == Cycle(2, Fraction(1, 2), Fraction(1, 2))


def test_cycle_counts_won_records_with_known_times_only() -> None:
    rows = [WinRow("won", days=4), WinRow("won"), WinRow("lost", days=100)]
    assert count(rows, None).cycle == Cycle(1, Fraction(4), Fraction(4))


def test_groups_keep_their_own_figures() -> None:
    rows = [("x", WinRow("won")), ("y", WinRow("lost")), ("x", WinRow("lost"))]
    assert [(group.key, group.figures.win_rate) for group in grouped(rows, None)] == [
        ("x", Fraction(1, 2)),
        ("y", 0),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.33"),
        (Fraction(1, 200), "0.01"),
        (Fraction(-1, 200), "-0.01"),
        (Fraction(0), "0.00"),
    ],
)
def test_rounding_for_display_is_half_away_from_zero(value: Fraction, text: str) -> None:
    assert str(rounded(value, 2)) == text
    assert rounded(None) is None


def test_real_opportunities_give_the_published_figures() -> None:
    file = DATA / "maven" / "sales_pipeline.csv"
    if not file.exists():
        pytest.skip("the real data of ../shared/data is not here")
    outcomes: dict[str, StageKind] = {"Won": "won", "Lost": "lost"}
    rows = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for line in csv.DictReader(lines):
            value, engaged, closed = line["close_value"], line["engage_date"], line["close_date"]
            days = (
                (date.fromisoformat(closed) - date.fromisoformat(engaged)).days
                if engaged and closed
                else None
            )
            outcome = outcomes.get(line["deal_stage"], "open")
            amount = int(value) * 100 if value else None
            rows.append((line["sales_agent"], WinRow(outcome, amount, "USD", days)))
    oracle = json.loads((DATA / "oracles" / "maven.json").read_text())

    def check(rows: list[WinRow], expected: dict[str, object]) -> None:
        result = figures(count(rows, "USD"))
        counts = result.counts
        assert (result.opportunities, counts.won, counts.lost, counts.open) == tuple(
            expected[key] for key in ("deals", "won", "lost", "open")
        )
        assert float(rounded(result.win_rate) or 0) == expected["win_rate"]
        assert float(rounded(result.won_share) or 0) == expected["won_share"]
        assert counts.won_minor == expected["won_value"] * 100  # type: ignore[operator]
        assert (
            float(rounded((result.average_won_minor or Fraction(0)) / 100) or 0) == expected["avg_won_value"]
        )
        assert (counts.median_won_minor or 0) / 100 == expected["median_won_value"]
        cycle = expected["days_to_close_won"]
        assert isinstance(cycle, dict)
        assert (counts.cycle.n, counts.cycle.median) == (cycle["n"], cycle["median"])
        assert float(rounded(counts.cycle.mean) or 0) == cycle["mean"]

    check([row for _, row in rows], oracle["overall"])
    for agent, expected in oracle["by_agent"].items():
        check([row for name, row in rows if name == agent], expected)
