"""Notes on a record: writing, changing, removing (S125)."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, render_template
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import chosen_id, done, refuse, show_form
from blueprints.messages import message
from blueprints.once import once_key, sent_posting
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.files import blob_store
from blueprints.workspace.record_forms import is_fragment
from blueprints.workspace.shown import names_in
from blueprints.workspace.timeline import timeline_facts
from builder.db.ids import to_public
from builder.errors import Forbidden, FunnelwrightError, Invalid
from builder.forms.notes import NoteForm
from builder.queries.notes import NoteView, get_note
from builder.queries.record import get_record
from builder.queries.row import FullRecord, names_of_members
from builder.services import files, notes, postings
from builder.services.notes import MOST_FILES, TOO_MANY_FILES, WriteNote, Written


@workspace.post("/r/<rid:record_id>/notes")
def write_note(record_id: int) -> Response:
    """Write a note with its files; the timeline again for htmx."""
    here = scope()
    record = get_record(here.session, here.actor, record_id).record
    here.require("record.edit")
    form, posting = NoteForm(request.form), sent_posting()
    uow = here.unit_of_work()
    if postings.made_before(uow, posting) is not None:
        return _written(here, record)
    problems = _take_files(here, form)
    kept = tuple(chosen_id(text) or 0 for text in form.kept.data or ())
    written: list[Written] = []

    def write() -> int:
        written.append(notes.write(uow, WriteNote(record_id, form.text.data or "", kept)))
        return written[0].note_id

    try:
        if problems:
            raise Invalid(notes.NOT_SAVED)
        postings.once(uow, posting, write)
    except Invalid as error:
        uow.rollback()
        problems = problems or refuse(form, error)
        return _timeline(here, record, form, problems, status=422)
    uow.commit()
    for each in written:
        _warn(here, each)
    return _written(here, record)


def _written(here: Scope, record: FullRecord) -> Response:
    if not is_fragment():
        return done(f"{record_address(record.id)}#timeline", gettext("The note is there."))
    return _timeline(here, record, NoteForm(), is_new=True)


@workspace.get("/notes/<rid:note_id>/edit")
def edit_note(note_id: int) -> Response:
    here = scope()
    note, record = _own(here, note_id)
    return _show(note, record, NoteForm(data={"text": note.text}))


@workspace.post("/notes/<rid:note_id>/edit")
def change_note(note_id: int) -> Response:
    here = scope()
    note, record = _own(here, note_id)
    revision = sent_revision()
    form, uow = NoteForm(request.form), here.unit_of_work()
    try:
        written = notes.change(uow, note_id, form.text.data or "", revision)
    except Invalid as error:
        uow.rollback()
        return _show(note, record, form, refuse(form, error), status=422)
    uow.commit()
    _warn(here, written)
    return done(f"{record_address(record.id)}#timeline", gettext("Saved."))


@workspace.get("/notes/<rid:note_id>/remove")
def ask_remove_note(note_id: int) -> Response:
    here = scope()
    note = get_note(here.session, note_id)
    record = get_record(here.session, here.actor, note.record_id).record
    return show_form(
        "pages/workspace/note_remove.html",
        fragment="fragments/timeline/note_remove.html",
        note=note,
        record=record,
        address=f"{record_address(record.id)}#timeline",
    )


@workspace.post("/notes/<rid:note_id>/remove")
def remove_note(note_id: int) -> Response:
    """Remove it with its files, for good."""
    here = scope()
    note = get_note(here.session, note_id)
    get_record(here.session, here.actor, note.record_id)
    uow = here.unit_of_work()
    blobs = notes.remove(uow, note_id, sent_revision())
    uow.commit()
    for key in blobs:
        blob_store().delete(key)
    return done(f"{record_address(note.record_id)}#timeline", gettext("The note is removed."))


def _own(here: Scope, note_id: int) -> tuple[NoteView, FullRecord]:
    note = get_note(here.session, note_id)
    record = get_record(here.session, here.actor, note.record_id).record
    if note.author_id != here.actor.member_id:
        raise Forbidden(notes.NOT_YOURS)
    return note, record


def _take_files(here: Scope, form: NoteForm) -> list[tuple[str, str]]:
    """Keep the files that came with the form, each committed by itself; what could not be kept."""
    uploads = [upload for upload in request.files.getlist("files") if upload.filename]
    kept = list(form.kept.data or ())
    if len(kept) + len(uploads) > MOST_FILES:
        return [("note-files", message(TOO_MANY_FILES, {"most": MOST_FILES}))]
    problems = []
    for upload in uploads:
        uow = here.unit_of_work()
        try:
            file = files.receive(uow, blob_store(), upload.stream, upload.filename or "", files.Intake())
            uow.commit()
        except FunnelwrightError as error:
            uow.rollback()
            text = message(error.message_key, error.values)
            problems.append(("note-files", f"{upload.filename}: {text}"))
            continue
        kept.append(to_public(file.id))
    form.kept.data = kept
    return problems


def _warn(here: Scope, written: Written) -> None:
    """Say who was mentioned and could not be told."""
    if written.untold:
        names = names_in(names_of_members(here.session, written.untold).values())
        text = gettext("%(names)s may not see this record, and was not told of the note.", names=names)
        flash(text, "warning")


def _timeline(
    here: Scope,
    record: FullRecord,
    form: NoteForm,
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
    is_new: bool = False,
) -> Response:
    facts: dict[str, Any] = timeline_facts(here, record)
    waiting = [files.waiting(here.unit_of_work(), chosen_id(text) or 0) for text in form.kept.data or ()]
    facts |= {
        "note_form": form,
        "note_problems": problems or [],
        "note_once": once_key(is_new),
        "note_kept": [(to_public(file.id), file.name) for file in waiting if file is not None],
    }
    name = "fragments/timeline/timeline.html" if is_fragment() else "pages/workspace/record_timeline.html"
    definition = here.catalog.object(record.object_key)
    return make_response(render_template(name, definition=definition, **facts), status)


def _show(
    note: NoteView,
    record: FullRecord,
    form: NoteForm,
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    return show_form(
        "pages/workspace/note.html",
        fragment="fragments/timeline/note_edit.html",
        status=status,
        note=note,
        record=record,
        note_form=form,
        note_problems=problems or [],
        address=f"{record_address(record.id)}#timeline",
    )
