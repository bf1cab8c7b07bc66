"""Undoing an import: batch by batch from its end, each in a transaction of its own (B24).

What an import made goes to the recycle bin and what it changed gets its former values, unless somebody has
touched it since or the record is referred to; such records stay, and the batch says which and why.
Definitions and colleagues that came with an import stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from sqlalchemy import func, select, update

from builder.db.imports import ImportBatch, ImportJob
from builder.db.ledger import EventRow
from builder.db.records import Link, Record
from builder.domain.undoing import Act, Decision, Keep, PutBack, Remove, decide
from builder.errors import N_, Conflict
from builder.services.imports import FINAL, UNDOING, UNDONE, find
from builder.services.ledger import Standing
from builder.services.records import put_back, remove_many
from builder.services.standings import load_standings
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

NOTHING_TO_UNDO = N_(
    "This import cannot be undone: it has not ended, has written nothing or was undone already."
)


@dataclass
class _Outcome:
    removed: int = 0
    restored: int = 0
    kept: list[tuple[int, str]] = field(default_factory=list)


def begin_undo(uow: UnitOfWork, job: ImportJob) -> None:
    """From an ended import to one that is being undone; the caller enqueues the work in this transaction.

    Errors: Forbidden (deleting is a right of its own), Conflict.
    """
    uow.require("record.delete")
    uow.begin()
    changed = uow.session.execute(
        update(ImportJob)
        .where(
            ImportJob.id == job.id,
            ImportJob.status.in_(FINAL),
            ImportJob.created_rows + ImportJob.updated_rows > 0,
        )
        .values(status=UNDOING, options={**job.options, "undone_by": uow.actor.member_id or None})
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(NOTHING_TO_UNDO)
    uow.session.expire(job)
    uow.log("import.undo_started", object_key=job.object_key, data={"job_id": str(job.id)})


def undo(uow: UnitOfWork, job_id: int, *, on_progress: Callable[[], None] | None = None) -> ImportJob:
    """Carry it out, or go on with one that was interrupted: batches that are undone already are left alone.

    Errors: NotFound, Forbidden.
    """
    job = find(uow, job_id)
    numbers = uow.session.scalars(
        select(ImportBatch.number)
        .where(ImportBatch.job_id == job_id, ImportBatch.undone_at.is_(None))
        .order_by(ImportBatch.number.desc())
    ).all()
    if job.status == UNDOING:
        for number in numbers:
            _undo_batch(uow, job_id, number)
            if on_progress is not None:
                on_progress()
        _finish(uow, job_id)
    return find(uow, job_id)


def _undo_batch(uow: UnitOfWork, job_id: int, number: int) -> None:
    uow.begin()
    uow.require("record.delete")
    batch_id = uow.session.scalar(
        select(ImportBatch.id).where(
            ImportBatch.job_id == job_id, ImportBatch.number == number, ImportBatch.undone_at.is_(None)
        )
    )
    if batch_id is None:
        uow.rollback()
        return
    own = frozenset(uow.session.scalars(select(ImportBatch.id).where(ImportBatch.job_id == job_id)))
    # What undoing writes belongs to the batch, so that the batches before it do not take it for somebody's.
    uow.batch_id = batch_id
    try:
        outcome = _Outcome()
        acts, firsts = _acts(uow, batch_id)
        # The latest first: rows go before the records that were made because they name them.
        for ids in chunks(sorted(acts, key=lambda record_id: -firsts[record_id])):
            since = _since(uow, {record_id: firsts[record_id] for record_id in ids}, own)
            _undo_records(uow, ids, acts, since, outcome)
        _note(uow, job_id, batch_id, outcome)
        uow.commit()
    finally:
        uow.batch_id = None


def _acts(uow: UnitOfWork, batch_id: int) -> tuple[Mapping[int, list[Act]], Mapping[int, int]]:
    """What the batch did, by record, and the id of the first event of each."""
    acts: dict[int, list[Act]] = defaultdict(list)
    firsts: dict[int, int] = {}
    rows = uow.session.execute(
        select(EventRow.record_id, EventRow.id, EventRow.kind, EventRow.data)
        .where(EventRow.batch_id == batch_id, EventRow.record_id.is_not(None))
        .order_by(EventRow.id)
    )
    for record_id, event_id, kind, data in rows:
        acts[record_id].append(_act(kind, data))
        firsts.setdefault(record_id, event_id)
    return acts, firsts


def _since(uow: UnitOfWork, firsts: Mapping[int, int], own: frozenset[int]) -> Mapping[int, Sequence[Act]]:
    """What was done with the records later, except by the import itself. ``firsts``: as of ``_acts``."""
    rows = uow.session.execute(
        select(EventRow.record_id, EventRow.id, EventRow.batch_id, EventRow.kind, EventRow.data)
        .where(EventRow.record_id.in_(firsts), EventRow.id > min(firsts.values()))
        .order_by(EventRow.id)
    ).all()
    undone = _undone(uow, {row.batch_id for row in rows if row.batch_id is not None} - own)
    found: dict[int, list[Act]] = defaultdict(list)
    for record_id, event_id, batch_id, kind, data in rows:
        is_over = batch_id in own or (batch_id in undone and record_id not in undone[batch_id])
        if event_id > firsts[record_id] and not is_over:
            found[record_id].append(_act(kind, data))
    return found


def _undone(uow: UnitOfWork, batch_ids: Set[int]) -> Mapping[int, Set[int]]:
    """Those of the batches that were undone since, with the records that they left as they were."""
    rows = uow.session.execute(
        select(ImportBatch.id, ImportBatch.kept).where(
            ImportBatch.id.in_(batch_ids), ImportBatch.undone_at.is_not(None)
        )
    )
    return {batch_id: {int(record_id) for record_id, _ in kept} for batch_id, kept in rows}


def _act(kind: str, data: Mapping[str, object]) -> Act:
    before, after = data.get("before"), data.get("after")
    return Act(
        kind, before if isinstance(before, Mapping) else {}, after if isinstance(after, Mapping) else {}
    )


def _undo_records(
    uow: UnitOfWork,
    ids: Sequence[int],
    acts: Mapping[int, Sequence[Act]],
    since: Mapping[int, Sequence[Act]],
    outcome: _Outcome,
) -> None:
    standings = load_standings(uow, ids)
    stored = set(
        uow.session.scalars(select(Record.id).where(Record.id.in_(ids), Record.deleted_at.is_(None)))
    )
    decisions: dict[int, Decision] = {}
    for record_id in ids:
        if record_id in stored and record_id not in standings:
            decisions[record_id] = Keep("hidden")
            continue
        is_deleted = record_id not in standings
        decision = decide(acts[record_id], since.get(record_id, ()), is_deleted=is_deleted)
        if isinstance(decision, PutBack) and _reassigns(uow, standings[record_id], decision.values):
            decision = Keep("rights")
        decisions[record_id] = decision
    leaving = [record_id for record_id in ids if isinstance(decisions[record_id], Remove)]
    for record_id in _referred(uow, leaving):
        decisions[record_id] = Keep("referred")
    _carry_out(uow, decisions, standings, outcome)


def _reassigns(uow: UnitOfWork, standing: Standing, values: Mapping[str, object]) -> bool:
    """Whether putting these values back takes a right that the actor lacks (S48)."""
    owner = uow.catalog.object(standing.record["object_key"]).fields.by_role.get("owner")
    if owner is None or uow.actor.can("record.reassign"):
        return False
    return owner.key in values and values[owner.key] != standing.record["data"].get(owner.key)


def _referred(uow: UnitOfWork, leaving: Sequence[int]) -> set[int]:
    """Those of them that some live record names which is not leaving as well."""
    found: set[int] = set()
    going = set(leaving)
    while True:
        named = uow.session.execute(
            select(Link.target_id, Link.record_id)
            .join(Record, Record.id == Link.record_id)
            .where(Link.target_id.in_(going), Record.deleted_at.is_(None))
        ).all()
        staying = {target for target, source in named if source not in going}
        if not staying:
            return found
        # What stays may itself name another that was to leave.
        found |= staying
        going -= staying


def _carry_out(
    uow: UnitOfWork,
    decisions: Mapping[int, Decision],
    standings: Mapping[int, Standing],
    outcome: _Outcome,
) -> None:
    remove_many(uow, [standings[key] for key, one in decisions.items() if isinstance(one, Remove)])
    for record_id, decision in decisions.items():
        if isinstance(decision, Remove):
            outcome.removed += 1
        elif isinstance(decision, PutBack):
            put_back(uow, standings[record_id], decision.values)
            outcome.restored += 1
        else:
            outcome.kept.append((record_id, decision.reason))


def _note(uow: UnitOfWork, job_id: int, batch_id: int, outcome: _Outcome) -> None:
    uow.session.execute(
        update(ImportBatch)
        .where(ImportBatch.id == batch_id)
        .values(undone_at=uow.clock.now(), kept=_told(outcome.kept))
        .execution_options(synchronize_session=False)
    )
    uow.session.execute(
        update(ImportJob)
        .where(ImportJob.id == job_id)
        .values(
            removed_records=ImportJob.removed_records + outcome.removed,
            restored_records=ImportJob.restored_records + outcome.restored,
            kept_records=ImportJob.kept_records + len(outcome.kept),
        )
        .execution_options(synchronize_session=False)
    )


def _told(kept: Iterable[tuple[int, str]]) -> list[list[str]]:
    return [[str(record_id), reason] for record_id, reason in kept]


def _finish(uow: UnitOfWork, job_id: int) -> None:
    uow.begin()
    left = uow.session.scalar(
        select(func.count()).where(ImportBatch.job_id == job_id, ImportBatch.undone_at.is_(None))
    )
    if not left:
        uow.session.execute(
            update(ImportJob)
            .where(ImportJob.id == job_id, ImportJob.status == UNDOING)
            .values(status=UNDONE, finished_at=uow.clock.now())
            .execution_options(synchronize_session=False)
        )
        uow.log("import.undone", data={"job_id": str(job_id)})
    uow.commit()
    uow.session.expire_all()
