"""Lint rules that compare a document with its published version: keys never change, history hangs on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from builder.errors import N_
from builder.fieldtypes.registry import field_type
from builder.metadata.grammar import Document
from builder.metadata.lint.forms import FORMS, Path, place, properties
from builder.metadata.lint.registry import Finding, Surroundings, rule

STORED = ("object", "feedback", "pipeline", "view", "funnel", "role")


@rule("key_changed", STORED, N_("The key was “%(before)s” and never changes. Change the name instead."))
def key_changed(document: Document, around: Surroundings) -> Iterator[Finding]:
    if around.previous is not None and around.previous["key"] != document["key"]:
        yield ("key",), {"before": around.previous["key"]}


@rule(
    "object_changed",
    ("pipeline", "feedback"),
    N_("This belongs to the object “%(before)s”; that cannot change."),
)
def object_changed(document: Document, around: Surroundings) -> Iterator[Finding]:
    if around.previous is not None and around.previous["object"] != document["object"]:
        yield ("object",), {"before": around.previous["object"]}


@rule(
    "field_type_changed",
    FORMS,
    N_("“%(field)s” was of type %(before)s. Stored values would not fit; make a new field."),
)
def field_type_changed(document: Document, around: Surroundings) -> Iterator[Finding]:
    for key, before, field in _retyped(document, around):
        if not keeps_values(document["kind"], before, field):
            yield place(key, "x-type"), {"field": key, "before": before["x-type"]}
    if around.previous is not None:
        yield from _retyped_inside(around.previous["fields"], document["fields"], ("fields",))


@rule(
    "field_values_convert",
    FORMS,
    N_("“%(field)s” was of type %(before)s. Values that do not fit are put aside with their records."),
    "warn",
)
def field_values_convert(document: Document, around: Surroundings) -> Iterator[Finding]:
    for key, before, field in _retyped(document, around):
        if keeps_values(document["kind"], before, field):
            yield place(key, "x-type"), {"field": key, "before": before["x-type"]}


def keeps_values(kind: str, before: Document, field: Document) -> bool:
    """Whether a field of a document of that kind may get another type: its values are read anew.

    Answers keep the form that they were given to, so a form's fields stay what they are; and what fills a
    typed column of records has been counted in the past.
    """
    types = field_type(before["x-type"]), field_type(field["x-type"])
    has_part = "x-role" in before or "x-role" in field
    return kind == "object" and not has_part and all(one.has_texts for one in types)


def _retyped(document: Document, around: Surroundings) -> Iterator[tuple[str, Document, Document]]:
    before = properties(around.previous) if around.previous is not None else {}
    for key, field in properties(document).items():
        if key in before and before[key]["x-type"] != field["x-type"]:
            yield key, before[key], field


def _retyped_inside(before: Mapping[str, Any], form: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    """Columns of tables and fields of groups keep their types: nothing reads their values anew."""
    for key, field in form["properties"].items():
        kind = field_type(field["x-type"])
        then, now = before["properties"].get(key), kind.inner_form(field)
        if now is None or then is None or then["x-type"] != field["x-type"]:
            continue
        was = kind.inner_form(then) or {"properties": {}}
        steps = (*path, "properties", key, *kind.inner_place)
        for name, inner in now["properties"].items():
            former = was["properties"].get(name, inner)["x-type"]
            if former != inner["x-type"]:
                yield (*steps, "properties", name, "x-type"), {"field": name, "before": former}
        yield from _retyped_inside(was, now, steps)


@rule(
    "field_key_reused",
    FORMS,
    N_("“%(field)s” was once a field of type %(before)s, whose values are still stored. Take another key."),
)
def field_key_reused(document: Document, around: Surroundings) -> Iterator[Finding]:
    live = properties(around.previous) if around.previous is not None else {}
    for key, field in properties(document).items():
        before = around.former.get(key)
        if key not in live and before is not None and before != field["x-type"]:
            yield place(key, "x-type"), {"field": key, "before": before}


@rule(
    "field_removed",
    FORMS,
    N_("The field “%(field)s” is gone: its values stay stored but nobody sees them."),
    "warn",
)
def field_removed(document: Document, around: Surroundings) -> Iterator[Finding]:
    if around.previous is None:
        return
    known = properties(document)
    for key in properties(around.previous):
        if key not in known:
            yield ("fields", "properties"), {"field": key}


@rule(
    "option_removed",
    FORMS,
    N_("The option “%(option)s” is gone. Retire it instead, so that old records keep it."),
    "warn",
)
def option_removed(document: Document, around: Surroundings) -> Iterator[Finding]:
    if around.previous is None:
        return
    before = properties(around.previous)
    for key, field in properties(document).items():
        kept = {option["key"] for option in field.get("x-options", ())}
        for option in before.get(key, {}).get("x-options", ()):
            if option["key"] not in kept:
                yield place(key, "x-options"), {"option": option["key"]}


@rule(
    "stage_removed",
    "pipeline",
    N_("The stage “%(stage)s” is gone: records that stand in it must be moved."),
    "warn",
)
def stage_removed(document: Document, around: Surroundings) -> Iterator[Finding]:
    if around.previous is None:
        return
    kept = {stage["key"] for stage in document["stages"]}
    for stage in around.previous["stages"]:
        if stage["key"] not in kept:
            yield ("stages",), {"stage": stage["key"]}


@rule(
    "stage_kind_changed",
    "pipeline",
    N_("The stage “%(stage)s” was of kind “%(before)s”. History would change its meaning; make a new stage."),
)
def stage_kind_changed(document: Document, around: Surroundings) -> Iterator[Finding]:
    if around.previous is None:
        return
    before = {stage["key"]: stage["kind"] for stage in around.previous["stages"]}
    for index, stage in enumerate(document["stages"]):
        if before.get(stage["key"], stage["kind"]) != stage["kind"]:
            yield ("stages", index, "kind"), {"stage": stage["key"], "before": before[stage["key"]]}
