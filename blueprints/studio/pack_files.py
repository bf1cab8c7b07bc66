"""Packs as files: exported whole or in part, brought into the library; what was installed taken away (B9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import make_response, url_for
from flask_babel import gettext
from flask_login import current_user
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.languages import LANGUAGES
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.change_words import KINDS
from blueprints.studio.pack_words import named, names_by_section
from blueprints.studio.packs import problem_links, show_gallery
from builder.domain.labels import Label
from builder.errors import Conflict, FunnelwrightError, Invalid, NotFound, TooLarge
from builder.metadata import packs
from builder.metadata.grammar import Document
from builder.metadata.pack_parts import Name
from builder.queries import packs as queries
from builder.queries.library import shelf_pack
from builder.services import library, pack_export
from builder.services import packs as services
from builder.services.definitions import EDIT


@dataclass(frozen=True)
class Kept:
    """A definition that cannot go. ``href`` leads to what holds it; ``others``: definitions that need it."""

    kind: str
    label: Label
    count: int = 0
    href: str = ""
    others: Sequence[Label] = ()


@studio.post("/templates")
def upload_pack() -> Response:
    """Check a file as a whole and put it into the library; nothing is installed."""
    here = scope()
    here.require(EDIT)
    file = request.files.get("file")
    uow = here.unit_of_work()
    try:
        if file is None or not file.filename:
            raise Invalid(pack_export.NO_FILE)
        library.take_in(uow, file.stream.read(library.MAX_BYTES + 1), current_user.id)
    except (Invalid, Conflict, TooLarge) as error:
        uow.rollback()
        return show_gallery(problem_links(error), error.status)
    uow.commit()
    return done(url_for("studio.pack_list"), gettext("The template lies in the library now."))


@studio.post("/templates/<ref>/remove")
def remove_pack(ref: str) -> Response:
    """Take a pack out of the library of this workspace."""
    here = scope()
    here.require(EDIT)
    found = shelf_pack(here.session, current_user.id, ref)
    if not found.is_here:
        raise NotFound()
    uow = here.unit_of_work()
    library.remove(uow, found.id)
    uow.commit()
    return done(url_for("studio.pack_list"), gettext("Removed from the library. What was installed stays."))


@studio.get("/templates/<ref>/file")
def pack_file(ref: str) -> Response:
    """A pack as one file."""
    here = scope()
    here.require(EDIT)
    return _file(shelf_pack(here.session, current_user.id, ref).document)


@studio.get("/templates/export")
def export_pack() -> Response:
    """What is exported: all of the workspace's definitions or a choice, and what the pack is called."""
    return _show_export(request.args)


@studio.post("/templates/export")
def write_pack() -> Response:
    """The pack as a file, or into the library."""
    here = scope()
    here.require(EDIT)
    uow = here.unit_of_work()
    asked = request.form
    label = {code: asked.get(f"label_{code}", "").strip() for code in LANGUAGES}
    facts = pack_export.PackFacts(
        asked.get("key", "").strip(),
        {code: text for code, text in label.items() if text},
        asked.get("version", "").strip(),
    )
    try:
        made = pack_export.export_parts(uow, facts, [named(each) for each in asked.getlist("part")])
        if not asked.get("keep"):
            return _file(made)
        library.keep(uow, made, current_user.id)
    except (Invalid, Conflict) as error:
        uow.rollback()
        return _show_export(asked, error, error.status)
    uow.commit()
    return done(url_for("studio.pack_list"), gettext("The template lies in the library now."))


@studio.get("/templates/installed/<key>/uninstall")
def uninstall_pack(key: str) -> Response:
    """What of an installed pack can go, and what holds the rest."""
    return _show_uninstall(key)


@studio.post("/templates/installed/<key>/uninstall")
def draft_uninstall(key: str) -> Response:
    """Put the ticked definitions among the drafts, to go with the next publish."""
    here = scope()
    here.require(EDIT)
    uow = here.unit_of_work()
    ticked = [named(each) for each in request.form.getlist("part")]
    try:
        if not ticked:
            raise Invalid(pack_export.NOTHING_TICKED)
        services.uninstall(uow, key, ticked)
    except (Invalid, Conflict) as error:
        uow.rollback()
        return _show_uninstall(key, problem_links(error), error.status)
    uow.commit()
    return done(url_for("studio.changes"), gettext("It stands among the drafts. Look at it, then publish."))


def _file(document: Document) -> Response:
    answer = make_response(packs.combined(document))
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    name = f"{document['key']}-{document['version']}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _show_export(asked: Any, error: FunnelwrightError | None = None, status: int = 200) -> Response:
    here = scope()
    here.require(EDIT)
    live = queries.definitions_among(queries.live_by_name(here.session))
    facts = pack_export.suggested(here.unit_of_work())
    typed = asked if "key" in asked else None
    ticked = set(asked.getlist("part")) if typed is not None else None
    return show_form(
        "pages/studio/pack_export.html",
        fragment="fragments/pack/export.html",
        facts=facts,
        typed=typed,
        languages_shown=LANGUAGES,
        groups=_groups(live, ticked),
        problems=problem_links(error) if error else [],
        wrong={problem.place for problem in error.problems} if error else set(),
        status=status,
    )


def _groups(
    live: dict[Name, Document], ticked: set[str] | None
) -> list[tuple[str, list[tuple[str, Label, bool]]]]:
    """All definitions by section: value, name and whether it is ticked."""
    whole = packs.assemble({}, live.values())
    return [
        (title, [(value, label, ticked is None or value in ticked) for value, label in parts])
        for title, parts in names_by_section(whole)
    ]


def _show_uninstall(key: str, problems: Sequence[tuple[str, str]] = (), status: int = 200) -> Response:
    here = scope()
    here.require(EDIT)
    ours = queries.drafted_by_name(here.session)
    installed = queries.installed_among(ours).get(key)
    if installed is None:
        raise NotFound()
    held = queries.leaving(here.session, installed.parts, ours)
    ticked = {named(each) for each in request.form.getlist("part")} if request.method == "POST" else None
    return show_form(
        "pages/studio/pack_uninstall.html",
        fragment="fragments/pack/uninstall.html",
        pack=installed,
        free=[
            (
                "/".join(name),
                str(KINDS.get(name[0], name[0])),
                _label(ours, name),
                ticked is None or name in ticked,
            )
            for name in held.free
        ],
        used=[
            Kept(str(KINDS[name[0]]), _label(ours, name), count, _holders(here, name, ours))
            for name, count in held.used.items()
        ],
        needed=[
            Kept(str(KINDS[name[0]]), _label(ours, name), others=[_label(ours, other) for other in others])
            for name, others in held.needed.items()
        ],
        problems=problems,
        status=status,
    )


def _label(ours: dict[Name, Document], name: Name) -> Label:
    return Label.of(ours.get(name, {}).get("label") or name[1])


def _holders(here: Scope, name: Name, ours: dict[Name, Document]) -> str:
    """Where the records or people are that hold a definition; empty where the reader may not look."""
    kind, key = name
    if kind == "role":
        return url_for("admin.people_list") if here.actor.can("members.edit") else ""
    object_key = key if kind == "object" else str(ours[name].get("object"))
    if object_key not in here.catalog.objects:
        return ""
    return url_for("workspace.record_list", object_key=object_key)
