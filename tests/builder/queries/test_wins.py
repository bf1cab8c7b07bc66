"""Wins by SQL equal the pure counting of domain.wins on the same records; stays equal plain arithmetic."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.domain.period import Period
from builder.domain.wins import WinFigures, WinRow, count, figures
from builder.errors import Invalid
from builder.queries.dimensions import dimension
from builder.queries.drill import ended_drill
from builder.queries.drill_ended import Ended
from builder.queries.population import Population
from builder.queries.stays import stay_report
from builder.queries.wins import win_report
from builder.services.unit_of_work import UnitOfWork
from tests.builder.queries import ledgers
from tests.fixtures.databases import FreshDatabase

QUARTER = Period(date(2025, 2, 1), date(2025, 5, 1))
DAY_MICROS = 86_400_000_000


@pytest.fixture(scope="module")
def uow(shared_database: FreshDatabase) -> Iterator[UnitOfWork]:
    with ledgers.workspace(shared_database) as made:
        members, _ = ledgers.people(made)
        ledgers.load(made, 21, 90, members)
        yield made


def everything(uow: UnitOfWork, **more: Any) -> Population:
    return Population(("path",), "job", uow.actor, time_zone=ledgers.ZONE, **more)


def rows_of(uow: UnitOfWork) -> list[Any]:
    columns = (
        Record.owner_id,
        Record.outcome,
        Record.amount_minor,
        Record.currency,
        Record.started_at,
        Record.closed_at,
        Record.data,
    )
    return list(uow.session.execute(select(*columns)))


def row_of(row: Any) -> WinRow:
    days = None
    if row.started_at and row.closed_at:
        days = Fraction((row.closed_at - row.started_at) // (row.closed_at.resolution)) / DAY_MICROS
    return WinRow(row.outcome, row.amount_minor, row.currency, days)


def rounded(found: WinFigures) -> tuple[Any, ...]:
    """Everything but the last digits of floating days."""
    counts = found.counts
    cycle = counts.cycle
    days = tuple(None if value is None else round(float(value), 6) for value in (cycle.mean, cycle.median))
    plain = replace(counts, cycle=replace(cycle, mean=None, median=None))
    return replace(found, counts=plain), days


@pytest.mark.parametrize("currency", ["EUR", "CNY"])
def test_the_total_equals_pure_counting(uow: UnitOfWork, currency: str) -> None:
    report = win_report(uow.session, everything(uow), currency=currency)

    expected = figures(count((row_of(row) for row in rows_of(uow)), currency))
    assert rounded(report.total) == rounded(expected)
    assert set(report.currencies) == {"EUR", "CNY"}


def test_a_period_counts_what_was_closed_in_it(uow: UnitOfWork) -> None:
    start, end = QUARTER.edges(ledgers.ZONE)
    report = win_report(uow.session, everything(uow, period=QUARTER), currency="EUR")

    inside = [row for row in rows_of(uow) if row.closed_at and start <= row.closed_at < end]
    assert rounded(report.total) == rounded(figures(count(map(row_of, inside), "EUR")))
    assert report.total.counts.open == 0
    assert report.total.counts.won > 0


def month_of(at: datetime) -> str:
    local = at.astimezone(ZoneInfo(ledgers.ZONE))
    return f"{local.year:04}-{local.month:02}"


KEYS: dict[str, Callable[[Any], Any]] = {
    "owner": lambda row: row.owner_id,
    "channel": lambda row: row.data.get("channel"),
    "city": lambda row: (row.data.get("city") or "").casefold() or None,
    "close_month": lambda row: month_of(row.closed_at) if row.closed_at else "open",
    "close_quarter": lambda row: (
        f"{month_of(row.closed_at)[:4]}Q{(int(month_of(row.closed_at)[5:]) + 2) // 3}"
        if row.closed_at
        else "open"
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_groups_equal_pure_counting_and_open_their_lists(uow: UnitOfWork, name: str) -> None:
    by = dimension(name, uow.catalog.object("job"))
    report = win_report(uow.session, everything(uow), currency="EUR", by=by)

    expected: dict[Any, list[WinRow]] = defaultdict(list)
    for row in rows_of(uow):
        expected[KEYS[name](row)].append(row_of(row))
    expected.pop("open", None)
    assert len(report.groups) == len(expected)
    wanted = Counter(repr(rounded(figures(count(rows, "EUR")))) for rows in expected.values())
    assert Counter(repr(rounded(group.figures)) for group in report.groups) == wanted
    for group in report.groups:
        for outcomes, n in (((), group.figures.opportunities), (("won",), group.figures.counts.won)):
            page = ended_drill(uow.session, everything(uow), Ended(outcomes, by, group.name.value))
            assert page.total == n, group.name


@pytest.mark.parametrize("outcomes", [(), ("won", "lost"), ("won",), ("open",)])
def test_pages_of_a_list_hold_each_record_once_the_latest_end_first(
    uow: UnitOfWork, outcomes: tuple[str, ...]
) -> None:
    cursor, pages = None, []
    while True:
        page = ended_drill(uow.session, everything(uow), Ended(outcomes), after=cursor, limit=2)
        pages.append(page)
        cursor = page.next
        if cursor is None:
            break

    listed = [row for page in pages for row in page.rows]
    every = {
        row.id
        for row in uow.session.execute(select(Record.id, Record.outcome).where(Record.object_key == "job"))
        if not outcomes or row.outcome in outcomes
    }
    assert len(pages) > 1
    assert Counter(row.id for row in listed) == Counter(every)
    assert {page.total for page in pages} == {len(every)}
    ends = [row.closed_at for row in listed]
    known = [end for end in ends if end is not None]
    assert known == sorted(known, reverse=True)
    assert ends[: len(known)] == known


def test_groups_of_text_are_called_as_somebody_wrote_them(uow: UnitOfWork) -> None:
    report = win_report(
        uow.session, everything(uow), currency="EUR", by=dimension("city", uow.catalog.object("job"))
    )
    names = {group.name.text for group in report.groups}
    assert len(names) == 3
    assert {"Köln", "北京"} < names
    assert names & {"Ulm", "ULM"}


def test_months_stand_in_the_order_of_time(uow: UnitOfWork) -> None:
    report = win_report(
        uow.session, everything(uow), currency="EUR", by=dimension("close_month", uow.catalog.object("job"))
    )
    months = [group.name.text for group in report.groups]
    assert months == sorted(months)
    assert len(months) > 2


def test_a_field_that_is_not_filterable_cannot_group(uow: UnitOfWork) -> None:
    for name in ("title", "nothing", "worth"):
        with pytest.raises(Invalid):
            dimension(name, uow.catalog.object("job"))


def test_an_empty_set_has_no_rates(uow: UnitOfWork) -> None:
    report = win_report(
        uow.session, everything(uow, period=Period(date(1999, 1, 1), date(1999, 2, 1))), currency="EUR"
    )
    assert report.total.opportunities == 0
    assert report.total.win_rate is None
    assert report.total.counts.median_won_minor is None


def test_time_in_stage_and_what_follows_what(uow: UnitOfWork) -> None:
    report = stay_report(uow.session, everything(uow), uow.catalog.pipeline("path"))

    stays = uow.session.execute(
        select(StayRow.stage_key, StayRow.next_stage_key, StayRow.seconds, StayRow.left_via)
    ).all()
    for time in report.stages:
        lengths = [
            row.seconds for row in stays if row.stage_key == time.stage_key and row.seconds is not None
        ]
        assert time.n == len(lengths)
        assert time.entered == sum(row.stage_key == time.stage_key for row in stays)
        assert time.running == sum(row.stage_key == time.stage_key and row.left_via is None for row in stays)
        if lengths:
            assert time.mean_seconds == pytest.approx(sum(lengths) / len(lengths))
            assert time.median_seconds == pytest.approx(median(lengths))
    pairs = Counter((row.stage_key, row.next_stage_key) for row in stays if row.next_stage_key)
    assert {(pair.source, pair.target): pair.n for pair in report.follows} == pairs
