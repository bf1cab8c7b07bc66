"""The filter builder of a board, and saving what a board shows as a view."""

from __future__ import annotations

from flask import make_response, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.scope import Scope, scope
from blueprints.workspace.board_area import boards
from blueprints.workspace.board_arrangement import arranged_board
from blueprints.workspace.board_filter import BoardFilter, read_filter
from blueprints.workspace.filter_builder import APPLY, filter_form, leave_to
from blueprints.workspace.kept_views import drop_view, keep_view


@boards.get("/p/<pipeline_key>/board-filter")
def filter_board(pipeline_key: str) -> Response:
    """The builder over the board or as a page; applying it leads to the board."""
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    wanted = read_filter(here, pipeline, request.args)
    form = filter_form(here, pipeline.object_key, wanted.asked, request.args)
    action = request.args.get("_filter", "")
    if action == APPLY and not form.problems:
        return leave_to(wanted.with_filter(form.condition()))
    facts = {
        "form": form,
        "definition": here.catalog.object(pipeline.object_key),
        "state": wanted,
        "told": action == APPLY,
        "title": pipeline.label,
        "builder_address": url_for("board.filter_board", pipeline_key=pipeline_key),
    }
    is_part = request.htmx and not request.htmx.boosted
    name = "fragments/filter/builder.html" if is_part else "pages/workspace/view_filter.html"
    return make_response(render_template(name, **facts), 422 if action == APPLY else 200)


@boards.post("/p/<pipeline_key>/board-views")
def add_board_view(pipeline_key: str) -> Response:
    """Save what the board shows now under a name."""
    here = scope()
    return keep_view(here, _wanted(here, pipeline_key))


@boards.post("/p/<pipeline_key>/board-views/<rid:view_id>")
def change_board_view(pipeline_key: str, view_id: int) -> Response:
    """Rename a view of this board, share it or not, and remember what the board shows now."""
    here = scope()
    return keep_view(here, _wanted(here, pipeline_key), view_id)


@boards.post("/p/<pipeline_key>/board-views/<rid:view_id>/delete")
def delete_board_view(pipeline_key: str, view_id: int) -> Response:
    here = scope()
    here.catalog.pipeline(pipeline_key)
    return drop_view(here, view_id, url_for("board.board", pipeline_key=pipeline_key))


def _wanted(here: Scope, pipeline_key: str) -> BoardFilter:
    pipeline = here.catalog.pipeline(pipeline_key)
    return read_filter(here, pipeline, request.form, arranged=arranged_board(here, pipeline))
