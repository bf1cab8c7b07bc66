"""Processes with their stages: what each asks for, their order, names and probabilities (S2, S3, S4, S12)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, url_for
from flask_babel import format_decimal, gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, refuse, show_form
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from builder.domain.funnel import StepFigures
from builder.domain.pipeline import Pipeline, Stage
from builder.errors import Invalid, NotFound
from builder.forms.process import PARTS, StageForm
from builder.queries.funnel import funnel_report
from builder.queries.population import Population
from builder.services import processes as services
from builder.services.definitions import EDIT
from builder.services.processes import ChangeStage

SEE_FIGURES = "insights.view"


@studio.get("/processes")
def process_list() -> str:
    here = scope()
    pipelines = list(here.catalog.pipelines.values())
    return render_template("pages/studio/processes.html", pipelines=pipelines, objects=here.catalog.objects)


@studio.get("/processes/<pipeline_key>")
def process(pipeline_key: str) -> Response:
    return _show(pipeline_key)


@studio.post("/processes/<pipeline_key>/order")
def reorder(pipeline_key: str) -> Response:
    """The order of the stages as sent, or with one stage moved up or down."""
    uow = scope().unit_of_work()
    uow.require(EDIT)
    pipeline = uow.catalog.pipeline(pipeline_key)
    seen = sent_revision("version")
    try:
        services.reorder(uow, pipeline_key, _wanted_order(pipeline), seen)
    except Invalid as error:
        uow.rollback()
        return _show(pipeline_key, problems=[text for _, text in refuse(StageForm(), error)], status=422)
    uow.commit()
    return done(url_for("studio.process", pipeline_key=pipeline_key), gettext("The new order is published."))


@studio.get("/processes/<pipeline_key>/stages/<stage_key>")
def stage(pipeline_key: str, stage_key: str) -> Response:
    scope().require(EDIT)
    pipeline, found = _stage(pipeline_key, stage_key)
    data: dict[str, object] = {"probability": found.probability, "version": pipeline.number}
    for part in PARTS:
        label = found.marker.label if part == "marker" and found.marker else getattr(found, part)
        if label is not None:
            data |= {f"{part}_{language}": text for language, text in label.translations}
    return _show_stage(pipeline, found, StageForm(data=data))


@studio.post("/processes/<pipeline_key>/stages/<stage_key>")
def change_stage(pipeline_key: str, stage_key: str) -> Response:
    scope().require(EDIT)
    pipeline, found = _stage(pipeline_key, stage_key)
    seen = sent_revision("version")
    form, uow = StageForm(request.form), scope().unit_of_work()
    form.validate()
    change = ChangeStage(
        stage_key,
        probability=-1 if form.probability.errors else form.probability.data,
        **{part: form.texts(part) for part in PARTS},
    )
    try:
        services.change_stage(uow, pipeline_key, change, seen)
    except Invalid as error:
        uow.rollback()
        return _show_stage(pipeline, found, form, problems=refuse(form, error), status=422)
    uow.commit()
    return done(url_for("studio.process", pipeline_key=pipeline_key), gettext("The stage is published."))


def _wanted_order(pipeline: Pipeline) -> list[str]:
    keys = request.form.getlist("stage") or [each.key for each in pipeline.stages]
    for name, step in (("up", -1), ("down", 1)):
        key = request.form.get(name)
        if key in keys:
            place = keys.index(key)
            other = min(max(place + step, 0), len(keys) - 1)
            keys[place], keys[other] = keys[other], keys[place]
    return keys


def _stage(pipeline_key: str, stage_key: str) -> tuple[Pipeline, Stage]:
    pipeline = scope().catalog.pipeline(pipeline_key)
    if stage_key not in pipeline.by_key:
        raise NotFound()
    return pipeline, pipeline.by_key[stage_key]


@dataclass(frozen=True, slots=True)
class Earned:
    """The stage win rate M4 as history has it, in words, and the list of the records behind it."""

    text: str
    href: str


def _earned(here: Scope, pipeline: Pipeline) -> dict[str, Earned]:
    """Stage key → what its probability turned out to be, of the records that the reader may see; one sum
    of roll-ups. Stages that nothing has ended after are left out, and all where Insights are not open."""
    if not here.actor.can(SEE_FIGURES):
        return {}
    people = Population((pipeline.key,), pipeline.object_key, here.actor)
    report = funnel_report(
        here.session, people, pipeline, "visited", currency=here.workspace.currency, amounts="none"
    )
    return {
        step.stage: Earned(_in_words(step), _ended_list(pipeline, step.stage))
        for step in report.figures.steps
        if step.ended
    }


def _in_words(step: StepFigures) -> str:
    return gettext(
        "%(won)s of %(ended)s = %(rate)s %%",
        won=format_decimal(step.ended_won),
        ended=format_decimal(step.ended),
        rate=format_decimal(round(100 * step.ended_won / step.ended, 1)),
    )


def _ended_list(pipeline: Pipeline, stage_key: str) -> str:
    return url_for("insights.drill", pipeline=pipeline.key, figure="ended", stage=stage_key)


def _show(pipeline_key: str, *, problems: list[str] | None = None, status: int = 200) -> Response:
    here = scope()
    pipeline = here.catalog.pipeline(pipeline_key)
    return show_form(
        "pages/studio/process.html",
        fragment="fragments/process/stages.html",
        pipeline=pipeline,
        definition=here.catalog.object(pipeline.object_key),
        catalog=here.catalog,
        may_edit=here.actor.can(EDIT),
        earned=_earned(here, pipeline),
        problems=problems or [],
        status=status,
    )


def _show_stage(
    pipeline: Pipeline,
    found: Stage,
    form: StageForm,
    *,
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    return show_form(
        "pages/studio/stage.html",
        fragment="fragments/process/stage_form.html",
        pipeline=pipeline,
        stage=found,
        form=form,
        problems=problems or [],
        status=status,
    )
