"""Why the ways of counting differ: all figures side by side, and the records that make it so (B5)."""

from __future__ import annotations

from typing import Any

from flask import render_template

from blueprints.insights import words
from blueprints.insights.area import insights
from blueprints.insights.funnel_chart import drill_link, label
from blueprints.insights.question import Question, population_of, read_question
from blueprints.scope import scope
from builder.domain.funnel import MODES
from builder.queries.funnel import FunnelReport, funnel_report


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


def _difference_rows(question: Question, reports: dict[Any, FunnelReport]) -> list[dict[str, Any]]:
    """Per step: how many each mode counts, and the records that only the wider of two modes has."""
    rows = []
    for index, step in enumerate(reports["visited"].figures.steps):
        counts = {mode: reports[mode].figures.steps[index] for mode in MODES}
        visited, strict, filled = (counts[mode].reached for mode in ("visited", "strict", "filled"))
        rows.append(
            {
                "label": label(question, step.stage),
                "counts": [(mode, counts[mode]) for mode in MODES],
                "passed_over": filled - visited,
                "passed_over_href": drill_link(
                    question, "denominator", step.stage, mode="filled", **{"except": "visited"}
                ),
                "out_of_order": visited - strict,
                "out_of_order_href": drill_link(
                    question, "denominator", step.stage, mode="visited", **{"except": "strict"}
                ),
                "running": counts["stay"].still_there,
                "running_href": drill_link(question, "still_there", step.stage),
            }
        )
    return rows
