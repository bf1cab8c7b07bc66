"""Doing the same to all records that a list has: at once for few, in the background for many (B24).

One batch however many transactions: each part is committed with the place where it ended, so that whoever
takes over after a crash goes on there. What is to be done stands in ``Batch.plan``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from builder.db.batches import Batch
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import parse
from builder.errors import N_, Conflict, Forbidden, FunnelwrightError, Invalid, NotFound
from builder.queries.imports import starter
from builder.queries.list import ListRequest
from builder.queries.matching import Matching
from builder.services import batches
from builder.services.bulk import NONE_CHOSEN, BulkResult, Chosen, carry_out, do_to_many, refusals
from builder.services.bulk_acts import Act, act_of
from builder.services.unit_of_work import UnitOfWork

# Up to so many are done while somebody waits.
AT_ONCE = 200
PART = 100
# All or nothing is one transaction, which others wait for on SQLite.
MOST_WHOLE = 1_000
MOST_RUNNING = 3
KEPT_REFUSALS = 1_000
QUEUED, RUNNING, DONE, FAILED, STOPPED, UNDOING = "queued", "running", "done", "failed", "stopped", "undoing"
OTHER_COUNT = N_("There are %(now)s records now, not %(seen)s. Look again, then repeat it.")
TOO_MANY_WHOLE = N_(
    "“All or nothing” is possible for at most %(most)s records. Narrow the list, or leave refused ones out."
)
TOO_MANY_RUNNING = N_("%(most)s of your changes are still running. Wait until one has ended.")
HAS_ENDED = N_("This has ended already.")


@dataclass(frozen=True)
class Everything:
    """All records that a list has. ``filter``: a condition document; ``count``: how many the person saw."""

    object_key: str
    filter: Mapping[str, Any] | None
    query: str
    pipeline: str | None
    count: int = 0

    def matching(self, uow: UnitOfWork) -> Matching:
        """Errors: NotFound, ConditionError."""
        request = ListRequest(
            self.object_key,
            filter=None if self.filter is None else parse(self.filter),
            query=self.query,
            pipeline_key=self.pipeline,
        )
        context = EvaluationContext(
            uow.clock.now(),
            uow.workspace.time_zone,
            uow.actor.member_id,
            uow.actor.department_ids,
            uow.catalog.time_limits,
        )
        return Matching(uow.session, uow.shown, uow.actor, request, context)


def do_to_all(
    uow: UnitOfWork,
    everything: Everything,
    act: Act,
    *,
    is_all_or_nothing: bool = False,
    asks_first: bool = False,
) -> BulkResult:
    """Do it to all at once, where there are few of them; the caller commits.

    Errors: Forbidden, Conflict when there are not as many as the person saw, Invalid for none.
    """
    uow.begin()
    uow.require(act.right)
    ids = everything.matching(uow).ids(AT_ONCE + 1)
    if len(ids) != everything.count:
        raise Conflict(OTHER_COUNT, now=everything.matching(uow).count(), seen=everything.count)
    chosen = [Chosen(record_id, None) for record_id in ids]
    return do_to_many(
        uow, everything.object_key, chosen, act, is_all_or_nothing=is_all_or_nothing, asks_first=asks_first
    )


def queue(uow: UnitOfWork, everything: Everything, act: Act, *, is_all_or_nothing: bool = False) -> int:
    """A batch that a worker carries out; its id. The caller enqueues the work in the same transaction.

    Errors: Forbidden, Conflict (another number than the person saw, too many running), Invalid.
    """
    uow.begin()
    uow.require(act.right)
    count = everything.matching(uow).count()
    if count == 0:
        raise Invalid(NONE_CHOSEN)
    if count != everything.count:
        raise Conflict(OTHER_COUNT, now=count, seen=everything.count)
    if is_all_or_nothing and count > MOST_WHOLE:
        raise Invalid(TOO_MANY_WHOLE, most=MOST_WHOLE)
    if _running_count(uow) >= MOST_RUNNING:
        raise Conflict(TOO_MANY_RUNNING, most=MOST_RUNNING)
    with batches.open_batch(uow, act.kind, everything.object_key) as batch:
        batch.state, batch.total_records = QUEUED, count
        batch.plan = {
            "act": act.to_document(),
            "filter": None if everything.filter is None else dict(everything.filter),
            "query": everything.query,
            "pipeline": everything.pipeline,
            "is_whole": is_all_or_nothing,
        }
    facts = {"batch_id": str(batch.id), "count": count, **batch.plan}
    uow.log("records.bulk_begun", object_key=everything.object_key, data=facts)
    return batch.id


def _running_count(uow: UnitOfWork) -> int:
    mine = select(Batch.id).where(
        Batch.created_by == uow.actor.member_id, Batch.state.in_((QUEUED, RUNNING, UNDOING))
    )
    return len(uow.session.scalars(mine.limit(MOST_RUNNING)).all())


def run_as_owner(uow: UnitOfWork, batch_id: int, part: int = PART) -> str:
    """Carry out a queued batch, or go on with it, as the person who asked, with their rights of now.

    Commits each part; the state at the end. Errors: FunnelwrightError, after which the batch has failed.
    """
    try:
        _become_owner(uow, batch_id)
        while _run_part(uow, batch_id, part):
            pass
    except FunnelwrightError as error:
        _fail(uow, batch_id, error)
        raise
    return uow.session.scalar(select(Batch.state).where(Batch.id == batch_id)) or FAILED


def _become_owner(uow: UnitOfWork, batch_id: int) -> Batch:
    batch = uow.session.scalar(select(Batch).where(Batch.id == batch_id))
    if batch is None or batch.created_by is None:
        raise NotFound()
    uow.actor = starter(uow.session, uow.workspace, uow.catalog, batch.created_by, uow.clock.now())
    return batch


def _run_part(uow: UnitOfWork, batch_id: int, size: int) -> bool:
    """One transaction; whether there is more to do."""
    uow.begin()
    batch = batches.lock(uow, batch_id)
    if batch is None or batch.plan is None or batch.state not in (QUEUED, RUNNING):
        uow.rollback()
        return False
    plan, act = batch.plan, act_of(batch.plan["act"])
    uow.require(act.right)
    everything = Everything(batch.object_key, plan["filter"], plan["query"], plan["pipeline"])
    size = MOST_WHOLE + 1 if plan["is_whole"] else size
    # Ids tell the time: what was made after this batch is not meant.
    ids = everything.matching(uow).ids(size, batch.after_id, batch.id)
    uow.batch_id = batch.id
    try:
        refused, waiting = carry_out(uow, batch.object_key, [Chosen(one, None) for one in ids], act)
        uow.flush()
    finally:
        uow.batch_id = None
    if refused and plan["is_whole"]:
        uow.rollback()
        uow.begin()
        batch = batches.lock(uow, batch_id)
        assert batch is not None
        done, waiting = 0, 0
    else:
        done = len(ids) - len(refused)
    batch.state = RUNNING if len(ids) == size else DONE
    batch.after_id = ids[-1] if ids else batch.after_id
    batch.done_records += done
    batch.waiting_records += waiting
    batch.refused_records += len(refused)
    batch.refused = [*batch.refused, *refusals(refused)][:KEPT_REFUSALS]
    is_more = batch.state == RUNNING
    uow.commit()
    return is_more


def _fail(uow: UnitOfWork, batch_id: int, error: FunnelwrightError) -> None:
    uow.rollback()
    uow.begin()
    values = {name: str(value) for name, value in error.values.items()}
    uow.session.execute(
        update(Batch)
        .where(Batch.id == batch_id, Batch.state.in_((QUEUED, RUNNING, UNDOING)))
        .values(state=FAILED, problem={"message": error.message_key, "values": values})
        .execution_options(synchronize_session=False)
    )
    uow.log("records.bulk_failed", data={"batch_id": str(batch_id), "problem": str(error)[:2000]})
    uow.commit()


def stop(uow: UnitOfWork, batch_id: int) -> None:
    """End after the part that is running; what was done stays, and can be undone.

    Errors: NotFound, Forbidden (somebody else's), Conflict when it has ended.
    """
    uow.begin()
    batch = batches.lock(uow, batch_id)
    if batch is None or batch.job_id is not None:
        raise NotFound()
    if batch.created_by != uow.actor.member_id:
        raise Forbidden(batches.NOT_YOURS)
    if batch.state not in (QUEUED, RUNNING):
        raise Conflict(HAS_ENDED)
    batch.state = STOPPED
    uow.log("records.bulk_stopped", object_key=batch.object_key, data={"batch_id": str(batch_id)})


def ask_undo(uow: UnitOfWork, batch_id: int) -> bool:
    """Undo a small batch at once, or mark a large one, whose undoing the caller enqueues in the same
    transaction; whether it is to be enqueued. Errors: as ``batches.undo_own``.
    """
    uow.begin()
    batch = batches.own(uow, batch_id)
    if batch.done_records <= AT_ONCE:
        batches.undo(uow, batch)
        return False
    batch.state, batch.plan = UNDOING, {**(batch.plan or {}), "undone_by": str(uow.actor.member_id)}
    return True


def undo_as_asker(uow: UnitOfWork, batch_id: int) -> str:
    """Undo a batch that is marked so, a part at a time, each committed; done again after a crash it ends the
    same, for what was put back is put back already. Errors: FunnelwrightError, after which it has failed.
    """
    try:
        batch = uow.session.scalar(select(Batch).where(Batch.id == batch_id))
        if batch is None or batch.state != UNDOING or batch.plan is None:
            return DONE
        asker = int(batch.plan["undone_by"])
        uow.actor = starter(uow.session, uow.workspace, uow.catalog, asker, uow.clock.now())
        uow.begin()
        locked = batches.lock(uow, batch_id)
        assert locked is not None
        uow.require(batches.undo_right(locked.kind))
        batches.undo(uow, locked, in_parts=True)
        locked.state = DONE
        uow.commit()
    except FunnelwrightError as error:
        _fail(uow, batch_id, error)
        raise
    return DONE
