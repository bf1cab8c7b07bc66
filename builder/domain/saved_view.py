"""A saved way to look at the records of an object: a list or a board with its filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from builder.domain.conditions import Condition
from builder.domain.labels import Label

Layout: TypeAlias = Literal["list", "board"]


@dataclass(frozen=True)
class View:
    """``columns`` are field keys or ``record.<column>``; ``sort`` the same, ``-`` in front for descending.

    ``pipeline`` is the pipeline of a board, or the one a list is limited to. ``filter`` may use filterable
    fields and ``record.*`` only, because the database evaluates it; ``None`` shows all.
    """

    key: str
    label: Label
    object_key: str
    layout: Layout
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    filter: Condition | None
    pipeline: str | None
    position: int
    checksum: str
