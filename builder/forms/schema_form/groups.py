"""Objects: their fields, the alternatives chosen for them, and names of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from builder.errors import N_
from builder.forms.schema_form import scalars
from builder.forms.schema_form.merging import CHOICES, Effective, both
from builder.forms.schema_form.nodes import ABSENT, Alternatives, Folded, Group, Named, Node, Path
from builder.forms.schema_form.posted import row_numbers
from builder.forms.schema_form.walk import ANY, Here, Walk, inside
from builder.metadata.foreign.patterns import search

NO_NAME = N_("This value needs a name.")
SAME_NAME = N_("There is another “%(name)s” here.")


class Groups(Walk):
    """The part of a walk that is about objects."""

    def _group(self, merged: Effective, guess: Any, here: Here, refs: frozenset[str]) -> Node:
        if self._is_folded(guess, here, refs):
            return Folded(path=here.path, name=here.name, label=here.label, is_required=here.is_required)
        here = replace(here, refs=(*here.refs, *refs))
        start = self._started(merged, guess, here)
        parts, known = self._parts(merged, start, here, "")
        named, kept = self._free_names(merged, start, here, known)
        named = [*self.fixed.pop(here.name, ()), *named]
        value: dict[str, Any] = {}
        for part in parts:
            _take(value, part, here.path)
        value |= {row.key: row.node.value for row in named if row.key and row.node.value is not ABSENT}
        value |= kept
        is_there = self._is_there(guess, here)
        is_kept = bool(value) or is_there or here.is_item or here.is_required or not here.path
        return Group(
            path=here.path,
            name=here.name,
            label=here.label,
            help=self.controls.help(merged, here),
            is_required=here.is_required,
            value=value if is_kept else ABSENT,
            parts=tuple(parts),
            named=tuple(named),
            can_add=_is_open(merged),
            kept=json.dumps(kept, ensure_ascii=False) if kept else "",
            is_there=is_there,
        )

    def _is_folded(self, guess: Any, here: Here, refs: frozenset[str]) -> bool:
        """Whether a group that holds itself again stays closed: the third of its kind on the way does."""
        if guess is not ABSENT or here.is_item or all(here.refs.count(ref) < 2 for ref in refs):
            return False
        return self.posted is None or not any(
            self.posted.has(f"{here.name}.{mark}") for mark in ("open", "group")
        )

    def _is_there(self, guess: Any, here: Here) -> bool:
        if self.posted is not None:
            return self.posted.has(f"{here.name}.is")
        return isinstance(guess, Mapping)

    def _started(self, merged: Effective, guess: Any, here: Here) -> Mapping[str, Any]:
        """The data of the group; defaults of the object fill in what is missing, once."""
        default = here.default if isinstance(here.default, Mapping) else merged.get("default")
        given = guess if isinstance(guess, Mapping) else {}
        is_new = self.posted is None or not self.posted.has(f"{here.name}.group")
        if is_new and isinstance(default, Mapping):
            return {**default, **given}
        return given

    def _parts(
        self, merged: Effective, data: Mapping[str, Any], here: Here, place: str
    ) -> tuple[list[Node], set[str]]:
        """The fields of an object and of the alternatives that were chosen for it."""
        chosen = []
        for number, (_, options) in enumerate(merged.get(CHOICES, ())):
            name = f"{here.name}.choice{place}{number or ''}"
            offers, index = self._offers(options, data or ABSENT, name)
            option = self.merger.effective(options[index], data)[0]
            chosen.append((name, offers, index, option, f"{place}{number or ''}."))
        required = {*merged.get("required", ())}
        own = dict(merged.get("properties", {}))
        for _, _, _, option, _ in chosen:
            required |= {*option.get("required", ())}
            for key, schema in option.get("properties", {}).items():
                if key in own:
                    own[key] = both(own[key], schema)
        parts = [
            node
            for key in self._in_order(own, here.ui)
            if (node := self._field(key, own[key], merged, data, here, required)) is not None
        ]
        known = set(own)
        for name, offers, index, option, inner in chosen:
            rest = {key: value for key, value in option.get("properties", {}).items() if key not in known}
            shown, names = self._parts({**option, "properties": rest}, data, here, inner)
            known |= names
            title = option.get("title") or ""
            parts.append(
                Alternatives(
                    path=here.path,
                    name=here.name,
                    label=here.label,
                    choice_name=name,
                    offers=offers,
                    chosen=index,
                    parts=tuple(shown),
                    heading=title,
                )
            )
        return parts, known

    def _field(
        self,
        key: str,
        schema: Any,
        merged: Effective,
        data: Mapping[str, Any],
        here: Here,
        required: set[str],
    ) -> Node | None:
        matching = [
            each for pattern, each in merged.get("patternProperties", {}).items() if search(pattern, key)
        ]
        below = here.below(key, label=key, ui=inside(here.ui, key), is_required=key in required)
        if not matching:
            return self.node(schema, data.get(key, ABSENT), below)
        # Among free names the fields with fixed names are shown as what they are: one more name.
        node = self.node({"allOf": [schema, *matching], "title": key}, data.get(key, ABSENT), below)
        if node is not None:
            row = Named(number="", key=key, key_name=f"{below.name}.key", node=node, is_fixed=True)
            self.fixed.setdefault(here.name, []).append(row)
        return None

    def _in_order(self, properties: Mapping[str, Any], ui: Mapping[str, Any]) -> Iterator[str]:
        wanted = scalars.option(ui, "order")
        if not isinstance(wanted, list):
            yield from properties
            return
        wanted = [key for key in wanted if isinstance(key, str)]
        named = [key for key in wanted if key in properties]
        others = [key for key in properties if key not in named]
        for key in wanted if "*" in wanted else [*wanted, "*"]:
            if key == "*":
                yield from others
                others = []
            elif key in properties:
                yield key

    def _free_names(
        self, merged: Effective, data: Mapping[str, Any], here: Here, known: set[str]
    ) -> tuple[list[Named], dict[str, Any]]:
        """Rows with a name of one's own, and what is kept unseen because nothing is said about it."""
        others = [key for key in data if key not in known]
        if self.posted is not None:
            kept = _object(self.posted.first(f"{here.name}.kept"))
            numbers = row_numbers(self.posted.texts(f"{here.name}.names"))
            keys = {number: self.posted.first(f"{here.name}-.{number}.key") or "" for number in numbers}
            kept = {key: value for key, value in kept.items() if key not in known}
        else:
            kept = {key: data[key] for key in others if _schema_of_name(merged, key) is None}
            keys = {str(at): key for at, key in enumerate(key for key in others if key not in kept)}
        rows = []
        seen = set(known)
        for number, key in keys.items():
            name = f"{here.name}-.{number}"
            schema = _schema_of_name(merged, key) if key else _first_of_names(merged)
            below = here.below(
                key or number, name=name, label=key, ui=inside(here.ui, "additionalProperties")
            )
            node = self.node(schema if schema is not None else ANY, data.get(key, ABSENT), below)
            if node is None:
                continue
            problem = ""
            if not key and node.value is not ABSENT:
                problem = NO_NAME
            elif key in seen:
                problem = SAME_NAME
            rows.append(Named(number=number, key=key, key_name=f"{name}.key", node=node, problem=problem))
            seen.add(key)
        return rows, kept


def _take(value: dict[str, Any], part: Node, path: Path) -> None:
    """Put the value of a field, or of the fields of a chosen alternative, into the object."""
    if isinstance(part, Alternatives) and part.path == path:
        for inner in part.parts:
            _take(value, inner, path)
    elif part.value is not ABSENT and part.path:
        value[str(part.path[-1])] = part.value


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_open(merged: Effective) -> bool:
    return _first_of_names(merged) is not None


def _additional(merged: Effective) -> Any:
    found = merged.get("additionalProperties", merged.get("unevaluatedProperties"))
    if found is None and not any(merged.get(word) for word in ("properties", "patternProperties", CHOICES)):
        return True
    return found


def _first_of_names(merged: Effective) -> Any:
    """What a row without a name yet may hold; nothing where no free names are possible."""
    additional = _additional(merged)
    if additional is not None and additional is not False:
        return additional
    return next(iter(merged.get("patternProperties", {}).values()), None)


def _schema_of_name(merged: Effective, key: str) -> Any:
    """What is said about a free name; ``None`` where nothing is said and it is only kept."""
    found = [inner for pattern, inner in merged.get("patternProperties", {}).items() if search(pattern, key)]
    if found:
        return {"allOf": found} if len(found) > 1 else found[0]
    additional = _additional(merged)
    if additional is False or (additional is None and merged.get("patternProperties")):
        return ANY
    return ANY if additional is True else additional
