"""The columns of a list as a person has arranged them: which, in which order, how wide (part 5).

Kept for a person and a view; a view that is saved takes them along, for everybody who uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import make_response
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from blueprints.workspace.list_state import MOST_COLUMNS, ListState, is_column, read_state
from builder.domain.fields import ObjectDefinition
from builder.errors import N_, Invalid
from builder.services.arrangements import arrange

NARROWEST, WIDEST = 60, 900
NO_COLUMN = N_("Choose at least one column.")
BAD_WIDTH = N_("A column is between %(least)s and %(most)s pixels wide.")


def place_of(object_key: str, view: str) -> str:
    """Where a person's arrangement of a list is kept."""
    return f"list:{object_key}:{view}"


def arranged(definition: ObjectDefinition, state: ListState, kept: Mapping[str, Any]) -> ListState:
    """The list as the person has arranged it; what the address says itself comes first, and columns that are
    gone are left out.
    """
    widths = {**state.widths, **kept.get("widths", {})}
    state = replace(
        state, widths={name: width for name, width in widths.items() if is_column(definition, name)}
    )
    columns = tuple(name for name in kept.get("columns", ()) if is_column(definition, name))
    if not columns or "cols" in state.own:
        return state
    return replace(state, columns=columns[:MOST_COLUMNS], own=state.own | {"cols"})


@workspace.post("/o/<object_key>/columns")
def arrange_columns(object_key: str) -> Response:
    """Keep the ticked columns in the order in which they were sent, or forget what was kept."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition, request.form)
    if "reset" in request.form:
        _keep(here, state, lambda _kept: {})
    else:
        chosen = [name for name in dict.fromkeys(request.form.getlist("c")) if is_column(definition, name)]
        if not chosen:
            raise Invalid(NO_COLUMN)
        columns = _moved(chosen, request.form)[:MOST_COLUMNS]
        _keep(here, state, lambda kept: {**kept, "columns": columns})
    plain = replace(state, own=state.own - {"cols"})
    return done(plain.address())


@workspace.post("/o/<object_key>/widths")
def arrange_widths(object_key: str) -> Response:
    """Keep how wide columns are, in pixels: ``column`` and ``width``, as often as there are columns.

    Errors: Invalid.
    """
    here = scope()
    definition = here.catalog.object(object_key)
    names, texts = request.form.getlist("column"), request.form.getlist("width")
    state = read_state(here, definition, MultiDict({"view": request.form.get("view", "")}))
    is_known = bool(names) and len(names) == len(texts) and all(is_column(definition, name) for name in names)
    if not is_known or not all(_is_width(text) for text in texts):
        raise Invalid(BAD_WIDTH, least=NARROWEST, most=WIDEST)
    widths = dict(zip(names, map(int, texts), strict=True))
    _keep(here, state, lambda kept: {**kept, "widths": {**kept.get("widths", {}), **widths}})
    return make_response("", 204)


def _is_width(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 5 and NARROWEST <= int(text) <= WIDEST


def _moved(columns: list[str], form: Any) -> list[str]:
    """The columns after a button moved one of them up or down."""
    for button, step in (("up", -1), ("down", 1)):
        name = form.get(button)
        if name in columns:
            at = columns.index(name)
            to = max(0, min(at + step, len(columns) - 1))
            columns.insert(to, columns.pop(at))
    return columns


def _keep(here: Scope, state: ListState, change: Any) -> None:
    uow = here.unit_of_work()
    arrange(uow, place_of(state.object_key, state.view), change)
    uow.commit()
