"""The schema as it applies to one value: references followed, ``allOf`` merged, conditions decided.

The result is a plain mapping without ``$ref``, ``allOf``, ``if`` and dependencies; alternatives that are left
to choose stand under ``CHOICES``. It serves for drawing only: the verdict is always that of the whole schema.

Rules. What the schema says itself goes before what it refers to (titles, defaults); limits are those of both.
Members of an ``allOf`` that contradict each other are left out together: then none of them says what to draw.
A dependency with alternatives takes the one whose own word on the field fits (as react-jsonschema-form does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from builder.errors import N_, Invalid

CHOICES = "x-choices"
NEVER = "x-never"
MAX_STEPS = 20_000
_DEEPEST = 12

TOO_LARGE = N_("This form is too large: its conditions and references lead to too many fields.")

_APART = frozenset(
    [
        "$schema",
        "$ref",
        "$defs",
        "allOf",
        "anyOf",
        "oneOf",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "dependentRequired",
        "not",
        "contains",
    ]
)


class Schemas(Protocol):
    """What merging asks of a schema: its definitions and verdicts about parts of it."""

    def definition(self, ref: str) -> Any: ...

    def is_valid(self, data: Any, schema: Any) -> bool: ...


class Contradiction(Exception):
    """Two schemas that no value satisfies, as far as one can see."""


Effective = dict[str, Any]


class Merger:
    """Merges schemas of one document; counts its steps, so that no schema keeps it busy."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self.steps = 0

    def effective(self, schema: Any, data: Any, depth: int = 0) -> tuple[Effective, frozenset[str]]:
        """The schema as it applies to ``data`` and the references that led to it.

        Errors: Invalid beyond ``MAX_STEPS`` merges.
        """
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Invalid(TOO_LARGE)
        if not isinstance(schema, Mapping):
            return ({} if schema else {NEVER: True}), frozenset()
        result: Effective = {name: value for name, value in schema.items() if name not in _APART}
        choices = tuple((kind, schema[kind]) for kind in ("anyOf", "oneOf") if schema.get(kind))
        if choices:
            result[CHOICES] = choices
        refs: frozenset[str] = frozenset()
        if "$ref" in schema:
            base, refs = self.effective(self.schemas.definition(schema["$ref"]), data, depth)
            result = self._with(result, base, depth)
            refs |= {schema["$ref"]}
        result, more = self._all_of(result, schema.get("allOf", ()), data, depth)
        for part in self._applying(schema, data):
            result = self._with(result, self.effective(part, data, depth)[0], depth)
        return result, refs | more

    def _all_of(self, result: Effective, members: Any, data: Any, depth: int) -> Any:
        merged, refs = result, frozenset[str]()
        try:
            for member in members:
                other, more = self.effective(member, data, depth)
                merged, refs = self.combined(merged, other, depth), refs | more
        except Contradiction:
            return result, frozenset()
        return merged, refs

    def _with(self, result: Effective, other: Effective, depth: int) -> Effective:
        try:
            return self.combined(result, other, depth)
        except Contradiction:
            return result

    def _applying(self, schema: Mapping[str, Any], data: Any) -> Iterator[Any]:
        """What conditions and dependencies add for these data."""
        if "if" in schema and _is_something(data):
            branch = "then" if self.schemas.is_valid(data, schema["if"]) else "else"
            if branch in schema:
                yield schema[branch]
        if not isinstance(data, Mapping):
            return
        for name, others in schema.get("dependentRequired", {}).items():
            if name in data:
                yield {"required": others}
        for name, part in schema.get("dependentSchemas", {}).items():
            if name in data:
                yield from self._dependent(name, part, data)

    def _dependent(self, name: str, part: Any, data: Mapping[str, Any]) -> Iterator[Any]:
        options = part.get("oneOf", ()) if isinstance(part, Mapping) else ()
        if not options or not all(_speaks_of(option, name) for option in options):
            yield part
            return
        rest = {key: value for key, value in part.items() if key != "oneOf"}
        yield rest
        for option in options:
            if self.schemas.is_valid(data[name], option["properties"][name]):
                inner = {key: value for key, value in option["properties"].items() if key != name}
                yield {**option, "properties": inner}
                return

    def combined(self, first: Effective, second: Effective, depth: int = 0) -> Effective:
        """Both at once. Errors: Contradiction."""
        result = dict(first)
        for name, value in second.items():
            if name not in result:
                result[name] = value
            elif name == "properties":
                result[name] = self._properties(result[name], value, depth)
            elif name in _RULES:
                result[name] = _RULES[name](result[name], value)
        _check(result)
        return result

    def _properties(self, first: Mapping[str, Any], second: Mapping[str, Any], depth: int) -> dict[str, Any]:
        result = dict(first)
        for key, value in second.items():
            if key in result and result[key] != value:
                # Looked at now, so that a contradiction inside is known before anything is drawn.
                if depth < _DEEPEST:
                    mine = self.effective(result[key], _NOTHING, depth + 1)[0]
                    self.combined(mine, self.effective(value, _NOTHING, depth + 1)[0], depth + 1)
                result[key] = both(result[key], value)
            else:
                result[key] = value
        return result


_NOTHING = object()


def _is_something(data: Any) -> bool:
    return isinstance(data, (Mapping, list, str, int, float, bool)) or data is None


def _speaks_of(option: Any, name: str) -> bool:
    return isinstance(option, Mapping) and name in option.get("properties", {})


def both(first: Any, second: Any) -> Any:
    """A schema that asks for both."""
    if first == second or second is True:
        return first
    if first is True:
        return second
    # What the first says about itself stays in front.
    return {"allOf": [first, second]}


def same(one: Any, other: Any) -> bool:
    """Equality of JSON: a yes is not a one."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def types(schema: Mapping[str, Any]) -> list[str]:
    """The types that a schema names, as a list."""
    named = schema.get("type")
    return [named] if isinstance(named, str) else list(named or ())


def _types(first: Any, second: Any) -> Any:
    one, other = types({"type": first}), types({"type": second})
    kept = [name for name in one if name in other or (name == "integer" and "number" in other)]
    kept += [name for name in other if name == "integer" and "number" in one and name not in kept]
    if not kept:
        raise Contradiction
    return kept[0] if len(kept) == 1 else kept


def _values(first: list[Any], second: list[Any]) -> list[Any]:
    kept = [value for value in first if any(same(value, other) for other in second)]
    if not kept:
        raise Contradiction
    return kept


def _constant(first: Any, second: Any) -> Any:
    if not same(first, second):
        raise Contradiction
    return first


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **first,
        **{key: both(first[key], value) if key in first else value for key, value in second.items()},
    }


def _prefixes(first: list[Any], second: list[Any]) -> list[Any]:
    pairs = [both(one, other) for one, other in zip(first, second, strict=False)]
    return pairs + first[len(pairs) :] + second[len(pairs) :]


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _values,
    "const": _constant,
    "required": lambda first, second: list(dict.fromkeys([*first, *second])),
    "patternProperties": _joined,
    "prefixItems": _prefixes,
    "items": both,
    "additionalProperties": both,
    "unevaluatedProperties": both,
    "minimum": max,
    "exclusiveMinimum": max,
    "minLength": max,
    "minItems": max,
    "minProperties": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "maxLength": min,
    "maxItems": min,
    "maxProperties": min,
    CHOICES: lambda first, second: first + tuple(each for each in second if each not in first),
    "uniqueItems": lambda first, second: first or second,
    "readOnly": lambda first, second: first or second,
}


def _check(schema: Effective) -> None:
    if "const" in schema and "enum" in schema:
        _values([schema["const"]], schema["enum"])
