"""The Studio: the processes of a workspace, looked at by everybody, changed by those who may."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, g, url_for
from flask_babel import gettext

from blueprints.shell import NavItem, NavSection, add_navigation
from blueprints.studio import (  # noqa: F401 - importing registers their routes
    area,
    assignment,
    assignment_edits,
    assignment_trial,
    beginning,
    changes,
    clients,
    designer,
    form_cost,
    form_edits,
    funnels,
    gate_conditions,
    layouts,
    objects,
    pack_files,
    packs,
    process_edits,
    processes,
    retyping,
    road_map,
    rules,
    samples,
    schema_exchange,
    schema_form,
    simulation,
    stages,
)
from builder.services.definitions import EDIT


def register(app: Flask) -> None:
    """Register the area with its pages and its part of the sidebar."""
    app.register_blueprint(area.studio)
    add_navigation(app, _navigation)


def _navigation() -> Iterator[NavSection]:
    if "scope" in g:
        links = [NavItem(gettext("Processes"), url_for("studio.process_list"), icon="route")]
        links.append(NavItem(gettext("Funnels"), url_for("studio.funnel_list"), icon="chart-funnel"))
        if g.scope.actor.can(EDIT):
            links.insert(0, NavItem(gettext("Objects"), url_for("studio.object_list"), icon="box"))
            links.insert(1, NavItem(gettext("Forms"), url_for("studio.form_list"), icon="clipboard-list"))
            links.append(NavItem(gettext("Templates"), url_for("studio.pack_list"), icon="packages"))
            links.append(NavItem(gettext("Changes"), url_for("studio.changes"), icon="git-compare"))
            links.append(
                NavItem(gettext("JSON Schema form"), url_for("studio.schema_form"), icon="checklist")
            )
        yield NavSection(gettext("Studio"), tuple(links), order=80)
