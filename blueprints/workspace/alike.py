"""Records that look alike: told while somebody types, and asked once before another one is made (S121)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.record_forms import context_for
from builder.db.ids import to_public
from builder.domain.fields import ObjectDefinition
from builder.fieldtypes.traits import match_fields
from builder.forms.record_form import RecordForm
from builder.queries.duplicates import look_alikes
from builder.queries.record import get_record, require_change

SEEN = "alike_seen"


@dataclass(frozen=True, slots=True)
class ShownAlike:
    """One record that looks alike: ``merge`` leads to the page that merges it with the present one."""

    id: str
    name: str
    address: str
    owner: str
    reasons: tuple[str, ...]
    merge: str


@workspace.post("/o/<object_key>/alike")
def alike_new(object_key: str) -> str:
    """What looks like the record that is being typed; nothing is saved."""
    here = scope()
    here.require("record.create")
    definition = here.catalog.object(object_key)
    form = RecordForm(
        definition.fields, context_for(here, definition.fields, {}, request.form), formdata=request.form
    )
    alike = found(here, definition, form.values)
    return _panel(alike, url_for("workspace.alike_new", object_key=object_key))


@workspace.post("/r/<rid:record_id>/alike")
def alike_edited(record_id: int) -> str:
    """As ``alike_new`` for a record that is being changed."""
    here = scope()
    opened = get_record(here.session, here.actor, record_id)
    here.require("record.edit")
    require_change(opened)
    record = opened.record
    definition = here.catalog.object(record.object_key)
    context = context_for(here, definition.fields, record.data, request.form)
    form = RecordForm(definition.fields, context, values=record.data, formdata=request.form)
    alike = found(here, definition, form.values, record_id)
    return _panel(alike, url_for("workspace.alike_edited", record_id=record_id))


@workspace.get("/r/<rid:record_id>/alike")
def alike_stored(record_id: int) -> Response:
    """A page with the records that look like a stored one."""
    here = scope()
    here.require("record.edit")
    record = get_record(here.session, here.actor, record_id).record
    definition = here.catalog.object(record.object_key)
    alike = found(here, definition, record.data, record_id)
    return make_response(
        render_template(
            "pages/workspace/alike.html",
            record=record,
            definition=definition,
            alike=alike,
            keys=[local(field.label) for field in match_fields(definition)],
        )
    )


def found(
    here: Scope, definition: ObjectDefinition, values: Mapping[str, Any], record_id: int | None = None
) -> list[ShownAlike]:
    """What looks like a record with these values, as far as the reader sees it."""
    if not match_fields(definition):
        return []
    without = () if record_id is None else (record_id,)
    may_merge = record_id is not None and here.actor.can("record.edit")
    return [
        ShownAlike(
            to_public(one.id),
            one.name,
            record_address(one.id),
            one.owner_name,
            tuple(
                reason_text(definition, item.kind, item.field, item.percent) for item in one.likeness.reasons
            ),
            merge_address(definition.key, record_id, one.id) if may_merge and record_id is not None else "",
        )
        for one in look_alikes(here.session, here.actor, definition, values, without)
    ]


def merge_address(object_key: str, *record_ids: int) -> str:
    asked: dict[str, Any] = {"row": [to_public(record_id) for record_id in record_ids]}
    return url_for("workspace.ask_merge", object_key=object_key, **asked)


def reason_text(definition: ObjectDefinition, kind: str, key: str, percent: int) -> str:
    """Why two records look alike, in words. A field that the reader does not see is not named."""
    field = definition.fields.by_key.get(key)
    if field is None:
        return gettext("same value in a field that you do not see")
    name = local(field.label)
    if kind == "name" and percent < 100:
        return gettext("%(field)s %(percent)s %% alike", field=name, percent=percent)
    if kind == "domain":
        return gettext("same web domain (%(field)s)", field=name)
    if percent < 100:
        return gettext("same last digits (%(field)s)", field=name)
    return gettext("same %(field)s", field=name)


def watched(definition: ObjectDefinition, address: str) -> str:
    """Where the form asks while somebody types; nothing for an object without fields to compare by."""
    return address if match_fields(definition) else ""


def is_news(alike: list[ShownAlike]) -> bool:
    """Whether somebody is about to make a record like one of which they were not told."""
    seen = request.form.getlist(SEEN)
    return any(one.id not in seen for one in alike)


def _panel(alike: list[ShownAlike], address: str) -> str:
    return render_template("fragments/record/alike.html", alike=alike, alike_url=address)
