"""The objects of a workspace: all of them, a new one, and what stands around the fields of one (part 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.languages import language
from blueprints.messages import message, told
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.canvas import canvas_of
from blueprints.studio.designer import publish_address, read
from blueprints.studio.form_edits import seen
from blueprints.studio.icon_words import icon_words
from blueprints.studio.properties import codes, texts_in, texts_of
from blueprints.studio.words import color_words
from builder.domain.labels import Label
from builder.errors import Conflict, Invalid
from builder.metadata.documents import check
from builder.metadata.editing.objects import ChangeObject, RenameForm, new_form, new_object
from builder.metadata.lint.objects import is_sortable
from builder.queries.definitions import live_documents
from builder.queries.designs import Design
from builder.queries.drafts import drafts, drafts_count
from builder.queries.object_counts import record_counts
from builder.services import designs as services
from builder.services.definitions import EDIT

DEFAULT_ICON = "box"


@dataclass(frozen=True)
class ObjectCard:
    """One object or feedback form on the overview."""

    key: str
    label: str
    icon: str
    color: str
    field_count: int
    record_count: int
    is_draft: bool
    is_live: bool
    object_label: str = ""
    used_in: tuple[str, ...] = ()


@studio.get("/objects")
def object_list() -> Response:
    here = scope()
    here.require(EDIT)
    cards = _cards(here, "object")
    counts = record_counts(here.session)
    shown = [
        ObjectCard(
            key, _text(document, "label_plural"), document.get("icon") or DEFAULT_ICON,
            document.get("color", ""), len(document["fields"]["properties"]),
            counts.get(key, 0), is_draft, is_live,
        )
        for key, document, is_draft, is_live in cards
    ]  # fmt: skip
    return show_form(
        "pages/studio/objects.html", fragment="pages/studio/objects.html", cards=shown, **_bar(here)
    )


@studio.get("/forms")
def form_list() -> Response:
    here = scope()
    here.require(EDIT)
    objects = {key: document for key, document, _, _ in _cards(here, "object")}
    used: dict[str, list[str]] = {}
    for pipeline in here.catalog.pipelines.values():
        for stage in pipeline.stages:
            for asked in {stage.feedback, *(task.feedback for task in stage.tasks)} - {None}:
                used.setdefault(str(asked), []).append(
                    f"{pipeline.label.text(language())} · {stage.label.text(language())}"
                )
    shown = [
        ObjectCard(
            key, _text(document, "label"), "clipboard-list", "", len(document["fields"]["properties"]), 0,
            is_draft, is_live, _text(objects.get(document["object"], {}), "label"), tuple(used.get(key, ())),
        )
        for key, document, is_draft, is_live in _cards(here, "feedback")
    ]  # fmt: skip
    return show_form("pages/studio/forms.html", fragment="pages/studio/forms.html", cards=shown, **_bar(here))


def _text(document: dict[str, Any], part: str) -> str:
    return Label.of(document.get(part)).text(language())


def _bar(here: Scope) -> dict[str, Any]:
    return {"draft_count": drafts_count(here.session), "publish_url": publish_address()}


def _cards(here: Scope, kind: str) -> list[tuple[str, dict[str, Any], bool, bool]]:
    """(key, document, is draft, is live) of all of a kind, drafts in the place of what is live."""
    live = {key: doc for (of, key), doc in live_documents(here.session, here.workspace).items() if of == kind}
    mine = {row.key: row.document for row in drafts(here.session) if row.kind == kind and not row.is_removal}
    known = {**live, **mine}
    order = sorted(known, key=lambda key: (known[key].get("position", 0), key))
    return [(key, known[key], key in mine, key in live) for key in order]


@studio.get("/objects/new")
def new_object_form() -> Response:
    here = scope()
    here.require(EDIT)
    return _show_new(MultiDict({"owner": "1", "icon": "", "color": "blue"}))


@studio.post("/objects/new")
def create_object() -> Response:
    """A new object as a draft, with a name field; then its form is designed."""
    here = scope()
    here.require(EDIT)
    uow, sent = here.unit_of_work(), request.form
    try:
        document = new_object(
            texts_in(sent, "label"),
            texts_in(sent, "plural"),
            services.keys_of(uow, "object"),
            icon=sent.get("icon", ""),
            color=sent.get("color", ""),
            position=_last_position(here) + 1,
            number_format=sent.get("number_format", ""),
            has_owner="owner" in sent,
        )
        wrong = check("object", document)
        if wrong:
            raise Invalid(gettext("The object was not made."), problems=tuple(wrong))
        services.begin(uow, document)
    except Invalid as error:
        uow.rollback()
        return _show_new(sent, [(_control(problem.place), told(problem)) for problem in error.problems], 422)
    uow.commit()
    target = url_for("studio.designer", area="objects", key=document["key"])
    return done(target, gettext("The draft is there. Add its fields, then publish."))


def _last_position(here: Scope) -> int:
    known = [document.get("position", 0) for _, document, _, _ in _cards(here, "object")]
    return min(max(known, default=0), 998)


def _control(place: str) -> str:
    """The control of the form of a new object that a place in its document belongs to."""
    return "number_format" if place.endswith("x-format") else place.lstrip("/")


def _show_new(
    sent: MultiDict[str, str], problems: list[tuple[str, str]] | None = None, status: int = 200
) -> Response:
    return show_form(
        "pages/studio/object_new.html",
        fragment="fragments/designer/object_new.html",
        icons=icon_words(),
        sent=sent,
        problems=problems or [],
        status=status,
        **_choices(),
    )


def _choices() -> dict[str, Any]:
    return {"codes": codes(), "colors": color_words(), "texts_in": texts_in}


@studio.get("/forms/new")
def new_form_form() -> Response:
    here = scope()
    here.require(EDIT)
    return _show_new_form(here, MultiDict())


@studio.post("/forms/new")
def create_form() -> Response:
    """A new feedback form as a draft."""
    here = scope()
    here.require(EDIT)
    uow, sent = here.unit_of_work(), request.form
    try:
        if sent.get("object", "") not in {key for key, *_ in _cards(here, "object")}:
            raise Invalid(gettext("Choose the object."), problems=())
        document = new_form(texts_in(sent, "label"), sent["object"], services.keys_of(uow, "feedback"))
        services.begin(uow, document)
    except Invalid as error:
        uow.rollback()
        problems = [(problem.place, told(problem)) for problem in error.problems]
        problems = problems or [("object", gettext("Choose the object whose stages ask for this form."))]
        return _show_new_form(here, sent, problems, 422)
    uow.commit()
    target = url_for("studio.designer", area="forms", key=document["key"])
    return done(target, gettext("The draft is there. Add its fields, then publish."))


def _show_new_form(
    here: Scope,
    sent: MultiDict[str, str],
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    return show_form(
        "pages/studio/form_new.html",
        fragment="fragments/designer/form_new.html",
        sent=sent,
        problems=problems or [],
        objects=[(key, _text(document, "label")) for key, document, *_ in _cards(here, "object")],
        status=status,
        **_choices(),
    )


@studio.get("/<any(objects, forms):area>/<key>/settings")
def design_settings(area: str, key: str) -> Response:
    here = scope()
    return _show_settings(read(here, area, key))


@studio.post("/<any(objects, forms):area>/<key>/settings")
def change_settings(area: str, key: str) -> Response:
    """Names, icon, colour, list, search and duplicate check of an object; the name of a form."""
    here = scope()
    design, sent, mark = read(here, area, key), request.form, seen()
    uow = here.unit_of_work()
    edit = _object_edit(sent) if area == "objects" else RenameForm(texts_in(sent, "label"))
    try:
        services.change(uow, design.kind, key, mark, edit)
    except Conflict as error:
        uow.rollback()
        return _show_settings(read(here, area, key), notice=message(error.message_key), status=409)
    except Invalid as error:
        uow.rollback()
        problems = [(problem.place, told(problem)) for problem in error.problems]
        return _show_settings(design, sent, problems, status=422)
    uow.commit()
    return done(url_for("studio.design_settings", area=area, key=key), gettext("Kept in the draft."))


def _object_edit(sent: MultiDict[str, str]) -> ChangeObject:
    sort = sent.get("sort", "")
    position = sent.get("position", "")
    return ChangeObject(
        texts_in(sent, "label"),
        texts_in(sent, "plural"),
        texts_in(sent, "description"),
        sent.get("icon", ""),
        sent.get("color", ""),
        int(position) if position.isascii() and position.isdecimal() and len(position) < 5 else -1,
        tuple(dict.fromkeys(sent.getlist("columns"))),
        (f"-{sort}" if "descending" in sent else sort,) if sort else (),
        tuple(dict.fromkeys(sent.getlist("search"))),
        tuple(dict.fromkeys(sent.getlist("duplicate_keys"))),
    )


def _show_settings(
    design: Design,
    sent: MultiDict[str, str] | None = None,
    problems: list[tuple[str, str]] | None = None,
    *,
    notice: str = "",
    status: int = 200,
) -> Response:
    document = design.document
    names = {
        key: Label.of(one["x-label"]).text(language()) or key
        for key, one in design.form["properties"].items()
    }
    listing = document.get("list", {})
    sort = (listing.get("sort") or [""])[0]
    return show_form(
        "pages/studio/design_settings.html",
        fragment="fragments/designer/settings.html",
        icons=icon_words(),
        design=design,
        area="objects" if design.kind == "object" else "forms",
        name=_text(document, "label"),
        document=document,
        sent=sent,
        texts_of=texts_of,
        typed=lambda part: texts_in(sent, part) if sent is not None else texts_of(document.get(_PARTS[part])),
        ticks_of=lambda part: _ticks(names, _listed(document, sent, part)),
        sort=sort.removeprefix("-"),
        is_descending=sort.startswith("-"),
        sortable=[(key, names[key]) for key, one in design.form["properties"].items() if is_sortable(one)],
        findings=canvas_of(design).rest,
        problems=problems or [],
        notice=notice,
        publish_url=publish_address(),
        draft_count=design.draft_count,
        status=status,
        **_choices(),
    )


_PARTS = {"label": "label", "plural": "label_plural", "description": "description"}


def _listed(document: dict[str, Any], sent: MultiDict[str, str] | None, part: str) -> list[str]:
    """The keys of one list of fields, as they were sent or are stored."""
    if sent is not None:
        return sent.getlist(part)
    stored = document.get("list", {}) if part == "columns" else document
    return list(stored.get(part, ()))


def _ticks(names: Mapping[str, str], listed: Sequence[str]) -> list[tuple[str, str, bool]]:
    """(key, name, is chosen): chosen fields first, in their order."""
    chosen = [key for key in listed if key in names]
    return [(key, names[key], key in chosen) for key in (*chosen, *(k for k in names if k not in chosen))]
