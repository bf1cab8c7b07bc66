"""The visual filter of a report: the builder of lists (part 5), leading back to the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import make_response, redirect, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.insights.area import insights
from blueprints.insights.question import Question, read_question
from blueprints.scope import Scope, scope
from blueprints.workspace.filter_form import FilterForm, args_of
from blueprints.workspace.filter_words import in_words, pointed_at
from blueprints.workspace.shown import form_context
from blueprints.workspace.subjects import Subject, subjects_of
from builder.domain.conditions import to_document
from builder.errors import N_, Invalid
from builder.fieldtypes.base import FieldContext
from builder.queries.row import names_of_members, names_of_visible

APPLY = "apply"
# A funnel over several pipelines is called "chained/" and its key.
CHAINED = "chained"
REPORTS = ("funnel", "wins", "reasons", CHAINED)
LONGEST_QUESTION = 12_000


@dataclass(frozen=True)
class ReportState:
    """What the builder keeps while rows are added: which report, and the whole question as one text.

    It has the names that the builder's template asks a list for.
    """

    report: str
    question: Question
    own: frozenset[str] = frozenset()
    filter: str = ""

    def args(self, **_changes: str) -> dict[str, str]:
        return {"report": self.report, "of": urlencode(self.question.args)}

    def address(self, f: str | None = None) -> str:
        """The report again, with the filter ``f`` instead of its own."""
        args = self.question.args if f is None else self.question.changed(where=f)
        return _address(self.report, args)


@insights.get("/filter")
def filter_builder() -> Response:
    """Show the builder; the button *apply* leads back to the report, others change rows."""
    here = scope()
    state = _state(here)
    subjects, context = _facts(here, state.question)
    condition = state.question.condition
    given = request.args if "mode" in request.args else args_of(condition, subjects, context)
    form = FilterForm(here, state.question.definition.key, given, subjects, context)
    is_told = request.args.get("_filter", "") == APPLY
    if is_told and not form.problems:
        built = form.condition()
        return _to(state.address(json.dumps(to_document(built), ensure_ascii=False) if built else ""))
    facts = {
        "form": form,
        "definition": state.question.definition,
        "state": state,
        "told": is_told,
        "builder_address": url_for("insights.filter_builder"),
    }
    is_fragment = request.htmx and not request.htmx.boosted
    name = "fragments/filter/builder.html" if is_fragment else "pages/insights/filter.html"
    return make_response(render_template(name, **facts), 422 if is_told else 200)


def condition_words(here: Scope, question: Question) -> str:
    """The free condition as people say it; "" when there is none."""
    if question.condition is None:
        return ""
    subjects, context = _facts(here, question)
    return in_words(question.condition, subjects, context)


def filter_facts(here: Scope, report: str, question: Question) -> dict[str, str]:
    """What the panel shows of the free condition; no statement where there is none."""
    return {
        "filter_address": url_for("insights.filter_builder", report=report, of=urlencode(question.args)),
        "unfiltered_address": _address(report, question.changed(where="")),
        "condition_words": condition_words(here, question),
    }


def _facts(here: Scope, question: Question) -> tuple[Mapping[str, Subject], FieldContext]:
    subjects = subjects_of(here, question.definition.key)
    names: Any = None
    members: Any = None
    if question.condition is not None:
        names = names_of_visible(
            here.session, here.actor, pointed_at(question.condition, subjects, ("reference",))
        )
        members = names_of_members(here.session, pointed_at(question.condition, subjects, ("user",)))
    return subjects, form_context(here, names, members)


def _state(here: Scope) -> ReportState:
    report, text = request.args.get("report", REPORTS[0]), request.args.get("of", "")
    name, _, key = report.partition("/")
    if name not in REPORTS or bool(key) != (name == CHAINED) or len(text) > LONGEST_QUESTION:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=report[:40])
    return ReportState(report, read_question(here, dict(parse_qsl(text))))


def _address(report: str, args: dict[str, Any]) -> str:
    name, _, key = report.partition("/")
    return url_for(f"insights.{name}", **({**args, "key": key} if key else args))


def _to(target: str) -> Response:
    if request.htmx and not request.htmx.boosted:
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = target
        return answer
    return redirect(target, 303)
