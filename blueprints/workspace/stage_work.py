"""Work on the present stage from the record page: tasks, marker, feedback (S3, S4, S35); entering one."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.messages import told
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.panel import answered, feedback_form, fingerprint
from blueprints.workspace.record_forms import is_fragment
from blueprints.workspace.record_page import record_facts, stage_facts
from blueprints.workspace.shown import Reader
from builder.db.ids import from_public
from builder.domain.transitions import Refused
from builder.errors import N_, Invalid, Stale
from builder.forms.record_form import RecordForm
from builder.metadata.record_validation import REQUIRED
from builder.queries.record import RecordPage, get_record, record_page
from builder.services import stage_work as services
from builder.services import transitions
from builder.services.entries import Entry
from builder.services.outlook import Outlook, faults_of, outlook
from builder.services.records import problem_of_unmet
from builder.services.stage_work import NO_FORM, NO_STAGE, WorkOnStage

MOVED_ON = N_("The record is in another stage now. Look at it again.")
NOT_STARTED = N_("The record cannot enter this process yet.")


@workspace.post("/r/<rid:record_id>/tasks")
def save_tasks(record_id: int) -> Response:
    """Ticks: those that differ from what was shown are saved, so two people never undo each other's."""
    here = scope()
    page, _ = _opened(here, record_id)
    shown, ticked = set(request.form.getlist("shown")), set(request.form.getlist("done"))
    tasks = {key: key in ticked for key in shown ^ ticked}
    return _worked(
        here, page, WorkOnStage(record_id, tasks=tasks), "fragments/stage/tasks.html", "stage-tasks"
    )


@workspace.post("/r/<rid:record_id>/marker")
def save_marker(record_id: int) -> Response:
    """The observable sign of the stage, where a person ticks it (S3)."""
    here = scope()
    page, _ = _opened(here, record_id)
    command = WorkOnStage(record_id, is_marked="met" in request.form)
    return _worked(here, page, command, "fragments/stage/marker.html", "stage-marker")


@workspace.post("/r/<rid:record_id>/feedback")
def save_feedback(record_id: int) -> Response:
    """Answers so far; what is still missing is asked for by the move, what is wrong is refused here."""
    here = scope()
    page, look = _opened(here, record_id)
    form = feedback_form(here, page, look, request.form)
    stay = page.open_stay
    if form is None or stay is None:
        raise Invalid(NO_FORM)
    if form.is_refresh:
        return _show_feedback(here, page, look, form)
    if request.form.get("seen") != fingerprint(stay.answers):
        return _show_feedback(here, page, look, form, status=409, is_stale=True)
    form.validate()
    form.problems = [problem for problem in form.problems if problem.message != REQUIRED]
    if form.problems:
        return _show_feedback(here, page, look, form, status=422)
    answers = {key: form.values.get(key) for key in form.fieldset.by_key}
    uow = here.unit_of_work()
    try:
        services.work(uow, WorkOnStage(record_id, answers=answers))
    except Invalid as error:
        uow.rollback()
        form.add_problems(error.reasons)
        return _show_feedback(here, page, look, form, status=422)
    uow.commit()
    if not is_fragment():
        return done(f"{record_address(record_id)}#stage-feedback", gettext("Feedback saved."))
    return _fragment(here, record_id, "fragments/stage/feedback.html", told=gettext("Feedback saved."))


@workspace.post("/r/<rid:record_id>/feedback/form")
def refresh_feedback(record_id: int) -> str:
    """The body of the feedback form again, as its rules decide for what is typed."""
    here = scope()
    page, look = _opened(here, record_id)
    form = feedback_form(here, page, look, request.form)
    if form is None:
        raise Invalid(NO_FORM)
    refresh_url = url_for("workspace.refresh_feedback", record_id=record_id)
    return render_template("fragments/form/body.html", form=form, refresh_url=refresh_url)


@workspace.post("/r/<rid:record_id>/start")
def start_process(record_id: int) -> Response:
    """Let a record that is in no process enter one."""
    here = scope()
    record = get_record(here.session, here.actor, record_id).record
    here.require("move")
    revision = sent_revision()
    uow = here.unit_of_work()
    pipeline_key = request.form.get("pipeline", "")
    entry = Entry(pipeline_key, is_confirmed="confirmed" in request.form)
    result = transitions.start(uow, record_id, entry, revision)
    if isinstance(result, Refused):
        uow.rollback()
        problems = tuple(problem_of_unmet(item) for item in result.unmet)
        if not result.is_confirmable:
            raise Invalid(NOT_STARTED, problems=problems)
        page = render_template(
            "pages/workspace/start.html",
            record=record,
            revision=revision,
            pipeline=here.catalog.pipeline(pipeline_key),
            address=record_address(record_id),
            warnings=[told(problem) for problem in problems],
        )
        return make_response(page, 422)
    uow.commit()
    return done(record_address(record_id), gettext("The record is in the process now."))


def _opened(here: Scope, record_id: int) -> tuple[RecordPage, Outlook]:
    """The record on the visit that the form was made for.

    Errors: NotFound, Forbidden, Invalid (no stage to work on), Stale (moved on meanwhile).
    """
    page = record_page(here.session, here.catalog, here.actor, record_id)
    here.require("record.edit")
    look = outlook(here.unit_of_work(), page, faults_of(here.catalog.object(page.record.object_key), page))
    stay = page.open_stay
    if look is None or stay is None:
        raise Invalid(NO_STAGE)
    if _stay_of(request.form.get("stay", "")) != stay.id:
        raise Stale(MOVED_ON)
    return page, look


def _stay_of(text: str) -> int:
    try:
        return from_public(text)
    except ValueError:
        return 0


def _worked(here: Scope, page: RecordPage, command: WorkOnStage, template: str, anchor: str) -> Response:
    uow = here.unit_of_work()
    services.work(uow, command)
    uow.commit()
    if not is_fragment():
        return done(f"{record_address(page.record.id)}#{anchor}", gettext("Saved."))
    return _fragment(here, page.record.id, template)


def _fragment(here: Scope, record_id: int, template: str, told: str = "") -> Response:
    """The changed part, and what is still missing beside it."""
    page, look = _opened(here, record_id)
    facts = {**stage_facts(here, page, look), "record": page.record, "told": told}
    parts = [render_template(name, **facts) for name in (template, "fragments/stage/missing_oob.html")]
    return make_response("".join(parts))


def _show_feedback(
    here: Scope,
    page: RecordPage,
    look: Outlook,
    form: RecordForm,
    *,
    status: int = 200,
    is_stale: bool = False,
) -> Response:
    facts: dict[str, Any] = stage_facts(here, page, look, form)
    stay = page.open_stay
    if is_stale and stay is not None and look.feedback is not None:
        facts["feedback_theirs"] = answered(
            Reader(here), look.feedback.fields, stay.answers, page.record.currency
        )
    if is_fragment():
        text = render_template("fragments/stage/feedback.html", record=page.record, told="", **facts)
        return make_response(text, status)
    facts = {**record_facts(here, page), **facts}
    return make_response(render_template("pages/workspace/record.html", **facts), status)
