"""From the authored ``fields`` of a document to the complete JSON Schema and the compiled ``FieldSet``
(idea 1).

The authored form names types, labels, rules and layout; the completed schema adds the keywords of every
type and turns rules into ``if``/``then``. It is stored beside the document: whoever validates with it
reaches our verdict, except for what design.md lists (uniqueness, existence of records, rights, computed
values, today, retired options).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator

from builder.domain import formulas, money
from builder.domain.comparison import EvaluationContext
from builder.domain.computation import order
from builder.domain.conditions import check, parse
from builder.domain.fields import FieldDefinition, FieldSet, Option, Rule
from builder.domain.kinds import ConditionError
from builder.domain.labels import Label
from builder.errors import N_, Invalid
from builder.fieldtypes.number import decimal_pattern
from builder.fieldtypes.reference import ME
from builder.fieldtypes.registry import UnknownFieldType, field_type, type_of
from builder.fieldtypes.temporal import NOW, TODAY
from builder.metadata.complaints import complaints
from builder.metadata.documents import checksum
from builder.metadata.form_layouts import layouts, sections
from builder.metadata.grammar import DefinitionProblem, pointer, type_validator
from builder.metadata.rule_schema import UnsayableRule, rule_schemas, visibility
from builder.metadata.slots import UNSOUND, assign_slots

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NOT_FILTERABLE = N_("Fields of this type cannot be filtered.")
UNKNOWN_FIELD = N_("There is no field “%(field)s” in this form.")
UNKNOWN_OPTION = N_("“%(option)s” is not an option of “%(field)s”.")
OPTIONS_OF_ONE = N_("A rule about options names one choice field.")
ROLE_TWICE = N_("Two fields have the part “%(role)s” in the process.")
BAD_DEFAULT = N_("The default is not a value that the field accepts.")

Schema = dict[str, Any]
# Rules never ask for the time (rule_schema), so any will do to check their operands.
_SOME_TIME = EvaluationContext(datetime(2000, 1, 1, tzinfo=UTC))


def compile_fields(document: Mapping[str, Any], *, slots: Mapping[str, str] | None = None) -> FieldSet:
    """The compiled fields of an object, a feedback or a task form.

    ``slots`` are the slot columns given to fields before (by field key); pass ``{}`` for a new object and
    ``None`` for forms whose answers have no slots. Fields keep their slots; others get free ones.
    Errors: Invalid with every problem and its JSON pointer (``problems``).
    """
    fields = tuple(_definitions(document))
    found = [*_field_problems(fields, document)]
    rules = _rules(document, {definition.key: definition for definition in fields}, found)
    schema: Schema = {}
    if not found:
        schema = _complete(document, fields, rules, found)
    given = {} if slots is None or found else assign_slots(fields, slots, found)
    if found:
        raise Invalid(UNSOUND, problems=tuple(found))
    fields = tuple(replace(definition, slot=given.get(definition.key)) for definition in fields)
    mark = checksum({"fields": dict(document), "slots": given})
    return FieldSet(fields, rules, tuple(sections(document)), schema, mark, tuple(layouts(document)))


def problems(
    document: Mapping[str, Any], *, slots: Mapping[str, str] | None = None
) -> list[DefinitionProblem]:
    """What stops ``compile_fields``, for lint; pointers are relative to the fields document."""
    try:
        compile_fields(document, slots=slots)
    except Invalid as error:
        return [DefinitionProblem(found.message, found.place, found.values) for found in error.problems]
    return []


def complete(document: Mapping[str, Any]) -> Schema:
    """The completed schema alone. Errors: as ``compile_fields``."""
    return dict(compile_fields(document).schema)


def _definitions(document: Mapping[str, Any]) -> Iterator[FieldDefinition]:
    required = document.get("required", ())
    for key in _in_order(document):
        source = document["properties"][key]
        try:
            yield _definition(key, source, is_required=key in required)
        except UnknownFieldType as error:
            place = pointer("properties", key, "x-type")
            raise Invalid(
                UNSOUND, problems=(DefinitionProblem(error.message_key, place, error.values),)
            ) from error


def _in_order(document: Mapping[str, Any]) -> list[str]:
    """Field keys as the sections name them, the rest last: a stored document has its keys sorted."""
    known = document["properties"]
    placed = (key for section in document.get("x-sections", ()) for key in section["fields"] if key in known)
    return list(dict.fromkeys((*placed, *known)))


def _definition(key: str, source: Mapping[str, Any], *, is_required: bool) -> FieldDefinition:
    kind = field_type(source["x-type"])
    params = kind.params(source)
    inside = kind.inner_form(source)
    if inside is not None:
        params["parts" if kind.is_group else "columns"] = tuple(_definitions(inside))
    return FieldDefinition(
        key=key,
        type=kind.key,
        label=Label.of(source["x-label"]),
        help=Label.of(source.get("x-help")),
        role=source.get("x-role"),
        is_required=is_required,
        is_read_only=bool(source.get("x-read-only", False)) or kind.is_computed or kind.is_assigned,
        is_filterable=bool(source.get("x-filterable", False)),
        default=source.get("x-default"),
        options=tuple(
            Option(
                option["key"],
                Label.of(option["label"]),
                option.get("color", ""),
                option.get("retired", False),
            )
            for option in source.get("x-options", ())
        ),
        hidden=source.get("x-hidden", "keep"),
        params=params,
    )


def _field_problems(
    fields: Sequence[FieldDefinition], document: Mapping[str, Any], *prefix: str
) -> Iterator[DefinitionProblem]:
    """What is wrong within single fields and between formulas; rules come later."""
    roles: set[str] = set()
    for definition in fields:
        place = (*prefix, "properties", definition.key)
        kind = type_of(definition)
        for problem in kind.check(definition):
            yield DefinitionProblem(problem.message, pointer(*place) + "/" + problem.place, problem.values)
        if definition.is_filterable and kind.slot is None:
            yield DefinitionProblem(NOT_FILTERABLE, pointer(*place, "x-filterable"))
        if definition.role in roles:
            yield DefinitionProblem(ROLE_TWICE, pointer(*place, "x-role"), {"role": definition.role})
        roles |= {definition.role} if definition.role else set()
        inside = kind.inner_form(document["properties"][definition.key])
        if inside is not None:
            yield from _inner_problems(definition, inside, *place, *(() if kind.is_group else ("items",)))
    for key in document.get("required", ()):
        if all(definition.key != key for definition in fields):
            yield DefinitionProblem(UNKNOWN_FIELD, pointer(*prefix, "required"), {"field": key})
    try:
        order(fields)
    except formulas.FormulaError as error:
        yield DefinitionProblem(error.message_key, pointer(*prefix, "properties"), error.values)


def _inner_problems(
    outer: FieldDefinition, items: Mapping[str, Any], *place: str
) -> Iterator[DefinitionProblem]:
    """Columns and parts are fields: their own meta-schemas apply, and they have no slots."""
    for key, source in items["properties"].items():
        checker = type_validator(source["x-type"])
        if checker is not None:
            yield from complaints(checker, source, prefix=(*place, "properties", key), limit=20)
    yield from _field_problems(outer.inner, items, *place)


def _rules(
    document: Mapping[str, Any], fields: Mapping[str, FieldDefinition], found: list[DefinitionProblem]
) -> tuple[Rule, ...]:
    rules = []
    for position, source in enumerate(document.get("x-rules", ())):
        place = ("x-rules", position)
        try:
            when = parse(source["when"])
        except ConditionError as error:
            inner = error.problems[0].place if error.problems else ""
            found.append(DefinitionProblem(error.message_key, pointer(*place, "when") + inner, error.values))
            continue
        rule = Rule(source["effect"], tuple(source["fields"]), when, tuple(source.get("options", ())))
        found.extend(_rule_problems(rule, fields, place))
        rules.append(rule)
    return tuple(rules)


def _rule_problems(
    rule: Rule, fields: Mapping[str, FieldDefinition], place: tuple[str | int, ...]
) -> Iterator[DefinitionProblem]:
    for key in rule.targets:
        if key not in fields:
            yield DefinitionProblem(UNKNOWN_FIELD, pointer(*place, "fields"), {"field": key})
    for problem in check(rule.when, fields, _SOME_TIME):
        yield DefinitionProblem(problem.message, pointer(*place, "when"), problem.values)
    if rule.effect != "options":
        return
    target = fields.get(rule.targets[0])
    if len(rule.targets) != 1 or target is None or target.type not in ("choice", "choices"):
        yield DefinitionProblem(OPTIONS_OF_ONE, pointer(*place, "fields"))
        return
    for option in rule.options:
        if target.option(option) is None:
            values = {"option": option, "field": target.key}
            yield DefinitionProblem(UNKNOWN_OPTION, pointer(*place, "options"), values)


def _complete(
    document: Mapping[str, Any],
    fields: Sequence[FieldDefinition],
    rules: Sequence[Rule],
    found: list[DefinitionProblem],
) -> Schema:
    by_key = {definition.key: definition for definition in fields}
    schema = _object_schema(document, fields)
    hideable = visibility(rules)
    required = [key for key in document.get("required", ()) if key not in hideable]
    if required:
        schema["required"] = required
    try:
        conditional = [*rule_schemas(rules, document.get("required", ()), by_key), *_currency_schemas(fields)]
    except UnsayableRule as error:
        found.append(DefinitionProblem(error.message_key, "/x-rules", error.values))
        return schema
    except money.MoneyError as error:
        found.append(DefinitionProblem(error.message_key, "/properties", error.values))
        return schema
    if conditional:
        schema["allOf"] = conditional
    found.extend(_default_problems(fields, schema))
    return schema


def _default_problems(fields: Sequence[FieldDefinition], schema: Schema) -> Iterator[DefinitionProblem]:
    """Defaults must be values of their fields; ``today``, ``now`` and ``me`` are worked out later."""
    for definition in fields:
        default = definition.default
        if default is None or default in (TODAY, NOW, ME):
            continue
        if not Draft202012Validator(schema["properties"][definition.key]).is_valid(default):
            yield DefinitionProblem(BAD_DEFAULT, pointer("properties", definition.key, "x-default"))


def _object_schema(document: Mapping[str, Any], fields: Sequence[FieldDefinition]) -> Schema:
    """Keywords of an object with exactly these fields; the annotations of the author stay."""
    annotations = {key: value for key, value in document.items() if key.startswith("x-")}
    properties = {
        definition.key: _property(document["properties"][definition.key], definition) for definition in fields
    }
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **annotations,
    }


def _property(source: Mapping[str, Any], definition: FieldDefinition) -> Schema:
    annotations = {key: value for key, value in source.items() if key.startswith("x-")}
    kind = type_of(definition)
    schema = kind.schema(definition) | annotations
    inside = kind.inner_form(source)
    if inside is not None:
        items = _object_schema(inside, definition.inner)
        del items["$schema"]
        if inside.get("required"):
            items["required"] = list(inside["required"])
        schema = schema | items if kind.is_group else schema | {"items": items}
    return schema


def _currency_schemas(fields: Sequence[FieldDefinition]) -> Iterator[Schema]:
    """Amounts in the record's own currency have as many decimals as the currency (M30)."""
    currency = next((definition for definition in fields if definition.role == "currency"), None)
    amounts = [item for item in fields if item.type == "money" and "currency" not in item.params]
    if currency is None or currency.type != "choice" or not amounts:
        return
    by_exponent: dict[int, list[str]] = {}
    for option in currency.options:
        by_exponent.setdefault(money.exponent(option.key), []).append(option.key)
    for digits, keys in sorted(by_exponent.items()):
        if digits < money.LARGEST_EXPONENT:
            yield {
                "if": {"required": [currency.key], "properties": {currency.key: {"enum": keys}}},
                "then": {"properties": {item.key: {"pattern": decimal_pattern(digits)} for item in amounts}},
            }
