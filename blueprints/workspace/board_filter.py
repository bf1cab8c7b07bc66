"""What a board is limited to: an owner, words in the name, a saved view. Read from the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext

from blueprints.messages import local
from blueprints.scope import Scope
from builder.db.ids import from_public, to_public
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import All, Comparison, Condition, check
from builder.domain.pipeline import Pipeline
from builder.errors import Problem
from builder.queries.people import active_members
from builder.queries.saved_views import saved_views

ME = "me"
MOST_OWNERS = 300
LONGEST_TEXT = 100


@dataclass(frozen=True)
class NamedFilter:
    """A view that a board can be limited to. ``key``: of a definition, or the public id of a saved one."""

    key: str
    name: str
    condition: Condition | None


@dataclass(frozen=True)
class BoardFilter:
    """What stands in the address; everything else is derived. Unknown values are told as ``problems``."""

    owner: str = ""
    text: str = ""
    view: str = ""
    condition: Condition | None = None
    views: tuple[NamedFilter, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def query(self) -> str:
        """The query string that leads here again."""
        chosen = {"owner": self.owner, "q": self.text, "view": self.view}
        return urlencode({name: value for name, value in chosen.items() if value})


def read_query(query: str) -> dict[str, str]:
    """The arguments of a query string that an earlier page of ours wrote; unknown ones are dropped."""
    return {name: value for name, value in parse_qsl(query) if name in ("owner", "q", "view")}


def evaluation_context(here: Scope) -> EvaluationContext:
    return EvaluationContext(
        here.clock.now(), here.workspace.time_zone, here.actor.member_id, here.actor.department_ids
    )


def name_field(here: Scope, pipeline: Pipeline) -> str:
    """The field that the text filter searches, or nothing where the name cannot be filtered by."""
    field = here.catalog.object(pipeline.object_key).fields.by_role.get("name")
    return field.key if field is not None and field.slot is not None else ""


def read_filter(
    here: Scope, pipeline: Pipeline, args: Mapping[str, str], *, with_views: bool = True
) -> BoardFilter:
    """What an address asks for. One statement, for the saved views; ``with_views`` false reads them only when
    the address names one.
    """
    owner = args.get("owner", "")
    text = " ".join(args.get("q", "").replace("\0", "").split())[:LONGEST_TEXT]
    key = args.get("view", "")
    views = _views(here, pipeline) if with_views or key else ()
    parts: list[Condition] = []
    chosen = next((each for each in views if each.key == key), None)
    if chosen is not None and chosen.condition is not None:
        parts.append(chosen.condition)
    owned = _owned(owner)
    if owned is not None:
        parts.append(owned)
    name = name_field(here, pipeline)
    if text and name:
        parts.append(Comparison(name, "contains", text))
    condition: Condition | None = All(tuple(parts)) if parts else None
    problems: tuple[Problem, ...] = ()
    if condition is not None:
        fields = here.catalog.object(pipeline.object_key).fields.by_key
        problems = check(condition, fields, evaluation_context(here))
    return BoardFilter(
        owner if owned is not None else "",
        text if name else "",
        chosen.key if chosen else "",
        None if problems else condition,
        views,
        problems,
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
        NamedFilter(view.key, local(view.label), view.filter)
        for view in here.catalog.views_of(pipeline.object_key)
        if view.pipeline in (None, pipeline.key) and view.filter is not None
    ]
    found += [
        NamedFilter(to_public(view.id), view.name, view.filter)
        for view in saved_views(here.session, here.actor, pipeline.object_key)
        if view.pipeline in (None, pipeline.key) and view.filter is not None
    ]
    return tuple(found)


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
