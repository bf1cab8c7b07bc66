"""Reasons of closed records: ranked by number and amount, by the stage left; each with its list (S40)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

import pytest

from builder.domain.period import Period
from builder.queries.drill import DrillPage, ended_drill
from builder.queries.drill_ended import Ended
from builder.queries.population import Population
from builder.queries.reasons import Tally, reason_report
from builder.services.entries import Entry
from builder.services.records import NewRecord, create
from builder.services.transitions import Applied, MoveRecord, move
from tests import factories
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase

LOST = [{"key": key, "label": {"en": key.title()}} for key in ("price", "timing", "rival", "no_decision")]
WON = [{"key": key, "label": {"en": key.title()}} for key in ("trial", "reference")]
REASONED = {**factories.FREE, "reasons": {"lost": LOST, "won": WON}}
# Where it was left, how it ended and why, and what it was worth.
ENDS = (
    ("a", "lost", "price", "100.00"),
    ("b", "lost", "price", "200.00"),
    ("b", "lost", "timing", "5000.00"),
    ("b", "lost", "price", None),
    ("c", "won", "trial", "900.00"),
    ("a", "won", "trial", "50.00"),
    ("c", "won", "reference", "1000.00"),
    ("a", "invalid", None, "70.00"),
)


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    documents = [document for document in factories.DOCUMENTS if document["key"] != "free"]
    made = make_world(database_url.url, documents=(*documents, REASONED))
    for stage, end, reason, worth in ENDS:
        finish(made, stage, end, reason, worth)
    yield made
    made.engine.dispose()


def finish(world: World, stage: str, end: str, reason: str | None, worth: str | None) -> int:
    """A record that was in ``stage`` and then ended, both through the one door."""
    with world.work() as uow:
        values = {"title": f"From {stage} to {end}"} | ({"worth": worth} if worth else {})
        made = create(uow, "matter", NewRecord(values, Entry("free"))).record_id
        if stage != "a":
            assert isinstance(move(uow, MoveRecord(made, stage)), Applied)
        assert isinstance(move(uow, MoveRecord(made, end, reason_key=reason)), Applied)
        uow.commit()
        return made


def population(world: World, **more: object) -> Population:
    return Population(("free",), "matter", world.admin(), **more)  # type: ignore[arg-type]


def test_loss_reasons_are_ranked_by_number_with_amount_share_and_stage_left(world: World) -> None:
    with world.work() as uow:
        report = reason_report(uow.session, population(world), currency="USD")

    lost = report.outcomes["lost"]
    assert [(row.reason, row.total.n, row.total.amount_minor) for row in lost.rows] == [
        ("price", 3, 30_000),
        ("timing", 1, 500_000),
    ]
    assert [row.share for row in lost.rows] == [Fraction(3, 4), Fraction(1, 4)]
    assert lost.rows[0].stages == {"a": Tally(1, 10_000), "b": Tally(2, 20_000)}
    assert lost.stages == {"a": Tally(1, 10_000), "b": Tally(3, 520_000)}
    assert lost.total == Tally(4, 530_000)


def test_the_rank_by_amount_turns_them_round(world: World) -> None:
    with world.work() as uow:
        report = reason_report(uow.session, population(world), currency="USD", rank="amount")

    assert [row.reason for row in report.outcomes["lost"].rows] == ["timing", "price"]
    assert [row.reason for row in report.outcomes["won"].rows] == ["reference", "trial"]


def test_tactics_and_invalid_records_without_a_reason_are_told(world: World) -> None:
    with world.work() as uow:
        outcomes = reason_report(uow.session, population(world), currency="USD").outcomes

    assert [(row.reason, row.total.n) for row in outcomes["won"].rows] == [("trial", 2), ("reference", 1)]
    assert [(row.reason, row.total.n) for row in outcomes["invalid"].rows] == [(None, 1)]


def test_every_number_has_a_list_of_that_length(world: World) -> None:
    checked = 0
    with world.work() as uow:
        people = population(world)
        for outcome, found in reason_report(uow.session, people, currency="USD").outcomes.items():
            for row in found.rows:
                reason = row.reason or ""
                page = ended_drill(uow.session, people, Ended((outcome,), reason=reason))
                assert page.total == row.total.n
                assert worth_of(page) == row.total.amount_minor
                for stage, part in row.stages.items():
                    listed = ended_drill(
                        uow.session, people, Ended((outcome,), reason=reason, stage=stage or "")
                    )
                    assert (listed.total, worth_of(listed)) == (part.n, part.amount_minor)
                    checked += 1
    assert checked == 7


def worth_of(page: DrillPage) -> int:
    return sum(row.amount_minor or 0 for row in page.rows)


def test_a_reopened_record_has_no_reason_any_more_and_a_repeated_end_counts_once(world: World) -> None:
    record_id = finish(world, "b", "won", "trial", "10.00")
    with world.work() as uow:
        move(uow, MoveRecord(record_id, "c"))
        uow.commit()
        reopened = reason_report(uow.session, population(world), currency="USD").outcomes
    assert reopened["won"].total.n == 3
    with world.work() as uow:
        move(uow, MoveRecord(record_id, "lost", reason_key="rival"))
        uow.commit()
        again = reason_report(uow.session, population(world), currency="USD").outcomes
    assert again["won"].total.n == 3
    assert {row.reason: row.stages for row in again["lost"].rows}["rival"] == {"c": Tally(1, 1_000)}


def test_a_period_holds_what_was_closed_in_it(world: World) -> None:
    world.clock.advance(timedelta(days=40))
    finish(world, "b", "lost", "rival", "1.00")
    today = world.clock.now().date()
    later = Period(today, today + timedelta(days=1))
    with world.work() as uow:
        lost = reason_report(uow.session, population(world, period=later), currency="USD").outcomes["lost"]
        earlier = population(world, period=Period(date(2001, 1, 1), today))
        before = reason_report(uow.session, earlier, currency="USD").outcomes["lost"]
        listed = ended_drill(uow.session, population(world, period=later), Ended(("lost",)))
    assert [row.reason for row in lost.rows] == ["rival"]
    assert listed.total == 1
    assert Counter({row.reason: row.total.n for row in before.rows}) == {"price": 3, "timing": 1}


def test_a_record_that_began_at_its_end_was_left_from_no_stage(world: World) -> None:
    from builder.domain.stays import LoggedEntry
    from builder.services.history import LoadedRecord, load_histories

    with world.work() as uow:
        entry = LoggedEntry("lost", uow.clock.now())
        load_histories(uow, "matter", "free", [LoadedRecord(NewRecord({"title": "Old"}), [entry])])
        uow.commit()
        people = population(world)
        lost = reason_report(uow.session, people, currency="USD").outcomes["lost"]
        assert lost.stages[None].n == 1
        assert ended_drill(uow.session, people, Ended(("lost",), reason="", stage="")).total == 1
