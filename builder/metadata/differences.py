"""What changed between two versions of a document, thing by thing, for people to read (B7).

Each difference stands at a place that is named as people know it: by the labels of stages, fields and
options, and by the titles of properties in the meta-schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from builder.domain.labels import Label
from builder.metadata.grammar import Document, meta_schema, pointer, type_meta_schema, within
from builder.metadata.merging import ABSENT, identified, identity_of

What: TypeAlias = Literal["added", "removed", "changed", "moved"]
Schema: TypeAlias = Mapping[str, Any]

_HEAD = ("grammar", "kind", "key")
_TOLD_BY_PARTS = 2
_PLAIN = ("common#/$defs/label", "common#/$defs/text", "condition")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is new, gone, other than before, or in another order.

    ``path``: from the document down, what each level is called; empty for the document itself. ``place``: the
    JSON pointer, in the document in which the thing stands (the new one, unless it is gone). ``before`` and
    ``after``: values as they stand in the documents; of an order, the keys.
    """

    what: What
    path: tuple[Label, ...]
    place: str
    before: Any = None
    after: Any = None


def differences(kind: str, before: Document | None, after: Document | None) -> tuple[Difference, ...]:
    """What changed from ``before`` to ``after``, in the order of the document; empty when nothing did.

    None stands for a document that was not there or goes.
    """
    if before is None or after is None:
        if before is after:
            return ()
        return (Difference("added" if before is None else "removed", (), "", before, after),)
    return tuple(_of_values(meta_schema(kind), before, after, (), ()))


def named_path(kind: str, document: Document, place: str) -> tuple[Label, ...]:
    """What the place of a JSON pointer is called, level by level, as far as the document has it."""
    schema, value, path = meta_schema(kind), document, []
    for part in (each.replace("~1", "/").replace("~0", "~") for each in place.split("/")[1:]):
        if isinstance(value, Mapping) and part in value:
            schema = _property(within(schema), part, value)
            value = value[part]
            path.append(_name(schema, part, value))
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            schema, value = within(schema).get("items", {}), value[int(part)]
            path.append(_own_name(value, str(int(part) + 1)))
        else:
            break
    return tuple(path)


def _of_values(
    schema: Schema, before: Any, after: Any, path: tuple[Label, ...], place: tuple[str | int, ...]
) -> Iterator[Difference]:
    if before == after:
        return
    if not _is_plain(schema) and isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(within(schema), before, after, path, place)
    elif (
        identified(before) and identified(after) and not all(isinstance(each, str) for each in after + before)
    ):
        yield from _of_lists(schema, before, after, path, place)
    else:
        yield Difference("changed", path, pointer(*place), before, after)


def _of_mappings(
    schema: Schema,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    path: tuple[Label, ...],
    place: tuple[str | int, ...],
) -> Iterator[Difference]:
    for key in [*after, *(key for key in before if key not in after)]:
        if not place and key in _HEAD:
            continue
        inner = _property(schema, key, after, before)
        then, now = before.get(key, ABSENT), after.get(key, ABSENT)
        if len(place) < _TOLD_BY_PARTS and not _is_plain(inner):
            then, now = (
                _nothing_like(now) if then is ABSENT else then,
                _nothing_like(then) if now is ABSENT else now,
            )
        yield from _of_parts(inner, then, now, (*path, _name(inner, key, now, then)), (*place, key))


def _nothing_like(value: Any) -> Any:
    """What stood there before something that consists of parts, so that each of them is told."""
    if isinstance(value, Mapping) and not value.keys() & {"label", "x-label"}:
        return {}
    if identified(value) and not all(isinstance(each, str) for each in value):
        return []
    return ABSENT


def _of_lists(
    schema: Schema,
    before: Sequence[Any],
    after: Sequence[Any],
    path: tuple[Label, ...],
    place: tuple[str | int, ...],
) -> Iterator[Difference]:
    then = {identity_of(each): each for each in before}
    now = {identity_of(each): each for each in after}
    kept = [name for name in now if name in then]
    if kept != [name for name in then if name in now]:
        yield Difference("moved", path, pointer(*place), list(then), list(now))
    inner = within(schema).get("items", {}) if "items" in within(schema) else schema
    for index, name in enumerate([*now, *(name for name in then if name not in now)]):
        new, old = now.get(name, ABSENT), then.get(name, ABSENT)
        at = index if new is not ABSENT else list(then).index(name)
        yield from _of_parts(inner, old, new, (*path, _own_name(new, old, str(name))), (*place, at))


def _of_parts(
    schema: Schema, then: Any, now: Any, path: tuple[Label, ...], place: tuple[str | int, ...]
) -> Iterator[Difference]:
    if then is ABSENT:
        yield Difference("added", path, pointer(*place), None, now)
    elif now is ABSENT:
        yield Difference("removed", path, pointer(*place), then, None)
    else:
        yield from _of_values(schema, then, now, path, place)


def _property(schema: Schema, key: str, *values: Mapping[str, Any]) -> Schema:
    """The schema of a property; those of a field type's own settings stand in that type's."""
    known = schema.get("properties", {}).get(key)
    if known is not None:
        return known  # type: ignore[no-any-return]
    for value in values:
        own = type_meta_schema(str(value.get("x-type", "")))
        if own is not None and key in own.get("properties", {}):
            return own["properties"][key]  # type: ignore[no-any-return]
    further = schema.get("additionalProperties")
    return further if isinstance(further, Mapping) else {}


def _name(schema: Schema, key: str, *values: Any) -> Label:
    """What a part is called: by its own label, else by the title of the property, else by its key."""
    if "title" in schema:
        titles = {"en": schema["title"], "zh_Hans": schema.get("x-title-zh_Hans", schema["title"])}
        return Label.of(titles)
    return _own_name(*values, key)


def _own_name(*values: Any) -> Label:
    *things, key = values
    for thing in things:
        label = thing.get("label") or thing.get("x-label") if isinstance(thing, Mapping) else None
        if isinstance(label, (str, Mapping)) and label:
            return Label.of(label)
    return Label.of(key)


def _is_plain(schema: Schema) -> bool:
    """Whether a value is read as a whole: texts in several languages, conditions."""
    return str(schema.get("$ref", "")).removeprefix("urn:funnelwright:meta:") in _PLAIN
