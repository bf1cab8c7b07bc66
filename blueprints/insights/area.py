"""The blueprint of Insights: ``/w/<workspace>/insights/…``; every page needs the right to see it."""

from __future__ import annotations

from flask import redirect, url_for
from werkzeug.wrappers import Response

from blueprints.scope import scope, workspace_area

VIEW = "insights.view"

insights = workspace_area("insights", __name__, "/insights")


@insights.before_request
def _guard() -> None:
    scope().require(VIEW)


@insights.get("/")
def home() -> Response:
    return redirect(url_for("insights.funnel"), 303)
