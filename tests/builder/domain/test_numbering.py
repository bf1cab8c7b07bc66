"""Formats of automatic numbers: written, read back, and refused when they cannot be read."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.numbering import FormatError, parse

DAY = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("text", "number", "period"),
    [
        ("Q-{year}-{number:5}", "Q-2026-00017", "2026"),
        ("{number}", "17", ""),
        ("合同{year}{month}{day}/{number:3}号", "合同20260309/017号", "2026-03-09"),
        ("(.*)+{number:1}", "(.*)+17", ""),
    ],
)
def test_a_number_is_written_and_counted_by_its_format(text: str, number: str, period: str) -> None:
    made = parse(text)
    assert made.text(17, DAY) == number
    assert made.period(DAY) == period
    assert made.counted(number, DAY) == 17
    assert made.counted(number + "x", DAY) is None


def test_a_number_of_another_period_is_not_counted() -> None:
    assert parse("Q-{year}-{number:5}").counted("Q-2025-00017", DAY) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Q-",
        "{year}",
        "{number}{number}",
        "{number:0}",
        "{number:13}",
        "{year:4}{number}",
        "{week}{number}",
        "{number",
        "a\n{number}",
        "x" * 50 + "{number}",
    ],
)
def test_what_is_no_format_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse(text)


@given(st.text(max_size=20), st.integers(1, 10**12 - 1))
def test_every_count_is_read_back(head: str, number: int) -> None:
    try:
        made = parse(head + "{number:4}")
    except FormatError:
        return
    assert made.counted(made.text(number, DAY), DAY) == number
