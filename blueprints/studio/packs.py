"""Templates: the gallery, what one holds, and installing or upgrading it through the change set (S18, B9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext
from flask_login import current_user
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import message, told
from blueprints.revisions import NO_REVISION
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.pack_words import (
    CHOICE_WORDS,
    SECTION_WORDS,
    STATE_WORDS,
    decisions_in,
    named,
    names_by_section,
    paths_of,
    shown_parts,
)
from blueprints.workspace.shown import form_context
from builder.domain.labels import Label
from builder.errors import FunnelwrightError, Invalid, Malformed, NotFound
from builder.forms.record_form import RecordForm
from builder.metadata import packs
from builder.metadata.compiler import field_set
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.pack_parts import Name, by_name, closure
from builder.metadata.pack_plan import Undecided
from builder.queries import packs as queries
from builder.queries.drafts import drafts_count
from builder.queries.library import ShelfPack, shelf, shelf_pack, version_order
from builder.queries.object_counts import record_counts
from builder.services import packs as services
from builder.services.definitions import EDIT

MOST_PROBLEMS = 30
PREVIEW = "preview"


@dataclass(frozen=True)
class GalleryCard:
    """A pack in the gallery. ``installed``: the version that is in force here; ``is_newer``: whether this one
    is later than that."""

    pack: ShelfPack
    installed: str = ""
    is_newer: bool = False

    @property
    def is_installed(self) -> bool:
        return self.installed == self.pack.version


@studio.get("/templates")
def pack_list() -> Response:
    """All packs that can be installed here, and those that are."""
    return show_gallery()


def show_gallery(problems: Sequence[tuple[str, str]] = (), status: int = 200) -> Response:
    here = scope()
    here.require(EDIT)
    known = queries.installed_packs(here.session)
    versions = {each.key: each.version for each in known}
    found = shelf(here.session, current_user.id)
    cards = [
        GalleryCard(each, versions.get(each.key, ""), _is_newer(each.version, versions.get(each.key)))
        for each in found
    ]
    return show_form(
        "pages/studio/packs.html",
        fragment="fragments/pack/gallery.html",
        cards=cards,
        installed=known,
        paths_of=paths_of,
        words=SECTION_WORDS,
        draft_count=drafts_count(here.session),
        problems=problems,
        status=status,
    )


@studio.get("/templates/<ref>")
def pack(ref: str) -> Response:
    """What a pack holds: its processes as pictures, its forms as people will get them."""
    here = scope()
    here.require(EDIT)
    found = shelf_pack(here.session, current_user.id, ref)
    chosen = request.args.get("form", "")
    return show_form(
        "pages/studio/pack.html",
        fragment="fragments/pack/pack.html",
        pack=found,
        installed=_installed(here, found.key),
        paths=paths_of(found.document),
        sections=names_by_section(found.document),
        chosen=chosen,
        form=_form(here, found.document, chosen),
        forms=_forms(found.document),
    )


@studio.get("/templates/<ref>/install")
def install_pack(ref: str) -> Response:
    """What installing or upgrading would do, with a choice wherever one is needed."""
    return _show_plan(ref, request.args)


@studio.post("/templates/<ref>/install")
def draft_pack(ref: str) -> Response:
    """Put the install or the upgrade among the drafts, or publish it at once where nothing is there yet."""
    here = scope()
    here.require(EDIT)
    found = shelf_pack(here.session, current_user.id, ref)
    if request.form.get("refresh"):
        return _show_plan(ref, request.form)
    if not request.form.get("seen"):
        raise Malformed(NO_REVISION)
    uow = here.unit_of_work()
    decisions, only = decisions_in(request.form), _ticked(request.form)
    try:
        if request.form.get("at_once") and _is_unused(here):
            write = services.upgrade if _installed(here, found.key) else services.install
            write(uow, found.document, only, decisions)
            target, text = url_for("studio.process_list"), gettext("Installed. It is in force from now on.")
        else:
            services.draft(uow, found.document, only, decisions, request.form["seen"])
            target = url_for("studio.changes")
            text = gettext("It stands among the drafts. Look at it, then publish.")
    except (Undecided, Invalid) as error:
        uow.rollback()
        return _show_plan(ref, request.form, problem_links(error), 422)
    uow.commit()
    return done(target, text)


def _show_plan(ref: str, asked: Any, problems: Sequence[tuple[str, str]] = (), status: int = 200) -> Response:
    here = scope()
    here.require(EDIT)
    found = shelf_pack(here.session, current_user.id, ref)
    installed = _installed(here, found.key)
    ours = queries.drafted_by_name(here.session)
    only, decisions = _ticked(asked), decisions_in(asked)
    plan = queries.plan(here.session, found.document, ours, only)
    theirs = by_name(packs.documents(packs.normalised(found.document)))
    needed = frozenset(theirs) if only is None else closure(only, theirs)
    parts = list(shown_parts(here, plan, None if only is None or plan.is_upgrade else only, decisions))
    return show_form(
        "pages/studio/pack_install.html",
        fragment="fragments/pack/plan.html",
        pack=found,
        is_newer=_is_newer(found.version, installed.version if installed else None),
        plan=plan,
        parts=parts,
        left_out=[
            ("/".join(name), Label.of(theirs[name]["label"]), name[0])
            for name in theirs
            if name in plan.left_out
        ],
        drawn_in=needed,
        only=only,
        decisions=decisions,
        collisions=sum(part.state == "collides" for part in parts),
        choice_words=CHOICE_WORDS,
        state_words=STATE_WORDS,
        words=SECTION_WORDS,
        digest=services.digest(plan),
        may_publish=_is_unused(here),
        typed=asked,
        problems=problems,
        status=status,
    )


def _ticked(asked: Any) -> list[Name] | None:
    """The parts that are wanted; ``None`` while nobody has chosen among them."""
    if "chosen" not in asked:
        return None
    return [named(text) for text in asked.getlist("part")]


def _is_unused(here: Scope) -> bool:
    """Whether nobody can be surprised by a publish: no records and no drafts of others."""
    return not record_counts(here.session) and not drafts_count(here.session)


def _is_newer(version: str, installed: str | None) -> bool:
    return installed is not None and version_order(version) > version_order(installed)


def _installed(here: Scope, key: str) -> queries.InstalledPack | None:
    return next((each for each in queries.installed_packs(here.session) if each.key == key), None)


def problem_links(error: FunnelwrightError) -> list[tuple[str, str]]:
    """What the summary lists: the control that decides, or the file and pointer of what is wrong."""
    listed = []
    for each in error.problems[:MOST_PROBLEMS]:
        if isinstance(each, DefinitionProblem):
            place = f"{each.file}#{each.place}" if each.file or each.place else ""
            listed.append(("", f"{place}{gettext(': ')}{told(each)}" if place else told(each)))
        else:
            target = each.place.partition("#")[0].replace("/", "-")
            listed.append((f"part-{target}" if target else "", told(each)))
    return listed or [("", message(error.message_key, error.values))]


def _forms(document: Document) -> list[tuple[str, Label]]:
    """The forms of a pack that can be looked at: of objects and feedback."""
    return [
        (f"{each['kind']}/{each['key']}", Label.of(each["label"]))
        for section in ("objects", "feedback")
        for each in document.get(section, ())
    ]


def _form(here: Scope, document: Document, chosen: str) -> RecordForm | None:
    """The generated form of one definition of the pack, as people would get it. Raises NotFound."""
    if not chosen:
        return None
    found: Mapping[Name, Document] = by_name(packs.documents(packs.normalised(document)))
    if named(chosen) not in found or "fields" not in found[named(chosen)]:
        raise NotFound()
    fields = found[named(chosen)]["fields"]
    try:
        return RecordForm(field_set(fields), form_context(here), prefix=PREVIEW)
    except FunnelwrightError:
        return None
