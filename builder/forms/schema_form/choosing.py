"""Which alternative the data mean, where nobody has chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from builder.errors import N_
from builder.forms.schema_form.merging import Merger, same
from builder.forms.schema_form.nodes import ABSENT

TYPE_NAMES = {
    "string": N_("Text"),
    "number": N_("Number"),
    "integer": N_("Whole number"),
    "boolean": N_("Yes or no"),
    "object": N_("Group of fields"),
    "array": N_("List"),
    "null": N_("Nothing (null)"),
}


def best_fit(options: Sequence[Any], data: Any, merger: Merger) -> int:
    """The number of the alternative that fits best; the first where none does better.

    Rules in their order: that it holds for the data; that fields with one possible value agree; how many of
    its fields are filled.
    """
    if data is ABSENT or data == {}:
        return 0
    scores = [_score(option, data, merger) for option in options]
    return scores.index(max(scores))


def _score(option: Any, data: Any, merger: Merger) -> tuple[int, int, int]:
    fields = merger.effective(option, data)[0].get("properties", {})
    is_valid = int(merger.schemas.is_valid(data, option))
    if not isinstance(data, Mapping):
        return is_valid, 0, 0
    agreeing = 0
    for key, schema in fields.items():
        if isinstance(schema, Mapping) and key in data:
            values = [schema["const"]] if "const" in schema else schema.get("enum", [])
            agreeing += int(any(same(value, data[key]) for value in values))
    return is_valid, agreeing, sum(key in data for key in fields)
