"""The one decision about a move (idea 3, B1): refused with every reason, parked for approval, or planned.

Every path (page, board, bulk edit, import, API, automation, command line) asks ``plan``. Bringing in
history and migrating to a new version are separate, right-guarded acts and do not come here; they make
their stays with ``builder.domain.stays``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from builder.domain.moves import MoveIntent, MoveSnapshot, Origin, Requirement, Unmet
from builder.domain.pipeline import ApprovalSlot, StageKind
from builder.domain.requirements import (
    allowed_targets,
    approvals_asked,
    is_allowed,
    requirements,
)
from builder.domain.stays import EnteredVia, LeftVia, skipped_between, way_in, way_out
from builder.errors import N_

__all__ = [
    "Decision",
    "MoveIntent",
    "Origin",
    "Parked",
    "Planned",
    "Refused",
    "allowed_targets",
    "is_allowed",
    "plan",
    "requirements",
]


@dataclass(frozen=True, slots=True)
class Refused:
    """The move may not happen; ``unmet`` holds every reason, blocking ones and warnings.

    ``is_confirmable``: only warnings stand in the way, so the same move with ``is_confirmed`` passes.
    ``is_overridable``: this actor could make it with an override reason.
    """

    unmet: tuple[Unmet, ...]
    is_confirmable: bool
    is_overridable: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """The move may happen: how the stays end and begin, and what was accepted or set aside for it.

    ``left_via`` is ``None`` on a first entry. ``outcome``: the kind of the target stage, which becomes
    the record's outcome. ``overridden`` are the blocking conditions set aside by ``override_reason``.
    """

    from_stage: str | None
    to_stage: str
    left_via: LeftVia | None
    entered_via: EnteredVia
    skipped: tuple[str, ...]
    outcome: StageKind
    reason_key: str | None
    reason_note: str
    warnings: tuple[Unmet, ...]
    overridden: tuple[Unmet, ...]
    override_reason: str | None


@dataclass(frozen=True, slots=True)
class Parked:
    """All else is satisfied, but approvals are asked for (S37): a result, not an error.

    ``approvals``: of the leave gate, then of the enter gate, each with approver and fallback.
    ``planned`` is what happens once they are given.
    """

    approvals: tuple[ApprovalSlot, ...]
    planned: Planned


Decision: TypeAlias = Refused | Parked | Planned


def plan(snapshot: MoveSnapshot, intent: MoveIntent) -> Decision:
    """Decide one move (S5, S35, S36, S37, S40; B1). Rules, in order; all are looked at before refusing:

    1. The target is a stage of the pipeline, and another one than now; the same again needs an explicit
       allowance (s, s). The actor has the right to move. These cannot be overridden.
    2. The transition is allowed. A first entry beyond the first stage is held to what a move there
       from the first stage would need, so that creating is no side door.
    3. The roles of the leave gate and of the enter gate.
    4. Forward (later open stage, won, first entry): the leave gate's required fields, feedback, tasks
       with sub-tasks, marker and conditions; the enter gate's fields and conditions; no violation in
       the record. Lost, invalid and reopening need the target's enter gate only; going back neither.
       Values that come with the move must be valid whatever its direction; no override replaces that.
    5. Closing names a reason where the pipeline has a catalogue for that kind.
    6. Blocking conditions refuse, unless overridden by right and with a reason; warnings refuse until
       confirmed (an override confirms them as well).
    7. If all that holds and an approval is asked for and not given: parked. An override never replaces
       an approval.
    """
    unmet = tuple(item.unmet for item in requirements(snapshot, intent.to_stage, intent) if _counts(item))
    override_reason = (intent.override_reason or "").strip() or None
    may_override = snapshot.actor.can("move.override")
    blocks = tuple(item for item in unmet if item.severity == "block")
    warnings = tuple(item for item in unmet if item.severity == "warn")
    could_override = may_override and all(item.is_overridable for item in blocks)
    is_overridden = override_reason is not None and could_override
    if (blocks and not is_overridden) or (warnings and not (intent.is_confirmed or is_overridden)):
        if blocks and override_reason is not None and not may_override:
            unmet += (_NO_OVERRIDE_RIGHT,)
        return Refused(unmet, is_confirmable=not blocks, is_overridable=bool(blocks) and could_override)
    planned = _planned(snapshot, intent, warnings, blocks, override_reason if blocks else None)
    approvals = () if snapshot.is_approved else approvals_asked(snapshot, intent.to_stage)
    return Parked(approvals, planned) if approvals else planned


_NO_OVERRIDE_RIGHT = Unmet(
    "right",
    "block",
    N_("Setting a gate aside needs the right “%(right)s”."),
    {"right": "move.override"},
    is_overridable=False,
)


def _counts(item: Requirement) -> bool:
    return not item.is_met and item.severity != "ignore" and item.kind != "approval"


def _planned(
    snapshot: MoveSnapshot,
    intent: MoveIntent,
    warnings: tuple[Unmet, ...],
    overridden: tuple[Unmet, ...],
    override_reason: str | None,
) -> Planned:
    pipeline = snapshot.pipeline
    target = pipeline.by_key[intent.to_stage]
    first_entry = Planned(
        from_stage=None,
        to_stage=target.key,
        left_via=None,
        entered_via=intent.origin,
        skipped=(),
        outcome=target.kind,
        reason_key=None if target.is_open else intent.reason_key,
        reason_note="" if target.is_open else intent.reason_note,
        warnings=warnings,
        overridden=overridden,
        override_reason=override_reason,
    )
    if snapshot.stage_key is None:
        return first_entry
    source = pipeline.by_key[snapshot.stage_key]
    return replace(
        first_entry,
        from_stage=source.key,
        left_via=way_out(source, target),
        entered_via=way_in(source, target),
        skipped=skipped_between(pipeline, source, target),
    )
