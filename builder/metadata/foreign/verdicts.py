"""The verdict on data under a schema of others, with words for people.

jsonschema decides; regular expressions are bounded (``patterns``), and so is the time of one verdict: a
recursive schema may ask for more work than its data are long.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from builder.errors import N_, Invalid
from builder.metadata.complaints import TYPES
from builder.metadata.foreign.evaluated import unevaluated_properties
from builder.metadata.foreign.patterns import search
from builder.metadata.record_validation import (
    REQUIRED,
    TOO_FEW,
    TOO_GREAT,
    TOO_LONG,
    TOO_MANY,
    TOO_SHORT,
    TOO_SMALL,
    TWICE,
)

Path: TypeAlias = "tuple[str | int, ...]"

SECONDS = 2.0
QUESTIONS = 6.0
MAX_ERRORS = 200

TOO_SLOW = N_("Checking these data takes too long. The schema leads to too many comparisons.")
NOT_ONE_OF = N_("This is none of the values that are possible here.")
NOT_THE_CONSTANT = N_("This must be “%(expected)s”.")
NOT_MORE_THAN = N_("This must be more than %(limit)s.")
NOT_LESS_THAN = N_("This must be less than %(limit)s.")
NOT_A_MULTIPLE = N_("This must be a multiple of %(limit)s.")
BAD_PATTERN = N_("This does not have the form that is asked for: %(pattern)s")
BAD_FORMAT = N_("This is not of the form “%(format)s”.")
UNKNOWN_NAME = N_("“%(name)s” is not possible here. Remove it.")
BAD_NAME = N_("“%(name)s” cannot be a name here.")
NEEDS = N_("Because “%(name)s” is filled in, “%(other)s” is needed too.")
FITS_NONE = N_("This fits none of the alternatives.")
FITS_SEVERAL = N_("This fits several alternatives, but only one may fit.")
TOO_FEW_NAMES = N_("At least %(limit)s entries are needed here.")
TOO_MANY_NAMES = N_("At most %(limit)s entries are possible here.")
CONTAINS = N_("Too few or too many entries here are of the kind that is asked for.")
NOTHING_POSSIBLE = N_("Nothing is possible here. Remove the value.")
NOT_POSSIBLE = N_("This value is not possible here.")
NULL = N_("This must be empty (null).")


@dataclass(frozen=True, slots=True)
class DataError:
    """One thing wrong: where in the data (``path``), by which ``keyword``, and in words.

    For a missing name and for one that is not possible, ``path`` ends in that name. ``alternatives``: for
    ``anyOf`` and ``oneOf``, what each alternative says.
    """

    path: Path
    keyword: str
    message: str
    values: dict[str, Any] = dataclass_field(default_factory=dict)
    alternatives: Mapping[int, tuple[DataError, ...]] = dataclass_field(default_factory=dict)


class _TooSlow(Exception):
    """The time for one verdict is over."""


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not search(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, inner in patterns.items():
        for name, value in instance.items():
            if search(pattern, name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, inner: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in schema.get("properties", {}) or any(search(each, name) for each in patterns):
            continue
        if inner is False:
            yield ValidationError(f"{name!r} is not possible", path=[name])
        else:
            yield from validator.descend(value, inner, path=name)


def _ref(validator: Any, ref: str, instance: Any, schema: Any) -> Any:
    """References are what makes work grow beyond the document: each asks for the time."""
    if time.monotonic() > _deadline(validator):
        raise _TooSlow
    yield from Draft202012Validator.VALIDATORS["$ref"](validator, ref, instance, schema)


def _deadline(validator: Any) -> float:
    clock: _Clock = validator.format_checker
    return clock.deadline


class _Clock(FormatChecker):  # type: ignore[misc]
    """The format checker that goes with a validator everywhere, and so can tell it the time."""

    def __init__(self) -> None:
        super().__init__(Draft202012Validator.FORMAT_CHECKER.checkers)
        self.deadline = float("inf")


_Bounded: Any = extend(
    Draft202012Validator,
    {
        "$ref": _ref,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": unevaluated_properties,
    },
)


class Verdicts:
    """The validator of one rewritten schema, for one request.

    Its clock starts with it: building a form asks very many small questions, which share ``QUESTIONS``
    seconds; the list of errors has ``SECONDS`` of its own.
    """

    def __init__(self, schema: Any) -> None:
        self._clock = _Clock()
        self._clock.deadline = time.monotonic() + QUESTIONS
        self._validator = _Bounded(schema, format_checker=self._clock)

    def is_valid(self, data: Any, schema: Any = None) -> bool:
        """Whether ``data`` satisfy the document, or ``schema``, which is a part of it.

        Errors: Invalid when that takes too long.
        """
        validator = self._validator if schema is None else self._validator.evolve(schema=schema)
        try:
            return bool(validator.is_valid(data))
        except _TooSlow as error:
            raise Invalid(TOO_SLOW) from error

    def errors(self, data: Any) -> list[DataError]:
        """Everything wrong with the data, at most ``MAX_ERRORS``; ordered by place. Errors: as above."""
        self._clock.deadline = time.monotonic() + SECONDS
        found: list[DataError] = []
        try:
            for error in self._validator.iter_errors(data):
                found.extend(_told(error))
                if len(found) >= MAX_ERRORS:
                    break
        except _TooSlow as error:
            raise Invalid(TOO_SLOW) from error
        return sorted(found, key=lambda each: [str(step) for step in each.path])


_LIMITS = {
    "minLength": TOO_SHORT,
    "maxLength": TOO_LONG,
    "minimum": TOO_SMALL,
    "maximum": TOO_GREAT,
    "minItems": TOO_FEW,
    "maxItems": TOO_MANY,
    "exclusiveMinimum": NOT_MORE_THAN,
    "exclusiveMaximum": NOT_LESS_THAN,
    "multipleOf": NOT_A_MULTIPLE,
    "minProperties": TOO_FEW_NAMES,
    "maxProperties": TOO_MANY_NAMES,
}
_PLAIN = {
    "enum": NOT_ONE_OF,
    "uniqueItems": TWICE,
    "contains": CONTAINS,
    "minContains": CONTAINS,
    "maxContains": CONTAINS,
    "unevaluatedItems": TOO_MANY,
    "None": NOTHING_POSSIBLE,
}


def _told(error: ValidationError) -> list[DataError]:
    path, keyword, rule = tuple(error.absolute_path), str(error.validator), error.validator_value
    if keyword in ("anyOf", "oneOf"):
        return [_about_alternatives(error, path, keyword)]
    if keyword == "required":
        return [DataError((*path, name), keyword, REQUIRED) for name in _missing(error)]
    if keyword == "dependentRequired":
        return [
            DataError((*path, other), keyword, NEEDS, {"name": name, "other": other})
            for name, others in rule.items()
            if name in error.instance
            for other in others
            if other not in error.instance and repr(other) in error.message
        ]
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        # Ours: one error a name, which the path ends in.
        return [DataError(path, keyword, UNKNOWN_NAME, {"name": _short(path[-1])})]
    if "propertyNames" in error.absolute_schema_path:
        return [DataError(path, "propertyNames", BAD_NAME, {"name": _short(error.instance)})]
    if keyword in _LIMITS:
        return [DataError(path, keyword, _LIMITS[keyword], {"limit": rule})]
    return [DataError(path, keyword, *_in_words(keyword, rule))]


def _in_words(keyword: str, rule: Any) -> tuple[str, dict[str, Any]]:
    if keyword == "type":
        names = [rule] if isinstance(rule, str) else list(rule)
        known = [TYPES[name] for name in names if name in TYPES]
        return (known[0] if len(names) == 1 and known else NULL if names == ["null"] else NOT_POSSIBLE), {}
    if keyword == "const":
        return NOT_THE_CONSTANT, {"expected": _short(rule)}
    if keyword == "pattern":
        return BAD_PATTERN, {"pattern": _short(rule)}
    if keyword == "format":
        return BAD_FORMAT, {"format": _short(rule)}
    return _PLAIN.get(keyword, NOT_POSSIBLE), {}


def _about_alternatives(error: ValidationError, path: Path, keyword: str) -> DataError:
    inside: dict[int, list[DataError]] = {}
    for each in error.context or ():
        # An alternative that is simply ``false`` does not say which one it is.
        number = each.relative_schema_path[0] if each.relative_schema_path else -1
        inside.setdefault(int(number), []).extend(_told(each))
    told = {number: tuple(errors) for number, errors in inside.items()}
    return DataError(path, keyword, FITS_NONE if told else FITS_SEVERAL, {}, told)


def _missing(error: ValidationError) -> Sequence[str]:
    names = [name for name in error.validator_value if name not in error.instance]
    return [name for name in names if error.message == f"{name!r} is a required property"] or names[:1]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
