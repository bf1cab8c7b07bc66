"""What a move asks for, answered as a person would: the dialog filled in by a seeded source."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, cast

from builder.domain.conditions import All, Condition
from builder.domain.fields import FieldDefinition
from builder.domain.moves import Requirement
from builder.services import transitions
from builder.services.demo.values import ValueMaker, without_hidden
from builder.services.transitions import MoveDraft, MoveRecord
from builder.services.unit_of_work import UnitOfWork


class Answers:
    """Fills in moves. ``named``: what was made of a record on its way, for a reference field of it."""

    def __init__(
        self,
        uow: UnitOfWork,
        random: Random,
        make: ValueMaker,
        named: Callable[[int, FieldDefinition], str | None],
    ) -> None:
        self._uow = uow
        self._random = random
        self._make = make
        self._named = named

    def command(self, record_id: int, to_stage: str) -> tuple[MoveDraft, MoveRecord]:
        """Fill in exactly what is missing; filling a field may bring up a rule that asks for another."""
        command = MoveRecord(record_id, to_stage)
        draft = transitions.draft(self._uow, command)
        for _ in range(3):
            if all(need.is_met for need in draft.requirements(command)):
                break
            command = self._filled(draft, command)
            draft = transitions.draft(self._uow, command)
        return draft, command

    def _filled(self, draft: MoveDraft, command: MoveRecord) -> MoveRecord:
        values, answers = dict(command.values), dict(command.answers)
        done = set(draft.given.done_tasks)
        reason = command.reason_key
        for need in draft.requirements(command):
            if need.is_met:
                continue
            if need.kind == "task":
                done.add(str(need.values["task_key"]))
            elif need.kind == "subtask":
                done.add(f"{need.values['task_key']}/{need.values['subtask_key']}")
            elif need.kind == "reason":
                reason = self._reason(draft, command)
            else:
                self._answer(draft, need, values, answers)
        if draft.snapshot.feedback:
            # What one answer made necessary another may have hidden since.
            answers = without_hidden(draft.snapshot.feedback, answers, self._uow.clock.now())
        return MoveRecord(
            command.record_id,
            command.to_stage,
            values=values,
            answers=answers,
            done_tasks=frozenset(done),
            is_marked=True,
            reason_key=reason,
            is_confirmed=True,
        )

    def _answer(
        self, draft: MoveDraft, need: Requirement, values: dict[str, Any], answers: dict[str, Any]
    ) -> None:
        now = self._uow.clock.now()
        fields = draft.definition.fields.by_key
        feedback = draft.snapshot.feedback.by_key if draft.snapshot.feedback else {}
        stage_key = draft.standing.record["stage_key"]
        made = self._named
        record_id = draft.standing.record_id
        if need.field is not None and need.kind == "feedback" and need.field in feedback:
            answers[need.field] = self._make.value(stage_key, feedback[need.field], now)
        elif need.field is not None and need.field in fields:
            values[need.field] = self._make.value(draft.definition.key, fields[need.field], now)
        elif need.kind in ("condition", "marker"):
            names = {**fields, **{f"feedback.{key}": item for key, item in feedback.items()}}
            found = self._make.satisfying(_condition(draft, need), draft.definition.key, names, now)
            for name, value in found.items():
                head, _, key = name.partition(".")
                value = made(record_id, names[name]) or value
                (answers if head == "feedback" else values)[key or head] = value

    def _reason(self, draft: MoveDraft, command: MoveRecord) -> str | None:
        pipeline = draft.snapshot.pipeline
        offered = [
            reason.key
            for reason in pipeline.reasons.get(pipeline.by_key[command.to_stage].kind, ())
            if not reason.is_retired
        ]
        weights = [1 / (place + 1) for place in range(len(offered))]
        return self._random.choices(offered, weights)[0] if offered else None


def _condition(draft: MoveDraft, need: Requirement) -> Condition:
    """What must hold, by the pointer of a requirement: ``/stages/3/gate/leave/conditions/0`` or
    ``/stages/3/marker``; nothing where a person ticks the sign.
    """
    parts = need.pointer.split("/")
    stage = draft.snapshot.pipeline.stages[int(parts[2])]
    if need.kind == "marker":
        return (stage.marker and stage.marker.when) or All(())
    return cast(Condition, getattr(stage, parts[4]).conditions[int(parts[6])].when)
