"""Wins from the roll-up equal wins counted from the records, whoever asks, and whatever was done to them."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from builder.db.ids import new_id
from builder.db.records import Record
from builder.domain.period import ALL_TIME, Period
from builder.domain.permissions import Actor, Veil
from builder.queries.dimensions import dimension
from builder.queries.drill_ended import Ended, ended_on_page, ended_total
from builder.queries.population import Population
from builder.queries.reasons import reason_report
from builder.queries.wins import WinReport, win_report
from builder.queries.wins_summed import add_medians, summed_wins
from builder.services import deletion, records, rollup, transitions
from builder.services.maintenance import rebuild, verify
from builder.services.records import SaveRecord
from builder.services.transitions import MoveRecord
from builder.services.unit_of_work import UnitOfWork
from tests.builder.queries import ledgers
from tests.builder.queries.ledgers import everything, narrowings
from tests.builder.queries.test_wins import rounded
from tests.fixtures.databases import FreshDatabase

QUICKLY = settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Histories begin in 2025 (``ledgers``): whole months, some of them, and up to the present.
PERIODS = (ALL_TIME, Period(date(2025, 2, 1), date(2025, 5, 1)), Period(date(2025, 3, 1), None))
DIMENSIONS = (None, "owner", "department", "channel", "close_month")


@pytest.fixture
def uow(database_url: FreshDatabase):  # type: ignore[no-untyped-def]
    with ledgers.workspace(database_url) as made:
        yield made


def plain(report: WinReport) -> tuple[Any, ...]:
    groups = [(group.name, rounded(group.figures)) for group in report.groups]
    return rounded(report.total), report.currency, report.currencies, sorted(groups, key=repr)


def assert_equal_for_all(uow: UnitOfWork, populations: dict[str, Population]) -> None:
    for (name, every), by, period in product(populations.items(), DIMENSIONS, PERIODS):
        counted = replace(every, period=period)
        summed = replace(counted, is_rolled_up=True)
        grouped = dimension(by, uow.catalog.object("job")) if by else None
        for currency in ("EUR", "CNY"):
            quick = win_report(uow.session, summed, currency=currency, by=grouped)
            slow = win_report(uow.session, counted, currency=currency, by=grouped)
            assert plain(quick) == plain(slow), (name, by, period)
    for every, period in product(populations.values(), PERIODS):
        assert_reasons_equal(uow, replace(every, period=period))


def assert_reasons_equal(uow: UnitOfWork, counted: Population) -> None:
    """Reports, and the lengths of the lists behind their numbers."""
    summed = replace(counted, is_rolled_up=True)
    for currency in ("EUR", "CNY"):
        quick = reason_report(uow.session, summed, currency=currency)
        assert quick == reason_report(uow.session, counted, currency=currency)
    for outcome, found in quick.outcomes.items():
        assert ended_total(uow.session, summed, Ended((outcome,))) == found.total.n
        assert ended_total(uow.session, counted, Ended((outcome,))) == found.total.n
        for stage, tally in found.stages.items():
            listed = Ended((outcome,), stage=stage or "")
            assert ended_total(uow.session, summed, listed) == tally.n
            assert len(ended_on_page(uow.session, summed, listed, None, 1000)) == tally.n


def touch(uow: UnitOfWork, dice: random.Random, record_id: int, members: list[int]) -> None:
    """Something that changes what a record counts for."""
    is_deleted = uow.session.scalar(select(Record.deleted_at).where(Record.id == record_id)) is not None
    if is_deleted:
        deletion.restore(uow, record_id)
        return
    act = dice.choice(["worth", "coin", "boss", "nobody", "delete", "move", "move"])
    if act == "delete":
        deletion.delete(uow, record_id)
    elif act == "move":
        to = dice.choice([key for key, _ in ledgers.STAGES])
        transitions.move(uow, MoveRecord(record_id, to, reason_key=None))
    else:
        values = {
            "worth": {"worth": dice.choice([None, "0", "12.34", "9000000"])},
            "coin": {"coin": dice.choice(["EUR", "CNY"])},
            "boss": {"boss": str(dice.choice(members))},
            "nobody": {"boss": None},
        }[act]
        records.save(uow, SaveRecord(record_id, values))


@QUICKLY
@given(seed=st.integers(0, 10**6), count=st.integers(1, 60))
def test_the_rollup_tells_what_the_records_tell(uow: UnitOfWork, seed: int, count: int) -> None:
    members, departments = ledgers.people(uow)
    made = ledgers.load(uow, seed, count, members)
    assert_equal_for_all(uow, narrowings(uow, members, departments))

    dice = random.Random(seed)
    for _ in range(30):
        touch(uow, dice, dice.choice(made), members)
        uow.commit()
    populations = narrowings(uow, members, departments)
    assert_equal_for_all(uow, {name: populations[name] for name in ("all", "a manager's records")})
    rollup.fold(uow)
    uow.commit()
    assert_equal_for_all(uow, populations)
    assert verify(uow).is_clean
    rebuild(uow)
    uow.commit()
    assert_equal_for_all(uow, {"all": populations["all"]})


def test_hidden_amounts_are_told_by_neither(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 5, 40, members)
    blind = Actor(
        members[0],
        "Ada",
        "rep",
        frozenset(),
        "all",
        veils={"job": Veil(frozenset({"worth"}), frozenset({"amount"}))},
    )
    population = everything(uow, actor=blind)
    assert population.hides_amounts
    assert_equal_for_all(uow, {"blind": population})
    report = win_report(uow.session, replace(population, is_rolled_up=True), currency="EUR")
    assert report.currencies == ()
    assert report.total.counts.won_minor == 0
    assert report.total.counts.median_won_minor is None


def test_of_a_department_that_is_gone_nothing_is_told(uow: UnitOfWork) -> None:
    """A kept address names it: what is left of the clause is one that no index serves."""
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 5, 40, members)
    periods = (*PERIODS, Period(date(2025, 2, 3), date(2025, 5, 1)))
    for is_rolled_up, period in product((True, False), periods):
        gone = everything(uow, department_ids=(), period=period, is_rolled_up=is_rolled_up)
        for by in DIMENSIONS:
            grouped = dimension(by, uow.catalog.object("job")) if by else None
            report = win_report(uow.session, gone, currency="EUR", by=grouped)
            assert (report.total.opportunities, report.groups) == (0, ())
        outcomes = reason_report(uow.session, gone, currency="EUR").outcomes
        assert [found.total.n for found in outcomes.values()] == [0, 0, 0]
        for listed in (Ended(), Ended(("won",)), Ended(("won",), reason="")):
            assert ended_total(uow.session, gone, listed) == 0


def test_a_page_of_all_owners_takes_three_statements(uow: UnitOfWork) -> None:
    """Sums, medians, names: however many owners and records there are."""
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 5, 60, members)
    sent: list[str] = []
    engine = uow.session.get_bind()
    listener = lambda _c, _cursor, statement, *_: sent.append(statement)  # noqa: E731
    by = dimension("owner", uow.catalog.object("job"))
    uow.session.connection()
    event.listen(engine, "before_cursor_execute", listener)
    report = win_report(uow.session, everything(uow, is_rolled_up=True), currency="EUR", by=by)
    event.remove(engine, "before_cursor_execute", listener)
    assert len(report.groups) == 4
    assert len([text for text in sent if text.startswith("SELECT")]) == 3


def test_a_manager_of_hundreds_of_departments_asks_for_no_more_than_sqlite_takes(uow: UnitOfWork) -> None:
    members, departments = ledgers.people(uow)
    ledgers.load(uow, 5, 40, members)
    seen = (*departments, *(new_id() for _ in range(300)))
    manager = Actor(members[1], "Bo", "m", frozenset(), "subtree", seen, seen)
    population = everything(uow, actor=manager)
    sets = [summed_wins(uow.session, population, None)[0] for _ in range(150)]
    driver = uow.session.connection().connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)

    add_medians(uow.session, population, [((), each) for each in sets], "CNY")

    counted = win_report(uow.session, population, currency="CNY").total
    assert counted.counts.median_won_minor is not None
    assert {rounded(each.figures("CNY")) for each in sets} == {rounded(counted)}


def test_medians_are_read_of_the_groups_that_are_shown_alone(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 5, 60, members)
    population, by = everything(uow, is_rolled_up=True), dimension("owner", uow.catalog.object("job"))
    full = win_report(uow.session, population, currency="CNY", by=by)
    short = win_report(uow.session, population, currency="CNY", by=by, most=1)

    assert short.total == full.total
    assert [group.name for group in short.groups] == [group.name for group in full.groups]
    assert short.groups[0] == full.groups[0]
    beyond = [
        (group.figures.counts, one.figures.counts)
        for group, one in zip(short.groups, full.groups, strict=True)
    ][1:]
    assert any(one.median_won_minor is not None for _, one in beyond)
    for counts, one in beyond:
        assert counts.median_won_minor is None
        assert replace(counts, cycle=one.cycle, median_won_minor=one.median_won_minor) == one
