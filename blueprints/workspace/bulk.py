"""Changing or deleting the records that were ticked in a list, what became of it, and the way back (B24)."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local, message, named, told
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from blueprints.workspace.record_forms import context_for
from builder.db.ids import from_public, to_public
from builder.domain.fields import ObjectDefinition
from builder.domain.labels import Label
from builder.errors import FunnelwrightError, Malformed
from builder.fieldtypes.registry import field_type
from builder.forms.record_form import RecordForm
from builder.queries.batches import BatchRow, Refused, find_batch
from builder.queries.row import names_of_visible
from builder.services import batches
from builder.services.bulk import MOST_RECORDS, NONE_CHOSEN, BulkResult, Chosen, delete_many, edit_many

EDIT, DELETE = "record.edit", "record.delete"
NAMED = 10
_LONGEST_ROW = 40


@workspace.get("/o/<object_key>/bulk/edit")
def bulk_edit(object_key: str) -> Response:
    """Which field of the ticked records gets which value."""
    here = scope()
    here.require(EDIT)
    definition = here.catalog.object(object_key)
    chosen = _chosen(request.args.getlist("row"))
    if not chosen:
        return _none_chosen(object_key)
    return _show_edit(here, definition, chosen, None)


@workspace.post("/o/<object_key>/bulk/edit")
def change_many(object_key: str) -> Response:
    """Change them; what was refused stands on the page of the batch, or here when nothing was done."""
    here = scope()
    here.require(EDIT)
    definition = here.catalog.object(object_key)
    chosen = _chosen(request.form.getlist("row"))
    form = _form(here, definition, request.form.get("field", ""))
    if form is None or form.is_refresh:
        return _show_edit(here, definition, chosen, form, status=200 if form else 422)
    if not form.validate():
        return _show_edit(here, definition, chosen, form, status=422)
    key = form.keys[0]
    uow = here.unit_of_work()
    try:
        result = edit_many(
            uow, object_key, chosen, {key: form.values.get(key)}, is_all_or_nothing="all" in request.form
        )
    except FunnelwrightError as error:
        uow.rollback()
        said = [("", message(error.message_key, error.values))]
        return _show_edit(here, definition, chosen, form, problems=said, status=error.status)
    if result.batch_id is None:
        return _show_edit(here, definition, chosen, form, refused=result, status=422)
    uow.commit()
    return done(url_for("workspace.batch", batch_id=result.batch_id))


@workspace.get("/o/<object_key>/bulk/delete")
def bulk_delete(object_key: str) -> Response:
    """Ask before the ticked records go into the recycle bin."""
    here = scope()
    here.require(DELETE)
    chosen = _chosen(request.args.getlist("row"))
    if not chosen:
        return _none_chosen(object_key)
    return _show_delete(here, here.catalog.object(object_key), chosen)


@workspace.post("/o/<object_key>/bulk/delete")
def remove_chosen(object_key: str) -> Response:
    here = scope()
    here.require(DELETE)
    definition = here.catalog.object(object_key)
    chosen = _chosen(request.form.getlist("row"))
    uow = here.unit_of_work()
    try:
        result = delete_many(uow, object_key, chosen, is_all_or_nothing="all" in request.form)
    except FunnelwrightError as error:
        uow.rollback()
        said = [("", message(error.message_key, error.values))]
        return _show_delete(here, definition, chosen, problems=said, status=error.status)
    if result.batch_id is None:
        return _show_delete(here, definition, chosen, refused=result, status=422)
    uow.commit()
    return done(url_for("workspace.batch", batch_id=result.batch_id))


@workspace.get("/batches/<rid:batch_id>")
def batch(batch_id: int) -> Response:
    """What was done, to which records not and why, and the button that takes it back."""
    here = scope()
    found = find_batch(here.session, here.actor, batch_id)
    definition = here.catalog.objects.get(found.object_key)
    return make_response(
        render_template(
            "pages/workspace/batch.html",
            batch=found,
            definition=definition,
            refused=[(item.record_id, item.name, _reason(definition, item)) for item in found.refused],
            can_undo=found.undone_at is None and _may_undo(here, found),
        )
    )


@workspace.post("/batches/<rid:batch_id>/undo")
def undo_batch(batch_id: int) -> Response:
    here = scope()
    uow = here.unit_of_work()
    find_batch(here.session, here.actor, batch_id)
    batches.undo_own(uow, batch_id)
    uow.commit()
    return done(url_for("workspace.batch", batch_id=batch_id), gettext("It was taken back."))


def _may_undo(here: Scope, found: BatchRow) -> bool:
    return here.actor.can("record.restore" if found.kind == "delete" else EDIT)


def _reason(definition: ObjectDefinition | None, item: Refused) -> str:
    values = {
        name: Label.of(value) if isinstance(value, dict) else value for name, value in item.values.items()
    }
    text = message(item.message, values)
    field = definition.fields.by_key.get(item.field.partition("/")[0]) if definition else None
    return named(str(local(field.label)), text) if field else text


def _chosen(texts: list[str]) -> list[Chosen]:
    """Ticked rows, each ``<id>:<revision>``. Errors: Malformed for anything else."""
    found: dict[int, Chosen] = {}
    for text in texts[: MOST_RECORDS + 1]:
        name, _, revision = text[:_LONGEST_ROW].partition(":")
        try:
            one = Chosen(from_public(name), int(revision))
        except ValueError as error:
            raise Malformed(NONE_CHOSEN) from error
        found[one.record_id] = one
    return list(found.values())


def _none_chosen(object_key: str) -> Response:
    flash(gettext("Tick the records first."), "warning")
    return redirect(url_for("workspace.record_list", object_key=object_key), 303)


def _form(here: Scope, definition: ObjectDefinition, key: str) -> RecordForm | None:
    """The control of one field that may be given to many records; none for any other name."""
    if key not in dict(_fields(here, definition)):
        return None
    context = context_for(here, definition.fields, {}, request.form)
    return RecordForm(definition.fields, context, values={}, formdata=request.form, only=[key])


def _fields(here: Scope, definition: ObjectDefinition) -> list[tuple[str, str]]:
    """Fields that many records may get one value of: typed by people, and not hidden by a rule."""
    context = context_for(here, definition.fields, {}, None)
    form = RecordForm(definition.fields, context, values={})
    offered = []
    for field in definition.fields:
        known, state = field_type(field.type), form.state(field.key)
        if not known.is_computed and not known.is_file and state.is_visible and not state.is_read_only:
            offered.append((field.key, str(local(field.label) or field.key)))
    return offered


def _facts(here: Scope, definition: ObjectDefinition, chosen: list[Chosen]) -> dict[str, Any]:
    names = names_of_visible(here.session, here.actor, [one.record_id for one in chosen[:NAMED]])
    return {
        "definition": definition,
        "rows": [f"{to_public(one.record_id)}:{one.revision}" for one in chosen],
        "names": [names[one.record_id] for one in chosen[:NAMED] if one.record_id in names],
        "is_all": "all" in request.form,
    }


def _show_edit(
    here: Scope,
    definition: ObjectDefinition,
    chosen: list[Chosen],
    form: RecordForm | None,
    *,
    status: int = 200,
    **facts: Any,
) -> Response:
    facts = {"fields": _fields(here, definition), "form": form, **facts}
    return _show("bulk_edit", here, definition, chosen, status, **facts)


def _show_delete(
    here: Scope, definition: ObjectDefinition, chosen: list[Chosen], *, status: int = 200, **facts: Any
) -> Response:
    return _show("bulk_delete", here, definition, chosen, status, **facts)


def _show(
    name: str,
    here: Scope,
    definition: ObjectDefinition,
    chosen: list[Chosen],
    status: int,
    *,
    problems: list[tuple[str, str]] | None = None,
    refused: BulkResult | None = None,
    **facts: Any,
) -> Response:
    """The page of one of the acts; ``refused``: why nothing was done."""
    return show_form(
        f"pages/workspace/{name}.html",
        status=status,
        fragment=f"fragments/list/{name}.html",
        problems=problems or [],
        refused=_told(refused),
        **facts,
        **_facts(here, definition, chosen),
    )


def _told(result: BulkResult | None) -> list[tuple[int, str, str]]:
    return [(one.record_id, one.name, told(one.problem)) for one in result.refused] if result else []
