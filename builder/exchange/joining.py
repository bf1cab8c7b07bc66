"""Columns of a file that belong together, read as one: first and last name, street and number (S25)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builder.errors import N_, Invalid
from builder.exchange.words import trimmed

# Of one file; and how many columns one of them takes.
MOST_JOINS = 5
MOST_PARTS = 3
# What may stand between the parts, by the names that forms use.
MARKS: Mapping[str, str] = {
    "space": " ", "none": "", "comma": ", ", "dash": "-", "slash": "/", "line": "\n",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Join:
    """``columns`` read as one column, their filled texts in this order with ``mark`` between them."""

    columns: tuple[str, ...]
    mark: str = " "

    @property
    def name(self) -> str:
        """What the joined column is called beside those of the file."""
        return " + ".join(self.columns)[:200]

    def text(self, cells: Sequence[str], places: Iterable[int]) -> str:
        """The joined cell of a row; empty parts leave no mark behind."""
        return self.mark.join(filter(None, (trimmed(cells[place]) for place in places)))

    def places(self, columns: Sequence[str]) -> tuple[int, ...]:
        """Where its parts stand. Errors: Invalid when the file has no such column."""
        for name in self.columns:
            if name not in columns:
                raise Invalid(N_("The file has no column “%(column)s”."), column=name)
        return tuple(columns.index(name) for name in self.columns)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Join:
        return cls(tuple(document["columns"]), document["mark"])
