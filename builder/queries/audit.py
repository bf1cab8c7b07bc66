"""The event log for reading: who did what, when, from where, before and after (S119)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from builder.db.base import from_micros, to_micros
from builder.db.ids import from_public, to_public
from builder.db.ledger import EventRow
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import Problem
from builder.queries.keyset import BAD_CURSOR
from builder.queries.veils import told_as_seen

SHOWN = 50
MOST_EXPORTED = 10_000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event. ``actor_name`` is ``""`` when the product itself acted, ``record_name`` of no record."""

    id: int
    kind: str
    recorded_at: datetime
    actor_id: int | None
    actor_name: str
    object_key: str | None
    record_id: int | None
    record_name: str
    currency: str | None
    data: Mapping[str, Any]
    origin: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events: of whom, of which kind, about which object or record, recorded in [start, end)."""

    member_id: int | None = None
    kind: str = ""
    object_key: str = ""
    record_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class AuditPage:
    """The latest first. ``next`` is the cursor of earlier ones, ``None`` when there are no more."""

    events: tuple[AuditEvent, ...]
    next: str | None
    problem: Problem | None = None


def audit(
    session: WorkspaceSession, actor: Actor, wanted: AuditFilter, *, before: str = "", limit: int = SHOWN
) -> AuditPage:
    """A page of the log, without values of fields that the reader's role hides; one statement. A bad cursor
    gives the latest events and a ``problem``.
    """
    place, problem = None, None
    if before:
        try:
            place = _place(before)
        except ValueError:
            problem = Problem(BAD_CURSOR, "cursor")
    rows = session.execute(_statement(wanted, place).limit(limit + 1)).all()
    events = tuple(_event(row, actor) for row in rows[:limit])
    following = None
    if len(rows) > limit:
        last = events[-1]
        following = f"{to_micros(last.recorded_at)}.{to_public(last.id)}"
    return AuditPage(events, following, problem)


def audit_rows(session: WorkspaceSession, actor: Actor, wanted: AuditFilter) -> Iterator[AuditEvent]:
    """The latest events up to ``MOST_EXPORTED``, read in batches."""
    place: tuple[datetime, int] | None = None
    left = MOST_EXPORTED
    while left > 0:
        rows = session.execute(_statement(wanted, place).limit(min(_BATCH, left))).all()
        for row in rows:
            yield _event(row, actor)
        left -= len(rows)
        if len(rows) < _BATCH:
            return
        place = (rows[-1].recorded_at, rows[-1].id)


def kinds(session: WorkspaceSession) -> list[str]:
    """The kinds of the latest events, for the filter."""
    latest = select(EventRow.kind).order_by(EventRow.recorded_at.desc(), EventRow.id.desc()).limit(5_000)
    part = latest.subquery()
    return sorted(session.scalars(select(part.c.kind).distinct()))


def _event(row: Row[*tuple[Any, ...]], actor: Actor) -> AuditEvent:
    values: tuple[Any, ...] = tuple(row)
    event = AuditEvent(*values)
    veil = actor.veils.get(event.object_key or "")
    return event if veil is None else replace(event, data=told_as_seen(event.data, veil))


def _place(cursor: str) -> tuple[datetime, int]:
    """Errors: ValueError."""
    micros, _, public = cursor.partition(".")
    if not (micros.isascii() and micros.isdecimal() and len(micros) < 18):
        raise ValueError(cursor)
    return from_micros(int(micros)), from_public(public)


def _statement(wanted: AuditFilter, place: tuple[datetime, int] | None) -> Select[*tuple[Any, ...]]:
    at, event_id = EventRow.recorded_at, EventRow.id
    parts: list[ColumnElement[bool]] = []
    if place is not None:
        parts += [at <= place[0], or_(at < place[0], and_(at == place[0], event_id < place[1]))]
    if wanted.start is not None:
        parts.append(at >= wanted.start)
    if wanted.end is not None:
        parts.append(at < wanted.end)
    if wanted.member_id is not None:
        parts.append(EventRow.actor_id == wanted.member_id)
    if wanted.kind:
        parts.append(EventRow.kind == wanted.kind)
    if wanted.object_key:
        parts.append(EventRow.object_key == wanted.object_key)
    if wanted.record_id is not None:
        parts.append(EventRow.record_id == wanted.record_id)
    return (
        select(
            EventRow.id,
            EventRow.kind,
            EventRow.recorded_at,
            EventRow.actor_id,
            func.coalesce(Member.name, ""),
            EventRow.object_key,
            EventRow.record_id,
            func.coalesce(Record.name, ""),
            Record.currency,
            EventRow.data,
            EventRow.origin,
        )
        .outerjoin(Member, Member.id == EventRow.actor_id)
        .outerjoin(Record, Record.id == EventRow.record_id)
        .where(*parts)
        .order_by(at.desc(), event_id.desc())
    )
