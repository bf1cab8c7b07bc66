"""The timeline of a record: what happened, notes, and activities, by kind and by channel (S43, S125)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask_babel import lazy_gettext
from htmx_flask import request

from blueprints.messages import local, message
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.history import Teller
from blueprints.workspace.record_forms import is_fragment
from builder.db.ids import to_public
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.forms.notes import NoteForm
from builder.queries.record import get_record
from builder.queries.row import FullRecord
from builder.queries.timeline import ACTIVITIES, ALL, SHOWN, Channel, activity_objects, story

_NAMES = {
    ALL: lazy_gettext("All entries"),
    "notes": lazy_gettext("Notes"),
    ACTIVITIES: lazy_gettext("Activities"),
    "moves": lazy_gettext("Stages"),
    "values": lazy_gettext("Values"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of entry that the timeline can be narrowed to."""

    label: str
    address: str
    is_chosen: bool


@workspace.get("/r/<rid:record_id>/timeline")
def record_timeline(record_id: int) -> str:
    """The timeline as it was narrowed, or earlier entries of it; a page of its own without htmx."""
    here = scope()
    record = get_record(here.session, here.actor, record_id).record
    facts = timeline_facts(here, record)
    if is_fragment():
        part = "events" if request.args.get("before") else "timeline"
        return render_template(f"fragments/timeline/{part}.html", **facts)
    return render_template(
        "pages/workspace/record_timeline.html",
        definition=here.catalog.object(record.object_key),
        **facts,
    )


def timeline_facts(here: Scope, record: FullRecord) -> dict[str, Any]:
    """What the timeline is drawn from, with an empty form for a note."""
    shown = _shown(here, record, request.args.get("show", ""))
    found = story(
        here.session, here.catalog, here.actor, record, shown, before=request.args.get("before", "")
    )
    name = _name(shown)
    return {
        "record": record,
        "address": record_address(record.id),
        "events": Teller(here, record, found.entries).told(),
        "earlier": _address(record, name, before=found.next) if found.next else "",
        "timeline_problem": message(found.problem.message, found.problem.values) if found.problem else "",
        "choices": _choices(here, record, shown),
        "channels": _channels(here, record, shown),
        "new_activities": _new_activities(here, record),
        "note_form": NoteForm(),
        "note_problems": [],
        "note_kept": [],
        "may_write": here.actor.can("record.edit"),
    }


def _shown(here: Scope, record: FullRecord, name: str) -> str | Channel:
    """What the address asks for; what it cannot mean is everything."""
    if name in SHOWN:
        return name
    for definition, field in _channel_fields(here, record):
        for option in field.options:
            channel = Channel(definition.key, field.key, option.key)
            if _name(channel) == name:
                return channel
    return ALL


def _name(shown: str | Channel) -> str:
    return shown if isinstance(shown, str) else f"{shown.object_key}.{shown.option}"


def _choices(here: Scope, record: FullRecord, shown: str | Channel) -> list[Choice]:
    has_activities = bool(activity_objects(here.catalog, record.object_key))
    chosen = shown if isinstance(shown, str) else ACTIVITIES
    return [
        Choice(str(label), _address(record, name), name == chosen)
        for name, label in _NAMES.items()
        if name != ACTIVITIES or has_activities
    ]


def _channels(here: Scope, record: FullRecord, shown: str | Channel) -> list[Choice]:
    """The channels of activities, once activities are asked for."""
    if shown != ACTIVITIES and not isinstance(shown, Channel):
        return []
    found = []
    for definition, field in _channel_fields(here, record):
        for option in field.options:
            channel = Channel(definition.key, field.key, option.key)
            address = _address(record, ACTIVITIES if channel == shown else _name(channel))
            found.append(Choice(local(option.label), address, channel == shown))
    return found


def _channel_fields(here: Scope, record: FullRecord) -> Iterable[tuple[ObjectDefinition, FieldDefinition]]:
    for definition in activity_objects(here.catalog, record.object_key):
        field = definition.fields.by_role.get("channel")
        if field is not None:
            yield definition, field


def _address(record: FullRecord, shown: str, before: str | None = None) -> str:
    asked: Mapping[str, Any] = {"show": shown or None, "before": before}
    return url_for("workspace.record_timeline", record_id=record.id, **asked)


def _new_activities(here: Scope, record: FullRecord) -> list[tuple[str, str, str]]:
    """Kinds of activity that can be put on the record: label, icon, address of the form."""
    if not here.actor.can("record.create"):
        return []
    found = []
    for definition in activity_objects(here.catalog, record.object_key):
        field = next(
            field.key
            for field in definition.fields.of_type("reference")
            if field.params.get("target") == record.object_key
        )
        prefill: dict[str, Any] = {"field": field, "from": to_public(record.id)}
        address = url_for("workspace.new_record", object_key=definition.key, **prefill)
        found.append((local(definition.label), definition.icon, address))
    return found
