"""Numbers as people and spreadsheets write them, turned into plain decimals (``1234.50``).

Whether 1.054 is a thousand or a bit more than one cannot be seen in one value; ``mark_of`` says what a value
shows, and the whole column decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

DecimalMark: TypeAlias = Literal[".", ","]

CURRENCY_SIGNS = "€$£¥￥元₹₽₩zł"
# What people write instead of zeros, as powers of ten; longer words before those that they begin with.
SCALES: Mapping[str, int] = {
    "thousand": 3, "tsd": 3, "k": 3, "千万": 7, "百万": 6, "十万": 5, "千": 3, "万": 4, "萬": 4,
    "millionen": 6, "millions": 6, "million": 6, "mio": 6, "mn": 6, "m": 6,
    "milliarden": 9, "billions": 9, "billion": 9, "mrd": 9, "bn": 9, "b": 9, "十亿": 9, "亿": 8, "億": 8,
}  # fmt: skip
CURRENCY_OF_SIGN: Mapping[str, str] = {
    "€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "₹": "INR", "₽": "RUB", "₩": "KRW", "元": "CNY",
}  # fmt: skip
# A small m or b alone may be metres or anything; beside a currency it shortens the amount.
_WITH_CURRENCY_ONLY = frozenset("mb")
_SCALE = re.compile(f"({'|'.join(sorted(SCALES, key=len, reverse=True))})\\.?", re.IGNORECASE)
_AROUND = re.compile(
    r"^(?P<sign>[-+]?)\s*(?P<before>[^\d.,+\-()\s]{0,3})\s*(?P<second>[-+]?)\s*"
    r"(?P<number>[\d.,'’\s\u00a0\u202f]*\d[\d.,]*)\s*(?P<after>[^\d\-]{0,16}?)\s*(?P<last>-?)$"
)
_CODE = re.compile(r"[A-Z]{3}")
_DIGIT = re.compile(r"\d")
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?")
_SPACES = re.compile(r"[\s'’\u00a0\u202f]")
# Houses, classes and parts are numbered so as well.
_CODE_LIKE = re.compile(r"\d+ ?[A-Za-z]")
# Input methods for Chinese write full-width digits and signs; typesetters a minus of their own.
_HALF_WIDTH = str.maketrans("０１２３４５６７８９．，－＋％（）\u2212", "0123456789.,-+%()-")


class _Parts(NamedTuple):
    """A number taken apart: ``number`` has digits and separators, ``shift`` is the power of ten in words."""

    sign: str
    number: str
    unit: str
    shift: int = 0


def read_number(text: str, mark: DecimalMark = ".", shift: int = 0) -> str | None:
    """``text`` as a plain decimal without currency, per cent sign and grouping. ``None``: no number.

    ``shift``: the power of ten that its column is short of, where the text names none of its own.
    """
    if not shift and _PLAIN.fullmatch(text) and mark == ".":
        return text
    parts = _parts(text)
    if parts is None:
        return None
    sign, number, _unit, own_shift = parts
    shift = own_shift or shift
    whole, _, decimals = number.rpartition(mark) if mark in number else (number, "", "")
    group = "," if mark == "." else "."
    if group in decimals or (whole and not _is_grouped(whole, group)):
        return None
    plain = whole.replace(group, "")
    if not (plain + decimals).isascii() or not (plain + decimals).isdigit():
        return None
    if shift:
        plain, decimals = _shifted(plain, decimals, shift)
    return f"{sign}{plain or '0'}{'.' + decimals if decimals else ''}"


def _shifted(whole: str, decimals: str, shift: int) -> tuple[str, str]:
    """``342``, ``09`` thousands are ``342090``."""
    kept = max(0, len(decimals) - shift)
    digits = (whole + decimals.ljust(shift, "0")).lstrip("0").zfill(kept)
    return (digits[:-kept], digits[-kept:]) if kept else (digits, "")


# A text is asked for both decimal marks, one after the other.
@lru_cache(maxsize=1024)
def _parts(text: str) -> _Parts | None:
    """The number with what stands around it: signs, a currency or %, and words for zeros (K, Mio., 万)."""
    if not _DIGIT.search(text):
        return None
    text = (text if text.isascii() else text.translate(_HALF_WIDTH)).strip()
    if _PLAIN.fullmatch(text):
        return _Parts("-" if text[0] == "-" else "", text.lstrip("+-"), "")
    in_brackets = text.startswith("(") and text.endswith(")")
    match = _AROUND.match(text[1:-1].strip() if in_brackets else text)
    if match is None:
        return None
    signs = match["sign"] + match["second"] + match["last"]
    if len(signs) + in_brackets > 1:
        return None
    around = _unit_and_shift(match["before"], match["after"].strip())
    if around is None:
        return None
    sign = "-" if in_brackets or signs == "-" else ""
    return _Parts(sign, _SPACES.sub("", match["number"]), *around)


def _unit_and_shift(before: str, after: str) -> tuple[str, int] | None:
    """What the texts around a number mean; ``None`` when they are neither currency, per cent nor zeros."""
    shift = 0
    found = _SCALE.match(after)
    if found is not None:
        rest, word = after[found.end() :].strip(), found[1]
        has_currency = _is_currency(before or rest)
        if (not rest or _is_currency(rest)) and (has_currency or word not in _WITH_CURRENCY_ONLY):
            after, shift = rest, SCALES[word.casefold()]
    unit = before or after
    if (before and after) or not (unit in ("", "%") or _is_currency(unit)):
        return None
    return unit, shift


def _is_currency(unit: str) -> bool:
    return bool(_CODE.fullmatch(unit)) or (
        all(char in CURRENCY_SIGNS or char.isalpha() for char in unit)
        and any(char in CURRENCY_SIGNS for char in unit)
    )


def _is_grouped(whole: str, group: str) -> bool:
    """Groups of three behind the first; ``12,34`` is no thousand."""
    if group not in whole:
        return True
    first, *rest = whole.split(group)
    return 1 <= len(first) <= 3 and all(len(part) == 3 for part in rest)


def unit_of(text: str) -> str:
    """The currency or per cent sign around a number, or nothing."""
    parts = _parts(text)
    return parts.unit if parts else ""


def is_code_like(text: str) -> bool:
    """Whether ``text`` could as well be a code as a shortened number: ``5B``, ``12 K``."""
    return bool(_CODE_LIKE.fullmatch(text.strip()))


def depends_on_mark(text: str) -> bool:
    """Whether the two decimal marks give different numbers."""
    if "." not in text and "," not in text:
        return False
    point, comma = read_number(text, "."), read_number(text, ",")
    return point is not None and comma is not None and Decimal(point) != Decimal(comma)


def mark_of(text: str) -> DecimalMark | None:
    """The decimal mark that ``text`` shows; ``None`` when it could be either or has none."""
    if "." not in text and "," not in text:
        return None
    parts = _parts(text)
    if parts is None:
        return None
    number = parts.number
    last_dot, last_comma = number.rfind("."), number.rfind(",")
    if last_dot < 0 and last_comma < 0:  # those of the text belong to its currency
        return None
    if last_dot >= 0 and last_comma >= 0:
        return "." if last_dot > last_comma else ","
    sign: DecimalMark = "." if last_dot >= 0 else ","
    other: DecimalMark = "," if sign == "." else "."
    if number.count(sign) > 1:
        return other
    whole, decimals = number.split(sign)
    if len(decimals) != 3 or len(whole) > 3 or whole in ("", "0"):
        return sign
    return None
