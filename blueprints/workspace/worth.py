"""What a customer is worth, on their page (M29, S47)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import format_decimal, gettext

from blueprints.scope import Scope
from blueprints.workspace.shown import Reader
from builder.domain.customer_value import Expected, customer_value
from builder.domain.money import from_minor
from builder.fieldtypes.money import money_text
from builder.queries.customer_value import won_orders
from builder.queries.row import RecordRow


@dataclass(frozen=True, slots=True)
class Worth:
    """The value in one currency, in words; ``reckoning`` says what the expected one is made of, or why there
    is none (``expected`` is empty then).
    """

    so_far: str
    count: int
    expected: str
    reckoning: str


def worths(here: Scope, reader: Reader, record: RecordRow) -> list[Worth]:
    """By currency; nothing for what is no customer, or has ordered nothing that the reader sees."""
    today = here.workspace.day_of(here.clock.now())
    found = []
    for orders in won_orders(here.session, here.catalog, here.workspace, here.actor, record):
        value = customer_value(orders, today)

        def money(minor: int, currency: str = orders.currency) -> str:
            return money_text(from_minor(minor, currency), currency, reader.context)

        expected = value.expected
        found.append(
            Worth(
                so_far=money(orders.total_minor),
                count=orders.count,
                expected=money(expected.value_minor) if expected else "",
                reckoning=_reckoning(expected, money(expected.average_minor))
                if expected
                else gettext("An expected value needs at least two won orders with known dates."),
            )
        )
    return found


def _reckoning(expected: Expected, average: str) -> str:
    return gettext(
        "%(average)s on average × %(rate)s orders a year × %(years)s years",
        average=average,
        rate=format_decimal(expected.orders_a_year, "#,##0.#"),
        years=expected.years,
    )
