"""Lint rules for the layouts of a form: what stands in them is there, and so are those whom they serve."""

from __future__ import annotations

from collections.abc import Iterator

from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint.forms import FORMS, Path, properties
from builder.metadata.lint.registry import Finding, Surroundings, rule, twice


def _layouts(document: Document) -> Iterator[tuple[Path, Document]]:
    for index, layout in enumerate(document["fields"].get("x-layouts", ())):
        yield ("fields", "x-layouts", index), layout


@rule("duplicate_layout_key", FORMS, N_("Two layouts have the key “%(name)s”. Give one of them another key."))
def duplicate_layout_key(document: Document, _: Surroundings) -> Iterator[Finding]:
    return twice(((*path, "key"), layout["key"]) for path, layout in _layouts(document))


@rule("layout_unknown_field", FORMS, N_("The layout names “%(field)s”, but there is no such field."))
def layout_unknown_field(document: Document, _: Surroundings) -> Iterator[Finding]:
    known = properties(document)
    for path, layout in _layouts(document):
        for index, section in enumerate(layout["sections"]):
            for number, key in enumerate(section["fields"]):
                if key not in known:
                    yield (*path, "sections", index, "fields", number), {"field": key}


@rule(
    "layout_unknown_role", FORMS, N_("The layout is for the role “%(role)s”, which does not exist."), "warn"
)
def layout_unknown_role(document: Document, around: Surroundings) -> Iterator[Finding]:
    for path, layout in _layouts(document):
        for number, role in enumerate(layout["for"].get("roles", ())):
            if not around.has("role", role):
                yield (*path, "for", "roles", number), {"role": role}


@rule(
    "layout_unknown_stage",
    FORMS,
    N_("The layout is for the stage “%(stage)s” of “%(pipeline)s”, which does not exist."),
    "warn",
)
def layout_unknown_stage(document: Document, around: Surroundings) -> Iterator[Finding]:
    for path, layout in _layouts(document):
        for pipeline, stages in layout["for"].get("stages", {}).items():
            known = {one["key"] for one in (around.find("pipeline", pipeline) or {}).get("stages", ())}
            for number, stage in enumerate(stages):
                if stage not in known:
                    yield (
                        (*path, "for", "stages", pipeline, number),
                        {"stage": stage, "pipeline": pipeline},
                    )
