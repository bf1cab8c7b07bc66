"""Edits of a process, one a POST, each made from the state that the person saw (part 1)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.form_edits import seen
from blueprints.studio.processes import Design, label_of, named_rows, rows_form, show_design
from blueprints.studio.refusals import lines
from builder.errors import Conflict, Invalid, NotFound
from builder.forms.process import NameForm, ProcessForm, RowsForm, texts_of
from builder.metadata.editing.edit import Edit
from builder.metadata.editing.stages import (
    NATURAL,
    AddStage,
    ChangePipeline,
    OrderStages,
    RemoveStage,
    SetMilestones,
    SetMove,
    SetReasons,
    SetTransitions,
    StepStage,
    new_pipeline,
)
from builder.queries.drafts import drafts, stage_keys_ever
from builder.services import designs as services
from builder.services import drafts as draft_services
from builder.services.definitions import EDIT


@studio.get("/processes/new")
def new_process() -> Response:
    """Which object it is for, and what it is called."""
    scope().require(EDIT)
    return _show_new(NameForm())


@studio.post("/processes/new")
def create_process() -> Response:
    """Begin a process as a draft, with stages that can be published as they are."""
    here = scope()
    here.require(EDIT)
    form, uow = NameForm(request.form), here.unit_of_work()
    objects = dict(_objects(here))
    try:
        if form.object.data not in objects:
            raise NotFound()
        document = new_pipeline(label_of(form), form.object.data, services.keys_of(uow, "pipeline"))
        services.begin(uow, document)
    except Invalid as error:
        uow.rollback()
        return _show_new(form, lines(error, form), status=422)
    uow.commit()
    return done(url_for("studio.process", pipeline_key=document["key"]))


@studio.post("/processes/<pipeline_key>/settings")
def change_process(pipeline_key: str) -> Response:
    form = ProcessForm(request.form)
    form.validate()
    days, before = (
        -1 if each.errors else each.data for each in (form.average_cycle_days, form.reminder_days)
    )
    edit = ChangePipeline(label_of(form), texts_of(form, "description"), days, before)
    return make(pipeline_key, edit, {"settings": form}, form)


@studio.post("/processes/<pipeline_key>/order")
def reorder(pipeline_key: str) -> Response:
    """The order of the stages as sent, or with one stage moved up or down."""
    scope().require(EDIT)
    for name, step in (("up", -1), ("down", 1)):
        if name in request.form:
            return make(pipeline_key, StepStage(request.form[name], step))
    return make(pipeline_key, OrderStages(request.form.getlist("stage")))


@studio.post("/processes/<pipeline_key>/stages")
def add_stage(pipeline_key: str) -> Response:
    here = scope()
    here.require(EDIT)
    form = NameForm(request.form, prefix="new-")
    taken = stage_keys_ever(here.session, pipeline_key)
    return make(
        pipeline_key, AddStage(label_of(form), form.kind.data or "open", taken), {"new_stage": form}, form
    )


@studio.post("/processes/<pipeline_key>/stages/<stage_key>/remove")
def remove_stage(pipeline_key: str, stage_key: str) -> Response:
    return make(pipeline_key, RemoveStage(stage_key))


@studio.post("/processes/<pipeline_key>/transitions")
def set_transitions(pipeline_key: str) -> Response:
    """The general rule alone, or with every pair that is ticked in the table (``from>to``)."""
    ticked = {
        (source, target)
        for source, _, target in (each.partition(">") for each in request.form.getlist("move"))
    }
    pairs = None if "rule" in request.form else ticked
    return make(pipeline_key, SetTransitions(request.form.get("default", ""), pairs))


@studio.post("/processes/<pipeline_key>/moves")
def set_move(pipeline_key: str) -> Response:
    """One arrow drawn or taken away."""
    sent = request.form
    edit = SetMove(sent.get("from", ""), sent.get("to", ""), sent.get("set") != "remove")
    return make(pipeline_key, edit)


@studio.post("/processes/<pipeline_key>/milestones")
def set_milestones(pipeline_key: str) -> Response:
    form = RowsForm(request.form, prefix="milestones-")
    return make(pipeline_key, SetMilestones(named_rows(form.rows)), {"milestones": form}, form)


@studio.post("/processes/<pipeline_key>/reasons/<kind>")
def set_reasons(pipeline_key: str, kind: str) -> Response:
    if kind not in NATURAL:
        raise NotFound()
    form = RowsForm(request.form, prefix=f"{kind}-")
    reasons = {each: rows_form(each, ()) for each in NATURAL} | {kind: form}
    return make(pipeline_key, SetReasons(kind, named_rows(form.rows)), {"reasons": reasons}, form)


@studio.post("/processes/<pipeline_key>/remove")
def remove_process(pipeline_key: str) -> Response:
    """Let the process go with the next publish; one that was never published goes at once."""
    uow = scope().unit_of_work()
    draft_services.draft_removal(uow, "pipeline", pipeline_key, seen())
    uow.commit()
    return done(url_for("studio.changes"), gettext("The process goes when you publish."))


def make(pipeline_key: str, edit: Edit, typed: dict[str, Any] | None = None, form: Any = None) -> Response:
    """Make an edit and show the designer; what is refused is shown with what was typed: ``typed`` by name,
    ``form`` the one of them with the faults.
    """
    here = scope()
    here.require(EDIT)
    Design.read(here, pipeline_key)
    uow = here.unit_of_work()
    try:
        services.change(uow, "pipeline", pipeline_key, seen(), edit)
    except Conflict as error:
        uow.rollback()
        return show_design(here, pipeline_key, problems=lines(error), status=409)
    except Invalid as error:
        uow.rollback()
        return show_design(here, pipeline_key, problems=lines(error, form), typed=typed, status=422)
    uow.commit()
    if request.htmx and not request.htmx.boosted:
        return show_design(here, pipeline_key)
    return done(url_for("studio.process", pipeline_key=pipeline_key))


def _objects(here: Scope) -> list[tuple[str, str]]:
    """Objects that a process may be for: (key, name), drafted ones too."""
    known = {key: definition.label for key, definition in here.catalog.objects.items()}
    known |= {each.key: each.label for each in drafts(here.session) if each.kind == "object"}
    return [(key, local(label)) for key, label in known.items()]


def _show_new(form: NameForm, problems: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    form.object.choices = _objects(scope())
    return show_form(
        "pages/studio/process_new.html",
        fragment="fragments/process/new.html",
        form=form,
        problems=problems or [],
        status=status,
    )
