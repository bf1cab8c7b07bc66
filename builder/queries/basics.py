"""How a record's basic facts changed: expected revenue, expected close, probability (S30)."""

from __future__ import annotations

from sqlalchemy import func, select

from builder.db.ledger import EventRow
from builder.db.people import Member
from builder.db.tenancy import WorkspaceSession
from builder.queries.timeline import TimelineEvent

ROLES = ("amount", "expected_close", "probability")
MOST_EVENTS = 500
_KINDS = ("record.changed", "record.moved")


def basics_events(session: WorkspaceSession, record_id: int) -> tuple[TimelineEvent, ...]:
    """The latest events that may have changed a basic fact, newest first; one statement.

    The caller has opened the record, which is where visibility is decided.
    """
    statement = (
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
        .where(EventRow.record_id == record_id, EventRow.kind.in_(_KINDS))
        .order_by(EventRow.id.desc())
        .limit(MOST_EVENTS)
    )
    return tuple(TimelineEvent(*row) for row in session.execute(statement))
