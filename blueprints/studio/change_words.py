"""Differences, concerns and problems of definitions, as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from blueprints.languages import LANGUAGES, language
from blueprints.messages import told
from blueprints.scope import Scope
from blueprints.workspace.filter_words import in_words
from blueprints.workspace.rule_subjects import live_subjects
from blueprints.workspace.shown import field_context, names_in
from blueprints.workspace.subjects import Subject, subjects_of
from builder.domain.conditions import fields_of, kind_of, parse
from builder.domain.fields import FieldDefinition
from builder.domain.kinds import ConditionError
from builder.domain.labels import Label
from builder.metadata.differences import Difference, differences, named_path
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.merging import ABSENT, Contradiction, found_at
from builder.queries.impact import Touched
from builder.queries.people import departments

KINDS = {
    "object": lazy_gettext("Object"),
    "feedback": lazy_gettext("Feedback form"),
    "pipeline": lazy_gettext("Process"),
    "view": lazy_gettext("View"),
    "funnel": lazy_gettext("Funnel"),
    "role": lazy_gettext("Role"),
    "pack_install": lazy_gettext("Industry template"),
}
SOURCES = {
    "studio": lazy_gettext("Studio"),
    "pack": lazy_gettext("Industry template"),
    "file": lazy_gettext("File"),
    "import": lazy_gettext("Import"),
    "rollback": lazy_gettext("Taken back"),
}
_ARROW = " › "
_LONGEST = 160


@dataclass(frozen=True)
class ChangeLine:
    """One difference: where, what happened (added, removed, changed, moved), and both values in words."""

    where: str
    what: str
    before: str = ""
    after: str = ""


def change_lines(here: Scope, kind: str, before: Document | None, after: Document | None) -> list[ChangeLine]:
    """What changed in one definition, a line each."""
    names = dict(_names(here, before or {})) | dict(_names(here, after or {}))
    document = after or before or {}
    words = _Words(here, names, str(document.get("object") or document.get("key")))
    found = differences(kind, before, after)
    if kind == "pack_install":  # checksums and the like are for merging, not for reading
        found = tuple(each for each in found if each.place == "/version")
    return [words.line(each) for each in found if each.path]


def contradiction_line(
    here: Scope, kind: str, ours: Document, theirs: Document, found: Contradiction
) -> ChangeLine:
    """A place that two sides changed in different ways: ``before`` stands here, ``after`` there."""
    names = dict(_names(here, theirs)) | dict(_names(here, ours))
    words = _Words(here, names, str(ours.get("object") or ours.get("key")))
    for document in (ours, theirs):
        place = found_at(document, found.mark)
        if place is not None:
            path = named_path(kind, document, place)
            break
    else:
        path = ()
    sides = [None if value is ABSENT else value for value in (found.ours, found.theirs)]
    return words.line(Difference("changed", path, found.mark, *sides))


def problem_line(problem: DefinitionProblem, document: Document | None) -> str:
    """A problem with the place at which it stands, as people call it."""
    path = named_path(document["kind"], document, problem.place) if document else ()
    where = _ARROW.join(label.text(language()) for label in path)
    return f"{where}{gettext(': ')}{told(problem)}" if where else told(problem)


def concern_words(touched: Touched) -> str:
    """What a change means for records and people that are there, in a sentence."""
    concern, count = touched.concern, touched.count
    label = concern.label.text(language())
    match concern.kind:
        case "field_required":
            return ngettext(
                "“%(label)s” becomes required and is empty in %(num)s open record. It can stay so until"
                " the record moves on.",
                "“%(label)s” becomes required and is empty in %(num)s open records. They can stay so until"
                " the records move on.",
                count,
                label=label,
            )
        case "field_removed":
            return ngettext(
                "“%(label)s” goes; it is filled in %(num)s record. The value stays stored, but nobody sees"
                " it.",
                "“%(label)s” goes; it is filled in %(num)s records. The values stay stored, but nobody sees"
                " them.",
                count,
                label=label,
            )
        case "type_changed":
            return ngettext(
                "“%(label)s” gets another type; %(num)s record holds a value. If it does not fit, it is put"
                " aside with the record; the field's panel says so beforehand.",
                "“%(label)s” gets another type; %(num)s records hold a value. Those that do not fit are put"
                " aside with their records; the field's panel lists them beforehand.",
                count,
                label=label,
            )
        case "option_removed":
            return ngettext(
                "The option “%(label)s” goes; %(num)s record has it. Retire it instead, so that it stays"
                " readable.",
                "The option “%(label)s” goes; %(num)s records have it. Retire it instead, so that it stays"
                " readable.",
                count,
                label=label,
            )
        case "stage_removed":
            return ngettext(
                "The stage “%(label)s” goes; %(num)s open record stands in it.",
                "The stage “%(label)s” goes; %(num)s open records stand in it.",
                count,
                label=label,
            )
        case "pipeline_changed":
            return ngettext(
                "“%(label)s” changes; %(num)s open record is in it.",
                "“%(label)s” changes; %(num)s open records are in it.",
                count,
                label=label,
            )
        case "role_changed":
            return ngettext(
                "“%(label)s” changes for %(num)s person.",
                "“%(label)s” changes for %(num)s people.",
                count,
                label=label,
            )


def condition_words(here: Scope, object_key: str, document: Document) -> str:
    """A stored condition about records of an object, as people say it; empty when it cannot be read."""
    try:
        condition = parse(dict(document))
    except ConditionError:
        return ""
    asked = fields_of(condition)
    subjects = subjects_of(here, object_key, asked) if object_key in here.catalog.objects else {}
    # Gates may ask about more than filters: any field, and the answers of feedback.
    for name in asked.difference(subjects):
        field = _field_of(here, object_key, name)
        if field is not None:
            subjects[name] = Subject(name, field.label.text(language()), kind_of(name, {name: field}), field)
    if not asked <= subjects.keys():
        # Rules of processes ask about referred records and the person who starts, too.
        subjects = {**live_subjects(here, object_key), **subjects}
    return in_words(condition, subjects, field_context(here))


def _field_of(here: Scope, object_key: str, name: str) -> FieldDefinition | None:
    """A field of the object, or of a feedback form for its records (``feedback.<key>``)."""
    if not name.startswith("feedback."):
        definition = here.catalog.objects.get(object_key)
        return definition.fields.by_key.get(name) if definition else None
    key = name.removeprefix("feedback.")
    forms = (form for form in here.catalog.feedback.values() if form.object_key == object_key)
    return next((form.fields.by_key[key] for form in forms if key in form.fields.by_key), None)


def _names(here: Scope, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What keys are called: languages, roles, objects, forms, processes, the document's stages and fields."""
    yield from LANGUAGES.items()
    if document.get("processes", {}).get("departments"):
        for node in departments(here.session):
            yield str(node.id), node.name
    for known in (here.catalog.roles, here.catalog.pipelines, here.catalog.objects, here.catalog.feedback):
        for key, definition in known.items():
            yield key, definition.label.text(language())
    fields = document.get("fields")
    properties = fields.get("properties", {}) if isinstance(fields, Mapping) else {}
    for key, field in properties.items():
        yield key, Label.of(field.get("x-label") or key).text(language())
    for stage in document.get("stages", ()):
        yield stage["key"], Label.of(stage.get("label") or stage["key"]).text(language())


class _Words:
    """Values of one definition, in words."""

    def __init__(self, here: Scope, names: Mapping[str, str], object_key: str) -> None:
        self._here = here
        self._names = names
        self._object_key = object_key

    def line(self, difference: Difference) -> ChangeLine:
        where = _ARROW.join(self._called(label) for label in difference.path)
        if difference.what in ("added", "removed") and _is_thing(difference.after or difference.before):
            return ChangeLine(where, difference.what)
        before, after = self._text(difference.before), self._text(difference.after)
        return ChangeLine(where, difference.what, before, after)

    def _called(self, label: Label) -> str:
        """A level of the path; steps between stages (``a→b``) are named by their keys alone."""
        text = label.text(language())
        return " → ".join(self._names.get(part, part) for part in text.split("→"))

    def _text(self, value: Any) -> str:
        text = self._plain(value)
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

    def _plain(self, value: Any) -> str:
        match value:
            case None:
                return ""
            case bool():
                return gettext("Yes") if value else gettext("No")
            case str():
                return self._names.get(value, value)
            case int() | float():
                return str(value)
            case list():
                return names_in([self._plain(each) for each in value])
            case dict():
                return self._condition(value) or self._mapping(value)
        return str(value)

    def _mapping(self, value: Mapping[str, Any]) -> str:
        if value and all(isinstance(each, str) for each in value.values()):
            return Label.of(value).text(language())
        if "label" in value:
            return Label.of(value["label"]).text(language())
        parts = (f"{key}{gettext(': ')}{self._plain(each)}" for key, each in value.items())
        return "; ".join(parts)

    def _condition(self, value: Mapping[str, Any]) -> str:
        if not value.keys() & {"all", "any", "not", "op"}:
            return ""
        return condition_words(self._here, self._object_key, dict(value))


def _is_thing(value: Any) -> bool:
    """Something with a name of its own, which the place tells already."""
    return isinstance(value, Mapping) and bool(value.keys() & {"label", "x-label"})
