"""The list behind a figure (B4): records, or visits where the figure counts visits."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from blueprints.insights import words
from blueprints.insights.area import insights
from blueprints.insights.question import NONE, Question, population_of, read_question, words_of
from blueprints.messages import local, named
from blueprints.scope import scope
from blueprints.workspace.area import record_address
from blueprints.workspace.export_form import figure_plan
from blueprints.workspace.exports import at_once
from builder.db.ids import from_public, to_public
from builder.errors import N_, Invalid, NotFound
from builder.exchange.export_plan import FORMATS
from builder.queries.behind import Figure
from builder.queries.drill import PAGE, DrillPage, DrillRow, drill, ended_drill
from builder.queries.drill_ended import Ended
from builder.services.exports import MOST_LISTED, RIGHT, TOO_MANY_LISTED

_OUTCOMES = {
    "all": (),
    "won": ("won",),
    "lost": ("lost",),
    "invalid": ("invalid",),
    "open": ("open",),
    "decided": ("won", "lost"),
    "closed": ("won", "lost", "invalid"),
}
_EMPTY_GROUP = "~"


@insights.route("/funnel/list", endpoint="drill", methods=["GET", "POST"])
def funnel_list() -> AnyResponse:
    """What a bar or a number of the funnel counted."""
    here = scope()
    question = read_question(here)
    figure = Figure(
        request.args.get("figure", "denominator"),
        request.args.get("stage", ""),
        question.mode,
        request.args.get("except", ""),
    )
    page = drill(
        here.session,
        population_of(here, question),
        question.pipeline,
        figure,
        after=cursor(),
        limit=page_size(),
    )
    stage = question.pipeline.by_key[figure.stage]
    name = words.FIGURES.get(figure.name, figure.name)
    return show_list(
        question,
        page,
        title=named(local(stage.label), name),
        back=url_for("insights.funnel", **question.args),
        further={"figure": figure.name, "stage": figure.stage, "except": figure.except_mode},
    )


@insights.route("/wins/list", methods=["GET", "POST"])
def wins_list() -> AnyResponse:
    """What a number of the wins page counted."""
    here = scope()
    question = read_question(here)
    outcome = request.args.get("outcome", "all")
    if outcome not in _OUTCOMES:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=outcome[:40])
    group = words_of("group")
    chosen = _group(question, group) if group else None
    page = ended_drill(
        here.session,
        population_of(here, question),
        Ended(_OUTCOMES[outcome], question.by, chosen),
        after=cursor(),
        limit=page_size(),
    )
    names = {"all": gettext("All"), "decided": gettext("Won or lost"), "closed": gettext("Closed")}
    return show_list(
        question,
        page,
        title=str(names.get(outcome) or words.OUTCOMES[outcome]),
        back=url_for("insights.wins", **question.args),
        further={"outcome": outcome, "group": group},
    )


def _group(question: Question, text: str) -> str:
    if question.by is None:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=text[:40])
    if text in (_EMPTY_GROUP, NONE):
        return ""
    if not question.by.is_id:
        return text
    try:
        return str(from_public(text))
    except ValueError as error:
        raise NotFound() from error


def cursor() -> int | None:
    text = request.args.get("after", "")
    if not text:
        return None
    try:
        return from_public(text)
    except ValueError as error:
        raise NotFound() from error


def page_size() -> int:
    """How many rows a page has; sent as a form it is an export, which takes them all or none."""
    if request.method == "GET":
        return PAGE
    scope().require(RIGHT)
    return MOST_LISTED


def show_list(
    question: Question, page: DrillPage, *, title: str, back: str, further: dict[str, str]
) -> AnyResponse:
    """The list as a page; or as a file, when its form was sent."""
    if request.method == "POST":
        ids = [row.id for row in page.rows] if page.unit == "record" else None
        return list_file(question, ids, title, has_more=page.next is not None)
    following = ""
    if page.next is not None:
        following = url_for(request.endpoint, **question.changed(**further, after=to_public(page.next)))
    may_export = scope().actor.can(RIGHT) and page.unit == "record" and page.total > 0
    html = render_template(
        "pages/insights/drill.html",
        export_url=url_for(request.endpoint, **question.changed(**further)) if may_export else "",
        question=question,
        page=page,
        rows=[shown_row(question, row) for row in page.rows],
        title=title,
        back=back,
        following=following,
        first=url_for(request.endpoint, **question.changed(**further)) if request.args.get("after") else "",
        words=words,
    )
    return make_response(html)


def list_file(question: Question, ids: list[int] | None, title: str, *, has_more: bool) -> AnyResponse:
    """The records as CSV or XLSX, named after the figure; rows that are no records (``None``) are refused."""
    here, kind = scope(), request.form.get("format", "")
    if kind not in FORMATS or ids is None:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=kind[:40])
    if has_more:
        raise Invalid(TOO_MANY_LISTED, most=MOST_LISTED)
    definition = here.catalog.object(question.pipeline.object_key)
    plan = figure_plan(here, definition, kind, title)
    return at_once(here.unit_of_work(), plan, ids)


def shown_row(question: Question, row: DrillRow) -> dict[str, Any]:
    stage = question.pipeline.by_key.get(row.stage_key or "")
    return {
        "name": row.name or row.number or f"#{row.id}",
        "href": record_address(row.id),
        "owner": row.owner_name,
        "stage": local(stage.label) if stage else row.stage_key or "",
        "color": stage.color if stage else "",
        "outcome": words.OUTCOMES.get(row.outcome or "", ""),
        "amount": words.money(row.amount_minor, row.currency or ""),
        "closed": words.moment(row.closed_at),
        "entered": words.moment(row.entered_at),
        "left": words.moment(row.left_at),
        "days": words.NOTHING if row.seconds is None else f"{row.seconds / 86400:.1f}",
    }
