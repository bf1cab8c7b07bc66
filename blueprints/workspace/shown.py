"""How values are read: the context of the request, and cells of lists and record pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from flask import url_for
from flask_babel import (
    format_date,
    format_datetime,
    get_timezone,
    gettext,
    lazy_gettext,
    ngettext,
)

from blueprints.languages import language
from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.amounts import whole_amount
from blueprints.workspace.area import record_address
from blueprints.workspace.cells import NOTHING, Cell, Mark
from blueprints.workspace.files import find_waiting
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import RECORD_COLUMNS, WEIGHTED, is_empty
from builder.domain.pipeline import Pipeline, Stage
from builder.fieldtypes.base import Candidate, FieldContext
from builder.fieldtypes.file import Image
from builder.fieldtypes.registry import type_of
from builder.queries.people import active_members, departments, find_members
from builder.queries.row import RecordRow
from builder.queries.search import reference_search

# Up to here a plain list of people is quicker than searching one.
MOST_LISTED = 50
_REGIONS = {"zh": "CN"}


Names: TypeAlias = "Mapping[int, str] | NamesLater"


def field_context(here: Scope, names: Names | None = None, members: Names | None = None) -> FieldContext:
    """How values are shown to the reader; ``names`` of records and ``members`` by id."""
    return FieldContext(
        locale=language(),
        time_zone=str(get_timezone()),
        currency=here.workspace.currency,
        region=_REGIONS.get(here.workspace.locale.partition("_")[0], "US"),
        now=here.clock.now(),
        member_id=str(here.actor.member_id),
        record_names=_by_text(names),
        member_names=_by_text(members),
    )


class NamesLater(Mapping[str, str]):
    """Names by id as text, read when the first is asked for: a form that is saved at once shows none."""

    def __init__(self, read: Callable[[Iterable[int]], Mapping[int, str]], ids: Iterable[int]) -> None:
        self._read = read
        self._ids = ids

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {str(key): name for key, name in self._read(self._ids).items()}

    def __getitem__(self, key: str) -> str:
        return self._names[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _by_text(names: Names | None) -> Mapping[str, str]:
    if isinstance(names, NamesLater):
        return names
    return {str(key): name for key, name in (names or {}).items()}


def in_currency(context: FieldContext, currency: str | None) -> FieldContext:
    """The context of a record whose amounts are in ``currency``; of none, in the workspace's."""
    return replace(context, currency=currency) if currency else context


def form_context(here: Scope, names: Names | None = None, members: Names | None = None) -> FieldContext:
    """As ``field_context``, with what forms need: people to choose from, and search for names."""
    return replace(
        field_context(here, names, members),
        list_members=lambda: _listed_members(here),
        find_records=lambda object_key, text: record_candidates(here, object_key, text),
        find_members=lambda text: member_candidates(here, text),
        find_file=lambda text: find_waiting(here, text),
        search_url=_search_address,
    )


def _listed_members(here: Scope) -> list[Candidate] | None:
    people = active_members(here.session)
    if len(people) > MOST_LISTED:
        return None
    return [Candidate(str(person.id), person.name) for person in people]


def _search_address(definition: FieldDefinition) -> str:
    if definition.type == "user":
        return url_for("workspace.find_people")
    return url_for("workspace.find_records", object_key=definition.params["target"])


def record_candidates(here: Scope, object_key: str, text: str) -> list[Candidate]:
    """Visible records of an object that a typed name may mean."""
    hits = reference_search(here.session, here.actor, object_key, text)
    return [Candidate(str(hit.id), hit.name, hit.number or hit.owner_name) for hit in hits]


def member_candidates(here: Scope, text: str) -> list[Candidate]:
    return [
        Candidate(str(person.id), person.name, person.email or "")
        for person in find_members(here.session, text)
    ]


class Reader:
    """Turns values into cells for one request; ``names`` and ``members`` are what references point at."""

    def __init__(
        self, here: Scope, names: Mapping[int, str] | None = None, members: Mapping[int, str] | None = None
    ) -> None:
        self.here = here
        self.context = field_context(here, names, members)
        self._by_currency: dict[str, FieldContext] = {}

    def context_of(self, currency: str | None) -> FieldContext:
        """Amounts of a record are in its own currency."""
        if not currency or currency == self.context.currency:
            return self.context
        return self._by_currency.setdefault(currency, in_currency(self.context, currency))

    def long_cell(self, definition: FieldDefinition, value: JsonValue, currency: str | None = None) -> Cell:
        """As ``cell``, where there is room for several lines."""
        cell = self.cell(definition, value, currency)
        kind = type_of(definition)
        if not cell or not (kind.is_group or kind.is_file):
            return cell
        drawn = "image" if isinstance(kind, Image) else cell.kind
        text = kind.long_text(definition, value, self.context_of(currency))
        return replace(cell, text=text, kind=drawn)

    def cell(self, definition: FieldDefinition, value: JsonValue, currency: str | None = None) -> Cell:
        """A field's value; an empty one is ``NOTHING``."""
        if is_empty(value):
            return NOTHING
        kind = type_of(definition)
        context = self.context_of(currency)
        if definition.options:
            return _of_options(definition, value, context.locale)
        try:
            text, href = kind.text(definition, value, context), kind.href(definition, value) or ""
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            return Cell(str(value))  # of the past, when the field was of another type
        if definition.type == "yes_no":
            return Cell(gettext(text))
        if definition.type == "reference":
            known = str(value) in context.record_names
            return Cell(text, record_address(int(str(value)))) if known else Cell(gettext("Not available"))
        if kind.is_file and isinstance(value, dict):
            return Cell(text, url_for("workspace.file", file_id=int(value["id"])))
        return Cell(text, href, column_kind(definition))


def column_kind(definition: FieldDefinition) -> str:
    """How cells of the field are drawn: ``number``, ``rating`` or plainly."""
    kind = type_of(definition)
    return "number" if kind.is_figure else "rating" if kind.widget == "rating" else ""


def _of_options(definition: FieldDefinition, value: JsonValue, locale: str) -> Cell:
    keys = value if isinstance(value, list) else [value]
    marks = []
    for key in keys:
        option = definition.option(str(key))
        marks.append(Mark(option.label.text(locale), option.color) if option else Mark(str(key)))
    text = ("、" if locale.startswith("zh") else ", ").join(mark.text for mark in marks)
    return Cell(text, marks=tuple(marks))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: how it is named and how a row fills it. ``field``: none for ``record.<column>``."""

    name: str
    label: str
    kind: str
    read: Callable[[RecordRow], Cell]
    field: FieldDefinition | None = None


def columns_of(here: Scope, object_key: str, names: Sequence[str], reader: Reader) -> list[Column]:
    """The columns that exist among ``names``, each once; unknown ones are left out."""
    definition = here.catalog.object(object_key)
    found: dict[str, Column] = {}
    for name in names:
        field = definition.fields.by_key.get(name)
        if field is not None:
            found.setdefault(name, _field_column(field, reader))
        elif name.startswith("record.") and (name[7:] in RECORD_COLUMNS or name == WEIGHTED):
            found.setdefault(name, _record_column(here, name, reader))
    return list(found.values())


def _field_column(field: FieldDefinition, reader: Reader) -> Column:
    label = field.label.text(reader.context.locale) or field.key
    kind = column_kind(field)
    if field.role == "name":
        return Column(field.key, label, "title", lambda row: Cell(row.name, record_address(row.id)), field)
    return Column(
        field.key, label, kind, lambda row: reader.cell(field, row.data.get(field.key), row.currency), field
    )


def _record_column(here: Scope, name: str, reader: Reader) -> Column:
    column = name.removeprefix("record.")
    special: dict[str, Callable[[], Callable[[RecordRow], Cell]]] = {
        "stage": lambda: StageMarks(here).cell,
        "pipeline": lambda: lambda row: Cell(_pipeline_name(here, row.pipeline_key)),
        "outcome": lambda: lambda row: outcome_cell(row.outcome),
        "owner": lambda: lambda row: Cell(row.owner_name),
        "department": lambda: _department_cell(here),
        "weighted": lambda: _weighted,
    }
    made = special.get(column)
    read = made() if made else lambda row: Cell(moment(getattr(row, column)))
    return Column(name, record_column_label(column), "number" if name == WEIGHTED else "", read)


def _weighted(row: RecordRow) -> Cell:
    """Value × probability in whole units of its currency."""
    if row.amount_minor is None or row.probability is None:
        return NOTHING
    minor = round(row.amount_minor * row.probability / 100)
    return Cell(whole_amount(minor, row.currency, language()), kind="number")


def _department_cell(here: Scope) -> Callable[[RecordRow], Cell]:
    names = {node.id: node.name for node in departments(here.session)}
    return lambda row: Cell(names.get(row.department_id or 0, ""))


_COLUMN_LABELS = {
    "stage": lazy_gettext("Stage"),
    "pipeline": lazy_gettext("Process"),
    "outcome": lazy_gettext("Outcome"),
    "owner": lazy_gettext("Owner"),
    "department": lazy_gettext("Department"),
    "created_at": lazy_gettext("Created"),
    "updated_at": lazy_gettext("Last change"),
    "stage_entered_at": lazy_gettext("In this stage since"),
    "closed_at": lazy_gettext("Closed"),
    "time_limit": lazy_gettext("Time in the stage"),
    "weighted": lazy_gettext("Weighted amount"),
}


def record_column_label(column: str) -> str:
    return str(_COLUMN_LABELS[column])


class StageMarks:
    """The coloured name of a record's stage, by the live pipeline; a stage that is gone shows its key."""

    def __init__(self, here: Scope) -> None:
        self._known: dict[tuple[str, str], Cell] = {}
        for pipeline in here.catalog.pipelines.values():
            for stage in pipeline.stages:
                self._known[pipeline.key, stage.key] = stage_cell(stage)

    def cell(self, row: Any) -> Cell:
        if not row.pipeline_key or not row.stage_key:
            return NOTHING
        return self._known.get((row.pipeline_key, row.stage_key)) or Cell(row.stage_key)


def stage_cell(stage: Stage) -> Cell:
    text = local(stage.label)
    return Cell(text, marks=(Mark(text, stage_color(stage)),))


def stage_color(stage: Stage) -> str:
    """The stage's own colour, or one that tells how it ends."""
    return stage.color or {"open": "blue", "won": "green", "lost": "red", "invalid": "gray"}[stage.kind]


def stage_name(pipeline: Pipeline | None, key: str | None) -> str:
    stage = pipeline.by_key.get(key or "") if pipeline else None
    return local(stage.label) if stage else (key or "")


def _pipeline_name(here: Scope, key: str | None) -> str:
    pipeline = here.catalog.pipelines.get(key or "")
    return local(pipeline.label) if pipeline else (key or "")


def outcome_cell(outcome: str | None) -> Cell:
    if not outcome:
        return NOTHING
    text, color = {
        "open": (gettext("Open"), "blue"),
        "won": (gettext("Won"), "green"),
        "lost": (gettext("Lost"), "red"),
        "invalid": (gettext("Invalid"), "gray"),
    }[outcome]
    return Cell(text, marks=(Mark(text, color),))


def moment(at: datetime | None) -> str:
    """A time of day on a day, in the reader's zone; empty for an unknown one."""
    return format_datetime(at, "short") if at is not None else ""


def day(at: datetime | None) -> str:
    return format_date(at, "medium") if at is not None else ""


def duration(seconds: float | None) -> str:
    """A length of time in its largest unit that says something; empty for an unknown one."""
    if seconds is None:
        return ""
    minutes = int(seconds // 60)
    if minutes < 60:
        return ngettext("%(num)d minute", "%(num)d minutes", minutes)
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(num)d hour", "%(num)d hours", hours)
    return ngettext("%(num)d day", "%(num)d days", hours // 24)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a record or member."""
    return text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) < 1 << 63


def names_in(texts: Iterable[str]) -> str:
    return ("、" if language().startswith("zh") else ", ").join(texts)
