"""What came with a form, by name; and the buttons that change a form: rows and groups added, removed, moved.

Names: ``s`` is the root, ``-`` leads to a child, whose key is written in letters, digits and ``_xx`` (a
byte in hexadecimal), so that it can be an id; a ``.`` begins what is ours: ``.rows`` numbers of the rows of a
list, ``.names`` those of free names, ``.key`` such a name, ``.choice`` the chosen alternative, ``.was`` the
former value, ``.kept`` what is not shown, ``.is`` an object or list that is there though it may be empty,
``.group`` an object that was on the page, ``.open`` one that was unfolded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ROOT = "s"
SHOWN = "_has"


def child(name: str, key: str | int) -> str:
    """The name of what stands under ``key``."""
    encoded = "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"_{byte:02x}"
        for byte in str(key).encode()
    )
    return f"{name}-{encoded}"


class Posted:
    """Pairs of names and texts in their order."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._texts: dict[str, list[str]] = {}
        for name, text in pairs:
            self._texts.setdefault(name, []).append(text)
        self._shown = frozenset(self._texts.get(SHOWN, ()))

    def texts(self, name: str) -> list[str]:
        return self._texts.get(name, [])

    def first(self, name: str) -> str | None:
        return self._texts[name][0] if self._texts.get(name) else None

    def has(self, name: str) -> bool:
        """Whether the control was on the page, also where it sent nothing."""
        return name in self._texts or name in self._shown

    def act(self, action: str) -> None:
        """Do what a button says: ``add:list``, ``name:group``, ``remove|up|down:list:row``,
        ``drop:group:row``, ``open:group``. An unknown or outdated action does nothing.
        """
        what, _, rest = action.partition(":")
        name, _, number = rest.partition(":")
        if what in ("add", "name"):
            self._add(f"{name}.rows" if what == "add" else f"{name}.names")
        elif what == "open":
            self._texts[f"{name}.open"] = ["1"]
        elif what in ("remove", "drop"):
            rows = self._texts.get(f"{name}.rows" if what == "remove" else f"{name}.names", [])
            if number in rows:
                rows.remove(number)
        elif what in ("up", "down"):
            _swap(self._texts.get(f"{name}.rows", []), number, -1 if what == "up" else 1)

    def _add(self, name: str) -> None:
        rows = self._texts.setdefault(name, [])
        numbers = [int(row) for row in rows if row.isascii() and row.isdigit() and len(row) < 9]
        rows.append(str(max(numbers, default=-1) + 1))


def _swap(rows: list[str], number: str, step: int) -> None:
    if number not in rows:
        return
    here = rows.index(number)
    there = here + step
    if 0 <= there < len(rows):
        rows[here], rows[there] = rows[there], rows[here]


def is_row(text: str) -> bool:
    """Whether a text can be the number of a row: others were made by hand."""
    return text.isascii() and text.isdigit() and len(text) < 9


def row_numbers(texts: Sequence[str]) -> list[str]:
    """Numbers of rows, each once."""
    return [text for text in dict.fromkeys(texts) if is_row(text)]
