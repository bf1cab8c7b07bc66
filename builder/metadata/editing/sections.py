"""Where the fields of a form stand: sections, their order, and fields within them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.errors import N_
from builder.metadata.editing.edit import (
    LONGEST_TEXT,
    NO_FIELD,
    NO_SECTION,
    Refused,
    key_for,
    named,
    patched,
    texts,
)
from builder.metadata.grammar import Document

FIRST = {"en": "Details", "zh_Hans": "基本信息"}
REST = {"en": "More", "zh_Hans": "其他"}
MOST_SECTIONS = 40
MOST_COLUMNS = 3


def laid_out(form: Mapping[str, Any]) -> Document:
    """The form with every field in exactly one section.

    A stored document has its keys sorted, so only sections keep an order: fields that stand in none are
    gathered at the end, in a section of their own, in the order in which forms show them.
    """
    known, placed = form.get("properties", {}), set()
    sections: list[Document] = []
    for section in form.get("x-sections", ()):
        keys = [key for key in dict.fromkeys(section["fields"]) if key in known and key not in placed]
        placed.update(keys)
        sections.append({**section, "fields": keys})
    rest = [key for key in known if key not in placed]
    if rest:
        label = REST if sections else FIRST
        taken = {section["key"] for section in sections}
        sections.append({"key": key_for(label, taken, "section"), "label": label, "fields": rest})
    return {**form, "x-sections": sections}


def with_form(document: Document, form: Document) -> Document:
    return {**document, "fields": form}


def _sections(document: Document) -> tuple[Document, list[Document]]:
    form = laid_out(document["fields"])
    return form, form["x-sections"]


def _with_sections(document: Document, form: Document, sections: Iterable[Document]) -> Document:
    return with_form(document, {**form, "x-sections": list(sections)})


def index_of(sections: list[Document], key: str) -> int:
    """Errors: Refused when there is no such section."""
    for index, section in enumerate(sections):
        if section["key"] == key:
            return index
    raise Refused(NO_SECTION)


@dataclass(frozen=True)
class AddSection:
    """A new, empty section at the end."""

    label: Mapping[str, str]
    columns: int = 2

    def apply(self, document: Document) -> Document:
        form, sections = _sections(document)
        if len(sections) >= MOST_SECTIONS:
            raise Refused(N_("A form has room for %(limit)s sections."), limit=MOST_SECTIONS)
        label = named(self.label)
        key = key_for(label, {section["key"] for section in sections}, "section")
        made = {"key": key, "label": label, "columns": self.columns, "fields": []}
        return _with_sections(document, form, [*sections, made])


@dataclass(frozen=True)
class ChangeSection:
    """Heading, help and columns of a section."""

    key: str
    label: Mapping[str, str]
    help: Mapping[str, str] = field(default_factory=dict)
    columns: int = 2

    def apply(self, document: Document) -> Document:
        form, sections = _sections(document)
        place = index_of(sections, self.key)
        if not 1 <= self.columns <= MOST_COLUMNS:
            raise Refused(N_("A section has one to three columns."), "columns")
        settings = {
            "label": named(self.label),
            "help": texts(self.help, "help", longest=LONGEST_TEXT) or None,
            "columns": self.columns,
        }
        sections[place] = patched(sections[place], settings)
        return _with_sections(document, form, sections)


@dataclass(frozen=True)
class RemoveSection:
    """Take a section away; its fields move to the one before, or to the one after."""

    key: str

    def apply(self, document: Document) -> Document:
        form, sections = _sections(document)
        place = index_of(sections, self.key)
        gone = sections.pop(place)
        if gone["fields"] and not sections:
            raise Refused(N_("The last section stays as long as it holds fields."))
        if gone["fields"]:
            heir = max(place - 1, 0)
            kept = sections[heir]["fields"]
            moved = [*kept, *gone["fields"]] if place else [*gone["fields"], *kept]
            sections[heir] = {**sections[heir], "fields": moved}
        return _with_sections(document, form, sections)


@dataclass(frozen=True)
class StepSection:
    """Move a section up (-1) or down (1) among the others."""

    key: str
    step: int

    def apply(self, document: Document) -> Document:
        form, sections = _sections(document)
        place = index_of(sections, self.key)
        other = min(max(place + self.step, 0), len(sections) - 1)
        sections[place], sections[other] = sections[other], sections[place]
        return _with_sections(document, form, sections)


@dataclass(frozen=True)
class StepField:
    """Move a field up (-1) or down (1); beyond the end of its section it goes into the next one."""

    key: str
    step: int

    def apply(self, document: Document) -> Document:
        form, sections = _sections(document)
        place = next((i for i, section in enumerate(sections) if self.key in section["fields"]), None)
        if place is None:
            raise Refused(NO_FIELD)
        keys = list(sections[place]["fields"])
        at = keys.index(self.key)
        if 0 <= at + self.step < len(keys):
            keys[at], keys[at + self.step] = keys[at + self.step], keys[at]
            sections[place] = {**sections[place], "fields": keys}
        elif 0 <= place + self.step < len(sections):
            other = place + self.step
            keys.remove(self.key)
            theirs = sections[other]["fields"]
            there = [self.key, *theirs] if self.step > 0 else [*theirs, self.key]
            sections[place] = {**sections[place], "fields": keys}
            sections[other] = {**sections[other], "fields": there}
        return _with_sections(document, form, sections)


@dataclass(frozen=True)
class MoveField:
    """Put a field into a section, at its end or at ``position`` (0 is first)."""

    key: str
    section: str
    position: int | None = None

    def apply(self, document: Document) -> Document:
        form, sections = _sections(document)
        if self.key not in form["properties"]:
            raise Refused(NO_FIELD)
        place = index_of(sections, self.section)
        for index, section in enumerate(sections):
            sections[index] = {**section, "fields": [key for key in section["fields"] if key != self.key]}
        keys = list(sections[place]["fields"])
        keys.insert(len(keys) if self.position is None else max(0, self.position), self.key)
        sections[place] = {**sections[place], "fields": keys}
        return _with_sections(document, form, sections)


@dataclass(frozen=True)
class Arrange:
    """All sections in their order, each with its fields in theirs, as somebody has dragged them."""

    order: tuple[tuple[str, tuple[str, ...]], ...]

    def apply(self, document: Document) -> Document:
        form, sections = _sections(document)
        known = {section["key"]: section for section in sections}
        named_fields = [key for _, keys in self.order for key in keys]
        is_whole = sorted(named_fields) == sorted(form["properties"])
        if sorted(key for key, _ in self.order) != sorted(known) or not is_whole:
            raise Refused(N_("The new order must name each section and each field once."))
        return _with_sections(
            document, form, [{**known[key], "fields": list(keys)} for key, keys in self.order]
        )
