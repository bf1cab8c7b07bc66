"""The list behind a figure of a funnel over several pipelines: units with what came of them, or visits."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from blueprints.insights import words
from blueprints.insights.drill import cursor, list_file, page_size
from blueprints.insights.question import Question, population_of
from blueprints.messages import local, named
from blueprints.scope import Scope
from blueprints.workspace.area import record_address
from builder.db.ids import to_public
from builder.errors import N_, Invalid
from builder.queries.chained import Chain
from builder.queries.chained_drill import ChainedFigure, ChainedPage, Visit, chained_drill
from builder.queries.drill import DrillRow
from builder.services.exports import RIGHT


def list_answer(
    here: Scope, chain: Chain, question: Question, figure: ChainedFigure, names: dict[str, str]
) -> AnyResponse:
    """The list as a page; or as a file of its first records, when its form was sent."""
    key, limit = chain.definition.key, page_size()
    is_file = figure.unit == "record" and chain.definition.unit == "record"
    if request.method == "POST" and not is_file:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=request.form.get("format", "")[:40])
    population = population_of(here, question)
    page = chained_drill(here.session, chain, population, figure, after=cursor(), limit=limit)
    title = named(names[figure.step], words.FIGURES.get(figure.name, figure.name))
    if request.method == "POST":
        return list_file(question, list(page.units), title, has_more=page.next is not None)
    again = question.changed(figure=figure.name, step=figure.step)
    here_address = url_for("insights.chained_list", key=key, **again)
    following = "" if page.next is None else f"{here_address}&after={to_public(page.next)}"
    html = render_template(
        "pages/insights/chained_list.html",
        definition=chain.definition,
        page=page,
        title=title,
        back=url_for("insights.chained", key=key, **question.args),
        following=following,
        first=here_address if request.args.get("after") else "",
        export_url=here_address if is_file and page.total and here.actor.can(RIGHT) else "",
        rows=_visit_rows(here, page) if page.unit == "stay" else _unit_rows(here, page),
    )
    return make_response(html)


def _visit_rows(here: Scope, page: ChainedPage) -> list[dict[str, Any]]:
    return [_visit_row(here, page, visit) for visit in page.visits]


def _visit_row(here: Scope, page: ChainedPage, visit: Visit) -> dict[str, Any]:
    is_seen = visit.record_id in page.seen
    return {
        "unit": _named(page, visit.unit_id),
        # What came of a unit is told to those who may open it.
        "record": _named(page, visit.record_id) if is_seen else None,
        "object": local(here.catalog.object(page.records[visit.record_id].object_key).label),
        "entered": words.moment(visit.entered_at),
        "left": words.moment(visit.left_at),
        "days": words.NOTHING if visit.seconds is None else f"{visit.seconds / 86400:.1f}",
    }


def _unit_rows(here: Scope, page: ChainedPage) -> list[dict[str, Any]]:
    rows = []
    for unit in page.units:
        record, is_seen = page.records[unit], unit in page.seen
        made = page.made.get(unit, ())
        rows.append(
            {
                "unit": _named(page, unit),
                "owner": record.owner_name if is_seen else "",
                "stage": _stage(here, record) if is_seen else None,
                "made": [
                    {**_named(page, one), "stage": _stage(here, page.records[one])}
                    for one in made
                    if one in page.seen
                ],
                "unseen": sum(one not in page.seen for one in made),
            }
        )
    return rows


def _named(page: ChainedPage, record_id: int) -> dict[str, str]:
    """The name of a record, with its address for those who may open it."""
    record = page.records[record_id]
    return {
        "name": record.name or record.number or f"#{record.id}",
        "href": record_address(record_id) if record_id in page.seen else "",
    }


def _stage(here: Scope, record: DrillRow) -> dict[str, str] | None:
    """Where a record is now; ``None`` in no stage that is known."""
    for pipeline in here.catalog.pipelines_of(record.object_key):
        stage = pipeline.by_key.get(record.stage_key or "")
        if stage is not None:
            return {"name": str(local(stage.label)), "color": stage.color or ""}
    return None
