"""Number that the system gives each record when it is made; files may bring numbers of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from builder.domain import numbering
from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.labels import Label
from builder.errors import N_, Problem
from builder.fieldtypes.base import END, FieldContext, InvalidValue, Objects, stripped
from builder.fieldtypes.text import Text

TOO_LONG = N_("At most %(limit)s characters fit here.")


class AutoNumber(Text):
    """A text given by ``services.numbers`` after ``format``; unique among the records of its object.

    Nobody types it, and it never changes: ``is_assigned``.
    """

    key = "auto_number"
    label = Label.of({"en": "Automatic number", "zh_Hans": "自动编号"})
    icon = "tag"
    widget = "text"
    is_assigned = True

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        return {"x-format": "{year}-{number:5}"}

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"format": document["x-format"], "max_length": numbering.LONGEST}

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        try:
            numbering.parse(definition.params["format"])
        except numbering.FormatError as error:
            yield Problem(error.message_key, "x-format", error.values)

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": numbering.LONGEST,
            "pattern": rf"^[^\u0000-\u001f\u007f]*{END}",
            "readOnly": True,
        }

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        """A number that a file brings."""
        source = stripped(text)
        if len(source) > numbering.LONGEST:
            raise InvalidValue(TOO_LONG, limit=numbering.LONGEST)
        if any(ord(sign) < 32 or ord(sign) == 127 for sign in source):
            raise InvalidValue(N_("This field holds one line only."))
        return source or None
