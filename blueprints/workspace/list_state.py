"""What a list shows, as its address says: view, filter, sort, words, columns, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from flask import g, url_for
from htmx_flask import request

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.filter_words import filter_text, read_filter
from builder.db.ids import from_public, to_public
from builder.domain.conditions import Condition
from builder.domain.fields import ObjectDefinition
from builder.domain.kinds import RECORD_COLUMNS, WEIGHTED
from builder.domain.saved_view import View
from builder.errors import NotFound
from builder.queries.saved_views import StoredView, get_saved_view

LONGEST_QUERY = 200
MOST_COLUMNS = 15


@dataclass(frozen=True)
class ListState:
    """``filter`` is as it travels (compact JSON); ``own`` says which parts the address sets by itself.

    ``problems``: why the filter cannot be used, in words.
    """

    object_key: str
    view: str = ""
    view_label: str = ""
    stored: StoredView | None = None
    filter: str = ""
    condition: Condition | None = None
    problems: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    pipeline: str | None = None
    query: str = ""
    group: str = ""
    widths: Mapping[str, int] = field(default_factory=dict)
    rule: str = ""
    own: frozenset[str] = frozenset()

    def args(self, **changes: str) -> dict[str, Any]:
        """The parameters of an address that shows the same; an empty change leaves a part to the view."""
        args: dict[str, Any] = {}
        if self.view:
            args["view"] = self.view
        if "f" in self.own:
            args["f"] = self.filter
        if "sort" in self.own and self.sort:
            args["sort"] = self.sort[0]
        if "cols" in self.own:
            args["cols"] = ",".join(self.columns)
        if "group" in self.own:
            args["group"] = self.group
        if self.query:
            args["q"] = self.query
        return {**args, **changes}

    def address(self, **changes: str) -> str:
        return list_address(self.object_key, self.args(**changes))

    def with_filter(self, condition: Condition | None) -> str:
        """The address of the same list with another filter."""
        return self.address(f=filter_text(condition))

    @property
    def is_changed(self) -> bool:
        """Whether the address differs from the view that it names."""
        return bool(self.own)


def list_address(object_key: str, args: Mapping[str, str]) -> str:
    """The address of a list; a page names its own dozens of times, so the path is built once a request."""
    paths: dict[str, str] = g.setdefault("list_paths", {})
    if object_key not in paths:
        paths[object_key] = url_for("workspace.record_list", object_key=object_key)
    return f"{paths[object_key]}?{urlencode(args)}" if args else paths[object_key]


def read_state(here: Scope, definition: ObjectDefinition, args: Any = None) -> ListState:
    """Read the address (or a form with the same names). Errors: NotFound (the view)."""
    args = request.args if args is None else args
    state = _of_view(here, definition, args.get("view", ""))
    own = set()
    if "f" in args:
        own.add("f")
        text = args.get("f", "").strip()
        condition, problems = read_filter(here, definition.key, text)
        usable = condition if not problems else None
        state = replace(state, filter=text, condition=usable, problems=tuple(problems))
    if args.get("sort"):
        own.add("sort")
        state = replace(state, sort=(args["sort"][:200],))
    if "group" in args:
        own.add("group")
        state = replace(state, group=args.get("group", "")[:200])
    asked = args.getlist("c") or args.get("cols", "").split(",")
    columns = tuple(name for name in asked if is_column(definition, name))
    if columns:
        own.add("cols")
        state = replace(state, columns=columns[:MOST_COLUMNS])
    return replace(state, query=args.get("q", "").strip()[:LONGEST_QUERY], own=frozenset(own))


def is_column(definition: ObjectDefinition, name: str) -> bool:
    head, _, column = name.partition(".")
    if name == WEIGHTED:
        return "amount" in definition.fields.by_role
    return name in definition.fields.by_key or (head == "record" and column in RECORD_COLUMNS)


def _of_view(here: Scope, definition: ObjectDefinition, name: str) -> ListState:
    plain = ListState(definition.key, columns=definition.list_columns, sort=definition.list_sort)
    if not name:
        return plain
    view = here.catalog.views.get(name)
    if view is not None and view.object_key == definition.key:
        return _with_view(here, plain, view, name, local(view.label))
    try:
        stored = get_saved_view(here.session, here.actor, from_public(name))
    except ValueError:
        raise NotFound() from None
    if stored.object_key != definition.key:
        raise NotFound()
    return replace(_with_view(here, plain, stored, to_public(stored.id), stored.name), stored=stored)


def _with_view(here: Scope, plain: ListState, view: View | StoredView, name: str, label: str) -> ListState:
    text = filter_text(view.filter)
    # A definition may have changed since a view was saved: it is told, not ignored.
    condition, problems = read_filter(here, plain.object_key, text)
    return replace(
        plain,
        view=name,
        view_label=label,
        columns=view.columns or plain.columns,
        sort=view.sort or plain.sort,
        filter=text,
        condition=condition if not problems else None,
        problems=tuple(problems),
        pipeline=view.pipeline,
        group=view.group,
        widths=view.widths if isinstance(view, StoredView) else {},
        rule=local(view.rule) if isinstance(view, View) else "",
    )
