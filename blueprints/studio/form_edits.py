"""The edits of a form, one a POST: each says which state of the draft it was made from (part 2, S2)."""

from __future__ import annotations

from flask import flash, make_response, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.messages import message, told
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.designer import KINDS, Chosen, Told, address, preview_with, read, show
from blueprints.studio.properties import FieldPanel, texts_in
from blueprints.workspace.shown import form_context
from builder.errors import N_, Conflict, Invalid, Malformed, NotFound
from builder.fieldtypes.registry import UnknownFieldType, field_type
from builder.metadata.editing.edit import Edit
from builder.metadata.editing.fields import AddField, RemoveField
from builder.metadata.editing.inside import Within
from builder.metadata.editing.layouts import InLayout
from builder.metadata.editing.sections import (
    AddSection,
    Arrange,
    ChangeSection,
    RemoveSection,
    StepField,
    StepSection,
)
from builder.queries.designs import Design
from builder.services import designs as services
from builder.services import drafts

NO_CHECKSUM = N_(
    "What was sent does not say which state it was made from. Open the page again and repeat it."
)


def seen() -> str:
    """The checksum of the draft that the person saw. Errors: Malformed without one."""
    found = request.form.get("checksum", "")
    if len(found) != 64:
        raise Malformed(NO_CHECKSUM)
    return found


def make(
    here: Scope,
    design: Design,
    edit: Edit,
    after: Chosen,
    before: Chosen | None = None,
    said: Told | None = None,
    to: str | None = None,
) -> Response:
    """Make one edit and show the design with ``after`` chosen; what is refused is told with ``before``.

    ``to``: what is looked at afterwards (``Design.within``), where that is another.
    A design that somebody else changed is shown as it stands now (409), and nothing is written.
    """
    uow = here.unit_of_work()
    area = "objects" if design.kind == "object" else "forms"
    try:
        services.change(uow, design.kind, design.key, seen(), Within(design.path, edit))
    except Conflict as error:
        uow.rollback()
        text = message(error.message_key, error.values)
        return show(here, _again(here, area, design), before or after, Told(notice=text), 409)
    except Invalid as error:
        uow.rollback()
        said = said or Told()
        said.problems = [(problem.place, told(problem)) for problem in error.problems]
        if said.panel is not None:
            said.panel.add_problems(error.problems)
        said.typed = request.form
        return show(here, _again(here, area, design), before or after, said, 422)
    uow.commit()
    return answer(here, area, design.key, after, (design.within or "") if to is None else to)


def _again(here: Scope, area: str, design: Design) -> Design:
    """The design as it stands now, looking at the same place as far as it is there."""
    return read(here, area, design.key, is_strict=False).at(design.within or "")


def answer(here: Scope, area: str, key: str, chosen: Chosen, way: str, text: str = "") -> Response:
    """The page after an edit: by 303, or its fragment for htmx."""
    design = read(here, area, key, is_strict=False).at(way)
    if request.htmx and not request.htmx.boosted:
        return show(here, design, chosen, Told(notice=text))
    if text:
        flash(text, "success")
    return redirect(address(design, chosen.within(design)), 303)


@studio.post("/<any(objects, forms):area>/<key>/fields/add")
def add_field(area: str, key: str) -> Response:
    """A new field of a type, with a name, into a section."""
    here = scope()
    design, uow = read(here, area, key), here.unit_of_work()
    asked = Chosen.asked(request.form)
    taken = services.field_keys_ever(uow, KINDS[area], key, design.path)
    try:
        starting = field_type(asked.adding).starting(design.object_key, objects_of(design))
    except UnknownFieldType:
        raise NotFound() from None
    except Invalid as error:
        problems = [(problem.place, told(problem)) for problem in error.problems]
        return show(here, design, asked, Told(problems=problems, typed=request.form), 422)
    label, into = texts_in(request.form, "label"), asked.within(design).into
    edit = AddField(asked.adding, label, into, asked.at, "required" in request.form, starting, taken)
    try:
        after = Chosen(field=edit.key_in({"fields": design.form}))
    except Invalid:
        after = asked  # without a proper name it is refused, and said beside the name
    return make(here, design, edit, after, asked)


def objects_of(design: Design) -> dict[str, dict[str, dict[str, object]]]:
    """Objects with their fields, as they will be once all drafts are published."""
    known = design.around.beside(design.document) if design.kind == "object" else design.around
    return {key: known.fields_of(key) for key in known.documents.get("object", {})}


@studio.post("/<any(objects, forms):area>/<key>/fields/<field_key>")
def change_field(area: str, key: str, field_key: str) -> Response:
    """The settings of a field, all together."""
    here = scope()
    design = with_field(here, area, key, field_key)
    panel = FieldPanel(design, field_key, form_context(here), request.form)
    chosen = Chosen(field=field_key)
    edit = panel.edit()
    seen()
    if edit is None:
        return show(here, design, chosen, Told(panel=panel, problems=panel.problems), 422)
    return make(here, design, edit, chosen, said=Told(panel=panel))


@studio.post("/<any(objects, forms):area>/<key>/fields/<field_key>/try")
def try_field(area: str, key: str, field_key: str) -> Response:
    """The form with what is being typed into the settings of a field; nothing is kept (issue 4, part 2)."""
    here = scope()
    design = with_field(here, area, key, field_key)
    if not request.htmx or request.htmx.boosted:
        return redirect(address(design, Chosen(field=field_key)), 303)
    edit = FieldPanel(design, field_key, form_context(here), request.form).edit()
    return make_response("", 204) if edit is None else preview_with(here, design, edit)


@studio.post("/<any(objects, forms):area>/<key>/fields/<field_key>/remove")
def remove_field(area: str, key: str, field_key: str) -> Response:
    here = scope()
    design = with_field(here, area, key, field_key)
    return make(here, design, RemoveField(field_key), Chosen())


@studio.post("/<any(objects, forms):area>/<key>/arrange")
def arrange(area: str, key: str) -> Response:
    """The order of everything as it was dragged, or one step of a field or section by a button."""
    here = scope()
    design = read(here, area, key)
    verb, _, place = request.form.get("step", "").partition(":")
    what, _, name = place.partition(":")
    chosen = Chosen.asked(request.form)
    if verb in ("up", "down"):
        step = -1 if verb == "up" else 1
        edit: Edit = StepSection(name, step) if what == "section" else StepField(name, step)
        return make(here, design, in_layout(design, edit), chosen)
    return make(here, design, in_layout(design, Arrange(_order(request.form))), chosen)


def in_layout(design: Design, edit: Edit) -> Edit:
    """An edit of sections, made in the layout that is looked at."""
    return InLayout(design.layout, edit) if design.layout else edit


def _order(form: MultiDict[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Sections with their fields, from the places as they stand on the page: s:<section>, f:<field> …"""
    order: list[tuple[str, list[str]]] = []
    for place in form.getlist("place"):
        what, _, name = place.partition(":")
        if what == "s":
            order.append((name, []))
        elif order:
            order[-1][1].append(name)
    return tuple((name, tuple(keys)) for name, keys in order)


@studio.post("/<any(objects, forms):area>/<key>/sections/add")
def add_section(area: str, key: str) -> Response:
    here = scope()
    design = read(here, area, key)
    edit = in_layout(design, AddSection(texts_in(request.form, "label")))
    return make(here, design, edit, Chosen(), Chosen(panel="section"))


@studio.post("/<any(objects, forms):area>/<key>/sections/<section_key>")
def change_section(area: str, key: str, section_key: str) -> Response:
    here = scope()
    design = read(here, area, key)
    columns = request.form.get("columns", "")
    edit = ChangeSection(
        section_key,
        texts_in(request.form, "label"),
        texts_in(request.form, "help"),
        int(columns) if columns in ("1", "2", "3") else 0,
    )
    return make(here, design, in_layout(design, edit), Chosen(section=section_key))


@studio.post("/<any(objects, forms):area>/<key>/sections/<section_key>/remove")
def remove_section(area: str, key: str, section_key: str) -> Response:
    here = scope()
    design = read(here, area, key)
    return make(here, design, in_layout(design, RemoveSection(section_key)), Chosen())


@studio.post("/<any(objects, forms):area>/<key>/discard")
def discard(area: str, key: str) -> Response:
    """Drop the draft and go back to what is published."""
    here = scope()
    design, uow = read(here, area, key), here.unit_of_work()
    try:
        drafts.discard(uow, KINDS[area], key, seen())
    except Conflict:
        uow.rollback()
        return show(here, read(here, area, key), Chosen(), Told(notice=message(services.CHANGED)), 409)
    uow.commit()
    return done(address(design) if design.live else listing(area), gettext("The draft is dropped."))


def listing(area: str) -> str:
    """The page of all objects or of all forms."""
    return url_for("studio.object_list" if area == "objects" else "studio.form_list")


def with_field(here: Scope, area: str, key: str, field_key: str) -> Design:
    """Errors: Forbidden, NotFound."""
    design = read(here, area, key)
    if field_key not in design.form["properties"]:
        raise NotFound()
    return design
