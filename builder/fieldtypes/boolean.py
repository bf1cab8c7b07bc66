"""Yes or no; empty is a third state, so that a question can be required."""

from __future__ import annotations

from typing import Any

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import FieldContext, FieldType, InvalidValue, stripped

# Shown in the reader's language by `blueprints.messages`; files hold true and false.
YES, NO = N_("Yes"), N_("No")
WORDS = {"en": (YES, NO), "zh": ("是", "否")}
_YES = frozenset({"true", "yes", "y", "1", "on", "t", "x", "✓", "是", "有", "真", "对"})
_NO = frozenset({"false", "no", "n", "0", "off", "f", "✗", "否", "无", "假", "错"})


class YesNo(FieldType):
    """``true``, ``false`` or absent."""

    key = "yes_no"
    label = Label.of({"en": "Yes or no", "zh_Hans": "是/否"})
    icon = "checkbox"
    kind = Kind.BOOLEAN
    slot = "n"
    widget = "yes_no"

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "boolean"}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        word = stripped(text).casefold()
        if not word:
            return None
        if word in _YES:
            return True
        if word in _NO:
            return False
        raise InvalidValue(N_("“%(value)s” is neither yes nor no."), value=word[:80])

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return [] if value is None else ["true" if value is True else "false"]

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        if value is None:
            return ""
        yes, no = WORDS.get(ctx.locale.partition("_")[0], WORDS["en"])
        return yes if value is True else no

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if value is None else "true" if value is True else "false"
