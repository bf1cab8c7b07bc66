"""Which names of an object a schema has looked at: what ``unevaluatedProperties`` leaves to judge.

The same as jsonschema does, but with patterns that are bounded and read as ECMA-262 reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import ValidationError

from builder.metadata.foreign.patterns import search


def unevaluated_properties(validator: Any, inner: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """The keyword, for a validator of draft 2020-12."""
    if not validator.is_type(instance, "object"):
        return
    known = set(
        _names(validator, instance, {k: v for k, v in schema.items() if k != "unevaluatedProperties"})
    )
    for name, value in instance.items():
        if name in known:
            continue
        if inner is False:
            yield ValidationError(f"{name!r} is not possible", path=[name])
        else:
            yield from validator.descend(value, inner, path=name)


def _names(validator: Any, instance: Mapping[str, Any], schema: Any) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        resolved = validator._resolver.lookup(schema["$ref"])
        inside = validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
        yield from _names(inside, instance, resolved.contents)
    yield from (name for name in schema.get("properties", {}) if name in instance)
    for pattern in schema.get("patternProperties", {}):
        yield from (name for name in instance if search(pattern, name))
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if keyword in schema:
            inner = schema[keyword]
            yield from (name for name, value in instance.items() if _holds(validator, value, inner))
    for part in _applying(validator, instance, schema):
        yield from _names(validator, instance, part)


def _applying(validator: Any, instance: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas in place that hold for the object, and whose names therefore count."""
    for name, part in schema.get("dependentSchemas", {}).items():
        if name in instance:
            yield part
    for keyword in ("allOf", "oneOf", "anyOf"):
        yield from (part for part in schema.get(keyword, ()) if _holds(validator, instance, part))
    if "if" in schema:
        if _holds(validator, instance, schema["if"]):
            yield schema["if"]
            yield schema.get("then", True)
        else:
            yield schema.get("else", True)


def _holds(validator: Any, value: Any, schema: Any) -> bool:
    return next(validator.descend(value, schema), None) is None
