"""From a text that somebody pasted to a schema that may become a form; else pointers and reasons."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from builder.errors import N_, Invalid, Problem
from builder.metadata import documents
from builder.metadata.cache import ProcessCache
from builder.metadata.complaints import complaints
from builder.metadata.foreign.dialects import REFUSED, dialect_of
from builder.metadata.foreign.patterns import UnreadablePattern, check
from builder.metadata.foreign.rewriting import Schema, rewritten
from builder.metadata.foreign.verdicts import Verdicts
from builder.metadata.grammar import pointer

MAX_BYTES = 300_000
MAX_DEPTH = 60
MAX_PROBLEMS = 20

NOT_A_SCHEMA = N_("A schema is a JSON object, or true or false.")
BAD_PATTERN = N_("pattern: “%(pattern)s” is not a regular expression that can be used here.")
NOT_FINITE = N_("This number is too large.")
TOO_DEEP = documents.TOO_DEEP
BAD_TEXT = documents.BAD_TEXT


@dataclass(frozen=True)
class ForeignSchema:
    """``schema``: the rewritten schema (2020-12), ``dialect``: the key of the one that it was written in."""

    schema: Schema
    dialect: str

    def verdicts(self) -> Verdicts:
        """A validator for one request (it holds a clock)."""
        return Verdicts(self.schema)

    def definition(self, ref: str) -> Schema:
        """What a reference of the rewritten schema names; every one names something."""
        if ref == "#" or isinstance(self.schema, bool):
            return self.schema
        found: Schema = self.schema["$defs"][ref.removeprefix("#/$defs/")]
        return found


_schemas: ProcessCache[tuple[str, str], ForeignSchema] = ProcessCache(32)


def read(text: str, dialect: str = "") -> ForeignSchema:
    """The schema in a text of JSON. ``dialect``: the key of the one to take it for where it names none.

    Errors: TooLarge; Invalid with problems whose places are JSON pointers into the text.
    """
    return _schemas.get((text, dialect), lambda: understood(read_json(text), dialect))


def understood(value: Any, dialect: str = "") -> ForeignSchema:
    """The schema in a JSON value; errors as ``read``."""
    if not isinstance(value, (dict, bool)):
        raise Invalid(REFUSED, problems=(Problem(NOT_A_SCHEMA),))
    found = dialect_of(value, dialect)
    meta = found.validator(found.validator.META_SCHEMA)
    problems: tuple[Problem, ...] = tuple(complaints(meta, value, limit=MAX_PROBLEMS))
    problems = problems or tuple(_bad_patterns(value))
    if problems:
        raise Invalid(REFUSED, problems=problems[:MAX_PROBLEMS])
    schema = rewritten(value, found)
    return ForeignSchema(schema, found.key)


def read_json(text: str | bytes, limit: int = MAX_BYTES) -> Any:
    """Any JSON value. Errors: TooLarge; Invalid with line and column, or the pointer of what cannot be kept
    (numbers beyond a double, half surrogates, more than ``MAX_DEPTH`` levels)."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid(documents.NOT_UTF8) from error
    try:
        wrapped = documents.read('{"value":' + text + "\n}", limit=limit + 12)
    except Invalid as error:
        if error.message_key == documents.NOT_JSON:
            raise _not_json(text) from error
        if error.message_key == documents.TOO_DEEP:
            raise Invalid(TOO_DEEP, limit=MAX_DEPTH) from error
        raise
    if list(wrapped) != ["value"]:
        raise _not_json(text)
    problem = next(_unkept(wrapped["value"], ()), None)
    if problem is not None:
        raise Invalid(REFUSED, problems=(problem,))
    return wrapped["value"]


def _not_json(text: str) -> Invalid:
    """What is wrong with the text, by its own lines and columns."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return Invalid(documents.NOT_JSON, reason=error.msg, line=error.lineno, column=error.colno)
    return Invalid(documents.NOT_A_VALUE)


def _unkept(value: Any, place: tuple[str | int, ...]) -> Iterator[Problem]:
    if len(place) > MAX_DEPTH:
        yield Problem(TOO_DEEP, pointer(*place), {"limit": MAX_DEPTH})
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if not _is_text(name):
                yield Problem(BAD_TEXT, pointer(*place))
            else:
                yield from _unkept(inner, (*place, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _unkept(inner, (*place, at))
    elif isinstance(value, str) and not _is_text(value):
        yield Problem(BAD_TEXT, pointer(*place))
    elif isinstance(value, (int, float)) and not is_finite(value):
        yield Problem(NOT_FINITE, pointer(*place))


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def is_finite(number: float) -> bool:
    """Whether a double can hold the number: beyond that, arithmetic of validators breaks down."""
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def as_text(value: Any) -> str:
    """JSON for people: indented, names in the order that they came in."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _bad_patterns(value: Any) -> Iterator[Problem]:
    """Every pattern that cannot be read, wherever a schema may stand."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        place, here = pending.pop()
        if isinstance(here, list):
            pending.extend(((*place, at), inner) for at, inner in enumerate(here))
        if not isinstance(here, Mapping):
            continue
        patterns = [here["pattern"]] if isinstance(here.get("pattern"), str) else []
        named = here.get("patternProperties")
        if isinstance(named, Mapping):
            patterns += list(named)
        for pattern in patterns:
            try:
                check(pattern)
            except UnreadablePattern:
                yield Problem(BAD_PATTERN, pointer(*place), {"pattern": pattern[:120]})
        pending.extend(
            ((*place, name), inner)
            for name, inner in here.items()
            if name not in ("enum", "const", "default", "examples")
        )
