"""What the required fields of a form cost, from records, answers and refused moves (B20)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from builder.db.ledger import EventRow, StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.form_cost import FormCost, Place, cost_of

MOST_ROWS = 2000
MOST_LOOKED_AT = 20_000
REFUSED = "move.refused"


def form_cost(
    session: WorkspaceSession, kind: str, key: str, required: Mapping[str, frozenset[Place] | None]
) -> FormCost:
    """The cost of the form of an object or of feedback: of the records changed last, or the last answers.

    Two statements, for at most ``MOST_ROWS`` rows; of the log and of the visits the ``MOST_LOOKED_AT`` newest
    are looked at, so that a page never reads a million to find none.
    """
    rows = _records(session, key) if kind == "object" else _answers(session, key)
    prefix = "" if kind == "object" else f"{key}:"
    return cost_of(rows, required, _refused(session, kind, key, prefix))


def _records(session: WorkspaceSession, key: str) -> Iterator[tuple[Place, bool, Mapping[str, Any]]]:
    rows = session.execute(
        select(Record.pipeline_key, Record.stage_key, Record.outcome, Record.data)
        .where(Record.object_key == key, Record.deleted_at.is_(None))
        .order_by(Record.updated_at.desc(), Record.id.desc())
        .limit(MOST_ROWS)
    )
    for row in rows:
        yield (row.pipeline_key or "", row.stage_key or ""), row.outcome in (None, "open"), row.data


def _answers(session: WorkspaceSession, key: str) -> Iterator[tuple[Place, bool, Mapping[str, Any]]]:
    """Of visits that are over, and of those that go on and were answered."""
    newest = (
        select(
            StayRow.id, StayRow.pipeline_key, StayRow.stage_key, StayRow.left_at, StayRow.answers,
            StayRow.feedback_key, StayRow.is_loaded,
        )
        .order_by(StayRow.id.desc())
        .limit(MOST_LOOKED_AT)
        .subquery()
    )  # fmt: skip
    rows = session.execute(
        select(newest.c.pipeline_key, newest.c.stage_key, newest.c.left_at, newest.c.answers)
        .where(newest.c.feedback_key == key, newest.c.is_loaded.is_(False))
        .order_by(newest.c.id.desc())
        .limit(MOST_ROWS)
    )
    for row in rows:
        if row.answers or row.left_at is None:
            yield (row.pipeline_key, row.stage_key), row.left_at is None, row.answers or {}


def _refused(session: WorkspaceSession, kind: str, key: str, prefix: str) -> Counter[str]:
    """How many of the last refused moves each field stood in the way of."""
    newest = (
        select(EventRow.id, EventRow.kind, EventRow.object_key, EventRow.data)
        .order_by(EventRow.id.desc())
        .limit(MOST_LOOKED_AT)
        .subquery()
    )
    latest = select(newest.c.data).where(newest.c.kind == REFUSED)
    if kind == "object":
        latest = latest.where(newest.c.object_key == key)
    counts: Counter[str] = Counter()
    for data in session.scalars(latest):
        names = [name for name in data.get("fields", ()) if name.startswith(prefix)]
        counts.update(name.removeprefix(prefix) for name in names if prefix or ":" not in name)
    return counts
