"""What one gate asks for: fields, feedback, tasks, marker, conditions, roles (S3, S4, S35, S36)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from builder.domain.fields import FieldSet
from builder.domain.labels import Label
from builder.domain.moves import MoveSnapshot, Requirement
from builder.domain.permissions import Actor
from builder.domain.pipeline import ApprovalSlot, Gate, GateCondition, Pipeline, Severity, Stage, Task
from builder.errors import N_

_MILDNESS: Mapping[Severity, int] = {"ignore": 0, "warn": 1, "block": 2}


def is_empty(value: Any) -> bool:
    """Empty as everywhere in the project: absent, null, no text, no entry. ``0`` and ``False`` are values."""
    return value is None or value == "" or value == [] or value == {}


def milder(one: Severity, other: Severity) -> Severity:
    """The less strict of two severities: a task blocks only if both it and its gate say so."""
    return one if _MILDNESS[one] <= _MILDNESS[other] else other


def stage_pointer(pipeline: Pipeline, stage: Stage) -> str:
    return f"/stages/{pipeline.stages.index(stage)}"


def role_requirements(actor: Actor, gate: Gate, pointer: str) -> Iterator[Requirement]:
    """The roles a gate reserves itself for; none listed means anyone who may move."""
    if gate.roles:
        yield Requirement(
            "role",
            "block",
            actor.is_system or actor.role_key in gate.roles,
            Label(()),
            N_("Only these roles may make this move: %(roles)s."),
            {"roles": ", ".join(gate.roles)},
            pointer=f"{pointer}/roles",
        )


def leave_requirements(snapshot: MoveSnapshot, stage: Stage, pointer: str) -> Iterator[Requirement]:
    """The leave gate on the way forward: fields, feedback, tasks, marker, conditions; approval apart."""
    gate, gate_pointer = stage.leave, f"{pointer}/gate/leave"
    yield from _required_fields(snapshot, gate, gate_pointer)
    yield from answer_requirements(snapshot, gate.feedback, f"{pointer}/feedback")
    for index, task in enumerate(stage.tasks):
        yield from _task(snapshot, task, gate.tasks, f"{pointer}/tasks/{index}")
    yield from _marker(snapshot, stage, f"{pointer}/marker")
    yield from _conditions(snapshot, gate, gate_pointer)


def enter_requirements(snapshot: MoveSnapshot, stage: Stage, pointer: str) -> Iterator[Requirement]:
    """The enter gate of the target: fields and conditions (feedback, tasks and marker belong to leaving)."""
    gate_pointer = f"{pointer}/gate/enter"
    yield from _required_fields(snapshot, stage.enter, gate_pointer)
    yield from _conditions(snapshot, stage.enter, gate_pointer)


def record_requirements(snapshot: MoveSnapshot, reported: frozenset[str]) -> Iterator[Requirement]:
    """Faults of the stored record: an old one blocks as soon as the record moves (idea 2 of design.md).

    ``reported``: fields that a gate already asks for, not to be told twice.
    """
    for violation in snapshot.record_violations:
        if not (violation.is_missing and violation.field in reported):
            yield Requirement(
                "record",
                "block",
                False,
                _label(snapshot.fields, violation.field),
                violation.message_key,
                violation.values,
                violation.field,
                violation.pointer,
            )


def given_requirements(snapshot: MoveSnapshot) -> Iterator[Requirement]:
    """Faults of values that come with the move: whatever its direction, they could not be saved either."""
    for violation in snapshot.given_violations:
        yield Requirement(
            "record",
            "block",
            False,
            _label(snapshot.fields, violation.field),
            violation.message_key,
            violation.values,
            violation.field,
            violation.pointer,
            is_overridable=False,
        )


def approval_slots(snapshot: MoveSnapshot, gates: tuple[Gate, ...]) -> tuple[ApprovalSlot, ...]:
    """The approvals that these gates ask for now (their ``when`` holds or is absent), in gate order."""
    slots = (gate.approval for gate in gates if gate.approval is not None)
    return tuple(slot for slot in slots if slot.when is None or snapshot.evaluate(slot.when))


def is_task_done(task: Task, done: frozenset[str]) -> bool:
    """A task with sub-tasks is done when all of them are; one without when it is ticked itself (S4)."""
    if task.subtasks:
        return all(f"{task.key}/{subtask.key}" in done for subtask in task.subtasks)
    return task.key in done


def _required_fields(snapshot: MoveSnapshot, gate: Gate, pointer: str) -> Iterator[Requirement]:
    for index, key in enumerate(gate.required_fields):
        label = _label(snapshot.fields, key)
        yield Requirement(
            "required_field",
            "block",
            not is_empty(snapshot.values.get(key)),
            label,
            N_("“%(field)s” must be filled in."),
            {"field": label},
            key,
            f"{pointer}/required_fields/{index}",
        )


def answer_requirements(snapshot: MoveSnapshot, severity: Severity, pointer: str) -> Iterator[Requirement]:
    """Required answers of the stay's feedback, and every fault of the answers given.

    An answer that is not valid blocks whatever the gate says and cannot be overridden: it could not be
    stored. A missing one has ``severity``; a move that no leave gate stands against passes *ignore*.
    """
    form = snapshot.feedback
    if form is None:
        return
    faults = {violation.field: violation for violation in snapshot.answer_violations}
    asked = [definition.key for definition in form if definition.is_required or definition.key in faults]
    # A fault may stand at no single field of the form (a nested place, the whole); it is not lost.
    asked += [key for key in faults if key not in form.by_key]
    for key in asked:
        fault = faults.get(key)
        label = _label(form, key)
        is_invalid = fault is not None and not fault.is_missing
        yield Requirement(
            "feedback",
            "block" if is_invalid else severity,
            fault is None and not is_empty(snapshot.answers.get(key)),
            label,
            fault.message_key if fault and is_invalid else N_("Feedback “%(field)s” must be given."),
            fault.values if fault and is_invalid else {"field": label},
            key,
            pointer,
            is_overridable=not is_invalid,
        )


def _task(snapshot: MoveSnapshot, task: Task, gate_severity: Severity, pointer: str) -> Iterator[Requirement]:
    severity = milder(task.severity, gate_severity)
    yield Requirement(
        "task",
        severity,
        is_task_done(task, snapshot.done_tasks),
        task.label,
        N_("Task “%(task)s” is still open."),
        {"task": task.label, "task_key": task.key},
        pointer=pointer,
    )
    for index, subtask in enumerate(task.subtasks):
        yield Requirement(
            "subtask",
            severity,
            f"{task.key}/{subtask.key}" in snapshot.done_tasks,
            subtask.label,
            N_("Sub-task “%(subtask)s” of “%(task)s” is still open."),
            {
                "task": task.label,
                "task_key": task.key,
                "subtask": subtask.label,
                "subtask_key": subtask.key,
            },
            pointer=f"{pointer}/subtasks/{index}",
        )


def is_marker_met(snapshot: MoveSnapshot, stage: Stage) -> bool:
    """S3: by its condition where it has one, by a person's tick otherwise; no marker is never met."""
    if stage.marker is None:
        return False
    if stage.marker.when is not None:
        return snapshot.evaluate(stage.marker.when)
    return snapshot.is_marker_ticked


def _marker(snapshot: MoveSnapshot, stage: Stage, pointer: str) -> Iterator[Requirement]:
    if stage.marker is not None:
        yield Requirement(
            "marker",
            stage.leave.marker,
            is_marker_met(snapshot, stage),
            stage.marker.label,
            N_("The stage's sign “%(marker)s” is not there yet."),
            {"marker": stage.marker.label},
            pointer=pointer,
        )


def _conditions(snapshot: MoveSnapshot, gate: Gate, pointer: str) -> Iterator[Requirement]:
    for index, condition in enumerate(gate.conditions):
        yield _condition(snapshot, condition, f"{pointer}/conditions/{index}")


def _condition(snapshot: MoveSnapshot, condition: GateCondition, pointer: str) -> Requirement:
    return Requirement(
        "condition",
        condition.severity,
        snapshot.evaluate(condition.when),
        condition.message,
        # The admin's own words are the whole message.
        "%(message)s",
        {"message": condition.message},
        pointer=pointer,
    )


def _label(fields: FieldSet, key: str) -> Label:
    definition = fields.by_key.get(key)
    return definition.label if definition is not None else Label.of(key)
