"""The Studio: the processes of a workspace, looked at by everybody, changed by those who may."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, g, url_for
from flask_babel import gettext

from blueprints.shell import NavItem, NavSection, add_navigation
from blueprints.studio import area, processes  # noqa: F401 - importing registers their routes


def register(app: Flask) -> None:
    """Register the area with its pages and its part of the sidebar."""
    app.register_blueprint(area.studio)
    add_navigation(app, _navigation)


def _navigation() -> Iterator[NavSection]:
    if "scope" in g:
        link = NavItem(gettext("Processes"), url_for("studio.process_list"), icon="route")
        yield NavSection(gettext("Studio"), (link,), order=80)
