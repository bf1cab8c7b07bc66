"""Batches for reading: what was done to many records at once, what was refused, what undoing left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from builder.db.batches import Batch
from builder.db.ledger import EventRow
from builder.db.people import Member
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.undoing import MERGED
from builder.errors import NotFound
from builder.queries.row import names_of_visible

LISTED = 500


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that was left out, with the message and its values; ``field`` is a key or empty."""

    record_id: int
    name: str
    message: str
    values: Mapping[str, Any]
    field: str


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record that undoing left as it is. ``name``: none where the actor does not see it."""

    id: int
    name: str | None
    reason: str


@dataclass(frozen=True)
class BatchRow:
    """One batch as its page shows it. ``refused``: a line for each reason, of ``refused_records`` records.
    ``survivor``: id and name of what others were merged into, where the reader sees it.
    """

    id: int
    kind: str
    object_key: str
    created_at: datetime
    creator: str | None
    state: str
    problem: Mapping[str, Any] | None
    total_records: int
    done_records: int
    waiting_records: int
    refused_records: int
    refused: tuple[Refused, ...]
    undone_at: datetime | None
    removed_records: int
    restored_records: int
    kept_records: int
    kept: tuple[KeptRecord, ...]
    survivor: tuple[int, str] | None = None

    @property
    def is_running(self) -> bool:
        return self.state in ("queued", "running", "undoing")

    @property
    def passed_records(self) -> int:
        """How many were done or refused."""
        return self.done_records + self.refused_records

    @property
    def percent(self) -> int:
        """How much is done, 0–100."""
        if self.state in ("queued", "undoing"):
            return 0
        return min(99, self.passed_records * 100 // self.total_records) if self.total_records else 0


def find_batch(session: WorkspaceSession, actor: Actor, batch_id: int) -> BatchRow:
    """A batch of one's own, or of anybody for those who keep the workspace's people.

    Errors: NotFound, for one of an import and for somebody else's as well.
    """
    found = session.execute(
        select(Batch, Member.name)
        .outerjoin(Member, Member.id == Batch.created_by)
        .where(Batch.id == batch_id, Batch.job_id.is_(None))
    ).one_or_none()
    if found is None or (found[0].created_by != actor.member_id and not actor.can("members.edit")):
        raise NotFound()
    batch, creator = found
    return BatchRow(
        id=batch.id,
        kind=batch.kind,
        object_key=batch.object_key,
        created_at=batch.created_at,
        creator=creator,
        state=batch.state,
        problem=batch.problem,
        total_records=batch.total_records,
        done_records=batch.done_records,
        waiting_records=batch.waiting_records,
        refused_records=batch.refused_records,
        refused=tuple(
            Refused(int(record_id), name, message, values, field)
            for record_id, name, message, values, field in batch.refused[:LISTED]
        ),
        undone_at=batch.undone_at,
        removed_records=batch.removed_records,
        restored_records=batch.restored_records,
        kept_records=len(batch.kept),
        kept=kept_records(session, actor, batch.kept[:LISTED]),
        survivor=_survivor(session, actor, batch) if batch.kind == "merge" else None,
    )


def _survivor(session: WorkspaceSession, actor: Actor, batch: Batch) -> tuple[int, str] | None:
    statement = select(EventRow.data).where(EventRow.batch_id == batch.id, EventRow.kind == MERGED).limit(1)
    told = session.scalar(statement)
    if told is None:
        return None
    record_id = int(told["into"]["record"])
    name = names_of_visible(session, actor, [record_id]).get(record_id)
    return None if name is None else (record_id, name)


def kept_records(session: WorkspaceSession, actor: Actor, kept: list[Any]) -> tuple[KeptRecord, ...]:
    """What stands in ``Batch.kept``, with the names that the actor may see."""
    names = names_of_visible(session, actor, [int(record_id) for record_id, _ in kept])
    return tuple(KeptRecord(int(record_id), names.get(int(record_id)), reason) for record_id, reason in kept)
