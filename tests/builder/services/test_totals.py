"""Totals over related records are exact at every commit, whoever writes, on both databases."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from builder.db.records import Record
from builder.domain.comparison import EvaluationContext
from builder.errors import Invalid
from builder.queries.list import ListRequest, list_records
from builder.services import definitions, deletion, maintenance, records, transitions
from builder.services.entries import Entry
from builder.services.records import NewRecord, Saved, SaveRecord
from builder.services.unit_of_work import UnitOfWork
from tests.factories import ACCOUNT, CASE, FREE, ROLES, World, make_world, text_field
from tests.fixtures.databases import FreshDatabase

L = {"en": "Field"}


def total(function: str, of: str | None = None, kind: str = "rollup", **own: Any) -> dict[str, Any]:
    asked = {"x-from": "matter", "x-by": "client", "x-function": function, **({"x-of": of} if of else {})}
    return {"x-type": kind, "x-label": L, **asked, **own}


TOTALS = {
    "matters": total("count", **{"x-filterable": True}),
    "hours": total("sum", "hours"),
    "longest": total("max", "hours"),
    "shortest": total("min", "hours"),
    "worth": total("sum", "worth", "money_rollup"),
    "dearest": total("max", "worth", "money_rollup"),
    "won": total("sum", "worth", "money_rollup", **{"x-outcome": "won", "x-filterable": True}),
    "twice": {"x-type": "formula", "x-label": L, "x-formula": "hours * 2", "x-filterable": True},
}
TITLE = text_field("Title", **{"x-role": "name", "x-filterable": True})
CURRENCIES = [{"key": key, "label": {"en": key}} for key in ("CNY", "USD")]


def client(**fields: Any) -> dict[str, Any]:
    return {**ACCOUNT, "fields": {**ACCOUNT["fields"], "properties": {"title": TITLE, **fields}}}


def matter() -> dict[str, Any]:
    properties = {
        "title": TITLE,
        "client": {"x-type": "reference", "x-label": L, "x-target": "client"},
        "hours": {"x-type": "decimal", "x-label": L},
        "worth": {"x-type": "money", "x-label": L, "x-role": "amount"},
        "currency": {"x-type": "choice", "x-label": L, "x-role": "currency", "x-options": CURRENCIES},
    }
    return {**CASE, "search": [], "fields": {**CASE["fields"], "properties": properties}}


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    return make_world(database_url.url, documents=(client(**TOTALS), matter(), FREE, *ROLES))


def create(world: World, object_key: str, *values: dict[str, Any]) -> list[int]:
    with world.work() as uow:
        results = records.create_many(uow, object_key, [NewRecord({"title": "X", **own}) for own in values])
        uow.commit()
    assert all(isinstance(result, Saved) for result in results), results
    return [result.record_id for result in results if isinstance(result, Saved)]


def save(world: World, record_id: int, **values: Any) -> None:
    with world.work() as uow:
        records.save(uow, SaveRecord(record_id, values))
        uow.commit()


def held(world: World, record_id: int) -> dict[str, Any]:
    with world.work() as uow:
        data = uow.session.scalars(select(Record.data).where(Record.id == record_id)).one()
        report = maintenance.verify(uow)
        assert report.is_clean, report.differences
    return {key: value for key, value in data.items() if key != "title"}


def test_what_refers_to_a_record_is_counted_and_added_up_per_currency(world: World) -> None:
    (one,) = create(world, "client", {})
    assert held(world, one) == {"matters": "0"}
    mine = {"client": str(one)}
    create(
        world,
        "matter",
        {**mine, "hours": "0.10", "worth": "5.00", "currency": "CNY"},
        {**mine, "hours": "0.20", "worth": "7.50", "currency": "USD"},
        {**mine, "worth": "1.00", "currency": "CNY"},
        {"hours": "9"},
    )
    assert held(world, one) == {
        "matters": "3",
        "hours": "0.30",
        "longest": "0.20",
        "shortest": "0.10",
        "worth": {"CNY": "6.00", "USD": "7.50"},
        "dearest": {"CNY": "5.00", "USD": "7.50"},
        "twice": "0.60",
    }


def test_changes_moves_to_others_and_the_recycle_bin_are_followed(world: World) -> None:
    one, other = create(world, "client", {}, {})
    mine = {"client": str(one), "currency": "CNY"}
    first, second = create(
        world, "matter", {**mine, "hours": "1", "worth": "5.00"}, {**mine, "hours": "4", "worth": "6.00"}
    )
    save(world, second, hours="2", worth="1.00")
    assert held(world, one)["longest"] == "2"
    assert held(world, one)["dearest"] == {"CNY": "5.00"}
    save(world, first, currency="USD")
    assert held(world, one)["worth"] == {"CNY": "1.00", "USD": "5.00"}
    save(world, first, client=str(other))
    assert held(world, one)["matters"] == held(world, other)["matters"] == "1"
    assert held(world, other)["worth"] == {"USD": "5.00"}
    with world.work() as uow:
        deletion.delete(uow, second)
        uow.commit()
    assert held(world, one) == {"matters": "0"}
    with world.work() as uow:
        deletion.restore(uow, second)
        uow.commit()
    assert held(world, one)["hours"] == "2"
    save(world, second, hours=None)
    assert "hours" not in held(world, one)


def test_nobody_brings_a_total_and_the_revision_of_its_holder_stays(world: World) -> None:
    (one,) = create(world, "client", {"matters": "99", "worth": {"CNY": "1.00"}})
    assert held(world, one) == {"matters": "0"}
    create(world, "matter", {"client": str(one)})
    with world.work() as uow:
        saved = records.save(uow, SaveRecord(one, {"title": "New", "matters": "50"}, revision=1))
        uow.commit()
    assert saved.changed == ("title",)
    assert held(world, one)["matters"] == "1"


def _create_two(uow: UnitOfWork, *values: dict[str, Any]) -> None:
    with uow.savepoint():
        for one in values:
            records.create(uow, "matter", NewRecord(one))


def test_what_is_undone_counts_nothing(world: World) -> None:
    (one,) = create(world, "client", {})
    with world.work() as uow:
        records.create(uow, "matter", NewRecord({"title": "A", "client": str(one)}))
        with pytest.raises(Invalid):
            _create_two(uow, {"title": "B", "client": str(one)}, {"title": "", "client": str(one)})
        uow.commit()
    with world.work() as uow:
        records.create(uow, "matter", NewRecord({"title": "C", "client": str(one)}))
        uow.rollback()
    assert held(world, one)["matters"] == "1"


def test_people_who_write_below_one_record_at_once_lose_nothing(world: World) -> None:
    one, other = create(world, "client", {}, {})

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(6):
            ids = [chance.choice((one, other)) for _ in range(2)]
            made = create(world, "matter", *({"client": str(one), "hours": "1.5"} for one in ids))
            save(world, made[0], hours=chance.choice((None, "2.25")), client=str(chance.choice(ids)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert int(held(world, one)["matters"]) + int(held(world, other)["matters"]) == 48


def test_totals_are_counted_when_they_are_published_and_by_rebuild(database_url: FreshDatabase) -> None:
    world = make_world(database_url.url, documents=(client(), matter(), *ROLES))
    (one,) = create(world, "client", {})
    create(world, "matter", {"client": str(one), "hours": "2"}, {"client": str(one), "hours": "3"})
    with world.work() as uow:
        definitions.publish(uow, [client(**TOTALS)])
        uow.commit()
    assert held(world, one)["hours"] == "5"
    with world.work() as uow:
        uow.session.execute(
            update(Record).where(Record.id == one).values(data={"title": "X", "matters": "7"})
        )
        assert maintenance.verify(uow).differences["total"] == 4
        maintenance.rebuild(uow)
        uow.commit()
    assert held(world, one)["matters"] == "2"


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        (total("count", **{"x-from": "nothing"}), "total_unknown_object"),
        (total("count", **{"x-by": "title"}), "total_by_no_reference"),
        (total("sum", "title"), "total_of_no_number"),
        (total("sum", "worth"), "total_of_no_number"),
        (total("sum", "hours", "money_rollup"), "total_of_no_number"),
    ],
)
def test_a_total_of_what_is_not_there_is_not_published(world: World, field: Any, rule: str) -> None:
    with world.work() as uow, pytest.raises(Invalid) as caught:
        definitions.publish(uow, [client(wrong=field)])
    assert rule in {getattr(problem, "rule", "") for problem in caught.value.problems}


def test_only_what_was_won_counts_and_lists_are_ordered_by_it(world: World) -> None:
    """The historical value of a customer (M29)."""
    one, other, third = create(world, "client", {}, {}, {})
    mine, theirs = {"client": str(one), "currency": "CNY"}, {"client": str(other), "currency": "USD"}
    small, large, usd, free = (
        create(world, "matter", {**values, "worth": worth})[0]
        for values, worth in ((mine, "5.00"), (mine, "9.00"), (theirs, "7.00"), (theirs, "1.00"))
    )
    assert "won" not in held(world, one)

    def moved(record_id: int, stage: str) -> None:
        with world.work() as uow:
            result = transitions.move(uow, transitions.MoveRecord(record_id, stage, override_reason="So"))
            assert isinstance(result, transitions.Applied)
            uow.commit()

    for record_id in (small, large, usd):
        with world.work() as uow:
            transitions.start(uow, record_id, Entry("free"))
            uow.commit()
        moved(record_id, "won")
    assert held(world, one)["won"] == {"CNY": "14.00"}
    assert ordered(world, "-won") == [one, other, third]
    assert ordered(world, "won")[-1] == third
    moved(large, "a")
    assert held(world, one)["won"] == {"CNY": "5.00"}
    assert ordered(world, "-won") == [other, one, third]
    save(world, usd, client=str(third))
    assert ordered(world, "-won") == [third, one, other]
    assert held(world, free) == {"client": str(other), "currency": "USD", "worth": "1.00"}


def ordered(world: World, sort: str) -> list[int]:
    with world.work() as uow:
        request = ListRequest("client", sort=(sort,))
        page = list_records(uow.session, uow.catalog, uow.actor, request, EvaluationContext(uow.clock.now()))
    assert page.problem is None
    return [row.id for row in page.rows]
