"""The control of a group of fields (form within the form, address): a form of its own under one name.

Names are ``terms-days`` for the field ``days`` of the group ``terms``; groups may hold groups and tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from builder.domain.computation import compute
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import is_empty
from builder.errors import Problem
from builder.fieldtypes.base import FieldType
from builder.fieldtypes.inputs import FieldForm, ValueInput


class GroupInput(ValueInput):
    """``inner`` is the form of the parts, ``data`` the JSON object; one without any value is empty."""

    def __init__(
        self, *, definition: FieldDefinition, type: FieldType, part_class: type[FieldForm], **kwargs: Any
    ) -> None:
        super().__init__(definition=definition, type=type, **kwargs)
        self.part_class = part_class
        self.parts: tuple[FieldDefinition, ...] = definition.params["parts"]
        self.inner: Any = None

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors = []
        self.problem = None
        self.object_data = data
        before = data if isinstance(data, Mapping) else {}
        self.inner = self.part_class(formdata, prefix=f"{self.name}-", data=before, context=self.meta.context)
        self.is_submitted = any(part.is_submitted for part in self.inner)
        self.data = self._gathered(before) or None if self.is_submitted else data

    def _gathered(self, before: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Parts that are on the page from the page, all others as they were; formulas anew."""
        values = {key: value for key, value in before.items() if not is_empty(value)}
        for definition in self.parts:
            part = self.inner[definition.key]
            if definition.is_read_only or not part.is_submitted:
                continue
            values.pop(definition.key, None)
            if not is_empty(part.data):
                values[definition.key] = part.data
        if set(values) <= {part.key for part in self.parts if part.type == "formula"}:
            return {}
        return compute(self.parts, values)

    def anchor(self, place: Sequence[str]) -> str:
        inside = bool(place) and place[0] in self.inner
        return str(self.inner[place[0]].anchor(place[1:])) if inside else super().anchor(place)

    def show_computed(self, value: JsonValue) -> None:
        held = value if isinstance(value, Mapping) else {}
        for definition in self.parts:
            part = self.inner[definition.key]
            if definition.type == "formula":
                part.data = held.get(definition.key)
            part.show_computed(held.get(definition.key))

    @property
    def problems(self) -> list[Problem]:
        """What could not be read in the parts; places begin with the key of this field."""
        return [
            replace(problem, place=f"{self.definition.key}/{problem.place}")
            for part in self.inner
            for problem in part.unread
        ]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [pair for part in self.inner for pair in part.pairs]
