"""Units that stand in a header instead of beside each number: *金额(万元)*, *Amount (k USD)* (S25)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from builder.exchange.numbers import CURRENCY_OF_SIGN, CURRENCY_SIGNS, SCALES, unit_of

_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(（\[【]\s*(?P<unit>[^()（）\[\]【】]{1,24})\s*[)）\]】]\s*$")
_IN = re.compile(r"^(?P<name>.+?),?\s+in\s+(?P<unit>[^\s].{0,23})$", re.IGNORECASE)
_BEFORE = re.compile(r"^(?:单位\s*[:：]?|unit\s*:|in\s+)\s*", re.IGNORECASE)
_CODE = re.compile(r"(?<![A-Za-z])(?:USD|EUR|CNY|RMB|GBP|JPY|HKD|TWD|CHF|INR|KRW|AUD|CAD|SGD)(?![A-Za-z])")
_NAMES: Mapping[str, str] = {
    "人民币": "CNY", "美元": "USD", "欧元": "EUR", "英镑": "GBP", "港元": "HKD", "港币": "HKD", "日元": "JPY",
    "euro": "EUR", "euros": "EUR", "dollars": "USD", "RMB": "CNY",
}  # fmt: skip
_WORDS = {"thousands": 3, "tausend": 3, "hundredthousands": 5, "000": 3, "000s": 3, "'000": 3, "mil": 6}
# What a person may say of a column: as it stands, thousands, 万, millions, 亿.
SHIFTS = (0, 3, 4, 6, 8)


class Unit(NamedTuple):
    """``shift``: the power of ten that numbers are short of; ``currency``: their code, empty for the
    workspace's.
    """

    shift: int = 0
    currency: str = ""

    @property
    def code(self) -> str:
        """How forms and plans write it."""
        return f"{self.shift}:{self.currency}"

    @classmethod
    def of_code(cls, code: str) -> Unit:
        """What ``code`` wrote. Errors: ValueError."""
        shift, _, currency = code.partition(":")
        if currency and not re.fullmatch("[A-Z]{3}", currency):
            raise ValueError(code)
        found = cls(int(shift), currency)
        if not 0 <= found.shift <= 12:
            raise ValueError(code)
        return found


def header_unit(header: str, own_currency: str) -> tuple[str, Unit | None]:
    """The name of a column without its unit, and the unit; the whole header where it tells none.

    ``own_currency``: the workspace's, which a unit leaves unsaid.
    """
    for pattern in (_BRACKETS, _IN):
        match = pattern.match(header.strip())
        found = _read(match["unit"], own_currency) if match else None
        if match and match["name"] and found is not None:
            return match["name"].strip(), found
    return header, None


def currency_of(text: str, own: str) -> str | None:
    """The currency that an amount is written with; ``None`` when it names none."""
    if text[:1].isdecimal() and text[-1:].isdecimal():
        return None
    unit = unit_of(text)
    if not unit or unit == "%":
        return None
    if unit in "¥￥":
        return _yen_or_yuan(own)
    return CURRENCY_OF_SIGN.get(unit, unit if len(unit) == 3 and unit.isupper() else own)


def _yen_or_yuan(own: str) -> str:
    return own if own in ("CNY", "JPY") else "CNY"


def _read(text: str, own: str) -> Unit | None:
    rest, currency = _without_currency(_BEFORE.sub("", text.strip()))
    word = rest.strip(" .,/-").casefold().replace(" ", "")
    if not word:
        shift: int | None = 0 if currency else None
    elif word in ("m", "b") and not (currency or rest.strip().isupper()):
        shift = None  # a small m or b alone may be metres or anything
    else:
        shift = {**SCALES, **_WORDS}.get(word)
    if shift is None:
        return None
    if currency == "¥":
        currency = _yen_or_yuan(own)
    return Unit(shift, "" if currency == own else currency)


def _without_currency(text: str) -> tuple[str, str]:
    """What is left of a unit without its currency, and that."""
    for name, code in _NAMES.items():
        if name in (text if not name.isascii() or name.isupper() else text.casefold().split()):
            return re.sub(re.escape(name), "", text, flags=re.IGNORECASE), code
    if match := _CODE.search(text):
        return text[: match.start()] + text[match.end() :], match[0]
    for sign in ("US$", *CURRENCY_SIGNS.replace("zł", "")):
        if sign in text:
            code = "¥" if sign in "¥￥" else CURRENCY_OF_SIGN[sign]
            return text.replace(sign, "", 1), code
    return text, ""
