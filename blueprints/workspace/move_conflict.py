"""What changed since a person last looked at a record: told to the second of two people (409)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from blueprints.scope import Scope
from blueprints.workspace.cards import stage_title
from blueprints.workspace.shown import Reader, in_currency
from builder.domain.fields import FieldSet, ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.errors import NotFound
from builder.queries.record import find_record
from builder.queries.row import names_of_members, names_of_records
from builder.queries.timeline import TimelineEvent, timeline

MOST_SHOWN = 10
# What is logged without a new revision of the record.
_WITHOUT_REVISION = ("move.", "record.shared", "record.unshared", "record.created")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that somebody did: who, when, the step if it was a move, and (field, before, after)."""

    who: str
    at: datetime
    step: tuple[str, str] | None
    fields: tuple[tuple[str, str, str], ...]
    text: str


@dataclass(frozen=True)
class MoveConflict:
    record: Mapping[str, Any]
    stage: str
    changes: tuple[Change, ...]


def changes_since(here: Scope, record_id: int, revisions: int) -> MoveConflict:
    """The latest ``revisions`` changes, newest first. Errors: NotFound."""
    opened = find_record(here.session, here.actor, record_id)
    if opened is None:
        raise NotFound()
    row = opened.record
    pipeline = here.catalog.pipelines.get(row.pipeline_key or "")
    veil = here.actor.veils.get(row.object_key)
    wanted = max(1, min(revisions, MOST_SHOWN))
    events = [
        event
        for event in timeline(here.session, record_id, veil, limit=3 * MOST_SHOWN).events
        if not event.kind.startswith(_WITHOUT_REVISION)
    ][:wanted]
    definition = here.catalog.object(row.object_key)
    reader = _reader(here, definition, events)
    reader.context = in_currency(reader.context, row.currency)
    record = {"id": row.id, "name": row.name or row.number, "pipeline_key": row.pipeline_key}
    stage = stage_title(pipeline.by_key.get(row.stage_key or "") if pipeline else None, row.stage_key or "")
    changes = tuple(_change(event, definition.fields, pipeline, reader) for event in events)
    return MoveConflict(record, stage, changes)


def _reader(here: Scope, definition: ObjectDefinition, events: list[TimelineEvent]) -> Reader:
    ids: dict[str, set[int]] = {"reference": set(), "user": set()}
    for event in events:
        for side in ("before", "after"):
            for key, value in (event.data.get(side) or {}).items():
                field = definition.fields.by_key.get(key)
                if field and field.type in ids and isinstance(value, str) and value.isdecimal():
                    ids[field.type].add(int(value))
    return Reader(
        here,
        names_of_records(here.session, ids["reference"]),
        names_of_members(here.session, ids["user"]),
    )


def _change(event: TimelineEvent, fields: FieldSet, pipeline: Pipeline | None, reader: Reader) -> Change:
    step = None
    if event.kind == "record.moved":
        stages: Mapping[str, Any] = pipeline.by_key if pipeline else {}
        before, after = event.data.get("from") or "", event.data.get("to") or ""
        step = (stage_title(stages.get(before), before), stage_title(stages.get(after), after))
    return Change(
        who=event.actor_name or gettext("Funnelwright"),
        at=event.effective_at,
        step=step,
        fields=_fields(event, fields, reader),
        text=gettext("worked on the stage") if event.kind == "stage.worked" else "",
    )


def _fields(event: TimelineEvent, fields: FieldSet, reader: Reader) -> tuple[tuple[str, str, str], ...]:
    if not event.kind.startswith("record."):
        return ()
    before, after = event.data.get("before") or {}, event.data.get("after") or {}
    return tuple(
        (
            field.label.text(reader.context.locale) or field.key,
            reader.cell(field, before.get(field.key)).text,
            reader.cell(field, after.get(field.key)).text,
        )
        for field in fields
        if (field.key in before or field.key in after) and field.type != "formula"
    )
