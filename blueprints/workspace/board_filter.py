"""What a board shows, as its address says: owner, words, view, filter, swimlanes, the lines on its cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from flask_babel import gettext

from blueprints.messages import local, message
from blueprints.scope import Scope
from blueprints.workspace.card_fields import read_names
from blueprints.workspace.filter_words import filter_text, troubles
from blueprints.workspace.filter_words import read_filter as read_condition
from builder.db.ids import from_public, to_public
from builder.domain.conditions import All, Comparison, Condition, to_document
from builder.domain.pipeline import Pipeline
from builder.domain.saved_view import LANE_COLUMNS, View, can_divide
from builder.errors import N_
from builder.queries.people import active_members
from builder.queries.saved_views import StoredView, saved_views
from builder.services.views import SaveView

ME = "me"
NO_LANES = "-"
MOST_OWNERS = 300
LONGEST_TEXT = 100
NAMES = ("owner", "q", "view", "f", "lanes", "cards")
UNKNOWN_LANES = N_("A board cannot be divided by “%(field)s”.")


@dataclass(frozen=True)
class NamedFilter:
    """A view that a board can be limited to. ``key``: of a definition, or the public id of a saved one."""

    key: str
    name: str
    view: View | StoredView

    @property
    def is_board(self) -> bool:
        return self.view.layout == "board"


@dataclass(frozen=True)
class BoardFilter:
    """What stands in the address; everything else is derived. ``problems`` tell unknown values.

    ``filter``: the own filter as it travels, or that of the view; ``asked`` its condition. ``condition``: all
    that limits the board. ``cards``: the lines that cards show, ``None`` the usual ones. ``own``: which parts
    the address sets by itself.
    """

    pipeline: Pipeline
    owner: str = ""
    text: str = ""
    view: str = ""
    filter: str = ""
    lanes: str = ""
    cards: tuple[str, ...] | None = None
    asked: Condition | None = None
    condition: Condition | None = None
    chosen: NamedFilter | None = None
    views: tuple[NamedFilter, ...] = ()
    problems: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()

    def args(self, **changes: str) -> dict[str, str]:
        """The parameters of an address that shows the same; an empty change leaves a part to the view."""
        found = {"owner": self.owner, "q": self.text, "view": self.view}
        if "f" in self.own:
            found["f"] = self.filter
        if "lanes" in self.own:
            found["lanes"] = self.lanes or NO_LANES
        found = {name: value for name, value in found.items() if value or name == "f"}
        return {**found, **changes}

    def address(self, **changes: str) -> str:
        place: dict[str, Any] = {"pipeline_key": self.pipeline.key, **self.args(**changes)}
        return url_for("board.board", **place)

    def view_address(self, view: str) -> str:
        """Where the board shows a view, and nothing that differs from it."""
        return url_for("board.board", pipeline_key=self.pipeline.key, view=view)

    def with_filter(self, condition: Condition | None) -> str:
        return self.address(f=filter_text(condition))

    @property
    def query(self) -> str:
        """The query string that leads here again."""
        return urlencode(self.args())

    @property
    def mark(self) -> str:
        """As ``query``, with what the reader's own arrangement decided: a card that comes back is like its
        neighbours without asking for the arrangement again.
        """
        shown = {} if self.cards is None else {"cards": ",".join(self.cards)}
        return urlencode({**self.args(), **shown})

    @property
    def stored(self) -> StoredView | None:
        """The saved view that the board shows, when it is one of a board."""
        view = self.chosen.view if self.chosen is not None and self.chosen.is_board else None
        return view if isinstance(view, StoredView) else None

    @property
    def view_label(self) -> str:
        return self.chosen.name if self.chosen is not None else ""

    def wanted(self, name: str, *, is_shared: bool) -> SaveView:
        """What saving this board as a view keeps: its filter, its lanes and what its cards show.

        Owner and words are how one looks at it now.
        """
        return SaveView(
            object_key=self.pipeline.object_key,
            name=name,
            layout="board",
            columns=self.cards or (),
            filter=None if self.asked is None else to_document(self.asked),
            pipeline=self.pipeline.key,
            lanes=self.lanes,
            is_shared=is_shared,
        )


def read_query(query: str) -> dict[str, str]:
    """The arguments of a query string that an earlier page of ours wrote; unknown ones are dropped."""
    return {name: value for name, value in parse_qsl(query, keep_blank_values=True) if name in NAMES}


def without_cards(query: str) -> dict[str, str]:
    """As ``read_query``, for an address that people see: what cards show is theirs to arrange."""
    return {name: value for name, value in read_query(query).items() if name != "cards"}


def name_field(here: Scope, pipeline: Pipeline) -> str:
    """The field that the text filter searches, or nothing where the name cannot be filtered by."""
    field = here.catalog.object(pipeline.object_key).fields.by_role.get("name")
    return field.key if field is not None and field.slot is not None else ""


def read_filter(
    here: Scope,
    pipeline: Pipeline,
    args: Mapping[str, str],
    *,
    with_views: bool = True,
    arranged: Mapping[str, Any] | None = None,
) -> BoardFilter:
    """What an address asks for. One statement, for the saved views; ``with_views`` false reads them only when
    the address names one. ``arranged``: the reader's own arrangement of this board.
    """
    key = args.get("view", "")
    views = _views(here, pipeline) if with_views or key else ()
    chosen = next((each for each in views if each.key == key), None)
    wanted = BoardFilter(pipeline, chosen=chosen, view=chosen.key if chosen else "", views=views)
    wanted = _with_filter(here, wanted, args)
    wanted = _with_lanes(here, wanted, args)
    wanted = replace(wanted, cards=_cards(here, wanted, args, arranged or {}))
    return _limited(here, wanted, args)


def _with_filter(here: Scope, wanted: BoardFilter, args: Mapping[str, str]) -> BoardFilter:
    """The own filter of the address takes the place of the view's."""
    condition = wanted.chosen.view.filter if wanted.chosen is not None else None
    if "f" not in args:
        return replace(wanted, asked=condition, filter=filter_text(condition))
    text = args["f"].strip()
    condition, wrong = read_condition(here, wanted.pipeline.object_key, text)
    own = wanted.own | {"f"}
    if wrong:
        return replace(wanted, asked=None, own=own, problems=(*wanted.problems, *wrong))
    return replace(wanted, asked=condition, filter=filter_text(condition), own=own)


def _with_lanes(here: Scope, wanted: BoardFilter, args: Mapping[str, str]) -> BoardFilter:
    view = wanted.chosen.view if wanted.chosen is not None and wanted.chosen.is_board else None
    name = args.get("lanes", "")
    own = wanted.own | {"lanes"} if name else wanted.own
    if not name:
        name = view.lanes if view is not None else ""
    if name in ("", NO_LANES):
        return replace(wanted, own=own)
    definition = here.catalog.object(wanted.pipeline.object_key)
    # What has no owner, or none that the reader may see, is not divided by owners and their departments.
    is_owned = "owner" in definition.fields.by_role
    if not can_divide(definition, name) or (name in LANE_COLUMNS and not is_owned):
        problem = message(UNKNOWN_LANES, {"field": name[:80]})
        return replace(wanted, problems=(*wanted.problems, problem))
    return replace(wanted, lanes=name, own=own)


def _cards(
    here: Scope, wanted: BoardFilter, args: Mapping[str, str], arranged: Mapping[str, Any]
) -> tuple[str, ...] | None:
    """Which lines cards show: as the address says, as the reader arranged it, as the view says."""
    definition = here.catalog.object(wanted.pipeline.object_key)
    if "cards" in args:
        return read_names(definition, args["cards"].split(","))
    own = arranged.get("cards", {}).get(wanted.view)
    if own is not None:
        return read_names(definition, own)
    view = wanted.chosen.view if wanted.chosen is not None and wanted.chosen.is_board else None
    return read_names(definition, view.columns) if view is not None and view.columns else None


def _limited(here: Scope, wanted: BoardFilter, args: Mapping[str, str]) -> BoardFilter:
    owner = args.get("owner", "")
    text = " ".join(args.get("q", "").replace("\0", "").split())[:LONGEST_TEXT]
    parts: list[Condition] = [wanted.asked] if wanted.asked is not None else []
    owned = _owned(owner)
    if owned is not None:
        parts.append(owned)
    name = name_field(here, wanted.pipeline)
    if text and name:
        parts.append(Comparison(name, "contains", text))
    condition: Condition | None = All(tuple(parts)) if parts else None
    problems = wanted.problems
    if condition is not None:
        found = troubles(here, wanted.pipeline.object_key, condition)
        problems, condition = (*problems, *found), None if found else condition
    return replace(
        wanted,
        owner=owner if owned is not None else "",
        text=text if name else "",
        condition=condition,
        problems=problems,
    )


def _owned(owner: str) -> Condition | None:
    if owner == ME:
        return Comparison("record.owner", "is_me")
    if not owner:
        return None
    try:
        return Comparison("record.owner", "eq", str(from_public(owner)))
    except ValueError:
        return None


def _views(here: Scope, pipeline: Pipeline) -> tuple[NamedFilter, ...]:
    """Views of the object that do not belong to another pipeline, those of the workspace first."""
    found = [
        NamedFilter(view.key, local(view.label), view) for view in here.catalog.views_of(pipeline.object_key)
    ]
    found += [
        NamedFilter(to_public(view.id), view.name, view)
        for view in saved_views(here.session, here.actor, pipeline.object_key)
    ]
    return tuple(
        each
        for each in found
        if each.view.pipeline in (None, pipeline.key) and (each.view.filter is not None or each.is_board)
    )


def owners(here: Scope, pipeline: Pipeline) -> Sequence[tuple[str, str]]:
    """Whose cards one may choose to see, as (value, name): none where records have no owner; only those who
    see more than their own choose among all.
    """
    if pipeline.object_key in here.catalog.open_objects:
        return ()
    ends = [("", gettext("Everybody")), (ME, gettext("Only mine"))]
    if here.actor.visibility == "own":
        return ends
    people = active_members(here.session)[:MOST_OWNERS]
    return [*ends, *((to_public(person.id), person.name) for person in people)]
