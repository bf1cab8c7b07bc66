"""A published pipeline: stages in order, gates, tasks, transitions, reasons (S2–S5, S35, S36, S40)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from builder.domain.conditions import Condition
from builder.domain.labels import Label
from builder.domain.time_limits import NO_LIMITS, TimeLimits

StageKind: TypeAlias = Literal["open", "won", "lost", "invalid"]
Severity: TypeAlias = Literal["block", "warn", "ignore"]
TransitionDefault: TypeAlias = Literal["any", "forward", "next", "none"]

TERMINAL_KINDS: tuple[StageKind, ...] = ("won", "lost", "invalid")


@dataclass(frozen=True, slots=True)
class Milestone:
    key: str
    label: Label


@dataclass(frozen=True, slots=True)
class KeyAction:
    """What one does in a stage, and the role it belongs to (S113)."""

    label: Label
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    label: Label
    target: str = ""
    unit: Label = Label(())


@dataclass(frozen=True, slots=True)
class Marker:
    """The observable sign that a stage is done (S3).

    With ``when`` it is met while the condition holds on the record; without, a person ticks it.
    """

    label: Label
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Subtask:
    key: str
    label: Label


@dataclass(frozen=True, slots=True)
class Task:
    """Work of a stage (S4). ``severity``: an open task blocks, warns or is ignored on leaving (S36)."""

    key: str
    label: Label
    severity: Severity = "block"
    subtasks: tuple[Subtask, ...] = ()
    role: str | None = None
    feedback: str | None = None


@dataclass(frozen=True, slots=True)
class WayOut:
    """How a record may be closed where a condition does not hold (S32): ``stage`` ends it as lost or
    invalid, for the ``reason`` that is proposed.
    """

    stage: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class GateCondition:
    """A condition on record values (and ``feedback.*`` answers) that must hold, with its message."""

    when: Condition
    message: Label
    severity: Severity = "block"
    offer: WayOut | None = None


@dataclass(frozen=True, slots=True)
class ApprovalSlot:
    """Place for an approval on a gate: who approves, and the fallback where nobody can (S37)."""

    approver: Literal["manager", "role"] = "manager"
    role: str | None = None
    fallback_role: str | None = None
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be true to leave a stage forwards, or to enter one.

    ``required_fields`` are record fields; ``feedback`` says whether the stage's feedback must be
    valid and complete. Roles empty: any role that may move.
    """

    required_fields: tuple[str, ...] = ()
    feedback: Severity = "block"
    tasks: Severity = "block"
    marker: Severity = "ignore"
    conditions: tuple[GateCondition, ...] = ()
    roles: tuple[str, ...] = ()
    approval: ApprovalSlot | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One step. ``probability`` is in percent, 0–100; ``position`` counts from 0 in the order."""

    key: str
    label: Label
    kind: StageKind
    position: int
    milestone: str | None = None
    color: str = ""
    probability: int = 0
    definition: Label = Label(())
    goal: Label = Label(())
    key_actions: tuple[KeyAction, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    marker: Marker | None = None
    feedback: str | None = None
    tasks: tuple[Task, ...] = ()
    leave: Gate = Gate()
    enter: Gate = Gate()
    limits: TimeLimits = NO_LIMITS

    @property
    def is_open(self) -> bool:
        return self.kind == "open"

    @property
    def task_keys(self) -> tuple[str, ...]:
        """What can be ticked here: ``task`` and ``task/subtask`` keys, in order."""
        return tuple(
            key
            for task in self.tasks
            for key in (task.key, *(f"{task.key}/{subtask.key}" for subtask in task.subtasks))
        )


@dataclass(frozen=True, slots=True)
class Reason:
    key: str
    label: Label
    is_retired: bool = False


Scenario: TypeAlias = Literal["new_business", "team_tuning", "conversion_lift", "standardisation"]
QUESTIONS = ("current", "prospects", "judging", "stuck")


@dataclass(frozen=True, slots=True)
class Background:
    """Why a process was made (S115), and the answers of then by question (S23); empty ones are absent."""

    scenario: Scenario | None = None
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pipeline:
    """An ordered path for records of one object. Stage keys are stable over versions.

    ``allowed`` and ``denied`` hold single transitions as (from, to) that add to or take from the
    ``default``: *any* open stage to any other, *forward* (skips allowed), *next* only, or *none*.
    Closing (won, lost, invalid) is always possible from an open stage unless denied; reopening a
    terminal stage only if allowed. ``counted_upto``: while its sums are made anew, the id of the last record
    that is in them; ``None``: all are.
    """

    key: str
    label: Label
    object_key: str
    milestones: tuple[Milestone, ...]
    stages: tuple[Stage, ...]
    default: TransitionDefault
    allowed: frozenset[tuple[str, str]]
    denied: frozenset[tuple[str, str]]
    reasons: Mapping[StageKind, tuple[Reason, ...]]
    version_id: int
    number: int
    checksum: str
    is_live: bool = True
    average_cycle_days: int | None = None
    reminder_days: int | None = None
    description: Label = Label(())
    background: Background = Background()
    counted_upto: int | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the roll-up holds the sums of all its records."""
        return self.counted_upto is None

    def counts(self, record_id: int) -> bool:
        """Whether a record is in the sums of the roll-up."""
        return self.counted_upto is None or record_id <= self.counted_upto

    @cached_property
    def by_key(self) -> Mapping[str, Stage]:
        return {stage.key: stage for stage in self.stages}

    @cached_property
    def open_stages(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.is_open)

    @cached_property
    def steps(self) -> tuple[Stage, ...]:
        """Stages in funnel order: the open ones, then the first won stage (M1–M3)."""
        won = tuple(stage for stage in self.stages if stage.kind == "won")
        return self.open_stages + won[:1]

    @property
    def first(self) -> Stage:
        return self.open_stages[0]

    def of_kind(self, kind: StageKind) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.kind == kind)


@dataclass(frozen=True, slots=True)
class FunnelStep:
    pipeline: str
    stage: str
    label: Label = Label(())


@dataclass(frozen=True)
class FunnelDefinition:
    """M0: ordered steps, each a stage of a pipeline, chained over conversion links."""

    key: str
    label: Label
    steps: tuple[FunnelStep, ...]
    unit: Literal["record", "customer"]
    checksum: str
    description: Label = Label(())

    @classmethod
    def of(cls, pipeline: Pipeline) -> FunnelDefinition:
        """The funnel that a pipeline has by default (M0): its open stages and its first won stage."""
        steps = tuple(FunnelStep(pipeline.key, stage.key, stage.label) for stage in pipeline.steps)
        return cls(pipeline.key, pipeline.label, steps, "record", pipeline.checksum, pipeline.description)
