"""Layouts of a form for roles and stages: chosen, added, arranged and removed beside the form (part 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.languages import language
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.designer import Chosen, Told, address, read
from blueprints.studio.form_edits import make
from blueprints.studio.properties import texts_in, texts_of
from builder.domain.labels import Label
from builder.errors import Invalid, NotFound
from builder.metadata.editing.layouts import (
    AddLayout,
    ChangeLayout,
    PutIn,
    RemoveLayout,
    StepLayout,
    layout_at,
)
from builder.queries.designs import Design

PANEL = Chosen(panel="layout")


@dataclass(frozen=True)
class LayoutTab:
    """One layout to choose; ``key`` is empty for the form as it is for everybody."""

    key: str
    label: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class Choice:
    """A role, or a stage of a process, that a layout may be for; ``value`` as the form sends it."""

    value: str
    label: str
    is_ticked: bool


@dataclass
class LayoutForm:
    """What the panel of a layout shows: as stored, or as sent. ``stages``: choices by process."""

    label: Mapping[str, str]
    roles: list[Choice]
    stages: list[tuple[str, list[Choice]]]
    is_new: bool
    left_out: list[tuple[str, str]] = field(default_factory=list)


def layout_facts(design: Design, chosen: Chosen, said: Told) -> dict[str, Any]:
    """The tabs above the canvas, and the panel of the layout that is looked at or of a new one."""
    layouts = design.whole_form.get("x-layouts", ())
    tabs = [LayoutTab("", gettext("For everybody"), address(design.at("")), not design.layout)]
    tabs += [
        LayoutTab(
            one["key"],
            _name(one["label"]) or one["key"],
            address(design.at(f"@{one['key']}")),
            design.layout == one["key"],
        )
        for one in layouts
    ]
    is_asked = design.layout or chosen.panel == "layout"
    return {
        "layouts": [] if design.path else tabs,
        "layout": design.layout,
        "layout_form": _form(design, said.typed) if is_asked else None,
    }


def _form(design: Design, typed: MultiDict[str, str] | None) -> LayoutForm:
    stored = layout_at(design.whole_form, design.layout) or {"label": {}, "for": {}}
    roles = set(typed.getlist("roles") if typed else stored["for"].get("roles", ()))
    there = {f"{p}/{s}" for p, keys in stored["for"].get("stages", {}).items() for s in keys}
    stages = set(typed.getlist("stages")) if typed else there
    around = design.around.documents
    known = [
        Choice(key, _name(role["label"]) or key, key in roles) for key, role in around.get("role", {}).items()
    ]
    processes = []
    for key, one in around.get("pipeline", {}).items() if design.kind == "object" else ():
        if one["object"] == design.object_key:
            choices = [
                Choice(f"{key}/{stage['key']}", _name(stage["label"]), f"{key}/{stage['key']}" in stages)
                for stage in one["stages"]
            ]
            processes.append((_name(one["label"]) or key, choices))
    placed = design.form["properties"] if design.layout else design.whole_form["properties"]
    left_out = [
        (key, _name(one["x-label"]) or key)
        for key, one in design.whole_form["properties"].items()
        if key not in placed
    ]
    label = texts_in(typed, "label") if typed else texts_of(stored["label"])
    return LayoutForm(label, known, processes, not design.layout, left_out)


def _name(label: Any) -> str:
    return Label.of(label).text(language())


def _served() -> dict[str, Any]:
    """Whom the sent form says the layout is for."""
    stages: dict[str, list[str]] = {}
    for text in request.form.getlist("stages"):
        pipeline, _, stage = text.partition("/")
        if pipeline and stage:
            stages.setdefault(pipeline, []).append(stage)
    return {"roles": list(dict.fromkeys(request.form.getlist("roles"))), "stages": stages}


@studio.post("/<any(objects, forms):area>/<key>/layouts/add")
def add_layout(area: str, key: str) -> Response:
    """A new layout: a copy of the form as it is for everybody, for certain roles or stages."""
    here = scope()
    design = read(here, area, key)
    edit = AddLayout(texts_in(request.form, "label"), _served())
    try:
        after = f"@{edit.key_in(design.document)}"
    except Invalid:
        after = ""  # without a proper name it is refused, and said beside the name
    return make(here, design, edit, Chosen(), PANEL, to=after)


@studio.post("/<any(objects, forms):area>/<key>/layouts/<layout_key>")
def change_layout(area: str, key: str, layout_key: str) -> Response:
    """The name of a layout and whom it is for."""
    here = scope()
    design = _at(here, area, key, layout_key)
    return make(here, design, ChangeLayout(layout_key, texts_in(request.form, "label"), _served()), Chosen())


@studio.post("/<any(objects, forms):area>/<key>/layouts/<layout_key>/step")
def step_layout(area: str, key: str, layout_key: str) -> Response:
    """Ask it earlier or later than its neighbour: the first that fits decides."""
    here = scope()
    design = _at(here, area, key, layout_key)
    return make(here, design, StepLayout(layout_key, -1 if "up" in request.form else 1), Chosen())


@studio.post("/<any(objects, forms):area>/<key>/layouts/<layout_key>/fields")
def put_in_layout(area: str, key: str, layout_key: str) -> Response:
    """Put a field into a section of the layout, or with no section out of it."""
    here = scope()
    design = _at(here, area, key, layout_key)
    name, into = request.form.get("field", ""), request.form.get("into", "")
    return make(here, design, PutIn(layout_key, name, into), Chosen(field=name if into else ""))


@studio.post("/<any(objects, forms):area>/<key>/layouts/<layout_key>/remove")
def remove_layout(area: str, key: str, layout_key: str) -> Response:
    here = scope()
    design = _at(here, area, key, layout_key)
    return make(here, design, RemoveLayout(layout_key), Chosen(), to="")


def _at(here: Scope, area: str, key: str, layout_key: str) -> Design:
    """The design, looking at a layout. Errors: Forbidden, NotFound."""
    design = read(here, area, key).at(f"@{layout_key}")
    if design.layout != layout_key:
        raise NotFound()
    return design
