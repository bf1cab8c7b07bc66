"""What happened to a record, the latest first, from the event log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from builder.db.ids import from_public, to_public
from builder.db.ledger import EventRow
from builder.db.people import Member
from builder.db.tenancy import WorkspaceSession
from builder.errors import Problem
from builder.queries.keyset import BAD_CURSOR

EVENTS = 30


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


def events_of(record_id: int) -> Select[*tuple[Any, ...]]:
    """The events of a record, newest first, with the columns of ``TimelineEvent``."""
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
        .where(EventRow.record_id == record_id)
        .order_by(EventRow.id.desc())
    )


def timeline(
    session: WorkspaceSession, record_id: int, *, before: str | None = None, limit: int = EVENTS
) -> Timeline:
    """A page of a record's events in the order they were recorded, backwards; one statement.

    The caller has opened the record, which is where visibility is decided. A bad cursor gives the latest
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
    events = tuple(TimelineEvent(*row) for row in rows[:limit])
    return Timeline(events, to_public(events[-1].id) if len(rows) > limit else None, problem)
