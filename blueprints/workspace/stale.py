"""Two people editing one record: what the other changed, and how both saves go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from blueprints.scope import Scope
from blueprints.workspace.cells import Cell
from blueprints.workspace.record_forms import context_for, ids_in, without
from blueprints.workspace.shown import Reader, moment
from builder.domain.fields import ObjectDefinition
from builder.forms.record_form import RecordForm
from builder.queries.row import FullRecord, names_of_members, names_of_records, names_of_visible
from builder.queries.timeline import TimelineEvent, timeline

MOST = 100
# Events that a save of the record writes beside its own; they change no revision.
_BESIDE = frozenset({"record.converted", "move.requested"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else changed. ``is_mine_too``: the reader changed it differently."""

    key: str
    label: str
    before: Cell
    theirs: Cell
    mine: Cell
    is_mine_too: bool


@dataclass(frozen=True)
class Theirs:
    """Who changed the record last and when, the fields, and which of them are taken over silently."""

    who: str
    when: str
    differences: tuple[Difference, ...]
    taken: tuple[str, ...]


def changed_meanwhile(
    here: Scope, definition: ObjectDefinition, record: FullRecord, seen: int, formdata: MultiDict[str, str]
) -> Theirs:
    """What happened to the record since revision ``seen``, against what was typed."""
    events = _since(here, record, seen)
    base = _base(record.data, events)
    mine = RecordForm(
        definition.fields,
        context_for(here, definition.fields, base, formdata),
        values=base,
        formdata=formdata,
    ).values
    keys = [
        field.key
        for field in definition.fields
        if field.type != "formula" and base.get(field.key) != record.data.get(field.key)
    ]
    records, members = ids_in(definition.fields, (base, record.data))
    typed, typed_members = ids_in(definition.fields, (mine,))
    names = names_of_records(here.session, records)
    names |= names_of_visible(here.session, here.actor, typed - records)
    reader = Reader(here, names, names_of_members(here.session, members | typed_members))
    differences = []
    for key in keys:
        field = definition.fields.by_key[key]
        values = [document.get(key) for document in (base, record.data, mine)]
        cells = [reader.cell(field, value, record.currency) for value in values]
        is_mine_too = values[2] not in (values[0], values[1])
        label = field.label.text(reader.context.locale) or key
        differences.append(Difference(key, label, cells[0], cells[1], cells[2], is_mine_too))
    last = events[0] if events else None
    return Theirs(
        who=last.actor_name if last else "",
        when=moment(last.recorded_at if last else record.updated_at),
        differences=tuple(differences),
        taken=tuple(difference.key for difference in differences if not difference.is_mine_too),
    )


def merged(formdata: MultiDict[str, str], theirs: Theirs) -> MultiDict[str, str]:
    """What was typed, but with the other's value in fields that only the other changed."""
    return without(formdata, theirs.taken)


def _since(here: Scope, record: FullRecord, seen: int) -> list[TimelineEvent]:
    """The events of the revisions after ``seen``, the latest first: each revision has exactly one."""
    missed = max(0, min(record.revision - seen, MOST)) if seen > 0 else MOST
    found = timeline(here.session, record.id, here.actor.veils.get(record.object_key), limit=MOST).events
    return [event for event in found if event.kind not in _BESIDE][:missed]


def _base(data: Mapping[str, Any], events: list[TimelineEvent]) -> dict[str, Any]:
    """The values as they were before these events."""
    base = dict(data)
    for event in events:
        before = event.data.get("before")
        if event.kind in ("record.changed", "record.moved") and isinstance(before, Mapping):
            base.update(before)
    return {key: value for key, value in base.items() if value is not None}
