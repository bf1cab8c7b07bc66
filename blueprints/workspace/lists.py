"""The list of an object's records: views, filter, sort, columns, keyset pages (part 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import make_response, redirect, render_template, url_for
from flask_babel import format_decimal, gettext, ngettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local, message
from blueprints.scope import Scope, scope
from blueprints.workspace.area import board_address, has_endpoint, workspace
from blueprints.workspace.filter_words import evaluation_context, in_words, pointed_at
from blueprints.workspace.list_columns import arranged, place_of
from blueprints.workspace.list_groups import group_choices, group_id, grouped, request_of
from blueprints.workspace.list_rows import lines_of
from blueprints.workspace.list_state import ListState, list_address, read_state
from blueprints.workspace.shown import Column, Reader, columns_of, field_context, record_column_label
from blueprints.workspace.subjects import subjects_of
from builder.db.ids import to_public
from builder.domain.conditions import All, Condition, fields_of
from builder.domain.fields import ObjectDefinition
from builder.errors import Invalid
from builder.queries.groups import within
from builder.queries.keyset import is_sortable
from builder.queries.list import ListPage, list_records
from builder.queries.row import names_of_members, names_of_visible
from builder.queries.saved_views import StoredView, views_and_arrangement


@dataclass(frozen=True)
class Head:
    """The head of a column: where a click sorts, and how it is sorted now."""

    label: str
    kind: str
    address: str
    sorted: str
    name: str = ""
    width: int | None = None


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
    """One page of an object's records, or its groups; alone for htmx."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition)
    place = place_of(object_key, state.view)
    stored, kept = views_and_arrangement(here.session, here.actor, object_key, place)
    facts = _facts(here, definition, arranged(definition, state, kept), stored)
    fragment = request.htmx and not request.htmx.boosted
    name = "fragments/list/list.html" if fragment else "pages/workspace/list.html"
    return make_response(render_template(name, **facts), 422 if state.problems else 200)


@workspace.get("/o/<object_key>/group")
def group_rows(object_key: str) -> Response:
    """The rows of one group, a page at a time; without htmx the list with that group unfolded."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition)
    inside = request.args.get("in", "")
    if not request.htmx or request.htmx.boosted or state.problems:
        return redirect(state.address(**{"in": inside}), 303)
    page = _page(here, definition, state, inside)
    facts = _rows(here, definition, state, page, inside)
    return make_response(render_template("fragments/list/group_rows.html", **facts))


@workspace.get("/o/<object_key>/totals")
def list_totals(object_key: str) -> Response:
    """The sums of the whole list: counted when somebody asks, for that reads every record."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = replace(read_state(here, definition), group="")
    if not request.htmx or request.htmx.boosted or state.problems:
        return redirect(state.address(totals="1"), 303)
    columns = columns_of(here, object_key, state.columns, Reader(here))
    facts = {"totals": grouped(here, definition, state, columns, None), "columns": columns}
    return make_response(render_template("fragments/list/totals.html", **facts))


def _page(here: Scope, definition: ObjectDefinition, state: ListState, inside: str | None = None) -> ListPage:
    """Errors: Invalid for a group that cannot be."""
    asked = replace(
        request_of(definition, state),
        within=() if inside is None else tuple(within(definition, state.group, inside)),
        after=request.args.get("after"),
        before=request.args.get("before"),
    )
    return list_records(here.session, here.catalog, here.actor, asked, evaluation_context(here))


def _rows(
    here: Scope, definition: ObjectDefinition, state: ListState, page: ListPage | None, inside: str | None
) -> dict[str, Any]:
    """The rows of the page, and where the next ones of an unfolded group come from."""
    reader = Reader(here, page.names if page else {}, page.members if page else {})
    columns = columns_of(here, definition.key, state.columns, reader)
    more = ""
    if page and page.next and inside is not None:
        args = state.args(**{"in": inside}, after=page.next)
        more = url_for("workspace.group_rows", object_key=definition.key, **args)
    return {
        "columns": columns,
        "lines": lines_of(here, columns, page.rows if page else ()),
        "bulk": _bulk_acts(here, definition),
        "may_edit": here.actor.can("record.edit"),
        "group_id": group_id(inside or ""),
        "more": more,
    }


def _facts(
    here: Scope, definition: ObjectDefinition, state: ListState, stored: tuple[StoredView, ...]
) -> dict[str, Any]:
    inside = request.args.get("in") if state.group else None
    problem, groups, totals, page = "", None, None, None
    try:
        if not state.problems and (not state.group or inside is not None):
            page = _page(here, definition, state, inside)
        rows = _rows(here, definition, state, page, inside)
        if not state.problems and state.group:
            groups = grouped(here, definition, state, rows["columns"], inside)
        elif not state.problems and "totals" in request.args:
            totals = grouped(here, definition, state, rows["columns"], None)
    except Invalid as error:
        problem = message(error.message_key, error.values)
        state = replace(state, group="", own=state.own - {"group"})
        page = _page(here, definition, state)
        rows = _rows(here, definition, state, page, None)
    if page and page.problem:
        problem = message(page.problem.message, page.problem.values)
    return {
        **rows,
        "definition": definition,
        "state": state,
        "page": page,
        "groups": groups,
        "totals": totals,
        "heads": [_head(definition, state, page, column) for column in rows["columns"]],
        "list_text": urlencode(state.args()),
        "chips": _chips(here, definition, state),
        "note": _note(page) if page else "",
        "problem": problem,
        "tabs": _tabs(here, definition, state, stored),
        "choices": _column_choices(here, definition, state),
        "group_choices": group_choices(here, definition),
        "boards": [
            (local(pipeline.label), address)
            for pipeline in here.catalog.pipelines_of(definition.key)
            if (address := board_address(pipeline.key))
        ],
        "may_create": here.actor.can("record.create"),
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
    acts.append(("record.edit", "workspace.ask_merge", gettext("Merge"), "copy"))
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
        return Head(column.label, column.kind, "", "", column.name, state.widths.get(column.name))
    current = page.sort if page else None
    is_current = current is not None and current.name == column.name
    falls = bool(is_current and current and current.is_descending)
    following = column.name if falls or not is_current else f"-{column.name}"
    if not is_current and column.kind == "number":
        following = f"-{column.name}"  # the largest first is what people look for
    sorted_now = ("descending" if falls else "ascending") if is_current else ""
    address, width = state.address(sort=following), state.widths.get(column.name)
    return Head(column.label, column.kind, address, sorted_now, column.name, width)


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
    if "amount" in definition.fields.by_role and "stage" in names:
        names.insert(3, "weighted")
    if "owner" in definition.fields.by_role:
        names.remove("owner")
    offered |= {f"record.{name}": record_column_label(name) for name in names}
    shown = [name for name in dict.fromkeys(state.columns) if name in offered]
    rest = [name for name in offered if name not in shown]
    return [(name, offered[name], True) for name in shown] + [(name, offered[name], False) for name in rest]
