"""What the filters of a report offer: pipelines, people, departments, choice fields, groupings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from blueprints.insights.question import CHOICE, NONE, Question, filter_fields
from blueprints.insights.words import PRESETS, dimension_name
from blueprints.messages import local
from blueprints.scope import Scope
from builder.db.ids import to_public
from builder.queries.dimensions import dimensions
from builder.queries.people import active_members, departments

MOST_OWNERS = 300


@dataclass(frozen=True)
class Select:
    """One drop-down of the filter form; ``options`` are (value, text)."""

    name: str
    label: str
    options: tuple[tuple[str, Any], ...]
    value: str


def selects(scope: Scope, question: Question, *, closing: bool) -> tuple[Select, ...]:
    """All filters but the period: two statements. ``closing`` offers groups by time of closing."""
    narrowing = narrowing_selects(scope, question)
    return (_pipelines(scope, question), *narrowing, _groups(question, closing))


def narrowing_selects(scope: Scope, question: Question) -> tuple[Select, ...]:
    """Owner, department and choice fields: two statements."""
    found: list[Select] = []
    sees_others = scope.actor.is_system or scope.actor.visibility != "own"
    if sees_others and question.definition.key not in scope.catalog.open_objects:
        found += [_owners(scope, question), _departments(scope, question)]
    for field in filter_fields(question.definition):
        options = tuple((option.key, local(option.label)) for option in field.options)
        value = question.choices.get(field.key, "")
        found.append(Select(CHOICE + field.key, local(field.label), (("", gettext("All")), *options), value))
    return tuple(found)


def presets(question: Question) -> Select:
    return Select("preset", gettext("Period"), tuple(PRESETS.items()), question.preset)


def _pipelines(scope: Scope, question: Question) -> Select:
    options = tuple((key, local(pipeline.label)) for key, pipeline in scope.catalog.pipelines.items())
    return Select("pipeline", gettext("Pipeline"), options, question.pipeline.key)


def _owners(scope: Scope, question: Question) -> Select:
    people = active_members(scope.session)[:MOST_OWNERS]
    options = tuple((to_public(person.id), person.name) for person in people)
    ends = (("", gettext("Everybody")), (NONE, gettext("Nobody")))
    return Select("owner", gettext("Owner"), (*ends, *options), question.owner)


def _departments(scope: Scope, question: Question) -> Select:
    options = tuple(
        # Depth is shown by figure spaces, which a drop-down keeps.
        (to_public(node.id), "\u2007" * 2 * node.depth + node.name)
        for node in departments(scope.session)
    )
    ends = (("", gettext("All")), (NONE, gettext("None")))
    return Select("department", gettext("Department and below"), (*ends, *options), question.department)


def _groups(question: Question, closing: bool) -> Select:
    options = tuple((by.key, dimension_name(by)) for by in dimensions(question.definition, closing=closing))
    value = question.by.key if question.by else ""
    return Select("by", gettext("Compare by"), (("", gettext("Nothing")), *options), value)
