"""Files and images of a record. The value says which stored file it is, and what is told of it.

The bytes are in the blob store; ``services.files`` takes them in, and decides who may attach and read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from babel.numbers import format_decimal

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import END, FieldContext, FieldType, InvalidValue, babel_locale
from builder.fieldtypes.reference import ID_PATTERN

MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 20
NAME_LENGTH = 255
REMOVED = "-"
NO_FILE = N_("This file is not stored. Choose it again.")
NOT_TYPED = N_("A file is chosen, not typed.")
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class File(FieldType):
    """One file: ``{"id", "name", "media_type", "size"}``, the type as its bytes tell, the size in bytes."""

    key = "file"
    label = Label.of({"en": "File", "zh_Hans": "文件"})
    icon = "paperclip"
    kind = Kind.ROWS
    widget = "file"
    takes_many = True
    is_file = True

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "limit": int(document.get("x-max-megabytes", MOST_MEGABYTES)) * MEGABYTE,
            "accept": tuple(document.get("x-media-types", ())),
        }

    def accepts(self, definition: FieldDefinition, media_type: str) -> bool:
        """Whether a file of this type may stand in the field."""
        accepted = definition.params["accept"]
        return not accepted or media_type in accepted or f"{media_type.partition('/')[0]}/*" in accepted

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "id": {"type": "string", "pattern": ID_PATTERN},
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": NAME_LENGTH,
                    "pattern": rf"^[^\u0000-\u001f\u007f/\\]*{END}",
                },
                "media_type": self._media_schema(),
                "size": {"type": "integer", "minimum": 0, "maximum": 10**12},
            },
            "required": ["id", "name", "media_type", "size"],
            "additionalProperties": False,
        }

    def _media_schema(self) -> dict[str, Any]:
        pattern = rf"^[a-z]{{1,20}}/[a-z0-9][a-z0-9.+-]{{0,99}}{END}"
        return {"type": "string", "pattern": pattern}

    def from_form(self, definition: FieldDefinition, typed: Sequence[str], ctx: FieldContext) -> JsonValue:
        """The control sends the id of a file that was taken in; a mark after it takes the file away."""
        ids = _ids(typed)
        if not ids or REMOVED in typed:
            return None
        facts = ctx.find_file(ids[-1]) if ctx.find_file else None
        if facts is None:
            raise InvalidValue(NO_FILE)
        return dict(facts)

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return [str(value["id"])] if isinstance(value, dict) and value else []

    def is_same(
        self, definition: FieldDefinition, value: JsonValue, typed: Sequence[str], ctx: FieldContext
    ) -> bool:
        return REMOVED not in typed and _ids(typed) == self.to_form(definition, value, ctx)

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        if not text.strip():
            return None
        raise InvalidValue(NOT_TYPED)

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return str(value.get("name", "")) if isinstance(value, dict) else ""

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """Its name: files themselves do not travel in tables."""
        return self.text(definition, value, ctx)

    def long_text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        """With its size."""
        if not isinstance(value, dict):
            return ""
        return f"{value.get('name', '')} ({size_text(int(value.get('size', 0)), ctx.locale)})"


class Image(File):
    """A picture that browsers show: PNG, JPEG, GIF or WebP by its bytes."""

    key = "image"
    label = Label.of({"en": "Image", "zh_Hans": "图片"})
    icon = "eye"

    def accepts(self, definition: FieldDefinition, media_type: str) -> bool:
        return media_type in PICTURES

    def _media_schema(self) -> dict[str, Any]:
        return {"enum": list(PICTURES)}


def _ids(typed: Sequence[str]) -> list[str]:
    """Without what browsers write for a file itself, where a form is not sent as multipart."""
    return [text for text in typed if text.isascii() and text.isdecimal()]


def size_text(size: int, locale: str) -> str:
    """``1.2 MB``: with one decimal below ten."""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1024, larger
    shape = "#,##0.#" if number < 10 and unit != "B" else "#,##0"
    return f"{format_decimal(number, format=shape, locale=babel_locale(locale))} {unit}"
