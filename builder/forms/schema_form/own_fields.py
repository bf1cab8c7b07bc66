"""From a schema of others to fields of ours: what our field types can hold, and what they cannot, by name.

The result is a field document (``properties`` with ``x-type``), as objects and feedback have. Rules: the key
of an option is made of its value, because ours are keys; text, numbers, yes/no, dates, e-mail and web
addresses keep their limits; an object becomes a form within the form, a list of objects a table, a list of
single values a table of one column. Left out, each with the keyword: alternatives, conditions, free names,
files in a text, lists in lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.errors import N_, Problem
from builder.forms.schema_form import scalars
from builder.forms.schema_form.merging import CHOICES, Effective, Merger
from builder.forms.schema_form.nodes import ABSENT
from builder.metadata.grammar import pointer

MAX_FIELDS = 300
DEEPEST = 4

LEFT_OUT = N_("“%(name)s” is left out: no field of ours can hold its %(keyword)s.")
NOT_KEPT = N_("%(keyword)s of “%(name)s” is not kept.")
NOT_KEPT_AT_TOP = N_("%(keyword)s of the whole form is not kept.")
TOO_MANY = N_("“%(name)s” is left out: a form of ours has at most %(limit)s fields.")

_SINGLE = {
    "email": "email",
    "uri": "url",
    "date": "date",
    "date-time": "datetime",
}
_CONDITIONS = ("if", "dependentSchemas", "dependentRequired", "not")
_LOST = ("pattern", "multipleOf", "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", "minProperties")


@dataclass
class OwnFields:
    """``document``: the fields; ``problems``: what is left out or not kept, with its JSON pointer."""

    document: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)


def own_fields(schema: Any, merger: Merger) -> OwnFields:
    """The fields of a schema whose root is an object; none for any other."""
    made = OwnFields({"type": "object", "properties": {}})
    merged, _ = merger.effective(schema, {})
    made.document = _Translator(merger, made.problems).form(schema, merged, (), 1)
    return made


class _Translator:
    def __init__(self, merger: Merger, problems: list[Problem]) -> None:
        self.merger = merger
        self.problems = problems
        self.count = 0

    def form(self, schema: Any, merged: Effective, place: tuple[str, ...], depth: int) -> dict[str, Any]:
        """The field document of an object; ``schema`` is the same before it was merged."""
        for keyword in dict.fromkeys([*_shapes(merged), *self._conditions(schema)]):
            self._leave(place[-1] if place else "", keyword, place, NOT_KEPT if place else NOT_KEPT_AT_TOP)
        required = merged.get("required", ())
        properties: dict[str, Any] = {}
        needed = []
        for name, inner in merged.get("properties", {}).items():
            made = self._field(name, inner, (*place, name), depth)
            if made is None:
                continue
            key = _key(name, properties)
            properties[key] = made
            if name in required:
                needed.append(key)
        # The order stands in a section: documents sort their keys.
        heading = {"en": "Fields", "zh_Hans": "字段"}
        section = {"key": "fields", "label": heading, "fields": list(properties)}
        return {
            "type": "object",
            "properties": properties,
            **({"required": needed} if needed else {}),
            **({"x-sections": [section]} if properties else {}),
        }

    def _field(self, name: str, schema: Any, place: tuple[str, ...], depth: int) -> dict[str, Any] | None:
        self.count += 1
        if self.count > MAX_FIELDS:
            self.problems.append(Problem(TOO_MANY, pointer(*place), {"name": name, "limit": MAX_FIELDS}))
            return None
        merged, _ = self.merger.effective(schema, ABSENT)
        made = self._typed(name, schema, merged, place, depth)
        if made is None:
            return None
        for keyword in _LOST:
            if keyword in merged and not (keyword == "uniqueItems" and made["x-type"] == "choices"):
                self._leave(name, keyword, place, NOT_KEPT)
        words = {"x-label": {"en": str(merged.get("title") or name)[:200]}}
        if merged.get("description"):
            words["x-help"] = {"en": str(merged["description"])[:4000]}
        return {**made, **words}

    def _conditions(self, schema: Any, depth: int = 0) -> Iterator[str]:
        """Keywords of an object that ask for more or less with its data."""
        if not isinstance(schema, Mapping) or depth > 12:
            return
        yield from (word for word in _CONDITIONS if word in schema)
        inner = [self.merger.schemas.definition(schema["$ref"])] if "$ref" in schema else []
        for each in [*inner, *schema.get("allOf", ())]:
            yield from self._conditions(each, depth + 1)

    def _typed(self, name: str, schema: Any, merged: Effective, place: tuple[str, ...], depth: int) -> Any:
        names = [kind for kind in scalars.kinds(merged) if kind != "null"]
        offered = scalars.constants(merged, self.merger)
        if offered is not None and names != ["object"]:
            return {"x-type": "choice", "x-options": _options(offered)}
        if merged.get(CHOICES) or len(names) != 1:
            keyword = merged[CHOICES][0][0] if merged.get(CHOICES) else "type"
            return self._leave(name, keyword, place)
        if depth > DEEPEST and names in (["object"], ["array"]):
            return self._leave(name, "items", place)  # columns of a table are single values
        if merged.get("format") == "data-url":
            return self._leave(name, "format", place)
        if names == ["object"]:
            return self._object(name, schema, merged, place, depth)
        return self._list(name, merged, place) if names == ["array"] else _single(names[0], merged)

    def _object(self, name: str, schema: Any, merged: Effective, place: tuple[str, ...], depth: int) -> Any:
        if depth >= DEEPEST or not merged.get("properties"):
            return self._leave(name, "properties" if depth >= DEEPEST else "additionalProperties", place)
        inner = self.form(schema, merged, place, depth + 1)
        if not inner["properties"]:
            return None
        return {"x-type": "sub_form", **inner}

    def _list(self, name: str, merged: Effective, place: tuple[str, ...]) -> Any:
        if "prefixItems" in merged:
            return self._leave(name, "prefixItems", place)
        items, _ = self.merger.effective(merged.get("items", True), ABSENT)
        offered = scalars.constants(items, self.merger)
        limits = {
            key: merged[key] for key in ("minItems", "maxItems") if key in merged and merged[key] <= 200
        }
        if offered is not None and merged.get("uniqueItems"):
            limits.pop("minItems", None)
            return {"x-type": "choices", "x-options": _options(offered), **limits}
        is_plain = scalars.kinds(items) not in (["object"], ["array"])
        single = {"type": "object", "properties": {"value": {**items, "title": merged.get("title") or name}}}
        row = single if is_plain else items
        columns = self.form(row if is_plain else merged["items"], row, (*place, "items"), DEEPEST + 1)
        if not columns["properties"]:
            return self._leave(name, "items", place)
        return {"x-type": "table", "items": columns, **limits}

    def _leave(self, name: str, keyword: str, place: tuple[str, ...], message: str = LEFT_OUT) -> None:
        self.problems.append(Problem(message, pointer(*place), {"name": name, "keyword": keyword}))


def _shapes(merged: Effective) -> Iterator[str]:
    """Keywords of an object that no field can hold."""
    if merged.get(CHOICES):
        yield str(merged[CHOICES][0][0])
    if merged.get("patternProperties"):
        yield "patternProperties"
    if isinstance(merged.get("additionalProperties"), Mapping):
        yield "additionalProperties"


def _single(kind: str, merged: Effective) -> dict[str, Any]:
    if kind == "boolean":
        return {"x-type": "yes_no"}
    if kind == "integer":
        whole = {key: merged[key] for key in ("minimum", "maximum") if isinstance(merged.get(key), int)}
        return {"x-type": "integer", **whole}
    if kind == "number":
        return {"x-type": "decimal"}
    own = _SINGLE.get(str(merged.get("format") or merged.get("x-format")))
    if own is not None:
        return {"x-type": own}
    longest = merged.get("maxLength")
    limits = {"maxLength": longest} if isinstance(longest, int) and 1 <= longest <= 255 else {}
    return {"x-type": "text" if limits else "long_text", **limits}


def _options(offered: list[tuple[Any, str]]) -> list[dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {}
    for value, title in offered[:MAX_FIELDS]:
        said = title or (value if isinstance(value, str) else scalars.key_of(value))
        key = _key(said, options)
        options[key] = {"key": key, "label": {"en": said[:200] or key}}
    return list(options.values())


def _key(name: str, taken: Mapping[str, Any]) -> str:
    """A key of ours: small letters, digits and underscores, each once."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")[:50]
    base = plain if plain[:1].isalpha() and plain.isascii() else f"field_{plain}".rstrip("_")
    number, key = 2, base
    while key in taken:
        key, number = f"{base}_{number}", number + 1
    return key
