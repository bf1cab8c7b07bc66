"""People, roles, imports and settings of a workspace."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, g, url_for
from flask_babel import gettext

from blueprints.admin import (  # noqa: F401 - importing registers their routes
    area,
    audit,
    departments,
    field_rights,
    handover,
    invitations,
    people,
)
from blueprints.shell import NavItem, NavSection, add_navigation
from builder.services.definitions import EDIT
from builder.services.people import EDIT_PEOPLE


def register(app: Flask) -> None:
    """Register the area with its pages and its part of the sidebar."""
    app.register_blueprint(area.admin)
    add_navigation(app, _navigation)


def _navigation() -> Iterator[NavSection]:
    if "scope" not in g or not g.scope.actor.can(EDIT_PEOPLE):
        return
    links: tuple[NavItem, ...] = (
        NavItem(gettext("People"), url_for("admin.people_list"), "users"),
        NavItem(gettext("Departments"), url_for("admin.department_list"), "hierarchy-2"),
        NavItem(gettext("Audit log"), url_for("admin.audit_log"), "clipboard-list"),
    )
    if g.scope.actor.can(EDIT):
        links += (NavItem(gettext("Field rights"), url_for("admin.field_rights_home"), "lock"),)
    yield NavSection(gettext("Administration"), links, order=90)
