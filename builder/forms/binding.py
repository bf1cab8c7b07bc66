"""Between form data and JSON values: what was on the page and may be changed comes from the page.

Rules of binding: a field that was not on the page keeps its value; so does one that is read-only now, and one
that is hidden now unless its policy is *clear*. An empty control removes the key. Formulas are computed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from builder.domain.fields import FieldSet, JsonValue
from builder.domain.kinds import is_empty
from builder.fieldtypes.base import FieldContext
from builder.forms.state import FieldState, state


@dataclass(frozen=True, slots=True)
class Bound:
    """The values after binding and the state of every field that goes with them."""

    values: dict[str, JsonValue]
    states: dict[str, FieldState]


def bind(
    form: Any,
    fieldset: FieldSet,
    keys: Iterable[str],
    before: Mapping[str, JsonValue],
    context: FieldContext,
) -> Bound:
    """Apply what ``form`` (an instance of the compiled class) holds for ``keys`` to the values ``before``.

    Rules may depend on each other's results: hiding a field clears it, which may hide the next. So this
    repeats until nothing changes, at most once per field.
    """
    typed = [key for key in keys if form[key].is_submitted]
    values = _applied(form, fieldset, typed, before, {})
    states = state(fieldset, values, context)
    for _ in fieldset:
        following = _applied(form, fieldset, typed, before, states)
        if following == values:
            break
        values = following
        states = state(fieldset, values, context)
    return Bound(values, states)


def _applied(
    form: Any,
    fieldset: FieldSet,
    typed: Iterable[str],
    before: Mapping[str, JsonValue],
    states: Mapping[str, FieldState],
) -> dict[str, JsonValue]:
    values = {key: value for key, value in before.items() if not is_empty(value)}
    for key in typed:
        decided = states.get(key)
        if fieldset.by_key[key].is_read_only or (
            decided and (decided.is_read_only or not decided.is_visible)
        ):
            continue
        values.pop(key, None)
        if not is_empty(form[key].data):
            values[key] = form[key].data
    for key, decided in states.items():
        if not decided.is_visible and fieldset.by_key[key].hidden == "clear":
            values.pop(key, None)
    return fieldset.computation.apply(values)


def default_values(fieldset: FieldSet, context: FieldContext) -> dict[str, JsonValue]:
    """The values that a new record begins with."""
    from builder.fieldtypes.registry import type_of

    found = {item.key: type_of(item).default(item, context) for item in fieldset}
    return {key: value for key, value in found.items() if not is_empty(value)}
