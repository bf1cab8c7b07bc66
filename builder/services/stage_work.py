"""Work on the present stage without moving: feedback, tasks, the marker (S3, S4, S35, S36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.domain.pipeline import Stage
from builder.errors import N_, Invalid
from builder.services.entries import pinned_feedback, refuse_answers
from builder.services.ledger import Ledger, Standing, StoredStay
from builder.services.records import Saved, write_record
from builder.services.standings import load_standing
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import NOT_SAVED, pointer_faults, problem_of, violations

NO_STAGE = N_("This record is in no stage that is worked on.")
NO_FORM = N_("This stage asks for no feedback.")
NO_TASK = N_("This stage has no such task.")


@dataclass(frozen=True)
class WorkOnStage:
    """What to change on the present stay; ``None`` leaves a part as it is.

    ``answers`` are merged into those given so far (``None`` values empty); ``tasks`` maps ``task`` or
    ``task/subtask`` keys to done or not.
    """

    record_id: int
    revision: int | None = None
    answers: Mapping[str, Any] | None = None
    tasks: Mapping[str, bool] = field(default_factory=dict)
    is_marked: bool | None = None


def work(uow: UnitOfWork, command: WorkOnStage) -> Saved:
    """Save feedback, tasks and marker of the present stay. Feedback may still be incomplete.

    Errors: Forbidden, NotFound, Stale; Invalid when an answer is not valid or there is no such task.
    """
    uow.begin()
    uow.require("record.edit")
    standing = load_standing(uow, command.record_id, command.revision)
    present = standing.open_stay
    if present is None or standing.pipeline is None:
        raise Invalid(NO_STAGE)
    stage = standing.pipeline.by_key[present.stay.stage_key]
    changes = {
        **_answers(uow, standing, present, command),
        **_tasks(uow, stage, present, command),
        **({} if command.is_marked is None else {"is_marked": command.is_marked}),
    }
    changes = {name: value for name, value in changes.items() if present.details[name] != value}
    if not changes:
        return Saved(standing.record_id, standing.record["revision"])
    ledger = Ledger(uow)
    details = {**present.details, **changes}
    ledger.put_stay(standing, StoredStay(present.id, present.stay, details))
    write_record(uow, standing)
    ledger.write()
    uow.log(
        "stage.worked",
        record_id=standing.record_id,
        object_key=standing.record["object_key"],
        data={
            "stage": stage.key,
            "before": {name: present.details[name] for name in changes},
            "after": changes,
        },
    )
    return Saved(standing.record_id, standing.record["revision"], tuple(changes))


def _answers(
    uow: UnitOfWork, standing: Standing, present: StoredStay, command: WorkOnStage
) -> dict[str, Any]:
    if command.answers is None:
        return {}
    form = pinned_feedback(uow, standing)
    if form is None:
        raise Invalid(NO_FORM)
    refuse_answers(uow, standing, command.answers)
    before = present.details["answers"] or {}
    answers = {key: value for key, value in {**before, **command.answers}.items() if value is not None}
    faults = [fault for fault in violations(form, answers) if not fault.is_missing]
    faults += pointer_faults(uow, form, before, answers)
    if faults:
        raise Invalid(NOT_SAVED, problems=tuple(problem_of(fault) for fault in faults))
    return {"answers": answers or None}


def _tasks(uow: UnitOfWork, stage: Stage, present: StoredStay, command: WorkOnStage) -> dict[str, Any]:
    if not command.tasks:
        return {}
    if not set(stage.task_keys).issuperset(command.tasks):
        raise Invalid(NO_TASK)
    done = dict(present.details["tasks_done"] or {})
    now = {"by": uow.actor.member_id or None, "at": uow.clock.now().isoformat()}
    for key, is_done in command.tasks.items():
        if is_done:
            done.setdefault(key, now)
        else:
            done.pop(key, None)
    return {"tasks_done": done or None}
