"""Numbers as people and spreadsheets write them, turned into plain decimals (``1234.50``).

Whether 1.054 is a thousand or a bit more than one cannot be seen in one value; ``mark_of`` says what a value
shows, and the whole column decides.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

DecimalMark: TypeAlias = Literal[".", ","]

CURRENCY_SIGNS = "€$£¥￥元₹₽₩zł"
_AROUND = re.compile(
    r"^\s*(?P<before>[^\d.,+\-()\s]{0,3}\s?)?(?P<sign>[-+]?)\s*(?P<number>[\d.,'’\s\u00a0\u202f]*\d[\d.,]*)"
    r"\s*(?P<after>[^\d\s]{0,5})?\s*$"
)
_CODE = re.compile(r"[A-Z]{3}")
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?")
_SPACES = re.compile(r"[\s'’\u00a0\u202f]")


def read_number(text: str, mark: DecimalMark = ".") -> str | None:
    """``text`` as a plain decimal without currency, per cent sign and grouping. ``None``: no number."""
    if _PLAIN.fullmatch(text) and mark == ".":
        return text
    parts = _parts(text)
    if parts is None:
        return None
    sign, number, _unit = parts
    whole, _, decimals = number.rpartition(mark) if mark in number else (number, "", "")
    group = "," if mark == "." else "."
    if group in decimals or (whole and not _is_grouped(whole, group)):
        return None
    plain = whole.replace(group, "")
    if not (plain + decimals).isascii() or not (plain + decimals).isdigit():
        return None
    return f"{'-' if sign == '-' else ''}{plain or '0'}{'.' + decimals if decimals else ''}"


def _parts(text: str) -> tuple[str, str, str] | None:
    """Sign, digits with separators, and what stands around them (a currency or %)."""
    text = text.strip()
    if _PLAIN.fullmatch(text):
        return ("-" if text[0] == "-" else "", text.lstrip("+-"), "")
    in_brackets = text.startswith("(") and text.endswith(")")
    match = _AROUND.match(text[1:-1] if in_brackets else text)
    if match is None:
        return None
    before, after = (match["before"] or "").strip(), (match["after"] or "").strip()
    unit = before or after
    if (before and after) or not (unit in ("", "%") or _is_currency(unit)):
        return None
    sign = "-" if in_brackets or match["sign"] == "-" else ""
    return sign, _SPACES.sub("", match["number"]), unit


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
    return parts[2] if parts else ""


def mark_of(text: str) -> DecimalMark | None:
    """The decimal mark that ``text`` shows; ``None`` when it could be either or has none."""
    if "." not in text and "," not in text:
        return None
    parts = _parts(text)
    if parts is None:
        return None
    number = parts[1]
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
