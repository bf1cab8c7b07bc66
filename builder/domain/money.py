"""Money is a whole number of minor units with a currency; the currency fixes how many decimals it has.

In JSON an amount is a string of decimals (``"1234.50"``); in typed columns it is the integer ``123450``
beside ``"USD"``. Both conversions are exact or refuse (M30: nothing is rounded on the way in).
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from builder.errors import N_, Invalid

# ISO 4217 minor units that are not 2. (CLDR's display digits differ for some, e.g. HUF, so they do not
# serve.)
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
LARGEST_EXPONENT = 4
MOST_MINOR = 10**15 - 1
_CODE = re.compile(r"[A-Z]{3}")


class MoneyError(Invalid):
    """An amount that cannot be stored exactly in its currency, or something that is no currency."""


def exponent(currency: str) -> int:
    """How many decimals the currency has: 2 for USD and CNY, 0 for JPY, 3 for KWD.

    Errors: MoneyError when ``currency`` is not three capital letters.
    """
    if not _CODE.fullmatch(currency):
        raise MoneyError(N_("“%(currency)s” is not a currency."), currency=currency[:20])
    return _EXPONENTS.get(currency, 2)


def is_currency(code: str) -> bool:
    """Whether ``code`` has the form of an ISO 4217 code."""
    return bool(_CODE.fullmatch(code))


def to_minor(amount: str | Decimal | int, currency: str) -> int:
    """Minor units of an amount: ``to_minor("1234.5", "USD") == 123450``.

    Errors: MoneyError when the amount is no finite number, has more decimals than the currency, or needs
    more than 15 digits.
    """
    try:
        number = Decimal(amount)
        if not number.is_finite():
            raise InvalidOperation
        minor = number.scaleb(exponent(currency))
        whole = int(minor)
    except (InvalidOperation, OverflowError, TypeError, ValueError):
        raise MoneyError(N_("“%(value)s” is not an amount."), value=str(amount)[:80]) from None
    if minor != whole:
        raise MoneyError(
            N_("%(currency)s has at most %(digits)s decimals."), currency=currency, digits=exponent(currency)
        )
    if abs(whole) > MOST_MINOR:
        raise MoneyError(N_("The amount is too large."))
    return whole


def from_minor(minor: int, currency: str) -> str:
    """The JSON form of minor units: ``from_minor(123450, "USD") == "1234.50"``."""
    digits = exponent(currency)
    if digits == 0:
        return str(minor)
    sign, units = ("-", -minor) if minor < 0 else ("", minor)
    whole, part = divmod(units, 10**digits)
    return f"{sign}{whole}.{part:0{digits}}"
