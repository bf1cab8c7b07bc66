"""The tree of a form: from schema, uiSchema and data, and from what was posted.

One walk builds nodes and gathers their values. ``guess`` is the data as far as they are known: conditions
are decided by it, and what was not on the page has its value from it, or else from the defaults of the
schema. What was on the page has its value from the page. ``form`` repeats the walk until nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from builder.errors import N_, Invalid
from builder.forms.schema_form import scalars
from builder.forms.schema_form.choosing import TYPE_NAMES
from builder.forms.schema_form.groups import Groups
from builder.forms.schema_form.lists import Lists
from builder.forms.schema_form.merging import CHOICES, NEVER, TOO_LARGE, Effective, both
from builder.forms.schema_form.nodes import ABSENT, Alternatives, Node
from builder.forms.schema_form.walk import Here

MAX_NODES = 1_500
MAX_DEPTH = 40
TOO_MANY = N_("This form has more than %(limit)s fields.")


class Builder(Groups, Lists):
    """One walk through one schema. ``posted`` is ``None`` for a form that nobody has sent yet."""

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
