"""A funnel over several pipelines: every figure is as long as its list (B4), and its filters narrow units."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event

from builder.domain.funnel import MODES
from builder.domain.period import ALL_TIME, Period
from builder.domain.permissions import Actor
from builder.errors import Invalid
from builder.queries.behind import EXITS
from builder.queries.chained import Chain, chained_report
from builder.queries.chained_drill import ChainedFigure, ChainedPage, chained_drill, count_behind
from builder.queries.population import Population
from builder.services.unit_of_work import UnitOfWork
from tests.builder.queries import chains, ledgers
from tests.fixtures.databases import FreshDatabase

DAYS = Period(date(2025, 1, 20), date(2025, 3, 5))
PERIODS = (ALL_TIME, DAYS, Period(date(2025, 2, 1), None), Period(None, date(2025, 3, 1)))


@pytest.fixture
def uow(database_url: FreshDatabase) -> Iterator[UnitOfWork]:
    with ledgers.workspace(database_url) as made:
        made.catalog = chains.catalog(made.workspace.id)
        yield made


def everything(uow: UnitOfWork, **more: object) -> Population:
    known = {"actor": uow.actor, "time_zone": ledgers.ZONE}
    return Population(("tips",), "tip", **{**known, **more})  # type: ignore[arg-type]


def listed(uow: UnitOfWork, chain: Chain, asked: Population, *figure: str, limit: int = 50) -> ChainedPage:
    return chained_drill(uow.session, chain, asked, ChainedFigure(*figure), limit=limit)


@contextmanager
def statements(uow: UnitOfWork) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")) and "set_config" not in statement:
            sent.append(statement)

    engine = uow.session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def reached(uow: UnitOfWork, chain: Chain, asked: Population, mode: str = "visited") -> list[int]:
    return [step.reached for step in chained_report(uow.session, chain, asked, mode).steps]  # type: ignore[arg-type]


def test_every_figure_is_as_long_as_its_list(uow: UnitOfWork) -> None:
    members, departments = ledgers.people(uow)
    chains.load(uow, 20_000, 20, members)
    manager = Actor(members[1], "Bo", "m", frozenset(), "subtree", (departments[1],), (departments[1],))
    everybody = [everything(uow, period=period) for period in PERIODS]
    narrowed = [
        everybody[1],
        everything(uow, actor=manager),
        everything(uow, owner_id=members[2], period=DAYS),
    ]
    # Won stages that are no steps: they reach the last step of their pipeline.
    short = chains.chain(uow, steps=(("tips", "good"), ("path", "a"), ("path", "b")))
    asked = [(chains.chain(uow), everybody), (chains.chain(uow, "customer"), narrowed), (short, narrowed[:2])]
    checked = 0
    for chain, populations in asked:
        for population, mode in product(populations, MODES):
            figures = chained_report(uow.session, chain, population, mode)
            assert figures.identity
            for step in figures.steps:
                counts = {"numerator": step.numerator, "denominator": step.denominator}
                if mode == "stay":
                    counts |= {name: getattr(step, name) for name in ("entered", *EXITS)}
                else:
                    counts["denominator"] = step.reached
                    assert step.denominator in (None, step.reached)
                for name, count in counts.items():
                    # What is nowhere in a figure has no link; a few of those are enough.
                    if count or (count == 0 and name in ("numerator", "still_there")):
                        figure = ChainedFigure(name, step.stage, mode)
                        found = count_behind(uow.session, chain, population, figure)
                        assert found == count, (chain.definition.unit, mode, name, step.stage)
                        checked += count > 0
    assert checked > 200


def test_one_chain_counts_as_its_definition_says(uow: UnitOfWork) -> None:
    dice = random.Random(1)

    def tip(stages: str, *jobs: str) -> int:
        made = chains.visit(uow, dice, "tip", [], [], stages)
        for words in jobs:
            chains.convert(uow, made, chains.visit(uow, dice, "job", [], [], words))
        return made

    won = tip("new good taken", "a b done")
    tip("new gladly", "a b gone", "b c")
    tip("new good bad")
    tip("good bad")
    uow.commit()
    chain = chains.chain(uow)
    assert reached(uow, chain, everything(uow), "visited") == [3, 3, 2, 1, 0]
    assert reached(uow, chain, everything(uow), "strict") == [3, 2, 1, 1, 0]
    assert reached(uow, chain, everything(uow), "filled") == [4, 4, 2, 1, 0]
    assert listed(uow, chain, everything(uow), "numerator", "path/a").units == (won,)
    with pytest.raises(Invalid):
        listed(uow, chain, everything(uow), "numerator", "cares/kept")
    for wrong in (("now", "path/a"), ("denominator", "a"), ("denominator", "path/a", "filled_unless_lost")):
        with pytest.raises(Invalid):
            listed(uow, chain, everything(uow), *wrong)


def test_a_period_takes_units_by_their_first_entry_and_counts_what_came_later(uow: UnitOfWork) -> None:
    dice = random.Random(1)
    early = chains.visit(uow, dice, "tip", [], [], "new good new")
    chains.convert(uow, early, chains.visit(uow, dice, "job", [], [], "a b c done"))
    uow.commit()
    chain = chains.chain(uow)
    # START is the evening of 28 December in the workspace's zone; "new" was entered again on the 30th.
    for first, end, counts in (("28", "29", [1, 1, 1, 1, 0]), ("29", "31", [0, 0, 0, 0, 0])):
        period = Period(date(2024, 12, int(first)), date(2024, 12, int(end)))
        assert reached(uow, chain, everything(uow, period=period)) == counts


def test_a_customers_records_count_as_one_even_before_the_first_names_it(uow: UnitOfWork) -> None:
    from builder.services import records
    from builder.services.records import NewRecord

    dice = random.Random(1)
    client = records.create(uow, "client", NewRecord({"title": "Acme"})).record_id
    named = chains.visit(uow, dice, "tip", [], [], "new good", client=str(client))
    unnamed = chains.visit(uow, dice, "tip", [], [], "new taken")
    job = chains.visit(uow, dice, "job", [], [], "a done", client=str(client))
    chains.convert(uow, unnamed, job)
    alone = chains.visit(uow, dice, "tip", [], [], "new")
    uow.commit()
    chain = chains.chain(uow, "customer")
    assert reached(uow, chain, everything(uow)) == [2, 1, 1, 1, 0]
    page = listed(uow, chain, everything(uow), "denominator", "tips/new")
    assert page.units == (alone, client)
    assert page.made == {client: (named, unnamed, job)}
    assert {page.records[one].name for one in page.units} >= {"Acme"}


def test_what_came_of_a_record_counts_but_opens_for_those_who_see_it(uow: UnitOfWork) -> None:
    (ada, bo, _), _ = ledgers.people(uow)
    dice = random.Random(1)
    mine = chains.visit(uow, dice, "tip", [], [], "new good", boss=str(ada))
    theirs = chains.visit(uow, dice, "job", [], [], "a done", boss=str(bo))
    chains.convert(uow, mine, theirs)
    chains.visit(uow, dice, "tip", [], [], "new good", boss=str(bo))
    uow.commit()
    chain, rep = chains.chain(uow), Actor(ada, "Ada", "rep", frozenset(), "own")
    population = everything(uow, actor=rep)
    assert reached(uow, chain, population) == [1, 1, 1, 1, 0]
    page = listed(uow, chain, population, "denominator", "path/a")
    assert (page.units, page.made, page.seen) == ((mine,), {mine: (theirs,)}, {mine})
    visits = listed(uow, chain, population, "entered", "path/a", "stay")
    assert [(one.unit_id, one.record_id) for one in visits.visits] == [(mine, theirs)]
    assert theirs not in visits.seen


def test_pages_hold_every_row_once_in_few_statements(uow: UnitOfWork) -> None:
    members, _ = ledgers.people(uow)
    chains.load(uow, 5, 25, members)
    chain = chains.chain(uow)
    for figure in (ChainedFigure("denominator", "tips/new"), ChainedFigure("entered", "tips/new", "stay")):
        seen: list[object] = []
        after = None
        while True:
            with statements(uow) as sent:
                page = chained_drill(uow.session, chain, everything(uow), figure, after=after, limit=4)
            assert len(sent) <= 8
            seen += page.visits or page.units
            after = page.next
            if after is None:
                break
        assert len(seen) == len(set(seen)) == page.total > 8
    with statements(uow) as sent:
        chained_report(uow.session, chain, everything(uow, period=DAYS), "filled")
    assert len(sent) == 1
