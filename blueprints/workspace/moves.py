"""Moving a record: the choice of a stage, the dialog made from the gate, and the move itself (B1, B2).

The same addresses answer a dragged card (nothing but the target), the dialog over a board or a record page,
and a page of its own for those without JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, make_response, redirect, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import message, told
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope, workspace_area
from blueprints.workspace.board_changes import moved_fragments
from blueprints.workspace.cards import stage_title
from blueprints.workspace.files import Sent, sent
from blueprints.workspace.lane_choice import lane_change, lane_choice
from blueprints.workspace.move_answers import answer, approver_name, is_dialog, show_conflict, slot_of
from blueprints.workspace.move_faults import MoveFaults, step_id
from blueprints.workspace.move_form import VALUES, MoveForm, is_forbidden
from blueprints.workspace.move_origin import back_to, board_of, choice_address
from blueprints.workspace.move_targets import targets_of
from blueprints.workspace.record_forms import later_context
from blueprints.workspace.shown import in_currency
from blueprints.workspace.way_out import WayOutLink, ways_out
from builder.domain.transitions import Refused
from builder.errors import N_, Forbidden, Invalid, NotFound, Problem, Stale
from builder.queries.record import get_record
from builder.services import transitions
from builder.services.refusals import note_refusal
from builder.services.transitions import MoveDraft, MoveRecord
from builder.services.unit_of_work import UnitOfWork

moves = workspace_area("moves", __name__)
REFUSED = N_("This move is not for you to make.")


def register(app: Flask) -> None:
    app.register_blueprint(moves)


@moves.get("/r/<rid:record_id>/move")
def choose(record_id: int) -> Response:
    """Where the record may go from here, and how much each step still asks for."""
    here = scope()
    looked = transitions.draft(here.unit_of_work(), MoveRecord(record_id, ""))
    facts = {
        "record": looked.standing.record,
        "lanes": lane_choice(here, record_id),
        "targets": targets_of(looked),
        "present": _present(looked),
        "board": request.args.get("board", ""),
        "back": back_to(here, looked.standing.record, request.args.get("board", "")),
    }
    name = "fragments/move/choose.html" if is_dialog() else "pages/workspace/move_choice.html"
    return make_response(render_template(name, **facts))


@moves.get("/r/<rid:record_id>/move/<to>")
def dialog(record_id: int, to: str) -> Response:
    """What this move asks for: in the dialog, or as a page."""
    here = scope()
    form = _form(here, here.unit_of_work(), record_id, to)
    form.proposed["reason_key"] = request.args.get("reason", "")
    return _show(here, form)


@moves.post("/r/<rid:record_id>/move/<to>")
def make(record_id: int, to: str) -> Response:
    """Move: 303 or fragments when it happened, 422 with what is missing, 409 when somebody was first."""
    here = scope()
    revision = sent_revision()
    given = _with_files(here, record_id)
    uow = here.unit_of_work()
    uow.begin(on=record_id)
    try:
        if "_form" in request.form:
            return _submitted(here, uow, record_id, to, revision, given)
        values = lane_change(here)
        result = transitions.move(uow, MoveRecord(record_id, to, revision, values=values))
        if isinstance(result, Refused):
            form = _form(here, uow, record_id, to)
            uow.rollback()
            _refuse_strangers(here, form, result)
            note_refusal(uow, form.pipeline, form.record["stage_key"], result.unmet)
            return _show(here, form, status=422)
        return answer(here, uow, result, to)
    except Stale as error:
        uow.rollback()
        return show_conflict(here, error, to)
    except Invalid as error:
        uow.rollback()
        form = _form(here, uow, record_id, to, given.data if "_form" in request.form else None, revision)
        faults = MoveFaults(form)
        faults.add_refused(message(error.message_key, error.values), error.problems)
        return _show(here, form, status=422, faults=faults)


def _with_files(here: Scope, record_id: int) -> Sent:
    """What was sent, its files taken in before the move begins."""
    if not request.files:
        return Sent(request.form)
    record = get_record(here.session, here.actor, record_id).record
    return sent(here, here.catalog.object(record.object_key).fields, VALUES)


def _submitted(here: Scope, uow: UnitOfWork, record_id: int, to: str, revision: int, given: Sent) -> Response:
    form = _form(here, uow, record_id, to, given.data, revision)
    is_read = not form.is_refresh and form.read_typed()
    if form.values is not None:
        form.values.add_problems(given.problems)
    if form.is_refresh:
        uow.rollback()
        return _show(here, form)
    if is_read and not given.problems:
        result = transitions.carry_out(uow, form.looked, form.command)
        if not isinstance(result, Refused):
            return answer(here, uow, result, to)
        _refuse_strangers(here, form, result)
        uow.rollback()
        note_refusal(uow, form.pipeline, form.record["stage_key"], result.unmet)
    uow.rollback()
    faults = MoveFaults(form)
    faults.add_unmet(form.unmet)
    return _show(here, form, status=422, faults=faults)


def _form(
    here: Scope,
    uow: UnitOfWork,
    record_id: int,
    to: str,
    formdata: Any = None,
    revision: int | None = None,
) -> MoveForm:
    def context(looked: MoveDraft) -> Any:
        data = looked.standing.record["data"]
        context = later_context(here, _ids_in(looked, data, "reference"), _ids_in(looked, data, "user"))
        return in_currency(context, looked.standing.record["currency"])

    form = MoveForm(uow, record_id, to, context, formdata, revision, lane_change(here))
    if form.target is None:
        raise NotFound()
    return form


def _ids_in(looked: MoveDraft, data: Mapping[str, Any], type_key: str) -> set[int]:
    values = [data.get(field.key) for field in looked.definition.fields if field.type == type_key]
    if looked.snapshot.feedback is not None:
        answers = looked.snapshot.answers
        values += [answers.get(field.key) for field in looked.snapshot.feedback if field.type == type_key]
    return {int(value) for value in values if isinstance(value, str) and value.isdecimal()}


def _refuse_strangers(here: Scope, form: MoveForm, refused: Refused) -> None:
    """Errors: Forbidden, with every reason, when the refusal is about who the person is."""
    if is_forbidden(refused.unmet, here.actor):
        problems = tuple(Problem(item.message_key, item.kind, dict(item.values)) for item in refused.unmet)
        raise Forbidden(REFUSED, problems=problems)


def _show(here: Scope, form: MoveForm, *, status: int = 200, faults: MoveFaults | None = None) -> Response:
    board = request.values.get("board", "")
    record = form.record
    if status == 200 and request.method == "GET" and is_forbidden(form.unmet, here.actor):
        raise Forbidden(REFUSED, problems=tuple(_problem(item) for item in form.unmet))
    name = "pages/workspace/move.html"
    if is_dialog():
        is_part = request.htmx.target == "move-form"
        name = "fragments/move/form.html" if is_part else "fragments/move/dialog.html"
    page = render_template(
        name,
        form=form,
        record=record,
        title=stage_title(form.target, form.command.to_stage),
        source=stage_title(form.source, record["stage_key"]),
        address=url_for("moves.make", record_id=record["id"], to=form.command.to_stage),
        choice=choice_address(record["id"], board),
        board=board,
        lane=[(name, request.form[name]) for name in ("lane", "left") if name in request.form],
        back=back_to(here, record, board),
        problems=faults.summary if faults else [],
        faults=faults.at if faults else {},
        step_id=step_id,
        is_dialog=is_dialog(),
        approvers=[approver_name(here, slot_of(item.values)) for item in form.approvals],
        unmet=[(item, told(_problem(item))) for item in form.unmet],
        beyond=[told(_problem(item)) for item in form.beyond],
        ways_out=_ways_out(form),
        warnings=[told(_problem(item)) for item in form.warnings],
    )
    return make_response(page, status)


def _ways_out(form: MoveForm) -> list[WayOutLink]:
    """By what is stored and typed, so that the offer comes with the answer that asks for it."""
    answers = {**form.stored.snapshot.answers, **form.command.answers}
    values = {**form.record["data"], **form.command.values}
    values |= {f"feedback.{key}": answer for key, answer in answers.items()}
    return ways_out(form.pipeline, form.record["stage_key"], form.unmet, form.record["id"], values)


def _problem(item: Any) -> Problem:
    return Problem(item.message_key, item.field or item.kind, dict(item.values))


@moves.get("/r/<rid:record_id>/card")
def look(record_id: int) -> Response:
    """The present place and look of a card on the board that asks: after somebody else was first."""
    here = scope()
    pipeline_key, query = board_of(here)
    if not pipeline_key or not request.htmx:
        return redirect(url_for("moves.choose", record_id=record_id), 303)
    pipeline = here.catalog.pipeline(pipeline_key)
    stages = {stage.key for stage in pipeline.stages}
    response = make_response(moved_fragments(here, pipeline, record_id, stages, query))
    response.headers["HX-Reswap"] = "none"
    response.headers["HX-Trigger"] = "closeDialog"
    return response


def _present(looked: MoveDraft) -> str:
    key = looked.standing.record["stage_key"]
    return stage_title(looked.snapshot.pipeline.by_key.get(key), key)
