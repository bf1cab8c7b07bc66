"""A funnel over several pipelines (M0): its page, and the lists behind its figures."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from blueprints.insights import words
from blueprints.insights.area import insights
from blueprints.insights.chained_list import list_answer
from blueprints.insights.choices import narrowing_selects, presets
from blueprints.insights.filter import CHAINED, filter_facts
from blueprints.insights.funnel_chart import fraction
from blueprints.insights.panel import panel_answer
from blueprints.insights.question import Question, population_of, read_question
from blueprints.insights.tabs import funnel_tabs, mode_tabs
from blueprints.messages import local
from blueprints.scope import Scope, scope
from builder.charts.chart import Cell, Chart
from builder.charts.funnel import FunnelBar, funnel_chart
from builder.domain.funnel import MODES, FunnelFigures, StepFigures
from builder.errors import N_, Invalid
from builder.queries.chained import Chain, chained_report
from builder.queries.chained_drill import ChainedFigure

PANEL = "chained-panel"
# What narrows the first records and says how they are counted; the rest of a question has no meaning here.
_ASKED = ("mode", "preset", "from", "to", "owner", "department", "where")


@insights.get("/funnels/<key>")
def chained(key: str) -> AnyResponse:
    """The whole page, or for htmx only the panel."""
    here = scope()
    chain, question = _asked(here, key)
    panel = _panel(here, chain, question)
    if request.htmx and request.htmx.target == PANEL:
        address = url_for("insights.chained", key=key, **question.args)
        return panel_answer("fragments/funnel/chained.html", address, panel)
    page = render_template(
        "pages/insights/chained.html",
        selects=narrowing_selects(here, question),
        presets=presets(question),
        funnels=funnel_tabs(here, key),
        **panel,
    )
    return make_response(page)


@insights.route("/funnels/<key>/list", methods=["GET", "POST"])
def chained_list(key: str) -> AnyResponse:
    """What a bar or a number counted: units, or visits where it counts visits; sent as a form, a file."""
    here = scope()
    chain, question = _asked(here, key)
    figure = ChainedFigure(
        request.args.get("figure", "denominator"), request.args.get("step", ""), question.mode
    )
    return list_answer(here, chain, question, figure, _step_names(chain))


def _asked(here: Scope, key: str) -> tuple[Chain, Question]:
    """Errors: NotFound for an unknown funnel; Invalid for a value that is none of the choices."""
    chain = Chain.of(here.catalog, here.catalog.funnel(key))
    args = {name: value for name, value in request.args.items() if name in _ASKED or name.startswith("f.")}
    question = read_question(here, {**args, "pipeline": chain.definition.steps[0].pipeline})
    if question.mode not in MODES:
        # Units of several records are not lost as a whole, so they cannot be left unfilled.
        raise Invalid(N_("“%(value)s” is none of the choices."), value=question.mode)
    return chain, question


def _panel(here: Scope, chain: Chain, question: Question) -> dict[str, Any]:
    key = chain.definition.key
    figures = chained_report(here.session, chain, population_of(here, question), question.mode)
    names = _step_names(chain)
    return {
        "definition": chain.definition,
        "question": question,
        "words": words,
        "figures": figures,
        "chart": _chart(chain, question, figures, names),
        "modes": mode_tabs(question, "insights.chained", key=key),
        "flow": list(words.FLOW.items()),
        "flow_rows": [_flow_row(chain, question, step, names[step.stage]) for step in figures.steps],
        **filter_facts(here, f"{CHAINED}/{key}", question),
    }


def _step_names(chain: Chain) -> dict[str, str]:
    """Step → what it is called: its own label, else that of its stage."""
    return {
        place: str(local(step.label) or local(chain.pipelines[step.pipeline].by_key[step.stage].label))
        for place, step in zip(chain.steps.places, chain.definition.steps, strict=True)
    }


def _link(chain: Chain, question: Question, figure: str, step: str) -> str:
    asked = question.changed(figure=figure, step=step)
    return url_for("insights.chained_list", key=chain.definition.key, **asked)


def _flow_row(chain: Chain, question: Question, step: StepFigures, name: str) -> dict[str, Any]:
    cells = []
    for way in words.FLOW:
        count = getattr(step, way)
        cells.append((words.number(count), _link(chain, question, way, step.stage) if count else ""))
    return {"label": name, "cells": cells}


def _bar(chain: Chain, question: Question, step: StepFigures, name: str) -> FunnelBar:
    is_visits = question.mode == "stay"
    count = step.entered if is_visits else step.reached
    reached = _link(chain, question, "entered" if is_visits else "denominator", step.stage) if count else ""
    went_on = _link(chain, question, "numerator", step.stage) if step.numerator else ""
    rated = _link(chain, question, "denominator", step.stage) if step.denominator else ""
    cells = (
        Cell(name),
        Cell(words.number(count), reached, is_number=True),
        Cell(fraction(step), went_on, is_number=True),
        Cell(words.percent(step.rate), rated, is_number=True),
        Cell(words.percent(step.cumulative), reached, is_number=True),
    )
    return FunnelBar(name, count, words.number(count), reached, cells)


def _chart(chain: Chain, question: Question, figures: FunnelFigures, names: dict[str, str]) -> Chart:
    what = gettext("Visits") if question.mode == "stay" else gettext("Reached")
    return funnel_chart(
        [_bar(chain, question, step, names[step.stage]) for step in figures.steps],
        title=str(local(chain.definition.label)),
        description=str(words.MODES[question.mode].sentence),
        measure=what,
        headers=(gettext("Step"), what, gettext("Went on"), gettext("Rate"), gettext("Of the first")),
    )
