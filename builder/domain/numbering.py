"""How numbers of records are written: ``Q-{year}-{number:5}`` gives ``Q-2026-00017``.

The words: ``{year}``, ``{month}``, ``{day}`` of the day on which the record is made, and once ``{number}`` or
``{number:5}`` with at least so many digits. With a part of the date counting begins anew when it changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from builder.errors import N_, Invalid

LONGEST = 60
MOST_DIGITS = 12
_WORD = re.compile(r"\{(year|month|day|number)(?::([1-9]|1[0-2]))?\}")
_STRAY = re.compile(r"[{}\x00-\x1f\x7f]")
BAD_FORMAT = N_("Write the format like Q-{year}-{number:5}, with {number} once.")


class FormatError(Invalid):
    """The format of a number cannot be read."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format, cut into text and words: pairs of (text before, word) and the text behind the last word."""

    parts: tuple[tuple[str, str], ...]
    tail: str
    digits: int

    def period(self, day: date) -> str:
        """What counting begins anew with: the parts of the date in the format, e.g. ``2026-11``."""
        return "-".join(_written(word, day) for _, word in self.parts if word != "number")

    def text(self, number: int, day: date) -> str:
        """The number of a record made on ``day``."""
        written = (
            before + (str(number).zfill(self.digits) if word == "number" else _written(word, day))
            for before, word in self.parts
        )
        return "".join(written) + self.tail

    def counted(self, text: str, day: date) -> int | None:
        """The count in a number of this format and of the period of ``day``; ``None`` for any other text."""
        pattern = "".join(
            re.escape(before) + ("([0-9]{1,12})" if word == "number" else re.escape(_written(word, day)))
            for before, word in self.parts
        )
        found = re.fullmatch(pattern + re.escape(self.tail), text)
        return int(found[1]) if found else None


@lru_cache(maxsize=256)
def parse(text: str) -> NumberFormat:
    """Read a format. Errors: FormatError."""
    parts: list[tuple[str, str]] = []
    place, digits = 0, 1
    for found in _WORD.finditer(text):
        if found[2] and found[1] != "number":
            raise FormatError(BAD_FORMAT)
        parts.append((text[place : found.start()], found[1]))
        digits = int(found[2]) if found[2] else digits
        place = found.end()
    literal = [before for before, _ in parts] + [text[place:]]
    is_one = sum(word == "number" for _, word in parts) == 1
    is_short = sum(map(len, literal)) + 4 * len(parts) + MOST_DIGITS <= LONGEST
    if not is_one or not is_short or any(_STRAY.search(piece) for piece in literal):
        raise FormatError(BAD_FORMAT)
    return NumberFormat(tuple(parts), text[place:], digits)


def _written(word: str, day: date) -> str:
    return {"year": f"{day.year:04}", "month": f"{day.month:02}", "day": f"{day.day:02}"}[word]
