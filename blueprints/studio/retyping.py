"""Another type for a field: which stored values would not convert, and the change itself (part 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from blueprints.messages import told
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.canvas import PaletteType, palette, palette_type
from blueprints.studio.designer import Chosen, Told, address, show
from blueprints.studio.form_edits import make, objects_of, with_field
from builder.domain.fields import FieldDefinition
from builder.errors import FunnelwrightError, Invalid
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import field_type
from builder.metadata.compiler import field_set
from builder.metadata.editing.fields import ChangeType
from builder.metadata.grammar import Document
from builder.metadata.lint.changes import keeps_values
from builder.metadata.retyping import Retyping, reading
from builder.queries.designs import Design
from builder.queries.retyping import MOST_EXAMINED, Conversion, conversion
from builder.queries.row import names_of_visible


@dataclass(frozen=True)
class TypeTrial:
    """What a change of type would mean. ``examples``: (address, name, value) of records; ``limit``: how many
    records were looked at at most; ``is_drafted``: the draft has the type already.
    """

    before: PaletteType
    after: PaletteType
    found: Conversion
    examples: Sequence[tuple[str, str, str]]
    is_drafted: bool
    limit: int = MOST_EXAMINED


def types_for(design: Design, key: str) -> list[PaletteType]:
    """The types that a field may get: any until it is published, then those that read its values."""
    offered = palette(design)
    live = design.live_fields.get(key)
    if live is None:
        return list(offered)
    kind = design.kind if design.is_of_record else ""
    found = [one for one in offered if keeps_values(kind, live, {"x-type": one.key})]
    return found if len(found) > 1 and "x-role" not in design.form["properties"][key] else []


def type_trial(here: Scope, design: Design, chosen: Chosen) -> TypeTrial | None:
    """What would become of stored values; ``None`` where nothing is asked or the type does not fit."""
    live = design.live_fields.get(chosen.field)
    if not chosen.type or live is None or chosen.type == live["x-type"]:
        return None
    if chosen.type not in {one.key for one in types_for(design, chosen.field)}:
        return None
    now = design.form["properties"][chosen.field]
    is_drafted = now["x-type"] == chosen.type
    try:
        if not is_drafted:
            now = _retyped(design, chosen.field, chosen.type)
        change = Retyping(_alone(chosen.field, live), _alone(chosen.field, now), _reading(here))
    except FunnelwrightError:
        return None  # a setting of it is wrong, which is told beside it
    found = conversion(here.session, design.key, change)
    return TypeTrial(
        palette_type(live["x-type"]),
        palette_type(chosen.type),
        found,
        _examples(here, design, chosen.field, found),
        is_drafted,
    )


def _examples(here: Scope, design: Design, key: str, found: Conversion) -> list[tuple[str, str, str]]:
    """Records by name with a link, as far as the reader sees them and the field (S118)."""
    veil = here.actor.veils.get(design.key)
    if veil is not None and key in veil.fields:
        return []
    visible = names_of_visible(here.session, here.actor, {one.record_id for one in found.examples})
    return [
        (
            url_for("workspace.record", record_id=one.record_id),
            one.name or "–",
            one.text[:120],
        )
        for one in found.examples
        if one.record_id in visible
    ]


def _reading(here: Scope) -> FieldContext:
    return reading(here.workspace, here.unit_of_work().clock.now())


def _alone(key: str, document: Document) -> FieldDefinition:
    """The field without what only the form around it can answer."""
    elsewhere = ("x-role", "x-filterable", "x-default")
    left = {name: one for name, one in document.items() if name not in elsewhere}
    return field_set({"type": "object", "properties": {key: left}}).fields[0]


def _retyped(design: Design, key: str, wanted: str) -> Document:
    form = {**design.form, "properties": dict(design.form["properties"])}
    changed = _edit(design, key, wanted).apply({"fields": form})
    field: Document = changed["fields"]["properties"][key]
    return field


def _edit(design: Design, key: str, wanted: str) -> ChangeType:
    """Errors: UnknownFieldType; Invalid where the type needs something that is not there."""
    live = design.live_fields.get(key, {})
    if live.get("x-type") == wanted:  # back to what it was, with all that was said of it
        return ChangeType(key, wanted, {name: one for name, one in live.items() if name != "x-type"})
    return ChangeType(key, wanted, field_type(wanted).starting(design.object_key, objects_of(design)))


@studio.post("/<any(objects, forms):area>/<key>/fields/<field_key>/type")
def change_type(area: str, key: str, field_key: str) -> Response:
    """Another type. For a published field it is shown first what would become of its values."""
    here = scope()
    design = with_field(here, area, key, field_key)
    wanted = request.form.get("type", "")
    chosen = Chosen(field=field_key)
    if wanted not in {one.key for one in types_for(design, field_key)}:
        text = gettext("The field cannot become of that type: values would not fit. Add a new field instead.")
        return _refused(here, design, chosen, text)
    live = design.live_fields.get(field_key)
    if live is not None and wanted != live["x-type"] and "confirmed" not in request.form:
        return redirect(address(design, replace(chosen, type=wanted)), 303)
    try:
        edit = _edit(design, field_key, wanted)
    except Invalid as error:
        return _refused(here, design, chosen, *(told(one) for one in error.problems))
    return make(here, design, edit, chosen)


def _refused(here: Scope, design: Design, chosen: Chosen, *texts: str) -> Response:
    return show(here, design, chosen, Told(problems=[("type", text) for text in texts]), 422)
