"""Rows under the data of a file that are no data: sums, and lines that say who made the file and when (S25).

What is found is a proposal that the page of the format shows; a person may say otherwise. A row counts when
its words and its shape both speak for it, so that a customer called *Total* stays a customer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from builder.exchange.words import is_note, is_total, trimmed

# So many rows at the end are looked at, the first of them to know what rows usually look like.
KEPT = 40
MOST = 8
_FEW_COLUMNS = 2
_NUMBER = re.compile(
    r"[-+(]?[^\W\d_]{0,3}[€$£¥￥]?\s?[\d.,' \u00a0]*\d[\d.,]*\s?[%€$£¥￥元]?[^\W\d_]{0,3}\)?"
)


def footer_rows(records: Sequence[tuple[int, Sequence[str]]]) -> int:
    """How many filled rows at the end of ``records`` (line, cells; the last of the data) are no data."""
    rows: list[_Row] = []
    after_gap = False
    end = None
    for line, cells in records:
        filled = [(place, text) for place, cell in enumerate(cells) if (text := trimmed(cell))]
        after_gap = after_gap or (end is not None and line > end)
        end = line + sum(cell.count("\n") or cell.count("\r") for cell in cells) + 1
        if filled:
            rows.append(_Row(filled, after_gap))
            after_gap = False
        else:
            after_gap = True
    return _count(rows)


class _Row:
    """A filled row, and whether something empty stands above it."""

    def __init__(self, filled: list[tuple[int, str]], after_gap: bool) -> None:
        self.texts = [text for _, text in filled]
        self.after_gap = after_gap
        self.last_place = filled[-1][0]

    def is_sum(self, usual: float) -> bool:
        """A word for a sum with nothing but numbers beside it, and less of them than rows usually have."""
        rest = [text for text in self.texts if not is_total(text)]
        return (
            0 < len(self.texts) - len(rest) <= 2
            and all(map(_NUMBER.fullmatch, rest))
            and self.is_small(usual)
        )

    def is_small(self, usual: float) -> bool:
        return len(self.texts) < usual

    def is_line(self, usual: float) -> bool:
        """One text alone where rows have several."""
        return len(self.texts) == 1 and usual > _FEW_COLUMNS


def _count(rows: Sequence[_Row]) -> int:
    found = 0
    while found < min(MOST, len(rows) - 1):
        rest = len(rows) - found
        usual = median(len(row.texts) for row in rows[: max(1, rest - 1)])
        row = rows[rest - 1]
        if row.is_sum(usual) or (row.is_line(usual) and is_note(row.texts[0])):
            found += 1
            continue
        block = _block(rows[:rest], usual)
        if not block:
            break
        found += block
    return min(found, MOST)


def _block(rows: Sequence[_Row], usual: float) -> int:
    """Single texts and sums at the end behind an empty line."""
    for size, row in enumerate(reversed(rows[-MOST:]), start=1):
        if not (row.is_line(usual) or row.is_sum(usual)):
            return 0
        if row.after_gap:
            return size if size < len(rows) else 0
    return 0
