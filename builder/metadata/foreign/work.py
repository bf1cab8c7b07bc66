"""How much work a schema asks for: which schemas meet one and the same value, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_IN_PLACE_ONE = ("not", "if", "then", "else")
_IN_PLACE_MANY = ("allOf", "anyOf", "oneOf")


def _in_place(schema: Any) -> Iterator[Any]:
    """The schemas that meet the same value as this one."""
    if not isinstance(schema, Mapping):
        return
    yield from (schema[name] for name in _IN_PLACE_ONE if name in schema)
    for name in _IN_PLACE_MANY:
        yield from schema.get(name, [])
    yield from schema.get("dependentSchemas", {}).values()


def _refs_in_place(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping) and "$ref" in schema:
        yield schema["$ref"]
    for inner in _in_place(schema):
        yield from _refs_in_place(inner)


def in_order(schemas: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Each schema after those that it refers to in place; with a yes where that is not possible."""
    state: dict[str, int] = {}
    for start in schemas:
        pending = [(start, iter(list(_refs_in_place(schemas[start]))))] if start not in state else []
        state.setdefault(start, 1)
        while pending:
            here, refs = pending[-1]
            following = next(refs, None)
            if following is None:
                pending.pop()
                state[here] = 2
                yield here, schemas[here], False
            elif state.get(following) == 1:
                yield following, schemas[following], True
            elif following not in state:
                state[following] = 1
                pending.append((following, iter(list(_refs_in_place(schemas[following])))))


def work_of(schema: Any, known: Mapping[str, int]) -> int:
    if not isinstance(schema, Mapping):
        return 1
    own = 1 + known.get(schema["$ref"], 1) if "$ref" in schema else 1
    return own + sum(work_of(inner, known) for inner in _in_place(schema))
