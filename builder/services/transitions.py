"""The one door for moves (idea 3, B1): refused with every reason, parked for approval, or applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sqlalchemy import insert, select, update

from builder.db.ids import new_id
from builder.db.ledger import MoveRequestRow
from builder.domain.fields import ObjectDefinition
from builder.domain.moves import FieldViolation, MoveIntent, MoveSnapshot, Requirement
from builder.domain.pipeline import ApprovalSlot
from builder.domain.transitions import Parked, Planned, Refused, plan, requirements
from builder.errors import N_, Conflict, Invalid
from builder.queries.record import WAITING
from builder.services.assignment import entering
from builder.services.entries import (
    Entry,
    Given,
    enter,
    given_so_far,
    plan_entry,
    refuse_answers,
    snapshot_of,
)
from builder.services.ledger import Ledger, Standing
from builder.services.records import Saved, change_values, changed_keys, write_copies, write_record
from builder.services.standings import load_standing
from builder.services.successors import follow_win
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import Checked, Draft, check

IN_PIPELINE = N_("“%(name)s” is in a process already.")
NO_TASK = N_("The stage “%(stage)s” has no task “%(task)s”. Its tasks are: %(known)s.")
NO_PIPELINE = N_("This record is in no pipeline, so it has no stage to move from.")


@dataclass(frozen=True)
class MoveRecord:
    """What somebody wants of a record, and all they said in the move dialog (B2).

    ``values`` are record fields, ``answers`` feedback of the present stage, ``done_tasks`` all ``task`` and
    ``task/subtask`` keys ticked now (None: as stored), ``is_marked`` likewise. ``revision``: what they saw.
    ``has_successors``: what begins by itself with a win begins (S21).
    """

    record_id: int
    to_stage: str
    revision: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    done_tasks: frozenset[str] | None = None
    is_marked: bool | None = None
    reason_key: str | None = None
    reason_note: str = ""
    is_confirmed: bool = False
    override_reason: str | None = None
    has_successors: bool = True

    @property
    def intent(self) -> MoveIntent:
        return MoveIntent(
            self.to_stage, self.reason_key, self.reason_note, self.is_confirmed, self.override_reason
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """The move happened. ``planned`` says how; ``revision`` is the record's new one; ``successors``: what
    began by itself with it, ids by object key.
    """

    record_id: int
    revision: int
    planned: Planned
    successors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The move is stored as a request and waits for approval (S37); the record stays where it is."""

    record_id: int
    request_id: int
    approvals: tuple[ApprovalSlot, ...]


MoveResult: TypeAlias = Refused | Waiting | Applied


@dataclass(frozen=True)
class MoveDraft:
    """A move looked at without making it: what the dialog and the panel are made from (B2, S39)."""

    standing: Standing
    definition: ObjectDefinition
    snapshot: MoveSnapshot
    given: Given
    checked: Checked

    def requirements(self, command: MoveRecord) -> tuple[Requirement, ...]:
        """Everything that the move asks for, met and unmet."""
        return requirements(self.snapshot, command.to_stage, command.intent)


def draft(uow: UnitOfWork, command: MoveRecord) -> MoveDraft:
    """Look at a move. Errors: NotFound, Stale, Invalid when the record is in no pipeline."""
    return look(uow, load_standing(uow, command.record_id, command.revision), command)


def look(uow: UnitOfWork, standing: Standing, command: MoveRecord) -> MoveDraft:
    """As ``draft``, at a record that is loaded: what a dialog asks again while somebody types."""
    if standing.pipeline is None:
        raise Invalid(NO_PIPELINE)
    definition = uow.catalog.object(standing.record["object_key"])
    (checked,) = check(uow, definition, [Draft(standing.record["data"], command.values)])
    refuse_answers(uow, standing, command.answers)
    given = _given(standing, command)
    given_faults, faults = _split(checked, standing.record["data"], command.values)
    considered = replace(standing, record={**standing.record, "data": checked.data})
    snapshot = snapshot_of(uow, definition, considered, given, faults, given_faults=given_faults)
    return MoveDraft(standing, definition, snapshot, given, checked)


def move(uow: UnitOfWork, command: MoveRecord) -> MoveResult:
    """Move a record, or say why not. Only *Waiting* and *Applied* wrote something; the caller commits.

    Errors: NotFound, Stale, Invalid (no pipeline; what follows a win cannot begin).
    """
    uow.begin()
    return carry_out(uow, draft(uow, command), command)


def carry_out(uow: UnitOfWork, looked: MoveDraft, command: MoveRecord) -> MoveResult:
    """As ``move``, where this very transaction, begun for writing, has looked at this command."""
    decision = plan(looked.snapshot, command.intent)
    if isinstance(decision, Refused):
        return decision
    if isinstance(decision, Parked):
        return _park(uow, looked, command, decision)
    return _apply(uow, looked, decision, command.has_successors)


def start(uow: UnitOfWork, record_id: int, entry: Entry, revision: int | None = None) -> Saved | Refused:
    """Let an existing record that is in no pipeline enter one.

    Errors: Forbidden, NotFound, Stale, Conflict (in a pipeline already).
    """
    uow.begin()
    uow.require("move")
    standing = load_standing(uow, record_id, revision)
    if standing.pipeline is not None:
        raise Conflict(IN_PIPELINE, name=standing.record["name"])
    definition = uow.catalog.object(standing.record["object_key"])
    (found,) = entering(uow, definition, [entry], [standing.record["data"]])
    if not isinstance(found, Entry):
        return Refused((found,) if found else (), is_confirmable=False, is_overridable=False)
    ledger = Ledger(uow)
    refused = plan_entry(uow, definition, standing, found, ledger, uow.clock.now())
    if refused is not None:
        return refused
    ledger.settle(standing, uow.clock.now())
    write_record(uow, standing)
    ledger.write()
    uow.log(
        "record.moved",
        record_id=record_id,
        object_key=definition.key,
        data={"pipeline": found.pipeline_key, "from": None, "to": standing.record["stage_key"]},
    )
    return Saved(record_id, standing.record["revision"])


def _split(
    checked: Checked, stored: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[tuple[FieldViolation, ...], tuple[FieldViolation, ...]]:
    """Faults that the values of this move bring, and those that were there before.

    A field that is sent as it is stored brings nothing: dialogs send back what they showed.
    """
    same = {key for key in values if values[key] == stored.get(key)}
    given = tuple(fault for fault in checked.faults if fault.field not in same)
    return given, tuple(fault for fault in checked.faults if fault.field in same) + checked.old_faults


def _given(standing: Standing, command: MoveRecord) -> Given:
    """Errors: Invalid when a task is ticked that the present stage does not have."""
    so_far = given_so_far(standing)
    if command.done_tasks is not None:
        _check_tasks(standing, command.done_tasks - so_far.done_tasks)
    answers = {**so_far.answers, **command.answers}
    return Given(
        {key: value for key, value in answers.items() if value is not None},
        so_far.done_tasks if command.done_tasks is None else command.done_tasks,
        so_far.is_marked if command.is_marked is None else command.is_marked,
    )


def _check_tasks(standing: Standing, ticked: frozenset[str]) -> None:
    pipeline = standing.pipeline
    stage = pipeline.by_key.get(standing.record["stage_key"]) if pipeline else None
    known = stage.task_keys if stage else ()
    unknown = sorted(ticked.difference(known))
    if unknown:
        label = stage.label if stage else standing.record["stage_key"]
        raise Invalid(NO_TASK, task=unknown[0][:80], stage=label, known=", ".join(known) or "–")


def _apply(uow: UnitOfWork, looked: MoveDraft, planned: Planned, has_successors: bool) -> Applied:
    standing = looked.standing
    at = uow.clock.now()
    before = standing.record["data"]
    changed = changed_keys(before, looked.checked.data)
    ledger = Ledger(uow)
    if changed:
        change_values(uow, looked.definition, standing, looked.checked.data)
    enter(uow, standing, planned, looked.given, at, ledger)
    forgotten = _forget_own_probability(looked.definition, standing)
    ledger.settle(standing, at)
    write_record(uow, standing)
    ledger.write()
    write_copies(uow, looked.definition, standing, changed)
    uow.log(
        "record.moved",
        record_id=standing.record_id,
        object_key=looked.definition.key,
        data=_moved(looked, planned, before, (*changed, *(key for key in forgotten if key not in changed))),
        effective_at=at,
    )
    is_followed = has_successors and planned.outcome == "won"
    successors = follow_win(uow, looked.definition, standing) if is_followed else {}
    return Applied(standing.record_id, standing.record["revision"], planned, successors)


def _forget_own_probability(definition: ObjectDefinition, standing: Standing) -> tuple[str, ...]:
    """An own probability ends with the stage that it was given for (edge cases of metrics.md); its field."""
    own = definition.fields.by_role.get("probability")
    if own is None or own.key not in standing.record["data"]:
        return ()
    standing.record["data"] = {k: value for k, value in standing.record["data"].items() if k != own.key}
    if own.slot is not None:
        standing.record[own.slot] = None
    return (own.key,)


def _moved(
    looked: MoveDraft, planned: Planned, before: Mapping[str, Any], changed: tuple[str, ...]
) -> dict[str, Any]:
    record = looked.standing.record
    return {
        "pipeline": record["pipeline_key"],
        "pipeline_version": record["pipeline_version_id"],
        "from": planned.from_stage,
        "to": planned.to_stage,
        "via": planned.left_via,
        "outcome": planned.outcome,
        "skipped": list(planned.skipped),
        "reason": planned.reason_key,
        "note": planned.reason_note,
        "answers": dict(looked.given.answers),
        "override": planned.override_reason,
        "overridden": [item.kind for item in planned.overridden],
        "before": {key: before.get(key) for key in changed},
        "after": {key: record["data"].get(key) for key in changed},
    }


def _park(uow: UnitOfWork, looked: MoveDraft, command: MoveRecord, parked: Parked) -> Waiting:
    """Store the request. One that waits already for this record is replaced: the last word counts."""
    standing = looked.standing
    replaced = _replace_waiting(uow, standing.record_id)
    present = standing.open_stay
    request_id = new_id()
    slot = parked.approvals[0]
    uow.session.execute(
        insert(MoveRequestRow),
        {
            "workspace_id": uow.workspace.id,
            "id": request_id,
            "record_id": standing.record_id,
            "stay_id": present.id if present else None,
            "pipeline_version_id": standing.record["pipeline_version_id"],
            "from_stage_key": standing.record["stage_key"],
            "to_stage_key": command.to_stage,
            "status": WAITING,
            "round": 1,
            "command": {
                "values": dict(command.values),
                "answers": dict(looked.given.answers),
                "done_tasks": sorted(looked.given.done_tasks),
                "is_marked": looked.given.is_marked,
                "reason_key": command.reason_key,
                "reason_note": command.reason_note,
                "revision": standing.record["revision"],
            },
            "approver_id": uow.actor.manager_id if slot.approver == "manager" else None,
            "approver_role": _approver_role(uow, slot),
            "requested_by": uow.actor.member_id or None,
            "requested_at": uow.clock.now(),
        },
    )
    uow.log(
        "move.requested",
        record_id=standing.record_id,
        object_key=looked.definition.key,
        data={
            "request": str(request_id),
            "from": standing.record["stage_key"],
            "to": command.to_stage,
            "replaces": [str(each) for each in replaced],
        },
    )
    return Waiting(standing.record_id, request_id, parked.approvals)


def _replace_waiting(uow: UnitOfWork, record_id: int) -> list[int]:
    """End the request that waits for this record, whose row is locked; its id."""
    waiting = (MoveRequestRow.record_id == record_id, MoveRequestRow.status == WAITING)
    found = list(uow.session.scalars(select(MoveRequestRow.id).where(*waiting)))
    if found:
        uow.session.execute(
            update(MoveRequestRow)
            .where(*waiting)
            .values(status="replaced", decided_by=uow.actor.member_id or None, decided_at=uow.clock.now())
            .execution_options(synchronize_session=False)
        )
    return found


def _approver_role(uow: UnitOfWork, slot: ApprovalSlot) -> str | None:
    """The role that is asked: the slot's own, or its fallback where the requester has no manager (S37)."""
    if slot.approver == "role":
        return slot.role
    return slot.fallback_role if uow.actor.manager_id is None else None
