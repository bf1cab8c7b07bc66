"""Boards: columns, heads, more cards, filters, what one may see."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from builder.db.records import Record
from builder.domain.conditions import parse
from builder.domain.permissions import Actor
from builder.queries.board import Board, board, board_column
from builder.queries.board_heads import CurrencySum
from builder.services import deletion, records
from tests.builder.queries.world import ANN, BEN, NORTH, SOUTH, World, actor, counted


def shown(world: World, who: Actor | None = None, **more: Any) -> Board:
    pipeline = world.catalog.pipeline("path")
    return board(world.session, world.catalog, who or actor(), pipeline, world.context, **more)


def cards(found: Board) -> dict[str, list[str]]:
    return {
        column.stage_key: [card.name for card in column.cards] for column in found.columns if column.cards
    }


def heads(found: Board) -> dict[str, tuple[int, tuple[CurrencySum, ...]]]:
    return {
        column.stage_key: (column.head.count, column.head.sums)
        for column in found.columns
        if column.head.count
    }


def column(world: World, stage_key: str, who: Actor | None = None, **more: Any) -> Board:
    pipeline = world.catalog.pipeline("path")
    place = (world.session, world.catalog, who or actor(), pipeline, stage_key, world.context)
    return board_column(*place, **more)


def test_columns_stand_in_the_order_of_the_stages_with_the_latest_card_first(world: World) -> None:
    for number in range(3):
        world.opportunity(f"first {number}", stage="first")
    world.opportunity("deep", stage="third")
    found = shown(world)
    assert [column.stage_key for column in found.columns] == list(world.catalog.pipeline("path").by_key)
    assert cards(found) == {"first": ["first 2", "first 1", "first 0"], "third": ["deep"]}


def test_heads_sum_count_amount_and_weighted_amount(world: World) -> None:
    world.opportunity("a", stage="second", amount="100.05")
    world.opportunity("b", stage="second", amount="0.10")
    world.opportunity("c", stage="second")
    # 30 % of 100.15 is 30.045, rounded once.
    assert heads(shown(world)) == {"second": (3, (CurrencySum("CNY", 10015, 3005),))}


def walked(world: World, who: Actor | None, limit: int) -> list[str]:
    found = shown(world, who, limit=limit).columns[0]
    names = [card.name for card in found.cards]
    while found.next:
        found = column(world, "first", who, after=found.next, limit=limit).columns[0]
        names += [card.name for card in found.cards]
    return names


def with_unknown_entries(world: World, owner: str | None = None) -> None:
    for number in range(7):
        more = {} if owner is None else {"owner": owner}
        made = world.opportunity(f"{number}", stage="first", **more)
        if number % 2:
            world.session.begin_write()
            world.session.execute(update(Record).where(Record.id == made).values(stage_entered_at=None))
            world.session.commit()


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_more_cards_continue_where_the_column_ended_unknown_entries_last(world: World, limit: int) -> None:
    with_unknown_entries(world)
    assert walked(world, None, limit) == list("6420531")


def test_a_limited_board_continues_with_shared_cards_in_their_places(world: World) -> None:
    for number in range(8):
        owner = ANN if number % 3 else BEN
        made = world.opportunity(f"{number}", stage="first", owner=str(owner))
        if owner == BEN and number:
            world.share(made, ANN)
        if number in (5, 6):
            world.session.begin_write()
            world.session.execute(update(Record).where(Record.id == made).values(stage_entered_at=None))
            world.session.commit()
    for limit in (1, 2, 50):
        assert walked(world, actor(ANN, "own"), limit) == list("7432165")
    assert shown(world, actor(ANN, "own")).columns[0].head.count == 7


def test_a_bad_cursor_begins_the_column_again_and_says_so(world: World) -> None:
    with_unknown_entries(world)
    for cursor in ("x", "\x00", "W10", "a" * 5000):
        found = column(world, "first", after=cursor, limit=2)
        assert found.problem is not None
        assert cards(found) == {"first": ["6", "4"]}


def test_heads_and_cards_of_each_visibility_agree(world: World) -> None:
    places = [(ANN, NORTH), (ANN, SOUTH), (BEN, NORTH), (BEN, SOUTH), (None, None)]
    for number, (owner, department) in enumerate(places):
        more = {} if owner is None else {"owner": str(owner)}
        uow = world.uow(actor(owner or ANN, departments=(department,) if department else ()))
        from builder.services.entries import Entry
        from builder.services.records import NewRecord

        values = {"title": f"{number}", "amount": "1", **more}
        if owner is None:
            uow = world.uow(actor(0))
        records.create(uow, "opportunity", NewRecord(values, entry=Entry("path", "first")))
        uow.commit()
    made = column(world, "first").columns[0].cards
    for who in (
        actor(),
        actor(ANN, "own"),
        actor(ANN, "department", (NORTH,)),
        actor(BEN, "department", (SOUTH,)),
        actor(ANN, "subtree", (NORTH, SOUTH)),
    ):
        expected = {
            card.name for card in made if who.can_see("opportunity", card.owner_id, card.department_id)
        }
        plain = shown(world, who).columns[0]
        everything = parse({"field": "record.stage", "op": "not_empty"})
        filtered = shown(world, who, filter=everything).columns[0]
        for found in (plain, filtered):
            assert {card.name for card in found.cards} == expected
            assert found.head.count == len(expected)
            assert found.head.sums == (CurrencySum("CNY", 100 * len(expected), 10 * len(expected)),)


def test_a_filter_narrows_cards_and_heads(world: World) -> None:
    world.opportunity("web", stage="first", source="web", amount="10")
    world.opportunity("fair", stage="first", source="fair", amount="20")
    found = shown(world, filter=parse({"field": "source", "op": "eq", "value": "web"}))
    assert cards(found) == {"first": ["web"]}
    assert heads(found) == {"first": (1, (CurrencySum("CNY", 1000, 100),))}


def test_deleted_records_and_other_workspaces_are_on_no_board(world: World) -> None:
    made = world.opportunity("gone", stage="first", amount="5")
    uow = world.uow()
    deletion.delete(uow, made, None)
    uow.commit()
    world.opportunity("there", stage="first", amount="7")
    assert heads(shown(world)) == {"first": (1, (CurrencySum("CNY", 700, 70),))}
    other = world.open(8)
    pipeline = world.catalog.pipeline("path")
    for who in (actor(), actor(ANN, "subtree", (NORTH, SOUTH))):
        found = board(other, world.catalog, who, pipeline, world.context)
        assert not cards(found)
        assert not heads(found)
    other.close()


def test_records_in_a_stage_that_the_pipeline_lost_are_still_shown(world: World) -> None:
    made = world.opportunity("old", stage="first", amount="1")
    world.session.begin_write()
    from builder.db.ledger import FunnelRollup, RollupDelta

    world.session.execute(update(Record).where(Record.id == made).values(stage_key="former"))
    for cells in (FunnelRollup, RollupDelta):
        world.session.execute(update(cells).where(cells.measure == "now").values(stage_key="former"))
    world.session.commit()
    assert shown(world).columns[-1].stage_key == "former"
    assert cards(shown(world)) == {"former": ["old"]}


def test_names_of_accounts_come_along(world: World) -> None:
    account = world.account("Acme")
    world.opportunity("deal", stage="first", account=str(account), owner=str(ANN))
    found = shown(world)
    assert found.names.records == {account: "Acme"}
    assert found.columns[0].cards[0].owner_name == "Ann Lee"


@pytest.mark.parametrize(
    ("who", "most"), [(actor(), 9), (actor(ANN, "own"), 10), (actor(ANN, "subtree", (NORTH, SOUTH)), 10)]
)
def test_a_board_takes_one_statement_a_column_and_three_more(world: World, who: Actor, most: int) -> None:
    account = world.account("Acme")
    for stage in world.catalog.pipeline("path").by_key:
        if stage in ("first", "second", "third"):
            world.opportunity(stage, stage=stage, account=str(account), owner=str(ANN))
    with counted(world.engine) as statements:
        shown(world, who)
    assert len(statements) <= most
