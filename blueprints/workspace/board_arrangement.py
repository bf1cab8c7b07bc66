"""How people arrange a board for themselves: folded columns, and what cards show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import make_response, redirect, render_template
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.scope import Scope, scope
from blueprints.workspace.board_area import boards
from blueprints.workspace.board_columns import columns_of_board
from blueprints.workspace.board_filter import (
    BoardFilter,
    read_filter,
    read_query,
    without_cards,
)
from blueprints.workspace.card_fields import read_names
from blueprints.workspace.cards import board_mark
from blueprints.workspace.filter_words import evaluation_context
from builder.domain.pipeline import Pipeline
from builder.errors import NotFound
from builder.queries import board as queries
from builder.queries.arrangements import arrangement
from builder.services.arrangements import arrange


def arranged_board(here: Scope, pipeline: Pipeline) -> Mapping[str, Any]:
    """``folded``: stage → whether it is a strip; ``cards``: view → the lines on cards."""
    return arrangement(here.session, here.actor, _place(pipeline))


def _place(pipeline: Pipeline) -> str:
    return f"board:{pipeline.key}"


@boards.post("/p/<pipeline_key>/board/<stage_key>/fold")
def fold(pipeline_key: str, stage_key: str) -> Response:
    """Fold or open a column and remember it: the column alone for htmx, or back to the board."""
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    if stage_key not in pipeline.by_key:
        raise NotFound()
    is_folded = request.form.get("folded") == "1"
    known = pipeline.by_key

    def change(kept: dict[str, Any]) -> dict[str, Any]:
        before: Mapping[str, bool] = kept.get("folded", {})
        after = {key: value for key, value in before.items() if key in known}
        return {**kept, "folded": {**after, stage_key: is_folded}}

    uow = here.unit_of_work()
    arrange(uow, _place(pipeline), change)
    uow.commit()
    wanted = _wanted(here, pipeline)
    if not request.htmx or request.htmx.boosted:
        return redirect(wanted.address(), 303)
    if wanted.lanes:
        return done(wanted.address())
    found = queries.board_column(
        here.session,
        here.catalog,
        here.actor,
        pipeline,
        stage_key,
        evaluation_context(here),
        filter=wanted.condition,
        shown=wanted.cards or (),
    )
    (column,) = columns_of_board(here, wanted, found, {stage_key} if is_folded else ())
    mark = board_mark(pipeline.key, wanted.mark)
    return make_response(
        render_template("fragments/board/column.html", column=column, pipeline=pipeline, mark=mark)
    )


@boards.post("/p/<pipeline_key>/board-cards")
def arrange_cards(pipeline_key: str) -> Response:
    """Choose what cards show, for this person and the view that the board shows."""
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    wanted = _wanted(here, pipeline)
    definition = here.catalog.object(pipeline.object_key)
    chosen = None if "usual" in request.form else read_names(definition, request.form.getlist("c"))
    views = {"", *(view.key for view in wanted.views)}

    def change(kept: dict[str, Any]) -> dict[str, Any]:
        before: Mapping[str, Any] = kept.get("cards", {})
        # Arrangements of views that are gone go with them.
        after = {key: names for key, names in before.items() if key in views and key != wanted.view}
        return {**kept, "cards": after if chosen is None else {**after, wanted.view: list(chosen)}}

    uow = here.unit_of_work()
    arrange(uow, _place(pipeline), change)
    uow.commit()
    return done(wanted.address(), gettext("The cards are arranged as you chose."))


def _wanted(here: Scope, pipeline: Pipeline) -> BoardFilter:
    """What the board showed that sent the form."""
    key, _, query = request.form.get("board", "").partition("?")
    args = read_query(query) if key == pipeline.key else {}
    if request.endpoint != "board.fold":
        args = without_cards(query) if args else {}
    return read_filter(here, pipeline, args)
