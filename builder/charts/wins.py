"""Won, lost and invalid by group: stacked horizontal bars (M5–M7, M27)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.charts.chart import Cell, Chart

OUTCOMES = ("won", "lost", "invalid", "open")


@dataclass(frozen=True, slots=True)
class WinBar:
    """A group: how many won, lost, invalid and open records it has, and its row of the table twin."""

    label: str
    won: int
    lost: int
    invalid: int
    open: int
    href: str
    cells: tuple[Cell, ...]


def wins_chart(
    bars: Sequence[WinBar],
    *,
    title: str,
    description: str,
    names: Sequence[str],
    headers: Sequence[str],
    total: tuple[Cell, ...] = (),
    drawn: int = 30,
) -> Chart:
    """``names`` are the translated names of ``OUTCOMES``. Only the first ``drawn`` groups become bars; the
    table has them all."""
    shown = bars[:drawn]
    datasets = [
        {
            "label": name,
            "data": [getattr(bar, outcome) for bar in shown],
            "paint": outcome,
            "stack": "all",
        }
        for outcome, name in zip(OUTCOMES, names, strict=True)
    ]
    config = {
        "type": "bar",
        "data": {"labels": [bar.label for bar in shown], "datasets": datasets},
        "options": {
            "indexAxis": "y",
            "maintainAspectRatio": False,
            "scales": {"x": {"stacked": True, "ticks": {"precision": 0}}, "y": {"stacked": True}},
            "plugins": {"legend": {"position": "bottom"}},
        },
    }
    links = tuple(bar.href for bar in shown)
    return Chart(title, description, config, links, tuple(headers), tuple(bar.cells for bar in bars), total)
