"""Rules between fields as JSON Schema: conditions become schemas, effects become ``if``/``then``.

Idea 1 of design.md: an independent validator reaches our verdict, so conditional *required* and *options*,
and values that must be absent while hidden, stand in the stored schema. Only conditions that JSON Schema
can say exactly are allowed in rules; case-folded text, order of decimals (strings) and of dates, and
whatever depends on today or on the reader belong in gates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from builder.domain.conditions import All, AnyOf, Comparison, Condition, Not
from builder.domain.fields import FieldDefinition, Rule
from builder.domain.kinds import OPERATORS, Kind, kind_of_type
from builder.errors import N_, Invalid

Schema = dict[str, Any]

_ORDER_KEYWORDS = {"lt": "exclusiveMaximum", "le": "maximum", "gt": "exclusiveMinimum", "ge": "minimum"}
_EXACT = (Kind.KEY, Kind.BOOLEAN, Kind.PERSON, Kind.LINK)
_INTEGERS = ("integer", "duration", "rating")
_EQUALITY = ("eq", "ne", "in", "not_in")
_KEYS = ("has_any", "has_all", "contains", "not_contains")


class UnsayableRule(Invalid):
    """A condition of a rule that JSON Schema cannot say; ``values`` name field and operator."""


def is_sayable(op: str, definition: FieldDefinition) -> bool:
    """Whether a rule may compare this field with this operator."""
    kind = kind_of_type(definition.type)
    if op not in OPERATORS[kind]:
        return False
    if op in ("empty", "not_empty"):
        return True
    if definition.type in _INTEGERS:
        return op in (*_EQUALITY, *_ORDER_KEYWORDS)
    if kind is Kind.KEYS:
        return op in _KEYS
    return kind in _EXACT and op in _EQUALITY


def condition_schema(condition: Condition, fields: Mapping[str, FieldDefinition]) -> Schema:
    """The schema that accepts exactly the data for which the condition holds.

    Errors: UnsayableRule for an unknown field or an operator that ``is_sayable`` refuses.
    """
    match condition:
        case All(parts):
            return {"allOf": [condition_schema(part, fields) for part in parts]} if parts else {}
        case AnyOf(parts):
            return {"anyOf": [condition_schema(part, fields) for part in parts]} if parts else {"not": {}}
        case Not(part):
            return {"not": condition_schema(part, fields)}
        case Comparison(key, op, value):
            definition = fields.get(key)
            if definition is None:
                raise UnsayableRule(N_("There is no field “%(field)s” in this form."), field=key)
            if not is_sayable(op, definition):
                raise UnsayableRule(
                    N_(
                        "A form rule cannot compare “%(field)s” with “%(op)s”; put the condition into a gate."
                    ),
                    field=key,
                    op=op,
                )
            if op == "empty":
                return {"not": {"required": [key]}}
            if op == "not_empty":
                return {"required": [key]}
            stored = _as_stored(kind_of_type(definition.type), value)
            return {"required": [key], "properties": {key: _value_schema(op, stored)}}


def _as_stored(kind: Kind, value: Any) -> Any:
    """The operand in the shape of stored values: the condition language also takes ``"5"`` for 5 and 7
    for an id.
    """
    if isinstance(value, list | tuple):
        return [_as_stored(kind, item) for item in value]
    if kind is Kind.NUMBER and not isinstance(value, bool):
        number = Decimal(str(value))
        return int(number) if number == number.to_integral_value() else float(number)
    return str(value) if kind in (Kind.PERSON, Kind.LINK) else value


def _value_schema(op: str, value: Any) -> Schema:
    match op:
        case "eq":
            return {"const": value}
        case "ne":
            return {"not": {"const": value}}
        case "in":
            return {"enum": list(value)} if value else {"not": {}}
        case "not_in":
            return {"not": {"enum": list(value)}} if value else {}
        case "contains":
            return {"contains": {"const": value}}
        case "not_contains":
            return {"not": {"contains": {"const": value}}}
        case "has_any":
            return {"contains": {"enum": list(value)}} if value else {"not": {}}
        case "has_all":
            return {"allOf": [{"contains": {"const": item}} for item in value]} if value else {}
        case _:
            return {_ORDER_KEYWORDS[op]: value}


def visibility(rules: Sequence[Rule]) -> dict[str, Condition]:
    """When each field with a *show* rule is visible: all its rules must hold."""
    parts: dict[str, list[Condition]] = {}
    for rule in rules:
        if rule.effect == "show":
            for key in rule.targets:
                parts.setdefault(key, []).append(rule.when)
    return {key: whens[0] if len(whens) == 1 else All(tuple(whens)) for key, whens in parts.items()}


def rule_schemas(
    rules: Sequence[Rule], required: Sequence[str], fields: Mapping[str, FieldDefinition]
) -> Iterator[Schema]:
    """The ``allOf`` parts of all rules. ``required`` are the always required fields.

    A hidden field is never required, offers no options, and is absent when its policy is *clear*.
    Errors: UnsayableRule.
    """
    shown = visibility(rules)
    for key, when in shown.items():
        visible = condition_schema(when, fields)
        if key in required:
            yield {"if": visible, "then": {"required": [key]}}
        if key in fields and fields[key].hidden == "clear":
            yield {"if": {"not": visible}, "then": {"properties": {key: {"not": {}}}}}
    for rule in rules:
        if rule.effect == "require":
            for key in rule.targets:
                yield {"if": _while_visible(rule.when, key, shown, fields), "then": {"required": [key]}}
        elif rule.effect == "options":
            for key in rule.targets:
                yield {
                    "if": _while_visible(rule.when, key, shown, fields),
                    "then": {"properties": {key: _options_schema(fields[key], rule.options)}},
                }


def _while_visible(
    when: Condition, key: str, shown: Mapping[str, Condition], fields: Mapping[str, FieldDefinition]
) -> Schema:
    return condition_schema(All((when, shown[key])) if key in shown else when, fields)


def _options_schema(definition: FieldDefinition, options: Sequence[str]) -> Schema:
    offered: Schema = {"enum": list(options)} if options else {"not": {}}
    return {"items": offered} if definition.type == "choices" else offered
