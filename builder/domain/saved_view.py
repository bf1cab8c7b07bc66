"""A saved way to look at the records of an object: a list, a board or a calendar with its filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from builder.domain.conditions import Condition
from builder.domain.fields import ObjectDefinition
from builder.domain.labels import Label

Layout: TypeAlias = Literal["list", "board", "calendar"]

# What a board may be divided by, and a calendar place records by, beside fields.
LANE_COLUMNS = ("record.owner", "record.department")
DATE_COLUMNS = ("record.created_at", "record.closed_at")
LANE_TYPES = frozenset({"choice", "yes_no", "user", "reference"})
DATE_TYPES = frozenset({"date", "datetime"})


@dataclass(frozen=True)
class View:
    """``columns`` are field keys or ``record.<column>``; ``sort`` the same, ``-`` in front for descending.

    ``pipeline`` is the pipeline of a board, or the one a list is limited to. ``filter`` may use filterable
    fields and ``record.*`` only, because the database evaluates it; ``None`` shows all. ``lanes``: the field
    that divides a board; ``date``: the one by which a calendar places records; ``group``: what a list is
    grouped by (``domain.grouping``); ``rule``: in words, why the records stand in this order.
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
    lanes: str = ""
    date: str = ""
    group: str = ""
    rule: Label = Label(())


def can_divide(definition: ObjectDefinition, name: str) -> bool:
    """Whether the values of ``name`` may be the lanes of a board: few enough to tell apart, and indexed."""
    field = definition.fields.by_key.get(name)
    if field is None:
        return name in LANE_COLUMNS
    return field.type in LANE_TYPES and (field.slot is not None or field.role == "owner")


def can_place(definition: ObjectDefinition, name: str) -> bool:
    """Whether a calendar may place records by ``name``: a day or time by which an index finds them."""
    field = definition.fields.by_key.get(name)
    return name in DATE_COLUMNS if field is None else field.type in DATE_TYPES and field.slot is not None
