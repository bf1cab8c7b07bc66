"""The rows of a list: their cells, and which of them a person may type into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from markupsafe import Markup

from blueprints.scope import Scope
from blueprints.workspace.area import record_address
from blueprints.workspace.shown import Column, Reader, columns_of
from builder.db.ids import to_public
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.fieldtypes.registry import type_of
from builder.queries.row import (
    REFERENCE,
    USER,
    RecordRow,
    names_of_members,
    names_of_records,
    pointed_at,
)

# Its public id, address, mark (id and revision), name, and cells: attributes as HTML, whether it is the
# title, the value.
Line: TypeAlias = tuple[str, str, str, str, list[tuple[Markup, bool, Any]]]


def lines_of(here: Scope, columns: Sequence[Column], rows: Sequence[RecordRow]) -> list[Line]:
    """What the table draws; what is the same in all rows is made once."""
    parts = [(_attributes(here, column), column.kind == "title", column) for column in columns]
    return [
        (
            (public := to_public(row.id)),
            record_address(row.id),
            f"{public}:{row.revision}",
            row.name,
            [(attributes, is_title, column.read(row)) for attributes, is_title, column in parts],
        )
        for row in rows
    ]


def line_of(
    here: Scope, definition: ObjectDefinition, names: Sequence[str], row: RecordRow
) -> tuple[list[Column], Line]:
    """One row alone, with the columns of its list: after a cell of it was changed."""
    records = names_of_records(here.session, pointed_at(definition, (row,), names, REFERENCE))
    members = names_of_members(here.session, pointed_at(definition, (row,), names, USER))
    columns = columns_of(here, definition.key, names, Reader(here, records, members))
    return columns, lines_of(here, columns, (row,))[0]


def may_type(here: Scope, field: FieldDefinition | None) -> bool:
    """Whether a cell of the field can be changed in place; the record's own rules come on top of that."""
    if field is None or not here.actor.can("record.edit"):
        return False
    kind = type_of(field)
    if kind.is_computed or kind.is_assigned or kind.is_file or field.is_read_only or field.type == "table":
        return False
    return field.role != "owner" or here.actor.can("record.reassign")


def _attributes(here: Scope, column: Column) -> Markup:
    plain = Markup('class="{}" data-label="{}"').format(column.kind, column.label)
    if not may_type(here, column.field):
        return plain
    return Markup('{} data-field="{}"').format(plain, column.name)
