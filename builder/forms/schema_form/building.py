"""The tree of a form: from schema, uiSchema and data, and from what was posted.

One walk builds nodes and gathers their values. ``guess`` is the data as far as they are known: conditions
are decided by it, and what was not on the page has its value from it, or else from the defaults of the
schema. What was on the page has its value from the page. ``form`` repeats the walk until nothing changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from builder.errors import N_, Invalid
from builder.forms.schema_form import scalars
from builder.forms.schema_form.choosing import TYPE_NAMES, best_fit
from builder.forms.schema_form.controls import Controls
from builder.forms.schema_form.merging import CHOICES, NEVER, TOO_LARGE, Effective, Merger, both
from builder.forms.schema_form.nodes import (
    ABSENT,
    Alternatives,
    Control,
    Folded,
    Group,
    Named,
    Node,
    Offer,
    Path,
    Rows,
)
from builder.forms.schema_form.posted import Posted, child, row_numbers
from builder.metadata.foreign.patterns import search

MAX_NODES = 1_500
MAX_DEPTH = 40
TOO_MANY = N_("This form has more than %(limit)s fields.")
NO_NAME = N_("This value needs a name.")
SAME_NAME = N_("There is another “%(name)s” here.")
OPTION = N_("Option %(number)s")

Say = Callable[[str, Mapping[str, Any]], str]
_ANY = {"type": list(TYPE_NAMES)}


@dataclass(frozen=True)
class Here:
    """Where the walk stands: ``default`` is what the schema around it begins with here; ``refs`` the
    references on the way; ``is_item`` a row of a list, which always has a value."""

    path: Path
    name: str
    label: str
    ui: Mapping[str, Any]
    is_required: bool = False
    is_item: bool = False
    default: Any = ABSENT
    refs: tuple[str, ...] = ()
    depth: int = 0
    level: int = 0

    def below(self, step: str | int, **changes: Any) -> Here:
        return Here(
            (*self.path, step),
            changes.pop("name", child(self.name, step)),
            refs=self.refs,
            depth=self.depth + 1,
            **changes,
        )


class Builder:
    """One walk through one schema. ``posted`` is ``None`` for a form that nobody has sent yet."""

    def __init__(self, merger: Merger, posted: Posted | None, say: Say) -> None:
        self.merger = merger
        self.posted = posted
        self.say = say
        self.count = 0
        self.fixed: dict[str, list[Named]] = {}
        self.controls = Controls(merger, posted, say)

    def build(self, schema: Any, ui: Any, guess: Any, name: str) -> Node:
        """The tree. Errors: Invalid for one that is too large."""
        here = Here((), name, "", ui if isinstance(ui, Mapping) else {})
        node = self.node(schema, guess, here)
        assert node is not None
        return node

    def node(self, schema: Any, guess: Any, here: Here) -> Node | None:
        """The node of one value; nothing where no value is possible and none is there."""
        self.count += 1
        if self.count > MAX_NODES or here.depth > MAX_DEPTH:
            raise Invalid(TOO_MANY if self.count > MAX_NODES else TOO_LARGE, limit=MAX_NODES)
        start = guess if guess is not ABSENT or not _is_group(schema) else {}
        merged, refs = self.merger.effective(schema, start)
        if merged.get(NEVER) and guess is ABSENT and here.path:
            return None
        here = self._described(merged, here)
        offered = scalars.constants(merged, self.merger)
        names = [kind for kind in scalars.kinds(merged) if kind != "null"]
        is_group = names == ["object"]
        if offered is not None and not is_group:
            return self.controls.control(merged, offered, self._begun(merged, guess, here), here)
        if merged.get(CHOICES) and not is_group:
            return self._alternatives(merged, guess, here, refs)
        if not names and "null" not in scalars.kinds(merged):
            return self._by_type({**merged, "type": list(TYPE_NAMES)}, guess, here, refs)
        if len(names) > 1 and not _is_listed(merged):
            return self._by_type(merged, guess, here, refs)
        if is_group:
            return self._group(merged, guess, here, refs)
        if names == ["array"] and not self.controls.is_one_control(merged, here.ui):
            return self._rows(merged, guess, here, refs)
        return self.controls.control(merged, offered, self._begun(merged, guess, here), here)

    def _described(self, merged: Effective, here: Here) -> Here:
        title = scalars.option(here.ui, "title") or merged.get("title")
        label = title if isinstance(title, str) and title else here.label
        return replace(here, label=label)

    def _begun(self, merged: Effective, guess: Any, here: Here) -> Any:
        """The guess; else, for what was not on the page, what the schema begins with."""
        if guess is not ABSENT or self._was_shown(here.name):
            return guess
        if here.default is not ABSENT:
            return here.default
        return merged["default"] if "default" in merged else scalars.first_constant(merged, self.merger)

    def _was_shown(self, name: str) -> bool:
        return self.posted is not None and (self.posted.has(name) or self.posted.has(f"{name}.rows"))

    # Alternatives

    def _by_type(self, merged: Effective, guess: Any, here: Here, refs: frozenset[str]) -> Node:
        """A choice between the types that a value may have."""
        named = scalars.kinds(merged)
        rest = {key: value for key, value in merged.items() if key not in ("type", "title")}
        options = []
        for kind in named:
            title = self.say(TYPE_NAMES[kind], {})
            options.append({**rest, **_open(kind, rest), "type": kind, "title": title})
        plain: Effective = {key: merged[key] for key in ("title", "description") if key in merged}
        return self._alternatives({**plain, CHOICES: (("anyOf", options),)}, guess, here, refs, is_typed=True)

    def _alternatives(
        self, merged: Effective, guess: Any, here: Here, refs: frozenset[str], *, is_typed: bool = False
    ) -> Node:
        groups = merged[CHOICES]
        options = groups[0][1]
        rest = {**merged, CHOICES: groups[1:]}
        if not rest[CHOICES]:
            del rest[CHOICES]
        for word in ("title", "description", "default"):
            rest.pop(word, None)
        begun = self._begun(merged, guess, here)
        choice_name = f"{here.name}.choice{here.level or ''}"
        offers, chosen = self._offers(options, begun, choice_name)
        inner_schema = both(options[chosen], rest) if rest else options[chosen]
        if is_typed:
            words = ("title", "description", "default")
            inner_schema = {key: value for key, value in options[chosen].items() if key not in words}
        begun = self._for_option(options[chosen], begun)
        below = replace(
            here, level=here.level + 1, refs=(*here.refs, *refs), depth=here.depth + 1, default=begun
        )
        inner = self.node(inner_schema, begun, below)
        value = inner.value if inner is not None else ABSENT
        return Alternatives(
            path=here.path,
            name=here.name,
            label=here.label,
            help=self.controls.help(merged, here),
            is_required=here.is_required,
            value=value,
            choice_name=choice_name,
            offers=offers,
            chosen=chosen,
            parts=(inner,) if inner is not None else (),
        )

    def _for_option(self, option: Any, guess: Any) -> Any:
        """The guess, where it can stand in the chosen alternative at all: a text is no list."""
        kinds = scalars.kinds(self.merger.effective(option, ABSENT)[0])
        if guess is ABSENT or not kinds:
            return guess
        is_fitting = any(self.merger.schemas.is_valid(guess, {"type": kind}) for kind in kinds)
        return guess if is_fitting or self.posted is None else ABSENT

    def _offers(self, options: list[Any], guess: Any, choice_name: str) -> tuple[tuple[Offer, ...], int]:
        titles = [self.merger.effective(option, ABSENT)[0].get("title") for option in options]
        chosen = best_fit(options, guess, self.merger)
        sent = self.posted.first(choice_name) if self.posted else None
        if sent is not None and sent.isascii() and sent.isdigit() and int(sent[:6]) < len(options):
            chosen = int(sent[:6])
        offers = tuple(
            Offer(str(at), title or self.say(OPTION, {"number": at + 1}), at, at == chosen)
            for at, title in enumerate(titles)
        )
        return offers, chosen

    # Objects

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
            can_add=_is_open(merged) and not _is_listed(merged),
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
        below = here.below(key, label=key, ui=_inside(here.ui, key), is_required=key in required)
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
                key or number, name=name, label=key, ui=_inside(here.ui, "additionalProperties")
            )
            node = self.node(schema if schema is not None else _ANY, data.get(key, ABSENT), below)
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

    # Lists

    def _rows(self, merged: Effective, guess: Any, here: Here, refs: frozenset[str]) -> Node:
        begun = self._begun(merged, guess, here)
        here = replace(here, refs=(*here.refs, *refs))
        prefixes = merged.get("prefixItems", [])
        least = self._least(merged, here)
        given = begun if isinstance(begun, list) else []
        if self.posted is not None and self.posted.has(f"{here.name}.rows"):
            numbers = row_numbers(self.posted.texts(f"{here.name}.rows"))
            is_there = self.posted.has(f"{here.name}.is")
        else:
            is_there = isinstance(begun, list)
            least = 0 if isinstance(guess, list) else least  # a list that is given is shown as it is
            numbers = [str(at) for at in range(max(len(given), least, len(prefixes)))]
        rows = []
        for at, number in enumerate(numbers):
            node = self._row(merged, at, number, given, here)
            if node is not None:
                rows.append((number, node))
        values = [_item(node) for _, node in rows]
        is_blank = all(value in ({}, None, "", []) for value in values)
        is_kept = (bool(rows) and not is_blank) or is_there or here.is_required or here.is_item
        most = merged.get("maxItems")
        is_open = merged.get("items") is not False and (most is None or len(rows) < most)
        return Rows(
            path=here.path,
            name=here.name,
            label=here.label,
            help=self.controls.help(merged, here),
            is_required=here.is_required,
            value=values[: _filled(rows, len(prefixes))] if is_kept else ABSENT,
            rows=tuple(rows),
            fixed=max(len(prefixes), least),
            can_add=is_open and scalars.option(here.ui, "addable") is not False,
            can_remove=scalars.option(here.ui, "removable") is not False,
            can_order=scalars.option(here.ui, "orderable") is not False and not prefixes,
            is_there=is_there,
        )

    def _row(self, merged: Effective, at: int, number: str, given: list[Any], here: Here) -> Node | None:
        prefixes = merged.get("prefixItems", [])
        schema = prefixes[at] if at < len(prefixes) else merged.get("items", True)
        ui = _inside(here.ui, "items")
        if at >= len(prefixes) > 0:
            ui = _inside(here.ui, "additionalItems")
        elif isinstance(here.ui.get("items"), list):
            ui = here.ui["items"][at] if at < len(here.ui["items"]) else {}
        below = here.below(
            at,
            name=child(here.name, number),
            label=f"{here.label}-{at + 1}",
            ui=ui if isinstance(ui, Mapping) else {},
            is_required=True,
            is_item=True,
        )
        return self.node(schema, given[at] if at < len(given) else ABSENT, below)

    def _least(self, merged: Effective, here: Here) -> int:
        """With how many rows a list begins; none where each would hold such a list again."""
        least = int(merged.get("minItems", 0))
        if least and self.merger.effective(merged.get("items", True), ABSENT)[1] & {*here.refs}:
            return 0
        return max(min(least, MAX_NODES), 0)


def _take(value: dict[str, Any], part: Node, path: Path) -> None:
    """Put the value of a field, or of the fields of a chosen alternative, into the object."""
    if isinstance(part, Alternatives) and part.path == path:
        for inner in part.parts:
            _take(value, inner, path)
    elif part.value is not ABSENT and part.path:
        value[str(part.path[-1])] = part.value


def _item(node: Node) -> Any:
    if node.value is not ABSENT:
        return node.value
    is_text = isinstance(node, Control) and node.input_type not in ("number", "range") and node.kind == "line"
    return "" if is_text or (isinstance(node, Control) and node.kind == "area") else None


def _filled(rows: list[tuple[str, Node]], fixed: int) -> int:
    """How many rows count: fixed places that are empty at the end are not there yet."""
    count = len(rows)
    while 0 < count <= fixed and rows[count - 1][1].value is ABSENT:
        count -= 1
    return count


def _inside(ui: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = ui.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_group(schema: Any) -> bool:
    return isinstance(schema, Mapping) and (
        schema.get("type", "object") == "object" or "properties" in schema or "allOf" in schema
    )


def _is_listed(merged: Effective) -> bool:
    return "enum" in merged or "const" in merged


def _open(kind: str, rest: Mapping[str, Any]) -> dict[str, Any]:
    """An object or list of which nothing is said may hold anything."""
    if kind == "object" and not any(word in rest for word in ("properties", "patternProperties")):
        return {"additionalProperties": rest.get("additionalProperties", True)}
    return {}


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
        return _ANY
    return _ANY if additional is True else additional
