"""What a person says of an import: on the mapping page, on the command line, in a mapping kept for later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from builder.exchange.csv import Table
from builder.exchange.joining import Join
from builder.exchange.moments import DateOrder
from builder.exchange.numbers import DecimalMark
from builder.exchange.plan import KnownRows, Mode
from builder.exchange.profile import TableProfile
from builder.services.import_history import HistoryChoice, in_usual_order

# What is said of a text that becomes an option of its own.
NEW_OPTION = "+"


@dataclass(frozen=True)
class Choices:
    """What a person said. ``fields``: column → field key, or ``None`` for *leave out*; other columns get
    suggestions. ``new_types``: columns that become fields, with their type (``None``: as their values are);
    ``create_fields``: every column that no field is like. ``units``: as in plans; ``options``: which option a
    text of a column means, ``""`` for none and ``NEW_OPTION`` for one of its own. ``joins``: columns that are
    read as one as well.
    """

    fields: Mapping[str, str | None] = field(default_factory=dict)
    new_types: Mapping[str, str | None] = field(default_factory=dict)
    create_fields: bool = False
    key_column: str | None = None
    owner_column: str | None = None
    amount_column: str | None = None
    orders: Mapping[str, DateOrder] = field(default_factory=dict)
    order: DateOrder | None = None
    marks: Mapping[str, DecimalMark] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    joins: tuple[Join, ...] = ()
    create_users: bool = False
    create_references: bool = False
    known_rows: KnownRows = "change"
    entry_pipeline: str | None = None
    history: HistoryChoice | None = None
    mode: Mode = "rows"

    def to_document(self) -> dict[str, Any]:
        """The choices as JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Choices:
        """What ``to_document`` wrote. Errors: KeyError, TypeError for anything else."""
        history = document["history"]
        joins = tuple(map(Join.from_document, document.get("joins", ())))
        told = None if history is None else HistoryChoice(**history)
        return cls(**{**document, "joins": joins, "history": told})


def with_order(choices: Choices, table: Table, profile: TableProfile) -> Choices:
    """The choices of a log, the open stages in their usual order unless somebody said one."""
    history, key_column = choices.history, choices.key_column
    if choices.mode != "log" or history is None or history.order:
        return choices
    if key_column not in table.columns or history.stage_column not in table.columns:
        return choices
    return replace(choices, history=in_usual_order(history, table, profile, key_column))


_NOTHING = Choices()


def with_said(base: Choices, said: Choices) -> Choices:
    """``base`` with whatever ``said`` says otherwise: a person has the last word."""
    changed = {
        item.name: value
        for item in fields(Choices)
        if (value := getattr(said, item.name)) != getattr(_NOTHING, item.name)
    }
    for name in ("fields", "orders", "marks", "units", "options", "new_types"):
        if name in changed:
            changed[name] = {**getattr(base, name), **changed[name]}
    if "new_types" in changed:
        changed["fields"] = {
            column: key
            for column, key in changed.get("fields", base.fields).items()
            if column not in changed["new_types"]
        }
    return replace(base, **changed)
