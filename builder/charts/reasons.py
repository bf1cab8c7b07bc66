"""Reasons of one outcome, ranked: horizontal bars (S40)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from builder.charts.chart import Cell, Chart

DRAWN = 20


@dataclass(frozen=True, slots=True)
class ReasonBar:
    """A reason: the length of its bar (records, or major units of money), how that is written, and its row of
    the table twin.
    """

    label: str
    value: float
    text: str
    href: str
    cells: tuple[Cell, ...]


def reasons_chart(
    bars: Sequence[ReasonBar],
    outcome: str,
    *,
    title: str,
    description: str,
    measure: str,
    currency: str = "",
    headers: Sequence[str],
    total: tuple[Cell, ...],
) -> Chart:
    """``measure`` names what the bars show, ``currency`` that of amounts. The first ``DRAWN`` reasons become
    bars; the table has all.
    """
    shown = bars[:DRAWN]
    dataset = {
        "label": measure,
        "data": [bar.value for bar in shown],
        "texts": [bar.text for bar in shown],
        "paint": outcome,
    }
    ticks: dict[str, Any] = {"precision": 0}
    if currency:
        ticks["format"] = {"style": "currency", "currency": currency, "maximumFractionDigits": 0}
    config = {
        "type": "bar",
        "data": {"labels": [bar.label for bar in shown], "datasets": [dataset]},
        "options": {
            "indexAxis": "y",
            "maintainAspectRatio": False,
            "scales": {"x": {"beginAtZero": True, "ticks": ticks}},
            "plugins": {"legend": {"display": False}},
        },
    }
    links = tuple(bar.href for bar in shown)
    return Chart(title, description, config, links, tuple(headers), tuple(bar.cells for bar in bars), total)
