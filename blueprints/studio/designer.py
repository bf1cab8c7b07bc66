"""The form designer: palette, canvas, properties, and the form itself as reps get it (S2, S24, S31–S33)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flask import current_app, make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from blueprints.languages import LANGUAGES, language
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.canvas import PaletteType, canvas_of, palette, palette_type
from blueprints.studio.properties import COLORS, FieldPanel, codes, texts_in, texts_of
from blueprints.workspace.record_forms import context_for
from blueprints.workspace.shown import form_context
from builder.db.ids import to_public
from builder.domain.labels import Label
from builder.errors import FunnelwrightError, Invalid, NotFound
from builder.forms.record_form import RecordForm
from builder.metadata.compiler import field_set
from builder.metadata.editing.edit import Edit
from builder.metadata.editing.inside import Within
from builder.metadata.editing.sections import laid_out
from builder.queries.designs import Design, read_design
from builder.queries.field_usage import Sample, newest_records
from builder.services.definitions import EDIT

PAGE = "pages/studio/designer.html"
DESIGNER = "fragments/designer/designer.html"
PREVIEW = "fragments/form/body.html"
PREFIX = "p"
KINDS = {"objects": "object", "forms": "feedback"}
AREAS = {kind: area for area, kind in KINDS.items()}


@dataclass(frozen=True)
class Chosen:
    """What the panel on the right is about: a field, a section, a field to be added, a rule, or nothing.

    ``type``: the type that the field would get, to see what would become of its values.
    """

    field: str = ""
    section: str = ""
    adding: str = ""
    into: str = ""
    at: int | None = None
    rule: str = ""
    panel: str = ""
    type: str = ""

    @classmethod
    def asked(cls, args: MultiDict[str, str]) -> Chosen:
        at = args.get("at", "")
        return cls(
            args.get("field", ""),
            args.get("section", ""),
            args.get("add", ""),
            args.get("into", ""),
            int(at) if at.isascii() and at.isdecimal() and len(at) < 4 else None,
            args.get("rule", ""),
            args.get("panel", ""),
            args.get("type", ""),
        )

    def within(self, design: Design) -> Chosen:
        """Without what is not there (any more)."""
        form = laid_out(design.form)
        sections = {section["key"] for section in form["x-sections"]}
        return replace(
            self,
            field=self.field if self.field in form["properties"] else "",
            section=self.section if self.section in sections else "",
            into=self.into if self.into in sections else "",
            adding=self.adding if any(one.key == self.adding for one in palette(design)) else "",
        )

    @property
    def args(self) -> dict[str, str]:
        """The part of an address that says so."""
        given = {
            "field": self.field, "section": self.section, "add": self.adding, "into": self.into,
            "at": "" if self.at is None else str(self.at), "rule": self.rule, "panel": self.panel,
            "type": self.type,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}


@dataclass
class Told:
    """What the answer says besides the design: problems of a refused edit, and what was typed then."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    notice: str = ""
    panel: FieldPanel | None = None
    typed: MultiDict[str, str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def read(here: Scope, area: str, key: str, *, is_strict: bool | None = None) -> Design:
    """The design behind an address, looking at the form or layout that its ``within`` names.

    ``is_strict``: a form that is gone is an error, as it must be for every edit; else the one around it is
    looked at. Errors: Forbidden, NotFound.
    """
    here.require(EDIT)
    design = read_design(here.session, here.workspace, KINDS[area], key)
    asked = request.args.get("within", "")
    design = design.at(asked)
    if (design.within or "") != asked and (request.method == "POST" if is_strict is None else is_strict):
        raise NotFound()
    return design


def address(design: Design, chosen: Chosen | None = None) -> str:
    """The page of a design, with something chosen on it."""
    args = {"within": design.within, **(chosen.args if chosen else {})}
    return url_for("studio.designer", area=AREAS[design.kind], key=design.key, **args)  # type: ignore[arg-type]


@studio.get("/<any(objects, forms):area>/<key>/fields")
def designer(area: str, key: str) -> Response:
    here = scope()
    design = read(here, area, key)
    return show(here, design, Chosen.asked(request.args))


@studio.get("/forms/<key>")
def form_page(key: str) -> Response:
    """The short address of a feedback form."""
    return redirect(url_for("studio.designer", area="forms", key=key))


@studio.post("/<any(objects, forms):area>/<key>/preview")
def preview(area: str, key: str) -> Response:
    """The form again as its rules decide for what was typed; nothing is saved."""
    here = scope()
    design = read(here, area, key)
    if not request.htmx or request.htmx.boosted:
        return show(here, design, Chosen.asked(request.args))
    form = preview_of(here, design, request.form)
    if form is None:
        raise NotFound()
    return make_response(render_template(PREVIEW, form=form, refresh_url=_preview_address(design)))


def preview_with(here: Scope, design: Design, edit: Edit) -> Response:
    """The form as it would be with an edit that is still being typed; no answer while that makes none."""
    try:
        document = Within(design.path, edit).apply(design.document)
    except Invalid:
        return make_response("", 204)
    form = preview_of(here, replace(design, document=document), None)
    if form is None:
        return make_response("", 204)
    return make_response(render_template(PREVIEW, form=form, refresh_url=_preview_address(design)))


def preview_of(here: Scope, design: Design, sent: Any) -> RecordForm | None:
    """The generated form of the draft, filled with what was typed into it, or with a record that was chosen
    to try it on; ``None`` while it is unsound.
    """
    if not design.is_sound:
        return None
    typed = sent if sent is not None and any(name.startswith(f"{PREFIX}-") for name in sent) else None
    record = None if typed is not None else _chosen(here, design)
    try:
        fields = field_set(dict(design.whole_form))
        return RecordForm(
            fields.laid_out(design.layout) if design.layout else fields,
            form_context(here) if record is None else context_for(here, fields, record.data, None),
            values=None if record is None else record.data,
            formdata=typed,
            prefix=PREFIX,
        )
    except FunnelwrightError:
        return None


def tried_on(here: Scope, design: Design) -> list[tuple[str, str, bool]]:
    """The records that the form can be tried on (id, name, whether chosen): those that changed last."""
    if design.live is None or design.kind != "object":
        return []
    asked = request.args.get("record", "")
    rows = newest_records(here.session, here.actor, design.key)
    return [(to_public(row.id), row.name or "–", to_public(row.id) == asked) for row in rows]


def _chosen(here: Scope, design: Design) -> Sample | None:
    asked = request.values.get("record", "")
    if not asked or design.kind != "object":
        return None
    rows = newest_records(here.session, here.actor, design.key)
    return next((row for row in rows if to_public(row.id) == asked), None)


def _preview_address(design: Design) -> str:
    return url_for("studio.preview", area=AREAS[design.kind], key=design.key, within=design.within)


def show(
    here: Scope, design: Design, chosen: Chosen, said: Told | None = None, status: int = 200
) -> Response:
    """The whole page, or its fragment for htmx."""
    said, chosen = said or Told(), chosen.within(design)
    canvas = canvas_of(design)
    panel = said.panel
    if panel is None and chosen.field:
        panel = FieldPanel(design, chosen.field, form_context(here))
    facts: dict[str, Any] = {
        "design": design,
        "area": AREAS[design.kind],
        "name": Label.of(design.document["label"]).text(language()),
        "owner_name": _object_name(here, design),
        "canvas": canvas,
        "palette": palette(design),
        "within": design.within,
        "outside": _outside(design),
        "inside_name": _inside_name(design),
        "chosen": chosen,
        "panel": panel,
        "adding": _adding(chosen),
        "section": next((one for one in canvas.sections if one.key == chosen.section), None),
        "section_document": _section(design, chosen.section),
        "form": preview_of(here, design, request.form if request.method == "POST" else None),
        "refresh_url": _preview_address(design),
        "tried_on": tried_on(here, design),
        "reply": said,
        "codes": codes(),
        "languages_shown": LANGUAGES,
        "colors": COLORS,
        "texts_of": texts_of,
        "texts_in": texts_in,
        "publish_url": publish_address(),
        "type_of_key": palette_type,
    }
    from blueprints.studio.panels import panel_facts  # which asks this module for addresses

    facts |= panel_facts(here, design, chosen, said)
    name = DESIGNER if request.htmx and not request.htmx.boosted else PAGE
    answer = make_response(render_template(name, **facts), status)
    if request.htmx and status < 400:
        answer.headers["HX-Push-Url"] = address(design, replace(chosen, at=None))
    return answer


def publish_address() -> str:
    """Where drafts are reviewed and published."""
    return url_for("studio.changes") if "studio.changes" in current_app.view_functions else ""


def _object_name(here: Scope, design: Design) -> str:
    if design.kind == "object":
        return ""
    found = design.around.find("object", design.object_key)
    return Label.of(found["label"]).text(language()) if found else design.object_key


def _outside(design: Design) -> list[tuple[str, str]]:
    """The forms around the one that is looked at, outermost first: (name, address)."""
    around = [design.inside(design.path[:depth]) for depth in range(len(design.path))]
    return [(_inside_name(one) or gettext("All fields"), address(one)) for one in around]


def _inside_name(design: Design) -> str:
    """What the field is called whose form is looked at; empty for the form of the document."""
    if not design.path:
        return ""
    around = design.inside(design.path[:-1])
    return Label.of(around.form["properties"][design.path[-1]]["x-label"]).text(language())


def _adding(chosen: Chosen) -> PaletteType | None:
    return palette_type(chosen.adding) if chosen.adding else None


def _section(design: Design, key: str) -> dict[str, Any] | None:
    return next((one for one in laid_out(design.form)["x-sections"] if one["key"] == key), None)
