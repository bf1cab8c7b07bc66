"""The dialects of JSON Schema: how to tell them apart, and which keyword means what in each.

A keyword that a dialect does not know means nothing in it, so rewriting drops it: a later dialect would
give it a meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
)
from referencing import Specification
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012

from builder.errors import N_, Invalid, Problem

UNKNOWN_DIALECT = N_(
    "The dialect “%(name)s” is not read. Drafts 04, 06, 07, 2019-09 and 2020-12 of JSON Schema are."
)
REFUSED = N_("This schema cannot become a form.")

ANNOTATIONS = frozenset(
    [
        "title",
        "description",
        "default",
        "examples",
        "readOnly",
        "writeOnly",
        "deprecated",
        "contentEncoding",
        "contentMediaType",
    ]
)
"""Keywords that say something to people and never change a verdict."""

_VALUES_04 = frozenset(
    [
        "type",
        "enum",
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxProperties",
        "minProperties",
        "required",
        "format",
    ]
)
_ONE_04 = frozenset(["additionalItems", "additionalProperties", "not"])
_MANY = frozenset(["allOf", "anyOf", "oneOf"])
_NAMED_04 = frozenset(["properties", "patternProperties"])


@dataclass(frozen=True)
class Dialect:
    """One draft. ``values``: keywords with plain values; ``one``, ``many``, ``named``: those with a schema, a
    list of schemas, an object of schemas. ``items``, ``dependencies`` and references are cases of their own.
    ``is_old``: whatever stands beside a ``$ref`` counts for nothing (up to draft-07)."""

    key: str
    uri: str
    validator: Any
    specification: Specification[Any]
    values: frozenset[str]
    one: frozenset[str]
    many: frozenset[str]
    named: frozenset[str]
    is_old: bool = True

    def knows_format(self, name: str) -> bool:
        return name in self.validator.FORMAT_CHECKER.checkers


_D4 = Dialect(
    "draft-04",
    "http://json-schema.org/draft-04/schema",
    Draft4Validator,
    DRAFT4,
    _VALUES_04,
    _ONE_04,
    _MANY,
    _NAMED_04,
)
_VALUES_06 = _VALUES_04 | {"const"}
_ONE_06 = _ONE_04 | {"contains", "propertyNames"}
_D6 = Dialect(
    "draft-06",
    "http://json-schema.org/draft-06/schema",
    Draft6Validator,
    DRAFT6,
    _VALUES_06,
    _ONE_06,
    _MANY,
    _NAMED_04,
)
_ONE_07 = _ONE_06 | {"if", "then", "else"}
_D7 = Dialect(
    "draft-07",
    "http://json-schema.org/draft-07/schema",
    Draft7Validator,
    DRAFT7,
    _VALUES_06,
    _ONE_07,
    _MANY,
    _NAMED_04,
)
_VALUES_19 = _VALUES_06 | {"minContains", "maxContains", "dependentRequired"}
_ONE_19 = _ONE_07 | {"unevaluatedItems", "unevaluatedProperties"}
_NAMED_19 = _NAMED_04 | {"dependentSchemas"}
_D19 = Dialect(
    "2019-09",
    "https://json-schema.org/draft/2019-09/schema",
    Draft201909Validator,
    DRAFT201909,
    _VALUES_19,
    _ONE_19,
    _MANY,
    _NAMED_19,
    is_old=False,
)
_D20 = Dialect(
    "2020-12",
    "https://json-schema.org/draft/2020-12/schema",
    Draft202012Validator,
    DRAFT202012,
    _VALUES_19,
    _ONE_19 - {"additionalItems"},
    _MANY | {"prefixItems"},
    _NAMED_19,
    is_old=False,
)

DIALECTS: tuple[Dialect, ...] = (_D4, _D6, _D7, _D19, _D20)
LATEST = _D20
_BY_URI = {dialect.uri.partition("://")[2]: dialect for dialect in DIALECTS}
_BY_KEY = {dialect.key: dialect for dialect in DIALECTS}

_NEW_WORDS = frozenset(
    [
        "$defs",
        "prefixItems",
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedItems",
        "unevaluatedProperties",
        "minContains",
        "maxContains",
        "$dynamicRef",
        "$dynamicAnchor",
    ]
)


def dialect_named(uri: str) -> Dialect | None:
    """The dialect that a ``$schema`` names, with or without ``#`` at its end, by http or https."""
    return _BY_URI.get(uri.removesuffix("#").rstrip("/").partition("://")[2])


def dialect_of(schema: Any, chosen: str = "") -> Dialect:
    """The dialect of a whole document: what ``$schema`` says; else the ``chosen`` key; else a guess.

    The guess: 2020-12 where a word of the newer drafts stands, draft-04 where a limit is excluded by a yes,
    draft-07 otherwise (what schemas without ``$schema`` mostly are). Errors: Invalid for a dialect that is
    not read (draft-03, a vocabulary of one's own).
    """
    named = schema.get("$schema") if isinstance(schema, Mapping) else None
    if named is not None:
        found = dialect_named(named) if isinstance(named, str) else None
        if found is None:
            name = str(named)[:120]
            raise Invalid(REFUSED, problems=(Problem(UNKNOWN_DIALECT, "/$schema", {"name": name}),))
        return found
    if chosen:
        if chosen not in _BY_KEY:
            raise Invalid(REFUSED, problems=(Problem(UNKNOWN_DIALECT, "", {"name": chosen[:120]}),))
        return _BY_KEY[chosen]
    words = set(_words(schema))
    if words & _NEW_WORDS:
        return _D20
    return _D4 if ("exclusiveMinimum", True) in words or ("exclusiveMaximum", True) in words else _D7


def _words(value: Any) -> Iterator[Any]:
    """All names in the document, and names with the yes that follows them."""
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, Mapping):
            for name, inner in here.items():
                yield name
                if inner is True:
                    yield name, True
                pending.append(inner)
        elif isinstance(here, list):
            pending.extend(here)
