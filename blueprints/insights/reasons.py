"""The page of reasons: tactics that won, reasons of what was lost or invalid, by stage left (S40, S41)."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, url_for
from flask_babel import gettext, lazy_gettext
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from blueprints.insights import words
from blueprints.insights.area import insights
from blueprints.insights.choices import presets, selects
from blueprints.insights.drill import cursor, page_size, show_list
from blueprints.insights.filter import filter_facts
from blueprints.insights.panel import panel_answer
from blueprints.insights.question import Question, population_of, read_question, words_of
from blueprints.messages import local, named
from blueprints.scope import Scope, scope
from builder.charts.chart import Cell, Chart
from builder.charts.reasons import ReasonBar, reasons_chart
from builder.domain.money import exponent
from builder.errors import N_, Invalid
from builder.queries.drill import ended_drill
from builder.queries.drill_ended import Ended
from builder.queries.reasons import (
    DEFINITION,
    OutcomeReasons,
    ReasonReport,
    ReasonRow,
    Tally,
    reason_report,
)

PANEL = "reasons-panel"
_NONE = "~"
_TITLES = {
    "lost": lazy_gettext("Why records were lost"),
    "won": lazy_gettext("Tactics that won"),
    "invalid": lazy_gettext("Why records were invalid"),
}


@insights.get("/reasons")
def reasons() -> Response:
    """The whole page, or for htmx only the panel with charts and tables."""
    here = scope()
    question = read_question(here)
    panel = _panel(here, question)
    if request.htmx and request.htmx.target == PANEL:
        address = url_for("insights.reasons", **question.args)
        return panel_answer("fragments/reasons/panel.html", address, panel)
    offered = [select for select in selects(here, question, closing=True) if select.name != "by"]
    page = render_template("pages/insights/reasons.html", selects=offered, presets=presets(question), **panel)
    return make_response(page)


@insights.route("/reasons/list", methods=["GET", "POST"])
def reasons_list() -> AnyResponse:
    """The records behind a number of the page."""
    here = scope()
    question = read_question(here)
    outcome, reason, stage = (words_of(name) for name in ("outcome", "reason", "stage"))
    if outcome not in _TITLES:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=outcome[:40])
    page = ended_drill(
        here.session,
        population_of(here, question),
        Ended((outcome,), reason=_wanted(reason), stage=_wanted(stage)),
        after=cursor(),
        limit=page_size(),
    )
    title = str(_TITLES[outcome])
    if reason:
        title = named(title, _reason_name(question, outcome, _wanted(reason)))
    if stage:
        title = f"{title} · {_stage_name(question, _wanted(stage))}"
    return show_list(
        question,
        page,
        title=title,
        back=url_for("insights.reasons", **question.args),
        further={"outcome": outcome, "reason": reason, "stage": stage},
    )


def _wanted(text: str) -> str | None:
    """None for all, "" for those without one."""
    return None if not text else ("" if text == _NONE else text)


def _panel(here: Scope, question: Question) -> dict[str, Any]:
    report = reason_report(
        here.session,
        population_of(here, question),
        currency=question.currency or here.workspace.currency,
        rank="amount" if question.measure == "amount" else "count",
    )
    return {
        "question": question,
        "report": report,
        "charts": [
            (outcome, _chart(question, report, report.outcomes[outcome]))
            for outcome in _TITLES
            if report.outcomes[outcome].rows
        ],
        "definition": gettext(DEFINITION),
        **filter_facts(here, "reasons", question),
    }


def _chart(question: Question, report: ReasonReport, found: OutcomeReasons) -> Chart:
    stages = _stages(question, found)
    is_amount = question.measure == "amount"
    amount = gettext("Amount")
    bars = [_bar(question, report, found.outcome, row, stages) for row in found.rows]
    total = _cells(question, report, gettext("Total"), found.total, found.stages, stages, found.outcome, "")
    return reasons_chart(
        bars,
        found.outcome,
        title=str(_TITLES[found.outcome]),
        description=gettext("Ranked by amount.") if is_amount else gettext("Ranked by number of records."),
        measure=amount if is_amount else gettext("Records"),
        currency=report.currency if is_amount else "",
        headers=(
            gettext("Tactic") if found.outcome == "won" else gettext("Reason"),
            gettext("Records"),
            gettext("Share"),
            *((amount,) if question.has_amounts else ()),
            *(_left_from(question, stage) for stage in stages),
        ),
        total=total,
    )


def _stages(question: Question, found: OutcomeReasons) -> list[str | None]:
    """The stages that were left, in the order of the pipeline; those without one last."""
    known = [stage.key for stage in question.pipeline.stages]
    places = {key: place for place, key in enumerate(known)}
    return sorted(found.stages, key=lambda key: (key is None, places.get(key or "", len(known)), key or ""))


def _bar(
    question: Question, report: ReasonReport, outcome: str, row: ReasonRow, stages: list[str | None]
) -> ReasonBar:
    label = _reason_name(question, outcome, row.reason)
    value: float = row.total.n
    text = words.number(row.total.n)
    if question.measure == "amount":
        value = row.total.amount_minor / 10 ** (exponent(report.currency) if report.currency else 0)
        text = words.money(row.total.amount_minor, report.currency)
    key = row.reason or _NONE
    cells = _cells(question, report, label, row.total, row.stages, stages, outcome, key, row)
    return ReasonBar(label, value, text, _drill(question, outcome, key), cells)


def _cells(
    question: Question,
    report: ReasonReport,
    label: str,
    total: Tally,
    parts: dict[str | None, Tally],
    stages: list[str | None],
    outcome: str,
    reason: str,
    row: ReasonRow | None = None,
) -> tuple[Cell, ...]:
    """A row of the table: number, share, amount, and the numbers by stage left."""
    href = _drill(question, outcome, reason)
    cells = [
        Cell(label),
        Cell(words.number(total.n), href, is_number=True),
        Cell(words.percent(row.share) if row else "", is_number=True),
    ]
    if question.has_amounts:
        cells.append(Cell(words.money(total.amount_minor, report.currency), href, is_number=True))
    for stage in stages:
        n = parts.get(stage, Tally()).n
        link = _drill(question, outcome, reason, stage or _NONE) if n else ""
        cells.append(Cell(words.number(n), link, is_number=True))
    return tuple(cells)


def _drill(question: Question, outcome: str, reason: str, stage: str = "") -> str:
    args = question.changed(outcome=outcome, reason=reason, stage=stage)
    return url_for("insights.reasons_list", **args)


def _reason_name(question: Question, outcome: str, key: str | None) -> str:
    """What it is called; a reason that an older version had by its key."""
    if not key:
        return gettext("(no tactic given)") if outcome == "won" else gettext("(no reason given)")
    for kind, known in question.pipeline.reasons.items():
        for reason in known:
            if kind == outcome and reason.key == key:
                return local(reason.label)
    return key


def _stage_name(question: Question, key: str | None) -> str:
    if not key:
        return gettext("without a stage before")
    stage = question.pipeline.by_key.get(key)
    return local(stage.label) if stage else key


def _left_from(question: Question, key: str | None) -> str:
    if not key:
        return gettext("Without a stage before")
    return gettext("From “%(stage)s”", stage=_stage_name(question, key))
