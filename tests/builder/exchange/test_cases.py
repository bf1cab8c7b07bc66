"""Rows of an event log by their record: order, rows without a key, rows that cannot be read."""

from __future__ import annotations

from builder.errors import Problem
from builder.exchange.cases import Case, cases
from builder.exchange.csv import Row


def test_rows_come_together_by_their_key_in_the_order_of_the_first_one() -> None:
    rows = [
        Row(line, cells) for line, cells in enumerate((["b", "1"], ["a", "2"], [" b ", "3"], ["B", "4"]), 2)
    ]
    assert list(cases(rows, 0)) == [
        Case("b", (rows[0], rows[2])),
        Case("a", (rows[1],)),
        Case("B", (rows[3],)),
    ]


def test_rows_without_a_key_stay_alone_even_where_a_key_reads_like_their_line() -> None:
    rows = [Row(2, ["", "x"]), Row(3, [" ", "y"]), Row(4, ["2", "z"])]
    assert [(case.key, case.rows) for case in cases(rows, 0)] == [
        ("", (rows[0],)),
        ("", (rows[1],)),
        ("2", (rows[2],)),
    ]


def test_what_cannot_be_read_comes_back_as_it_was_and_alone() -> None:
    broken = Row(3, ["a", "\udc80\x00"], Problem("unreadable", "b", {"line": 3}))
    rows = [Row(2, ["a", "李明 \udc81"]), broken, Row(4, ["a", "x"])]
    assert list(cases(rows, 0)) == [Case("a", (rows[0], rows[2])), Case("", (broken,))]
