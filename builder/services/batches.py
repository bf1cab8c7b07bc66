"""Doing something to many records at once, and undoing it (B24).

Whatever is written while a batch is open belongs to it: its events say so, and nothing else is needed to undo
it. What somebody has touched since stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import or_, select

from builder.db.batches import Batch
from builder.db.ids import new_id
from builder.db.ledger import EventRow
from builder.db.records import Link, Record
from builder.domain.labels import Label
from builder.domain.undoing import MERGED, Act, Decision, Keep, PutBack, Reason, Remove, Restore, decide
from builder.errors import N_, Conflict, Forbidden, NotFound, Problem
from builder.fieldtypes.registry import type_of
from builder.services.belongings import give_back, set_merged_ids
from builder.services.deletion import remove_many, restore_many
from builder.services.former_values import FormerValues
from builder.services.ledger import Standing
from builder.services.records import put_back
from builder.services.standings import load_standings
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

UNDONE = N_("This was undone already.")
NOT_YOURS = N_("Only whoever did this and admins may undo it.")
MOVES_STAY = N_("Moves are not undone: the ledger keeps what happened. Move the records back instead.")
STILL_RUNNING = N_("This is still running. Stop it first, or wait until it has ended.")
MERGED_SINCE = N_("The record that stayed was merged into another one since. Undo that first.")
ERASED_SINCE = N_("This person was erased since, so the records stay one.")
MERGE = "merge"


@dataclass
class Outcome:
    """What undoing did: records taken away, put back, and left as they are with the reason."""

    removed: int = 0
    restored: int = 0
    kept: list[tuple[int, Reason]] = field(default_factory=list)


@contextmanager
def open_batch(
    uow: UnitOfWork, kind: str, object_key: str, *, batch_id: int | None = None, job_id: int | None = None
) -> Iterator[Batch]:
    """A batch of the running write; what is logged within belongs to it. The caller commits."""
    batch = Batch(
        workspace_id=uow.workspace.id,
        id=batch_id or new_id(),
        kind=kind,
        object_key=object_key,
        job_id=job_id,
        created_at=uow.clock.now(),
        created_by=uow.actor.member_id or None,
        state="done",
        plan=None,
        problem=None,
        total_records=0,
        after_id=0,
        done_records=0,
        waiting_records=0,
        refused_records=0,
        refused=[],
        removed_records=0,
        restored_records=0,
        kept=[],
    )
    uow.batch_id = batch.id
    try:
        yield batch
        uow.session.add(batch)
        uow.flush()
    finally:
        uow.batch_id = None


def plain_values(problem: Problem) -> dict[str, Any]:
    """The values of a message as JSON; labels keep their languages."""
    return {
        name: value.to_document()
        if isinstance(value, Label)
        else value
        if value is None or isinstance(value, (str, int, float, bool))
        else str(value)
        for name, value in problem.values.items()
    }


def undo_own(uow: UnitOfWork, batch_id: int) -> Outcome:
    """Undo what somebody did in a list; the caller commits.

    Errors: NotFound, Forbidden (somebody else's, unless one keeps the workspace's people), Conflict (undone
    already, still running, moves).
    """
    uow.begin()
    return undo(uow, own(uow, batch_id))


def own(uow: UnitOfWork, batch_id: int) -> Batch:
    """A batch that the actor may undo now, locked. Errors: as ``undo_own``."""
    batch = lock(uow, batch_id)
    if batch is None or batch.job_id is not None:
        raise NotFound()
    if batch.created_by != uow.actor.member_id and not uow.actor.can("members.edit"):
        raise Forbidden(NOT_YOURS)
    if batch.kind == "move":
        raise Conflict(MOVES_STAY)
    uow.require(undo_right(batch.kind))
    if batch.undone_at is not None:
        raise Conflict(UNDONE)
    if batch.state in ("queued", "running", "undoing"):
        raise Conflict(STILL_RUNNING)
    return batch


def undo_right(kind: str) -> str:
    """The right that undoing a batch of this kind takes."""
    return "record.restore" if kind == "delete" else "record.edit"


def lock(uow: UnitOfWork, batch_id: int) -> Batch | None:
    """The batch as it stands now: whoever undoes it at the same time waits for the end of this write."""
    statement = select(Batch).where(Batch.id == batch_id).with_for_update()
    return uow.session.scalar(statement.execution_options(populate_existing=True))


def undo(uow: UnitOfWork, batch: Batch, others: Set[int] = frozenset(), *, in_parts: bool = False) -> Outcome:
    """Undo a batch within the running write. ``others``: batches of the same act, whose changes are none of
    somebody else's. ``in_parts``: some records at a time, each part committed, so that nobody waits long.
    """
    mine = {*others, batch.id}
    # Merging lets records refer to another one, whoever sees them; undoing it does as well.
    is_of_everyone = batch.kind == MERGE
    # What undoing writes belongs to the batch, so that an earlier one does not take it for somebody's.
    uow.batch_id = batch.id
    outcome = Outcome()
    try:
        if batch.kind == MERGE:
            _refuse_later_acts(uow, batch.id)
        acts, firsts = _acts(uow, batch.id)
        # The latest first: rows go before the records that were made because they name them.
        for ids in chunks(sorted(acts, key=lambda record_id: -firsts[record_id])):
            # Locked before anybody's later acts are asked for: from here on there are no more of them.
            live = load_standings(uow, ids, leaves_out_read_only=True, of_everyone=is_of_everyone)
            left = [record_id for record_id in ids if record_id not in live]
            binned = (
                load_standings(
                    uow, left, is_deleted=True, leaves_out_read_only=True, of_everyone=is_of_everyone
                )
                if left
                else {}
            )
            since = _since(uow, {record_id: firsts[record_id] for record_id in ids}, mine)
            _undo_records(uow, ids, live | binned, acts, since, outcome)
            if in_parts:
                uow.commit()
                uow.begin()
        if batch.kind == MERGE:
            _part(uow, batch.id)
        batch.undone_at = uow.clock.now()
        batch.removed_records, batch.restored_records = outcome.removed, outcome.restored
        batch.kept = [[str(record_id), reason] for record_id, reason in outcome.kept]
        uow.flush()
    finally:
        uow.batch_id = None
    return outcome


def _merged_in(uow: UnitOfWork, batch_id: int) -> list[tuple[int, int, Mapping[str, Any]]]:
    """What a merge merged, the last first: record, survivor, and what passed on."""
    rows = uow.session.execute(
        select(EventRow.record_id, EventRow.data)
        .where(EventRow.batch_id == batch_id, EventRow.kind == MERGED)
        .order_by(EventRow.id.desc())
    )
    return [(row.record_id, int(row.data["into"]["record"]), row.data["belongings"]) for row in rows]


def _refuse_later_acts(uow: UnitOfWork, batch_id: int) -> None:
    """Errors: Conflict when the survivor was merged into yet another record, or erased, since."""
    records = select(EventRow.record_id).where(EventRow.batch_id == batch_id)
    erased = select(Record.id).where(Record.id.in_(records), Record.erased_at.is_not(None))
    if uow.session.scalar(erased.limit(1)) is not None:
        raise Conflict(ERASED_SINCE)
    survivors = {survivor_id for _, survivor_id, _ in _merged_in(uow, batch_id)}
    gone = select(Record.id).where(Record.id.in_(survivors), Record.merged_into_id.is_not(None))
    if uow.session.scalar(gone.limit(1)) is not None:
        raise Conflict(MERGED_SINCE)


def _part(uow: UnitOfWork, batch_id: int) -> None:
    """Give the records of a merge that are back what passed on from them."""
    merged = _merged_in(uow, batch_id)
    back = set(
        uow.session.scalars(
            select(Record.id).where(Record.id.in_([one for one, _, _ in merged]), Record.deleted_at.is_(None))
        )
    )
    for record_id, survivor_id, passed in merged:
        if record_id in back:
            give_back(uow, record_id, survivor_id, passed)
            set_merged_ids(uow, record_id)
            set_merged_ids(uow, survivor_id)


def _acts(uow: UnitOfWork, batch_id: int) -> tuple[Mapping[int, list[Act]], Mapping[int, int]]:
    """What the batch did, by record, and the id of the first event of each.

    Former values are as their fields are now, which may have got another type since.
    """
    acts: dict[int, list[Act]] = defaultdict(list)
    firsts: dict[int, int] = {}
    former = FormerValues(uow)
    rows = uow.session.execute(
        select(EventRow.record_id, EventRow.id, EventRow.object_key, EventRow.kind, EventRow.data)
        .where(EventRow.batch_id == batch_id, EventRow.record_id.is_not(None))
        .order_by(EventRow.id)
    )
    for record_id, event_id, object_key, kind, data in rows:
        act, definition = _act(uow, object_key, kind, data), uow.catalog.objects.get(object_key or "")
        if definition is not None:
            act = replace(act, before=former.now(definition, act.before, event_id))
        acts[record_id].append(act)
        firsts.setdefault(record_id, event_id)
    return acts, firsts


def _since(uow: UnitOfWork, firsts: Mapping[int, int], own: Set[int]) -> Mapping[int, Sequence[Act]]:
    """What was done with the records later, except by the same act. ``firsts``: as of ``_acts``."""
    rows = uow.session.execute(
        select(
            EventRow.record_id,
            EventRow.id,
            EventRow.batch_id,
            EventRow.object_key,
            EventRow.kind,
            EventRow.data,
        )
        .where(
            EventRow.record_id.in_(firsts),
            EventRow.id > min(firsts.values()),
            or_(EventRow.batch_id.is_(None), EventRow.batch_id.not_in(own)),
        )
        .order_by(EventRow.id)
    ).all()
    undone = _undone(uow, {row.batch_id for row in rows if row.batch_id is not None})
    found: dict[int, list[Act]] = defaultdict(list)
    for record_id, event_id, batch_id, object_key, kind, data in rows:
        is_over = batch_id in undone and record_id not in undone[batch_id]
        if event_id > firsts[record_id] and not is_over:
            found[record_id].append(_act(uow, object_key, kind, data))
    return found


def _undone(uow: UnitOfWork, batch_ids: Set[int]) -> Mapping[int, Set[int]]:
    """Those of the batches that were undone since, with the records that they left as they were."""
    rows = uow.session.execute(
        select(Batch.id, Batch.kept).where(Batch.id.in_(batch_ids), Batch.undone_at.is_not(None))
    )
    return {batch_id: {int(record_id) for record_id, _ in kept} for batch_id, kept in rows}


def _act(uow: UnitOfWork, object_key: str | None, kind: str, data: Mapping[str, object]) -> Act:
    """An event. What is computed follows from the rest: nobody changed it, and it is computed anew."""
    definition = uow.catalog.objects.get(object_key or "")
    known = definition.fields.by_key if definition is not None else {}

    def typed(side: object) -> dict[str, Any]:
        values = side if isinstance(side, Mapping) else {}
        return {
            key: value
            for key, value in values.items()
            if key not in known or not type_of(known[key]).is_computed
        }

    return Act(kind, typed(data.get("before")), typed(data.get("after")))


def _undo_records(
    uow: UnitOfWork,
    ids: Sequence[int],
    standings: Mapping[int, Standing],
    acts: Mapping[int, Sequence[Act]],
    since: Mapping[int, Sequence[Act]],
    outcome: Outcome,
) -> None:
    decisions: dict[int, Decision] = {}
    for record_id in ids:
        if record_id not in standings:
            decisions[record_id] = Keep("hidden")
            continue
        is_deleted = standings[record_id].record["deleted_at"] is not None
        decision = decide(acts[record_id], since.get(record_id, ()), is_deleted=is_deleted)
        if isinstance(decision, PutBack) and _reassigns(uow, standings[record_id], decision.values):
            decision = Keep("rights")
        decisions[record_id] = decision
    # Former values first: what the batch made may be named by nothing else any more.
    for record_id, decision in decisions.items():
        if isinstance(decision, PutBack):
            put_back(uow, standings[record_id], decision.values)
            outcome.restored += 1
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
    outcome: Outcome,
) -> None:
    leaving = [standings[key] for key, one in decisions.items() if isinstance(one, Remove)]
    coming = [standings[key] for key, one in decisions.items() if isinstance(one, Restore)]
    remove_many(uow, leaving)
    restore_many(uow, coming)
    outcome.removed += len(leaving)
    outcome.restored += len(coming)
    for record_id, decision in decisions.items():
        if isinstance(decision, Keep):
            outcome.kept.append((record_id, decision.reason))
