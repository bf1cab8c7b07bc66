"""Numbers for reading, at a tenth of what the locale library takes for each.

How a locale writes a number is learnt from one that the library wrote: what stands before and behind, and
the marks of thousands and decimals. Lists show hundreds of numbers of few shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

_LARGE = re.compile(r"(\D*)1(?P<group>\D+)234(?P=group)567(?:(\D)8(0*))?(\D*)")


@dataclass(frozen=True, slots=True)
class Figure:
    """How a locale writes numbers of one shape. ``decimals``: exactly so many."""

    before: str
    group: str
    mark: str
    decimals: int
    behind: str

    def text(self, number: str) -> str:
        """``number``: a string of decimals, not negative, with at most ``decimals`` of them."""
        whole, _, part = number.partition(".")
        digits = f"{int(whole):,}"
        if self.group != ",":
            digits = digits.replace(",", self.group)
        part = self.mark + part.ljust(self.decimals, "0") if self.decimals else ""
        return f"{self.before}{digits}{part}{self.behind}"


def figure_of(write: Callable[[Decimal], str], decimals: int) -> Figure | None:
    """The shape of what ``write`` makes of numbers with ``decimals``; ``None`` where it is not so simple.

    Simple: thousands in threes, also of four digits, in the digits 0–9.
    """
    tail = "." + "8".ljust(decimals, "0") if decimals else ""
    found = _LARGE.fullmatch(write(Decimal("1234567" + tail)))
    if found is None or bool(found[3]) != bool(decimals):
        return None
    figure = Figure(found[1], found[2], found[3] or "", decimals, found[5])
    samples = ("0", "7", "12", "999", "1234", "56789", "987654321012345"[: 15 - decimals])
    return figure if all(figure.text(sample) == write(Decimal(sample)) for sample in samples) else None
