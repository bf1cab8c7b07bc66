"""Reports of plug-ins: a chart with its table twin, made by one class in a package of its own (S24)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import ClassVar

from builder.charts.chart import Cell, Chart
from builder.db.tenancy import WorkspaceSession
from builder.domain.labels import Label
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.metadata.catalog import Catalog
from builder.plug_ins import REPORTS, plugged


@dataclass(frozen=True)
class Asked:
    """What a report is made from. ``session`` reads this workspace only, by construction; which of its
    records ``actor`` sees is for the report to ask (``builder.queries.visibility.visible``). ``locale``: the
    reader's.
    """

    session: WorkspaceSession
    workspace: WorkspaceInfo
    catalog: Catalog
    actor: Actor
    now: datetime
    locale: str


class Report(ABC):
    """``key`` stands in the address, ``label`` in the menu, ``description`` below the title."""

    key: ClassVar[str]
    label: ClassVar[Label]
    description: ClassVar[Label]

    @abstractmethod
    def chart(self, asked: Asked) -> Chart:
        """The figures; nothing may be written."""


@cache
def reports() -> Mapping[str, Report]:
    """The reports of installed plug-ins. Errors: ValueError for two of one key."""
    found: dict[str, Report] = {}
    for report in plugged(REPORTS):
        if report.key in found:
            raise ValueError(f"two plug-ins bring a report {report.key!r}")
        found[report.key] = report
    return found


def bars(title: str, description: str, headers: tuple[str, str], figures: Sequence[tuple[str, int]]) -> Chart:
    """A horizontal bar and a row for each (label, number); ``headers`` name the two."""
    config = {
        "type": "bar",
        "data": {
            "labels": [label for label, _ in figures],
            "datasets": [{"label": headers[1], "data": [number for _, number in figures], "paint": "open"}],
        },
        "options": {
            "indexAxis": "y",
            "maintainAspectRatio": False,
            "scales": {"x": {"beginAtZero": True, "ticks": {"precision": 0}}},
            "plugins": {"legend": {"display": False}},
        },
    }
    rows = tuple((Cell(label), Cell(str(number), is_number=True)) for label, number in figures)
    return Chart(title, description, config, ("",) * len(figures), headers, rows)
