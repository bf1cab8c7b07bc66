"""The funnel page of one pipeline: now or over a period, four modes, count or amount, compared by groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request

from blueprints.insights import words
from blueprints.insights.area import insights
from blueprints.insights.choices import presets, selects
from blueprints.insights.filter import filter_facts
from blueprints.insights.funnel_chart import drill_link, label, period_chart, snapshot_chart
from blueprints.insights.panel import panel_answer
from blueprints.insights.question import Question, population_of, public, read_question, without_period
from blueprints.insights.tabs import funnel_tabs, lost_tabs, mode_tabs
from blueprints.scope import Scope, scope
from builder.domain.funnel import StepFigures
from builder.queries.funnel import FunnelReport, funnel_report, snapshot
from builder.queries.funnel_groups import GroupReach, compared_funnel
from builder.queries.funnel_stays import Amounts

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
        funnels=funnel_tabs(here),
        **panel,
    )
    return make_response(page)


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
        chart = snapshot_chart(question, found)
        return common | {"chart": chart, "report": None, "snapshot": found, "modes": (), "lost_tabs": ()}
    report, groups = _found(here, question, wanted)
    return common | {
        "chart": period_chart(question, report),
        "report": report,
        "figures": report.figures,
        "snapshot": None,
        "modes": mode_tabs(question, "insights.funnel"),
        "lost_tabs": lost_tabs(question),
        "groups": _group_rows(question, groups),
        "all_groups": len(groups),
        "flow": [(name, text) for name, text in words.FLOW.items()],
        "flow_rows": [_flow_row(question, step) for step in report.figures.steps],
    }


def _found(here: Scope, question: Question, currency: str) -> tuple[FunnelReport, Sequence[GroupReach]]:
    population = population_of(here, question)
    counts_only = question.measure == "count" and question.amounts == "entry"
    amounts: Amounts = "none" if counts_only else "now" if question.amounts == "now" else "entry"
    asked = here.session, population, question.pipeline, question.mode
    if question.by is None:
        return funnel_report(*asked, currency=currency, amounts=amounts), ()
    return compared_funnel(*asked, currency=currency, amounts=amounts, by=question.by)


def _flow_row(question: Question, step: StepFigures) -> dict[str, Any]:
    """Entries of a step and how they ended, each with its list: the identity of M1 read across."""
    cells = []
    for name in words.FLOW:
        count = getattr(step, name)
        cells.append((words.number(count), drill_link(question, name, step.stage) if count else ""))
    return {"label": label(question, step.stage), "cells": cells, "balanced": step.is_balanced}


def _group_rows(question: Question, groups: Sequence[GroupReach]) -> list[dict[str, Any]] | None:
    """Rates of each group, step by step; ``None`` when nothing is compared."""
    if question.by is None:
        return None
    return [
        {
            "label": words.group_name(question.by, group.name),
            "href": _group_link(question, group.name.value),
            "steps": [(words.number(step.reached), words.percent(step.rate)) for step in group.steps],
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


def _views(question: Question) -> list[tuple[str, str, bool, None]]:
    return [
        (text, url_for("insights.funnel", **question.changed(view=view)), question.view == view, None)
        for view, text in (("period", gettext("Over a period")), ("snapshot", gettext("Open now")))
    ]
