"""References to records and to members of the workspace: an id as decimal text.

Whether the record or member exists is no matter of a schema; whoever saves asks the database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind, fold, is_empty
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.base import (
    END,
    Candidate,
    FieldContext,
    FieldType,
    InvalidValue,
    Objects,
    no_start,
    stripped,
)

ID_PATTERN = rf"^[1-9][0-9]{{0,18}}{END}"
NOTHING_FOUND = N_("Nothing is called “%(value)s”.")
SEVERAL_FOUND = N_("Several are called “%(value)s”. Choose one.")
_ID = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST_ID = 2**63 - 1
ME = "me"


class SeveralFound(InvalidValue):
    """A typed name means several things, or only resembles some: ``candidates`` to choose from."""

    def __init__(self, message_key: str, candidates: Sequence[Candidate], **values: Any) -> None:
        super().__init__(message_key, **values)
        self.candidates = tuple(candidates)


def only_match(text: str, found: Sequence[Candidate]) -> str:
    """The id of the one candidate whose name is ``text`` (case-folded).

    Errors: InvalidValue when nothing was found, SeveralFound when the person must choose.
    """
    exact = [candidate for candidate in found if fold(candidate.name) == fold(text)]
    if len(exact) == 1:
        return exact[0].id
    if not found:
        raise InvalidValue(NOTHING_FOUND, value=text[:80])
    raise SeveralFound(SEVERAL_FOUND, exact or found, value=text[:80])


class Pointer(FieldType):
    """What references and users share. Their control submits an id, then the name shown, then the name typed.

    Without JavaScript only the typed name changes: it is looked up, and the candidates are offered.
    """

    slot = "t"
    takes_many = True
    names: ClassVar[str]

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "pattern": ID_PATTERN}

    def find(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> Sequence[Candidate]:
        """Candidates for a typed name."""
        raise NotImplementedError

    def name(self, value: JsonValue, ctx: FieldContext) -> str | None:
        """The name behind an id, if the page knows it."""
        known: Mapping[str, str] = getattr(ctx, self.names)
        return known.get(str(value))

    def from_form(self, definition: FieldDefinition, typed: Sequence[str], ctx: FieldContext) -> JsonValue:
        *identifiers, shown, text = typed if len(typed) > 1 else [*typed, "", ""]
        source = stripped(identifiers[-1]) if identifiers else ""
        if text.strip() != shown.strip() or (not source and text.strip()):
            return self.parse(definition, text, ctx)
        if not source:
            return None
        if not _ID.fullmatch(source) or int(source) > _LARGEST_ID:
            raise InvalidValue(NOTHING_FOUND, value=source[:80])
        return source

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        if is_empty(value):
            return []
        name = self.text(definition, value, ctx)
        return [str(value), name, name]

    def is_same(
        self, definition: FieldDefinition, value: JsonValue, typed: Sequence[str], ctx: FieldContext
    ) -> bool:
        """By the id: the name need not be read for it."""
        if is_empty(value) or not typed:
            return is_empty(value) and not typed
        if len(typed) == 1:
            return typed[0] == str(value)
        return typed[-1].strip() == typed[-2].strip() and list(typed[-3:-2]) == [str(value)]

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        if not source:
            return None
        return only_match(source, self.find(definition, source, ctx))

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else self.name(value, ctx) or f"#{value}"

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return "" if is_empty(value) else self.name(value, ctx) or str(value)


class Reference(Pointer):
    """A record of the object ``params["target"]``."""

    key = "reference"
    label = Label.of({"en": "Reference to a record", "zh_Hans": "关联记录"})
    icon = "arrow-up-right"
    kind = Kind.LINK
    widget = "reference"
    names = "record_names"

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        if not objects:
            raise no_start(N_("There is no object yet that a field could refer to. Publish one first."))
        return {"x-target": next((key for key in objects if key != object_key), object_key)}

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"target": document["x-target"]}

    def find(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> Sequence[Candidate]:
        return ctx.find_records(definition.params["target"], text) if ctx.find_records else ()


class User(Pointer):
    """A member of the workspace. The default ``me`` is the reader."""

    key = "user"
    label = Label.of({"en": "User", "zh_Hans": "人员"})
    icon = "user"
    kind = Kind.PERSON
    default_word = ME
    widget = "user"
    names = "member_names"

    def find(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> Sequence[Candidate]:
        if ctx.members is not None:
            return [member for member in ctx.members if fold(text) in fold(member.name)]
        return ctx.find_members(text) if ctx.find_members else ()

    def name(self, value: JsonValue, ctx: FieldContext) -> str | None:
        listed = (member.name for member in ctx.members or () if member.id == value)
        return next(listed, None) or super().name(value, ctx)

    def default(self, definition: FieldDefinition, ctx: FieldContext) -> JsonValue:
        return ctx.member_id if definition.default == ME else definition.default
