"""The filter builder: rows of field, operator and value in groups, read from and written to form data.

Controls are named ``g<group>-<row>-field``, ``-op``, ``-a`` and ``-b``; ``group`` and ``g<group>-row`` list
the numbers that are on the page. The values' controls are those of the field types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from blueprints.messages import named, told
from blueprints.scope import Scope
from blueprints.workspace.filter_words import in_words, read_filter
from blueprints.workspace.subjects import LISTS, SAME, Subject, operator_words
from builder.domain.conditions import All, AnyOf, Comparison, Condition, to_document
from builder.domain.fields import FieldDefinition
from builder.errors import N_, Problem
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.inputs import form_class
from builder.fieldtypes.registry import type_of
from builder.forms.layout import FormField
from builder.forms.state import FieldState

MOST_ROWS = 20
MOST_GROUPS = 6
MODES = ("all", "any")
NEEDS_A_VALUE = N_("Choose or type a value.")
_NUMBER = re.compile(r"[0-9]{1,3}")


@dataclass
class FilterRow:
    """One comparison. ``raw``: a condition that the builder cannot take apart, kept and told in words."""

    name: str
    number: int
    subject: Subject | None = None
    op: str = ""
    controls: list[FormField] = field(default_factory=list)
    operand: Any = None
    problem: str = ""
    raw: str = ""
    words: str = ""

    @property
    def operators(self) -> list[tuple[str, str]]:
        if self.subject is None:
            return []
        offered = list(self.subject.operators)
        return [(op, operator_words(op, self.subject.kind)) for op in offered]


@dataclass
class FilterGroup:
    number: int
    mode: str
    rows: list[FilterRow]


class FilterForm:
    """The builder for one request. ``args``: form data, also made from a condition (``args_of``)."""

    def __init__(
        self,
        here: Scope,
        object_key: str,
        args: MultiDict[str, str],
        subjects: Mapping[str, Subject],
        context: FieldContext,
    ) -> None:
        self.here = here
        self.object_key = object_key
        self.subjects = subjects
        self.context = context
        self.mode = _mode(args.get("mode"))
        self.groups = [self._group(args, number) for number in _numbers(args, "group")[:MOST_GROUPS]]
        self._act(args.get("_filter", ""))
        if not self.groups:
            self.groups = [FilterGroup(0, "all", [])]
        if not any(group.rows for group in self.groups):
            self.groups[0].rows.append(self._row(MultiDict(), self.groups[0].number, 0))

    @property
    def problems(self) -> list[tuple[str, str]]:
        rows = [row for group in self.groups for row in group.rows]
        return [
            (f"{row.name}-field", named(row.subject.label, row.problem))
            for row in rows
            if row.problem and row.subject
        ]

    def condition(self) -> Condition | None:
        """What was built; ``None`` for nothing. Rows without a field say nothing."""
        made = [(group, self._parts(group)) for group in self.groups]
        filled = [(group, parts) for group, parts in made if parts]
        if not filled:
            return None
        if len(filled) == 1:
            group, parts = filled[0]
            return AnyOf(parts) if group.mode == "any" else All(parts)
        conditions = tuple(
            parts[0] if len(parts) == 1 else (AnyOf(parts) if group.mode == "any" else All(parts))
            for group, parts in filled
        )
        return AnyOf(conditions) if self.mode == "any" else All(conditions)

    def read_raw(self, text: str) -> tuple[Condition | None, list[str]]:
        """A row that the builder cannot take apart, and what is wrong with it."""
        return read_filter(self.here, self.object_key, text)

    def _parts(self, group: FilterGroup) -> tuple[Condition, ...]:
        parts: list[Condition] = []
        for row in group.rows:
            if row.raw:
                condition, _ = self.read_raw(row.raw)
                parts += [condition] if condition is not None else []
            elif row.subject is not None and not row.problem:
                parts.append(Comparison(row.subject.name, row.op, row.operand))
        return tuple(parts)

    def _group(self, args: MultiDict[str, str], number: int) -> FilterGroup:
        rows = _numbers(args, f"g{number}-row")[:MOST_ROWS]
        return FilterGroup(
            number, _mode(args.get(f"g{number}-mode")), [self._row(args, number, row) for row in rows]
        )

    def _row(self, args: MultiDict[str, str], group: int, number: int) -> FilterRow:
        row = FilterRow(f"g{group}-{number}", number)
        raw = args.get(f"{row.name}-raw", "")
        if raw:
            condition, wrong = self.read_raw(raw)
            row.raw = "" if condition is None or wrong else raw
            row.words = in_words(condition, self.subjects, self.context) if condition is not None else ""
            return row
        row.subject = self.subjects.get(args.get(f"{row.name}-field", ""))
        if row.subject is None:
            return row
        asked = args.get(f"{row.name}-op", "")
        row.op = asked if asked in row.subject.operators else row.subject.operators[0]
        self._read(row, args)
        return row

    def _read(self, row: FilterRow, args: MultiDict[str, str]) -> None:
        assert row.subject is not None
        definitions = row.subject.controls(row.op, args.get(f"{row.name}-a"))
        form = form_class("Asked", {each.key: type_of(each).form_field(each) for each in definitions})(
            args, prefix=f"{row.name}-", data={}, context=self.context
        )
        values = []
        for definition in definitions:
            control = form[definition.key]
            problems = [control.problem] if control.problem else []
            if control.problem is None and control.data is None:
                problems = [Problem(NEEDS_A_VALUE, definition.key)]
            row.controls.append(_drawn(control, self.context))
            if problems and not row.problem:
                row.problem = told(problems[0])
            values.append(control.data)
        if len(values) == 1:
            row.operand = tuple(values[0]) if isinstance(values[0], list) else values[0]
        elif values:
            row.operand = tuple(values)

    def _act(self, action: str) -> None:
        """What a button of the builder asked for."""
        verb, _, place = action.partition(":")
        group_text, _, row_text = place.partition(":")
        if verb == "group":
            number = max((group.number for group in self.groups), default=-1) + 1
            self.groups.append(FilterGroup(number, "any", [self._row(MultiDict(), number, 0)]))
        for group in list(self.groups):
            if str(group.number) != group_text:
                continue
            if verb == "row":
                number = max((row.number for row in group.rows), default=-1) + 1
                group.rows.append(self._row(MultiDict(), group.number, number))
            elif verb == "drop":
                group.rows = [row for row in group.rows if str(row.number) != row_text] if row_text else []
                if not group.rows and len(self.groups) > 1:
                    self.groups.remove(group)


def _drawn(control: Any, context: FieldContext) -> FormField:
    definition: FieldDefinition = control.definition
    options = tuple(option.key for option in definition.options) or None
    return FormField(control, FieldState(options=options), context, [], 1)


def _mode(text: str | None) -> str:
    return text if text in MODES else "all"


def _numbers(args: MultiDict[str, str], name: str) -> list[int]:
    return list(dict.fromkeys(int(text) for text in args.getlist(name) if _NUMBER.fullmatch(text)))


def args_of(
    condition: Condition | None, subjects: Mapping[str, Subject], context: FieldContext
) -> MultiDict[str, str]:
    """Form data that the builder reads back as ``condition``."""
    args: MultiDict[str, str] = MultiDict()
    args["mode"] = "any" if isinstance(condition, AnyOf) else "all"
    for number, (mode, parts) in enumerate(_groups(condition)):
        args.add("group", str(number))
        args[f"g{number}-mode"] = mode
        for place, part in enumerate(parts):
            args.add(f"g{number}-row", str(place))
            _put(args, f"g{number}-{place}", part, subjects, context)
    return args


def _groups(condition: Condition | None) -> list[tuple[str, list[Condition]]]:
    if condition is None:
        return []
    if not isinstance(condition, All | AnyOf):
        return [("all", [condition])]
    mode = "any" if isinstance(condition, AnyOf) else "all"
    own = [part for part in condition.parts if not _is_group(part)]
    groups = [(mode, own)] if own else []
    for part in condition.parts:
        if _is_group(part) and isinstance(part, All | AnyOf):
            groups.append(("any" if isinstance(part, AnyOf) else "all", list(part.parts)))
    return groups


def _is_group(part: Condition) -> bool:
    """A group of plain rows; what is nested deeper stays together as one row."""
    return isinstance(part, All | AnyOf) and not any(isinstance(inner, All | AnyOf) for inner in part.parts)


def _put(
    args: MultiDict[str, str],
    name: str,
    part: Condition,
    subjects: Mapping[str, Subject],
    context: FieldContext,
) -> None:
    subject = subjects.get(part.field) if isinstance(part, Comparison) else None
    if subject is None or not isinstance(part, Comparison):
        args[f"{name}-raw"] = json.dumps(to_document(part), ensure_ascii=False)
        return
    op = SAME.get((part.op, subject.kind), part.op)
    if subject.kind.name == "LINK" and subject.definition.options:
        op = {"eq": "in", "ne": "not_in"}.get(op, op)
    value = part.value
    if op in LISTS and not isinstance(value, tuple | list):
        value = (value,)
    if op not in subject.operators or not _fits(op, value):
        args[f"{name}-raw"] = json.dumps(to_document(part), ensure_ascii=False)
        return
    args[f"{name}-field"], args[f"{name}-op"] = subject.name, op
    definitions = subject.controls(op, value)
    if not definitions:
        return
    values = list(value) if op == "between" else [list(value) if op in LISTS else value]
    for definition, one in zip(definitions, values, strict=True):
        typed = type_of(definition).to_form(definition, one, context)
        args.setlist(f"{name}-{definition.key}", typed)


def _fits(op: str, value: Any) -> bool:
    if op == "between":
        return isinstance(value, tuple | list) and len(value) == 2
    return True


def mode_words(mode: str) -> str:
    return gettext("all of these hold") if mode == "all" else gettext("any of these holds")
