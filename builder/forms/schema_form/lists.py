"""Lists: their rows, as given or as many as the schema begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from builder.forms.schema_form import scalars
from builder.forms.schema_form.merging import Effective
from builder.forms.schema_form.nodes import ABSENT, Control, Node, Rows
from builder.forms.schema_form.posted import child, row_numbers
from builder.forms.schema_form.walk import Here, Walk, inside

MOST_AT_FIRST = 1_500


class Lists(Walk):
    """The part of a walk that is about lists."""

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
        can_remove = scalars.option(here.ui, "removable") is not False
        is_open = merged.get("items") is not False and (most is None or len(rows) < most)
        return Rows(
            path=here.path,
            name=here.name,
            label=here.label,
            help=self.controls.help(merged, here),
            is_required=here.is_required,
            value=values[: _filled(rows, len(prefixes))] if is_kept else ABSENT,
            rows=tuple(rows),
            fixed=len(prefixes),
            can_add=is_open and scalars.option(here.ui, "addable") is not False,
            can_remove=can_remove and len(rows) > int(merged.get("minItems", 0)),
            can_order=scalars.option(here.ui, "orderable") is not False and not prefixes,
            is_there=is_there,
        )

    def _row(self, merged: Effective, at: int, number: str, given: list[Any], here: Here) -> Node | None:
        prefixes = merged.get("prefixItems", [])
        schema = prefixes[at] if at < len(prefixes) else merged.get("items", True)
        ui = inside(here.ui, "items")
        if at >= len(prefixes) > 0:
            ui = inside(here.ui, "additionalItems")
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
        return max(min(least, MOST_AT_FIRST), 0)


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
