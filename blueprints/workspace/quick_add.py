"""Adding a record at the foot of a column: a small form of what must be filled, the one door for the rest.

The record enters the stage of the column at once. Beyond the first stage that is held to the leave gate of
the first one, so what the gate asks for joins the form when it refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.messages import told
from blueprints.once import sent_posting
from blueprints.scope import Scope, scope
from blueprints.workspace.board_area import boards
from blueprints.workspace.board_changes import moved_fragments
from blueprints.workspace.board_filter import read_filter, read_query, without_cards
from blueprints.workspace.cards import board_mark, stage_title
from blueprints.workspace.files import sent
from blueprints.workspace.made_before import Gone, gone_since
from blueprints.workspace.process_choice import may_start
from blueprints.workspace.record_forms import context_for, fields_for
from builder.db.ids import to_public
from builder.domain.fields import FieldDefinition, FieldSet, ObjectDefinition
from builder.domain.pipeline import Pipeline, Stage
from builder.errors import N_, Invalid, NotFound, Problem, Unconfirmed
from builder.fieldtypes.registry import type_of
from builder.forms.record_form import RecordForm
from builder.services import postings
from builder.services import records as services
from builder.services.assignment import NOT_OPEN
from builder.services.entries import Entry
from builder.services.records import NewRecord

CLOSED = N_("“%(stage)s” ends the process: create the record in an open stage and move it there.")
_ROLES = ("name", "amount")


@dataclass(frozen=True)
class Place:
    """The column that a record is added to, and the query of the board around it."""

    pipeline: Pipeline
    stage: Stage
    definition: ObjectDefinition
    query: str

    @property
    def address(self) -> str:
        """Where the form is sent."""
        return url_for("board.quick_add", pipeline_key=self.pipeline.key, stage_key=self.stage.key)

    @property
    def board(self) -> str:
        args: dict[str, Any] = {"pipeline_key": self.pipeline.key, **without_cards(self.query)}
        return url_for("board.board", **args)


@boards.get("/p/<pipeline_key>/board/<stage_key>/new")
def quick_form(pipeline_key: str, stage_key: str) -> Response:
    """The form: in the dialog over the board, or as a page."""
    here = scope()
    place = _place(here, pipeline_key, stage_key)
    return _show(place, _form(here, place, None))


@boards.post("/p/<pipeline_key>/board/<stage_key>/new")
def quick_add(pipeline_key: str, stage_key: str) -> Response:
    """Create the record in the stage: its card and the figures, or 303; 422 with what is missing."""
    here = scope()
    place = _place(here, pipeline_key, stage_key)
    posting, uow = sent_posting(), here.unit_of_work()
    before = postings.made_before(uow, posting)
    gone = gone_since(here, before) if before is not None else None
    if before is not None and gone is None:
        return _added(here, place, before, is_new=False)
    given = sent(here, place.definition.fields)
    form = _form(here, place, given.data)
    if form.is_refresh:
        return _show(place, form)
    if gone is not None:
        return _show(place, form, gone=gone, status=409)
    if not form.validate() or given.problems:
        form.add_problems(given.problems)
        return _show(place, form, status=422)
    entry = Entry(pipeline_key, stage_key, is_confirmed="confirmed" in request.form)
    new = NewRecord(form.values, entry)
    try:
        record_id = postings.once(
            uow, posting, lambda: services.create(uow, place.definition.key, new).record_id
        )
    except Unconfirmed as error:
        uow.rollback()
        return _show(place, form, warnings=[told(problem) for problem in error.problems], status=422)
    except Invalid as error:
        uow.rollback()
        return _show(place, _refused(here, place, given.data, error.reasons), status=422)
    uow.commit()
    return _added(here, place, record_id, is_new=True)


def _place(here: Scope, pipeline_key: str, stage_key: str) -> Place:
    """Errors: Forbidden, NotFound, Invalid where nothing begins or the process is not open to the person."""
    here.require("record.create")
    pipeline = here.catalog.pipeline(pipeline_key)
    stage = pipeline.by_key.get(stage_key)
    if stage is None:
        raise NotFound()
    if not stage.is_open:
        raise Invalid(CLOSED, stage=stage.label)
    if not may_start(here, pipeline):
        raise Invalid(NOT_OPEN, pipeline=pipeline.label)
    key, _, query = request.values.get("board", "").partition("?")
    definition = here.catalog.object(pipeline.object_key)
    return Place(pipeline, stage, definition, query if key == pipeline_key else "")


def _form(
    here: Scope, place: Place, formdata: MultiDict[str, str] | None, asked: Iterable[str] = ()
) -> RecordForm:
    """Name, amount, what must be filled, what was on the page already, and the fields ``asked`` for; the
    amount only where the layout of the stage holds it.
    """
    fields = fields_for(here, place.definition, place.pipeline.key, place.stage.key)
    placed = {key for section in fields.sections for key in section.fields}
    context = context_for(here, fields, {}, formdata)
    every = RecordForm(fields, context, formdata=formdata)
    named = {field.key for field in fields if field.role in _ROLES and field.key in placed}
    keys = named | {field.key for field in fields if every.state(field.key).is_required}
    keys |= _on_page(fields, formdata) | set(asked)
    only = {key for key in keys if key in fields.by_key and _may_be_typed(fields.by_key[key])}
    return RecordForm(fields, context, formdata=formdata, only=only)


def _may_be_typed(field: FieldDefinition) -> bool:
    return not (field.is_read_only or field.type == "formula" or type_of(field).is_assigned)


def _on_page(fields: FieldSet, formdata: MultiDict[str, str] | None) -> set[str]:
    if formdata is None:
        return set()
    names = {*formdata, *formdata.getlist("_has")}
    return {key for key in fields.by_key if f"f-{key}" in names}


def _refused(
    here: Scope, place: Place, formdata: MultiDict[str, str], problems: Iterable[Problem]
) -> RecordForm:
    """The form again with what the service asked for; what has no field is told above it."""
    listed = list(problems)
    asked = (problem.place.removeprefix("/").partition("/")[0] for problem in listed)
    form = _form(here, place, formdata, asked)
    form.add_problems(listed)
    return form


def _show(
    place: Place,
    form: RecordForm,
    *,
    warnings: Iterable[str] = (),
    gone: Gone | None = None,
    status: int = 200,
) -> Response:
    name = "pages/workspace/quick_add.html"
    is_dialog = bool(request.htmx and not request.htmx.boosted)
    if is_dialog:
        name = f"fragments/board/{'quick_add' if request.method == 'GET' else 'quick_form'}.html"
    page = render_template(
        name,
        place=place,
        form=form,
        title=stage_title(place.stage, place.stage.key),
        mark=board_mark(place.pipeline.key, place.query),
        warnings=list(warnings),
        gone=gone,
        is_dialog=is_dialog,
    )
    return make_response(page, status)


def _added(here: Scope, place: Place, record_id: int, *, is_new: bool) -> Response:
    # The lane of the new card need not be on the page: such a board is drawn anew, as without scripts.
    shown = read_filter(here, place.pipeline, read_query(place.query), with_views=False)
    if shown.lanes or not request.htmx or request.htmx.boosted:
        return done(place.board, gettext("Created."))
    stages = {place.stage.key}
    response = make_response(
        moved_fragments(here, place.pipeline, record_id, stages, place.query, is_new=is_new)
    )
    response.headers["HX-Reswap"] = "none"
    response.headers["HX-Trigger"] = json.dumps(
        {"added": {"record": to_public(record_id), "to": place.stage.key}, "closeDialog": ""}
    )
    return response
