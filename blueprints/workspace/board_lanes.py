"""A board divided into lanes. The first lane comes with the page, the others when they come into sight.

The page costs the statements of the plain board without its columns, up to three for the lanes, and those of
one lane; each lane after it a request of its own: its figures, one statement a cell that holds cards, and at
most three for shared records and names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import make_response, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.scope import Scope, scope
from blueprints.workspace.board_area import boards
from blueprints.workspace.board_arrangement import arranged_board
from blueprints.workspace.board_columns import ColumnMaker, ColumnView, folded_stages
from blueprints.workspace.board_filter import BoardFilter, read_filter, read_query
from blueprints.workspace.cards import HeadView, board_mark
from blueprints.workspace.filter_words import evaluation_context
from blueprints.workspace.lanes import Lanes, lane_head, lane_id, open_stages
from builder.db.ids import to_public
from builder.domain.conditions import All, Condition
from builder.errors import NotFound
from builder.queries import board as queries
from builder.queries.board_heads import ColumnHead
from builder.queries.lanes import LANES, Heads, LaneValue, lane_cells, lane_heads, lane_values

MOST_SKIPPED = 100_000


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane. ``token``: its value in addresses, ``id`` in ids of elements. ``cells``: none until they are
    read from ``address``.
    """

    token: str
    id: str
    title: str
    head: HeadView
    address: str
    cells: tuple[ColumnView, ...] | None = None


@dataclass(frozen=True, slots=True)
class LaneBoard:
    """``label``: what divides the board. ``more``: where the following lanes are."""

    label: str
    lanes: tuple[LaneView, ...]
    more: str


def in_lane(here: Scope, wanted: BoardFilter, token: str | None) -> tuple[str | None, Condition | None]:
    """The lane that an address names and what limits its cells; none on a board without lanes.

    Errors: NotFound for what no lane can be.
    """
    if token is None or not wanted.lanes:
        return None, wanted.condition
    lanes = _lanes(here, wanted)
    parts = () if wanted.condition is None else (wanted.condition,)
    return token, All((*parts, lanes.condition(lanes.read(token))))


def lanes_of(here: Scope, wanted: BoardFilter, columns: Sequence[ColumnView], skipped: str) -> LaneBoard:
    """The lanes of a board, the first that holds cards with its cells."""
    lanes = _lanes(here, wanted)
    unfolded = [column.key for column in columns if not column.is_folded]
    stages = {*open_stages(wanted.pipeline), *unfolded}
    query_scope = _query_scope(here, wanted)
    skip = min(int(skipped[:6]), MOST_SKIPPED) if skipped.isascii() and skipped.isdecimal() else 0
    more = ""
    if lanes.fixed is not None:
        heads = lane_heads(query_scope, lanes.field, stages)
        known = dict.fromkeys((*lanes.fixed, *sorted(heads, key=str)))
        values = [value for value in known if value is not None] + ([None] if None in heads else [])
    else:
        values = lane_values(query_scope, lanes.field, stages, skip=skip)
        if len(values) > LANES:
            more = wanted.address(**{"from": str(skip + LANES)})
        values = values[:LANES]
        heads = lane_heads(query_scope, lanes.field, stages, values) if values else {}
    titles = lanes.titles(values)
    views = [_view(wanted, lanes, value, titles[value], heads.get(value, {})) for value in values]
    first = next((place for place, value in enumerate(values) if heads.get(value)), None)
    if first is not None:
        value = values[first]
        views[first] = replace(views[first], cells=_cells(here, wanted, value, columns, heads[value]))
    return LaneBoard(lanes.label, tuple(views), more)


@boards.get("/p/<pipeline_key>/lanes/<token>")
def lane(pipeline_key: str, token: str) -> Response:
    """One lane with its cells: the fragment for htmx, or the board limited to it."""
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    wanted = read_filter(here, pipeline, request.args, with_views=False)
    if not wanted.lanes:
        raise NotFound()
    lanes = _lanes(here, wanted)
    value = lanes.read(token)
    folded = folded_stages(pipeline, arranged_board(here, pipeline))
    stages = {*open_stages(pipeline), *(stage.key for stage in pipeline.stages if stage.key not in folded)}
    heads = lane_heads(_query_scope(here, wanted), lanes.field, stages, (value,)).get(value, {})
    if not heads and lanes.fixed is None:
        raise NotFound()
    maker = ColumnMaker(here, wanted, queries.CardNames({}, {}))
    strips = [maker.column(_strip(stage.key), is_folded=stage.key in folded) for stage in pipeline.stages]
    view = _view(wanted, lanes, value, lanes.titles((value,))[value], heads)
    view = replace(view, cells=_cells(here, wanted, value, strips, heads))
    is_part = bool(request.htmx and not request.htmx.boosted)
    name = "fragments/board/lane.html" if is_part else "pages/workspace/lane.html"
    facts: dict[str, Any] = {
        "lane": view,
        "columns": strips,
        "pipeline": pipeline,
        "wanted": wanted,
        "label": lanes.label,
        "mark": board_mark(pipeline.key, wanted.mark),
        "moves": _moves(),
    }
    return make_response(render_template(name, **facts))


def _lanes(here: Scope, wanted: BoardFilter) -> Lanes:
    return Lanes(here, here.catalog.object(wanted.pipeline.object_key), wanted.lanes)


def _view(wanted: BoardFilter, lanes: Lanes, value: LaneValue, title: str, heads: Heads) -> LaneView:
    token, pipeline = lanes.token(value), wanted.pipeline
    args: Mapping[str, Any] = {**read_query(wanted.mark), "lanes": wanted.lanes}
    address = url_for("board.lane", pipeline_key=pipeline.key, token=token, **args)
    return LaneView(token, lane_id(token), title, lane_head(pipeline, token, heads), address)


def _cells(
    here: Scope, wanted: BoardFilter, value: LaneValue, columns: Sequence[ColumnView], heads: Heads
) -> tuple[ColumnView, ...]:
    token, condition = in_lane(here, wanted, _lanes(here, wanted).token(value))
    unfolded = [column.key for column in columns if not column.is_folded]
    found = {
        each.stage_key: each for each in lane_cells(_query_scope(here, wanted, condition), unfolded, heads)
    }
    cards = [card for each in found.values() for card in each.cards]
    names = queries.names_on(here.session, here.catalog, wanted.pipeline, cards, wanted.cards or ())
    maker = ColumnMaker(here, wanted, names)
    return tuple(
        maker.column(found.get(column.key) or _strip(column.key), is_folded=column.is_folded, lane=token)
        for column in columns
    )


def _strip(stage_key: str) -> queries.BoardColumn:
    return queries.BoardColumn(stage_key, ColumnHead(), (), None)


def _query_scope(here: Scope, wanted: BoardFilter, condition: Condition | None = None) -> Any:
    return queries.scope_of(
        here.session,
        here.catalog,
        here.actor,
        wanted.pipeline,
        evaluation_context(here),
        wanted.condition if condition is None else condition,
    )


def _moves() -> str:
    return url_for("moves.choose", record_id=0)[: -len(to_public(0) + "/move")]
