"""The list of an object's records: views, filter, sort, columns, keyset pages (part 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import make_response, render_template, url_for
from flask_babel import format_decimal, gettext, ngettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local, message
from blueprints.scope import Scope, scope
from blueprints.workspace.area import board_address, has_endpoint, workspace
from blueprints.workspace.filter_words import evaluation_context, in_words, pointed_at
from blueprints.workspace.list_rows import lines_of
from blueprints.workspace.list_state import ListState, list_address, read_state
from blueprints.workspace.shown import Column, Reader, columns_of, field_context, record_column_label
from blueprints.workspace.subjects import subjects_of
from builder.db.ids import to_public
from builder.domain.conditions import All, Condition, fields_of
from builder.domain.fields import ObjectDefinition
from builder.queries.keyset import is_sortable
from builder.queries.list import ListPage, ListRequest, list_records
from builder.queries.row import RecordRow, names_of_members, names_of_visible
from builder.queries.saved_views import StoredView, saved_views


@dataclass(frozen=True)
class Head:
    """The head of a column: where a click sorts, and how it is sorted now."""

    label: str
    kind: str
    address: str
    sorted: str


@dataclass(frozen=True)
class Chip:
    """One part of the filter in words, and the address of the list without it."""

    words: str
    without: str


@dataclass(frozen=True)
class ViewTab:
    label: str
    address: str
    is_current: bool
    is_shared: bool = False


@workspace.get("/o/<object_key>")
def record_list(object_key: str) -> Response:
    """One page of an object's records; alone for htmx."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition)
    page = None if state.problems else _page(here, definition, state)
    facts = _facts(here, definition, state, page)
    fragment = request.htmx and not request.htmx.boosted
    name = "fragments/list/list.html" if fragment else "pages/workspace/list.html"
    return make_response(render_template(name, **facts), 422 if state.problems else 200)


def _page(here: Scope, definition: ObjectDefinition, state: ListState) -> ListPage:
    asked = ListRequest(
        definition.key,
        columns=state.columns,
        sort=state.sort,
        filter=state.condition,
        query=state.query,
        pipeline_key=state.pipeline,
        after=request.args.get("after"),
        before=request.args.get("before"),
    )
    return list_records(here.session, here.catalog, here.actor, asked, evaluation_context(here))


def _facts(
    here: Scope, definition: ObjectDefinition, state: ListState, page: ListPage | None
) -> dict[str, Any]:
    reader = Reader(here, page.names if page else {}, page.members if page else {})
    columns = columns_of(here, definition.key, state.columns, reader)
    rows: tuple[RecordRow, ...] = page.rows if page else ()
    stored = saved_views(here.session, here.actor, definition.key)
    return {
        "definition": definition,
        "state": state,
        "page": page,
        "heads": [_head(definition, state, page, column) for column in columns],
        "lines": lines_of(here, columns, rows),
        "list_text": urlencode(state.args()),
        "bulk": _bulk_acts(here, definition),
        "chips": _chips(here, definition, state),
        "note": _note(page) if page else "",
        "problem": message(page.problem.message, page.problem.values) if page and page.problem else "",
        "tabs": _tabs(here, definition, state, stored),
        "choices": _column_choices(here, definition, state),
        "boards": [
            (local(pipeline.label), address)
            for pipeline in here.catalog.pipelines_of(definition.key)
            if (address := board_address(pipeline.key))
        ],
        "may_create": here.actor.can("record.create"),
        "may_edit": here.actor.can("record.edit"),
        "may_share": here.actor.can("view.share"),
        "export_url": _export_address(here, definition, state),
        "owns_view": state.stored is not None and _may_change(here, state.stored),
        "filter_url": url_for(
            "workspace.filter_builder", object_key=definition.key, **state.args(f=state.filter)
        ),
    }


def _export_address(here: Scope, definition: ObjectDefinition, state: ListState) -> str:
    """Where what the list shows is exported; nothing for those who may not."""
    if not here.actor.can("record.export") or not has_endpoint("exports.ask"):
        return ""
    return url_for("exports.ask", object_key=definition.key, **state.args())


def _bulk_acts(here: Scope, definition: ObjectDefinition) -> list[tuple[str, str, str]]:
    """What may be done with the rows that are ticked, or with all: address, words, icon."""
    acts = [("record.edit", "workspace.bulk_edit", gettext("Change fields"), "pencil")]
    if here.catalog.pipelines_of(definition.key):
        acts.append(("move", "workspace.bulk_move", gettext("Move"), "switch-horizontal"))
    if "owner" in definition.fields.by_role and here.actor.can("record.edit"):
        words = gettext("Give to somebody")
        acts.append(("record.reassign", "workspace.bulk_reassign", words, "user-circle"))
    acts.append(("record.delete", "workspace.bulk_delete", gettext("Delete"), "trash"))
    return [
        (url_for(endpoint, object_key=definition.key), words, icon)
        for right, endpoint, words, icon in acts
        if here.actor.can(right)
    ]


def _may_change(here: Scope, view: StoredView) -> bool:
    return view.member_id == here.actor.member_id or (view.is_shared and here.actor.can("definitions.edit"))


def _head(definition: ObjectDefinition, state: ListState, page: ListPage | None, column: Column) -> Head:
    if not is_sortable(definition, column.name):
        return Head(column.label, column.kind, "", "")
    current = page.sort if page else None
    is_current = current is not None and current.name == column.name
    falls = bool(is_current and current and current.is_descending)
    following = column.name if falls or not is_current else f"-{column.name}"
    if not is_current and column.kind == "number":
        following = f"-{column.name}"  # the largest first is what people look for
    sorted_now = ("descending" if falls else "ascending") if is_current else ""
    return Head(column.label, column.kind, state.address(sort=following), sorted_now)


def _chips(here: Scope, definition: ObjectDefinition, state: ListState) -> list[Chip]:
    """The filter in words: its parts where all must hold, otherwise the whole."""
    condition = state.condition
    if condition is None:
        return []
    subjects = subjects_of(here, definition.key, fields_of(condition))
    context = field_context(
        here,
        names_of_visible(here.session, here.actor, pointed_at(condition, subjects, ("reference",))),
        names_of_members(here.session, pointed_at(condition, subjects, ("user",))),
    )
    parts: tuple[Condition, ...] = condition.parts if isinstance(condition, All) else (condition,)
    chips = []
    for place, part in enumerate(parts):
        rest = parts[:place] + parts[place + 1 :]
        chips.append(Chip(in_words(part, subjects, context), state.with_filter(All(rest) if rest else None)))
    return chips


def _note(page: ListPage) -> str:
    number = format_decimal(page.total)
    if page.is_total_capped:
        return gettext("more than %(number)s records", number=number)
    return ngettext("%(number)s record", "%(number)s records", page.total, number=number)


def _tabs(
    here: Scope, definition: ObjectDefinition, state: ListState, stored: tuple[StoredView, ...]
) -> list[ViewTab]:
    def address(view: str) -> str:
        return list_address(definition.key, {"view": view} if view else {})

    tabs = [ViewTab(gettext("All"), address(""), not state.view)]
    for view in here.catalog.views_of(definition.key):
        if view.layout == "list":
            tabs.append(ViewTab(local(view.label), address(view.key), state.view == view.key))
    for own in stored:
        if own.layout == "list":
            name = to_public(own.id)
            tabs.append(ViewTab(own.name, address(name), state.view == name, own.is_shared))
    return tabs


def _column_choices(
    here: Scope, definition: ObjectDefinition, state: ListState
) -> list[tuple[str, str, bool]]:
    """Every column that may be shown: name, label, whether it is; those shown first, in their order."""
    offered = {
        field.key: local(field.label) or field.key for field in definition.fields if field.type != "table"
    }
    names = ["owner", "created_at", "updated_at"]
    if here.catalog.pipelines_of(definition.key):
        names = ["stage", "pipeline", "outcome", "stage_entered_at", "closed_at", *names]
    if "owner" in definition.fields.by_role:
        names.remove("owner")
    offered |= {f"record.{name}": record_column_label(name) for name in names}
    shown = [name for name in dict.fromkeys(state.columns) if name in offered]
    rest = [name for name in offered if name not in shown]
    return [(name, offered[name], True) for name in shown] + [(name, offered[name], False) for name in rest]
