"""Lint rules for objects: lists, search, references and conversion (S26)."""

from __future__ import annotations

from collections.abc import Iterator

from builder.domain.kinds import Kind, kind_of_type
from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint.forms import FORMS, place, properties
from builder.metadata.lint.formulas import columns
from builder.metadata.lint.registry import Finding, Surroundings, rule

FILTERABLE_ROLES = ("owner", "expected_close")
"""Parts whose typed column of ``record`` can be filtered by, so that they need no slot."""

UNORDERED_TYPES = ("choices", "reference", "user", "table", "address", "sub_form")
"""Types whose stored values have no order that a person would understand."""


SEARCHABLE = (Kind.TEXT, Kind.KEY, Kind.LINK, Kind.PLACE)


def is_filterable(field: Document) -> bool:
    return bool(field.get("x-filterable")) or field.get("x-role") in FILTERABLE_ROLES


def is_sortable(field: Document) -> bool:
    """By its slot, or by the typed column of the record's name."""
    if field.get("x-role") == "name":
        return True
    return bool(field.get("x-filterable")) and field["x-type"] not in UNORDERED_TYPES


@rule("no_name_field", "object", N_("No field is the record's name. Give one text field the part “name”."))
def no_name_field(document: Document, _: Surroundings) -> Iterator[Finding]:
    if not any(field.get("x-role") == "name" for field in properties(document).values()):
        yield ("fields",), {}


@rule("list_unknown_field", "object", N_("There is no field “%(field)s”."))
def list_unknown_field(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    named = [
        *(
            (("list", "columns", index), key)
            for index, key in enumerate(document.get("list", {}).get("columns", ()))
        ),
        *((("search", index), key) for index, key in enumerate(document.get("search", ()))),
        *((("duplicate_keys", index), key) for index, key in enumerate(document.get("duplicate_keys", ()))),
        *(
            (("list", "sort", index), key.removeprefix("-"))
            for index, key in enumerate(document.get("list", {}).get("sort", ()))
        ),
    ]
    for path, key in named:
        if key not in known and not key.startswith("record."):
            yield path, {"field": key}


@rule(
    "sort_on_unfilterable",
    "object",
    N_("The list cannot be sorted by “%(field)s” quickly. Mark the field as filterable."),
)
def sort_on_unfilterable(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for index, entry in enumerate(document.get("list", {}).get("sort", ())):
        key = entry.removeprefix("-")
        if key in known and not is_sortable(known[key]):
            yield ("list", "sort", index), {"field": key}


@rule("search_in_no_text", "object", N_("“%(field)s” holds no words, so a search cannot find it."))
def search_in_no_text(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for index, key in enumerate(document.get("search", ())):
        if key in known and kind_of_type(known[key]["x-type"]) not in SEARCHABLE:
            yield ("search", index), {"field": key}


@rule(
    "unknown_reference_target",
    FORMS,
    N_("The field refers to the object “%(object)s”, which does not exist."),
)
def unknown_reference_target(document: Document, around: Surroundings) -> Iterator[Finding]:
    for key, field in properties(document).items():
        if "x-target" in field and not around.has("object", field["x-target"]):
            yield place(key, "x-target"), {"object": field["x-target"]}
        for name, column in columns(field).items():
            if "x-target" in column and not around.has("object", column["x-target"]):
                path = (*(("items",) if "items" in field else ()), "properties", name, "x-target")
                yield place(key, *path), {"object": column["x-target"]}


@rule(
    "conversion_unknown_object",
    "object",
    N_("The conversion makes a record of “%(object)s”, which does not exist."),
)
def conversion_unknown_object(document: Document, around: Surroundings) -> Iterator[Finding]:
    for index, target in enumerate(document.get("conversion", {}).get("targets", ())):
        if not around.has("object", target["object"]):
            yield ("conversion", "targets", index, "object"), {"object": target["object"]}


@rule(
    "conversion_main",
    "object",
    N_("The main object “%(object)s” of the conversion is not among what it makes."),
)
def conversion_main(document: Document, _: Surroundings) -> Iterator[Finding]:
    conversion = document.get("conversion")
    if conversion and conversion["main"] not in {target["object"] for target in conversion["targets"]}:
        yield ("conversion", "main"), {"object": conversion["main"]}


@rule(
    "conversion_pipeline",
    "object",
    N_("There is no pipeline “%(pipeline)s” for records of the conversion's main object."),
)
def conversion_pipeline(document: Document, around: Surroundings) -> Iterator[Finding]:
    conversion = document.get("conversion")
    if not conversion:
        return
    found = around.find("pipeline", conversion["pipeline"])
    if found is None or found["object"] != conversion["main"]:
        yield ("conversion", "pipeline"), {"pipeline": conversion["pipeline"]}


@rule(
    "conversion_lacks",
    "object",
    N_("“%(object)s” begins by itself with a win, but nothing fills its required field “%(field)s”."),
)
def conversion_lacks(document: Document, around: Surroundings) -> Iterator[Finding]:
    conversion = document.get("conversion", {})
    for index, target in enumerate(conversion.get("targets", ()) if conversion.get("automatic") else ()):
        found = around.find("object", target["object"]) or {"fields": {}}
        fields = found["fields"].get("properties", {})
        for key in found["fields"].get("required", ()):
            field = fields.get(key, {})
            is_filled = key in target["map"] or "default" in field or field.get("x-type") == "auto_number"
            if not is_filled:
                path = ("conversion", "targets", index, "map")
                yield path, {"field": key, "object": target["object"]}


@rule(
    "conversion_unknown_field",
    "object",
    N_("The conversion names the field “%(field)s”, which “%(object)s” does not have."),
)
def conversion_unknown_field(document: Document, around: Surroundings) -> Iterator[Finding]:
    own = properties(document)
    made = {"@self"}
    for index, target in enumerate(document.get("conversion", {}).get("targets", ())):
        theirs = around.fields_of(target["object"])
        for there, here in target["map"].items():
            path = ("conversion", "targets", index, "map", there)
            if theirs and there not in theirs:
                yield path, {"field": there, "object": target["object"]}
            if here not in (made if here.startswith("@") else own):
                yield path, {"field": here, "object": document["key"]}
        made.add(f"@{target['object']}")  # later targets may refer to it


@rule(
    "conversion_types",
    "object",
    N_("A value of type %(from)s does not fit a field of type %(to)s. Choose another field for “%(field)s”."),
    "warn",
)
def conversion_types(document: Document, around: Surroundings) -> Iterator[Finding]:
    own = properties(document)
    for index, target in enumerate(document.get("conversion", {}).get("targets", ())):
        theirs = around.fields_of(target["object"])
        for there, here in target["map"].items():
            if there in theirs and here in own:
                source, goal = own[here]["x-type"], theirs[there]["x-type"]
                if kind_of_type(source) is not kind_of_type(goal):
                    path = ("conversion", "targets", index, "map", there)
                    yield path, {"from": source, "to": goal, "field": there}
