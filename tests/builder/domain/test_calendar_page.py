"""Which days a calendar page shows, and moving a value to another day."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.calendar_page import EARLIEST, LATEST, SPANS, CalendarPage, on_day, read_day


def test_a_month_is_shown_in_whole_weeks() -> None:
    monday = CalendarPage("month", date(2026, 11, 22))
    sunday = CalendarPage("month", date(2026, 11, 22), first_weekday=6)

    assert (monday.days[0], monday.days[-1], len(monday.weeks)) == (date(2026, 10, 26), date(2026, 12, 6), 6)
    assert (sunday.days[0], sunday.days[-1], len(sunday.weeks)) == (date(2026, 11, 1), date(2026, 12, 5), 5)
    assert len(CalendarPage("month", date(2027, 2, 14)).weeks) == 4
    assert monday.is_beside(date(2026, 10, 31))
    assert not monday.is_beside(date(2026, 11, 30))


def test_a_week_and_an_agenda() -> None:
    assert CalendarPage("week", date(2026, 11, 22)).days[0] == date(2026, 11, 16)
    assert CalendarPage("week", date(2026, 11, 22), 6).days[0] == date(2026, 11, 22)
    agenda = CalendarPage("agenda", date(2026, 11, 22))
    assert (agenda.days[0], len(agenda.days), len(agenda.weeks)) == (date(2026, 11, 22), 30, 1)


@given(st.dates(EARLIEST, LATEST), st.sampled_from(SPANS), st.integers(0, 6))
def test_every_page_holds_its_day_and_its_neighbours_are_pages(on: date, span: str, first: int) -> None:
    page = CalendarPage(span, on, first)  # type: ignore[arg-type]

    assert on in page.days
    assert span == "agenda" or {len(week) for week in page.weeks} == {7}
    assert span == "agenda" or page.days[0].weekday() == first
    for day in (page.previous, page.following):
        assert EARLIEST <= day <= LATEST
    if page.previous > EARLIEST and page.following < LATEST:
        assert page.previous not in [day for day in page.days if not page.is_beside(day)] or span == "agenda"
        assert CalendarPage(span, page.previous, first).following <= on  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "today", "2026-02-30", "1899-12-31", "9999-01-01", "20261122", "2026-W01-1", "\x00"]
)
def test_what_is_no_day(text: str) -> None:
    assert read_day(text) is None


def test_a_time_keeps_its_hour_on_the_wall_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    # 10:30 in winter is 9:30 UTC, in summer 8:30.
    assert on_day("2026-01-10T09:30:00Z", date(2026, 7, 1), berlin, has_time=True) == "2026-07-01T08:30:00Z"
    # 2:30 does not exist on the day when clocks go forward.
    assert on_day("2026-01-10T01:30:00Z", date(2026, 3, 29), berlin, has_time=True) == "2026-03-29T01:30:00Z"
    assert on_day(None, date(2026, 1, 10), berlin, has_time=True) == "2026-01-10T08:00:00Z"
    assert on_day("2026-01-10", date(2026, 7, 1), berlin, has_time=False) == "2026-07-01"
