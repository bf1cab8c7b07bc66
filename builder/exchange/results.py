"""The result file of an import: every row as it came, what became of it, and why it was refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from builder.exchange.csv import Table

# What a spreadsheet would take for a formula; plain numbers may begin with a sign.
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?[\d.,  %]+$")
STATUS_OF_LETTER = {"c": "created", "u": "updated", "n": "unchanged", "r": "refused"}


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not written: ``column`` is what the reason is about, ``message`` with its ``values``."""

    line: int
    column: str
    message: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What became of the row at ``line``: ``letter`` is a key of STATUS_OF_LETTER."""

    line: int
    letter: str
    refusal: RefusedRow | None = None


def safe(cell: str) -> str:
    """``cell`` such that no spreadsheet executes it."""
    if _FORMULA.match(cell) and not _NUMBER.match(cell):
        return "'" + cell
    return cell


def write_result(
    table: Table,
    verdicts: Iterable[RowVerdict],
    say: Callable[[RefusedRow], str],
    *,
    headings: tuple[str, str, str, str] = ("line", "result", "column", "reason"),
    words: dict[str, str] | None = None,
) -> Iterator[str]:
    """The file as CSV text, piece by piece. ``say`` gives the text of a reason, ``words`` those of results.

    Rows that were never reached (a cancelled import) have no result.
    """
    known = {verdict.line: verdict for verdict in verdicts}
    shown = words or {name: name for name in STATUS_OF_LETTER.values()}
    yield _line([*map(safe, table.columns), *headings])
    for row in table.rows():
        verdict = known.get(row.line)
        refusal = verdict.refusal if verdict else None
        result = shown[STATUS_OF_LETTER[verdict.letter]] if verdict else ""
        reason = [safe(refusal.column), safe(say(refusal))] if refusal else ["", ""]
        yield _line([*(_clean(cell) for cell in row.cells), str(row.line), result, *reason])


def _clean(cell: str) -> str:
    """Bytes that are no text cannot be written out again; they show as question marks."""
    return safe(cell.encode("utf-8", "replace").decode("utf-8").replace("\x00", "�"))


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
