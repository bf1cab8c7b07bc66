"""A record's visits: entering a pipeline for the first time, and going on to another stage.

What may happen is decided by ``domain.transitions.plan``; here its plan becomes stays and row values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from builder.db.ids import new_id
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Condition, evaluate
from builder.domain.fields import FieldSet, JsonValue, ObjectDefinition
from builder.domain.moves import FieldViolation, MoveIntent, MoveSnapshot, Origin, Unmet
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.stays import EntryFacts, Stay, close_stay, open_stay
from builder.domain.transitions import Parked, Planned, Refused, plan
from builder.errors import N_, Conflict, Invalid, Problem
from builder.metadata.field_rights import seen_feedback
from builder.queries.definitions import feedback_version
from builder.services.ledger import Ledger, Standing, StoredStay
from builder.services.standings import set_probability
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import NOT_SAVED, ONLY_SHOWN, UNKNOWN_FIELD, pointer_faults, violations

RECORD_COLUMNS = {
    "record.stage": "stage_key",
    "record.pipeline": "pipeline_key",
    "record.outcome": "outcome",
    "record.owner": "owner_id",
    "record.department": "department_id",
    "record.created_at": "created_at",
    "record.updated_at": "updated_at",
    "record.stage_entered_at": "stage_entered_at",
    "record.closed_at": "closed_at",
}
OTHER_OBJECT = N_("“%(pipeline)s” is not a process for records of this kind.")
NEEDS_APPROVAL = N_("Entering “%(stage)s” directly needs an approval. Start in the first stage.")


@dataclass(frozen=True)
class Entry:
    """Into which pipeline, and where: ``stage_key`` None is the first stage (S26, S27).

    ``pipeline_key`` None: the one that the rules say (S6–S9), ``otherwise`` being the first default.
    ``is_confirmed``: whoever lets it enter has read the warnings of the gate and goes on.
    """

    pipeline_key: str | None
    stage_key: str | None = None
    origin: Origin = "create"
    reason_key: str | None = None
    is_confirmed: bool = False
    otherwise: str | None = None


@dataclass(frozen=True)
class Given:
    """What is known of the present stay together with what a person adds now."""

    answers: Mapping[str, Any]
    done_tasks: frozenset[str]
    is_marked: bool

    @classmethod
    def nothing(cls) -> Given:
        return cls({}, frozenset(), False)


def plan_entry(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    standing: Standing,
    entry: Entry,
    ledger: Ledger,
    at: datetime,
) -> Refused | None:
    """Let a record that is in no pipeline enter one, or tell every reason why it may not.

    Which one, and whether the actor may start it, is settled before (``services.assignment.entering``).
    Errors: NotFound for an unknown pipeline, Conflict for one of another object.
    """
    assert entry.pipeline_key is not None
    pipeline = uow.catalog.pipeline(entry.pipeline_key)
    if pipeline.object_key != definition.key:
        raise Conflict(OTHER_OBJECT, pipeline=pipeline.label)
    target = entry.stage_key or pipeline.first.key
    standing.pipeline = pipeline
    form = None if target == pipeline.first.key else _first_form(uow, pipeline)
    snapshot = snapshot_of(uow, definition, standing, Given.nothing(), (), form=form)
    intent = MoveIntent(
        target, reason_key=entry.reason_key, origin=entry.origin, is_confirmed=entry.is_confirmed
    )
    decision = plan(snapshot, intent)
    if isinstance(decision, Refused):
        return decision
    if isinstance(decision, Parked):
        stage = pipeline.by_key[target]
        needs = Unmet("approval", "block", NEEDS_APPROVAL, {"stage": stage.label}, is_overridable=False)
        return Refused((needs,), is_confirmable=False, is_overridable=False)
    enter(uow, standing, decision, Given.nothing(), at, ledger)
    return None


def _first_form(uow: UnitOfWork, pipeline: Pipeline) -> FieldSet | None:
    """The feedback form of the first stage, whose leave gate an entry beyond it is held to (B1)."""
    form = uow.catalog.feedback.get(pipeline.first.feedback or "")
    return form.fields if form else None


def snapshot_of(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    standing: Standing,
    given: Given,
    faults: tuple[FieldViolation, ...],
    *,
    given_faults: tuple[FieldViolation, ...] = (),
    is_approved: bool = False,
    form: FieldSet | None = None,
) -> MoveSnapshot:
    """Everything a decision about a move looks at. ``faults``: those of the record's values as they were,
    ``given_faults`` those of the values that come with the move. ``form``: the feedback form of a record that
    is in no stage yet, to which there are no answers; else it is the one that its stay pins.
    """
    pipeline = standing.pipeline
    assert pipeline is not None
    feedback = form or pinned_feedback(uow, standing)
    answer_faults: tuple[FieldViolation, ...] = ()
    if feedback is not None and form is None:
        answer_faults = violations(feedback, given.answers)
        answer_faults += pointer_faults(uow, feedback, given_so_far(standing).answers, given.answers)
    return MoveSnapshot(
        pipeline=pipeline,
        stage_key=standing.record["stage_key"],
        values=standing.record["data"],
        fields=definition.fields,
        actor=uow.actor,
        evaluate=judge_of(here_and_now(uow), definition, standing.record, feedback, given.answers),
        feedback=feedback,
        answers=given.answers,
        record_violations=faults,
        given_violations=given_faults,
        answer_violations=answer_faults,
        done_tasks=given.done_tasks,
        is_marker_ticked=given.is_marked,
        is_approved=is_approved,
    )


def here_and_now(uow: UnitOfWork) -> EvaluationContext:
    """For whom and when conditions are asked: for the actor, now."""
    return EvaluationContext(
        uow.clock.now(), uow.workspace.time_zone, uow.actor.member_id, uow.actor.department_ids
    )


def judge_of(
    context: EvaluationContext,
    definition: ObjectDefinition,
    record: Mapping[str, Any],
    feedback: FieldSet | None,
    answers: Mapping[str, JsonValue],
) -> Callable[[Condition], bool]:
    """What says whether a condition of a gate holds: of the record's values and columns (``record`` by their
    names) and of the answers to the stage's feedback.
    """
    values = {
        **record["data"],
        **{name: record[column] for name, column in RECORD_COLUMNS.items()},
        **{f"feedback.{key}": value for key, value in answers.items()},
    }
    names = dict(definition.fields.by_key)
    if feedback is not None:
        names |= {f"feedback.{key}": field for key, field in feedback.by_key.items()}
    return lambda condition: evaluate(condition, values, names, context)


def pinned_feedback(uow: UnitOfWork, standing: Standing) -> FieldSet | None:
    """The feedback form of the present stay, at the version that was live when it opened (B3)."""
    stored = standing.open_stay
    if stored is None or stored.details["feedback_version_id"] is None:
        return None
    return feedback_version(uow.session, uow.catalog, stored.details["feedback_version_id"]).fields


def shown_feedback(uow: UnitOfWork, standing: Standing) -> FieldSet | None:
    """The same as the actor's role sees it (S118)."""
    stored = standing.open_stay
    if stored is None or stored.details["feedback_version_id"] is None:
        return None
    form = feedback_version(uow.session, uow.catalog, stored.details["feedback_version_id"])
    return seen_feedback(form, uow.actor.feedback_veil(form.key)).fields


def refuse_answers(uow: UnitOfWork, standing: Standing, answers: Mapping[str, Any]) -> None:
    """Errors: Invalid for answers that the actor's role hides or only shows (S118).

    What is only shown may be sent as it is stored.
    """
    stored = standing.open_stay
    veil = uow.actor.feedback_veil(stored.details["feedback_key"]) if stored else None
    if stored is None or veil is None:
        return
    before = stored.details["answers"] or {}
    problems = [Problem(UNKNOWN_FIELD, key, {"field": key}) for key in answers if key in veil.fields]
    problems += [
        Problem(ONLY_SHOWN, key)
        for key, value in answers.items()
        if key in veil.read_only and value != before.get(key)
    ]
    if problems:
        raise Invalid(NOT_SAVED, problems=tuple(problems))


def given_so_far(standing: Standing) -> Given:
    """Answers, done tasks and marker of the present stay."""
    stored = standing.open_stay
    if stored is None:
        return Given.nothing()
    details = stored.details
    return Given(details["answers"] or {}, frozenset(details["tasks_done"] or {}), bool(details["is_marked"]))


def enter(
    uow: UnitOfWork,
    standing: Standing,
    planned: Planned,
    given: Given,
    at: datetime,
    ledger: Ledger,
) -> None:
    """Carry out a plan on the row values and stays: close the present stay, open the next."""
    pipeline = standing.pipeline
    assert pipeline is not None
    target = pipeline.by_key[planned.to_stage]
    _close(uow, standing, planned, given, at, ledger)
    _place(uow, standing, pipeline, target, planned, at)
    _open(uow, standing, pipeline, target, planned, at, ledger)


def _close(
    uow: UnitOfWork, standing: Standing, planned: Planned, given: Given, at: datetime, ledger: Ledger
) -> None:
    present = standing.open_stay
    if present is None or planned.left_via is None:
        return
    # A clock that was set back cannot make a visit end before it began.
    ended = close_stay(present.stay, max(at, present.stay.entered_at or at), planned.left_via)
    details = {
        **present.details,
        "left_by": uow.actor.member_id or None,
        "next_stage_key": planned.to_stage,
        "answers": dict(given.answers) or None,
        "tasks_done": _tasks_done(uow, present, given, at),
        "is_marked": given.is_marked,
        "override_reason": planned.override_reason,
    }
    ledger.put_stay(standing, StoredStay(present.id, ended, details))


def _tasks_done(uow: UnitOfWork, present: StoredStay, given: Given, at: datetime) -> dict[str, Any] | None:
    known = present.details["tasks_done"] or {}
    new = {"by": uow.actor.member_id or None, "at": at.isoformat()}
    return {key: known.get(key, new) for key in sorted(given.done_tasks)} or None


def _place(
    uow: UnitOfWork, standing: Standing, pipeline: Pipeline, target: Stage, planned: Planned, at: datetime
) -> None:
    record = standing.record
    record.update(
        pipeline_key=pipeline.key,
        pipeline_version_id=pipeline.version_id,
        stage_key=target.key,
        outcome=target.kind,
        reason_key=planned.reason_key,
        stage_entered_at=at,
        started_at=record["started_at"] or at,
        closed_at=None if target.is_open else at,
    )
    if planned.from_stage is not None:
        # An own probability was a judgement about the stage left behind (edge cases of metrics.md).
        record["probability_override"] = None
    set_probability(uow, standing)


def _open(
    uow: UnitOfWork,
    standing: Standing,
    pipeline: Pipeline,
    target: Stage,
    planned: Planned,
    at: datetime,
    ledger: Ledger,
) -> None:
    record = standing.record
    facts = EntryFacts(
        record["owner_id"],
        record["department_id"],
        record["amount_minor"],
        record["currency"],
        None,
        record["probability"],
    )
    stay = open_stay(pipeline, target, at, planned.entered_via, facts, planned.skipped)
    ledger.put_stay(standing, new_stored(uow, pipeline, target, stay, planned))
    record["stay_id"] = standing.stays[-1].id


def new_stored(
    uow: UnitOfWork, pipeline: Pipeline, target: Stage, stay: Stay, planned: Planned
) -> StoredStay:
    """A stay as it is first written."""
    return StoredStay(new_id(), stay, new_details(uow, pipeline, target, planned))


def new_details(
    uow: UnitOfWork, pipeline: Pipeline, target: Stage, planned: Planned | None = None
) -> dict[str, Any]:
    """What a stay in ``target`` begins with, the feedback form that is live now pinned to it.

    Without ``planned`` it is of loaded history.
    """
    feedback = uow.catalog.feedback.get(target.feedback) if target.feedback else None
    return {
        "pipeline_version_id": pipeline.version_id,
        "recorded_at": uow.clock.now(),
        "entered_by": uow.actor.member_id or None,
        "left_by": None,
        "next_stage_key": None,
        "is_loaded": planned is None,
        "feedback_key": feedback.key if feedback else None,
        "feedback_version_id": feedback.version_id if feedback else None,
        "answers": None,
        "tasks_done": None,
        "is_marked": False,
        "reason_key": planned.reason_key if planned else None,
        "reason_note": (planned.reason_note or None) if planned else None,
        "override_reason": None,
    }
