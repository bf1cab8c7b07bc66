"""Creating and editing records by generated forms (parts 4 and 5, S27)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local, told
from blueprints.once import sent_posting
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.workspace.alike import ShownAlike, found, is_news, watched
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.files import sent
from blueprints.workspace.made_before import Gone, gone_since
from blueprints.workspace.process_choice import ProcessField, deciding_fields, process_field
from blueprints.workspace.record_forms import context_for, fields_for
from blueprints.workspace.stale import Theirs, changed_meanwhile, merged
from builder.db.ids import from_public
from builder.domain.fields import ObjectDefinition
from builder.errors import Invalid, Problem, Stale, Unconfirmed
from builder.forms.record_form import RecordForm
from builder.queries.record import find_record, get_record, require_change
from builder.queries.row import FullRecord
from builder.services import postings
from builder.services import records as services
from builder.services.entries import Entry
from builder.services.records import NewRecord, SaveRecord


@workspace.get("/o/<object_key>/new")
def new_record(object_key: str) -> Response:
    """An empty form; ``pipeline``, ``field`` and ``from`` in the address prefill it."""
    here = scope()
    here.require("record.create")
    definition = here.catalog.object(object_key)
    given = _prefilled(here, definition)
    form = _new_form(here, definition, given)
    return _show_new(here, definition, form, process_field(here, definition, form.values, request.args))


@workspace.post("/o/<object_key>/new")
def create_record(object_key: str) -> Response:
    """Create, enter the first stage of the chosen process, and open the record.

    A record that looks like one that is there is made only by somebody who was told of that one. What is
    added to another record and has no process of its own leads back to that record. What the same form made
    before and is deleted by now is told, in a form that may make another one.
    """
    here = scope()
    here.require("record.create")
    definition = here.catalog.object(object_key)
    posting, uow = sent_posting(), here.unit_of_work()
    before = postings.made_before(uow, posting)
    gone = gone_since(here, before) if before is not None else None
    if before is not None and gone is None:
        return _created(here, definition, before)
    given = sent(here, definition.fields)
    form = _new_form(here, definition, given.data)
    process = process_field(here, definition, form.values, request.form, is_final=not form.is_refresh)
    if form.is_refresh:
        return _show_new(here, definition, form, process)
    if gone is not None:
        return _show_new(here, definition, form, process, gone=gone, status=409)
    if not form.validate() or (process and process.problem) or given.problems:
        form.add_problems(given.problems)
        return _show_new(here, definition, form, process, status=422)
    alike = found(here, definition, form.values)
    if is_news(alike):
        return _show_new(here, definition, form, process, alike=alike, status=422)
    entry = None
    if process and process.entry_key:
        entry = Entry(process.entry_key, is_confirmed="confirmed" in request.form)
    new = NewRecord(form.values, entry)
    try:
        record_id = postings.once(uow, posting, lambda: services.create(uow, object_key, new).record_id)
    except Unconfirmed as error:
        uow.rollback()
        warnings = [told(problem) for problem in error.problems]
        return _show_new(here, definition, form, process, warnings=warnings, alike=alike, status=422)
    except Invalid as error:
        uow.rollback()
        form.add_problems(error.reasons)
        return _show_new(here, definition, form, process, alike=alike, status=422)
    uow.commit()
    return _created(here, definition, record_id)


def _created(here: Scope, definition: ObjectDefinition, record_id: int) -> Response:
    origin = _origin(here, definition)
    if origin is not None and not here.catalog.pipelines_of(definition.key):
        return done(record_address(origin.id), gettext("Created."))
    return done(record_address(record_id), gettext("Created."))


@workspace.post("/o/<object_key>/form")
def refresh_new(object_key: str) -> str:
    """The body of the form again, as its rules decide for what is typed, with the process that is proposed
    now; nothing is saved.
    """
    here = scope()
    here.require("record.create")
    definition = here.catalog.object(object_key)
    form = _new_form(here, definition, request.form)
    body = _body(form, url_for("workspace.refresh_new", object_key=object_key))
    if not deciding_fields(definition):
        return body
    process = process_field(here, definition, form.values, request.form)
    if process is None:
        return body
    return body + render_template("fragments/record/process_field.html", process=process, is_oob=True)


@workspace.get("/r/<rid:record_id>/edit")
def edit_record(record_id: int) -> Response:
    here = scope()
    record = editable(here, record_id)
    definition = here.catalog.object(record.object_key)
    form = _form(here, definition, record, None)
    form.warnings = _old_faults(form)
    return _show_edit(here, definition, form, record, record.revision)


@workspace.post("/r/<rid:record_id>/edit")
def save_record(record_id: int) -> Response:
    """Save what changed; somebody else's save in between is shown and merged, never overwritten."""
    here = scope()
    record = editable(here, record_id)
    definition = here.catalog.object(record.object_key)
    seen = sent_revision()
    given = sent(here, definition.fields)
    form = _form(here, definition, record, given.data)
    if form.is_refresh:
        return _show_edit(here, definition, form, record, seen)
    if seen != record.revision:
        return _conflict(here, definition, record, seen, given.data)
    if not form.validate() or given.problems:
        form.add_problems(given.problems)
        return _show_edit(here, definition, form, record, seen, status=422)
    changes = changes_of(form, record)
    uow = here.unit_of_work()
    try:
        services.save(uow, SaveRecord(record_id, changes, seen))
    except Invalid as error:
        uow.rollback()
        form.add_problems(error.reasons)
        return _show_edit(here, definition, form, record, seen, status=422)
    except Stale:
        uow.rollback()
        return _conflict(here, definition, editable(here, record_id), seen, given.data)
    uow.commit()
    return done(record_address(record_id), gettext("Saved."))


@workspace.post("/r/<rid:record_id>/form")
def refresh_edit(record_id: int) -> str:
    here = scope()
    record = editable(here, record_id)
    form = _form(here, here.catalog.object(record.object_key), record, request.form)
    return _body(form, url_for("workspace.refresh_edit", record_id=record_id))


def editable(here: Scope, record_id: int) -> FullRecord:
    """Errors: NotFound, Forbidden (without the right, or shared for reading only)."""
    opened = get_record(here.session, here.actor, record_id)
    here.require("record.edit")
    require_change(opened)
    return opened.record


def _new_form(here: Scope, definition: ObjectDefinition, formdata: Any) -> RecordForm:
    context = context_for(here, definition.fields, {}, formdata)
    fields = fields_for(here, definition)
    return RecordForm(fields, context, formdata=formdata, deciding=deciding_fields(definition))


def _form(here: Scope, definition: ObjectDefinition, record: FullRecord, formdata: Any) -> RecordForm:
    context = context_for(here, definition.fields, record.data, formdata)
    fields = fields_for(here, definition, record.pipeline_key, record.stage_key)
    return RecordForm(fields, context, values=record.data, formdata=formdata)


def _old_faults(form: RecordForm) -> list[Problem]:
    """What is wrong with the values as they are stored (idea 2): told, and never in the way of a save."""
    form.validate()
    warnings = [*form.warnings, *form.problems]
    form.problems = []
    return warnings


def changes_of(form: RecordForm, record: FullRecord) -> dict[str, Any]:
    """Only what differs from the stored values; formulas are computed by whoever saves."""
    computed = {field.key for field in form.fieldset if field.type == "formula"}
    keys = {*form.values, *record.data} - computed
    return {key: form.values.get(key) for key in keys if form.values.get(key) != record.data.get(key)}


def _conflict(
    here: Scope,
    definition: ObjectDefinition,
    record: FullRecord,
    seen: int,
    typed: MultiDict[str, str],
) -> Response:
    """Show what changed meanwhile, theirs beside one's own, in a form at the present revision."""
    theirs = changed_meanwhile(here, definition, record, seen, typed)
    formdata = merged(typed, theirs)
    form = _form(here, definition, record, formdata)
    return _show_edit(here, definition, form, record, record.revision, theirs=theirs, status=409)


def _show_edit(
    here: Scope,
    definition: ObjectDefinition,
    form: RecordForm,
    record: FullRecord,
    revision: int,
    *,
    theirs: Theirs | None = None,
    status: int = 200,
) -> Response:
    return show_form(
        "pages/workspace/record_form.html",
        fragment="fragments/record/form.html",
        status=status,
        definition=definition,
        title=record.name,
        trail=[
            (local(definition.label_plural), url_for("workspace.record_list", object_key=definition.key)),
            (record.name, record_address(record.id)),
        ],
        form=form,
        address=url_for("workspace.save_record", record_id=record.id),
        refresh_url=url_for("workspace.refresh_edit", record_id=record.id),
        cancel=record_address(record.id),
        revision=revision,
        theirs=theirs,
        process=None,
        warnings=(),
        alike_url=watched(definition, url_for("workspace.alike_edited", record_id=record.id)),
        alike=(),
        gone=None,
    )


def _show_new(
    here: Scope,
    definition: ObjectDefinition,
    form: RecordForm,
    process: ProcessField | None,
    *,
    warnings: Sequence[str] = (),
    alike: Sequence[ShownAlike] = (),
    gone: Gone | None = None,
    status: int = 200,
) -> Response:
    list_address = url_for("workspace.record_list", object_key=definition.key)
    origin = _origin(here, definition)
    opened_from = {name: request.args[name] for name in ("field", "from")} if origin else {}
    return show_form(
        "pages/workspace/record_form.html",
        fragment="fragments/record/form.html",
        status=status,
        definition=definition,
        title=gettext("New: %(name)s", name=local(definition.label)),
        trail=[(origin.name, record_address(origin.id))]
        if origin
        else [(local(definition.label_plural), list_address)],
        form=form,
        address=url_for("workspace.create_record", object_key=definition.key, **opened_from),
        refresh_url=url_for("workspace.refresh_new", object_key=definition.key),
        cancel=record_address(origin.id) if origin else list_address,
        revision=None,
        theirs=None,
        process=process,
        warnings=warnings,
        alike_url=watched(definition, url_for("workspace.alike_new", object_key=definition.key)),
        alike=alike,
        gone=gone,
    )


def _prefilled(here: Scope, definition: ObjectDefinition) -> MultiDict[str, str] | None:
    """A reference that the page before offered: the record it came from, in the field that names it."""
    origin = _origin(here, definition)
    if origin is None:
        return None
    texts = (str(origin.id), origin.name, origin.name)
    return MultiDict([(f"f-{request.args['field']}", text) for text in texts])


def _origin(here: Scope, definition: ObjectDefinition) -> FullRecord | None:
    """The record that the form was opened from, when the field of the address can refer to it."""
    field = definition.fields.by_key.get(request.args.get("field", ""))
    if field is None or field.type != "reference":
        return None
    try:
        opened = find_record(here.session, here.actor, from_public(request.args.get("from", "")))
    except ValueError:
        return None
    if opened is None or opened.record.object_key != field.params.get("target"):
        return None
    return opened.record


def _body(form: RecordForm, refresh_url: str) -> str:
    return render_template("fragments/form/body.html", form=form, refresh_url=refresh_url)
