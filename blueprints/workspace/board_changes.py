"""What a board changes after a move: the card at its new place and the figures around it, all out of band."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import render_template
from flask_babel import gettext

from blueprints.scope import Scope
from blueprints.workspace.board_filter import BoardFilter, read_filter, read_query
from blueprints.workspace.cards import CardReader, CardView, HeadView, head_view, stage_title, total_of
from blueprints.workspace.filter_words import evaluation_context
from blueprints.workspace.lanes import Lanes, lane_head, lane_id, open_stages
from builder.domain.pipeline import Pipeline
from builder.queries import board as queries
from builder.queries.board import Card, CardNames
from builder.queries.board_heads import ColumnHead
from builder.queries.board_moved import after_move
from builder.queries.lanes import LaneValue, lane_heads


def moved_fragments(
    here: Scope,
    pipeline: Pipeline,
    record_id: int,
    stages: set[str],
    query: str,
    left_lane: str | None = None,
    *,
    is_new: bool = False,
) -> str:
    """The card at its new place, the heads of both columns, the totals; on a board with lanes also theirs.

    ``query`` is the board's mark, so that the figures stay those of its filter. One statement, two with a
    filter; with chosen fields on the cards up to two more for names, with lanes one more. ``left_lane``: the
    lane that the card left, as in an address. ``is_new``: the record was made just now, so there is no card
    to take away.
    """
    wanted = read_filter(here, pipeline, read_query(query), with_views=False)
    context = evaluation_context(here)
    heads, here_now, accounts = after_move(
        here.session, here.catalog, here.actor, pipeline, record_id, context, filter=wanted.condition
    )
    card: CardView | None = None
    target = announced = ""
    shown_heads = [head_view(key, heads.get(key, ColumnHead())) for key in sorted(stages)]
    if here_now is not None:
        card = _card_view(here, wanted, here_now, accounts)
        target = here_now.stage_key
        if target not in stages:
            shown_heads.append(head_view(target, heads.get(target, ColumnHead())))
        title = stage_title(pipeline.by_key.get(target), target)
        announced = gettext("“%(name)s” is in “%(stage)s” now.", name=card.name, stage=title)
        if wanted.lanes:
            lanes = Lanes(here, here.catalog.object(pipeline.object_key), wanted.lanes)
            present = lanes.value_of(here_now)
            target = f"{target}--{lane_id(lanes.token(present))}"
            left = () if left_lane is None else (lanes.read(left_lane),)
            shown_heads += _lane_heads(here, wanted, lanes, {present, *left})
    return render_template(
        "fragments/board/moved.html",
        record_id=record_id,
        is_new=is_new,
        card=card,
        target=target,
        heads=shown_heads,
        total=total_of(pipeline, heads),
        told=announced,
    )


def _card_view(here: Scope, wanted: BoardFilter, card: Card, accounts: Mapping[int, str]) -> CardView:
    names = CardNames(accounts, {})
    if wanted.cards:
        names = queries.names_on(here.session, here.catalog, wanted.pipeline, [card], wanted.cards)
    return CardReader(here, wanted.pipeline, names, wanted.mark, wanted.cards).view(card)


def _lane_heads(
    here: Scope, wanted: BoardFilter, lanes: Lanes, values: Iterable[LaneValue]
) -> list[HeadView]:
    values = set(values)
    scope = queries.scope_of(
        here.session,
        here.catalog,
        here.actor,
        wanted.pipeline,
        evaluation_context(here),
        wanted.condition,
    )
    found = lane_heads(scope, lanes.field, open_stages(wanted.pipeline), values)
    return [lane_head(wanted.pipeline, lanes.token(value), found.get(value, {})) for value in values]
