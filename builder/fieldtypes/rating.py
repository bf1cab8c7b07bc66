"""Rating: so many stars of the most there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind, is_empty
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import FieldContext, FieldType, InvalidValue, stripped

MOST_STARS = 5
STAR, NO_STAR = "★", "☆"
NOT_A_RATING = N_("“%(value)s” is not a rating from 1 to %(most)s.")
_STARS = re.compile(rf"({STAR}+){NO_STAR}*")
_SHARE = re.compile(r"([0-9]{1,2})(?:\.0+)?(?:\s*/\s*([0-9]{1,2}))?")


class Rating(FieldType):
    """A whole number from 1 to ``most`` (5 unless the definition says otherwise); none is empty, not 0."""

    key = "rating"
    label = Label.of({"en": "Rating", "zh_Hans": "评分"})
    icon = "star"
    kind = Kind.NUMBER
    slot = "n"
    widget = "rating"

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"most": int(document.get("maximum", MOST_STARS))}

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": definition.params["most"]}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        """A number, ``4/5``, or stars. Out of another most than the field's own it is refused."""
        source = stripped(text)
        if not source:
            return None
        most = int(definition.params.get("most", MOST_STARS))
        given = 0
        if found := _STARS.fullmatch(source):
            given = len(found[1]) if len(source) in (len(found[1]), most) else 0
        elif source.isascii() and (found := _SHARE.fullmatch(source)):
            given = int(found[1]) if found[2] is None or int(found[2]) == most else 0
        if not 1 <= given <= most:
            raise InvalidValue(NOT_A_RATING, value=source[:80], most=most)
        return given

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if is_empty(value):
            return ""
        given = int(str(value))
        return STAR * given + NO_STAR * (int(definition.params.get("most", MOST_STARS)) - given)

    def spoken(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else f"{value}/{definition.params.get('most', MOST_STARS)}"
