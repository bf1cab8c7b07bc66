"""A list in groups: their names in words, their sums, and the rows of the one that is unfolded (part 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zlib import crc32

from flask import url_for
from flask_babel import format_date, gettext

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.cells import Cell
from blueprints.workspace.filter_words import evaluation_context
from blueprints.workspace.list_state import ListState
from blueprints.workspace.shown import (
    Column,
    Reader,
    outcome_cell,
    record_column_label,
    stage_cell,
)
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.grouping import GROUP_COLUMNS, NO, YES, can_group
from builder.fieldtypes.registry import type_of
from builder.queries.groups import Groups, Sums, list_groups
from builder.queries.list import ListRequest
from builder.queries.people import departments
from builder.queries.row import names_of_members, names_of_records


@dataclass(frozen=True)
class GroupLine:
    """One group. ``sums``: by column, a text for each currency; ``rows``: where its rows come from."""

    id: str
    label: Cell
    count: int
    sums: Mapping[str, tuple[str, ...]]
    address: str
    rows: str
    is_open: bool


@dataclass(frozen=True)
class Grouped:
    """All that the page draws. ``total``: of the whole list, whatever is unfolded."""

    lines: tuple[GroupLine, ...]
    total: int
    sums: Mapping[str, tuple[str, ...]]
    is_cut: bool


def grouped(
    here: Scope, definition: ObjectDefinition, state: ListState, columns: Sequence[Column], inside: str | None
) -> Grouped:
    """The groups of a list; with no group asked for only its total. ``inside``: the one that is unfolded.

    Errors: ConditionError, Invalid for a field that makes no groups.
    """
    found = list_groups(
        here.session,
        here.catalog,
        here.actor,
        request_of(definition, state),
        evaluation_context(here),
        state.group,
    )
    fields = [column.field for column in columns if column.field is not None]
    reader = Reader(here)
    labels = _labels(here, definition, state.group, found)
    lines = []
    for value in _ordered(here, definition, state.group, found):
        sums, address = found.groups[value], state.address(**{"in": value})
        rows = url_for("workspace.group_rows", object_key=definition.key, **state.args(**{"in": value}))
        lines.append(
            GroupLine(
                group_id(value),
                labels.get(value) or Cell(value),
                sums.count,
                _told(reader, fields, sums),
                address,
                rows,
                value == inside,
            )
        )
    total = _told(reader, fields, found.total)
    return Grouped(tuple(lines), found.total.count, total, found.is_cut)


def request_of(definition: ObjectDefinition, state: ListState) -> ListRequest:
    """What the list asks for, without its page."""
    return ListRequest(
        definition.key,
        columns=state.columns,
        sort=state.sort,
        filter=state.condition,
        query=state.query,
        pipeline_key=state.pipeline,
    )


def group_id(value: str) -> str:
    """The id of a group's rows on the page."""
    return f"group-{crc32(value.encode(errors='replace')):08x}"


def group_choices(here: Scope, definition: ObjectDefinition) -> list[tuple[str, str]]:
    """What the list can be grouped by: name and label."""
    names = list(GROUP_COLUMNS)
    if not here.catalog.pipelines_of(definition.key):
        names = ["record.owner", "record.department"]
    if "owner" in definition.fields.by_role:
        names.remove("record.owner")
    own = [
        (field.key, str(local(field.label) or field.key))
        for field in definition.fields
        if can_group(definition, field.key)
    ]
    return own + [(name, record_column_label(name.removeprefix("record."))) for name in names]


def _told(reader: Reader, fields: Sequence[FieldDefinition], sums: Sums) -> dict[str, tuple[str, ...]]:
    """The sums of the shown columns as they are read, one a currency."""
    told = {}
    for field in fields:
        by_currency = sums.by_column.get(field.key, {})
        told[field.key] = tuple(
            _figure(reader, field, amount, currency) for currency, amount in sorted(by_currency.items())
        )
    return told


def _figure(reader: Reader, field: FieldDefinition, amount: Decimal, currency: str) -> str:
    value: Any = int(amount) if field.type in ("integer", "duration") else f"{amount.normalize():f}"
    return type_of(field).text(field, value, reader.context_of(currency or None))


def _labels(here: Scope, definition: ObjectDefinition, name: str, found: Groups) -> dict[str, Cell]:
    """The groups in words, whatever their values name read in one statement."""
    field = definition.fields.by_key.get(name)
    values = [value for value in found.groups if value]
    labels = {"": Cell(gettext("Without a value"))}
    if field is not None and field.type == "date":
        return labels | {value: Cell(_month(value)) for value in values}
    if field is not None and field.options:
        reader = Reader(here)
        return labels | {value: reader.cell(field, value) for value in values}
    if field is not None and field.type == "yes_no":
        return labels | {YES: Cell(gettext("Yes")), NO: Cell(gettext("No"))}
    if name == "record.stage":
        return labels | _stages(here)
    if name == "record.pipeline":
        return labels | {key: Cell(str(local(one.label))) for key, one in here.catalog.pipelines.items()}
    if name == "record.outcome":
        known = ("open", "won", "lost", "invalid")
        return labels | {value: outcome_cell(value) for value in values if value in known}
    ids = [int(value) for value in values if value.isdecimal()]
    names: Mapping[int, str] = {}
    if name == "record.department":
        names = {node.id: node.name for node in departments(here.session)}
    elif field is not None and field.type == "reference":
        names = names_of_records(here.session, ids)
    else:
        names = names_of_members(here.session, ids)
    return labels | {str(one): Cell(names.get(one) or gettext("Not available")) for one in ids}


def _stages(here: Scope) -> dict[str, Cell]:
    return {
        f"{pipeline.key}/{stage.key}": stage_cell(stage)
        for pipeline in here.catalog.pipelines.values()
        for stage in pipeline.stages
    }


def _month(value: str) -> str:
    year, _, month = value.partition("-")
    return str(format_date(date(int(year), int(month), 1), "LLLL yyyy"))


def _ordered(here: Scope, definition: ObjectDefinition, name: str, found: Groups) -> list[str]:
    """Options, stages and months in their own order, everything else by size; without a value at the end."""
    field = definition.fields.by_key.get(name)
    values = [value for value in found.groups if value]
    if field is not None and field.options:
        known = [option.key for option in field.options]
    elif name == "record.stage":
        known = list(_stages(here))
    elif field is not None and field.type in ("date", "yes_no"):
        known = sorted(values, reverse=field.type == "yes_no")
    else:
        known = values
    place = {value: number for number, value in enumerate(known)}
    values.sort(key=lambda value: place.get(value, len(place)))
    return values + [""] * ("" in found.groups)
