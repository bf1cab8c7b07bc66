"""What a JSON Schema validator found, said so that an admin knows the place and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator, ValidationError

from builder.errors import N_
from builder.metadata.grammar import KINDS, PARTS, DefinitionProblem, meta_schema, pointer, urn

Path: TypeAlias = "tuple[str | int, ...]"
Complaint: TypeAlias = "tuple[str, Path, dict[str, Any]]"

MISSING = N_("“%(name)s” is missing here. Add it.")
UNKNOWN = N_("“%(name)s” is not known here. Remove it or correct its name.")
UNKNOWN_CLOSE = N_("“%(name)s” is not known here. Did you mean “%(suggestion)s”?")
CHOICE = N_("“%(value)s” is not possible here. Choose one of: %(allowed)s.")
CONSTANT = N_("This must be “%(expected)s”.")
BAD_NAME = N_("“%(name)s” cannot be used as a name here.")
NOTHING_CHOSEN = N_("A condition says one of: all, any, not, or field with op. Choose one.")
TOGETHER = N_("“%(name)s” makes sense only together with “%(other)s”. Add it or remove “%(name)s”.")
ALONE = N_("“all”, “any” and “not” stand alone. Put the other part into a condition of its own.")
NOT_ALLOWED = N_("This value is not possible here.")

TYPES = {
    "object": N_("This must be an object: names and values between { and }."),
    "array": N_("This must be a list: values between [ and ]."),
    "string": N_("This must be a text."),
    "integer": N_("This must be a whole number."),
    "number": N_("This must be a number."),
    "boolean": N_("This must be true or false."),
    "object string": N_("This must be a text, or one text per language."),
}
OTHER_TYPE = N_("This kind of value is not possible here.")

PATTERNS = {
    "^[a-z][a-z0-9_]{0,62}$": N_(
        "“%(value)s” is not a key. A key begins with a small letter a–z and goes on with small letters, "
        "digits or underscores, at most 63 characters."
    ),
    "^((feedback|record)\\.)?[a-z][a-z0-9_]{0,62}$": N_(
        "“%(value)s” does not name a field. Write a field key, feedback.<key> or record.<column>."
    ),
    "^-?(record\\.)?[a-z][a-z0-9_]{0,62}$": N_(
        "“%(value)s” cannot be sorted by. Write a field key, with a minus sign in front for high to low."
    ),
    "^@?[a-z][a-z0-9_]{0,62}$": N_(
        "“%(value)s” is neither a field nor, with @ in front, an object made before or @self."
    ),
    "^[a-z]{2,3}(_[A-Z][A-Za-z]{1,7})?$": N_("“%(value)s” is not a language code such as en or zh_Hans."),
    "^[a-z0-9][a-z0-9-]{0,59}$": N_("“%(value)s” is not the name of an icon."),
}
BAD_FORM = N_("“%(value)s” is not written as it must be here.")

LIMITS = {
    "minLength": N_("This text must have at least %(limit)s characters."),
    "maxLength": N_("This text may have at most %(limit)s characters."),
    "minItems": N_("This list needs at least %(limit)s entries."),
    "maxItems": N_("This list may have at most %(limit)s entries."),
    "minimum": N_("This must be at least %(limit)s."),
    "maximum": N_("This may be at most %(limit)s."),
    "exclusiveMinimum": N_("This must be more than %(limit)s."),
    "exclusiveMaximum": N_("This must be less than %(limit)s."),
    "minProperties": N_("At least %(limit)s entries are needed here."),
    "maxProperties": N_("At most %(limit)s entries are possible here."),
}
TWICE = N_("The same entry stands in this list twice.")


def complaints(
    validator: Draft202012Validator, value: Any, *, prefix: Path = (), limit: int = 200
) -> Iterator[DefinitionProblem]:
    """The problems of ``value``, in the order of their places; at most ``limit``, each once.

    ``prefix`` is put before every pointer, for a part that is checked alone.
    """
    seen: set[tuple[str, str, str]] = set()
    # The validator is lazy: a document with a million errors costs only the first few.
    errors = list(islice(validator.iter_errors(value), limit))
    for message, path, values in sorted(
        (complaint for error in errors for complaint in _explain(error)), key=lambda found: str(found[1])
    ):
        place = pointer(*prefix, *path)
        mark = (message, place, str(values))
        if mark not in seen:
            seen.add(mark)
            yield DefinitionProblem(message, place, values)


def _explain(error: ValidationError) -> Iterable[Complaint]:
    path = tuple(error.absolute_path)
    keyword, rule, value = str(error.validator), error.validator_value, error.instance
    if keyword == "maxProperties" and "dependentSchemas" in error.absolute_schema_path:
        return [(ALONE, path, {})]
    if keyword == "required":
        missing = next((name for name in rule if name not in value and repr(name) in error.message), "")
        return [(MISSING, path, {"name": missing})]
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return list(_unknown_names(error, path))
    if keyword == "dependentRequired":
        pairs = [(name, other) for name, others in rule.items() if name in value for other in others]
        return [
            (TOGETHER, path, {"name": name, "other": other}) for name, other in pairs if other not in value
        ]
    if keyword == "propertyNames" or _is_about_a_name(error):
        return [(BAD_NAME, path, {"name": _short(value)})]
    if keyword in LIMITS:
        return [(LIMITS[keyword], path, {"limit": rule})]
    return [_explain_value(keyword, rule, value, path)]


def _explain_value(keyword: str, rule: Any, value: Any, path: Path) -> Complaint:
    if keyword == "type":
        names = " ".join(rule) if isinstance(rule, list) else str(rule)
        return TYPES.get(names, OTHER_TYPE), path, {}
    if keyword == "enum":
        return CHOICE, path, {"value": _short(value), "allowed": ", ".join(map(str, rule))}
    if keyword == "const":
        return CONSTANT, path, {"expected": str(rule)}
    if keyword == "pattern":
        return PATTERNS.get(rule, BAD_FORM), path, {"value": _short(value)}
    if keyword == "uniqueItems":
        return TWICE, path, {}
    if keyword == "anyOf" and all("required" in choice for choice in rule):
        return NOTHING_CHOSEN, path, {}
    return NOT_ALLOWED, path, {}


def _unknown_names(error: ValidationError, path: Path) -> Iterator[Complaint]:
    known = _known_names(error.schema)
    for name in error.instance:
        if name in known or repr(name) not in error.message:
            continue
        close = difflib.get_close_matches(name[:63], known, n=1)
        values: dict[str, Any] = {"name": _short(name)}
        if close:
            values["suggestion"] = close[0]
        yield (UNKNOWN_CLOSE if close else UNKNOWN), (*path, name[:63]), values


def _known_names(schema: Any) -> list[str]:
    """The properties that a schema names, with those of the meta-schema that it extends."""
    names: list[str] = []
    while isinstance(schema, Mapping):
        names += schema.get("properties", {})
        base = str(schema.get("$ref", "")).removeprefix(urn(""))
        schema = meta_schema(base) if base in (*KINDS, *PARTS) else None
    return names


def _is_about_a_name(error: ValidationError) -> bool:
    return "propertyNames" in list(error.absolute_schema_path)[:-1]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
