"""Lint rules for the fields of objects and feedback forms: sections, rules, options, roles (part 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from builder.domain.fields import FieldDefinition
from builder.domain.labels import Label
from builder.errors import N_
from builder.fieldtypes.registry import field_type
from builder.metadata.grammar import Document
from builder.metadata.lint import conditions
from builder.metadata.lint.registry import Finding, Surroundings, rule, same_labels, twice
from builder.metadata.rule_schema import is_sayable

FORMS = ("object", "feedback")
MOST_FILTERABLE = 20
"""Slots of each kind in ``record`` (design.md §4): text-like and number-like ones."""

Path: TypeAlias = "tuple[str | int, ...]"

# Which types may fill the typed columns of a record (CONTRIBUTING, *fields*).
ROLE_TYPES: Mapping[str, tuple[str, ...]] = {
    "name": ("text",),
    "number": ("text", "auto_number"),
    "amount": ("money", "decimal", "formula"),
    "currency": ("choice", "text"),
    "expected_close": ("date",),
    "probability": ("integer", "percent"),
    "forecast_category": ("choice",),
    "owner": ("user",),
    "source": ("choice",),
    "account": ("reference",),
    "happened_at": ("datetime", "date"),
    "channel": ("choice",),
    "average_cycle": ("integer",),
    "reminder_days": ("integer",),
}


def properties(document: Document) -> dict[str, Document]:
    fields: dict[str, Document] = document["fields"]["properties"]
    return fields


def place(key: str, *more: str | int) -> Path:
    return ("fields", "properties", key, *more)


@rule("required_unknown_field", FORMS, N_("“%(field)s” is listed as required, but there is no such field."))
def required_unknown_field(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for index, key in enumerate(document["fields"].get("required", ())):
        if key not in known:
            yield ("fields", "required", index), {"field": key}


@rule("section_unknown_field", FORMS, N_("The section names “%(field)s”, but there is no such field."))
def section_unknown_field(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for path, key in _section_fields(document):
        if key not in known:
            yield path, {"field": key}


@rule(
    "field_in_two_sections", FORMS, N_("The field “%(name)s” stands in two places of the form. Remove one.")
)
def field_in_two_sections(document: Document, _: Surroundings) -> Iterator[Finding]:
    return twice(_section_fields(document))


@rule(
    "duplicate_section_key", FORMS, N_("Two sections have the key “%(name)s”. Give one of them another key.")
)
def duplicate_section_key(document: Document, _: Surroundings) -> Iterator[Finding]:
    sections = document["fields"].get("x-sections", ())
    return twice((("fields", "x-sections", index, "key"), item["key"]) for index, item in enumerate(sections))


def _section_fields(document: Document) -> Iterator[tuple[Path, str]]:
    for index, section in enumerate(document["fields"].get("x-sections", ())):
        for number, key in enumerate(section["fields"]):
            yield ("fields", "x-sections", index, "fields", number), key


@rule(
    "duplicate_field_label",
    FORMS,
    N_("Two fields have the same name. People cannot tell them apart."),
    "warn",
)
def duplicate_field_label(document: Document, _: Surroundings) -> Iterator[Finding]:
    return same_labels(
        (place(key, "x-label"), field["x-label"]) for key, field in sorted(properties(document).items())
    )


@rule("unknown_default_option", FORMS, N_("The default “%(option)s” is not one of the options."))
def unknown_default_option(document: Document, _: Surroundings) -> Iterator[Finding]:
    for key, option, options in _default_options(document):
        if option not in options:
            yield place(key, "x-default"), {"option": str(option)}


@rule(
    "retired_default_option",
    FORMS,
    N_("The default “%(option)s” is retired. Choose one that is still offered."),
)
def retired_default_option(document: Document, _: Surroundings) -> Iterator[Finding]:
    for key, option, options in _default_options(document):
        if options.get(option, {}).get("retired"):
            yield place(key, "x-default"), {"option": str(option)}


def _default_options(document: Document) -> Iterator[tuple[str, Any, dict[str, Document]]]:
    for key, field in properties(document).items():
        if "x-options" not in field or "x-default" not in field:
            continue
        options = {option["key"]: option for option in field["x-options"]}
        chosen = field["x-default"] if isinstance(field["x-default"], list) else [field["x-default"]]
        for option in chosen:
            if isinstance(option, str):
                yield key, option, options


@rule("duplicate_option", FORMS, N_("Two options have the key “%(name)s”. Give one of them another key."))
def duplicate_option(document: Document, _: Surroundings) -> Iterator[Finding]:
    for key, field in properties(document).items():
        options = enumerate(field.get("x-options", ()))
        yield from twice((place(key, "x-options", index, "key"), option["key"]) for index, option in options)


@rule("role_twice", FORMS, N_("Two fields have the part “%(name)s” in the process. Only one can."))
def role_twice(document: Document, _: Surroundings) -> Iterator[Finding]:
    return twice(
        (place(key, "x-role"), field["x-role"])
        for key, field in sorted(properties(document).items())
        if "x-role" in field
    )


@rule(
    "role_of_wrong_type",
    FORMS,
    N_("A field with the part “%(role)s” must be of type %(allowed)s, not %(type)s."),
)
def role_of_wrong_type(document: Document, _: Surroundings) -> Iterator[Finding]:
    for key, field in properties(document).items():
        allowed = ROLE_TYPES.get(field.get("x-role", ""))
        if allowed and field["x-type"] not in allowed:
            values = {"role": field["x-role"], "allowed": ", ".join(allowed), "type": field["x-type"]}
            yield place(key, "x-role"), values


@rule(
    "too_many_filterable",
    "object",
    N_(
        "%(count)s fields of this kind are filterable; an object has room for %(limit)s. "
        "Remove the mark from some."
    ),
)
def too_many_filterable(document: Document, _: Surroundings) -> Iterator[Finding]:
    for slot in ("t", "n"):
        marked = [
            key
            for key, field in properties(document).items()
            if field.get("x-filterable") and field_type(field["x-type"]).slot == slot
        ]
        if len(marked) > MOST_FILTERABLE:
            last = marked[MOST_FILTERABLE]
            yield place(last, "x-filterable"), {"count": len(marked), "limit": MOST_FILTERABLE}


def _rules(document: Document) -> Iterator[tuple[Path, Document]]:
    for index, item in enumerate(document["fields"].get("x-rules", ())):
        yield ("fields", "x-rules", index), item


@rule("rule_unknown_target", FORMS, N_("The rule acts on “%(field)s”, but there is no such field."))
def rule_unknown_target(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for path, item in _rules(document):
        for number, key in enumerate(item["fields"]):
            if key not in known:
                yield (*path, "fields", number), {"field": key}


Examine: TypeAlias = "Callable[[Any, Path, Mapping[str, Document]], Iterator[Finding]]"


def _examine(document: Document, examine: Examine) -> Iterator[Finding]:
    known = properties(document)
    for path, item in _rules(document):
        yield from examine(item["when"], (*path, "when"), known)


@rule("rule_unknown_field", FORMS, N_("The rule looks at “%(field)s”, but this form has no such field."))
def rule_unknown_field(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for path, item in _rules(document):
        for where, comparison in conditions.comparisons(item["when"], (*path, "when")):
            if comparison["field"] not in known:
                yield (*where, "field"), {"field": comparison["field"]}


@rule("rule_operator", FORMS, N_("“%(op)s” does not work on the field “%(field)s”. Use one of: %(allowed)s."))
def rule_operator(document: Document, _: Surroundings) -> Iterator[Finding]:
    return _examine(document, conditions.wrong_operators)


@rule("rule_value", FORMS, N_("“%(value)s” cannot be compared with the field “%(field)s”."))
def rule_value(document: Document, _: Surroundings) -> Iterator[Finding]:
    return _examine(document, conditions.wrong_values)


@rule(
    "rule_unsayable",
    FORMS,
    N_("A form rule cannot compare “%(field)s” with “%(op)s”; put the condition into a gate."),
)
def rule_unsayable(document: Document, _: Surroundings) -> Iterator[Finding]:
    """Rules become JSON Schema, which knows no order of decimals and dates and no case-folding."""
    known = properties(document)
    for path, item in _rules(document):
        for where, comparison in conditions.comparisons(item["when"], (*path, "when")):
            field = known.get(comparison["field"])
            if field is None or comparison["op"] not in field_type(field["x-type"]).operators:
                continue
            definition = FieldDefinition(comparison["field"], field["x-type"], Label.of(field["x-label"]))
            if not is_sayable(comparison["op"], definition):
                yield (*where, "op"), {"field": comparison["field"], "op": comparison["op"]}


@rule("options_rule", FORMS, N_("A rule on options acts on one choice field and lists some of its options."))
def options_rule(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for path, item in _rules(document):
        if item["effect"] != "options":
            continue
        target = known.get(item["fields"][0], {})
        options = {option["key"] for option in target.get("x-options", ())}
        listed = item.get("options", ())
        if len(item["fields"]) != 1 or (target and not options) or not listed:
            yield path, {}
        for number, option in enumerate(listed):
            if options and option not in options:
                yield (*path, "options", number), {}


@rule("circular_rule", FORMS, N_("The rules go in a circle: %(circle)s. A field cannot depend on itself."))
def circular_rule(document: Document, _: Surroundings) -> Iterator[Finding]:
    """Show rules may not go in a circle, alone or through require and options rules.

    *A required when B is filled and the other way round* is sound, and so is *read-only once filled*.
    """
    depends: dict[str, set[str]] = {}
    for _path, item in _rules(document):
        if item["effect"] != "read_only":
            for target in item["fields"]:
                depends.setdefault(target, set()).update(conditions.field_names(item["when"]))
    told: set[frozenset[str]] = set()
    for path, item in _rules(document):
        for circle in _circles(item, depends):
            if frozenset(circle) not in told:
                told.add(frozenset(circle))
                yield path, {"circle": " → ".join(circle)}


def _circles(item: Document, depends: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """The circles that a rule closes, each from a field back to itself."""
    sources = conditions.field_names(item["when"])
    for target in item["fields"]:
        if item["effect"] != "read_only" and target in sources:
            yield [target, target]
        elif item["effect"] == "show":
            ways = (_way(source, target, depends) for source in sorted(sources))
            yield from ([target, *way] for way in ways if way)


def _way(source: str, target: str, depends: Mapping[str, set[str]]) -> list[str] | None:
    """How ``source`` depends on ``target``, as the fields on the way; ``None`` when it does not."""
    waiting, seen = [[source]], {source}
    while waiting:
        way = waiting.pop()
        if way[-1] == target:
            return way
        for following in sorted(depends.get(way[-1], ())):
            if following not in seen:
                seen.add(following)
                waiting.append([*way, following])
    return None
