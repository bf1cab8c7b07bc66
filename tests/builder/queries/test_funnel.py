"""The three sources of a funnel give equal figures, and every figure is as long as its list (B4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from builder.db.conditions_sql import compile_condition
from builder.db.ledger import StayRow
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import ALWAYS, All, Comparison
from builder.domain.funnel import MODES, UNLESS_LOST, FunnelFigures, StepFigures, StepReach
from builder.domain.period import ALL_TIME, Period
from builder.domain.permissions import Actor
from builder.queries.behind import EXITS, Figure
from builder.queries.board import board
from builder.queries.board_moved import after_move
from builder.queries.dimensions import dimension
from builder.queries.drill import drill
from builder.queries.drill_walk import visits_on_page
from builder.queries.funnel import funnel_report, snapshot, source_of
from builder.queries.funnel_groups import compared_funnel
from builder.queries.population import subtree
from builder.services.unit_of_work import UnitOfWork
from tests.builder.queries import ledgers
from tests.builder.queries.figures import figure_ids
from tests.builder.queries.ledgers import everything, free, narrowings
from tests.fixtures.databases import FreshDatabase

MONTHS = Period(date(2025, 2, 1), date(2025, 5, 1))
SINCE = Period(date(2025, 3, 1), None)
DAYS = Period(date(2025, 2, 11), date(2025, 4, 3))
# Shrinking a seed tells nothing and takes minutes on two databases.
QUICKLY = settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
EVERY_MODE = (*MODES, UNLESS_LOST)
PERIODS = (ALL_TIME, MONTHS, SINCE, DAYS)


@pytest.fixture
def uow(database_url: FreshDatabase):  # type: ignore[no-untyped-def]
    with ledgers.workspace(database_url) as made:
        yield made


@QUICKLY
@given(seed=st.integers(0, 10**6), count=st.integers(1, 60))
def test_rollup_journeys_and_stays_give_equal_figures(uow: UnitOfWork, seed: int, count: int) -> None:
    members, departments = ledgers.people(uow)
    ledgers.load(uow, seed, count, members)
    path = uow.catalog.pipeline("path")

    for (name, population), mode in product(narrowings(uow, members, departments).items(), EVERY_MODE):
        for period in PERIODS:
            asked = replace(population, period=period)
            quick = funnel_report(uow.session, asked, path, mode, currency="EUR")
            slow = funnel_report(uow.session, free(uow, asked), path, mode, currency="EUR")
            assert slow.source == "stays"
            assert quick.source == ("stays" if period == DAYS else "rollup")
            assert comparable(quick.figures, mode) == comparable(slow.figures, mode), (name, mode, period)
            assert quick.figures.identity
        counted = funnel_report(
            uow.session, free(uow, population), path, mode, currency="EUR", amounts="none"
        )
        assert counted.source == "journeys"
        whole = funnel_report(uow.session, population, path, mode, currency="EUR")
        assert without_amounts(counted.figures, mode) == without_amounts(whole.figures, mode), (name, mode)


def test_everybody_counts_and_lists_all_of_what_has_no_owner(uow: UnitOfWork) -> None:
    """A pipeline on an object without an owner: the funnel, its lists and the board of a rep are everyone's."""
    uow.catalog = ledgers.catalog(uow.workspace.id, has_owner=False)
    members, departments = ledgers.people(uow)
    made = ledgers.load(uow, 7, 40, members)
    path = uow.catalog.pipeline("path")
    company = uow.catalog.open_objects
    assert company == {"job"}
    rep = Actor(members[0], "Ada", "rep", frozenset(), "own", open_objects=company)
    manager = Actor(members[1], "Bo", "m", frozenset(), "subtree", (departments[1],), (departments[1],))
    manager = replace(manager, open_objects=company)
    context = EvaluationContext(uow.clock.now(), ledgers.ZONE)
    everyone = everything(uow)
    for who, period, mode in product((rep, manager), (ALL_TIME, MONTHS, DAYS), MODES):
        asked = replace(everyone, actor=who, period=period)
        of_all = funnel_report(uow.session, replace(asked, actor=uow.actor), path, mode, currency="EUR")
        for population in (asked, free(uow, asked)):
            report = funnel_report(uow.session, population, path, mode, currency="EUR")
            assert comparable(report.figures, mode) == comparable(of_all.figures, mode)
            assert report.figures.identity
            for step in report.figures.steps:
                figure = Figure("denominator", step.stage, mode)
                if step.denominator is not None:
                    assert len(figure_ids(uow.session, population, path, figure)) == step.denominator
    by_owner = dimension("owner", uow.catalog.object("job"))
    for who in (rep, manager):
        population = replace(everyone, actor=who)
        grouped = funnel_report(uow.session, population, path, "visited", currency="EUR", by=by_owner)
        assert (
            grouped.figures == funnel_report(uow.session, everyone, path, "visited", currency="EUR").figures
        )
        seen = board(uow.session, uow.catalog, who, path, context)
        assert seen == board(uow.session, uow.catalog, uow.actor, path, context)
        assert sum(column.head.count for column in seen.columns) == len(made)
        assert sum(len(column.cards) for column in seen.columns) == len(made)
        filtered = board(uow.session, uow.catalog, who, path, context, filter=ALWAYS)
        assert filtered.columns == seen.columns
        card = seen.columns[0].cards[0]
        for limited in (None, ALWAYS):
            heads, shown, _names = after_move(
                uow.session, uow.catalog, who, path, card.id, context, filter=limited
            )
            assert shown == card
            assert heads == {column.stage_key: column.head for column in seen.columns if column.head.count}


def comparable(figures: FunnelFigures, mode: str) -> FunnelFigures:
    """Only *filled* asks the roll-up for the furthest step, which ``passed_over`` comes from."""
    if mode == "filled":
        return figures
    return replace(figures, steps=tuple(replace(step, passed_over=0) for step in figures.steps))


def without_amounts(figures: FunnelFigures, mode: str) -> FunnelFigures:
    steps = comparable(figures, mode).steps
    return replace(figures, steps=tuple(replace(step, amount_minor=0) for step in steps))


@QUICKLY
@given(seed=st.integers(0, 10**6))
def test_every_figure_is_as_long_as_its_list(uow: UnitOfWork, seed: int) -> None:
    members, departments = ledgers.people(uow)
    ledgers.load(uow, seed, 40, members)
    path = uow.catalog.pipeline("path")

    populations = narrowings(uow, members, departments)
    for who in ("all", "a manager's records"):
        for period, mode in product((ALL_TIME, DAYS), EVERY_MODE):
            population = populations[who]
            asked = replace(population, period=period)
            report = funnel_report(uow.session, asked, path, mode, currency="EUR")
            for step in report.figures.steps:
                for name in ("entered", *EXITS) if mode == "stay" else ():
                    listed = figure_ids(uow.session, asked, path, Figure(name, step.stage, mode))
                    assert len(set(listed)) == len(listed) == getattr(step, name), (name, step.stage)
                for name in ("numerator", "denominator"):
                    figure = Figure(name, step.stage, mode)
                    if getattr(step, name) is not None:
                        assert len(figure_ids(uow.session, asked, path, figure)) == getattr(step, name)
                if mode != "stay":
                    figure = Figure("denominator", step.stage, mode)
                    assert len(figure_ids(uow.session, asked, path, figure)) == step.reached


@pytest.mark.parametrize("by", ["boss", "department", "Channel"])
def test_groups_are_compared_by_the_figures_that_they_have_alone(uow: UnitOfWork, by: str) -> None:
    members, departments = ledgers.people(uow)
    ledgers.load(uow, 11, 60, members)
    path, group = uow.catalog.pipeline("path"), dimension(by, uow.catalog.object("job"))
    narrow = narrowings(uow, members, departments)
    whose = [narrow[name] for name in ("all", "own records", "a manager's records")]
    asked_of = product(whose, EVERY_MODE, (ALL_TIME, MONTHS, DAYS))

    for population, mode, period in asked_of:
        asked = replace(population, period=period)
        report, groups = compared_funnel(
            uow.session, asked, path, mode, currency="EUR", amounts="entry", by=group
        )
        full = funnel_report(uow.session, asked, path, mode, currency="EUR", by=group)
        assert comparable(report.figures, mode) == comparable(full.figures, mode)
        assert report.currencies == full.currencies
        assert [(each.name, told(each.steps)) for each in groups] == [
            (each.name, told(each.figures.steps)) for each in full.groups
        ], (mode, period)


def told(steps: Iterable[StepReach | StepFigures]) -> list[tuple[object, ...]]:
    return [(step.stage, step.reached, step.numerator, step.denominator, step.rate) for step in steps]


def test_groups_add_up_and_equal_the_funnel_of_each_group_alone(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 7, 80, members)
    path, job = uow.catalog.pipeline("path"), uow.catalog.object("job")
    context = EvaluationContext(uow.clock.now(), ledgers.ZONE)

    by_owner = funnel_report(
        uow.session, everything(uow), path, "visited", currency="EUR", by=dimension("boss", job)
    )
    by_channel = funnel_report(
        uow.session, everything(uow), path, "strict", currency="EUR", by=dimension("Channel", job)
    )

    assert by_owner.source == "rollup"
    assert {group.name.text for group in by_owner.groups} == {"Ada", "Bo", "Cy", None}
    assert (
        sum(group.figures.steps[0].entered for group in by_owner.groups) == by_owner.figures.steps[0].entered
    )
    assert by_channel.source == "stays"
    for group in by_channel.groups:
        value = group.name.value
        asked = Comparison("channel", "eq", value) if value else Comparison("channel", "empty")
        condition = compile_condition(All((asked,)), job.fields.by_key, context)
        alone = funnel_report(
            uow.session, everything(uow, condition=condition), path, "strict", currency="EUR"
        )
        assert alone.figures == group.figures


def test_amounts_of_now_come_from_the_records(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 3, 50, members)
    path = uow.catalog.pipeline("path")

    for mode in ("visited", "strict", "filled"):
        whole = funnel_report(uow.session, everything(uow), path, mode, currency="EUR", amounts="now")
        dated = funnel_report(
            uow.session,
            everything(uow, period=Period(date(1999, 1, 2), None)),
            path,
            mode,
            currency="EUR",
            amounts="now",
        )
        assert (whole.source, dated.source) == ("journeys", "stays")
        assert dated.figures.steps[0].reached <= whole.figures.steps[0].reached
        for step in whole.figures.steps:
            ids = figure_ids(uow.session, everything(uow), path, Figure("denominator", step.stage, mode))
            assert step.amount_minor == amounts_of(uow, ids)


def amounts_of(uow: UnitOfWork, ids: list[int]) -> int:
    from sqlalchemy import func, select

    from builder.db.records import Record

    total = select(func.coalesce(func.sum(Record.amount_minor), 0)).where(
        Record.id.in_(ids), Record.currency == "EUR"
    )
    return int(uow.session.scalar(total))


def test_the_snapshot_is_what_is_there_now_in_both_ways(uow: UnitOfWork) -> None:
    members, departments = ledgers.people(uow)
    ledgers.load(uow, 11, 60, members)
    path = uow.catalog.pipeline("path")

    for population in narrowings(uow, members, departments).values():
        quick = snapshot(uow.session, population, path, currency="EUR")
        slow = snapshot(uow.session, free(uow, population), path, currency="EUR")
        assert quick.stages == slow.stages
        for stock in quick.stages:
            listed = figure_ids(uow.session, population, path, Figure("now", stock.stage))
            assert len(listed) == stock.n


def test_a_list_has_pages_that_hold_every_row_once(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 5, 70, members)
    path = uow.catalog.pipeline("path")
    for figure in (Figure("entered", "a"), Figure("denominator", "a", "visited")):
        seen, after, total = [], None, 0
        while True:
            page = drill(uow.session, everything(uow), path, figure, after=after, limit=9)
            seen += [row.cursor for row in page.rows]
            after, total = page.next, page.total
            if after is None:
                break
        assert (
            len(seen)
            == len(set(seen))
            == total
            == len(figure_ids(uow.session, everything(uow), path, figure))
        )


def test_the_opportunities_that_make_two_modes_differ_are_listed(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 9, 60, members)
    path = uow.catalog.pipeline("path")
    for step in path.steps:
        filled = figure_ids(uow.session, everything(uow), path, Figure("denominator", step.key, "filled"))
        visited = figure_ids(uow.session, everything(uow), path, Figure("denominator", step.key, "visited"))
        only = figure_ids(
            uow.session,
            everything(uow),
            path,
            Figure("denominator", step.key, "filled", except_mode="visited"),
        )
        assert set(only) == set(filled) - set(visited)


@pytest.mark.parametrize("period", [ALL_TIME, MONTHS])
def test_what_one_mode_counts_and_another_does_not_is_the_same_walked_and_by_journeys(
    uow: UnitOfWork, period: Period
) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 9, 60, members)
    path, population, found = uow.catalog.pipeline("path"), everything(uow, period=period), 0
    names = [("denominator", step.key) for step in path.steps]
    names += [("numerator", step.key) for step in path.steps[:-1]]
    for name, step in names:
        for mode, other in (("filled", "visited"), ("visited", "strict"), ("filled", "filled_unless_lost")):
            figure = Figure(name, step, mode, except_mode=other)
            only = figure_ids(uow.session, population, path, figure)
            walked = visits_on_page(uow.session, population, path, figure, None, 1000)
            of_records = select(StayRow.id, StayRow.record_id).where(StayRow.id.in_(walked))
            assert sorted(row.record_id for row in uow.session.execute(of_records)) == sorted(only)
            told = len(only)
            assert visits_on_page(uow.session, population, path, figure, None, 1000, told) == walked
            for at in range(0, told, 3):
                page = visits_on_page(uow.session, population, path, figure, walked[at], 2, told)
                assert page == walked[at + 1 : at + 3]
            found += told
    assert found > 20


def test_nobody_elses_workspace_is_counted(database_url: FreshDatabase) -> None:
    with ledgers.workspace(database_url, "one") as one:
        members, _ = ledgers.people(one)
        ledgers.load(one, 1, 10, members)
    with ledgers.workspace(database_url, "two") as two:
        path = two.catalog.pipeline("path")
        for population in (everything(two), free(two, everything(two))):
            report = funnel_report(two.session, population, path, "visited", currency="EUR")
            assert report.figures.steps[0].entered == 0
            assert all(step.rate is None for step in report.figures.steps)


def test_a_deleted_record_counts_in_no_source(uow: UnitOfWork) -> None:
    from builder.services.deletion import delete

    members, _ = ledgers.people(uow)
    ids = ledgers.load(uow, 2, 12, members)
    for record_id in ids:
        delete(uow, record_id)
    uow.commit()
    path = uow.catalog.pipeline("path")
    for population in (everything(uow), free(uow, everything(uow)), everything(uow, period=DAYS)):
        report = funnel_report(uow.session, population, path, "filled", currency="EUR")
        assert all(step.entered == step.reached == 0 for step in report.figures.steps)


def test_the_source_is_the_quickest_that_has_the_answer(uow: UnitOfWork) -> None:
    population, path = everything(uow), uow.catalog.pipeline("path")
    assert source_of(replace(population, period=MONTHS), path, "entry", None) == "rollup"
    assert source_of(replace(population, period=DAYS), path, "entry", None) == "stays"
    assert source_of(free(uow, population), path, "none", None) == "journeys"
    assert source_of(free(uow, population), path, "entry", None) == "stays"
    assert source_of(population, path, "now", None) == "journeys"


def test_a_subtree_is_the_department_and_all_below(uow: UnitOfWork) -> None:
    _, (north, below) = ledgers.people(uow)
    assert set(subtree(uow.session, north)) == {north, below}
    assert subtree(uow.session, below) == (below,)
    assert subtree(uow.session, 12345) == ()
