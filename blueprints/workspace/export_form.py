"""The form of an export: what somebody chose, and the plan with its columns in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from flask_babel import gettext

from blueprints.languages import language
from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.list_state import ListState
from blueprints.workspace.shown import outcome_cell, record_column_label
from builder.domain.conditions import to_document
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.kinds import RECORD_COLUMNS
from builder.exchange.export_plan import CURRENCY_OF, EXTERNAL_KEY, FORMATS, ID, ExportPlan, Format
from builder.exchange.mapping import plain
from builder.fieldtypes.money import is_money
from builder.fieldtypes.registry import type_of

SHOWN, ALL = "shown", "all"
_OUTCOMES = ("open", "won", "lost", "invalid")
_PROCESS = ("pipeline", "stage", "outcome", "stage_entered_at", "closed_at")
_NOT_IN_NAMES = '\\/:*?"<>|\r\n\t'


@dataclass(frozen=True)
class Wanted:
    """What the form says. ``columns``: those of the list, or all fields."""

    columns: str = SHOWN
    format: str = "csv"
    bom: bool = True

    def problems(self) -> list[tuple[str, str]]:
        """What cannot be, as (control, text)."""
        found = []
        if self.columns not in (SHOWN, ALL):
            found.append(("export-columns", gettext("Choose which columns the file has.")))
        if self.format not in FORMATS:
            found.append(("export-format", gettext("Choose the kind of file.")))
        return found


def read_wanted(form: Mapping[str, str]) -> Wanted:
    """What was sent, whether it can be or not."""
    return Wanted(form.get("columns", "")[:20], form.get("format", "")[:20], "bom" in form)


def figure_plan(here: Scope, definition: ObjectDefinition, kind: str, title: str) -> ExportPlan:
    """The plan of the records behind a figure, with the columns of that list."""
    fields = definition.fields
    names = [field.key for role in ("name", "account", "amount") if (field := fields.by_role.get(role))]
    columns = [_key()]
    columns += [pair for name in names for pair in _field_columns(definition, fields.by_key[name], names)]
    columns += [_record_column(definition, name) for name in ("owner", "stage", "outcome", "closed_at")]
    return ExportPlan(
        object_key=definition.key,
        columns=tuple(columns),
        format=cast(Format, kind),
        locale=language(),
        words={key: outcome_cell(key).text for key in _OUTCOMES},
        file_name=_file_name(here, title) or definition.key,
        title=title,
    )


def plan_of(here: Scope, definition: ObjectDefinition, state: ListState, wanted: Wanted) -> ExportPlan:
    """The plan of a list as its address says, with the columns that somebody chose."""
    is_exact = wanted.columns == ALL
    columns = _all_columns(here, definition) if is_exact else _shown_columns(definition, state)
    title = str(local(definition.label_plural))
    return ExportPlan(
        object_key=definition.key,
        columns=tuple(columns),
        format=cast(Format, wanted.format),
        bom=wanted.bom,
        is_exact=is_exact,
        sort=state.sort,
        filter=None if state.condition is None else to_document(state.condition),
        query=state.query,
        pipeline=state.pipeline,
        locale=language(),
        words={key: outcome_cell(key).text for key in _OUTCOMES},
        file_name=_file_name(here, state.view_label or title) or definition.key,
        title=title,
    )


def _file_name(here: Scope, title: str) -> str:
    """What the file is called on any system, with the day on which it was made."""
    plain_title = "".join(" " if mark in _NOT_IN_NAMES else mark for mark in title)
    today = here.workspace.day_of(here.clock.now()).isoformat()
    return f"{' '.join(plain_title.split()).strip('. ')[:100]} {today}".strip()


def _shown_columns(definition: ObjectDefinition, state: ListState) -> Iterator[tuple[str, str]]:
    yield _key()
    fields = definition.fields.by_key
    names = list(dict.fromkeys(state.columns))
    for name in names:
        if name in fields:
            yield from _field_columns(definition, fields[name], names)
        elif name.removeprefix("record.") in RECORD_COLUMNS:
            yield _record_column(definition, name.removeprefix("record."))


def _field_columns(
    definition: ObjectDefinition, field: FieldDefinition, names: list[str]
) -> Iterator[tuple[str, str]]:
    yield field.key, _heading(definition, field)
    yield from _currency(definition, field, names)


def _all_columns(here: Scope, definition: ObjectDefinition) -> Iterator[tuple[str, str]]:
    """Everything, under headings by which an import knows each field again."""
    yield _key()
    yield EXTERNAL_KEY, gettext("External ID")
    names = list(definition.fields.by_key)
    for field in definition.fields:
        yield field.key, _heading(definition, field)
        if not type_of(field).is_computed:
            yield from _currency(definition, field, names)
    columns = [] if "owner" in definition.fields.by_role else ["owner"]
    columns += ["department", "created_at", "updated_at"]
    if here.catalog.pipelines_of(definition.key):
        columns = [*_PROCESS, *columns]
    yield from (_record_column(definition, column) for column in columns)


def _key() -> tuple[str, str]:
    """The key by which the file finds its records again: the first column of every file, so that one which
    is read back changes them instead of making others.
    """
    return ID, gettext("Record ID")


def _record_column(definition: ObjectDefinition, column: str) -> tuple[str, str]:
    """The column under its label; by its name where a field could be meant by that, except by the field that
    holds the same.
    """
    label = record_column_label(column)
    others = (field for field in definition.fields if field.role != column)
    is_taken = any(plain(label) in _names_of(field) for field in others)
    return f"record.{column}", f"record.{column}" if is_taken else label


def _currency(
    definition: ObjectDefinition, field: FieldDefinition, names: list[str]
) -> Iterator[tuple[str, str]]:
    """The currency beside an amount, unless a column of the record's own currency stands there anyway."""
    if not is_money(field):
        return
    own = definition.fields.by_role.get("currency")
    if "currency" in field.params or own is None or own.key not in names:
        yield (
            CURRENCY_OF + field.key,
            gettext("%(amount)s (currency)", amount=local(field.label) or field.key),
        )


def _heading(definition: ObjectDefinition, field: FieldDefinition) -> str:
    """The label; the key where another field could be meant by it."""
    label = str(local(field.label))
    others = (other for other in definition.fields if other.key != field.key)
    is_taken = any(plain(label) in _names_of(other) for other in others)
    return field.key if not label or is_taken else label


def _names_of(field: FieldDefinition) -> set[str]:
    return {plain(field.key), *(plain(text) for _, text in field.label.translations)}
