"""Form within the form: an object of fields that belong together, like one row of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wtforms.fields.core import UnboundField

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind, is_empty
from builder.domain.labels import Label
from builder.errors import N_, Problem
from builder.fieldtypes.base import FieldContext, FieldType, InvalidValue, Objects, stripped
from builder.fieldtypes.group_input import GroupInput
from builder.fieldtypes.inputs import form_class

DEEPEST = 4
INNER = ("properties", "required", "x-sections")
TOO_DEEP = N_("Forms within forms go at most %(most)s levels deep.")
NO_ROLES_INSIDE = N_("Only fields of the record itself have a part in the process.")
NOT_A_GROUP = N_("“%(value)s” is not a group of fields.")


class Group(FieldType):
    """What forms within the form and addresses share: parts that are fields themselves."""

    is_wide = True
    is_group = True

    def form_field(self, definition: FieldDefinition) -> UnboundField:
        from builder.fieldtypes.registry import type_of  # the registry holds this class

        fields = {part.key: type_of(part).form_field(part) for part in definition.params["parts"]}
        return GroupInput(definition=definition, type=self, part_class=form_class("Parts", fields))

    def in_order(self, definition: FieldDefinition, locale: str) -> tuple[FieldDefinition, ...]:
        """The parts in the order of a form in that language."""
        return definition.inner

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return []

    def pairs(
        self, definition: FieldDefinition, name: str, value: JsonValue, ctx: FieldContext
    ) -> list[tuple[str, str]]:
        from builder.fieldtypes.registry import type_of

        values = value if isinstance(value, Mapping) else {}
        return [
            pair
            for part in definition.params["parts"]
            for pair in type_of(part).pairs(part, f"{name}-{part.key}", values.get(part.key), ctx)
        ]

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else json.dumps(value, ensure_ascii=False)


class SubForm(Group):
    """An object of fields; ``parts`` are their definitions. One that holds nothing is empty."""

    key = "sub_form"
    label = Label.of({"en": "Form within the form", "zh_Hans": "子表单"})
    icon = "list-details"
    kind = Kind.ROWS
    widget = "group"

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        return {"properties": {"part": {"x-type": "text", "x-label": {"en": "Part", "zh_Hans": "内容"}}}}

    def inner_form(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        return {key: document[key] for key in INNER if key in document}

    def with_inner_form(self, document: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
        outside = {key: value for key, value in document.items() if key not in INNER}
        return outside | {key: form[key] for key in INNER if key in form}

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        if _depth(definition) > DEEPEST:
            yield Problem(TOO_DEEP, "properties", {"most": DEEPEST})
        for part in definition.params["parts"]:
            if part.role is not None:
                yield Problem(NO_ROLES_INSIDE, f"properties/{part.key}/x-role")

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        """Keywords of the object itself; ``metadata.record_schema`` adds those of its fields."""
        return {"type": "object", "minProperties": 1}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        """The object as JSON, the form that ``export`` writes."""
        source = stripped(text)
        if not source:
            return None
        try:
            values = json.loads(source)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise InvalidValue(NOT_A_GROUP, value=source[:80])
        return values or None

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """``Days: 30, Discount: 2%``; pages show the fields themselves."""
        from builder.fieldtypes.registry import type_of

        values = value if isinstance(value, Mapping) else {}
        is_chinese = ctx.locale.startswith("zh")
        colon, comma = ("：", "，") if is_chinese else (": ", ", ")
        return comma.join(
            f"{part.label.text(ctx.locale) or part.key}{colon}{text}"
            for part in definition.params["parts"]
            if (text := type_of(part).text(part, values.get(part.key), ctx))
        )


def _depth(definition: FieldDefinition) -> int:
    return 1 + max((_depth(part) for part in definition.inner), default=0) if definition.inner else 0
