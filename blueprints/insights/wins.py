"""The page of wins and losses: M5, M6, M7, M27, the cycle M10, won amounts; in total and by group."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request

from blueprints.insights import words
from blueprints.insights.area import insights
from blueprints.insights.choices import presets, selects
from blueprints.insights.filter import filter_facts
from blueprints.insights.panel import panel_answer
from blueprints.insights.question import Question, population_of, public, read_question
from blueprints.scope import Scope, scope
from builder.charts.chart import Cell, Chart
from builder.charts.wins import OUTCOMES, WinBar, wins_chart
from builder.domain.wins import DEFINITIONS, WinFigures
from builder.queries.wins import WinReport, win_report

PANEL = "wins-panel"
MOST_GROUPS = 200


@insights.get("/wins")
def wins() -> Response:
    """The whole page, or for htmx only the panel with figures, chart and table."""
    here = scope()
    question = read_question(here)
    panel = _panel(here, question)
    if request.htmx and request.htmx.target == PANEL:
        return panel_answer("fragments/wins/panel.html", url_for("insights.wins", **question.args), panel)
    page = render_template(
        "pages/insights/wins.html",
        selects=selects(here, question, closing=True),
        presets=presets(question),
        **panel,
    )
    return make_response(page)


def _panel(here: Scope, question: Question) -> dict[str, Any]:
    report = win_report(
        here.session,
        population_of(here, question),
        currency=question.currency or here.workspace.currency,
        by=question.by,
        most=MOST_GROUPS,
    )
    return {
        "question": question,
        "words": words,
        "report": report,
        "figures": _figures(question, report),
        "chart": _chart(question, report),
        "hidden": max(0, len(report.groups) - MOST_GROUPS),
        **filter_facts(here, "wins", question),
    }


def _drill(question: Question, outcome: str, **more: str) -> str:
    return url_for("insights.wins_list", **question.changed(outcome=outcome, **more))


def _figures(question: Question, report: WinReport) -> list[dict[str, str]]:
    """The cards at the head: each with its definition and the list of what it divides by."""
    total, counts = report.total, report.total.counts
    number = words.number
    decided, closed = counts.won + counts.lost, counts.won + counts.lost + counts.invalid
    return [
        _figure(
            gettext("Win rate"),
            words.percent(total.win_rate),
            gettext("%(won)s of %(all)s won or lost", won=number(counts.won), all=number(decided)),
            "win_rate",
            _drill(question, "decided"),
        ),
        _figure(
            gettext("Win rate with invalid"),
            words.percent(total.win_rate_broad),
            gettext("%(won)s of %(all)s closed", won=number(counts.won), all=number(closed)),
            "win_rate_broad",
            _drill(question, "closed"),
        ),
        *_by_value(question, report),
        _figure(
            gettext("Won share"),
            words.percent(total.won_share),
            gettext("%(won)s of all %(all)s", won=number(counts.won), all=number(total.opportunities)),
            "won_share",
            _drill(question, "all"),
        ),
        *_amounts(question, report),
        _figure(
            gettext("Days to win"),
            words.days(counts.cycle.median),
            gettext(
                "median of %(n)s; mean %(mean)s",
                n=number(counts.cycle.n),
                mean=words.days(counts.cycle.mean),
            ),
            "cycle_days",
            _drill(question, "won"),
        ),
    ]


def _by_value(question: Question, report: WinReport) -> list[dict[str, str]]:
    """Nothing where amounts are hidden from the reader, or there are none."""
    if not question.has_amounts:
        return []
    total = report.total
    return [
        _figure(
            gettext("Win rate by value"),
            words.percent(total.win_rate_by_value),
            gettext("of the amounts won or lost"),
            "win_rate_by_value",
            _drill(question, "decided"),
        ),
    ]


def _amounts(question: Question, report: WinReport) -> list[dict[str, str]]:
    """As ``_by_value``."""
    if not question.has_amounts:
        return []
    total, counts, currency = report.total, report.total.counts, report.currency
    number = words.number
    return [
        _figure(
            gettext("Won amount"),
            words.money(counts.won_minor, currency),
            gettext("%(n)s with an amount", n=number(counts.won_valued)),
            "won_amount",
            _drill(question, "won"),
        ),
        _figure(
            gettext("Average won"),
            words.money(total.average_won_minor, currency),
            gettext("median %(median)s", median=words.money(counts.median_won_minor, currency)),
            "average_won",
            _drill(question, "won"),
        ),
    ]


def _figure(label: str, value: str, note: str, definition: str, href: str) -> dict[str, str]:
    return {
        "label": label,
        "value": value,
        "note": note,
        "definition": gettext(DEFINITIONS[definition]),
        "href": href if value != words.NOTHING else "",
    }


def _chart(question: Question, report: WinReport) -> Chart:
    by = question.by
    bars = [_bar(question, gettext("All"), report.total, report.currency, {})]
    if by is not None:
        bars = []
        for group in report.groups[:MOST_GROUPS]:
            value = public(group.name.value) if by.is_id and group.name.value else group.name.value
            bars.append(
                _bar(
                    question,
                    words.group_name(by, group.name),
                    group.figures,
                    report.currency,
                    {"group": value or "~"},
                )
            )
    total = _bar(question, gettext("Total"), report.total, report.currency, {}).cells if by else ()
    return wins_chart(
        bars,
        title=words.dimension_name(by) if by else gettext("All records"),
        description=gettext("How many were won, lost, invalid or are open."),
        names=[str(words.OUTCOMES[outcome]) for outcome in OUTCOMES],
        headers=(
            words.dimension_name(by) if by else "",
            *(str(words.OUTCOMES[outcome]) for outcome in OUTCOMES),
            gettext("Win rate"),
            gettext("Won share"),
            *((gettext("Won amount"), gettext("Median")) if question.has_amounts else ()),
            gettext("Days to win"),
        ),
        total=total,
    )


def _bar(question: Question, label: str, figures: WinFigures, currency: str, group: dict[str, str]) -> WinBar:
    counts = figures.counts
    cells = [Cell(label)]
    for outcome in OUTCOMES:
        n = getattr(counts, outcome)
        cells.append(Cell(words.number(n), _drill(question, outcome, **group) if n else "", is_number=True))
    told = [words.percent(figures.win_rate), words.percent(figures.won_share)]
    if question.has_amounts:
        told += [words.money(counts.won_minor, currency), words.money(counts.median_won_minor, currency)]
    cells += [Cell(text, is_number=True) for text in (*told, words.days(counts.cycle.median))]
    return WinBar(
        label,
        counts.won,
        counts.lost,
        counts.invalid,
        counts.open,
        _drill(question, "all", **group),
        tuple(cells),
    )
