"""The funnel page: now or over a period, four modes, count or amount, and what makes the modes differ."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, g, make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request

from blueprints.insights import words
from blueprints.insights.area import insights
from blueprints.insights.choices import presets, selects
from blueprints.insights.filter import filter_facts
from blueprints.insights.question import Question, population_of, public, read_question, without_period
from blueprints.messages import local
from blueprints.scope import Scope, scope
from builder.charts.chart import Cell, Chart
from builder.charts.funnel import FunnelBar, funnel_chart
from builder.domain.funnel import MODES, StepFigures
from builder.queries.chained import chained_report
from builder.queries.funnel import FunnelGroup, FunnelReport, funnel_report, snapshot

PANEL = "funnel-panel"
# Groups that are compared side by side, the largest first.
MOST_GROUPS = 100


@insights.get("/funnel")
def funnel() -> Response:
    """The whole page, or for htmx only the panel with chart, figures and tabs."""
    here = scope()
    question = read_question(here)
    panel = _panel(here, question)
    if request.htmx and request.htmx.target == PANEL:
        return panel_answer("fragments/funnel/panel.html", url_for("insights.funnel", **question.args), panel)
    page = render_template(
        "pages/insights/funnel.html",
        selects=selects(here, question, closing=False),
        presets=presets(question),
        funnels=_tabs(here),
        **panel,
    )
    return make_response(page)


def panel_answer(template: str, address: str, panel: dict[str, Any]) -> Response:
    """A panel for htmx; the address bar gets its shortest form, unless the panel refreshed itself."""
    answer = make_response(render_template(template, **panel))
    if request.htmx.trigger != request.htmx.target:
        answer.headers["HX-Push-Url"] = address
    return answer


@insights.get("/funnel/difference")
def difference() -> str:
    """The figures of all modes side by side, and the lists of what makes them differ (B5)."""
    here = scope()
    question = read_question(here)
    population = population_of(here, question)
    reports = {
        mode: funnel_report(
            here.session, population, question.pipeline, mode, currency=question.currency, amounts="none"
        )
        for mode in MODES
    }
    return render_template(
        "fragments/funnel/difference.html",
        question=question,
        rows=_difference_rows(question, reports),
        words=words,
    )


@insights.get("/funnels/<key>")
def chained(key: str) -> str:
    """A funnel over several pipelines (M0)."""
    here = scope()
    definition = here.catalog.funnel(key)
    question = read_question(here)
    report = chained_report(here.session, here.catalog, definition, here.actor, question.mode)
    names = [local(step.label) or local(here.catalog.pipeline(step.pipeline).by_key[step.stage].label)
             for step in definition.steps]  # fmt: skip
    bars = [
        FunnelBar(
            name,
            step.reached,
            words.number(step.reached),
            "",
            (
                Cell(name),
                Cell(words.number(step.reached), is_number=True),
                Cell(_fraction(step), is_number=True),
                Cell(words.percent(step.rate), is_number=True),
                Cell(words.percent(step.cumulative), is_number=True),
            ),
        )
        for name, step in zip(names, report.steps, strict=True)
    ]
    chart = funnel_chart(
        bars,
        title=local(definition.label),
        description=gettext("Records that reached each step, from the first step on."),
        measure=gettext("Reached"),
        headers=(
            gettext("Step"),
            gettext("Reached"),
            gettext("Went on"),
            gettext("Rate"),
            gettext("Of the first"),
        ),
    )
    return render_template(
        "pages/insights/chained.html",
        definition=definition,
        chart=chart,
        report=report,
        question=question,
        words=words,
        modes=_mode_tabs(question, "insights.chained", key=key),
        funnels=_tabs(here, key),
    )


def _panel(here: Scope, question: Question) -> dict[str, Any]:
    wanted = question.currency or here.workspace.currency
    common: dict[str, Any] = {
        "question": question,
        "words": words,
        "views": _views(question),
        **filter_facts(here, "funnel", question),
    }
    if question.view == "snapshot":
        population = population_of(here, without_period(question))
        found = snapshot(here.session, population, question.pipeline, currency=wanted)
        chart = _snapshot_chart(question, found)
        return common | {"chart": chart, "report": None, "snapshot": found, "modes": (), "groups": None}
    population = population_of(here, question)
    amounts: Any = question.amounts if question.measure == "amount" or question.amounts == "now" else "none"
    report = funnel_report(
        here.session,
        population,
        question.pipeline,
        question.mode,
        currency=wanted,
        amounts=amounts,
        by=question.by,
    )
    return common | {
        "chart": _period_chart(question, report),
        "report": report,
        "snapshot": None,
        "modes": _mode_tabs(question, "insights.funnel"),
        "groups": _group_rows(question, report.groups),
        "all_groups": len(report.groups),
        "flow": [(name, text) for name, text in words.FLOW.items()],
        "flow_rows": [_flow_row(question, step) for step in report.figures.steps],
    }


def _label(question: Question, stage: str) -> str:
    return str(local(question.pipeline.by_key[stage].label))


def _drill(question: Question, figure: str, stage: str, **more: str) -> str:
    # A page has a hundred of these: what they share is written once.
    if more:
        return url_for("insights.drill", **question.changed(figure=figure, stage=stage, **more))
    return f"{drill_stem(question)}&figure={quote(figure)}&stage={quote(stage)}"


def drill_stem(question: Question) -> str:
    """The address of the lists behind this page, to be told figure and stage; made once a request."""
    stems: dict[int, str] = g.setdefault("drill_stems", {})
    if id(question) not in stems:
        stems[id(question)] = url_for("insights.drill", **question.args)
    return stems[id(question)]


def _period_chart(question: Question, report: FunnelReport) -> Chart:
    is_amount = question.measure == "amount"
    reached = "entered" if question.mode == "stay" else "reached"
    bars = []
    for step in report.figures.steps:
        stage = question.pipeline.by_key[step.stage]
        count = getattr(step, reached)
        text = words.money(step.amount_minor, report.currency) if is_amount else words.number(count)
        link = _drill(question, "entered" if question.mode == "stay" else "denominator", step.stage)
        value = step.amount_minor / 100 if is_amount else count
        bars.append(
            FunnelBar(
                _label(question, step.stage),
                value,
                text,
                link if count else "",
                (
                    Cell(_label(question, step.stage), note=words.percent(step.cumulative)),
                    Cell(text, link if count else "", is_number=True),
                    Cell(
                        _fraction(step),
                        _drill(question, "numerator", step.stage) if step.numerator else "",
                        is_number=True,
                    ),
                    Cell(words.percent(step.rate), is_number=True),
                    Cell(words.percent(step.cumulative), is_number=True),
                    Cell(words.percent(step.win_rate), is_number=True),
                ),
                stage.color,
            )
        )
    what = gettext("Visits") if question.mode == "stay" else gettext("Reached")
    return funnel_chart(
        bars,
        title=str(local(question.pipeline.label)),
        description=str(words.MODES[question.mode].sentence),
        measure=gettext("Amount") if is_amount else what,
        headers=(
            gettext("Stage"),
            gettext("Amount") if is_amount else what,
            gettext("Went on"),
            gettext("Rate"),
            gettext("Of the first"),
            gettext("Win rate from here"),
        ),
    )


def _snapshot_chart(question: Question, found: Any) -> Chart:
    is_amount = question.measure == "amount"
    bars = []
    for stock in found.stages:
        stage = question.pipeline.by_key[stock.stage]
        link = _drill(question, "now", stock.stage) if stock.n else ""
        amount = words.money(stock.amount_minor, found.currency)
        bars.append(
            FunnelBar(
                _label(question, stock.stage),
                stock.amount_minor / 100 if is_amount else stock.n,
                amount if is_amount else words.number(stock.n),
                link,
                (
                    Cell(_label(question, stock.stage)),
                    Cell(words.number(stock.n), link, is_number=True),
                    Cell(amount, is_number=True),
                    Cell(words.money(stock.weighted_minor, found.currency), is_number=True),
                ),
                stage.color,
            )
        )
    return funnel_chart(
        bars,
        title=str(local(question.pipeline.label)),
        description=gettext("What is open now, by stage."),
        measure=gettext("Amount") if is_amount else gettext("Open now"),
        headers=(
            gettext("Stage"),
            gettext("Open now"),
            gettext("Amount"),
            gettext("Weighted amount"),
        ),
    )


def _fraction(step: StepFigures) -> str:
    if step.denominator is None:
        return words.NOTHING
    return f"{words.number(step.numerator or 0)} / {words.number(step.denominator)}"


def _flow_row(question: Question, step: StepFigures) -> dict[str, Any]:
    """Entries of a step and how they ended, each with its list: the identity of M1 read across."""
    cells = []
    for name in words.FLOW:
        count = getattr(step, name)
        cells.append((words.number(count), _drill(question, name, step.stage) if count else ""))
    return {"label": _label(question, step.stage), "cells": cells, "balanced": step.is_balanced}


def _group_rows(question: Question, groups: tuple[FunnelGroup, ...]) -> list[dict[str, Any]] | None:
    """Rates of each group, step by step; ``None`` when nothing is compared."""
    if question.by is None:
        return None
    return [
        {
            "label": words.group_name(question.by, group.name),
            "href": _group_link(question, group.name.value),
            "steps": [(words.number(step.reached), words.percent(step.rate)) for step in group.figures.steps],
        }
        for group in groups[:MOST_GROUPS]
    ]


def _group_link(question: Question, value: str) -> str:
    """The same funnel for one group alone, where a filter of the form can say so."""
    by = question.by
    assert by is not None
    if by.kind in ("owner", "department"):
        return url_for("insights.funnel", **question.changed(by="", **{by.kind: public(value)}))
    if by.field is not None and by.field.type == "choice" and value:
        return url_for("insights.funnel", **question.changed(by="", **{f"f.{by.field.key}": value}))
    return ""


def _difference_rows(question: Question, reports: dict[Any, FunnelReport]) -> list[dict[str, Any]]:
    """Per step: how many each mode counts, and the records that only the wider of two modes has."""
    rows = []
    for index, step in enumerate(reports["visited"].figures.steps):
        counts = {mode: reports[mode].figures.steps[index] for mode in MODES}
        visited, strict, filled = (counts[mode].reached for mode in ("visited", "strict", "filled"))
        rows.append(
            {
                "label": _label(question, step.stage),
                "counts": [(mode, counts[mode]) for mode in MODES],
                "passed_over": filled - visited,
                "passed_over_href": _drill(
                    question, "denominator", step.stage, mode="filled", **{"except": "visited"}
                ),
                "out_of_order": visited - strict,
                "out_of_order_href": _drill(
                    question, "denominator", step.stage, mode="visited", **{"except": "strict"}
                ),
                "running": counts["stay"].still_there,
                "running_href": _drill(question, "still_there", step.stage),
            }
        )
    return rows


def _views(question: Question) -> list[tuple[str, str, bool, None]]:
    return [
        (text, url_for("insights.funnel", **question.changed(view=view)), question.view == view, None)
        for view, text in (("period", gettext("Over a period")), ("snapshot", gettext("Open now")))
    ]


def _mode_tabs(question: Question, endpoint: str, **more: Any) -> list[tuple[str, str, bool, Any]]:
    return [
        (
            mode,
            url_for(endpoint, **more, **question.changed(mode=mode)),
            question.mode == mode,
            words.MODES[mode],
        )
        for mode in MODES
    ]


def _tabs(here: Scope, current: str = "") -> list[tuple[str, str, bool, None]]:
    """This page and the funnels over several pipelines; empty when there are none."""
    if not here.catalog.funnels:
        return []
    pages = [(gettext("One pipeline"), url_for("insights.funnel"), not current, None)]
    for key, definition in here.catalog.funnels.items():
        pages.append(
            (str(local(definition.label)), url_for("insights.chained", key=key), key == current, None)
        )
    return pages
