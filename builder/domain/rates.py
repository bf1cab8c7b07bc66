"""Exact rates, means and medians; rounding happens once, for display.

Nothing to divide by gives ``None``, never zero: people see “—” and the number it was counted from.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


def share(part: int | Fraction, whole: int | Fraction) -> Fraction | None:
    """``part / whole`` exactly, or ``None`` where ``whole`` is zero."""
    return Fraction(part, whole) if whole else None


def mean(values: Sequence[int | Fraction]) -> Fraction | None:
    return share(sum(map(Fraction, values), Fraction(0)), len(values))


def median(values: Sequence[int | Fraction]) -> Fraction | None:
    """The middle value, or the mean of the two in the middle; ``None`` of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return (Fraction(ordered[middle - 1]) + Fraction(ordered[middle])) / 2


def rounded(value: Fraction | None, places: int = 6) -> Decimal | None:
    """For display: half away from zero at ``places`` decimals, computed from the exact value."""
    if value is None:
        return None
    scale = 10**places
    scaled = abs(value) * scale
    whole = scaled.numerator * 2 // scaled.denominator
    units = (whole + 1) // 2
    quantum = Decimal(1).scaleb(-places)
    return (Decimal(-units if value < 0 else units) * quantum).quantize(quantum, ROUND_HALF_UP)
