"""Single and multiple choice: coloured, ordered options; a retired option stays on old records only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import Kind, fold, is_empty
from builder.domain.labels import Label
from builder.errors import N_, Problem
from builder.fieldtypes.base import SLOT_LENGTH, FieldContext, FieldType, InvalidValue, Objects, stripped

NOT_AN_OPTION = N_("“%(value)s” is not one of the options.")
NO_OPTIONS = N_("A choice needs at least one option that is not retired.")
DUPLICATE_OPTION = N_("The option “%(option)s” stands there twice.")
SEPARATORS = ("\n", ";", "；", "|")


def active_keys(definition: FieldDefinition) -> list[str]:
    """Keys of the options that are offered, in their order."""
    return [option.key for option in definition.options if not option.is_retired]


def _starting_options() -> dict[str, Any]:
    first = {"key": "first", "label": {"en": "First option", "zh_Hans": "选项一"}}
    second = {"key": "second", "label": {"en": "Second option", "zh_Hans": "选项二"}}
    return {"x-options": [first, second]}


def _check_options(definition: FieldDefinition) -> Iterator[Problem]:
    if not active_keys(definition):
        yield Problem(NO_OPTIONS, "x-options")
    seen: set[str] = set()
    for position, option in enumerate(definition.options):
        if option.key in seen:
            yield Problem(DUPLICATE_OPTION, f"x-options/{position}/key", {"option": option.key})
        seen.add(option.key)


def option_key(definition: FieldDefinition, text: str) -> str:
    """The key of the option that ``text`` names: by key, else by its label in any language, case-folded.

    Errors: InvalidValue when there is none.
    """
    if definition.option(text):
        return text
    wanted = fold(text)
    for option in definition.options:
        names = (option.key, *(label for _, label in option.label.translations))
        if any(fold(name) == wanted for name in names):
            return option.key
    raise InvalidValue(NOT_AN_OPTION, value=text[:80])


def option_texts(text: str) -> list[str]:
    """The texts of several options in one: “red; blue”; without those that are empty."""
    parts = [text]
    for mark in SEPARATORS:
        parts = [piece for part in parts for piece in part.split(mark)]
    return [piece for part in parts if (piece := stripped(part))]


def meant_options(text: str, meant: Mapping[str, str]) -> str:
    """Several options in one text, each replaced by what it means; those without a meaning as they stand."""
    return SEPARATORS[0].join(meant.get(part, part) for part in option_texts(text))


class Choice(FieldType):
    """One option of a list, stored by its key."""

    key = "choice"
    label = Label.of({"en": "Choice", "zh_Hans": "单选"})
    icon = "circle-dot"
    kind = Kind.KEY
    slot = "t"
    widget = "choice"

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        return _starting_options()

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"layout": document.get("x-layout", "select")}

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        yield from _check_options(definition)

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        return {"type": "string", "enum": active_keys(definition)}

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        source = stripped(text)
        return option_key(definition, source) if source else None

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return _label(definition, str(value), ctx) if not is_empty(value) else ""


class Choices(FieldType):
    """Several options of a list: a list of keys, each once, in the order of the definition."""

    key = "choices"
    label = Label.of({"en": "Multiple choice", "zh_Hans": "多选"})
    icon = "list-check"
    kind = Kind.KEYS
    slot = "t"
    widget = "choices"
    takes_many = True

    def starting(self, object_key: str, objects: Objects) -> dict[str, Any]:
        return _starting_options()

    def params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {"max_items": int(document["maxItems"])} if "maxItems" in document else {}

    def check(self, definition: FieldDefinition) -> Iterator[Problem]:
        yield from _check_options(definition)
        lengths = sorted((len(option.key) + 1 for option in definition.options), reverse=True)
        if definition.is_filterable and sum(lengths[: definition.params.get("max_items")]) >= SLOT_LENGTH:
            yield Problem(
                N_("So many options cannot be filtered together; limit how many may be chosen."), "maxItems"
            )

    def schema(self, definition: FieldDefinition) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "array",
            "items": {"type": "string", "enum": active_keys(definition)},
            "uniqueItems": True,
            "minItems": 1,
        }
        if "max_items" in definition.params:
            schema["maxItems"] = definition.params["max_items"]
        return schema

    def from_form(self, definition: FieldDefinition, typed: Sequence[str], ctx: FieldContext) -> JsonValue:
        keys = {option_key(definition, stripped(text)) for text in typed if stripped(text)}
        return [option.key for option in definition.options if option.key in keys] or None

    def to_form(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> list[str]:
        return [str(key) for key in value] if isinstance(value, list) else []

    def parse(self, definition: FieldDefinition, text: str, ctx: FieldContext) -> JsonValue:
        return self.from_form(definition, option_texts(text), ctx)

    def text(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        mark = "、" if ctx.locale.startswith("zh") else ", "
        return mark.join(_label(definition, key, ctx) for key in self.to_form(definition, value, ctx))

    def export(self, definition: FieldDefinition, value: JsonValue, ctx: FieldContext) -> str:
        return ";".join(self.to_form(definition, value, ctx))


def _label(definition: FieldDefinition, key: str, ctx: FieldContext) -> str:
    option = definition.option(key)
    return option.label.text(ctx.locale) if option else key
