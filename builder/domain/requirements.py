"""What a move asks for as a whole: transition, rights, both gates, reason and approval (B1, B2, S39)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from builder.domain.gates import (
    answer_requirements,
    approval_slots,
    enter_requirements,
    given_requirements,
    leave_requirements,
    record_requirements,
    role_requirements,
    stage_pointer,
)
from builder.domain.labels import Label
from builder.domain.moves import MoveIntent, MoveSnapshot, Requirement
from builder.domain.permissions import Actor, Veil
from builder.domain.pipeline import ApprovalSlot, Gate, Pipeline, Stage
from builder.domain.stays import way_out
from builder.errors import N_

UNSEEN = N_("Something is missing that your role does not see. Ask somebody who does, or an admin.")


def requirements(
    snapshot: MoveSnapshot, to_stage: str, intent: MoveIntent | None = None
) -> tuple[Requirement, ...]:
    """All that a move to ``to_stage`` asks for, met and unmet: gate, move dialog (B2) and panel (S39).

    Without ``intent`` a reason that closing would need is shown as not yet given. What is asked of fields
    that are hidden from the actor is judged like everything, and told once, without a name (S118).
    """
    asked = tuple(_requirements(snapshot, to_stage, intent or MoveIntent(to_stage)))
    veil = snapshot.actor.veils.get(snapshot.pipeline.object_key)
    stage = snapshot.pipeline.by_key.get(snapshot.stage_key or snapshot.pipeline.first.key)
    answers = snapshot.actor.feedback_veil(stage.feedback if stage else None)
    return asked if veil is None and answers is None else tuple(_veiled(asked, veil, answers))


def _veiled(asked: tuple[Requirement, ...], veil: Veil | None, answers: Veil | None) -> Iterator[Requirement]:
    unseen = {
        "required_field": veil.fields if veil else frozenset(),
        "record": veil.fields if veil else frozenset(),
        "feedback": answers.fields if answers else frozenset(),
    }
    hidden = [item for item in asked if item.field in unseen.get(item.kind, ())]
    yield from (item for item in asked if item not in hidden)
    unmet = [item for item in hidden if not item.is_met]
    if unmet:
        yield replace(
            unmet[0],
            label=Label(()),
            message_key=UNSEEN,
            values={},
            field=None,
            is_overridable=all(item.is_overridable for item in unmet),
        )


def allowed_targets(pipeline: Pipeline, stage_key: str, actor: Actor) -> tuple[Stage, ...]:
    """Stages that this actor may try to move to from ``stage_key``: transition, right and roles.

    What the gates ask for beyond that is found by ``requirements``. An unknown stage leads nowhere.
    """
    source = pipeline.by_key.get(stage_key)
    if source is None or not actor.can("move"):
        return ()
    return tuple(
        target
        for target in pipeline.stages
        if is_allowed(pipeline, source, target)
        and all(
            item.is_met
            for gate in (source.leave, target.enter)
            for item in role_requirements(actor, gate, "")
        )
    )


def is_allowed(pipeline: Pipeline, source: Stage, target: Stage) -> bool:
    """Whether the pipeline allows this transition at all (S5). First match decides:

    1. Denied one by one: no. 2. Allowed one by one: yes. 3. The same stage, or out of a terminal one
    (reopening): no. 4. Closing an open stage: yes. 5. The pipeline's default.
    """
    pair = (source.key, target.key)
    if pair in pipeline.denied:
        return False
    if pair in pipeline.allowed:
        return True
    if source.key == target.key or not source.is_open:
        return False
    if not target.is_open:
        return True
    if pipeline.default == "forward":
        return target.position > source.position
    if pipeline.default == "next":
        later = [stage for stage in pipeline.open_stages if stage.position > source.position]
        return bool(later) and target.key == later[0].key
    return pipeline.default == "any"


def _requirements(snapshot: MoveSnapshot, to_stage: str, intent: MoveIntent) -> Iterator[Requirement]:
    pipeline = snapshot.pipeline
    target = pipeline.by_key.get(to_stage)
    if snapshot.stage_key is not None and snapshot.stage_key not in pipeline.by_key:
        yield _unknown_stage(pipeline, snapshot.stage_key)
    yield from _rights(snapshot, intent)
    if target is None:
        yield _unknown_stage(pipeline, to_stage)
        return
    source = _gating_source(snapshot, target)
    if source is not None:
        yield from _transition(snapshot, source, target)
        yield from role_requirements(
            snapshot.actor, source.leave, f"{stage_pointer(pipeline, source)}/gate/leave"
        )
    pointer = stage_pointer(pipeline, target)
    yield from role_requirements(snapshot.actor, target.enter, f"{pointer}/gate/enter")
    yield from _gate_requirements(snapshot, source, target)
    yield from _reason(pipeline, target, intent)
    for slot in approvals_asked(snapshot, to_stage):
        yield _approval(slot, snapshot.is_approved)


def _gate_requirements(snapshot: MoveSnapshot, source: Stage | None, target: Stage) -> Iterator[Requirement]:
    leaving, entering = _gates_asked(source, target)
    items: list[Requirement] = []
    if source is not None:
        pointer = stage_pointer(snapshot.pipeline, source)
        if leaving:
            items += leave_requirements(snapshot, source, pointer)
        else:
            items += answer_requirements(snapshot, "ignore", f"{pointer}/feedback")
    asked = _fields_asked(items)
    if entering:
        pointer = stage_pointer(snapshot.pipeline, target)
        items += [item for item in enter_requirements(snapshot, target, pointer) if item.field not in asked]
    yield from items
    yield from given_requirements(snapshot)
    if _is_forward(source, target):
        yield from record_requirements(snapshot, _fields_asked(items))


def _fields_asked(items: list[Requirement]) -> frozenset[str]:
    return frozenset(item.field for item in items if item.kind == "required_field" and item.field)


def _is_forward(source: Stage | None, target: Stage) -> bool:
    """Later open stage or won, from an open stage; a first entry counts as forward."""
    if source is None:
        return target.kind in ("open", "won")
    return source.is_open and way_out(source, target) in ("advance", "won")


def _gates_asked(source: Stage | None, target: Stage) -> tuple[bool, bool]:
    """Whether the leave gate and the enter gate apply (rule 4 of ``plan``)."""
    if source is None:
        return False, True
    is_going_back = target.is_open and source.is_open and not _is_forward(source, target)
    return _is_forward(source, target), not is_going_back


def _gating_source(snapshot: MoveSnapshot, target: Stage) -> Stage | None:
    """The stage whose leave gate counts: the present one, or the first for an entry beyond it."""
    if snapshot.stage_key is not None:
        return snapshot.pipeline.by_key.get(snapshot.stage_key)
    first = snapshot.pipeline.first
    return None if target.key == first.key else first


def approvals_asked(snapshot: MoveSnapshot, to_stage: str) -> tuple[ApprovalSlot, ...]:
    target = snapshot.pipeline.by_key[to_stage]
    source = _gating_source(snapshot, target)
    leaving, entering = _gates_asked(source, target)
    gates: tuple[Gate, ...] = ()
    if leaving and source is not None:
        gates += (source.leave,)
    if entering:
        gates += (target.enter,)
    return approval_slots(snapshot, gates)


def _rights(snapshot: MoveSnapshot, intent: MoveIntent) -> Iterator[Requirement]:
    is_move = snapshot.stage_key is not None or intent.origin == "pipeline_change"
    right = "move" if is_move else "record.create"
    yield Requirement(
        "right",
        "block",
        snapshot.actor.can(right),
        Label(()),
        N_("Moving a record needs the right “%(right)s”."),
        {"right": right},
        is_overridable=False,
    )


def _unknown_stage(pipeline: Pipeline, key: str) -> Requirement:
    return Requirement(
        "unknown_stage",
        "block",
        False,
        Label(()),
        N_("The pipeline “%(pipeline)s” has no stage “%(stage)s”."),
        {"pipeline": pipeline.label, "stage": key},
        pointer="/stages",
        is_overridable=False,
    )


def _transition(snapshot: MoveSnapshot, source: Stage, target: Stage) -> Iterator[Requirement]:
    is_ok = is_allowed(snapshot.pipeline, source, target)
    values = {"from": source.label, "to": target.label}
    if source.key == target.key:
        message = N_("The record is in “%(to)s” already.")
        pointer = "/transitions"
        yield Requirement(
            "same_stage", "block", is_ok, Label(()), message, values, pointer=pointer, is_overridable=False
        )
        return
    message = N_("The pipeline does not allow going from “%(from)s” to “%(to)s”.")
    yield Requirement("transition", "block", is_ok, Label(()), message, values, pointer="/transitions")


def _reason(pipeline: Pipeline, target: Stage, intent: MoveIntent) -> Iterator[Requirement]:
    """Closing names a reason of the catalogue that is in use; without a catalogue it needs none (S40)."""
    in_use = {reason.key for reason in pipeline.reasons.get(target.kind, ()) if not reason.is_retired}
    given = intent.reason_key
    if target.is_open or (not in_use and not given):
        return
    message = N_("Choose a reason.") if not given else N_("“%(reason)s” is not one of the reasons in use.")
    yield Requirement(
        "reason",
        "block",
        given in in_use,
        Label(()),
        message,
        {"reason": given or "", "kind": target.kind},
        "reason_key",
        f"/reasons/{target.kind}",
        is_overridable=False,
    )


def _approval(slot: ApprovalSlot, is_approved: bool) -> Requirement:
    return Requirement(
        "approval",
        "block",
        is_approved,
        Label(()),
        N_("This move needs an approval."),
        {"approver": slot.approver, "role": slot.role or "", "fallback_role": slot.fallback_role or ""},
        is_overridable=False,
    )
