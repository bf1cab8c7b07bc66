"""Whole amounts of money, as boards and Insights show them: hundreds on a page, so each pattern is asked of
Babel only once.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from babel.numbers import parse_pattern

from builder.domain.money import exponent
from builder.fieldtypes.base import babel_locale

_SAMPLE = 1_234_567


@dataclass(frozen=True, slots=True)
class _Pattern:
    """How a locale writes a whole amount: what stands before it, between its groups of digits, after it."""

    head: str
    mark: str
    tail: str


def whole_amount(minor: int | Fraction, currency: str | None, locale: str) -> str:
    """An amount rounded half up to whole units, as ``locale`` writes it: ``¥1,235``, ``-$5``."""
    if not currency:
        return f"{round(minor):,}"
    unit = 10 ** exponent(currency)
    size = -minor if minor < 0 else minor
    major = (2 * size + unit) // (2 * unit)
    sign = "-" if minor < 0 and major else ""
    pattern = _pattern(locale, currency)
    if pattern is None:
        return sign + _slowly(major, locale, currency)
    return f"{sign}{pattern.head}{f'{major:,}'.replace(',', pattern.mark)}{pattern.tail}"


@lru_cache(maxsize=512)
def _pattern(locale: str, currency: str) -> _Pattern | None:
    """``None`` where a locale does not group its digits by three."""
    head, first, rest = _slowly(_SAMPLE, locale, currency).partition("1")
    body, last, tail = rest.rpartition("7")
    mark = body.partition("234")[0]
    return _Pattern(head, mark, tail) if first and last and body == f"{mark}234{mark}56" else None


def _slowly(major: int, locale: str, currency: str) -> str:
    pattern = parse_pattern(babel_locale(locale).currency_formats["standard"].pattern)
    pattern.frac_prec = (0, 0)
    return str(pattern.apply(major, babel_locale(locale), currency=currency, currency_digits=False))
