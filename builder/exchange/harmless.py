"""Text that a spreadsheet would take for a formula: made harmless by an apostrophe, which reading removes.

In CSV nothing tells text from formulas, so spreadsheets go by the first character; an apostrophe in front
says *text* to all of them. A text that already looks so guarded gets one more, so that every text comes back.
"""

from __future__ import annotations

import re

# Some spreadsheets take the full-width forms for the signs themselves.
_SIGNS = "=+\\-@\t\r\n＝＋－＠"
_RISKY = re.compile(f"'*[{_SIGNS}]")
_GUARDED = re.compile(f"'+[{_SIGNS}]")
# What a text begins with that must be looked at; most texts do not.
RISKY = frozenset("'=+-@\t\r\n＝＋－＠")


def harmless(text: str) -> str:
    """``text`` such that no spreadsheet executes it. Numbers are left to whoever knows that they are some."""
    return f"'{text}" if _RISKY.match(text) else text


def plain_text(cell: str) -> str:
    """The text of which ``harmless`` made the cell; any other cell is itself."""
    return cell[1:] if _GUARDED.match(cell) else cell
