"""A chart: a Chart.js configuration and its table twin, the same figures twice.

Texts come in translated and numbers formatted for the reader; a chart adds neither words nor rounding of its
own. Colours are left to the page (`static/js/charts/chart.js`), which follows the theme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the twin. ``href`` opens the rows behind the figure (B4), ``value`` sorts and exports."""

    text: str
    href: str = ""
    note: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Chart:
    """``config`` is handed to Chart.js as it is; ``links[i]`` opens the list behind bar i ("" for none).

    ``title`` names the figure, ``description`` says in a sentence what it shows, ``headers`` and ``rows`` are
    the table twin; ``total`` is its last row, when it has one.
    """

    title: str
    description: str
    config: dict[str, Any]
    links: tuple[str, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any(value for series in self.config["data"]["datasets"] for value in series["data"])

    @property
    def island(self) -> dict[str, Any]:
        """What the page hands to the behaviour that draws it."""
        return {"config": self.config, "links": list(self.links)}
