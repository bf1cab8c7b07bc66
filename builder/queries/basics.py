"""How a record's basic facts changed: expected revenue, expected close, probability (S30)."""

from __future__ import annotations

from builder.db.ledger import EventRow
from builder.db.tenancy import WorkspaceSession
from builder.queries.timeline import TimelineEvent, events_of

ROLES = ("amount", "expected_close", "probability")
MOST_EVENTS = 500
_KINDS = ("record.changed", "record.moved")


def basics_events(session: WorkspaceSession, record_id: int) -> tuple[TimelineEvent, ...]:
    """The latest events that may have changed a basic fact, newest first; one statement.

    The caller has opened the record, which is where visibility is decided.
    """
    statement = events_of(record_id).where(EventRow.kind.in_(_KINDS)).limit(MOST_EVENTS)
    return tuple(TimelineEvent(*row) for row in session.execute(statement))
