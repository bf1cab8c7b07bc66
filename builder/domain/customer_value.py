"""What a customer is worth: so far, and as their orders let one expect (M29)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

FEWEST_ORDERS = 2
DAYS_A_YEAR = Decimal("365.25")
EXPECTED_YEARS = 3


@dataclass(frozen=True, slots=True)
class WonOrders:
    """What a customer has ordered in one currency: ``total_minor`` in its minor units, the first order on
    ``first_on`` (``None``: no order has a known time).
    """

    currency: str
    count: int
    total_minor: int
    first_on: date | None


@dataclass(frozen=True, slots=True)
class Expected:
    """The parts of what is to be expected: average order × orders a year × years, rounded half up."""

    average_minor: int
    orders_a_year: Decimal
    years: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class CustomerValue:
    """Historical value is the sum of what was won; ``expected`` is none below two orders or without times."""

    orders: WonOrders
    expected: Expected | None


def customer_value(orders: WonOrders, today: date, years: int = EXPECTED_YEARS) -> CustomerValue:
    """M29. Orders a year: their number over the time since the first one, which counts as a year at least, so
    that two orders in a week do not foretell a hundred.
    """
    if orders.count < FEWEST_ORDERS or orders.first_on is None:
        return CustomerValue(orders, None)
    elapsed = max(Decimal((today - orders.first_on).days) / DAYS_A_YEAR, Decimal(1))
    a_year = Decimal(orders.count) / elapsed
    average = Decimal(orders.total_minor) / orders.count
    expected = Expected(
        average_minor=_rounded(average),
        orders_a_year=a_year,
        years=years,
        value_minor=_rounded(average * a_year * years),
    )
    return CustomerValue(orders, expected)


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
