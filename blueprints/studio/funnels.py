"""Funnels over several processes: drawn, made, changed and removed as drafts (part 3, M0)."""

from __future__ import annotations

from typing import Any, Literal

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.chain import Known, StepNames, chain_of, name_of, step_choices, step_rows
from blueprints.studio.form_edits import seen
from blueprints.studio.processes import label_of, texts_in
from blueprints.studio.refusals import lines
from builder.errors import N_, Conflict, Invalid
from builder.forms.process import LANGUAGES, FunnelForm, texts_of
from builder.metadata.editing.edit import Edit, Refused
from builder.metadata.editing.funnels import AddStep, ChangeFunnel, Place, SetSteps, ShiftStep, new_funnel
from builder.queries.drafts import editable
from builder.services import designs as services
from builder.services import drafts as draft_services
from builder.services.definitions import EDIT

WAYS: tuple[Literal["up", "down", "remove"], ...] = ("up", "down", "remove")


@studio.get("/funnels")
def funnel_list() -> Response:
    """All funnels over several processes as they are drafted or live; whoever works here may look."""
    here = scope()
    known = Known.of(here)
    return show_form(
        "pages/studio/funnels.html",
        fragment="pages/studio/funnels.html",
        funnels=[
            (
                name_of(document),
                key,
                name_of(document, "description"),
                chain_of(known, document),
                known.is_drafted("funnel", key),
            )
            for key, document in sorted(known.documents("funnel").items())
        ],
        may_edit=here.actor.can(EDIT),
        draft_count=known.draft_count,
    )


@studio.get("/funnels/new")
def new_funnel_form() -> Response:
    scope().require(EDIT)
    return _show_new(FunnelForm())


@studio.post("/funnels/new")
def create_funnel() -> Response:
    """A funnel of one step as a draft; the others are added in its designer."""
    here = scope()
    here.require(EDIT)
    form, uow = FunnelForm(request.form), here.unit_of_work()
    try:
        first = _place(form.new.data or "")
        if first not in {place for place, _ in step_choices(Known.of(here))}:
            raise Refused(N_("Choose the first step."), "new")
        document = new_funnel(label_of(form), first, services.keys_of(uow, "funnel"))
        services.begin(uow, document)
    except Invalid as error:
        uow.rollback()
        return _show_new(form, lines(error, form), 422)
    uow.commit()
    return done(url_for("studio.funnel", funnel_key=document["key"]))


@studio.get("/funnels/<funnel_key>")
def funnel(funnel_key: str) -> Response:
    here = scope()
    here.require(EDIT)
    return _show(here, funnel_key)


@studio.post("/funnels/<funnel_key>/settings")
def change_funnel(funnel_key: str) -> Response:
    """Name, description, and what is counted."""
    form = FunnelForm(request.form)
    edit = ChangeFunnel(label_of(form), texts_of(form, "description"), form.unit.data or "")
    return _make(funnel_key, edit, form)


@studio.post("/funnels/<funnel_key>/steps")
def set_steps(funnel_key: str) -> Response:
    """Order and names of the steps as sent, or besides one of them moved or taken out."""
    sent = request.form
    marks = [_place(mark) for mark in sent.getlist("step")]
    names = {code: sent.getlist(f"label_{code}") for code in LANGUAGES}
    if any(len(each) != len(marks) for each in names.values()):
        names = {code: [""] * len(marks) for code in LANGUAGES}
    rows = [(place, {code: names[code][number] for code in LANGUAGES}) for number, place in enumerate(marks)]
    shift = next((ShiftStep(_place(sent[way]), way) for way in WAYS if way in sent), None)
    return _make(funnel_key, SetSteps(rows, shift), typed=dict(rows))


@studio.post("/funnels/<funnel_key>/steps/new")
def add_step(funnel_key: str) -> Response:
    here = scope()
    here.require(EDIT)
    known = {place for place, _ in step_choices(Known.of(here))}
    return _make(funnel_key, AddStep(_place(request.form.get("new", "")), known))


@studio.post("/funnels/<funnel_key>/remove")
def remove_funnel(funnel_key: str) -> Response:
    """Let the funnel go with the next publish; one that was never published goes at once."""
    uow = scope().unit_of_work()
    draft_services.draft_removal(uow, "funnel", funnel_key, seen())
    uow.commit()
    return done(url_for("studio.funnel_list"), gettext("The funnel goes when you publish."))


def _place(mark: str) -> Place:
    pipeline, _, stage = mark.partition(">")
    return pipeline, stage


def _make(
    funnel_key: str, edit: Edit, form: FunnelForm | None = None, *, typed: StepNames | None = None
) -> Response:
    here = scope()
    here.require(EDIT)
    editable(here.session, "funnel", funnel_key)
    uow = here.unit_of_work()
    try:
        services.change(uow, "funnel", funnel_key, seen(), edit)
    except Conflict as error:
        uow.rollback()
        return _show(here, funnel_key, lines(error), status=409)
    except Invalid as error:
        uow.rollback()
        return _show(here, funnel_key, lines(error, form), form=form, typed=typed, status=422)
    uow.commit()
    if request.htmx and not request.htmx.boosted:
        return _show(here, funnel_key)
    return done(url_for("studio.funnel", funnel_key=funnel_key))


def _show(
    here: Scope,
    funnel_key: str,
    problems: list[tuple[str, str]] | None = None,
    *,
    form: FunnelForm | None = None,
    typed: StepNames | None = None,
    status: int = 200,
) -> Response:
    found = editable(here.session, "funnel", funnel_key)
    known = Known.of(here)
    if form is None:
        form = FunnelForm(data=_facts(found.document))
    return show_form(
        "pages/studio/funnel.html",
        fragment="fragments/chain/designer.html",
        key=funnel_key,
        name=name_of(found.document),
        found=found,
        chain=chain_of(known, found.document),
        rows=step_rows(known, found.document, typed or {}),
        choices=step_choices(known, found.document),
        findings=known.findings(here, found.document),
        form=form,
        draft_count=known.draft_count,
        problems=problems or [],
        status=status,
    )


def _facts(document: dict[str, Any]) -> dict[str, Any]:
    return {
        **texts_in(document, "label"),
        **texts_in(document, "description"),
        "unit": document.get("unit", "record"),
    }


def _show_new(form: FunnelForm, problems: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    known = Known.of(scope())
    return show_form(
        "pages/studio/funnel_new.html",
        fragment="fragments/chain/new.html",
        form=form,
        choices=step_choices(known),
        problems=problems or [],
        status=status,
    )
