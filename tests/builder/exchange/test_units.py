"""Units in headers: found where they are units, left alone where they are not."""

from __future__ import annotations

import pytest

from builder.exchange.numbers import read_number
from builder.exchange.units import Unit, header_unit


@pytest.mark.parametrize(
    ("header", "own", "name", "unit"),
    [
        ("金额(万元)", "CNY", "金额", Unit(4)),
        ("金额（单位：万元）", "USD", "金额", Unit(4, "CNY")),
        ("合同额(亿)", "CNY", "合同额", Unit(8)),
        ("预算【千元】", "CNY", "预算", Unit(3)),
        ("Amount (k USD)", "EUR", "Amount", Unit(3, "USD")),
        ("Revenue ($M)", "USD", "Revenue", Unit(6)),
        ("Betrag (Tsd. €)", "EUR", "Betrag", Unit(3)),
        ("Umsatz (€)", "USD", "Umsatz", Unit(0, "EUR")),
        ("Budget in thousands", "USD", "Budget", Unit(3)),
        ("Price (¥)", "JPY", "Price", Unit(0)),
        ("Cost (美元)", "CNY", "Cost", Unit(0, "USD")),
    ],
)
def test_a_unit_in_the_header_is_found(header: str, own: str, name: str, unit: Unit) -> None:
    assert header_unit(header, own) == (name, unit)


@pytest.mark.parametrize(
    "header",
    ["Amount", "Length (m)", "Share (%)", "Amount (estimated)", "Weight (kg)", "Born in May", "(k USD)"],
)
def test_what_is_no_unit_of_money_stays_in_the_name(header: str) -> None:
    assert header_unit(header, "USD") == (header, None)


def test_numbers_are_short_of_the_unit_unless_they_say_their_own() -> None:
    assert read_number("12.5", ".", 4) == "125000"
    assert read_number("1.234,5", ",", 3) == "1234500"
    assert read_number("12万", ".", 4) == "120000"
    assert read_number("0.00001", ".", 4) == "0.1"
    assert read_number("0.000005", ".", 4) == "0.05"
    assert read_number("-3", ".", 6) == "-3000000"


def test_a_code_that_nobody_wrote_is_refused() -> None:
    assert Unit.of_code(Unit(4, "CNY").code) == Unit(4, "CNY")
    for code in ("", "x:", "4:yuan", "99:", "-1:"):
        with pytest.raises(ValueError):  # noqa: PT011 - int() words it
            Unit.of_code(code)
