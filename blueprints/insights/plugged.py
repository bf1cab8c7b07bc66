"""The pages of reports that plug-ins bring (S24)."""

from __future__ import annotations

from flask import render_template

from blueprints.insights.area import VIEW, insights
from blueprints.languages import language
from blueprints.scope import scope
from builder.charts.report import Asked, reports
from builder.errors import NotFound


@insights.get("/reports/<key>")
def report(key: str) -> str:
    here = scope()
    here.require(VIEW)
    found = reports().get(key)
    if found is None:
        raise NotFound()
    now = here.unit_of_work().clock.now()
    asked = Asked(here.session, here.workspace, here.catalog, here.actor, now, language())
    return render_template("pages/insights/report.html", report=found, chart=found.chart(asked))
