"""Every list behind a figure holds exactly what the figure's own clause selects, in order, each row once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event, select

from builder.db.conditions_sql import compile_condition
from builder.db.ids import new_id
from builder.db.ledger import StayRow
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Comparison
from builder.domain.pipeline import Pipeline
from builder.queries import drill as drill_module
from builder.queries import drill_walk
from builder.queries.behind import ENDED, EXITS, Figure
from builder.queries.drill import DrillRow, drill
from builder.queries.population import Population
from builder.queries.probing import FEW
from builder.services.unit_of_work import UnitOfWork
from tests.builder.queries import ledgers
from tests.builder.queries.figures import figure_ids
from tests.builder.queries.test_funnel import (
    DAYS,
    EVERY_MODE,
    MONTHS,
    everything,
    free,
    narrowings,
)
from tests.fixtures.databases import FreshDatabase

PAIRS = (("filled", "visited"), ("visited", "strict"), ("filled", "filled_unless_lost"))


@pytest.fixture
def uow(database_url: FreshDatabase) -> Iterator[UnitOfWork]:
    with ledgers.workspace(database_url) as made:
        yield made


def figures_of(path: Pipeline) -> Iterator[Figure]:
    for stage in (path.by_key[key] for key in ("b", "done")):
        for name in ("entered", "now", *list(EXITS)[::3], *ENDED):
            yield Figure(name, stage.key)
    yield Figure("ended", "b", "filled", "visited")
    for step, mode in product(path.steps, EVERY_MODE):
        yield Figure("denominator", step.key, mode)
        if step != path.steps[-1]:
            yield Figure("numerator", step.key, mode)
    for step, (mode, other) in product(path.steps, PAIRS):
        yield Figure("denominator", step.key, mode, other)


def pages(uow: UnitOfWork, population: Population, figure: Figure, limit: int) -> tuple[list[DrillRow], int]:
    """All rows, page by page, and the total that each page told."""
    path = uow.catalog.pipeline("path")
    rows: list[DrillRow] = []
    totals: set[int] = set()
    after = None
    while True:
        page = drill(uow.session, population, path, figure, after=after, limit=limit)
        assert page.unit == figure.unit
        assert page.next is None or len(page.rows) == limit
        rows += page.rows
        totals.add(page.total)
        after = page.next
        if after is None:
            (total,) = totals
            return rows, total


def compare(uow: UnitOfWork, name: str, population: Population, figure: Figure) -> None:
    rows, total = pages(uow, population, figure, 16)
    expected = figure_ids(uow.session, population, uow.catalog.pipeline("path"), figure)
    found = [row.cursor if figure.unit == "stay" else row.id for row in rows]
    assert sorted(found) == expected, (name, figure)
    assert total == len(expected), (name, figure)
    if figure.name in ENDED:
        return
    entered = entries(uow, figure, rows)
    assert entered == sorted(entered, key=lambda one: (one[0] is not None, *one), reverse=True)


def entries(uow: UnitOfWork, figure: Figure, rows: list[DrillRow]) -> list[tuple[Any, int]]:
    """When each row entered the stage, and its cursor."""
    if figure.name == "now":
        ids = {row.id: row.cursor for row in rows}
        is_open = (StayRow.record_id.in_(ids), StayRow.left_via.is_(None))
        stays = select(StayRow.record_id, StayRow.entered_at).where(*is_open)
    else:
        stays = select(StayRow.id, StayRow.entered_at).where(StayRow.id.in_([row.cursor for row in rows]))
    at = dict(uow.session.execute(stays).all())
    return [(at[row.cursor], row.cursor) for row in rows]


@pytest.mark.parametrize("is_walked", [False, True])
def test_pages_hold_what_the_figure_counts_whoever_asks(
    uow: UnitOfWork, is_walked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few records read by record, with many along the visits."""
    members, departments = ledgers.people(uow)
    ledgers.load(uow, 21, 24, members)
    path = uow.catalog.pipeline("path")
    if is_walked:
        monkeypatch.setattr(drill_walk, "FEW", -1)
    people = narrowings(uow, members, departments)
    for name in ("all", "own records", "a manager's records"):
        population = people[name]
        for figure in figures_of(path):
            compare(uow, name, population, figure)


def test_pages_hold_what_was_entered_in_a_period_or_satisfies_a_filter(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    members, departments = ledgers.people(uow)
    ledgers.load(uow, 22, 24, members)
    path = uow.catalog.pipeline("path")
    context = EvaluationContext(uow.clock.now(), ledgers.ZONE)
    fields = uow.catalog.object("job").fields.by_key
    web = compile_condition(Comparison("channel", "eq", "web"), fields, context)
    people = narrowings(uow, members, departments)
    asked = {
        "days": (replace(people["own records"], period=DAYS), -1),
        "web": (replace(people["a manager's records"], condition=web), FEW),
        "web in months": (everything(uow, condition=web, period=MONTHS), -1),
    }
    for name, (population, few) in asked.items():
        monkeypatch.setattr(drill_walk, "FEW", few)
        for figure in figures_of(path):
            compare(uow, name, population, figure)


def test_visits_of_unknown_time_stand_at_the_end(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 23, 30, members)
    uow.begin()
    stays = uow.session.scalars(select(StayRow).where(StayRow.stage_key == "a").order_by(StayRow.id)).all()
    for stay in stays[::3]:
        stay.entered_at = None
    uow.commit()
    for figure in (Figure("entered", "a"), Figure("denominator", "a", "filled")):
        compare(uow, "unknown", free(uow, everything(uow)), figure)
        rows, _ = pages(uow, everything(uow), figure, 4)
        known = [at is not None for at, _ in entries(uow, figure, rows)]
        assert known == sorted(known, reverse=True)
        assert not all(known)


def test_what_is_deleted_for_good_meanwhile_is_left_out(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    members, _ = ledgers.people(uow)
    ledgers.load(uow, 25, 12, members)
    path = uow.catalog.pipeline("path")
    before = [
        drill(uow.session, everything(uow), path, Figure(name, "a")).rows for name in ("entered", "now")
    ]
    for name in ("visits_on_page", "records_on_page"):
        read = getattr(drill_module, name)
        monkeypatch.setattr(drill_module, name, lambda *asked, read=read: [new_id(), *read(*asked)])
    assert all(before)
    for name, rows in zip(("entered", "now"), before, strict=True):
        assert drill(uow.session, everything(uow), path, Figure(name, "a")).rows == rows


def test_a_page_costs_at_most_seven_statements(uow: UnitOfWork) -> None:
    members, departments = ledgers.people(uow)
    ledgers.load(uow, 24, 40, members)
    path = uow.catalog.pipeline("path")
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    engine = uow.session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        population = narrowings(uow, members, departments)["a manager and an owner"]
        for asked in (population, replace(free(uow, population), period=MONTHS)):
            for figure in figures_of(path):
                after = None
                for _ in range(2):
                    sent.clear()
                    page = drill(uow.session, asked, path, figure, after=after, limit=3)
                    assert len([one for one in sent if one.startswith("SELECT")]) <= 7, sent
                    after = page.next
    finally:
        event.remove(engine, "before_cursor_execute", note)
