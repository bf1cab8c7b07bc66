"""What a record must have to go on, read from its page without another statement (S39).

The verdicts are those of ``domain.requirements``, the same that a move is decided by; existence of what
references name is left to the move itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from builder.domain.feedback import Feedback
from builder.domain.fields import ObjectDefinition
from builder.domain.gates import is_marker_met
from builder.domain.moves import FieldViolation, MoveSnapshot, Requirement
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.requirements import allowed_targets, requirements
from builder.metadata.field_rights import seen_feedback
from builder.queries.definitions import feedback_version, pipeline_version
from builder.queries.record import RecordPage
from builder.services.entries import RECORD_COLUMNS, here_and_now, judge_of
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import violations


@dataclass(frozen=True)
class Outlook:
    """Where a record stands. ``following``: the stage after the present one, if a move leads there.

    ``asked``: all that the move to it asks for, met and unmet. ``targets``: the stages that the reader may
    try to move to. ``feedback``: the present stage's form, at the version that the visit pins (B3).
    ``is_marker_met``: S3, or ``None`` where the stage has no marker. ``faults``: old ones of the values.
    """

    pipeline: Pipeline
    stage: Stage
    following: Stage | None
    asked: tuple[Requirement, ...]
    targets: tuple[Stage, ...]
    feedback: Feedback | None
    is_marker_met: bool | None
    done_tasks: frozenset[str]

    @property
    def missing(self) -> tuple[Requirement, ...]:
        """What still stands in the way, or is advised, one line each; sub-tasks are told by their task."""
        return tuple(
            item
            for item in self.asked
            if not item.is_met
            and item.severity != "ignore"
            and item.kind not in ("subtask", "right", "reason")
        )


def faults_of(definition: ObjectDefinition, page: RecordPage) -> tuple[FieldViolation, ...]:
    """Faults of the stored values under the live definition: they warn until the record moves (idea 2)."""
    return violations(definition.fields, page.record.data)


def outlook(uow: UnitOfWork, page: RecordPage, faults: tuple[FieldViolation, ...]) -> Outlook | None:
    """Where the record stands; ``None`` when it is in no pipeline, or in a stage that its version lacks."""
    record = page.record
    if record.pipeline_version_id is None or record.stage_key is None:
        return None
    pipeline = pipeline_version(uow.session, uow.catalog, record.pipeline_version_id)
    stage = pipeline.by_key.get(record.stage_key)
    if stage is None:
        return None
    stay = page.open_stay
    feedback = None
    if stay is not None and stay.feedback_version_id is not None:
        feedback = feedback_version(uow.session, uow.catalog, stay.feedback_version_id)
    if record.object_key in uow.actor.veils:
        # The gate judges the whole record; what it says of hidden fields is told without naming them.
        definition = uow.catalog.object(record.object_key)
        faults = violations(definition.fields, page.opened.whole.data)
    snapshot = _snapshot(uow, page, pipeline, feedback, faults)
    targets = allowed_targets(pipeline, stage.key, uow.actor) if page.opened.may_change else ()
    following = _following(pipeline, stage, targets)
    return Outlook(
        pipeline=pipeline,
        stage=stage,
        following=following,
        asked=requirements(snapshot, following.key) if following else (),
        targets=targets,
        feedback=seen_feedback(feedback, uow.actor.feedback_veil(feedback.key)) if feedback else None,
        is_marker_met=is_marker_met(snapshot, stage) if stage.marker else None,
        done_tasks=snapshot.done_tasks,
    )


def _snapshot(
    uow: UnitOfWork,
    page: RecordPage,
    pipeline: Pipeline,
    feedback: Feedback | None,
    faults: tuple[FieldViolation, ...],
) -> MoveSnapshot:
    record, stay = page.opened.whole, page.open_stay
    definition = uow.catalog.object(record.object_key)
    answers = {**stay.answers, **page.unseen_answers} if stay else {}
    form = feedback.fields if feedback else None
    columns = {column: getattr(record, column) for column in ("data", *RECORD_COLUMNS.values())}
    return MoveSnapshot(
        pipeline=pipeline,
        stage_key=record.stage_key,
        values=record.data,
        fields=definition.fields,
        actor=uow.actor,
        evaluate=judge_of(here_and_now(uow), definition, columns, form, answers),
        feedback=form,
        answers=answers,
        record_violations=faults,
        answer_violations=() if form is None else violations(form, answers),
        done_tasks=frozenset(stay.tasks_done) if stay else frozenset(),
        is_marker_ticked=stay.is_marked if stay else False,
    )


def _following(pipeline: Pipeline, stage: Stage, targets: tuple[Stage, ...]) -> Stage | None:
    """The next step in funnel order; where it may not be gone to, the first later one that may."""
    if not stage.is_open:
        return None
    later = [step for step in pipeline.steps if not step.is_open or step.position > stage.position]
    return next((step for step in later if step in targets), later[0] if later else None)
