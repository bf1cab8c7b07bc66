"""Numbers as people write them: thousands marks, decimal commas, currencies, signs, words for zeros."""

from __future__ import annotations

import pytest

from builder.exchange.numbers import DecimalMark, depends_on_mark, is_code_like, mark_of, read_number, unit_of


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("$22,700.00", ".", "22700.00"),
        ("$342.09K", ".", "342090"),
        ("€1.2M", ".", "1200000"),
        ("$5m", ".", "5000000"),
        ("USD 1.2bn", ".", "1200000000"),
        ("3,5 Mio. €", ",", "3500000"),
        ("12 Tsd.", ",", "12000"),
        ("1.2万", ".", "12000"),
        ("1.2万元", ".", "12000"),
        ("3亿", ".", "300000000"),
        ("１，２００．５", ".", "1200.5"),
        ("0.00012K", ".", "0.12"),
        ("0K", ".", "0"),
        ("1.234,56", ",", "1234.56"),
        ("1,234.56", ".", "1234.56"),
        ("1 234,56", ",", "1234.56"),
        ("1'234.56", ".", "1234.56"),
        ("-$5", ".", "-5"),
        ("$-5", ".", "-5"),
        ("($5)", ".", "-5"),
        ("1.234,50-", ",", "-1234.50"),
        ("\u22125", ".", "-5"),
        ("5 MXN", ".", "5"),
        ("100 %", ".", "100"),
    ],
)
def test_a_number_is_read_whatever_stands_around_it(text: str, mark: DecimalMark, number: str) -> None:
    assert read_number(text, mark) == number


@pytest.mark.parametrize(
    ("text", "mark"),
    [("5m", "."), ("12,34", "."), ("1.2.3", "."), ("--5", "."), ("(-5)", "."), ("5 apples", "."), ("K", "."), ("", ".")],
)  # fmt: skip
def test_what_is_no_number_is_not_made_one(text: str, mark: DecimalMark) -> None:
    assert read_number(text, mark) is None


def test_the_currency_is_told_apart_from_words_for_zeros() -> None:
    assert [unit_of(text) for text in ("$342.09K", "1.2万元", "3 Mio. EUR", "5 MXN", "7")] == [
        "$", "元", "EUR", "MXN", "",
    ]  # fmt: skip


def test_a_number_depends_on_the_mark_when_it_could_be_a_thousand() -> None:
    assert [depends_on_mark(text) for text in ("1.054", "1,054 €", "1.54", "1,054.00", "7")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert mark_of("1.234,56") == ","


def test_a_shortened_number_may_be_a_code() -> None:
    assert is_code_like("5B")
    assert not is_code_like("5.1B")
    assert not is_code_like("$5B")
