"""The lane that a request names: what putting a card into it changes, and the lanes to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from htmx_flask import request

from blueprints.scope import Scope
from blueprints.workspace.board_filter import read_filter, read_query
from blueprints.workspace.lanes import Lanes
from blueprints.workspace.move_origin import board_of


@dataclass(frozen=True)
class LaneChoice:
    """The lanes that a record may be put into without dragging. ``address``: where the choice is sent."""

    label: str
    address: str
    choices: list[tuple[str, str]]


def lane_change(here: Scope) -> dict[str, Any]:
    """What the lane of a drop changes; nothing where the board has none.

    Errors: NotFound for what no lane can be, Invalid where the field is not for changing.
    """
    token, lanes = request.form.get("lane"), _lanes(here)
    return {} if token is None or lanes is None else lanes.change(token)


def lane_choice(here: Scope, record_id: int) -> LaneChoice | None:
    """The lanes to choose from in the menu of a card, on a board that has some."""
    lanes = _lanes(here)
    if lanes is None or not here.actor.can("record.edit"):
        return None
    choices = lanes.choices
    if not choices:
        return None
    return LaneChoice(lanes.label, url_for("moves.change_lane", record_id=record_id), choices)


def _lanes(here: Scope) -> Lanes | None:
    pipeline_key, query = board_of(here)
    if not pipeline_key:
        return None
    pipeline = here.catalog.pipeline(pipeline_key)
    wanted = read_filter(here, pipeline, read_query(query), with_views=False)
    return Lanes(here, here.catalog.object(pipeline.object_key), wanted.lanes) if wanted.lanes else None
