"""Lint rules for formulas: they can be read, ask for fields that exist, and do not go in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from builder.domain import formulas
from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint.forms import FORMS, place, properties
from builder.metadata.lint.registry import Finding, Surroundings, rule

Path: TypeAlias = "tuple[str | int, ...]"


def columns(field: Document) -> dict[str, Document]:
    """The columns of a table of rows, the fields of a group; empty for every other field."""
    found: dict[str, Document] = field.get("items", field).get("properties", {})
    return found


def _scopes(document: Document) -> Iterator[tuple[Path, Mapping[str, Document]]]:
    """The form itself, and every table in it: formulas see the fields of their own scope."""
    yield ("fields", "properties"), properties(document)
    for key, field in properties(document).items():
        if columns(field):
            yield place(key, *(("items",) if "items" in field else ()), "properties"), columns(field)


def _formulas(document: Document) -> Iterator[tuple[Path, str, Document, Mapping[str, Document]]]:
    for path, fields in _scopes(document):
        for key, field in fields.items():
            if "x-formula" in field:
                yield (*path, key, "x-formula"), key, field, fields


def names(text: str) -> frozenset[str]:
    """The fields that a formula asks for; empty when it cannot be read (said by ``unreadable_formula``)."""
    try:
        return formulas.parse(text).names
    except formulas.FormulaError:
        return frozenset()


@rule(
    "unreadable_formula",
    FORMS,
    N_(
        "This formula cannot be read: “%(formula)s”. Use numbers, field keys, + − * / and the functions "
        "that are offered."
    ),
)
def unreadable_formula(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, _key, field, _fields in _formulas(document):
        try:
            formulas.parse(field["x-formula"])
        except formulas.FormulaError:
            yield path, {"formula": field["x-formula"][:80]}


@rule("formula_unknown_field", FORMS, N_("The formula asks for “%(field)s”, but there is no such field."))
def formula_unknown_field(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, _key, field, fields in _formulas(document):
        for name in sorted(names(field["x-formula"])):
            head, _dot, column = name.partition(".")
            known = columns(fields.get(head, {}))
            if head not in fields or bool(column) != bool(known) or (column and column not in known):
                yield path, {"field": name}


@rule(
    "circular_formula",
    FORMS,
    N_("The formulas go in a circle: %(circle)s. A value cannot be computed from itself."),
)
def circular_formula(document: Document, _: Surroundings) -> Iterator[Finding]:
    for _path, fields in _scopes(document):
        needs = {
            key: sorted(name for name in names(field["x-formula"]) if "x-formula" in fields.get(name, {}))
            for key, field in fields.items()
            if "x-formula" in field
        }
        for key in needs:
            circle = _circle(key, needs)
            if circle and key == min(circle):  # said once, at the first of the circle
                yield (*_path, key, "x-formula"), {"circle": " → ".join([*circle, key])}


def _circle(start: str, needs: Mapping[str, list[str]]) -> list[str] | None:
    waiting, seen = [[start]], set()
    while waiting:
        way = waiting.pop()
        for following in needs[way[-1]]:
            if following == start:
                return way
            if following not in seen:
                seen.add(following)
                waiting.append([*way, following])
    return None
