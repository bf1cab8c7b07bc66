"""What happened to a record, the latest first: its event log, and the activities that refer to it (S43)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, func, select, union

from builder.db.ids import from_public, to_public
from builder.db.ledger import EventRow
from builder.db.people import Member
from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.fields import ObjectDefinition
from builder.domain.permissions import Actor, Veil
from builder.errors import Problem
from builder.metadata.catalog import Catalog
from builder.queries.keyset import BAD_CURSOR
from builder.queries.related import referring, referring_fields
from builder.queries.row import ROWS, FullRecord, RecordRow, row_of
from builder.queries.veils import tells_nothing, told_as_seen

EVENTS = 30
NOTE = "note.written"
CHANGED = "record.changed"
# What became of a note is seen in the note itself.
_UNTOLD = ("note.changed", "note.removed")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "notes": (NOTE,),
    "moves": ("record.moved", "record.migrated", "move.requested", "stage.worked", "record.converted"),
    "values": (
        "record.created",
        "record.loaded",
        "record.changed",
        "record.deleted",
        "record.restored",
        "record.merged",
    ),
    "activities": (),
}
ALL = ""
ACTIVITIES = "activities"
SHOWN = (ALL, *_KINDS)


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event; ``actor_name`` is ``''`` when the product itself acted; ``data`` depends on the kind."""

    id: int
    kind: str
    effective_at: datetime
    recorded_at: datetime
    actor_id: int | None
    actor_name: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Timeline:
    """``next`` is the cursor of earlier events, ``None`` when these are the first ones."""

    events: tuple[TimelineEvent, ...]
    next: str | None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """One way in which activities happen: an option of the field with the part *channel* of their object."""

    object_key: str
    field_key: str
    option: str


@dataclass(frozen=True)
class Story:
    """Events and activities as they were recorded, the latest first; ``next`` as in ``Timeline``."""

    entries: tuple[TimelineEvent | RecordRow, ...]
    next: str | None
    problem: Problem | None = None


def activity_objects(catalog: Catalog, object_key: str) -> tuple[ObjectDefinition, ...]:
    """Objects whose records are activities (a field has the part *happened_at*) and may refer to this one."""
    keys = dict.fromkeys(referrer for referrer, _ in referring_fields(catalog, object_key))
    objects = (catalog.object(key) for key in keys)
    return tuple(each for each in objects if "happened_at" in each.fields.by_role)


def story(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    record: FullRecord,
    shown: str | Channel = ALL,
    *,
    before: str | None = None,
    limit: int = EVENTS,
) -> Story:
    """A page of what happened to a record; at most two statements, each read from an index.

    ``shown``: one of ``SHOWN`` or a channel. Ids follow the time of recording, in the event log and of
    records alike, so both are merged by id. What happened to records that were merged into this one is told
    with it. Activities that the actor does not see are left out. A bad
    cursor gives the latest entries and a ``problem``.
    """
    end, problem = None, None
    if before:
        try:
            end = from_public(before)
        except ValueError:
            problem = Problem(BAD_CURSOR, "cursor")
    kinds = None if shown == ALL else _KINDS[shown] if isinstance(shown, str) else ()
    found: list[TimelineEvent | RecordRow] = []
    if kinds is None or kinds:
        veil = actor.veils.get(record.object_key)
        found += _events(session, (record.id, *(record.merged_ids or ())), veil, kinds, end, limit)
    if isinstance(shown, Channel) or shown in (ALL, ACTIVITIES):
        channel = shown if isinstance(shown, Channel) else None
        found += _activities(session, catalog, actor, record, channel, end, limit)
    found.sort(key=lambda entry: entry.id, reverse=True)
    entries = tuple(found[:limit])
    return Story(entries, to_public(entries[-1].id) if len(found) > limit else None, problem)


def _events(
    session: WorkspaceSession,
    record_ids: Sequence[int],
    veil: Veil | None,
    kinds: tuple[str, ...] | None,
    end: int | None,
    limit: int,
) -> list[TimelineEvent]:
    """Changes of nothing but hidden values are not told; a page may then be shorter, and ends as it would."""
    kept = EventRow.kind.not_in(_UNTOLD) if kinds is None else EventRow.kind.in_(kinds)
    statement = events_of(*record_ids).where(kept).limit(limit + 1)
    if end is not None:
        statement = statement.where(EventRow.id < end)
    events = [_told(row, veil) for row in session.execute(statement)]
    if veil is None:
        return events
    return [event for event in events if event.kind != CHANGED or not tells_nothing(event.data)]


def _told(row: Any, veil: Veil | None) -> TimelineEvent:
    event = TimelineEvent(*row)
    return event if veil is None else replace(event, data=told_as_seen(event.data, veil))


def _activities(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    record: RecordRow,
    channel: Channel | None,
    end: int | None,
    limit: int,
) -> list[RecordRow]:
    objects = {each.key: each for each in activity_objects(catalog, record.object_key)}
    parts = []
    for object_key, field_key in referring_fields(catalog, record.object_key):
        if object_key not in objects or (channel is not None and channel.object_key != object_key):
            continue
        source = referring(actor, record.id, object_key, field_key)
        if end is not None:
            source = source.where(Link.record_id < end)
        if channel is not None:
            source = source.where(_goes_by(objects[object_key], channel))
        parts.append(source.order_by(Link.record_id.desc()).limit(limit + 1).subquery())
    if not parts:
        return []
    # A record that refers twice is one activity.
    ids = union(*(select(part.c.id) for part in parts)).subquery()
    statement = ROWS.join(ids, ids.c.id == Record.id).order_by(Record.id.desc()).limit(limit + 1)
    return [row_of(row, actor) for row in session.execute(statement)]


def _goes_by(definition: ObjectDefinition, channel: Channel) -> ColumnElement[bool]:
    field = definition.fields.by_key[channel.field_key]
    if field.slot is not None:
        return cast("ColumnElement[bool]", getattr(Record, field.slot) == channel.option)
    return Record.data[channel.field_key].as_string() == channel.option


def events_of(*record_ids: int) -> Select[*tuple[Any, ...]]:
    """The events of records, newest first, with the columns of ``TimelineEvent``."""
    return (
        select(
            EventRow.id,
            EventRow.kind,
            EventRow.effective_at,
            EventRow.recorded_at,
            EventRow.actor_id,
            func.coalesce(Member.name, ""),
            EventRow.data,
        )
        .outerjoin(Member, Member.id == EventRow.actor_id)
        .where(
            EventRow.record_id.in_(record_ids) if len(record_ids) > 1 else EventRow.record_id == record_ids[0]
        )
        .order_by(EventRow.id.desc())
    )


def timeline(
    session: WorkspaceSession,
    record_id: int,
    veil: Veil | None = None,
    *,
    before: str | None = None,
    limit: int = EVENTS,
) -> Timeline:
    """A page of a record's events in the order they were recorded, backwards; one statement.

    The caller has opened the record, which is where visibility is decided; ``veil``: what its reader does
    not see of it. A bad cursor gives the latest
    events and a ``problem``.
    """
    statement = events_of(record_id).limit(limit + 1)
    problem = None
    if before:
        try:
            statement = statement.where(EventRow.id < from_public(before))
        except ValueError:
            problem = Problem(BAD_CURSOR, "cursor")
    rows = session.execute(statement).all()
    events = tuple(_told(row, veil) for row in rows[:limit])
    return Timeline(events, to_public(events[-1].id) if len(rows) > limit else None, problem)
