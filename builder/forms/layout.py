"""What a template needs to draw a form: sections, fields with their state, cells of tables. No decisions
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from markupsafe import Markup, escape

from builder.domain.fields import FieldDefinition, JsonValue, Option
from builder.errors import Problem
from builder.fieldtypes.base import Candidate, FieldContext
from builder.fieldtypes.file import MEGABYTE, PICTURES
from builder.fieldtypes.registry import type_of
from builder.fieldtypes.table import total
from builder.forms.state import FieldState

_GROUPS = ("choices", "table", "rating", "group", "address")


@dataclass(frozen=True, slots=True)
class OfferedOption:
    """One option of a choice in the reader's language. A retired one is there only because it is chosen."""

    key: str
    label: str
    color: str
    is_chosen: bool
    is_retired: bool = False


class FormField:
    """One field as the template sees it: definition, state, what stands in its control, and its errors."""

    is_cell = False

    def __init__(
        self,
        control: Any,
        decided: FieldState,
        context: FieldContext,
        problems: Sequence[Problem],
        columns: int,
    ) -> None:
        self.control = control
        self.definition: FieldDefinition = control.definition
        self.state = decided
        self.context = context
        self.problems = problems
        self.width = 12 if control.type.is_wide else 12 // columns
        self.is_watched = False

    key = property(lambda self: self.definition.key)
    name = property(lambda self: self.control.name)
    id = property(lambda self: self.control.name)
    widget = property(lambda self: self.control.type.widget)
    params = property(lambda self: self.definition.params)
    is_required = property(lambda self: self.state.is_required)
    is_read_only = property(lambda self: self.state.is_read_only)
    is_assigned = property(lambda self: self.control.type.is_assigned)

    @property
    def tied(self) -> Markup:
        """The attributes that tie a control to its label, help and errors. Built here: once per control."""
        # Ids and names consist of keys and numbers, which need no escaping; what people wrote does.
        parts = [f'id="{self.id}" name="{self.name}"']
        if self.state.is_required:
            parts.append('aria-required="true"')
        if self.problems:
            parts.append('aria-invalid="true"')
        if self.described_by:
            parts.append(f'aria-describedby="{self.described_by}"')
        if self.is_cell:
            parts.append(f'aria-label="{escape(self.label)}"')
        return Markup(" ".join(parts))  # noqa: S704

    @property
    def is_wrong(self) -> bool:
        """Whether all of the field is marked as wrong; a group marks its parts."""
        return bool(self.problems)

    @property
    def wrong(self) -> str:
        return " is-invalid" if self.problems else ""

    @property
    def is_readable(self) -> bool:
        """Whether a control of the browser's own (a date picker) can show what was typed."""
        return self.control.problem is None

    @property
    def is_labelled_by_group(self) -> bool:
        """Whether several controls belong to the field, so that a label cannot point to one of them."""
        is_group = self.widget in _GROUPS or self.params.get("layout") == "radio"
        return is_group or self.state.is_read_only

    @property
    def own_problems(self) -> list[Problem]:
        """What is told under the field itself; cells of a table tell theirs."""
        return [problem for problem in self.problems if problem.place == self.key]

    @cached_property
    def label(self) -> str:
        return self.definition.label.text(self.context.locale) or self.definition.key

    @cached_property
    def help(self) -> str:
        return self.definition.help.text(self.context.locale)

    @property
    def typed(self) -> list[str]:
        """The strings in the control: what was typed, even when it could not be read."""
        typed: list[str] = self.control.typed
        return typed

    @property
    def value(self) -> str:
        return self.typed[0] if self.typed else ""

    @property
    def accepted(self) -> str:
        """The media types that a file may have, for the browser's dialog; it decides nothing."""
        accepted = PICTURES if self.definition.type == "image" else self.params["accept"]
        return ",".join(accepted)

    @property
    def megabytes(self) -> int:
        return int(self.params["limit"]) // MEGABYTE

    @property
    def stars(self) -> int:
        """How many stars are chosen, 0 for none."""
        return self.control.data if isinstance(self.control.data, int) else 0

    @property
    def data(self) -> JsonValue:
        data: JsonValue = self.control.data
        return data

    @property
    def shown(self) -> str:
        """The value for reading, where the field is read-only."""
        return type_of(self.definition).text(self.definition, self.data, self.context)

    @cached_property
    def described_by(self) -> str:
        """Ids of the help and error texts, for aria-describedby."""
        parts = [f"{self.id}-help"] if self.help else []
        return " ".join([*parts, f"{self.id}-error"] if self.problems else parts)

    @property
    def options(self) -> list[OfferedOption]:
        offered = frozenset(self.state.options or ())
        chosen = set(self.typed)
        return [
            self._option(option, chosen)
            for option in self.definition.options
            if option.key in offered or option.key in chosen
        ]

    def _option(self, option: Option, chosen: set[str]) -> OfferedOption:
        label = option.label.text(self.context.locale)
        return OfferedOption(option.key, label, option.color, option.key in chosen, option.is_retired)

    @property
    def members(self) -> Sequence[Candidate] | None:
        """All members where a plain list is short enough, else ``None``."""
        return self.context.members

    @property
    def id_typed(self) -> str:
        return self.typed[0] if self.typed and len(self.typed) != 2 else ""

    @property
    def name_shown(self) -> str:
        return self.typed[-2] if len(self.typed) > 1 else ""

    @property
    def name_typed(self) -> str:
        return self.typed[-1] if len(self.typed) > 1 else ""

    @property
    def candidates(self) -> Sequence[Candidate]:
        """What a typed name may mean, for choosing without JavaScript."""
        found: Sequence[Candidate] = self.control.candidates
        return found

    @property
    def search_url(self) -> str:
        return self.context.search_url(self.definition) if self.context.search_url else ""

    @property
    def currency(self) -> str:
        return str(self.params.get("currency") or self.context.currency)


class TableField(FormField):
    """A table of rows: columns, rows of cells, totals."""

    @property
    def columns(self) -> list[tuple[FieldDefinition, str]]:
        return [(column, column.label.text(self.context.locale)) for column in self.control.columns]

    @property
    def figures(self) -> list[FieldDefinition]:
        """The columns with numbers."""
        return [column for column in self.control.columns if type_of(column).is_figure]

    @cached_property
    def rows(self) -> list[TableRow]:
        return [TableRow(form, self) for form in self.control.rows]

    @property
    def has_totals(self) -> bool:
        return bool(self.params["totals"] and self.rows)

    @property
    def totals(self) -> list[str]:
        """One text a column: its sum, or nothing where it is not added up."""
        texts = []
        for column in self.control.columns:
            summed = (
                total(self.definition, column.key, self.data) if column.key in self.params["totals"] else None
            )
            texts.append("" if summed is None else type_of(column).text(column, summed, self.context))
        return texts


class GroupField(FormField):
    """A group of fields: its parts as fields of their own, each with its problems."""

    @property
    def is_wrong(self) -> bool:
        return bool(self.own_problems)

    @cached_property
    def fields(self) -> list[FormField]:
        ordered = self.control.type.in_order(self.definition, self.context.locale)
        return [self._part(part) for part in ordered]

    def _part(self, part: FieldDefinition) -> FormField:
        prefix = f"{self.key}/"
        inside = (
            replace(problem, place=problem.place.removeprefix(prefix))
            for problem in self.problems
            if problem.place.startswith(prefix)
        )
        here = [problem for problem in inside if problem.place.partition("/")[0] == part.key]
        # Required only once something of the group is filled; the message says so then.
        decided = FieldState(
            is_required=part.is_required and self.state.is_required,
            is_read_only=part.is_read_only,
            options=tuple(option.key for option in part.options if not option.is_retired) or None,
        )
        columns = 2 if self.widget == "address" else 3
        return form_field(self.control.inner[part.key], decided, self.context, here, columns)


def form_field(
    control: Any, decided: FieldState, context: FieldContext, problems: Sequence[Problem], columns: int
) -> FormField:
    """The field of a control: a table, a group, or a single value."""
    made = FormField
    if control.definition.inner:
        made = GroupField if control.type.is_group else TableField
    return made(control, decided, context, problems, columns)


class Cell(FormField):
    """A field in a row: its label is the column's head, its problems are those of this row."""

    is_cell = True

    @property
    def own_problems(self) -> list[Problem]:
        return list(self.problems)


class TableRow:
    """One row: its number on the page and its cells, in the order of the columns."""

    def __init__(self, form: Any, table: TableField) -> None:
        self.number = form.number
        place = form.place
        required = FieldState(is_required=True)
        self.cells = []
        for column in table.control.columns:
            pointer = f"{table.key}/{place}/{column.key}"
            problems = [] if place is None else [p for p in table.problems if p.place == pointer]
            decided = FieldState(
                is_required=column.is_required and required.is_required,
                is_read_only=column.is_read_only,
                options=tuple(o.key for o in column.options if not o.is_retired) or None,
            )
            cell = Cell(form[column.key], decided, table.context, problems, 1)
            if column.type == "formula" and place is not None and isinstance(table.data, list):
                cell.control.data = table.data[place].get(column.key)
            self.cells.append(cell)


@dataclass(frozen=True, slots=True)
class FormSection:
    """A group of visible fields with its heading; ``columns`` of them stand side by side."""

    key: str
    label: str
    help: str
    columns: int
    fields: tuple[FormField, ...]
