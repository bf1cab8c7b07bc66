"""Bringing a card into another lane: the field that divides the board changes, alone or with a move."""

from __future__ import annotations

import json

from flask import make_response
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.revisions import sent_revision
from blueprints.scope import scope
from blueprints.workspace.board_changes import moved_fragments
from blueprints.workspace.lane_choice import lane_change
from blueprints.workspace.move_answers import show_conflict
from blueprints.workspace.move_origin import back_to, board_of
from blueprints.workspace.moves import moves
from builder.db.ids import to_public
from builder.errors import N_, Invalid, Stale
from builder.queries.record import get_record
from builder.services import records
from builder.services.records import SaveRecord

NO_LANES = N_("This board is not divided into lanes. Look at it again.")


@moves.post("/r/<rid:record_id>/lane")
def change_lane(record_id: int) -> Response:
    """Put a record into the lane ``lane`` of the board it came from: a save with a revision check."""
    here = scope()
    record = get_record(here.session, here.actor, record_id).record
    revision, values = sent_revision(), lane_change(here)
    if not values:
        raise Invalid(NO_LANES)
    uow = here.unit_of_work()
    try:
        records.save(uow, SaveRecord(record_id, values, revision))
    except Stale as error:
        uow.rollback()
        return show_conflict(here, error, record.stage_key or "")
    uow.commit()
    pipeline_key, query = board_of(here)
    if not request.htmx or request.htmx.boosted:
        return done(back_to(here, {"id": record_id}, request.form.get("board", "")), gettext("Saved."))
    pipeline = here.catalog.pipeline(pipeline_key)
    stages = {record.stage_key} if record.stage_key else set()
    left = request.form.get("left")
    response = make_response(moved_fragments(here, pipeline, record_id, stages, query, left))
    response.headers["HX-Reswap"] = "none"
    placed = {"record": to_public(record_id), "to": record.stage_key}
    response.headers["HX-Trigger"] = json.dumps({"added": placed, "closeDialog": ""})
    return response
