"""The board of a pipeline: columns of cards to drag, or to move by the menu of each card (part 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Flask, make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local, told
from blueprints.scope import Scope, scope, workspace_area
from blueprints.workspace.area import has_endpoint
from blueprints.workspace.board_filter import (
    BoardFilter,
    evaluation_context,
    name_field,
    owners,
    read_filter,
    read_query,
)
from blueprints.workspace.cards import (
    CardReader,
    CardView,
    HeadView,
    board_mark,
    head_view,
    stage_title,
    total_of,
)
from blueprints.workspace.shown import stage_color
from builder.db.ids import to_public
from builder.domain.pipeline import Pipeline, Stage
from builder.errors import NotFound
from builder.queries import board as queries
from builder.queries.board import BoardColumn
from builder.queries.board_heads import ColumnHead

boards = workspace_area("board", __name__)


def register(app: Flask) -> None:
    """Register the routes; the sidebar finds them."""
    app.register_blueprint(boards)


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One stage on the board. ``stage`` is none for a stage of an older version that still holds cards."""

    key: str
    title: str
    color: str
    stage: Stage | None
    head: HeadView
    cards: list[CardView]
    is_folded: bool
    address: str
    more: str
    add: str


@boards.get("/p/<pipeline_key>/board")
def board(pipeline_key: str) -> Response:
    """The whole board, or for htmx what the filter changes."""
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    wanted = read_filter(here, pipeline, request.args)
    folded = frozenset(stage.key for stage in pipeline.stages if not stage.is_open)
    found = queries.board(
        here.session,
        here.catalog,
        here.actor,
        pipeline,
        evaluation_context(here),
        filter=wanted.condition,
        folded=folded,
    )
    heads = {column.stage_key: column.head for column in found.columns}
    columns = _columns(here, wanted, found, folded)
    return _page(here, pipeline, wanted, columns, heads)


@boards.get("/p/<pipeline_key>/board/<stage_key>")
def column(pipeline_key: str, stage_key: str) -> Response:
    """One column: more of its cards (``after``), itself open or folded, or a page of its own."""
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    wanted = read_filter(here, pipeline, request.args, with_views=not request.htmx)
    after = request.args.get("after", "")
    found = queries.board_column(
        here.session,
        here.catalog,
        here.actor,
        pipeline,
        stage_key,
        evaluation_context(here),
        filter=wanted.condition,
        after=after or None,
    )
    if stage_key not in pipeline.by_key and not found.columns[0].head.count:
        raise NotFound()
    folded = frozenset({stage_key} if "fold" in request.args else ())
    columns = _columns(here, wanted, found, folded)
    if not request.htmx or request.htmx.boosted or request.htmx.history_restore_request:
        heads = {stage_key: found.columns[0].head}
        return _page(here, pipeline, wanted, columns, heads, single=columns[0], problem=found.problem)
    name = "fragments/board/cards.html" if after else "fragments/board/column.html"
    return make_response(render_template(name, column=columns[0], pipeline=pipeline))


def _page(
    here: Scope,
    pipeline: Pipeline,
    wanted: BoardFilter,
    columns: list[ColumnView],
    heads: Mapping[str, ColumnHead],
    *,
    single: ColumnView | None = None,
    problem: Any = None,
) -> Response:
    definition = here.catalog.object(pipeline.object_key)
    facts: dict[str, Any] = {
        "pipeline": pipeline,
        "wanted": wanted,
        "groups": _groups(pipeline, columns),
        "columns": columns,
        "single": single,
        "total": total_of(pipeline, heads),
        "problems": [told(each) for each in (*wanted.problems, *((problem,) if problem else ()))],
        "address": url_for("board.board", pipeline_key=pipeline.key),
        "mark": board_mark(pipeline.key, wanted.query),
        "moves": url_for("moves.choose", record_id=0)[: -len(to_public(0) + "/move")],
    }
    if request.htmx and request.htmx.target == "board":
        return make_response(render_template("fragments/board/board.html", is_part=True, **facts))
    listed = has_endpoint("workspace.record_list")
    page = render_template(
        "pages/workspace/board.html",
        definition=definition,
        owners=owners(here, pipeline),
        has_text=bool(name_field(here, pipeline)),
        list_url=url_for("workspace.record_list", object_key=definition.key) if listed else "",
        new_url=_new_address(here, definition.key),
        is_part=False,
        **facts,
    )
    return make_response(page)


def _new_address(here: Scope, object_key: str) -> str:
    if not here.actor.can("record.create") or not has_endpoint("workspace.new_record"):
        return ""
    return url_for("workspace.new_record", object_key=object_key)


def _columns(
    here: Scope, wanted: BoardFilter, found: queries.Board, folded: frozenset[str]
) -> list[ColumnView]:
    pipeline = found.pipeline
    reader = CardReader(here, pipeline, found.names, wanted.query)
    args = read_query(wanted.query)
    adding = _adding(here, pipeline, wanted.query)
    return [_column(pipeline, each, reader, args, each.stage_key in folded, adding) for each in found.columns]


def _adding(here: Scope, pipeline: Pipeline, query: str) -> Mapping[str, str]:
    """Where a record is added to each open stage, for those who may."""
    if not here.actor.can("record.create"):
        return {}
    place: dict[str, Any] = {"pipeline_key": pipeline.key, "board": board_mark(pipeline.key, query)}
    return {
        stage.key: url_for("board.quick_form", stage_key=stage.key, **place) for stage in pipeline.open_stages
    }


def _column(
    pipeline: Pipeline,
    found: BoardColumn,
    reader: CardReader,
    args: Mapping[str, str],
    is_folded: bool,
    adding: Mapping[str, str],
) -> ColumnView:
    key = found.stage_key
    stage = pipeline.by_key.get(key)
    place: dict[str, Any] = {"pipeline_key": pipeline.key, "stage_key": key, **args}
    return ColumnView(
        key=key,
        title=stage_title(stage, key),
        color=stage_color(stage) if stage else "gray",
        stage=stage,
        head=head_view(key, found.head),
        cards=[] if is_folded else reader.views(found.cards),
        is_folded=is_folded,
        address=url_for("board.column", **place),
        more=url_for("board.column", **place, after=found.next) if found.next and not is_folded else "",
        add=adding.get(key, "") if not is_folded else "",
    )


def _groups(pipeline: Pipeline, columns: list[ColumnView]) -> list[tuple[str, list[ColumnView]]]:
    """Neighbouring columns of one milestone, under its name."""
    names = {milestone.key: str(local(milestone.label)) for milestone in pipeline.milestones}

    def milestone_of(column: ColumnView) -> str:
        return names.get((column.stage.milestone if column.stage else "") or "", "")

    return [(name, list(group)) for name, group in groupby(columns, milestone_of)]


def moved_fragments(here: Scope, pipeline: Pipeline, record_id: int, stages: set[str], query: str) -> str:
    """What a board changes after a move: the card at its new place, the heads of both columns, the totals.

    ``query`` is the board's query string, so that the figures stay those of its filter. Two statements.
    """
    wanted = read_filter(here, pipeline, read_query(query), with_views=False)
    context = evaluation_context(here)
    heads = queries.column_heads(
        here.session, here.catalog, here.actor, pipeline, context, filter=wanted.condition
    )
    found = queries.one_card(here.session, here.catalog, here.actor, pipeline, record_id)
    card = stage_key = None
    announced = ""
    if found is not None:
        card = CardReader(here, pipeline, found[1], wanted.query).view(found[0])
        stage_key = found[0].stage_key
        stages = stages | {stage_key}
        title = stage_title(pipeline.by_key.get(stage_key), stage_key)
        announced = gettext("“%(name)s” is in “%(stage)s” now.", name=card.name, stage=title)
    return render_template(
        "fragments/board/moved.html",
        record_id=record_id,
        card=card,
        stage_key=stage_key,
        heads=[head_view(key, heads.get(key, ColumnHead())) for key in sorted(stages)],
        total=total_of(pipeline, heads),
        told=announced,
    )
