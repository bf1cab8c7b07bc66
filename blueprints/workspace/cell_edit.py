"""Changing one field of one record where it stands in a list: its own control, judged with the rest."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from blueprints.workspace.edits import changes_of, editable
from blueprints.workspace.list_rows import line_of, may_type
from blueprints.workspace.list_state import ListState, read_state
from blueprints.workspace.record_forms import context_for
from blueprints.workspace.shown import Reader
from builder.db.ids import to_public
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.errors import N_, Invalid, NotFound, Problem, Stale
from builder.forms.record_form import RecordForm
from builder.queries.row import FullRecord, names_of_members, names_of_records
from builder.services import records as services
from builder.services.bulk_acts import LOCKED, NOT_SHOWN
from builder.services.records import SaveRecord

NOT_HERE = N_("This field is not changed here.")
LONGEST_LIST = 8_000


@workspace.get("/r/<rid:record_id>/cell/<key>")
def edit_cell(record_id: int, key: str) -> Response:
    """The control of one field of the record; ``list`` says which list it stands in."""
    here = scope()
    record = editable(here, record_id)
    definition, field = _field(here, record, key)
    form = _form(here, definition, record, key, None)
    return _show(here, definition, field, record, form, status=422 if _lock(form, key) else 200)


@workspace.post("/r/<rid:record_id>/cell/<key>")
def save_cell(record_id: int, key: str) -> Response:
    """Save it: the row anew, 422 with what is wrong, 409 with what is stored now."""
    here = scope()
    record = editable(here, record_id)
    definition, field = _field(here, record, key)
    seen = sent_revision()
    form = _form(here, definition, record, key, request.form)
    if form.is_refresh:
        return _show(here, definition, field, record, form, revision=seen)
    if seen != record.revision:
        return _show(here, definition, field, record, form, is_stale=True, status=409)
    if _lock(form, key) or not form.validate():
        return _show(here, definition, field, record, form, revision=seen, status=422)
    uow = here.unit_of_work()
    try:
        services.save(uow, SaveRecord(record_id, changes_of(form, record), seen))
    except Invalid as error:
        uow.rollback()
        form.add_problems(error.reasons)
        return _show(here, definition, field, record, form, revision=seen, status=422)
    except Stale:
        uow.rollback()
        record = editable(here, record_id)
        form = _form(here, definition, record, key, request.form)
        return _show(here, definition, field, record, form, is_stale=True, status=409)
    uow.commit()
    return _saved(here, definition, record_id, key)


def _field(here: Scope, record: FullRecord, key: str) -> tuple[ObjectDefinition, FieldDefinition]:
    """Errors: NotFound for a field that is not there or that nobody types into a list."""
    definition = here.catalog.object(record.object_key)
    field = definition.fields.by_key.get(key)
    if field is None or not may_type(here, field):
        raise NotFound(NOT_HERE)
    return definition, field


def _form(
    here: Scope, definition: ObjectDefinition, record: FullRecord, key: str, formdata: Any
) -> RecordForm:
    """The one field, decided by the rules of the whole record."""
    context = context_for(here, definition.fields, record.data, formdata)
    return RecordForm(definition.fields, context, values=record.data, formdata=formdata, only=[key])


def _lock(form: RecordForm, key: str) -> bool:
    """Whether this record's rules lock the field; says so on the form."""
    state = form.state(key)
    if state.is_visible and not state.is_read_only:
        return False
    form.add_problems([Problem(LOCKED if state.is_visible else NOT_SHOWN, key)])
    return True


def _list(here: Scope, definition: ObjectDefinition) -> tuple[str, ListState]:
    """The list that the cell stands in: its query string, and what it shows. A list that cannot be read is
    the plain one.
    """
    text = request.values.get("list", "")[:LONGEST_LIST]
    args = MultiDict(parse_qsl(text, keep_blank_values=True))
    try:
        return urlencode(list(args.items(multi=True))), read_state(here, definition, args)
    except NotFound:
        return "", read_state(here, definition, MultiDict())


def _saved(here: Scope, definition: ObjectDefinition, record_id: int, key: str) -> Response:
    """The row as it is now, for everything that follows from the field; without htmx back to the list."""
    _text, state = _list(here, definition)
    if not (request.htmx and not request.htmx.boosted):
        return done(state.address(), gettext("Saved."))
    record = editable(here, record_id)
    _columns, line = line_of(here, definition, state.columns, record)
    page = render_template("fragments/list/row.html", line=line, has_ticks="ticks" in request.form)
    response = make_response(page)
    response.headers["HX-Retarget"] = f"#row-{to_public(record_id)}"
    response.headers["HX-Reswap"] = "outerHTML"
    response.headers["HX-Trigger-After-Settle"] = (
        f'{{"cellSaved": {{"row": "row-{to_public(record_id)}", "field": "{quote(key)}"}}}}'
    )
    return response


def _show(
    here: Scope,
    definition: ObjectDefinition,
    field: FieldDefinition,
    record: FullRecord,
    form: RecordForm,
    *,
    revision: int | None = None,
    is_stale: bool = False,
    status: int = 200,
) -> Response:
    text, state = _list(here, definition)
    return show_form(
        "pages/workspace/cell.html",
        fragment="fragments/list/cell.html",
        status=status,
        definition=definition,
        record=record,
        form=form,
        revision=revision or record.revision,
        address=url_for("workspace.save_cell", record_id=record.id, key=field.key),
        label=local(field.label) or field.key,
        stored=_stored(here, field, record) if is_stale else None,
        list_text=text,
        back=state.address(),
        has_ticks="ticks" in request.values,
        elsewhere=[
            (problem, form.label_of(problem))
            for problem in form.problems
            if problem.place.partition("/")[0] != field.key
        ],
    )


def _stored(here: Scope, field: FieldDefinition, record: FullRecord) -> str:
    """What stands in the field now, in words."""
    value = record.data.get(field.key)
    ids = [int(value)] if isinstance(value, str) and value.isdecimal() and len(value) <= 19 else []
    names = names_of_records(here.session, ids) if field.type == "reference" else {}
    members = names_of_members(here.session, ids) if field.type == "user" else {}
    return Reader(here, names, members).cell(field, value, record.currency).text or "–"
