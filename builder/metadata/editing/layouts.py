"""Other layouts of a form: adding, changing and removing one, and what stands in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builder.errors import N_
from builder.metadata.editing.edit import NO_FIELD, Edit, Refused, key_for, named
from builder.metadata.editing.sections import index_of, laid_out, with_form
from builder.metadata.grammar import Document

MOST_LAYOUTS = 20
NO_LAYOUT = N_("This layout is no longer there. Somebody may have removed it.")
FOR_NOBODY = N_("Say for which role or in which stage this layout is used.")


def layout_at(form: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The layout of that key, or nothing."""
    return next((one for one in form.get("x-layouts", ()) if one["key"] == key), None)


def seen_through(form: Mapping[str, Any], key: str) -> Document:
    """The form with the fields and sections of one layout only. Errors: Refused when it is gone."""
    layout = layout_at(form, key)
    if layout is None:
        raise Refused(NO_LAYOUT)
    placed = [name for section in layout["sections"] for name in section["fields"]]
    properties = {name: form["properties"][name] for name in placed if name in form["properties"]}
    return {**form, "properties": properties, "x-sections": [dict(one) for one in layout["sections"]]}


@dataclass(frozen=True)
class InLayout:
    """An edit of sections, made in one layout."""

    key: str
    edit: Edit

    def apply(self, document: Document) -> Document:
        changed = self.edit.apply({"fields": seen_through(document["fields"], self.key)})
        return _with(document, self.key, {"sections": changed["fields"]["x-sections"]})


@dataclass(frozen=True)
class AddLayout:
    """A new layout, the last to be asked, which begins as a copy of the form as it is for everybody."""

    label: Mapping[str, str]
    served: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, document: Document) -> Document:
        form = document["fields"]
        before = form.get("x-layouts", [])
        if len(before) >= MOST_LAYOUTS:
            raise Refused(N_("A form has room for %(limit)s layouts."), limit=MOST_LAYOUTS)
        sections = [dict(one) for one in laid_out(form)["x-sections"]]
        made = {
            "key": self.key_in(document),
            "label": named(self.label),
            "for": _served(self.served),
            "sections": sections,
        }
        return with_form(document, {**form, "x-layouts": [*before, made]})

    def key_in(self, document: Document) -> str:
        """The key that it gets. Errors: Refused without a name."""
        taken = {one["key"] for one in document["fields"].get("x-layouts", ())}
        return key_for(named(self.label), taken, "layout")


@dataclass(frozen=True)
class ChangeLayout:
    """The name of a layout and whom it serves: ``roles``, and ``stages`` by pipeline."""

    key: str
    label: Mapping[str, str]
    served: Mapping[str, Any]

    def apply(self, document: Document) -> Document:
        return _with(document, self.key, {"label": named(self.label), "for": _served(self.served)})


@dataclass(frozen=True)
class StepLayout:
    """Ask a layout earlier (-1) or later (1) than its neighbour."""

    key: str
    step: int

    def apply(self, document: Document) -> Document:
        layouts, place = _place(document, self.key)
        other = min(max(place + self.step, 0), len(layouts) - 1)
        layouts[place], layouts[other] = layouts[other], layouts[place]
        return with_form(document, {**document["fields"], "x-layouts": layouts})


@dataclass(frozen=True)
class RemoveLayout:
    """Take a layout away; those whom it served get the next one that serves them."""

    key: str

    def apply(self, document: Document) -> Document:
        layouts, place = _place(document, self.key)
        layouts.pop(place)
        form = {name: one for name, one in document["fields"].items() if name != "x-layouts"}
        return with_form(document, {**form, "x-layouts": layouts} if layouts else form)


@dataclass(frozen=True)
class PutIn:
    """Put a field into a section of a layout, at its end; ``section`` empty takes it out of the layout."""

    key: str
    field: str
    section: str = ""

    def apply(self, document: Document) -> Document:
        layouts, place = _place(document, self.key)
        if self.field not in document["fields"]["properties"]:
            raise Refused(NO_FIELD)
        sections = [
            {**one, "fields": [name for name in one["fields"] if name != self.field]}
            for one in layouts[place]["sections"]
        ]
        if self.section:
            at = index_of(sections, self.section)
            sections[at] = {**sections[at], "fields": [*sections[at]["fields"], self.field]}
        return _with(document, self.key, {"sections": sections})


def without_field(layouts: Sequence[Document], key: str) -> list[Document]:
    """All layouts without a field that is gone."""
    return [
        {
            **layout,
            "sections": [
                {**one, "fields": [name for name in one["fields"] if name != key]}
                for one in layout["sections"]
            ],
        }
        for layout in layouts
    ]


def _served(served: Mapping[str, Any]) -> Document:
    kept = {name: one for name, one in served.items() if one}
    if not kept:
        raise Refused(FOR_NOBODY, "roles")
    return kept


def _place(document: Document, key: str) -> tuple[list[Document], int]:
    layouts = list(document["fields"].get("x-layouts", ()))
    for place, one in enumerate(layouts):
        if one["key"] == key:
            return layouts, place
    raise Refused(NO_LAYOUT)


def _with(document: Document, key: str, settings: Mapping[str, Any]) -> Document:
    layouts, place = _place(document, key)
    layouts[place] = {**layouts[place], **settings}
    return with_form(document, {**document["fields"], "x-layouts": layouts})
