"""Changing or deleting records of a list: the ticked ones or all that match (B24)."""

from __future__ import annotations

from functools import partial
from typing import Any

from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from blueprints.workspace.bulk_choice import (
    Selection,
    none_chosen,
    perform,
    read_selection,
    show_selection,
)
from blueprints.workspace.bulk_fields import unruled
from blueprints.workspace.record_forms import context_for
from builder.domain.fields import ObjectDefinition
from builder.errors import NotFound
from builder.fieldtypes.registry import field_type
from builder.forms.record_form import RecordForm
from builder.services.bulk_acts import Delete, Edit

EDIT, DELETE, REASSIGN = "record.edit", "record.delete", "record.reassign"
MOST_FIELDS = 30


@workspace.get("/o/<object_key>/bulk/edit")
def bulk_edit(object_key: str) -> Response:
    """Which fields of the records get which values."""
    here = scope()
    here.require(EDIT)
    definition = here.catalog.object(object_key)
    selection = read_selection(here, definition, request.args)
    return _show_edit(here, definition, selection) if selection.count else none_chosen(object_key)


@workspace.get("/o/<object_key>/bulk/reassign")
def bulk_reassign(object_key: str) -> Response:
    """As ``bulk_edit``, with the field of the owner chosen (S48)."""
    here = scope()
    here.require(EDIT)
    here.require(REASSIGN)
    definition = here.catalog.object(object_key)
    selection = read_selection(here, definition, request.args)
    owner = definition.fields.by_role.get("owner")
    if owner is None:
        raise NotFound()
    if not selection.count:
        return none_chosen(object_key)
    return _show_edit(here, definition, selection, form=_form(here, definition, [owner.key], None))


@workspace.post("/o/<object_key>/bulk/edit")
def change_many(object_key: str) -> Response:
    """Change them; what was refused stands on the page of the batch, or here when nothing was done."""
    here = scope()
    here.require(EDIT)
    definition = here.catalog.object(object_key)
    selection = read_selection(here, definition, request.form)
    asked = list(dict.fromkeys(key for key in request.form.getlist("field") if key))
    kept = [key for key in asked if key != request.form.get("drop")][:MOST_FIELDS]
    form = _form(here, definition, kept, request.form)
    show = partial(_show, "bulk_edit", here, definition, form=form)
    if form is None:
        return show(selection, status=200 if "drop" in request.form else 422)
    if form.is_refresh or "drop" in request.form:
        return show(selection)
    if not form.validate():
        return show(selection, status=422)
    return perform(here, selection, Edit({key: form.values.get(key) for key in form.keys}), show)


@workspace.get("/o/<object_key>/bulk/delete")
def bulk_delete(object_key: str) -> Response:
    """Ask before the records go into the recycle bin."""
    here = scope()
    here.require(DELETE)
    definition = here.catalog.object(object_key)
    selection = read_selection(here, definition, request.args)
    if not selection.count:
        return none_chosen(object_key)
    return show_selection("bulk_delete", here, definition, selection)


@workspace.post("/o/<object_key>/bulk/delete")
def remove_chosen(object_key: str) -> Response:
    here = scope()
    here.require(DELETE)
    definition = here.catalog.object(object_key)
    selection = read_selection(here, definition, request.form)
    return perform(here, selection, Delete(), partial(_show, "bulk_delete", here, definition))


def _form(here: Scope, definition: ObjectDefinition, keys: list[str], formdata: Any) -> RecordForm | None:
    """The controls of fields that may be given to many records; none for any other name.

    Rules are left out: whether a field is shown, locked or limited is up to each record, so the service asks.
    """
    if not keys or not set(keys) <= dict(_fields(here, definition)).keys():
        return None
    fields = unruled(definition.fields)
    context = context_for(here, fields, {}, formdata)
    return RecordForm(fields, context, values={}, formdata=formdata, only=keys)


def _fields(here: Scope, definition: ObjectDefinition) -> list[tuple[str, str]]:
    """Fields that many records may get one value of: typed by people."""
    offered = []
    for field in definition.fields:
        known = field_type(field.type)
        if not (known.is_computed or known.is_file or known.is_assigned or field.is_read_only):
            offered.append((field.key, str(local(field.label) or field.key)))
    return offered


def _show_edit(
    here: Scope, definition: ObjectDefinition, selection: Selection, form: RecordForm | None = None
) -> Response:
    return _show("bulk_edit", here, definition, selection, form=form)


def _show(
    name: str, here: Scope, definition: ObjectDefinition, selection: Selection, **facts: Any
) -> Response:
    """The form of an act again; the one of changing with the fields that are left to choose."""
    if name == "bulk_edit":
        chosen = facts["form"].keys if facts["form"] else ()
        facts["fields"] = [pair for pair in _fields(here, definition) if pair[0] not in chosen]
    return show_selection(name, here, definition, selection, **facts)
