"""The form as the designer draws it: sections with their fields, what is wrong with each, and the palette."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from blueprints.languages import language
from blueprints.messages import told
from builder.domain.labels import Label
from builder.fieldtypes.base import FieldType
from builder.fieldtypes.registry import all_types, field_type
from builder.metadata.editing.inside import form_at
from builder.metadata.editing.places import sort_problems
from builder.metadata.editing.sections import laid_out
from builder.metadata.grammar import DefinitionProblem, type_meta_schema
from builder.metadata.lint.totals import OF_RECORDS
from builder.queries.designs import Design


@dataclass(frozen=True, slots=True)
class PaletteType:
    """A field type that can be added: how it is called, drawn and explained."""

    key: str
    label: str
    icon: str
    help: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint says, in words. ``severity``: error, warn or hint."""

    text: str
    severity: str


@dataclass(frozen=True, slots=True)
class CanvasField:
    """A field on the canvas. ``is_new``: not published yet; ``ruled``: how many rules act on it;
    ``holds``: how many fields are inside it.
    """

    key: str
    label: str
    type: PaletteType
    is_required: bool
    is_new: bool
    ruled: int
    holds: int
    findings: tuple[Finding, ...]

    @property
    def is_wrong(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class CanvasSection:
    key: str
    label: str
    help: str
    columns: int
    fields: tuple[CanvasField, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Canvas:
    """``rest``: what is wrong with none of the fields, sections or rules. ``rules``: findings by number."""

    sections: tuple[CanvasSection, ...]
    rules: Mapping[int, tuple[Finding, ...]]
    rest: tuple[Finding, ...]
    count: int
    errors: int


@lru_cache(maxsize=8)
def _all_types(locale: str) -> Mapping[str, PaletteType]:
    found = {}
    for kind in all_types():
        schema: Mapping[str, Any] = type_meta_schema(kind.key) or {}
        text = str(schema.get(f"x-description-{locale}") or schema.get("description", ""))
        found[kind.key] = PaletteType(kind.key, kind.label.text(locale), kind.icon, text)
    return found


def palette(design: Design) -> Sequence[PaletteType]:
    """The types that fields of the form that is looked at can have, in the order of the registry."""
    outside = () if design.is_of_record else OF_RECORDS
    kinds = [one for one in all_types() if one.key not in outside]
    if design.path and not _type_around(design).is_group:
        kinds = [one for one in kinds if not (one.is_group or one.inner_place)]  # rows hold single values
    offered = _all_types(language())
    return [offered[one.key] for one in kinds]


def _type_around(design: Design) -> FieldType:
    """The type of the field that holds the form that is looked at."""
    around = form_at(design.whole_form, design.path[:-1]) or {}
    return field_type(around["properties"][design.path[-1]]["x-type"])


def palette_type(key: str) -> PaletteType:
    """Errors: UnknownFieldType."""
    return _all_types(language())[field_type(key).key]


def canvas_of(design: Design) -> Canvas:
    """The present form of a design, with every problem where it belongs."""
    form = laid_out(design.form)
    # Pointers count in the document that was checked; a section made here by laying out is behind those.
    found = sort_problems(design.form, design.problems_here)
    required, live = set(form.get("required", ())), design.live_fields
    ruled = _ruled(form)

    def fields(keys: Sequence[str]) -> Iterator[CanvasField]:
        for key in keys:
            document = form["properties"][key]
            yield CanvasField(
                key,
                Label.of(document["x-label"]).text(language()) or key,
                palette_type(document["x-type"]),
                key in required,
                key not in live,
                ruled.get(key, 0),
                len((form_at(form, (key,)) or {}).get("properties", ())),
                _findings(found.fields.get(key, ())),
            )

    sections = tuple(
        CanvasSection(
            section["key"],
            Label.of(section["label"]).text(language()),
            Label.of(section.get("help")).text(language()),
            1 if design.path else section.get("columns", 2),
            tuple(fields(section["fields"])),
            _findings(found.sections.get(section["key"], ())),
        )
        for section in form["x-sections"]
    )
    return Canvas(
        sections,
        {number: _findings(problems) for number, problems in found.rules.items()},
        _findings(found.rest),
        len(form["properties"]),
        sum(problem.is_error for problem in design.problems),
    )


def _ruled(form: Mapping[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for rule in form.get("x-rules", ()):
        for key in rule["fields"]:
            counts[key] = counts.get(key, 0) + 1
    return counts


def _findings(problems: Sequence[DefinitionProblem]) -> tuple[Finding, ...]:
    return tuple(Finding(told(problem), problem.severity) for problem in problems)
