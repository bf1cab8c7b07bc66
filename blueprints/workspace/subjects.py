"""What a filter may ask about: fields and columns with their operators, and the controls for their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints.languages import language
from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.limit_words import standing_words
from blueprints.workspace.shown import MOST_LISTED, record_column_label, stage_color
from builder.db.conditions_sql import is_filterable
from builder.domain.calendar import NAMED_PERIODS
from builder.domain.conditions import NO_VALUE_OPERATORS, kind_of
from builder.domain.fields import FieldDefinition, Option
from builder.domain.kinds import RECORD_COLUMNS, TIME_LIMIT, Kind
from builder.domain.labels import Label
from builder.queries.people import active_members, departments

_EMPTINESS = ("not_empty", "empty")
OFFERED: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("contains", "not_contains", "starts_with", "eq", "ne", *_EMPTINESS),
    Kind.NUMBER: ("ge", "le", "gt", "lt", "between", "eq", "ne", *_EMPTINESS),
    Kind.BOOLEAN: ("eq", *_EMPTINESS),
    Kind.DAY: ("in_period", "between", "ge", "le", "eq", *_EMPTINESS),
    Kind.INSTANT: ("in_period", "between", "ge", "le", "eq", *_EMPTINESS),
    Kind.KEY: ("in", "not_in", *_EMPTINESS),
    Kind.KEYS: ("has_any", "has_all", "not_contains", *_EMPTINESS),
    Kind.PERSON: ("is_me", "eq", "ne", "in", "not_in", *_EMPTINESS),
    Kind.LINK: ("eq", "ne", *_EMPTINESS),
    Kind.PLACE: ("contains", "not_contains", *_EMPTINESS),
    Kind.ROWS: _EMPTINESS,
}
# One condition can be written in two ways; the builder knows one of them.
SAME = {("eq", Kind.KEY): "in", ("ne", Kind.KEY): "not_in", ("contains", Kind.KEYS): "has_any"}
LISTS = ("in", "not_in", "has_any", "has_all")
COUNTED = (
    "last_n_days:7",
    "last_n_days:30",
    "last_n_days:90",
    "next_n_days:7",
    "next_n_days:30",
    "next_n_days:90",
)

_WORDS = {
    "eq": lazy_gettext("is"),
    "ne": lazy_gettext("is not"),
    "lt": lazy_gettext("is less than"),
    "le": lazy_gettext("is at most"),
    "gt": lazy_gettext("is more than"),
    "ge": lazy_gettext("is at least"),
    "between": lazy_gettext("is between"),
    "in": lazy_gettext("is one of"),
    "not_in": lazy_gettext("is none of"),
    "contains": lazy_gettext("contains"),
    "not_contains": lazy_gettext("does not contain"),
    "starts_with": lazy_gettext("starts with"),
    "has_any": lazy_gettext("has any of"),
    "has_all": lazy_gettext("has all of"),
    "empty": lazy_gettext("is empty"),
    "not_empty": lazy_gettext("is filled in"),
    "is_me": lazy_gettext("is me"),
    "in_period": lazy_gettext("is in"),
}
_DAY_WORDS = {
    "ge": lazy_gettext("is on or after"),
    "le": lazy_gettext("is on or before"),
    "gt": lazy_gettext("is after"),
    "lt": lazy_gettext("is before"),
}
_PERIODS = {
    "today": lazy_gettext("today"),
    "yesterday": lazy_gettext("yesterday"),
    "this_week": lazy_gettext("this week"),
    "last_week": lazy_gettext("last week"),
    "next_week": lazy_gettext("next week"),
    "this_month": lazy_gettext("this month"),
    "last_month": lazy_gettext("last month"),
    "next_month": lazy_gettext("next month"),
    "this_quarter": lazy_gettext("this quarter"),
    "last_quarter": lazy_gettext("last quarter"),
    "next_quarter": lazy_gettext("next quarter"),
    "this_year": lazy_gettext("this year"),
    "last_year": lazy_gettext("last year"),
}


def operator_words(op: str, kind: Kind) -> str:
    if kind in (Kind.DAY, Kind.INSTANT) and op in _DAY_WORDS:
        return str(_DAY_WORDS[op])
    return str(_WORDS[op])


def period_words(name: str) -> str:
    head, _, count = name.partition(":")
    if head == "last_n_days":
        return gettext("the last %(count)s days", count=count)
    if head == "next_n_days":
        return gettext("the next %(count)s days", count=count)
    return str(_PERIODS.get(name, name))


@dataclass(frozen=True)
class Subject:
    """Something a filter may ask about. ``definition`` is a field whose type reads and shows its values;
    ``group`` the heading under which it is offered.
    """

    name: str
    label: str
    kind: Kind
    definition: FieldDefinition
    group: str = ""

    @property
    def operators(self) -> tuple[str, ...]:
        offered = OFFERED[self.kind]
        if self.kind is Kind.PERSON and not self.definition.options:
            return tuple(op for op in offered if op not in ("in", "not_in"))
        if self.kind is Kind.LINK and self.definition.options:
            return ("in", "not_in", *_EMPTINESS)
        return offered

    def controls(self, op: str, current: Any = None) -> tuple[FieldDefinition, ...]:
        """The definitions of the value controls that the operator takes: none, one, or two (between)."""
        if op in NO_VALUE_OPERATORS:
            return ()
        if op == "between":
            return tuple(replace(self._plain(), key=key) for key in ("a", "b"))
        if op == "in_period":
            return (_period_choice(current),)
        return (replace(self._plain(), key="a", type="choices" if op in LISTS else self._plain().type),)

    def _plain(self) -> FieldDefinition:
        kind = {Kind.INSTANT: "date", Kind.KEYS: "choice", Kind.TEXT: "text", Kind.PLACE: "text"}.get(
            self.kind, self.definition.type
        )
        if self.kind is Kind.NUMBER and kind in ("formula", "integer", "rollup"):
            kind = "decimal"
        return replace(
            self.definition,
            type=kind,
            help=Label(()),
            is_required=False,
            is_read_only=False,
            default=None,
            params={**_PARAMS, **self.definition.params, "layout": "select"},
            options=tuple(replace(option, is_retired=False) for option in self.definition.options),
        )


# Filters compare: how a field limits its own values is no matter.
_PARAMS: Mapping[str, Any] = {"scale": 6, "rows": 1}


def _period_choice(current: Any) -> FieldDefinition:
    names = [*NAMED_PERIODS, *COUNTED]
    if isinstance(current, str) and current and current not in names and ":" in current:
        names.append(current)
    options = tuple(Option(name, Label.of(period_words(name))) for name in names)
    return FieldDefinition(
        "a", "choice", Label.of(gettext("Period")), options=options, params={"layout": "select"}
    )


def subjects_of(here: Scope, object_key: str, only: frozenset[str] | None = None) -> dict[str, Subject]:
    """Everything a filter on the object may ask about, by name, fields first; with ``only``, those names."""
    fields = here.catalog.object(object_key).fields
    found: dict[str, Subject] = {}
    for field in fields:
        if (only is None or field.key in only) and is_filterable(field.key, fields.by_key):
            label = field.label.text(language()) or field.key
            definition = _with_people(here, field) if field.type == "user" else field
            found[field.key] = Subject(field.key, label, kind_of(field.key, fields.by_key), definition)
    has_owner = "owner" in fields.by_role
    columns = list(RECORD_COLUMNS)
    # What was filtered by is told, also where no stage has a limit any more.
    if only is not None or _has_limits(here, object_key):
        columns.append(TIME_LIMIT.removeprefix("record."))
    for column in (one for one in columns if only is None or f"record.{one}" in only):
        made = None if column == "owner" and has_owner else _record_subject(here, object_key, column)
        if made is not None:
            found[made.name] = made
    return found


def _has_limits(here: Scope, object_key: str) -> bool:
    limited = {pipeline for pipeline, _ in here.catalog.time_limits}
    return any(pipeline.key in limited for pipeline in here.catalog.pipelines_of(object_key))


def _with_people(here: Scope, field: FieldDefinition) -> FieldDefinition:
    people = active_members(here.session)
    if len(people) > MOST_LISTED:
        return field
    return replace(field, options=tuple(Option(str(each.id), Label.of(each.name)) for each in people))


def _record_subject(here: Scope, object_key: str, column: str) -> Subject | None:
    pipelines = here.catalog.pipelines_of(object_key)
    options: tuple[Option, ...] = ()
    kind = {"owner": "user", "department": "reference"}.get(
        column, "date" if column.endswith("_at") else "choice"
    )
    if not pipelines and column in (
        "stage",
        "pipeline",
        "outcome",
        "stage_entered_at",
        "closed_at",
        "time_limit",
    ):
        return None
    if column == "stage":
        stages = {stage.key: stage for pipeline in pipelines for stage in pipeline.stages}
        options = tuple(Option(key, stage.label, stage_color(stage)) for key, stage in stages.items())
    elif column == "pipeline":
        options = tuple(Option(pipeline.key, pipeline.label) for pipeline in pipelines)
    elif column == "outcome":
        words = (gettext("Open"), gettext("Won"), gettext("Lost"), gettext("Invalid"))
        keys = ("open", "won", "lost", "invalid")
        options = tuple(Option(key, Label.of(word)) for key, word in zip(keys, words, strict=True))
    elif column == "time_limit":
        options = tuple(Option(key, Label.of(word)) for key, word in standing_words().items())
    elif column == "department":
        options = tuple(
            Option(str(node.id), Label.of("\u2003" * node.depth + node.name))
            for node in departments(here.session)
        )
        if not options:
            return None
    label = record_column_label(column)
    params = {"target": object_key} if kind == "reference" else {}
    definition = FieldDefinition(column, kind, Label.of(label), options=options, params=params)
    if column == "owner":
        definition = _with_people(here, definition)
    name = f"record.{column}"
    return Subject(name, label, kind_of(name, {}), definition)


def label_of_option(definition: FieldDefinition, key: str) -> str:
    option = definition.option(key)
    return str(local(option.label)).strip() if option else key
