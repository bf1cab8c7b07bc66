"""The fields of a form: adding, changing and removing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.errors import N_
from builder.fieldtypes.registry import UnknownFieldType, field_type
from builder.metadata.editing.edit import LONGEST_TEXT, NO_FIELD, Refused, key_for, named, patched, texts
from builder.metadata.editing.layouts import without_field
from builder.metadata.editing.sections import index_of, laid_out, with_form
from builder.metadata.grammar import Document

MOST_FIELDS = 300
UNKNOWN_TYPE = N_("There is no such field type.")
# What belongs to the type and is edited elsewhere, so it stays when settings are put in.
_OBJECT_LISTS = ("search", "duplicate_keys")


@dataclass(frozen=True)
class AddField:
    """A new field of a type, called ``label`` by language, in ``section`` (the last one where it is not
    named) at ``position`` (its end).

    ``settings``: what the type cannot be without (``FieldType.starting``). ``taken``: keys that fields of
    earlier versions had, whose values are still stored.
    """

    type: str
    label: Mapping[str, str]
    section: str = ""
    position: int | None = None
    is_required: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()

    def apply(self, document: Document) -> Document:
        try:
            field_type(self.type)
        except UnknownFieldType:
            raise Refused(UNKNOWN_TYPE) from None
        form = laid_out(document["fields"])
        if len(form["properties"]) >= MOST_FIELDS:
            raise Refused(N_("A form has room for %(limit)s fields."), limit=MOST_FIELDS)
        label = named(self.label)
        key = self.key_in(document)
        made = {"x-type": self.type, "x-label": label, **self.settings}
        form = {**form, "properties": {**form["properties"], key: made}}
        sections = form["x-sections"] or laid_out(form)["x-sections"]
        place = index_of(sections, self.section) if self.section else len(sections) - 1
        keys = [other for other in sections[place]["fields"] if other != key]
        keys.insert(len(keys) if self.position is None else max(0, self.position), key)
        sections[place] = {**sections[place], "fields": keys}
        return _required(with_form(document, {**form, "x-sections": sections}), key, self.is_required)

    def key_in(self, document: Document) -> str:
        """The key that the new field gets. Errors: Refused without a name."""
        taken = self.taken | document["fields"]["properties"].keys()
        return key_for(named(self.label), taken, self.type)


@dataclass(frozen=True)
class ChangeField:
    """New settings of a field: what ``settings`` names is put in, ``None`` takes it away.

    ``type``: another type, for a field that is not published yet.
    """

    key: str
    label: Mapping[str, str]
    help: Mapping[str, str] = field(default_factory=dict)
    is_required: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, document: Document) -> Document:
        form = document["fields"]
        before = form["properties"].get(self.key)
        if before is None:
            raise Refused(NO_FIELD)
        common = {
            "x-label": named(self.label),
            "x-help": texts(self.help, "help", longest=LONGEST_TEXT) or None,
        }
        changed = patched(before, {**self.settings, **common})
        form = {**form, "properties": {**form["properties"], self.key: changed}}
        return _required(with_form(document, form), self.key, self.is_required)


@dataclass(frozen=True)
class StopRequiring:
    """Let a field stand on the form without being required."""

    key: str

    def apply(self, document: Document) -> Document:
        if self.key not in document["fields"]["properties"]:
            raise Refused(NO_FIELD)
        return _required(document, self.key, False)


@dataclass(frozen=True)
class ChangeType:
    """Make a field one of another type: name, help and what every type has stay, the rest begins anew."""

    key: str
    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, document: Document) -> Document:
        try:
            kind = field_type(self.type)
        except UnknownFieldType:
            raise Refused(UNKNOWN_TYPE) from None
        form = document["fields"]
        before = form["properties"].get(self.key)
        if before is None:
            raise Refused(NO_FIELD)
        kept = {name: before[name] for name in ("x-label", "x-help", "x-hidden") if name in before}
        if before.get("x-filterable") and kind.slot:
            kept["x-filterable"] = True
        if "x-options" in before and "x-options" in self.settings:
            kept["x-options"] = before["x-options"]
        made = {"x-type": self.type, **self.settings, **kept}
        return with_form(document, {**form, "properties": {**form["properties"], self.key: made}})


@dataclass(frozen=True)
class RemoveField:
    """Take a field out of the form, its section, the required ones, and the lists of its object.

    Rules lose it as a target. Conditions and formulas that ask for it stay, and lint names them: what they
    should ask instead is for people to say.
    """

    key: str

    def apply(self, document: Document) -> Document:
        form = laid_out(document["fields"])
        if self.key not in form["properties"]:
            raise Refused(NO_FIELD)
        kept = {key: value for key, value in form["properties"].items() if key != self.key}
        sections = [
            {**section, "fields": [key for key in section["fields"] if key != self.key]}
            for section in form["x-sections"]
        ]
        form = {**form, "properties": kept, "x-sections": sections}
        if "x-layouts" in form:
            form["x-layouts"] = without_field(form["x-layouts"], self.key)
        if "x-rules" in form:
            form["x-rules"] = [rule for rule in map(self._without, form["x-rules"]) if rule["fields"]]
        document = _required(with_form(document, form), self.key, False)
        return self._forgotten(document)

    def _without(self, rule: Document) -> Document:
        return {**rule, "fields": [key for key in rule["fields"] if key != self.key]}

    def _forgotten(self, document: Document) -> Document:
        found = dict(document)
        for name in _OBJECT_LISTS:
            if self.key in found.get(name, ()):
                found[name] = [key for key in found[name] if key != self.key]
        listing = found.get("list")
        if listing:
            parts = {
                name: [key for key in listing[name] if key.removeprefix("-") != self.key]
                for name in ("columns", "sort")
                if name in listing
            }
            found["list"] = {**listing, **parts}
        return found


@dataclass(frozen=True)
class TakeIn:
    """Add the fields of another form (what a JSON Schema was read as) with its sections, at the end.

    Fields whose keys are taken are left out, for values may be stored under them; so are the rules.
    """

    form: Mapping[str, Any]
    taken: frozenset[str] = frozenset()

    def apply(self, document: Document) -> Document:
        form = laid_out(document["fields"])
        theirs = laid_out(self.form)
        known = self.taken | form["properties"].keys()
        added = {key: field for key, field in theirs["properties"].items() if key not in known}
        if not added:
            raise Refused(
                N_("It has no field that could be added: all are here already, or none fits."), "schema"
            )
        if len(form["properties"]) + len(added) > MOST_FIELDS:
            raise Refused(N_("A form has room for %(limit)s fields."), limit=MOST_FIELDS)
        keys = {section["key"] for section in form["x-sections"]}
        sections = []
        for section in theirs["x-sections"]:
            inside = [key for key in section["fields"] if key in added]
            if inside:
                key = key_for(section["label"], keys, "section")
                keys.add(key)
                sections.append({**section, "key": key, "fields": inside})
        required = [key for key in theirs.get("required", ()) if key in added]
        return with_form(
            document,
            {
                **form,
                "properties": {**form["properties"], **added},
                "required": [*form.get("required", ()), *required],
                "x-sections": [*form["x-sections"], *sections],
            },
        )


def _required(document: Document, key: str, is_required: bool) -> Document:
    form = document["fields"]
    required = [other for other in form.get("required", ()) if other != key]
    if is_required:
        required.append(key)
    changed = {**form, "required": required}
    if not required and "required" not in form:
        del changed["required"]
    return with_form(document, changed)
