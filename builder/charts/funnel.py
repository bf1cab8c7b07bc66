"""The funnel chart: one bar a step, as wide as its count or amount (S79, S80)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.charts.chart import Cell, Chart


@dataclass(frozen=True, slots=True)
class FunnelBar:
    """A step: ``value`` sets the width (a count, or an amount in major units), ``text`` is how it is shown,
    ``color`` the stage's own or "" for the palette's, ``cells`` its row of the table twin."""

    label: str
    value: float
    text: str
    href: str
    cells: tuple[Cell, ...]
    color: str = ""


def funnel_chart(
    bars: Sequence[FunnelBar], *, title: str, description: str, measure: str, headers: Sequence[str]
) -> Chart:
    """``measure`` names what the width means; ``headers`` are those of ``FunnelBar.cells``."""
    config = {
        "type": "funnel",
        "data": {
            "labels": [bar.label for bar in bars],
            "datasets": [
                {
                    "label": measure,
                    "data": [bar.value for bar in bars],
                    "texts": [bar.text for bar in bars],
                    "colors": [bar.color for bar in bars],
                }
            ],
        },
        "options": {
            "indexAxis": "y",
            "maintainAspectRatio": False,
            "plugins": {"legend": {"display": False}},
        },
    }
    links = tuple(bar.href for bar in bars)
    return Chart(title, description, config, links, tuple(headers), tuple(bar.cells for bar in bars))
