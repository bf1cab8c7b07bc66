"""The nouns of a move: what is wanted, what is known, what is asked for (B1, B2).

A ``Requirement`` is one thing that the move asks for, with its present state; an ``Unmet`` is one that is
not satisfied. Both name the rule by a JSON pointer into the pipeline's document, so that every refusal can
link to it (B21). Texts are message keys; their values may hold a ``Label``, which the edge renders in the
reader's language.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from builder.domain.conditions import Condition
from builder.domain.fields import FieldSet
from builder.domain.labels import Label
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline, Severity

Origin: TypeAlias = Literal["create", "convert", "pipeline_change"]
RequirementKind: TypeAlias = Literal[
    "unknown_stage",
    "same_stage",
    "transition",
    "right",
    "role",
    "required_field",
    "record",
    "feedback",
    "task",
    "subtask",
    "marker",
    "condition",
    "reason",
    "approval",
    "process",
]


@dataclass(frozen=True, slots=True)
class MoveIntent:
    """What somebody wants: the target stage, and what they said along with it.

    ``reason_key``: win tactic, loss or invalid reason of the pipeline's catalogue (S40).
    ``is_confirmed``: the warnings were read and accepted. ``override_reason``: set the gate aside,
    for those with the right ``move.override``. ``origin``: how a first entry comes about.
    """

    to_stage: str
    reason_key: str | None = None
    reason_note: str = ""
    is_confirmed: bool = False
    override_reason: str | None = None
    origin: Origin = "create"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One fault of a record's values or of feedback answers, found by the form's JSON Schema.

    ``is_missing``: the field is required and empty; otherwise what is there is not valid.
    """

    field: str
    message_key: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pointer: str = ""
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Unmet:
    """One condition that a move does not satisfy.

    ``severity``: *block* refuses, *warn* asks for confirmation. ``field``: the record field or feedback
    answer to fill. ``pointer``: the rule's place in the pipeline document. ``is_overridable``: whether a
    person with the right may set it aside with a reason.
    """

    kind: RequirementKind
    severity: Severity
    message_key: str
    values: Mapping[str, Any]
    field: str | None = None
    pointer: str = ""
    is_overridable: bool = True


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing a move asks for. ``severity`` *ignore*: shown to guide, never in the way."""

    kind: RequirementKind
    severity: Severity
    is_met: bool
    label: Label
    message_key: str
    values: Mapping[str, Any]
    field: str | None = None
    pointer: str = ""
    is_overridable: bool = True

    @property
    def unmet(self) -> Unmet:
        return Unmet(
            self.kind,
            self.severity,
            self.message_key,
            self.values,
            self.field,
            self.pointer,
            self.is_overridable,
        )


@dataclass(frozen=True)
class MoveSnapshot:
    """Everything that a decision about a move looks at, loaded before.

    ``stage_key`` is the present stage, ``None`` on the first entry into a pipeline. ``feedback`` is the
    present stage's form at the version pinned by the stay, ``answers`` those given so far on this stay
    with the new ones merged in. The violations were found by the schemas of both; ``given_violations`` are
    those of values that the move itself brings. ``done_tasks`` holds
    ``task`` and ``task/subtask`` keys. ``evaluate`` answers a condition for this record and these
    answers. ``is_approved``: the approval that the gate asks for has been given. The revision of the
    record is checked before, outside.
    """

    pipeline: Pipeline
    stage_key: str | None
    values: Mapping[str, Any]
    fields: FieldSet
    actor: Actor
    evaluate: Callable[[Condition], bool]
    feedback: FieldSet | None = None
    answers: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    record_violations: tuple[FieldViolation, ...] = ()
    given_violations: tuple[FieldViolation, ...] = ()
    answer_violations: tuple[FieldViolation, ...] = ()
    done_tasks: frozenset[str] = frozenset()
    is_marker_ticked: bool = False
    is_approved: bool = False
