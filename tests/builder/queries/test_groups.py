"""Groups of a list: exact counts and sums on both databases, per currency, as the reader sees the records."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import parse
from builder.domain.permissions import RIGHTS, Actor
from builder.errors import Invalid
from builder.queries import groups
from builder.queries.groups import Groups, list_groups, within
from builder.queries.list import ListRequest, list_records
from builder.services.entries import Entry
from builder.services.records import NewRecord, Saved, create_many
from builder.services.unit_of_work import UnitOfWork
from tests.factories import CASE, DOCUMENTS, World, make_world
from tests.fixtures.databases import FreshDatabase

MORE: dict[str, Any] = {
    "currency": {
        "x-type": "choice",
        "x-label": {"en": "Currency"},
        "x-role": "currency",
        "x-options": [{"key": key, "label": {"en": key}} for key in ("USD", "JPY", "KWD")],
    },
    "paid": {"x-type": "yes_no", "x-label": {"en": "Paid"}, "x-filterable": True},
    "hours": {"x-type": "duration", "x-label": {"en": "Hours"}, "x-filterable": True},
    "pieces": {"x-type": "integer", "x-label": {"en": "Pieces"}, "x-filterable": True},
    "weight": {"x-type": "decimal", "x-label": {"en": "Weight"}, "x-scale": 4, "x-filterable": True},
    "cost": {"x-type": "money", "x-label": {"en": "Cost"}, "x-currency": "USD", "x-filterable": True},
}
WIDE = {
    **CASE,
    "fields": {**CASE["fields"], "properties": {**CASE["fields"]["properties"], **MORE}},
}
COLUMNS = ("title", "worth", "cost", "hours", "pieces", "weight")
COUNT = 60


@pytest.fixture(scope="module")
def world(shared_database: FreshDatabase) -> Iterator[World]:
    made = make_world(shared_database.url, "grouped", [WIDE if one is CASE else one for one in DOCUMENTS])
    with made.work() as uow:
        made_all = create_many(uow, "matter", [NewRecord(values, Entry("free")) for values in _values()])
        assert all(isinstance(one, Saved) for one in made_all), made_all[0]
        uow.commit()
    yield made
    made.engine.dispose()


def _values() -> list[dict[str, Any]]:
    dice = random.Random(5)
    made = []
    for number in range(COUNT):
        currency = dice.choice(["USD", "JPY", "KWD"])
        digits = {"USD": 2, "JPY": 0, "KWD": 3}[currency]
        values = {
            "title": f"M{number}",
            "currency": currency,
            "worth": f"{Decimal(dice.randrange(-(10**6), 10**12)).scaleb(-digits):f}",
            "cost": f"{Decimal(dice.randrange(10**14)).scaleb(-2):f}",
            "weight": f"{Decimal(dice.randrange(-(10**9), 10**9)).scaleb(-4):f}",
            "hours": dice.randrange(10**6),
            "pieces": dice.randrange(10**9),
            "paid": dice.random() < 0.5,
            "heat": dice.choice(["cold", "hot"]),
            "due": f"2026-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
        }
        for key in ("heat", "due", "paid", "cost", "worth"):
            if dice.random() < 0.2:
                del values[key]
        made.append(values)
    return made


@pytest.fixture
def uow(world: World) -> Iterator[UnitOfWork]:
    with world.work() as made:
        yield made


def asked(uow: UnitOfWork, name: str, **more: Any) -> Groups:
    request = ListRequest("matter", columns=COLUMNS, **more)
    context = EvaluationContext(uow.clock.now(), "UTC", uow.actor.member_id)
    return list_groups(uow.session, uow.catalog, uow.actor, request, context, name)


def plain(found: Groups) -> dict[str, tuple[int, dict[str, dict[str, Decimal]]]]:
    return {value: (sums.count, sums.by_column) for value, sums in found.groups.items()}


def expected(key: str) -> dict[str, tuple[int, dict[str, dict[str, Decimal]]]]:
    """The same, added up in plain Python from what was written."""
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for values in _values():
        value = values.get(key)
        group = "" if value is None else {True: "yes", False: "no"}.get(value, value)
        group = group[:7] if key == "due" else group
        counts[group] += 1
        for column in COLUMNS[1:]:
            if column in values:
                own = {"worth": values["currency"], "cost": "USD"}.get(column, "")
                sums[group][column][own] += Decimal(values[column])
    return {
        group: (count, {column: dict(each) for column, each in sums[group].items()})
        for group, count in counts.items()
    }


@pytest.mark.parametrize("key", ["heat", "due", "paid"])
def test_counts_and_sums_are_those_of_plain_arithmetic(uow: UnitOfWork, key: str) -> None:
    found = asked(uow, key)
    assert plain(found) == expected(key)
    assert found.total.count == COUNT
    assert found.total.by_column["worth"].keys() == {"USD", "JPY", "KWD"}


def test_a_group_holds_the_rows_that_it_counts(uow: UnitOfWork) -> None:
    definition = uow.catalog.object("matter")
    context = EvaluationContext(uow.clock.now(), "UTC", uow.actor.member_id)
    for name in ("heat", "due", "paid", "holder", "record.stage", "record.outcome", "record.owner"):
        found = asked(uow, name)
        assert sum(sums.count for sums in found.groups.values()) == COUNT
        for value, sums in found.groups.items():
            request = ListRequest("matter", within=tuple(within(definition, name, value)), limit=200)
            page = list_records(uow.session, uow.catalog, uow.actor, request, context)
            assert len(page.rows) == sums.count, (name, value)


def test_filter_and_sight_limit_the_groups(uow: UnitOfWork) -> None:
    hot = asked(uow, "paid", filter=parse({"field": "heat", "op": "eq", "value": "hot"}))
    assert hot.total.count == expected("heat")["hot"][0]
    uow.actor = Actor(5, "Else", "rep", frozenset(RIGHTS), "own")
    assert asked(uow, "heat").groups == {}


def test_more_groups_than_are_told_leave_the_total_whole(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = asked(uow, "due").total
    monkeypatch.setattr(groups, "_MOST_DAYS", 5)
    cut = asked(uow, "due")
    assert cut.is_cut
    assert cut.total == whole


def test_sums_beyond_long_integers_stay_exact(uow: UnitOfWork) -> None:
    parts = groups._Summed(uow.catalog.object("matter").fields.by_key["worth"])
    assert parts.value([10**10, -7], "USD") == Decimal(10**19 - 7).scaleb(-2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("note", "x"), ("none", "x"), ("record.created_at", "x"), ("due", "2026-13"), ("paid", "maybe"),
        ("record.owner", "x" * 30), ("record.owner", "9" * 19), ("heat", "a\x00b"), ("heat", "x" * 500),
    ],
)  # fmt: skip
def test_what_makes_no_group_is_refused(uow: UnitOfWork, name: str, value: str) -> None:
    with pytest.raises(Invalid):
        within(uow.catalog.object("matter"), name, value)


def test_one_statement_that_an_index_serves(world: World, uow: UnitOfWork) -> None:
    from sqlalchemy import event

    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cu: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    asked(uow, "heat")
    event.listen(world.engine, "before_cursor_execute", note)
    try:
        asked(uow, "heat", filter=parse({"field": "heat", "op": "eq", "value": "hot"}))
    finally:
        event.remove(world.engine, "before_cursor_execute", note)
    grouped = [one for one in sent if "GROUP BY" in one[0]]
    assert len(grouped) == 1
    statement, parameters = grouped[0]
    if world.engine.dialect.name == "sqlite":
        plan = uow.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        assert "INDEX ix_record_" in " ".join(str(row) for row in plan)
        return
    uow.session.connection().execute(text("SET LOCAL enable_seqscan = off"))
    plan = uow.session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters)
    told = " ".join(str(row[0]) for row in plan)
    assert "Index" in told
    assert "Seq Scan on record" not in told


def test_a_request_for_nothing_but_the_total_has_no_groups(uow: UnitOfWork) -> None:
    found = asked(uow, "")
    assert (found.groups, found.total.count) == ({}, COUNT)
    assert replace(found, groups={}) == found


def test_groups_fall_by_the_sum_by_which_the_list_falls(uow: UnitOfWork) -> None:
    ranked = asked(uow, "due", sort=("-pieces",)).groups
    sums = [each.by_column["pieces"][""] for each in ranked.values()]
    assert len(sums) > 5
    biggest = max(ranked, key=lambda month: ranked[month].by_column["pieces"][""])
    assert biggest in ranked
    holders = asked(uow, "heat", sort=("-pieces",)).groups
    told = [each.by_column["pieces"][""] for each in holders.values()]
    assert told == sorted(told, reverse=True)


def test_a_list_falls_by_value_times_probability(world: World, uow: UnitOfWork) -> None:
    context = EvaluationContext(uow.clock.now(), "UTC", uow.actor.member_id)
    seen: list[Any] = []
    after = None
    while True:
        request = ListRequest("matter", sort=("-record.weighted",), after=after, limit=7)
        page = list_records(uow.session, uow.catalog, uow.actor, request, context)
        assert page.problem is None
        seen += page.rows
        after = page.next
        if after is None:
            break
    weights = [row.amount_minor * row.probability for row in seen if row.amount_minor is not None]
    assert len(seen) == COUNT
    assert weights == sorted(weights, reverse=True)
    assert all(row.amount_minor is None for row in seen[len(weights) :]), "those without a value come last"
    request = ListRequest("client", sort=("-record.weighted",))
    assert list_records(uow.session, uow.catalog, uow.actor, request, context).problem is not None
