"""Moves as they were made, read back from the ledger: what was known of the record at that moment (B8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from builder.db.ledger import EventRow, StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.moves import MoveIntent

MOVED = "record.moved"
_TELLING = ("record.created", "record.loaded", "record.changed", MOVED)
_PART = 500


@dataclass(frozen=True, slots=True)
class PastMove:
    """One move through the gates. ``values``: those of the record as the gate saw them;
    ``columns`` by the column of ``record``; ``actor_id``: the member, None for the product itself.
    """

    record_id: int
    name: str
    from_stage: str
    intent: MoveIntent
    values: Mapping[str, Any]
    columns: Mapping[str, Any]
    answers: Mapping[str, Any]
    done_tasks: frozenset[str]
    is_marked: bool
    actor_id: int | None
    at: datetime


def past_moves(session: WorkspaceSession, pipeline_key: str, last: int) -> Iterator[PastMove]:
    """The moves within a process of the ``last`` records that moved in it, the latest first.

    History that was brought in was never asked anything and is left out. A fixed number of statements for
    every 500 records.
    """
    found: Sequence[Any] = session.execute(
        select(Record.id, Record.name, Record.created_at)
        .where(Record.pipeline_key == pipeline_key, Record.deleted_at.is_(None))
        .order_by(Record.stage_entered_at.desc().nulls_last(), Record.id.desc())
        .limit(last)
    ).all()
    for start in range(0, len(found), _PART):
        part = found[start : start + _PART]
        ids = [row.id for row in part]
        events, stays = _events(session, ids), _stays(session, ids, pipeline_key)
        for row in part:
            yield from _moves_of(row, events.get(row.id, ()), stays.get(row.id, ()), pipeline_key)


def _events(session: WorkspaceSession, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    rows = session.execute(
        select(EventRow.record_id, EventRow.kind, EventRow.effective_at, EventRow.actor_id, EventRow.data)
        .where(EventRow.record_id.in_(ids), EventRow.kind.in_(_TELLING))
        .order_by(EventRow.record_id, EventRow.id)
    )
    return _by_record(rows)


def _stays(session: WorkspaceSession, ids: Sequence[int], pipeline_key: str) -> dict[int, list[Row[Any]]]:
    """Visits that ended, with what was done in them."""
    rows = session.execute(
        select(
            StayRow.record_id,
            StayRow.stage_key,
            StayRow.next_stage_key,
            StayRow.entered_at,
            StayRow.owner_id,
            StayRow.department_id,
            StayRow.tasks_done,
            StayRow.is_marked,
        )
        .where(
            StayRow.record_id.in_(ids), StayRow.pipeline_key == pipeline_key, StayRow.left_via.is_not(None)
        )
        .order_by(StayRow.record_id, StayRow.sequence)
    )
    return _by_record(rows)


def _by_record(rows: Any) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.record_id, []).append(row)
    return found


def _moves_of(
    record: Row[Any], events: Sequence[Row[Any]], stays: Sequence[Row[Any]], pipeline_key: str
) -> Iterator[PastMove]:
    values: dict[str, Any] = {}
    visits = iter(stays)
    for event in events:
        values = {**values, **(event.data.get("after") or {})}
        if event.kind != MOVED or event.data.get("pipeline") != pipeline_key or not event.data.get("from"):
            continue
        went = (event.data["from"], event.data["to"])
        stay = next((each for each in visits if (each.stage_key, each.next_stage_key) == went), None)
        if stay is not None:
            yield _past_move(record, event, stay, values, pipeline_key)


def _past_move(
    record: Row[Any], event: Row[Any], stay: Row[Any], values: Mapping[str, Any], pipeline_key: str
) -> PastMove:
    data = event.data
    return PastMove(
        record.id,
        record.name,
        data["from"],
        MoveIntent(
            data["to"], data.get("reason"), data.get("note") or "", override_reason=data.get("override")
        ),
        {key: value for key, value in values.items() if value is not None},
        {
            "stage_key": data["from"],
            "pipeline_key": pipeline_key,
            "outcome": "open",
            "owner_id": stay.owner_id,
            "department_id": stay.department_id,
            "created_at": record.created_at,
            "updated_at": event.effective_at,
            "stage_entered_at": stay.entered_at,
            "closed_at": None,
        },
        data.get("answers") or {},
        frozenset(stay.tasks_done or {}),
        bool(stay.is_marked),
        event.actor_id,
        event.effective_at,
    )
