"""Lint rules for *which process for whom*: what is not there, rules that are never reached (S6–S10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from builder.domain.assignment import ACTOR_TYPES, covers, is_never
from builder.domain.conditions import parse
from builder.domain.kinds import ConditionError
from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint import conditions
from builder.metadata.lint.forms import properties
from builder.metadata.lint.registry import Finding, Surroundings, rule, twice

Path = tuple[str | int, ...]


def _rules(document: Document) -> list[tuple[Path, Document]]:
    rules = document.get("processes", {}).get("rules", ())
    return [(("processes", "rules", index), each) for index, each in enumerate(rules)]


def names_in(document: Document, around: Surroundings) -> dict[str, Document]:
    """The fields that a rule may ask about, by name: own ones, those of referred records, of who starts."""
    own = properties(document)
    found: dict[str, Document] = dict(own)
    for head, field in own.items():
        if field["x-type"] == "reference":
            there = around.fields_of(field.get("x-target"))
            found |= {f"{head}.{key}": each for key, each in there.items()}
    return found | {name: {"x-type": type_key} for name, type_key in ACTOR_TYPES.items()}


def _is_process(key: str, document: Document, around: Surroundings) -> bool:
    found = around.find("pipeline", key)
    return found is not None and found["object"] == document["key"]


@rule(
    "process_rule_pipeline",
    "object",
    N_("The rule leads to the process “%(pipeline)s”, which is not there for this object. Choose another."),
)
def process_rule_pipeline(document: Document, around: Surroundings) -> Iterator[Finding]:
    for path, each in _rules(document):
        if not _is_process(each["pipeline"], document, around):
            yield (*path, "pipeline"), {"pipeline": each["pipeline"]}


@rule(
    "process_default",
    "object",
    N_("The default process “%(pipeline)s” is not there for this object. Choose another."),
)
def process_default(document: Document, around: Surroundings) -> Iterator[Finding]:
    default = document.get("processes", {}).get("default")
    if default is not None and not _is_process(default, document, around):
        yield ("processes", "default"), {"pipeline": default}


@rule(
    "process_departments",
    "object",
    N_("Departments are named for the process “%(pipeline)s”, which is not there for this object."),
)
def process_departments(document: Document, around: Surroundings) -> Iterator[Finding]:
    for key in document.get("processes", {}).get("departments", {}):
        if not _is_process(key, document, around):
            yield ("processes", "departments", key), {"pipeline": key}


@rule("process_rule_key", "object", N_("Two rules have the key “%(name)s”. Give one of them another key."))
def process_rule_key(document: Document, _: Surroundings) -> Iterator[Finding]:
    yield from twice(((*path, "key"), each["key"]) for path, each in _rules(document))


@rule(
    "process_rule_circular",
    "object",
    N_("The rule asks for “%(field)s”, which is only known once the process is. Ask for a field instead."),
)
def process_rule_circular(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, each in _rules(document):
        for place, comparison in conditions.comparisons(each["when"], (*path, "when")):
            if comparison["field"].startswith("record."):
                yield (*place, "field"), {"field": comparison["field"]}


@rule("process_rule_field", "object", N_("There is no field “%(field)s” for a rule to ask about."))
def process_rule_field(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.unknown_fields)


@rule(
    "process_rule_operator",
    "object",
    N_("“%(op)s” does not work on the field “%(field)s”. Use one of: %(allowed)s."),
)
def process_rule_operator(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.wrong_operators)


@rule("process_rule_value", "object", N_("“%(value)s” cannot be compared with the field “%(field)s”."))
def process_rule_value(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.wrong_values)


def _examine(
    document: Document,
    around: Surroundings,
    examine: Callable[[Any, Path, Mapping[str, Document]], Iterator[Finding]],
) -> Iterator[Finding]:
    rules = _rules(document)
    fields = names_in(document, around) if rules else {}
    for path, each in rules:
        yield from examine(each["when"], (*path, "when"), fields)


@rule(
    "process_rule_unreachable",
    "object",
    N_("This rule is never reached: rule %(number)s holds wherever it does. Move it up or change it."),
    "warn",
)
def process_rule_unreachable(document: Document, _: Surroundings) -> Iterator[Finding]:
    earlier: list[tuple[int, Any]] = []
    for number, (path, each) in enumerate(_rules(document), start=1):
        if each.get("off"):
            continue
        try:
            when = parse(each["when"])
        except ConditionError:
            continue  # told by the rules above
        by = next((place for place, condition in earlier if covers(condition, when)), None)
        if by is not None:
            yield path, {"number": by}
        earlier.append((number, when))


@rule(
    "process_rule_never",
    "object",
    N_("This rule never holds: its condition contradicts itself."),
    "warn",
)
def process_rule_never(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, each in _rules(document):
        try:
            is_vain = is_never(parse(each["when"]))
        except ConditionError:
            continue
        if is_vain:
            yield (*path, "when"), {}
