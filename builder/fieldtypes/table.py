"""Table of rows: line items whose columns are fields themselves, with totals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from wtforms.fields.core import UnboundField

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind, is_empty
from builder.domain.labels import Label
from builder.errors import N_, Problem
from builder.fieldtypes.base import FieldContext, FieldType, InvalidValue, Objects, stripped
from builder.fieldtypes.inputs import form_class
from builder.fieldtypes.table_input import TableInput

MOST_ROWS = 200


class Table(FieldType):
    """A list of rows. ``columns`` are field definitions; ``totals`` names the columns that are added up."""

    key = "table"
    label = Label.of({"en": "Table of rows", "zh_Hans": "明细表"})
    icon = "table"
    kind = Kind.ROWS
    widget = "table"
    is_wide = True
    inner_place = ("items",)

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        item = {"x-type": "text", "x-label": {"en": "Item", "zh_Hans": "项目"}}
        count = {"x-type": "integer", "x-label": {"en": "Quantity", "zh_Hans": "数量"}}
        section = {"key": "row", "label": {"en": "Row", "zh_Hans": "行"}, "fields": ["item", "number"]}
        properties = {"item": item, "number": count}
        return {"items": {"type": "object", "properties": properties, "x-sections": [section]}}

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """``columns`` themselves are compiled by ``metadata.record_schema``."""
        return {
            "totals": tuple(document.get("x-totals", ())),
            "min_items": int(document.get("minItems", 0)),
            "max_items": int(document.get("maxItems", 100)),
        }

    def inner_form(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        items: Mapping[str, Any] = document["items"]
        return items

    def with_inner_form(self, document: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
        """Columns that are gone are no more added up."""
        changed = {**document, "items": dict(form)}
        if "x-totals" in document:
            totals = [key for key in document["x-totals"] if key in form["properties"]]
            changed = {**changed, "x-totals": totals} if totals else _without(changed, "x-totals")
        return changed

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        from builder.fieldtypes.registry import type_of  # the registry holds this class

        columns = {column.key: column for column in definition.params["columns"]}
        if any(column.inner for column in columns.values()):
            yield Problem(N_("A table cannot hold a table or a group of fields."), "items")
        for position, key in enumerate(definition.params["totals"]):
            if key not in columns or not type_of(columns[key]).is_figure:
                yield Problem(
                    N_("“%(column)s” is no column with numbers."), f"x-totals/{position}", {"column": key}
                )

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        """Keywords of the list itself; ``metadata.record_schema`` adds ``items``."""
        low = max(1, definition.params["min_items"])
        return {"type": "array", "minItems": low, "maxItems": definition.params["max_items"]}

    def form_field(self, definition: FieldDefinition) -> UnboundField:
        from builder.fieldtypes.registry import type_of  # the registry holds this class

        row_class = form_class("Row", {c.key: type_of(c).form_field(c) for c in definition.params["columns"]})
        return TableInput(definition=definition, type=self, row_class=row_class)

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return []

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        """Rows as JSON, the form that ``export`` writes."""
        source = stripped(text)
        if not source:
            return None
        try:
            rows = json.loads(source)
        except (ValueError, RecursionError):
            rows = None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InvalidValue(N_("“%(value)s” is not a list of rows."), value=source[:80])
        return rows or None

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else json.dumps(value, ensure_ascii=False)

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """How many rows there are; pages show the rows themselves."""
        return str(len(value)) if isinstance(value, list) and value else ""


def _without(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


def total(definition: FieldDefinition, key: str, value: JsonValue) -> str | None:
    """The sum of a column over all rows as a string of decimals, ``None`` when no row has a number."""
    rows = value if isinstance(value, list) else []
    numbers = [
        Decimal(str(row[key])) for row in rows if isinstance(row, Mapping) and not is_empty(row.get(key))
    ]
    return format(sum(numbers, Decimal(0)), "f") if numbers else None
