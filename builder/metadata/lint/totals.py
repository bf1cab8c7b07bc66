"""Lint rules for roll-up fields: what they count exists, refers to their object, and is no total itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from builder.domain.totals import MONEY_ROLLUP, ROLLUP, TOTAL_TYPES
from builder.errors import N_
from builder.fieldtypes.registry import field_type
from builder.metadata.grammar import Document
from builder.metadata.lint.forms import FORMS, place, properties
from builder.metadata.lint.formulas import columns, names
from builder.metadata.lint.registry import Finding, Surroundings, rule

# What the system gives to records, and what belongs to them.
OF_RECORDS = (*TOTAL_TYPES, "auto_number", "file", "image")


def _totals(document: Document) -> Iterator[tuple[str, Document]]:
    return ((key, field) for key, field in properties(document).items() if field["x-type"] in TOTAL_TYPES)


@rule(
    "total_out_of_place",
    FORMS,
    N_("Totals, numbers and files belong to the record itself, not to a form within it."),
)
def total_out_of_place(document: Document, _: Surroundings) -> Iterator[Finding]:
    for key, field in properties(document).items():
        if field["x-type"] in OF_RECORDS and document["kind"] != "object":
            yield place(key, "x-type"), {}
        for name, inner in columns(field).items():
            if inner["x-type"] in OF_RECORDS:
                path = ("items",) if "items" in field else ()
                yield place(key, *path, "properties", name, "x-type"), {}


@rule("total_unknown_object", "object", N_("The total counts records of “%(object)s”, which does not exist."))
def total_unknown_object(document: Document, around: Surroundings) -> Iterator[Finding]:
    for key, field in _totals(document):
        if field["x-from"] != document["key"] and not around.has("object", field["x-from"]):
            yield place(key, "x-from"), {"object": field["x-from"]}


@rule("total_by_no_reference", "object", N_("“%(field)s” of those records does not refer to this object."))
def total_by_no_reference(document: Document, around: Surroundings) -> Iterator[Finding]:
    for key, field in _totals(document):
        by = _source(document, field, around).get(field["x-by"], {})
        if by.get("x-type") != "reference" or by.get("x-target") != document["key"]:
            yield place(key, "x-by"), {"field": field["x-by"]}


@rule(
    "total_of_no_number", "object", N_("“%(field)s” of those records holds nothing that this total can use.")
)
def total_of_no_number(document: Document, around: Surroundings) -> Iterator[Finding]:
    for key, field in _totals(document):
        known = _source(document, field, around)
        if "x-of" in field and not _is_usable(known.get(field["x-of"]), known, field["x-type"]):
            yield place(key, "x-of"), {"field": field["x-of"]}


def _source(document: Document, field: Document, around: Surroundings) -> Mapping[str, Document]:
    return properties(document) if field["x-from"] == document["key"] else around.fields_of(field["x-from"])


def _is_usable(of: Document | None, known: Mapping[str, Document], total: str) -> bool:
    """Amounts for a money total, other numbers for a total; nothing that is itself made from totals."""
    if of is None or of["x-type"] in TOTAL_TYPES or _asks_for_totals(of, known):
        return False
    is_money = of["x-type"] == "money"
    number = field_type(of["x-type"]).is_figure or of["x-type"] == "rating"
    return is_money if total == MONEY_ROLLUP else total == ROLLUP and number and not is_money


def _asks_for_totals(field: Document, known: Mapping[str, Document], deep: int = 50) -> bool:
    asked = (known.get(name) for name in names(field.get("x-formula", "")))
    return deep > 0 and any(
        one is not None and (one["x-type"] in TOTAL_TYPES or _asks_for_totals(one, known, deep - 1))
        for one in asked
    )
