"""Lint rules for views and roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from builder.domain.grouping import GROUP_COLUMNS, GROUP_TYPES
from builder.domain.kinds import RECORD_COLUMNS, TIME_LIMIT, WEIGHTED
from builder.domain.overdue_stays import STANDINGS
from builder.domain.roles import NEVER_HIDDEN
from builder.domain.saved_view import DATE_COLUMNS, DATE_TYPES, LANE_COLUMNS, LANE_TYPES
from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint import conditions
from builder.metadata.lint.objects import is_filterable, is_sortable
from builder.metadata.lint.registry import Finding, Surroundings, rule

# What only filters of lists and boards know, as a field of the values that it has.
_STANDING: Document = {"x-type": "choice", "x-options": [{"key": each} for each in STANDINGS]}
SORTABLE_COLUMNS = ("created_at", "updated_at", "closed_at")


@rule("view_unknown_column", "view", N_("The object has no field “%(field)s” to show."))
def view_unknown_column(document: Document, around: Surroundings) -> Iterator[Finding]:
    if not around.has("object", document["object"]):
        return
    known = around.fields_of(document["object"])
    for index, name in enumerate(document.get("columns", ())):
        if name not in known and not _is_record_column(name):
            yield ("columns", index), {"field": name}


def _is_record_column(name: str) -> bool:
    head, _, column = name.partition(".")
    return head == "record" and (column in RECORD_COLUMNS or name == WEIGHTED)


@rule("view_unknown_sort", "view", N_("The object has no field “%(field)s” to sort by."))
def view_unknown_sort(document: Document, around: Surroundings) -> Iterator[Finding]:
    if not around.has("object", document["object"]):
        return
    known = around.fields_of(document["object"])
    for index, entry in enumerate(document.get("sort", ())):
        name = entry.removeprefix("-")
        is_own = name == WEIGHTED or name.removeprefix("record.") in SORTABLE_COLUMNS
        if name not in known and not is_own:
            yield ("sort", index), {"field": name}


@rule(
    "view_sort_unfilterable",
    "view",
    N_("The view cannot be sorted by “%(field)s” quickly. Mark the field as filterable."),
)
def view_sort_unfilterable(document: Document, around: Surroundings) -> Iterator[Finding]:
    known = around.fields_of(document["object"])
    for index, entry in enumerate(document.get("sort", ())):
        name = entry.removeprefix("-")
        if name in known and not is_sortable(known[name]):
            yield ("sort", index), {"field": name}


@rule(
    "view_filter_unfilterable",
    "view",
    N_("The view filters by “%(field)s”, which is not marked as filterable."),
)
def view_filter_unfilterable(document: Document, around: Surroundings) -> Iterator[Finding]:
    known = around.fields_of(document["object"])
    for path, comparison in conditions.comparisons(document.get("filter"), ("filter",)):
        name = comparison["field"]
        if name in known and not is_filterable(known[name]):
            yield (*path, "field"), {"field": name}


def _examine(
    document: Document,
    around: Surroundings,
    examine: Callable[[Any, tuple[str | int, ...], Mapping[str, Document]], Iterator[Finding]],
) -> Iterator[Finding]:
    if around.has("object", document["object"]):
        known = {**around.fields_of(document["object"]), TIME_LIMIT: _STANDING}
        yield from examine(document.get("filter"), ("filter",), known)


@rule("view_filter_unknown_field", "view", N_("There is no field “%(field)s” to filter by."))
def view_filter_unknown_field(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.unknown_fields)


@rule(
    "view_filter_operator",
    "view",
    N_("“%(op)s” does not work on the field “%(field)s”. Use one of: %(allowed)s."),
)
def view_filter_operator(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.wrong_operators)


@rule("view_filter_value", "view", N_("“%(value)s” cannot be compared with the field “%(field)s”."))
def view_filter_value(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.wrong_values)


@rule("view_pipeline", "view", N_("There is no pipeline “%(pipeline)s” for the object of this view."))
def view_pipeline(document: Document, around: Surroundings) -> Iterator[Finding]:
    if "pipeline" not in document:
        return
    found = around.find("pipeline", document["pipeline"])
    if found is None or found["object"] != document["object"]:
        yield ("pipeline",), {"pipeline": document["pipeline"]}


@rule("board_without_pipeline", "view", N_("A board needs a pipeline: its stages are the columns."))
def board_without_pipeline(document: Document, _: Surroundings) -> Iterator[Finding]:
    if document["layout"] == "board" and "pipeline" not in document:
        yield ("layout",), {}


@rule(
    "view_lanes",
    "view",
    N_("A board cannot be divided by “%(field)s”. Use a filterable choice, yes or no, person or reference."),
)
def view_lanes(document: Document, around: Surroundings) -> Iterator[Finding]:
    yield from _of_types(document, around, "lanes", LANE_TYPES, LANE_COLUMNS)


@rule("view_date", "view", N_("A calendar cannot place records by “%(field)s”. Use a filterable date."))
def view_date(document: Document, around: Surroundings) -> Iterator[Finding]:
    yield from _of_types(document, around, "date", DATE_TYPES, DATE_COLUMNS)


@rule(
    "view_group",
    "view",
    N_("A list cannot be grouped by “%(field)s”: it needs one filterable value."),
)
def view_group(document: Document, around: Surroundings) -> Iterator[Finding]:
    yield from _of_types(document, around, "group", GROUP_TYPES, GROUP_COLUMNS)


@rule("calendar_without_date", "view", N_("A calendar needs the date by which it places records."))
def calendar_without_date(document: Document, _: Surroundings) -> Iterator[Finding]:
    if document["layout"] == "calendar" and "date" not in document:
        yield ("layout",), {}


def _of_types(
    document: Document, around: Surroundings, part: str, types: frozenset[str], columns: tuple[str, ...]
) -> Iterator[Finding]:
    name = document.get(part)
    if name is None or name in columns or not around.has("object", document["object"]):
        return
    field = around.fields_of(document["object"]).get(name)
    is_found = field is not None and (bool(field.get("x-filterable")) or field.get("x-role") == "owner")
    if field is None or field["x-type"] not in types or not is_found:
        yield (part,), {"field": name}


@rule("role_without_rights", "role", N_("People with this role may only look. Is that meant?"), "hint")
def role_without_rights(document: Document, _: Surroundings) -> Iterator[Finding]:
    if not document["rights"]:
        yield ("rights",), {}


@rule(
    "role_unknown_field",
    "role",
    N_("The rights name the field “%(field)s” of “%(object)s”, which does not exist."),
)
def role_unknown_field(document: Document, around: Surroundings) -> Iterator[Finding]:
    for object_key, key, _right in _field_rights(document):
        if key not in around.fields_of(object_key):
            yield ("fields", object_key, key), {"field": key, "object": object_key}


@rule(
    "role_unknown_answer",
    "role",
    N_("The rights name the field “%(field)s” of the feedback “%(feedback)s”, which does not exist."),
)
def role_unknown_answer(document: Document, around: Surroundings) -> Iterator[Finding]:
    for form_key, fields in document.get("feedback", {}).items():
        for key in fields:
            if f"feedback.{key}" not in around.answers_of(form_key):
                yield ("feedback", form_key, key), {"field": key, "feedback": form_key}


@rule(
    "role_hides_needed",
    "role",
    N_("“%(field)s” cannot be hidden: without name, owner and currency a record cannot be shown."),
)
def role_hides_needed(document: Document, around: Surroundings) -> Iterator[Finding]:
    for object_key, key, right in _field_rights(document):
        if right == "hidden" and around.fields_of(object_key).get(key, {}).get("x-role") in NEVER_HIDDEN:
            yield ("fields", object_key, key), {"field": key}


@rule(
    "role_cannot_fill",
    "role",
    N_(
        "“%(field)s” is required, but this role cannot fill it: its records lack it until somebody else does."
    ),
    "warn",
)
def role_cannot_fill(document: Document, around: Surroundings) -> Iterator[Finding]:
    for object_key, key, _right in _field_rights(document):
        found = around.find("object", object_key)
        if (
            found is not None
            and key in found["fields"].get("required", ())
            and "x-default" not in around.fields_of(object_key).get(key, {})
        ):
            yield ("fields", object_key, key), {"field": key}


def _field_rights(document: Document) -> Iterator[tuple[str, str, str]]:
    """Object, field and right of everything that is not simply visible."""
    for object_key, fields in document.get("fields", {}).items():
        for key, right in fields.items():
            yield object_key, key, right
