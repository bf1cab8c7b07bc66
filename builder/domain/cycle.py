"""How old a record in a process is, against the average sales cycle of its product or process (S13, S14).

The cycle of a product is the more specific one and counts before that of the process. Of several products
the longest counts: the opportunity is won when the slowest is. Days are days of the workspace's time zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ProductCycle:
    """The average cycle of one product that a record names, and how long before its end to remind, if the
    product has a word on that of its own.
    """

    record_id: int
    days: int
    remind_days: int | None = None


@dataclass(frozen=True, slots=True)
class CycleAge:
    """``age``: whole days since the record began; ``days``: the average cycle; ``product_id``: whose it is,
    ``None`` for that of the process; ``reminds_at``: the age at which the owner is to be reminded.
    """

    age: int
    days: int
    product_id: int | None
    reminds_at: int | None = None

    @property
    def is_over(self) -> bool:
        return self.age > self.days

    @property
    def is_near(self) -> bool:
        """Whether the time to remind has come and the cycle has not passed."""
        return self.reminds_at is not None and self.reminds_at <= self.age <= self.days


def cycle_age(
    began_on: date,
    until: date,
    process_days: int | None,
    products: Iterable[ProductCycle] = (),
    remind_days: int | None = None,
) -> CycleAge | None:
    """The age of a record that began on one day, on another; ``None`` where no cycle is known.

    Cycle 45 and 5 days before: reminded at 40. A reminder before the beginning is one at the beginning.
    """
    product = max(products, key=lambda each: (each.days, -each.record_id), default=None)
    days = product.days if product is not None else process_days
    if days is None:
        return None
    if product is not None and product.remind_days is not None:
        remind_days = product.remind_days
    reminds_at = None if remind_days is None else max(0, days - remind_days)
    age = max(0, (until - began_on).days)
    return CycleAge(age, days, product.record_id if product is not None else None, reminds_at)
