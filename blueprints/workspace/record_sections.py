"""Fields of a record by section, as its page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blueprints.messages import local, message, named
from blueprints.workspace.cells import Cell
from blueprints.workspace.record_forms import fields_for
from blueprints.workspace.shown import Reader
from builder.domain.fields import FieldDefinition, FieldSet, ObjectDefinition
from builder.domain.labels import Label
from builder.domain.layouts import Section
from builder.domain.moves import FieldViolation
from builder.fieldtypes.registry import type_of
from builder.fieldtypes.table import total
from builder.forms.state import state as states_of
from builder.queries.record import RecordPage
from builder.queries.row import FullRecord


@dataclass(frozen=True)
class ShownField:
    label: str
    cell: Cell
    fault: str
    is_wide: bool
    table: ShownTable | None = None
    parts: tuple[ShownField, ...] = ()


@dataclass(frozen=True)
class ShownTable:
    """Rows of a table field: heads with their class, rows of cells, totals (empty texts where none)."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[str, ...]


@dataclass(frozen=True)
class ShownSection:
    label: str
    fields: tuple[ShownField, ...]


def record_sections(
    page: RecordPage, definition: ObjectDefinition, faults: tuple[FieldViolation, ...], reader: Reader
) -> dict[str, Any]:
    """Filled fields (and faulty ones) by section; the names of visible fields without a value."""
    record = page.record
    wrong = {fault.field: message(fault.message_key, fault.values) for fault in reversed(faults)}
    states = states_of(definition.fields, record.data, reader.context_of(record.currency))
    sections, empty = [], []
    fields = fields_for(reader.here, definition, record.pipeline_key, record.stage_key)
    for section in (*fields.sections, *_left_out(fields, wrong)):
        shown = []
        for key in section.fields:
            if not states[key].is_visible:
                continue
            field = _shown_field(reader, definition.fields.by_key[key], record, wrong.get(key, ""))
            if field.cell or field.fault:
                shown.append(field)
            else:
                empty.append(field.label)
        if shown:
            sections.append(ShownSection(section.label.text(reader.context.locale), tuple(shown)))
    return {"sections": sections, "empty_fields": empty}


def _left_out(fields: FieldSet, wrong: Mapping[str, str]) -> tuple[Section, ...]:
    """What the layout leaves out and is wrong: it is told where it stands."""
    if not wrong or not fields.layouts:
        return ()
    placed = {key for section in fields.sections for key in section.fields}
    keys = tuple(key for key in wrong if key in fields.by_key and key not in placed)
    return (Section("", Label(()), keys),) if keys else ()


def _shown_field(reader: Reader, field: FieldDefinition, record: FullRecord, fault: str) -> ShownField:
    return _shown_value(reader, field, record.data.get(field.key), record.currency, fault)


def _shown_value(
    reader: Reader, field: FieldDefinition, value: Any, currency: str | None, fault: str = ""
) -> ShownField:
    kind = type_of(field)
    parts = [
        _shown_value(reader, part, value.get(part.key), currency)
        for part in field.inner
        if kind.widget == "group" and isinstance(value, dict)
    ]
    return ShownField(
        field.label.text(reader.context.locale) or field.key,
        reader.long_cell(field, value, currency),
        fault,
        kind.is_wide,
        _table(reader, field, value, currency) if field.type == "table" else None,
        tuple(part for part in parts if part.cell),
    )


def _table(reader: Reader, field: FieldDefinition, value: Any, currency: str | None) -> ShownTable | None:
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    if not rows:
        return None
    columns: tuple[FieldDefinition, ...] = field.params["columns"]
    cells = tuple(
        tuple(reader.cell(column, row.get(column.key), currency) for column in columns) for row in rows
    )
    kinds = [next((row[place].kind for row in cells if row[place].kind), "") for place in range(len(columns))]
    labels = [column.label.text(reader.context.locale) or column.key for column in columns]
    totals = []
    for column in columns:
        summed = total(field, column.key, value) if column.key in field.params["totals"] else None
        context = reader.context_of(currency)
        totals.append("" if summed is None else type_of(column).text(column, summed, context))
    return ShownTable(tuple(zip(labels, kinds, strict=True)), cells, tuple(totals))


def fault_words(definition: ObjectDefinition, fault: FieldViolation) -> str:
    """What is wrong with a field, after its name."""
    field = definition.fields.by_key.get(fault.field)
    text = message(fault.message_key, fault.values)
    return named(local(field.label), text) if field else text
