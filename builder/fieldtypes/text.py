"""Short and long text. Text is stored as it was typed; only comparison and search fold it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from builder.domain.duplicates import TraitKind
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind
from builder.domain.labels import Label
from builder.errors import N_, Problem
from builder.fieldtypes.base import (
    END,
    FILTERABLE_LENGTH,
    FieldContext,
    FieldType,
    InvalidValue,
    storable,
)

LONG_TEXT_LENGTH = 20_000
TOO_LONG_TO_FILTER = N_("A field that can be filtered holds at most %(limit)s characters.")


class Text(FieldType):
    """One line of text of at most ``max_length`` characters (255 unless the definition says otherwise)."""

    key = "text"
    label = Label.of({"en": "Text", "zh_Hans": "单行文本"})
    icon = "letter-case"
    kind = Kind.TEXT
    slot: ClassVar[Literal["t", "n"] | None] = "t"
    widget = "text"
    match_kind: ClassVar[TraitKind | None] = "text"
    longest = FILTERABLE_LENGTH
    pattern = rf"^[^\u0000\n\r]*{END}"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        lengths = {"max_length": int(document.get("maxLength", self.longest))}
        if "minLength" in document:
            lengths["min_length"] = int(document["minLength"])
        return lengths

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        longest = definition.params["max_length"]
        if definition.is_filterable and longest > FILTERABLE_LENGTH:
            yield Problem(TOO_LONG_TO_FILTER, "maxLength", {"limit": FILTERABLE_LENGTH})
        if definition.params.get("min_length", 1) > longest:
            yield Problem(N_("The smallest length is greater than the largest."), "minLength")

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {
            "type": "string",
            "minLength": max(1, definition.params.get("min_length", 1)),
            "maxLength": definition.params["max_length"],
            "pattern": self.pattern,
        }

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        if "\n" in text or "\r" in text:
            raise InvalidValue(N_("This field holds one line only."))
        return None if text.isspace() else storable(text) or None


class LongText(Text):
    """Several lines of text. Line ends of browsers and files (CR LF) become LF."""

    key = "long_text"
    label = Label.of({"en": "Long text", "zh_Hans": "多行文本"})
    icon = "align-left"
    slot = None
    match_kind = None
    widget = "textarea"
    is_wide = True
    longest = LONG_TEXT_LENGTH
    pattern = r"^[^\u0000]*$"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().params(document), "rows": int(document.get("x-rows", 4))}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        unified = storable(text).replace("\r\n", "\n")
        return None if unified.isspace() else unified or None
