"""Sums of a process are made anew batch by batch, and every figure is exact meanwhile (issue 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from builder.queries.board_heads import Scope, heads_of
from builder.queries.funnel import funnel_report, snapshot
from builder.queries.population import Population
from builder.services import counting, definitions
from builder.services.definitions import Occasion
from builder.services.entries import Entry
from builder.services.maintenance import rebuild, verify
from builder.services.records import NewRecord, create
from builder.services.transitions import MoveRecord, move
from builder.services.unit_of_work import UnitOfWork
from tests import factories
from tests.factories import World
from tests.fixtures.databases import FreshDatabase

STAGES = factories.FREE["stages"]
OTHER = {**factories.FREE, "stages": [STAGES[1], STAGES[0], factories.stage("d", 60), *STAGES[2:]]}
LATER = Occasion("studio", counts_later=True)


@pytest.fixture
def world(database_url: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(counting, "BATCH", 2)
    monkeypatch.setattr(counting, "FEW", 3)
    made = factories.make_world(database_url.url)
    yield made
    made.engine.dispose()


def seen(uow: UnitOfWork) -> list[Any]:
    """The figures that the roll-up answers where it can."""
    pipeline = uow.catalog.pipeline("free")
    people = Population(("free",), "matter", uow.actor)
    report = funnel_report(uow.session, people, pipeline, "filled", currency="EUR")
    stock = snapshot(uow.session, people, pipeline, currency="EUR")
    heads = heads_of(Scope(uow.session, pipeline, uow.actor, None))
    return [report.figures.steps, stock.stages, {key: head for key, head in heads.items() if head.count}]


def new(uow: UnitOfWork, title: str, *stages: str) -> int:
    record_id = create(uow, "matter", NewRecord({"title": title, "worth": "10"}, Entry("free"))).record_id
    for stage in stages:
        move(uow, MoveRecord(record_id, stage, is_confirmed=True))
    return record_id


def test_every_figure_is_exact_while_sums_are_made_anew(world: World) -> None:
    with world.work() as uow:
        ids = [new(uow, f"Case {n}", *"bc"[: n % 3]) for n in range(7)]
        uow.commit()
        published = definitions.publish(uow, [OTHER], LATER)
        uow.commit()
        assert published.uncounted == ("free",)
        assert not uow.catalog.pipeline("free").is_counted

    def change(number: int) -> None:
        """A counted record, one that waits, and a new one; each figure stays what the records say."""
        with world.work() as uow:
            move(uow, MoveRecord(ids[0], "dc"[number % 2], is_confirmed=True))
            move(uow, MoveRecord(ids[6], "dc"[number % 2], is_confirmed=True))
            new(uow, f"Late {number}", "d")
            uow.commit()

    is_more, number = True, 0
    while is_more:
        change(number)
        with world.work() as uow:
            is_more = counting.count_batch(uow, "free")
            uow.commit()
        with world.work() as uow:
            assert verify(uow).is_clean
        number += 1
    assert number > 3
    with world.work() as uow:
        assert uow.catalog.pipeline("free").is_counted
        assert not counting.count_batch(uow, "free")
        counted = seen(uow)
        rebuild(uow)
        uow.commit()
        assert seen(uow) == counted


def test_figures_during_and_after_are_the_same_and_another_publish_goes_on(world: World) -> None:
    with world.work() as uow:
        for number in range(5):
            new(uow, f"Case {number}", *"bc"[: number % 3])
        uow.commit()
        definitions.publish(uow, [OTHER], LATER)
        uow.commit()
        during = seen(uow)
        counting.count_batch(uow, "free")
        uow.commit()
        assert seen(uow) == during
        # What changes no step goes on where it stood; other steps begin anew, whoever publishes.
        upto = uow.catalog.pipeline("free").counted_upto
        assert definitions.publish(uow, [{**OTHER, "label": {"en": "Free ways"}}]).uncounted == ("free",)
        assert uow.catalog.pipeline("free").counted_upto == upto
        definitions.publish(uow, [factories.FREE])
        assert uow.catalog.pipeline("free").counted_upto == 0
        definitions.publish(uow, [OTHER])
        uow.commit()
        while counting.count_batch(uow, "free"):
            uow.commit()
        uow.commit()
        assert seen(uow) == during
        assert verify(uow).is_clean


def test_few_records_are_counted_with_the_publish(world: World) -> None:
    with world.work() as uow:
        new(uow, "Only one")
        uow.commit()
        assert definitions.publish(uow, [OTHER], LATER).uncounted == ()
        assert uow.catalog.pipeline("free").is_counted
        uow.commit()
        assert verify(uow).is_clean
