"""The board of a pipeline: columns of cards to drag, or to move by the menu of each card (part 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, make_response, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import told
from blueprints.scope import Scope, scope
from blueprints.workspace.area import has_endpoint
from blueprints.workspace.board_area import boards
from blueprints.workspace.board_arrangement import arranged_board
from blueprints.workspace.board_columns import ColumnView, columns_of_board, folded_stages, groups_of
from blueprints.workspace.board_filter import (
    BoardFilter,
    name_field,
    owners,
    read_filter,
)
from blueprints.workspace.board_lanes import LaneBoard, in_lane, lanes_of
from blueprints.workspace.card_fields import choices
from blueprints.workspace.cards import board_mark, total_of
from blueprints.workspace.filter_words import evaluation_context
from blueprints.workspace.lanes import offered
from builder.db.ids import to_public
from builder.domain.pipeline import Pipeline
from builder.errors import NotFound
from builder.queries import board as queries
from builder.queries.board_heads import ColumnHead
from builder.queries.lanes import CELL_CARDS


def register(app: Flask) -> None:
    """Register the routes; the sidebar finds them."""
    app.register_blueprint(boards)


@boards.get("/p/<pipeline_key>/board")
def board(pipeline_key: str) -> Response:
    """The whole board, or for htmx what the filter changes."""
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    arranged = arranged_board(here, pipeline)
    wanted = read_filter(here, pipeline, request.args, arranged=arranged)
    folded = folded_stages(pipeline, arranged)
    found = queries.board(
        here.session,
        here.catalog,
        here.actor,
        pipeline,
        evaluation_context(here),
        filter=wanted.condition,
        folded={stage.key for stage in pipeline.stages} if wanted.lanes else folded,
        shown=wanted.cards or (),
    )
    heads = {column.stage_key: column.head for column in found.columns}
    columns = columns_of_board(here, wanted, found, folded)
    lanes = lanes_of(here, wanted, columns, request.args.get("from", "")) if wanted.lanes else None
    return _page(here, wanted, columns, heads, lanes=lanes)


@boards.get("/p/<pipeline_key>/board/<stage_key>")
def column(pipeline_key: str, stage_key: str) -> Response:
    """One column: more of its cards (``after``), itself open or folded, or a page of its own.

    With ``lane`` it is one cell of a swimlane.
    """
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    wanted = read_filter(here, pipeline, request.args, with_views=not request.htmx)
    lane, condition = in_lane(here, wanted, request.args.get("lane"))
    after = request.args.get("after", "")
    found = queries.board_column(
        here.session,
        here.catalog,
        here.actor,
        pipeline,
        stage_key,
        evaluation_context(here),
        filter=condition,
        after=after or None,
        shown=wanted.cards or (),
        limit=queries.CARDS if lane is None else CELL_CARDS,
    )
    if stage_key not in pipeline.by_key and not found.columns[0].head.count:
        raise NotFound()
    folded = frozenset({stage_key} if "fold" in request.args else ())
    (only,) = columns_of_board(here, wanted, found, folded, lane)
    if not request.htmx or request.htmx.boosted or request.htmx.history_restore_request:
        heads = {stage_key: found.columns[0].head}
        return _page(here, wanted, [only], heads, single=only, problem=found.problem)
    name = "fragments/board/cards.html" if after else "fragments/board/column.html"
    return make_response(render_template(name, column=only, pipeline=pipeline, mark=_mark(wanted)))


def _mark(wanted: BoardFilter) -> str:
    return board_mark(wanted.pipeline.key, wanted.mark)


def _page(
    here: Scope,
    wanted: BoardFilter,
    columns: list[ColumnView],
    heads: Mapping[str, ColumnHead],
    *,
    lanes: LaneBoard | None = None,
    single: ColumnView | None = None,
    problem: Any = None,
) -> Response:
    pipeline = wanted.pipeline
    facts: dict[str, Any] = {
        "pipeline": pipeline,
        "wanted": wanted,
        "groups": groups_of(pipeline, columns),
        "columns": columns,
        "lanes": lanes,
        "single": single,
        "total": total_of(pipeline, heads),
        "problems": [*wanted.problems, *([told(problem)] if problem else [])],
        "address": url_for("board.board", pipeline_key=pipeline.key),
        "mark": _mark(wanted),
        "moves": url_for("moves.choose", record_id=0)[: -len(to_public(0) + "/move")],
    }
    if request.htmx and request.htmx.target == "board":
        return make_response(render_template("fragments/board/board.html", is_part=True, **facts))
    return make_response(
        render_template(
            "pages/workspace/board.html", is_part=False, **facts, **_around(here, pipeline, wanted)
        )
    )


def _around(here: Scope, pipeline: Pipeline, wanted: BoardFilter) -> dict[str, Any]:
    """What stands above the board: ways to limit, divide, arrange and save it."""
    definition = here.catalog.object(pipeline.object_key)
    listed = has_endpoint("workspace.record_list")
    stored = wanted.stored
    place: dict[str, Any] = {"pipeline_key": pipeline.key, **wanted.args(f=wanted.filter)}
    owns = stored is not None and (
        stored.member_id == here.actor.member_id or (stored.is_shared and here.actor.can("definitions.edit"))
    )
    return {
        "definition": definition,
        "owners": owners(here, pipeline),
        "has_text": bool(name_field(here, pipeline)),
        "list_url": url_for("workspace.record_list", object_key=definition.key) if listed else "",
        "new_url": _new_address(here, definition.key),
        "lane_choices": offered(definition),
        "card_choices": choices(definition, wanted.cards),
        "filter_url": url_for("board.filter_board", **place),
        "may_share": here.actor.can("view.share"),
        "owns_view": owns,
    }


def _new_address(here: Scope, object_key: str) -> str:
    if not here.actor.can("record.create") or not has_endpoint("workspace.new_record"):
        return ""
    return url_for("workspace.new_record", object_key=object_key)
