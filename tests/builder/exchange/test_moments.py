"""Dates as people and programs write them, and what an order means for them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from builder.exchange.moments import DateOrder, only_order, possible_orders, read_moment, stated_order


@pytest.mark.parametrize(
    ("text", "order", "wanted"),
    [
        ("31/12/2020", "dmy", date(2020, 12, 31)),
        ("12/31/2020", "mdy", date(2020, 12, 31)),
        ("12/31/2020", "dmy", None),
        ("20/12/31", "ymd", date(2020, 12, 31)),
        ("20201231", "ymd", date(2020, 12, 31)),
        ("31/12/2020", "ymd", None),
        ("2020-12-31", "mdy", date(2020, 12, 31)),
        ("31.12.2020", "mdy", date(2020, 12, 31)),
        ("2020年12月31日", "dmy", date(2020, 12, 31)),
        ("44196", "serial", date(2020, 12, 31)),
        ("44196.75", "serial", datetime(2020, 12, 31, 18)),  # noqa: DTZ001
        ("59", "serial", date(1900, 2, 28)),
        ("60", "serial", None),
        ("61", "serial", date(1900, 3, 1)),
        ("0", "serial", None),
        ("44196", "dmy", None),
        ("15 Apr, 2021 00:02:00", "dmy", datetime(2021, 4, 15, 0, 2)),  # noqa: DTZ001
        ("02/23/26 08:55 PM", "mdy", datetime(2026, 2, 23, 20, 55)),  # noqa: DTZ001
        ("2020年1月3日 下午3:30", "dmy", datetime(2020, 1, 3, 15, 30)),  # noqa: DTZ001
        ("2020年1月3日 08时30分15秒", "dmy", datetime(2020, 1, 3, 8, 30, 15)),  # noqa: DTZ001
        ("15. März 2021", "dmy", date(2021, 3, 15)),
    ],
)
def test_a_date_is_read_in_the_stated_order(text: str, order: DateOrder, wanted: date | None) -> None:
    assert read_moment(text, order) == wanted


def test_a_part_over_twelve_shows_the_order() -> None:
    assert [only_order(text) for text in ("31/12/2020", "12/31/2020", "1/2/2020", "31.12.2020", "x")] == [
        "dmy", "mdy", None, None, None,
    ]  # fmt: skip


def test_numbers_are_dates_only_where_somebody_says_so() -> None:
    assert possible_orders("44196") == possible_orders("20201231") == frozenset()
    assert stated_order(["44196", "44197.5"]) == "serial"
    assert stated_order(["20201231"]) == "ymd"
    assert stated_order(["44196", "x"]) is None
