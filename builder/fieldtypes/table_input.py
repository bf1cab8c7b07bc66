"""The control of a table of rows: a small form per row, rows added and removed by plain submit buttons too.

Names are ``lines-0-price`` for the cell, ``lines-_rows`` (once a row, its number) for which rows are on the
page, and the buttons ``_action=add:lines`` and ``_action=remove:lines:0``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from builder.domain.computation import compute
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import is_empty
from builder.errors import Problem
from builder.fieldtypes.base import FieldType
from builder.fieldtypes.inputs import FieldForm, ValueInput

_ROW = re.compile(r"[0-9]{1,4}")


class TableInput(ValueInput):
    """``rows`` are the forms on the page, ``data`` the JSON rows; a row without any value is left out."""

    def __init__(
        self,
        *,
        definition: FieldDefinition,
        type: FieldType,
        row_class: type[FieldForm],
        **kwargs: Any,
    ) -> None:
        super().__init__(definition=definition, type=type, **kwargs)
        self.row_class = row_class
        self.columns: tuple[FieldDefinition, ...] = definition.params["columns"]
        self.rows: list[Any] = []

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors = []
        self.problem = None
        self.data = data
        self.object_data = data
        self.is_submitted = formdata is not None and self.is_in(formdata)
        before = [row for row in data if isinstance(row, Mapping)] if isinstance(data, list) else []
        if self.is_submitted:
            self._process_rows(formdata, before)
        else:
            self.rows = [self._row(number, None, row) for number, row in enumerate(before)]

    def is_in(self, formdata: Any) -> bool:
        return f"{self.name}-_rows" in formdata or self.name in formdata.getlist("_has")

    def _process_rows(self, formdata: Any, before: list[Mapping[str, JsonValue]]) -> None:
        action, _, target = str(formdata.get("_action", "")).partition(":")
        name, _, removed = target.partition(":")
        numbers = [text for text in formdata.getlist(f"{self.name}-_rows") if _ROW.fullmatch(text)]
        numbers = list(dict.fromkeys(numbers))[: self.definition.params["max_items"] + 1]
        if action == "remove" and name == self.name:
            numbers = [text for text in numbers if text != removed]
        self.rows = []
        for text in numbers:
            old = before[int(text)] if int(text) < len(before) else {}
            self.rows.append(self._row(int(text), formdata, old))
        self.data = self._rows_of_data() or None
        if action == "add" and name == self.name and len(self.rows) < self.definition.params["max_items"]:
            following = max((int(text) for text in numbers), default=len(before) - 1) + 1
            self.rows.append(self._row(following, None, {}))

    def _row(self, number: int, formdata: Any, row: Mapping[str, JsonValue]) -> Any:
        form = self.row_class(formdata, prefix=f"{self.name}-{number}-", data=row, context=self.meta.context)
        form.number = number
        form.place = None
        form.before = row
        return form

    def _rows_of_data(self) -> list[JsonValue]:
        rows: list[JsonValue] = []
        kept = []
        for form in self.rows:
            row = self._row_data(form)
            has_problem = any(cell.problem for cell in form)
            if row or has_problem:
                # The place in the data is where errors of the schema will point to.
                form.place = len(rows)
                rows.append(row)
                self._note_problems(form)
            kept.append(form)
        self.rows = kept
        return rows

    def _row_data(self, form: Any) -> dict[str, JsonValue]:
        """Cells that are on the page from the page, all others as they were."""
        row = {key: value for key, value in form.before.items() if not is_empty(value)}
        for column in self.columns:
            cell = form[column.key]
            if column.is_read_only or not cell.is_submitted:
                continue
            row.pop(column.key, None)
            if not is_empty(cell.data):
                row[column.key] = cell.data
        formula_keys = {column.key for column in self.columns if column.type == "formula"}
        if set(row) <= formula_keys:
            return {}
        return compute(self.columns, row)

    def _note_problems(self, form: Any) -> None:
        for cell in form:
            if cell.problem is not None:
                place = f"{self.definition.key}/{form.place}/{cell.definition.key}"
                cell.problem = Problem(cell.problem.message, place, cell.problem.values)

    def anchor(self, place: Sequence[str]) -> str:
        for row in self.rows:
            if len(place) > 1 and str(row.place) == place[0] and place[1] in row:
                return str(row[place[1]].anchor(place[2:]))
        return super().anchor(place)

    @property
    def problems(self) -> list[Problem]:
        """What could not be read in cells, with its place in the data."""
        return [cell.problem for form in self.rows for cell in form if cell.problem is not None]
