"""What becomes of stored values when a field gets another type: read as text, and as the new type reads it.

What the new type cannot hold, and what would not come back as it was, is put aside in the data of its record
under a name that no field can have (``size@text``), and comes back when the field is of that type again.
Nothing is ever lost (part 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from builder.domain.fields import FieldDefinition, FieldSet, JsonValue
from builder.domain.kinds import Kind, is_empty
from builder.domain.workspaces import WorkspaceInfo
from builder.errors import N_, Invalid
from builder.fieldtypes.base import FieldContext, InvalidValue
from builder.fieldtypes.registry import type_of

NOT_A_VALUE = N_("“%(value)s” does not fit.")
# What a person reads there says more than what is stored.
_IN_WORDS = (Kind.KEY, Kind.KEYS, Kind.BOOLEAN)


@dataclass(frozen=True)
class Retyping:
    """A field before and after it got another type; ``context``: how its texts are read and written."""

    before: FieldDefinition
    after: FieldDefinition
    context: FieldContext

    @property
    def key(self) -> str:
        return self.after.key

    @property
    def put_aside(self) -> str:
        """The name under which a former value stays in the data of its record."""
        return f"{self.key}@{self.before.type}"

    @property
    def kept(self) -> str:
        """The name under which values of the new type were put aside once."""
        return f"{self.key}@{self.after.type}"

    @cached_property
    def back(self) -> Retyping:
        return replace(self, before=self.after, after=self.before)

    @cached_property
    def _validator(self) -> Draft202012Validator:
        schema = type_of(self.after).schema(self.after)
        return Draft202012Validator(schema, format_checker=FormatChecker(("date", "date-time")))

    def text(self, value: JsonValue) -> str:
        """A former value as text."""
        kind = type_of(self.before)
        if kind.kind in _IN_WORDS:
            return kind.text(self.before, value, self.context)
        return kind.export(self.before, value, self.context)

    def converted(self, value: JsonValue) -> JsonValue:
        """A former value as one of the new type. Errors: InvalidValue when there is none."""
        try:
            text = self.text(value)
        except (TypeError, ValueError, ArithmeticError, Invalid):  # stored in a shape that it never had
            raise InvalidValue(NOT_A_VALUE, value=str(value)[:80]) from None
        found = type_of(self.after).parse(self.after, text, self.context)
        if found is None or not self._validator.is_valid(found):
            raise InvalidValue(NOT_A_VALUE, value=text[:80])
        return found

    def applied(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data of a record afterwards: converted, put aside, or back as it was."""
        result = dict(data)
        value, former = result.pop(self.key, None), result.get(self.kept)
        if former is not None and self._is_untouched(former, value):
            del result[self.kept]
            result[self.key] = former
        elif not is_empty(value):
            found = self._or_nothing(value)
            if found is not None:
                result[self.key] = found
            if found is None or self.back._or_nothing(found) != value:
                result[self.put_aside] = value
        return result

    def _is_untouched(self, former: JsonValue, value: JsonValue) -> bool:
        """Whether what was put aside still is what it was put aside for: nobody gave another value since."""
        return self.back._or_nothing(former) == value

    def _or_nothing(self, value: JsonValue) -> JsonValue:
        try:
            return self.converted(value)
        except InvalidValue:
            return None


def reading(workspace: WorkspaceInfo, now: datetime) -> FieldContext:
    """How texts are read and written where no person is asked: as the workspace is set up."""
    return FieldContext(
        locale=workspace.locale, time_zone=workspace.time_zone, currency=workspace.currency, now=now
    )


def retypings(before: FieldSet, after: FieldSet, context: FieldContext) -> Iterator[Retyping]:
    """The fields of an object that get another type."""
    for definition in after:
        former = before.by_key.get(definition.key)
        if former is not None and former.type != definition.type:
            yield Retyping(former, definition, context)
