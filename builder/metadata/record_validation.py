"""The verdict on the data of a record: the stored schema decides, our words say what is wrong.

Validators are built once per checksum and process. Data that is right is passed by jsonschema-rs (about a
microsecond a field); for anything else jsonschema finds what is wrong, and it has the last word. Property
tests hold the two equal on every field type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from builder.domain.fields import FieldDefinition, FieldSet, JsonValue
from builder.domain.kinds import ConditionError, is_empty
from builder.errors import N_, Problem
from builder.fieldtypes.base import SLOT_LENGTH, UNSTORABLE, is_unicode
from builder.fieldtypes.registry import type_of
from builder.metadata.cache import ProcessCache
from builder.metadata.grammar import pointer

REQUIRED = N_("Please fill in this field.")
UNKNOWN = N_("There is no field “%(field)s”.")
WRONG_TYPE = N_("This is not a value that the field can hold.")
MUST_BE_EMPTY = N_("This field is hidden and must be empty.")
NOT_AN_OPTION = N_("“%(value)s” is not one of the options.")
TOO_SHORT = N_("At least %(limit)s characters are needed.")
TOO_LONG = N_("At most %(limit)s characters fit here.")
TOO_SMALL = N_("The smallest value is %(limit)s.")
TOO_GREAT = N_("The largest value is %(limit)s.")
TOO_FEW = N_("At least %(limit)s entries are needed.")
TOO_MANY = N_("At most %(limit)s entries are possible.")
TWICE = N_("An entry stands here twice.")
TOO_LONG_TO_FILTER = N_("This text is too long for a field that can be filtered.")
NOT_A_DATE = N_("“%(value)s” is not a date that exists.")

# Text of no more characters fits its slot however it is folded.
_SHORT = SLOT_LENGTH // 4

# What a value that does not fit the pattern of its type is told.
_PATTERN_MESSAGES = {
    "text": N_("This field holds one line of text without control characters."),
    "long_text": UNSTORABLE,
    "decimal": N_("“%(value)s” is not a number that fits this field."),
    "percent": N_("“%(value)s” is not a percentage that fits this field."),
    "money": N_("“%(value)s” is not an amount that fits this field and its currency."),
    "formula": N_("“%(value)s” is not a number that fits this field."),
    "date": NOT_A_DATE,
    "datetime": NOT_A_DATE,
    "email": N_("“%(value)s” is not an e-mail address."),
    "phone": N_("“%(value)s” is not a phone number with its country code."),
    "url": N_("“%(value)s” is not a web address. It begins with https:// or http://."),
    "user": N_("“%(value)s” is not the id of a member."),
    "reference": N_("“%(value)s” is not the id of a record."),
}
_LIMIT_MESSAGES = {
    "minLength": TOO_SHORT,
    "maxLength": TOO_LONG,
    "minimum": TOO_SMALL,
    "maximum": TOO_GREAT,
    "minItems": TOO_FEW,
    "maxItems": TOO_MANY,
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a value.

    ``pointer`` is its JSON pointer in the data (``/lines/0/price``), ``field`` the key of the field (of the
    table for a cell), ``message`` a message key with ``values``. ``is_old``: the value was already so
    before this save; it warns, and blocks only when the record moves.
    """

    pointer: str
    field: str
    message: str
    values: dict[str, Any] = dataclass_field(default_factory=dict)
    is_old: bool = False

    @property
    def problem(self) -> Problem:
        return Problem(self.message, self.pointer.removeprefix("/"), self.values)


_validators: ProcessCache[str, Draft202012Validator] = ProcessCache(1024)
_quick_validators: ProcessCache[str, jsonschema_rs.Draft202012Validator] = ProcessCache(1024)


def validator(fieldset: FieldSet) -> Draft202012Validator:
    """The validator of the stored schema, built once per checksum."""
    return _validators.get(
        fieldset.checksum,
        lambda: Draft202012Validator(
            dict(fieldset.schema), format_checker=FormatChecker(("date", "date-time"))
        ),
    )


def validate(
    fieldset: FieldSet, data: Mapping[str, JsonValue], before: Mapping[str, JsonValue] | None = None
) -> list[FieldError]:
    """Everything wrong with the data of a record, at most one error a value, in the order of the fields.

    ``data`` holds no empty values. ``before`` is the data as stored until now: errors in fields that are
    equal in both are marked ``is_old``, and an option that was retired since is then no error at all.
    """
    if _is_plain(data) and _is_right(fieldset, data):
        return []
    found: dict[str, FieldError] = {}
    for error in [*_unstorable(fieldset, data), *_schema_errors(fieldset, data)]:
        is_old = before is not None and error.field in before and before[error.field] == data.get(error.field)
        is_old = is_old or (before is not None and error.field not in before and error.field not in data)
        if is_old and _is_retired_option(fieldset, error, data):
            continue
        marked = FieldError(error.pointer, error.field, error.message, error.values, is_old)
        found.setdefault(error.pointer, marked)
    places = {definition.key: position for position, definition in enumerate(fieldset)}
    return sorted(found.values(), key=lambda error: (places.get(error.field, len(places)), error.pointer))


def _is_plain(data: Mapping[str, JsonValue]) -> bool:
    """Whether ``_unstorable`` can find nothing that the quick validator would let pass."""
    for value in data.values():
        if value.__class__ is str:
            if len(value) > _SHORT or "\x00" in value:
                return False
        elif not isinstance(value, int):
            return False
    return True


def _unstorable(fieldset: FieldSet, data: Mapping[str, JsonValue]) -> Iterator[FieldError]:
    """What a schema cannot see: half surrogates, and text that grows beyond its slot when folded."""
    for key, value in data.items():
        if not isinstance(key, str) or not is_unicode(key):
            yield FieldError("", "", UNKNOWN, {"field": "?"})
        elif not _is_storable(value):
            yield FieldError(pointer(key), key, UNSTORABLE)
        elif isinstance(value, dict) or (isinstance(value, str) and len(value) > _SHORT):
            definition = fieldset.by_key.get(key)
            slot = definition and definition.slot
            if definition and slot and slot[0] == "t" and _outgrows_slot(definition, value):
                yield FieldError(pointer(key), key, TOO_LONG_TO_FILTER)


def _outgrows_slot(definition: FieldDefinition, value: JsonValue) -> bool:
    try:
        return len(str(type_of(definition).slot_value(value))) > SLOT_LENGTH
    except ConditionError:  # of another shape, which the schema tells
        return False


def _is_storable(value: JsonValue) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and is_unicode(value)
    if isinstance(value, Mapping):
        return all(_is_storable(key) and _is_storable(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_is_storable(inner) for inner in value)
    return True


def _is_right(fieldset: FieldSet, data: Mapping[str, JsonValue]) -> bool:
    """Whether the quick validator accepts the data; ``False`` also when it cannot read them."""
    quick = _quick_validators.get(
        fieldset.checksum,
        lambda: jsonschema_rs.Draft202012Validator(dict(fieldset.schema), validate_formats=True),
    )
    try:
        return bool(quick.is_valid(dict(data)))
    except ValueError:  # half surrogates, NaN, what is no JSON at all: the other validator says what
        return False


def _schema_errors(fieldset: FieldSet, data: Mapping[str, JsonValue]) -> Iterator[FieldError]:
    if _is_right(fieldset, data):
        return
    for error in validator(fieldset).iter_errors(dict(data)):
        yield from _told(fieldset, error)


def _told(fieldset: FieldSet, error: ValidationError) -> Iterator[FieldError]:
    """Our words for one finding of the validator; ``required`` and unknown keys name their field."""
    path = tuple(error.absolute_path)
    if error.validator == "required":
        missing = (key for key in error.validator_value if key not in error.instance)
        # jsonschema reports each missing key by itself; its message is the only place that names it.
        key = next((key for key in missing if error.message.startswith(repr(key))), "")
        yield _error((*path, key), REQUIRED, {})
    elif error.validator == "additionalProperties":
        for key in error.instance:
            if key not in error.schema.get("properties", {}):
                yield _error((*path, key), UNKNOWN, {"field": key[:63]})
    elif error.validator == "not":
        yield _error(path, MUST_BE_EMPTY, {})
    else:
        message, values = _message(_definition(fieldset, path), error)
        yield _error(path, message, values)


def _error(path: tuple[str | int, ...], message: str, values: dict[str, Any]) -> FieldError:
    return FieldError(pointer(*path), str(path[0]) if path else "", message, values)


def _message(definition: FieldDefinition | None, error: ValidationError) -> tuple[str, dict[str, Any]]:
    keyword = str(error.validator)
    value = error.instance if isinstance(error.instance, str | int) else ""
    if keyword == "enum":
        return NOT_AN_OPTION, {"value": _option_label(definition, value)}
    if keyword in _LIMIT_MESSAGES and error.validator_value == 1 and keyword in ("minLength", "minItems"):
        return REQUIRED, {}
    if keyword in _LIMIT_MESSAGES:
        return _LIMIT_MESSAGES[keyword], {"limit": error.validator_value}
    if keyword in ("pattern", "format") and definition and definition.type in _PATTERN_MESSAGES:
        return _PATTERN_MESSAGES[definition.type], {"value": str(value)[:80]}
    if keyword == "uniqueItems":
        return TWICE, {}
    return WRONG_TYPE, {}


def _option_label(definition: FieldDefinition | None, value: object) -> Any:
    """The label of a known option (translated at the edge), else the text itself, shortened."""
    option = definition.option(str(value)) if definition else None
    return option.label if option else str(value)[:80]


def _definition(fieldset: FieldSet, path: tuple[str | int, ...]) -> FieldDefinition | None:
    definition = fieldset.by_key.get(str(path[0])) if path else None
    for step in path[1:]:
        if definition is not None and definition.inner and isinstance(step, str):
            definition = next((part for part in definition.inner if part.key == step), None)
    return definition


def _is_retired_option(fieldset: FieldSet, error: FieldError, data: Mapping[str, JsonValue]) -> bool:
    definition = fieldset.by_key.get(error.field)
    if error.message != NOT_AN_OPTION or definition is None:
        return False
    value = data.get(error.field)
    keys = value if isinstance(value, list) else [value]
    options = [definition.option(str(key)) for key in keys]
    return all(options) and not is_empty(value)
