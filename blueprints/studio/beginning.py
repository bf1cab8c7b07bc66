"""The start wizard: four scenarios, four questions, a proposed template (S23, S115)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext
from flask_login import current_user
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local, message
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.background_words import QUESTION_WORDS, SCENARIO_WORDS
from blueprints.studio.pack_words import StagePath
from blueprints.studio.process_edits import make
from blueprints.studio.refusals import lines
from blueprints.workspace.shown import names_in
from builder.domain.pipeline import QUESTIONS, Pipeline
from builder.errors import Conflict, Invalid
from builder.forms.beginning import BeginningForm
from builder.metadata.editing.background import SetBackground
from builder.metadata.proposals import Proposal, entry_pipeline, proposals
from builder.queries.library import ShelfPack, shelf, shelf_pack
from builder.services import beginnings
from builder.services.definitions import EDIT


@dataclass(frozen=True)
class ScenarioCard:
    """``report``: where this scenario is looked at, once there is a process."""

    key: str
    title: str
    text: str
    icon: str
    report: str


@dataclass(frozen=True)
class Proposed:
    """A template with the reason why it is proposed, in words."""

    pack: ShelfPack
    reason: str

    @property
    def path(self) -> StagePath | None:
        """The stages of the process that the template is about."""
        document = self.pack.document
        key = entry_pipeline(document)
        found = (one for one in document.get("pipelines", ()) if one["key"] == key)
        return next((StagePath.of(one) for one in found), None)


@studio.get("/start")
def beginning() -> Response:
    here = scope()
    here.require(EDIT)
    return _show(here, BeginningForm(request.args))


@studio.post("/start")
def propose() -> Response:
    """The first step answers with proposals; with a chosen template it is installed: 303 to the report."""
    here = scope()
    here.require(EDIT)
    form = BeginningForm(request.form)
    background = _background(form)
    try:
        background.apply({})
        if not form.scenario.data:
            problem = gettext("Choose what the process is to bring.")
            return _show(here, form, problems=[("scenario", problem)], status=422)
        if not form.pack.data or "again" in request.form:
            form.pack.data = ""
            return _show(here, form, found=_proposed(here, background))
        return _begin(here, form.pack.data, background)
    except Invalid as error:
        return _show(here, form, problems=lines(error), status=422)
    except Conflict as error:
        told = [("", message(error.message_key, error.values)), *lines(error)]
        return _show(here, form, found=_proposed(here, background), problems=told, status=409)


def _begin(here: Scope, pack_key: str, background: SetBackground) -> Response:
    uow = here.unit_of_work()
    chosen = shelf_pack(here.session, current_user.id, pack_key)
    key = beginnings.begin(uow, chosen.document, background)
    uow.commit()
    told = gettext(
        "“%(pack)s” is installed. Your answers are kept with the process.", pack=local(chosen.label)
    )
    return done(report_of(background.scenario, key), told)


@studio.post("/processes/<pipeline_key>/background")
def set_background(pipeline_key: str) -> Response:
    """The answers, changed later: in the draft, as everything else."""
    return make(pipeline_key, _background(BeginningForm(request.form)))


def _background(form: BeginningForm) -> SetBackground:
    answers = {name: form[name].data or "" for name in QUESTIONS}
    return SetBackground(form.scenario.data or "", answers)


def _proposed(here: Scope, background: SetBackground) -> list[Proposed]:
    known = {each.ref: each for each in shelf(here.session, current_user.id)}
    heads = {ref: each.document for ref, each in known.items()}
    ranked = proposals(heads, background.scenario, background.answers)
    return [Proposed(known[each.ref], _reason(each, background.scenario)) for each in ranked]


def _reason(proposal: Proposal, scenario: str) -> str:
    if proposal.words:
        return gettext("Your answers speak of: %(words)s", words=names_in(proposal.words[:6]))
    if proposal.fits:
        return gettext("Made for “%(scenario)s”", scenario=SCENARIO_WORDS[scenario][0])
    return ""


def report_of(scenario: str, pipeline_key: str) -> str:
    """The page on which one sees what a scenario is about."""
    match scenario:
        case "team_tuning":
            return url_for("insights.wins", pipeline=pipeline_key)
        case "conversion_lift":
            return url_for("insights.funnel", pipeline=pipeline_key)
        case "standardisation":
            return url_for("studio.road_map", pipeline_key=pipeline_key)
        case _:
            return url_for("board.board", pipeline_key=pipeline_key)


def scenario_cards(first: Pipeline | None) -> list[ScenarioCard]:
    return [
        ScenarioCard(key, str(title), str(text), icon, report_of(key, first.key) if first else "")
        for key, (title, text, icon) in SCENARIO_WORDS.items()
    ]


def _show(
    here: Scope,
    form: BeginningForm,
    *,
    found: list[Proposed] | None = None,
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    first = next(iter(here.catalog.pipelines.values()), None)
    return show_form(
        "pages/studio/beginning.html",
        fragment="fragments/process/beginning.html",
        form=form,
        cards=scenario_cards(first),
        questions=QUESTION_WORDS,
        found=found or [],
        problems=problems or [],
        status=status,
    )
