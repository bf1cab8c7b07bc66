"""What a person asks of Insights, read from the address and written back into it.

Every choice stands in the query string, so that a page can be bookmarked, sent to a colleague and opened
without JavaScript.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import request

from blueprints.scope import Scope
from builder.db.conditions_sql import compile_condition
from builder.db.ids import from_public, to_public
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import All, Comparison, Condition, parse
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.funnel import MODES, UNLESS_LOST, Mode
from builder.domain.period import ALL_TIME, PRESETS, Period
from builder.domain.pipeline import Pipeline
from builder.errors import N_, Invalid, NotFound
from builder.queries.dimensions import Dimension, dimension
from builder.queries.population import NOBODY, Population, subtree
from builder.queries.reports import first_pipeline

CUSTOM = "custom"
NONE = "none"
CHOICE = "f."
LONGEST_FILTER = 8000


@dataclass(frozen=True)
class Question:
    """``args`` is the query string that asks the same again; empty choices are left out."""

    definition: ObjectDefinition
    pipeline: Pipeline
    view: str
    mode: Mode
    measure: str
    amounts: str
    preset: str
    period: Period
    owner: str
    department: str
    choices: Mapping[str, str]
    where: str
    condition: Condition | None
    by: Dimension | None
    currency: str
    hides_probabilities: bool = False

    @property
    def has_amounts(self) -> bool:
        """Whether the reader sees amounts of these records; otherwise no page of Insights speaks of money."""
        return "amount" in self.definition.fields.by_role

    @property
    def has_probabilities(self) -> bool:
        """Whether the probabilities that records set themselves are not hidden from the reader."""
        return not self.hides_probabilities

    @property
    def args(self) -> dict[str, Any]:
        known = {
            "pipeline": self.pipeline.key,
            "view": self.view,
            "mode": self.mode,
            "measure": self.measure,
            "amounts": self.amounts,
            "preset": self.preset,
            "from": self.period.first.isoformat() if self.preset == CUSTOM and self.period.first else "",
            "to": self.period.end.isoformat() if self.preset == CUSTOM and self.period.end else "",
            "owner": self.owner,
            "department": self.department,
            "where": self.where,
            "by": self.by.key if self.by else "",
            "currency": self.currency,
            **{CHOICE + key: value for key, value in self.choices.items()},
        }
        usual = {"view": "period", "mode": "visited", "measure": "count", "amounts": "entry"}
        return {name: value for name, value in known.items() if value and usual.get(name) != value}

    def changed(self, **changes: str) -> dict[str, Any]:
        """The query string after some choices are made otherwise; an empty one is taken back."""
        return {name: value for name, value in {**self.args, **changes}.items() if value}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.period or self.owner or self.department or self.choices or self.where)


def read_question(scope: Scope, args: Mapping[str, str] | None = None) -> Question:
    """What stands in the address (or in ``args``).

    Errors: NotFound for an unknown pipeline; Invalid for a value that is none of the choices.
    """
    args = request.args if args is None else args
    pipeline = _pipeline(scope, args.get("pipeline", ""))
    definition = scope.catalog.object(pipeline.object_key)
    preset = args.get("preset", "")
    if not preset and (args.get("from") or args.get("to")):
        preset = CUSTOM
    where = args.get("where", "")
    measures = ("count", "amount") if "amount" in definition.fields.by_role else ("count",)
    by = args.get("by", "")
    return Question(
        definition=definition,
        pipeline=pipeline,
        view=_one_of(args.get("view", ""), ("period", "snapshot")),
        mode=_one_of(args.get("mode", ""), (*MODES, UNLESS_LOST)),
        measure=_one_of(args.get("measure", ""), measures),
        amounts=_one_of(args.get("amounts", ""), ("entry", "now")),
        preset=preset,
        period=_period(scope, preset, args),
        owner=args.get("owner", ""),
        department=args.get("department", ""),
        choices=_choices(definition, args),
        where=where,
        condition=_condition(scope, definition, where),
        by=dimension(by, definition) if by else None,
        currency=args.get("currency", "")[:3],
        hides_probabilities=scope.actor.hides(definition.key, "probability"),
    )


def population_of(scope: Scope, question: Question, *, pipelines: tuple[str, ...] = ()) -> Population:
    """The records that the question is about; one statement for a department, else none."""
    parts: list[Condition] = [Comparison(key, "eq", value) for key, value in question.choices.items()]
    if question.condition is not None:
        parts.append(question.condition)
    compiled = None
    if parts:
        compiled = compile_condition(All(tuple(parts)), question.definition.fields.by_key, _context(scope))
    departments = None
    if question.department:
        chosen = _id(question.department)
        departments = (NOBODY,) if chosen == NOBODY else subtree(scope.session, chosen)
    keys = pipelines or (question.pipeline.key,)
    return Population(
        keys,
        question.definition.key,
        scope.actor,
        owner_id=_id(question.owner) if question.owner else None,
        department_ids=departments,
        condition=compiled,
        period=question.period,
        time_zone=scope.workspace.time_zone,
        is_rolled_up=all(scope.catalog.pipeline(key).is_counted for key in keys),
    )


def filter_fields(definition: ObjectDefinition) -> tuple[FieldDefinition, ...]:
    """Choice fields that a report can be filtered by: those in a slot."""
    return tuple(field for field in definition.fields if field.type == "choice" and field.slot is not None)


def without_period(question: Question) -> Question:
    return replace(question, preset="", period=ALL_TIME)


def words_of(name: str) -> str:
    """A parameter that is compared with stored texts. Errors: Invalid for NUL, which PostgreSQL refuses."""
    text = request.args.get(name, "")
    if "\0" in text:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=text.replace("\0", "")[:40])
    return text


def public(value: str) -> str:
    """The opaque form of a decimal id."""
    return to_public(int(value)) if value else NONE


def _pipeline(scope: Scope, key: str) -> Pipeline:
    return scope.catalog.pipeline(key) if key else first_pipeline(scope.session, scope.catalog)


def _one_of(value: str, known: tuple[Any, ...]) -> Any:
    if not value:
        return known[0]
    if value not in known:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=value[:40])
    return value


def _period(scope: Scope, preset: str, args: Mapping[str, str]) -> Period:
    if not preset:
        return ALL_TIME
    if preset == CUSTOM:
        return Period.read(args.get("from", ""), args.get("to", ""))
    if preset not in PRESETS:
        raise Invalid(N_("“%(value)s” is none of the choices."), value=preset[:40])
    return Period.named(preset, scope.workspace.day_of(scope.clock.now()))


def _choices(definition: ObjectDefinition, args: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for field in filter_fields(definition):
        value = args.get(CHOICE + field.key, "")
        if value:
            if field.option(value) is None:
                raise Invalid(N_("“%(value)s” is none of the choices."), value=value[:40])
            found[field.key] = value
    return found


def _condition(scope: Scope, definition: ObjectDefinition, text: str) -> Condition | None:
    """The free condition, tried out: what cannot be compared cannot be told in words either."""
    if not text:
        return None
    try:
        if len(text) > LONGEST_FILTER:
            raise ValueError(len(text))
        condition = parse(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Invalid(N_("The filter in this address cannot be read.")) from error
    compile_condition(condition, definition.fields.by_key, _context(scope))
    return condition


def _context(scope: Scope) -> EvaluationContext:
    return EvaluationContext(
        scope.clock.now(),
        scope.workspace.time_zone,
        scope.actor.member_id,
        scope.actor.department_ids,
        scope.catalog.time_limits,
    )


def _id(text: str) -> int:
    if text == NONE:
        return NOBODY
    try:
        return from_public(text)
    except ValueError as error:
        raise NotFound() from error
