"""Insights: the funnel, wins and losses, and the lists behind their figures."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, g, url_for
from flask_babel import gettext

from blueprints.insights import (  # noqa: F401 - importing registers their routes
    area,
    chained,
    difference,
    drill,
    filter,
    funnel,
    plugged,
    reasons,
    wins,
)
from blueprints.messages import local
from blueprints.shell import NavItem, NavSection, add_navigation
from builder.charts.report import reports


def register(app: Flask) -> None:
    """Register the area with its pages and its part of the sidebar."""
    app.register_blueprint(area.insights)
    add_navigation(app, _navigation)


def _navigation() -> Iterator[NavSection]:
    if "scope" not in g or not g.scope.actor.can(area.VIEW):
        return
    links = [
        NavItem(gettext("Funnel"), url_for("insights.funnel"), "filter"),
        NavItem(gettext("Wins and losses"), url_for("insights.wins"), "trophy"),
        NavItem(gettext("Reasons"), url_for("insights.reasons"), "list-details"),
    ]
    for key, report in reports().items():
        links.append(NavItem(str(local(report.label)), url_for("insights.report", key=key), "chart-bar"))
    yield NavSection(gettext("Insights"), tuple(links), order=60)
