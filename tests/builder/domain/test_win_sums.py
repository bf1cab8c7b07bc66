"""Buckets of amounts and cycles lose no order and no value, so a median found by them is the median."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.rates import median
from builder.domain.win_sums import (
    ENDED,
    REASON,
    WON_AMOUNT,
    WON_CYCLE,
    Ending,
    Reasoned,
    bucket_of,
    micros_of,
    middle_of,
    span_of,
    win_cells,
)

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)
values = st.integers(-(10**15), 10**15) | st.integers(-200, 200)


@given(values)
def test_every_value_lies_in_the_span_of_its_bucket(value: int) -> None:
    least, greatest = span_of(bucket_of(value))
    assert least <= value <= greatest
    assert bucket_of(least) == bucket_of(greatest) == bucket_of(value)
    assert greatest - least <= abs(value) / 32


@given(values)
def test_neighbouring_buckets_touch(value: int) -> None:
    bucket = bucket_of(value)
    assert span_of(bucket)[1] + 1 == span_of(bucket + 1)[0]


@given(st.lists(values, min_size=1, max_size=60))
def test_the_middle_is_read_from_its_bucket_alone(some: list[int]) -> None:
    middle = middle_of(Counter(map(bucket_of, some)))

    assert middle is not None
    near = sorted(value for value in some if middle.least <= value <= middle.greatest)
    found = near[middle.skipped : middle.skipped + middle.n]
    assert len(found) == middle.n
    assert Fraction(sum(found), middle.n) == median(some)


def test_nothing_has_no_middle() -> None:
    assert middle_of({}) is None
    assert middle_of({4: 0}) is None


def test_what_is_open_is_only_counted() -> None:
    ending = Ending("open", 500, "EUR", AT, None)
    assert [*win_cells(ending)] == [(ENDED, "open", "", 1, 0, 0)]
    assert [*win_cells(ending._replace(amount_minor=900, currency="CNY"))] == [*win_cells(ending)]


def test_a_won_record_counts_with_its_amount_and_its_cycle() -> None:
    ending = Ending("won", 500, "EUR", AT, AT + timedelta(days=2, microseconds=7))
    cycle = 2 * 86_400_000_000 + 7
    assert [*win_cells(ending._replace(reason_key="trial"), "offer")] == [
        (ENDED, "won", "EUR", 1, 500, 1),
        (REASON, "won/trial/offer", "EUR", 1, 500, 1),
        (WON_AMOUNT, str(bucket_of(500)), "EUR", 1, 0, 0),
        (WON_CYCLE, str(bucket_of(cycle)), "", 1, 172_800, 7),
    ]
    assert micros_of(172_800, 7) == cycle
    backwards = ending._replace(closed_at=AT - timedelta(microseconds=1))
    (*_, (_, _, _, _, seconds, micros)) = win_cells(backwards)
    assert micros_of(seconds, micros) == -1


def test_what_is_not_known_is_left_out() -> None:
    assert [*win_cells(Ending("won", None, "EUR", None, AT))] == [
        (ENDED, "won", "", 1, 0, 0),
        (REASON, "won//", "", 1, 0, 0),
    ]
    assert [*win_cells(Ending("lost", 70, "CNY", AT, AT))] == [
        (ENDED, "lost", "CNY", 1, 70, 1),
        (REASON, "lost//", "CNY", 1, 70, 1),
    ]
    assert [*win_cells(Ending("invalid", 70, "CNY", AT, AT, "junk"))] == [
        (ENDED, "invalid", "", 1, 0, 0),
        (REASON, "invalid/junk/", "CNY", 1, 70, 1),
    ]


@pytest.mark.parametrize("reasoned", [Reasoned("lost", "price", "met"), Reasoned("won", None, None)])
def test_a_place_tells_outcome_reason_and_stage(reasoned: Reasoned) -> None:
    assert Reasoned.of(reasoned.place) == reasoned
