"""What a board shows anew after a move: the figures and the card that the board itself would show."""

from __future__ import annotations

from builder.domain.conditions import parse
from builder.queries.board import board
from builder.queries.board_moved import after_move
from tests.builder.queries.world import ANN, BEN, NORTH, World, actor, counted


def test_heads_and_card_are_those_of_the_board_in_one_statement(world: World) -> None:
    account = world.account("Acme")
    mine = world.opportunity("mine", stage="second", account=str(account), owner=str(ANN), amount="100.05")
    shared = world.opportunity("shared", stage="third", owner=str(BEN), amount="7")
    hidden = world.opportunity("hidden", stage="third", owner=str(BEN), amount="9")
    world.share(shared, ANN)
    path = world.catalog.pipeline("path")
    for who in (actor(), actor(ANN, "own"), actor(ANN, "subtree", (NORTH,))):
        for filter in (None, parse({"field": "amount", "op": "gt", "value": "1"})):
            asked = (world.session, world.catalog, who, path)
            seen = board(*asked, world.context, filter=filter)
            cards = {card.id: card for column in seen.columns for card in column.cards}
            assert set(cards) >= {mine, shared}
            for record_id in (mine, shared, hidden):
                with counted(world.engine) as statements:
                    heads, card, names = after_move(*asked, record_id, world.context, filter=filter)
                assert len(statements) == (1 if filter is None else 2)
                assert heads == {each.stage_key: each.head for each in seen.columns if each.head.count}
                assert card == cards.get(record_id)
                assert names == ({account: "Acme"} if record_id == mine else {})


def test_heads_stand_without_a_card_that_left_the_pipeline(world: World) -> None:
    world.opportunity("stays", stage="second", amount="5")
    elsewhere = world.account("Acme")
    path = world.catalog.pipeline("path")

    heads, card, names = after_move(world.session, world.catalog, actor(), path, elsewhere, world.context)

    assert {key: head.count for key, head in heads.items()} == {"second": 1}
    assert (card, names) == (None, {})
