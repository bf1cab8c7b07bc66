"""What the rules of a form decide for its present values: shown, required, read-only, and which options.

Decided on the server only; htmx asks again when a value changes that a rule or formula looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from builder.domain import formulas
from builder.domain.comparison import EvaluationContext
from builder.domain.computation import computes
from builder.domain.conditions import evaluate, fields_of
from builder.domain.fields import FieldDefinition, FieldSet, JsonValue, Rule
from builder.domain.kinds import ConditionError
from builder.fieldtypes.base import FieldContext

# Rules of forms never ask for the time (metadata.rule_schema), so any will do.
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FieldState:
    """The present state of one field. ``options``: the keys offered, ``None`` for fields without options."""

    is_visible: bool = True
    is_required: bool = False
    is_read_only: bool = False
    options: tuple[str, ...] | None = None


def state(
    fieldset: FieldSet, values: Mapping[str, JsonValue], context: FieldContext
) -> dict[str, FieldState]:
    """The state of every field for ``values``, exactly as the stored schema decides it.

    A field is visible while all its *show* rules hold; required when it is visible and always required or a
    *require* rule holds; read-only when it always is or a rule says so; of its options (retired ones are
    not offered) every *options* rule that holds keeps its own. A condition on a value that could not be
    read counts as not fulfilled.
    """
    holding = _holding(fieldset, values, context)
    states = {}
    for definition in fieldset:
        rules = holding.get(definition.key, ())
        is_visible = all(holds for rule, holds in rules if rule.effect == "show")
        asks = any(holds for rule, holds in rules if rule.effect == "require")
        locks = any(holds for rule, holds in rules if rule.effect == "read_only")
        states[definition.key] = FieldState(
            is_visible=is_visible,
            is_required=is_visible and (definition.is_required or asks),
            is_read_only=definition.is_read_only or locks,
            options=_options(definition, [rule for rule, holds in rules if holds]),
        )
    return states


def _holding(
    fieldset: FieldSet, values: Mapping[str, JsonValue], context: FieldContext
) -> dict[str, list[tuple[Rule, bool]]]:
    """For every target the rules on it, each with whether its condition holds."""
    if not fieldset.rules:
        return {}
    at = EvaluationContext(context.now or _SOME_TIME, context.time_zone)
    holding: dict[str, list[tuple[Rule, bool]]] = {}
    for rule in fieldset.rules:
        try:
            holds = evaluate(rule.when, values, fieldset.by_key, at)
        except ConditionError:
            holds = False
        for key in rule.targets:
            holding.setdefault(key, []).append((rule, holds))
    return holding


def _options(definition: FieldDefinition, rules: list[Rule]) -> tuple[str, ...] | None:
    if not definition.options:
        return None
    offered = [option.key for option in definition.options if not option.is_retired]
    for rule in rules:
        if rule.effect == "options":
            offered = [key for key in offered if key in rule.options]
    return tuple(offered)


def watched(fieldset: FieldSet) -> frozenset[str]:
    """The fields whose change may alter the form: those that rules and formulas ask about."""
    names = {name for rule in fieldset.rules for name in fields_of(rule.when)}
    for definition in fieldset:
        if definition.type == "formula":
            names |= {name.partition(".")[0] for name in formulas.parse(definition.params["formula"]).names}
        elif definition.inner and (computes(definition) or definition.params.get("totals")):
            names.add(definition.key)
    return frozenset(names)
