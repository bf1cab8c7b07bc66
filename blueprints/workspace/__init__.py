"""Where reps and managers work records: lists, records, search, recycle bin."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, g, request, url_for
from flask_babel import gettext

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.shell import NavItem, NavSection, add_navigation
from blueprints.workspace import (  # noqa: F401 - importing registers their routes
    alike,
    area,
    basics,
    batches,
    board_views,
    bulk,
    bulk_move,
    calendar,
    calendar_moves,
    cell_edit,
    conversion,
    deletion,
    duplicates,
    edits,
    erasure,
    files,
    filters,
    home,
    import_format,
    import_mapping,
    import_mappings,
    import_progress,
    import_sets,
    lane_moves,
    list_columns,
    lists,
    lookups,
    merging,
    notes,
    notices,
    quick_add,
    record_page,
    saved_views,
    search,
    stage_work,
    timeline,
)
from blueprints.workspace.area import board_address
from blueprints.workspace.cells import add_cells

BOARD_ICON = "layout-kanban"


def register(app: Flask) -> None:
    """Register the area with its pages and its part of the sidebar."""
    app.register_blueprint(area.workspace)
    add_cells(app)
    add_navigation(app, _navigation)


def _navigation() -> Iterator[NavSection]:
    if "scope" not in g:
        return
    here: Scope = g.scope
    home_url = url_for("workspace.home")
    # Every page of the workspace lies below it, and only on it one is there.
    here_prefix = home_url if request.path == home_url else f"{home_url}-"
    yield NavSection("", (NavItem(gettext("Today"), home_url, "home", here_prefix),), order=10)
    boards = tuple(
        NavItem(local(pipeline.label), address, BOARD_ICON)
        for pipeline in here.catalog.pipelines.values()
        if (address := board_address(pipeline.key))
    )
    if boards:
        yield NavSection(gettext("Boards"), boards, order=20)
    lists_ = tuple(
        NavItem(
            local(definition.label_plural),
            url_for("workspace.record_list", object_key=definition.key),
            definition.icon,
        )
        for definition in here.catalog.objects.values()
    )
    if lists_:
        yield NavSection(gettext("Records"), lists_, order=30)
    if duplicates.may_search(here):
        pairs = NavItem(gettext("Duplicates"), url_for("workspace.duplicates"), "copy")
        yield NavSection(gettext("Records"), (pairs,), order=30)
    if here.actor.can("record.restore"):
        bin_item = NavItem(gettext("Recycle bin"), url_for("workspace.recycle_bin"), "trash")
        yield NavSection(gettext("Administration"), (bin_item,), order=90)
