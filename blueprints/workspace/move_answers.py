"""What a move answers with: fragments for a board, a way on for a page, or what somebody else did first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.board_changes import moved_fragments
from blueprints.workspace.cards import stage_title
from blueprints.workspace.move_conflict import changes_since
from blueprints.workspace.move_origin import back_to, board_of, choice_address
from blueprints.workspace.shown import names_in
from builder.db.ids import to_public
from builder.domain.pipeline import ApprovalSlot
from builder.errors import Stale
from builder.queries.people import members_by_id
from builder.services import transitions
from builder.services.transitions import Applied, MoveRecord, Waiting
from builder.services.unit_of_work import UnitOfWork

DIALOG = "fw-dialog"


def answer(here: Scope, uow: UnitOfWork, result: Applied | Waiting, to: str) -> Response:
    uow.commit()
    pipeline_key, query = board_of(here)
    record = {"id": result.record_id, "pipeline_key": pipeline_key}
    board = request.form.get("board", "")
    if isinstance(result, Waiting):
        names = ", ".join(approver_name(here, slot) for slot in result.approvals[:1])
        return _parked(here, record, board, gettext("The move waits for approval by %(name)s.", name=names))
    if not (request.htmx and pipeline_key):
        stage = stage_title(_stage(here, result.record_id, to), to)
        told_then = [gettext("Moved to %(stage)s.", stage=stage), *_begun(here, result)]
        return done(back_to(here, record, board), " ".join(told_then))
    stages = {to, *((result.planned.from_stage,) if result.planned.from_stage else ())}
    pipeline = here.catalog.pipeline(pipeline_key)
    fragments = moved_fragments(here, pipeline, result.record_id, stages, query, request.form.get("left"))
    notes = [render_template("fragments/move/note.html", text=text) for text in _begun(here, result)]
    response = make_response(fragments + "".join(notes))
    response.headers["HX-Reswap"] = "none"
    moved = {"record": to_public(result.record_id), "from": result.planned.from_stage, "to": to}
    response.headers["HX-Trigger"] = json.dumps({"moved": moved, "closeDialog": ""})
    return response


def _begun(here: Scope, result: Applied) -> list[str]:
    """What began by itself with the move (S21)."""
    names = [local(here.catalog.object(key).label) for key in result.successors]
    return [gettext("Begun by itself: %(names)s.", names=names_in(names))] if names else []


def _stage(here: Scope, record_id: int, to: str) -> Any:
    looked = transitions.draft(here.unit_of_work(), MoveRecord(record_id, to))
    return looked.snapshot.pipeline.by_key.get(to)


def _parked(here: Scope, record: Mapping[str, Any], board: str, text: str) -> Response:
    if not (request.htmx and record["pipeline_key"]):
        return done(back_to(here, record, board), text)
    response = make_response(render_template("fragments/move/note.html", text=text), 202)
    response.headers["HX-Reswap"] = "none"
    response.headers["HX-Trigger"] = json.dumps({"parked": to_public(record["id"]), "closeDialog": ""})
    return response


def show_conflict(here: Scope, error: Stale, to: str) -> Response:
    """What happened since the person looked, and the way on with all that they typed."""
    record_id, seen, now = (int(error.values[name]) for name in ("record_id", "revision", "now"))
    board = request.form.get("board", "")
    conflict = changes_since(here, record_id, now - seen)
    left_out = ("csrf_token", "revision", "_action")
    typed = [
        (name, text) for name in request.form if name not in left_out for text in request.form.getlist(name)
    ]
    name = "fragments/move/conflict.html" if is_dialog() else "pages/workspace/move_conflict.html"
    page = render_template(
        name,
        conflict=conflict,
        typed=typed if "_form" in request.form else [],
        revision=now,
        address=url_for("moves.make", record_id=record_id, to=to),
        look=url_for("moves.look", record_id=record_id, board=board) if board else "",
        back=back_to(here, conflict.record, board),
        choice=choice_address(record_id, board),
        is_dialog=is_dialog(),
    )
    response = make_response(page, 409)
    if is_dialog():
        response.headers["HX-Retarget"] = f"#{DIALOG}"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def is_dialog() -> bool:
    return bool(request.htmx and not request.htmx.boosted)


def slot_of(values: Mapping[str, Any]) -> ApprovalSlot:
    return ApprovalSlot(values["approver"], values["role"] or None, values["fallback_role"] or None)


def approver_name(here: Scope, slot: ApprovalSlot) -> str:
    """Who is asked: the person's manager by name, or a role."""
    manager = here.actor.manager_id
    if slot.approver == "manager" and manager is not None:
        person = members_by_id(here.session, [manager]).get(manager)
        return person.name if person else gettext("your manager")
    role = here.catalog.roles.get((slot.role if slot.approver == "role" else slot.fallback_role) or "")
    return str(local(role.label)) if role else gettext("nobody; ask an admin")
