"""Try the drafts on what happened: the moves of the last records, judged by both sets of rules (B8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from builder.db.people import Member
from builder.db.records import Record
from builder.domain.comparison import EvaluationContext
from builder.domain.feedback import Feedback
from builder.domain.fields import ObjectDefinition
from builder.domain.moves import MoveSnapshot
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.roles import Role
from builder.domain.simulation import Comparison, judge
from builder.errors import N_, Invalid, Malformed
from builder.metadata.compiler import compiled
from builder.metadata.documents import check
from builder.queries.drafts import drafts
from builder.queries.replay import PastMove, past_moves
from builder.services.definitions import EDIT
from builder.services.entries import judge_of
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import violations

SIZES = (100, 500, 2_000, 10_000)
BROKEN = N_("The draft “%(name)s” is not sound yet. Mend what is shown under Changes, then try it.")
REMOVED = N_("The drafts take this process away: there is nothing to try.")
WRONG_SIZE = N_("Choose how many records to try it on.")
NOBODY = Actor(0, "", "", frozenset(), "all", is_system=True)


@dataclass(frozen=True)
class Rules:
    """One set of definitions that a move is judged by."""

    pipeline: Pipeline
    definition: ObjectDefinition
    feedback: Mapping[str, Feedback]
    roles: Mapping[str, Role]


@dataclass(frozen=True)
class StageChance:
    """Open records of a stage whose probability (percent) changes; ``then`` None: the stage goes."""

    stage: Stage
    now: int
    then: int | None
    count: int


@dataclass(frozen=True)
class Simulation:
    """``records``: how many moved; ``tasks``: asked for on their way, now and then. ``forecast``: weighted
    amounts of the open records in minor units by currency, now and then; records that set a probability of
    their own count the same in both.
    """

    comparison: Comparison
    records: int
    tasks: tuple[int, int]
    forecast: Mapping[str, tuple[int, int]]
    chances: tuple[StageChance, ...]


def simulate(uow: UnitOfWork, pipeline_key: str, last: int) -> Simulation:
    """Judge the moves of the ``last`` records by what is in force and by the drafts; nothing is written.

    Raises Forbidden, NotFound (a process that was never published has no past), Malformed, Invalid for
    drafts that are not sound.
    """
    uow.require(EDIT)
    if last not in SIZES:
        raise Malformed(WRONG_SIZE)
    now = _in_force(uow, pipeline_key)
    then = _drafted(uow, now)
    people = {row.id: row.role_key for row in uow.session.execute(select(Member.id, Member.role_key))}
    compared, moved, tasks = Comparison(), set(), [0, 0]
    for past in past_moves(uow.session, pipeline_key, last):
        today = judge(_snapshot(uow, now, past, people), past.intent)
        drafted = judge(_snapshot(uow, then, past, people), past.intent)
        compared.add((past.record_id, past.name), (past.from_stage, past.intent.to_stage), today, drafted)
        moved.add(past.record_id)
        for side, rules in enumerate((now, then)):
            stage = rules.pipeline.by_key.get(past.from_stage)
            tasks[side] += len(stage.tasks) if stage else 0
    forecast, chances = _forecast(uow, now.pipeline, then.pipeline)
    return Simulation(compared, len(moved), (tasks[0], tasks[1]), forecast, chances)


def _in_force(uow: UnitOfWork, pipeline_key: str) -> Rules:
    pipeline = uow.catalog.pipeline(pipeline_key)
    definition = uow.catalog.object(pipeline.object_key)
    return Rules(pipeline, definition, uow.catalog.feedback, uow.catalog.roles)


def _drafted(uow: UnitOfWork, now: Rules) -> Rules:
    """What would be in force once all drafts are published."""
    pipeline, definition = now.pipeline, now.definition
    feedback, roles = dict(now.feedback), dict(now.roles)
    for draft in drafts(uow.session):
        if draft.is_removal:
            if (draft.kind, draft.key) == ("pipeline", pipeline.key):
                raise Invalid(REMOVED)
            for kind, known in (("feedback", feedback), ("role", roles)):
                if draft.kind == kind:
                    known.pop(draft.key, None)
            continue
        if check(draft.kind, draft.document):
            raise Invalid(BROKEN, name=draft.label)
        made = compiled(draft.document)
        if isinstance(made, Pipeline) and made.key == pipeline.key:
            pipeline = made
        elif isinstance(made, ObjectDefinition) and made.key == definition.key:
            definition = made
        elif isinstance(made, Feedback):
            feedback[made.key] = made
        elif isinstance(made, Role):
            roles[made.key] = made
    return Rules(pipeline, definition, feedback, roles)


def _snapshot(uow: UnitOfWork, rules: Rules, past: PastMove, people: Mapping[int, str]) -> MoveSnapshot:
    """What the door would have looked at. An answer or value for a field that these rules do not know says
    nothing to them.
    """
    stage = rules.pipeline.by_key.get(past.from_stage)
    form = rules.feedback.get(stage.feedback or "") if stage else None
    fields = form.fields if form else None
    answers = {key: value for key, value in past.answers.items() if fields and key in fields.by_key}
    values = {key: value for key, value in past.values.items() if key in rules.definition.fields.by_key}
    context = EvaluationContext(past.at, uow.workspace.time_zone, past.actor_id or 0, ())
    return MoveSnapshot(
        pipeline=rules.pipeline,
        stage_key=past.from_stage,
        values=values,
        fields=rules.definition.fields,
        actor=_actor(rules, past.actor_id, people),
        evaluate=judge_of(context, rules.definition, {**past.columns, "data": values}, fields, answers),
        feedback=fields,
        answers=answers,
        record_violations=violations(rules.definition.fields, values, values),
        answer_violations=violations(fields, answers, answers) if fields else (),
        done_tasks=past.done_tasks,
        is_marker_ticked=past.is_marked,
    )


def _actor(rules: Rules, member_id: int | None, people: Mapping[int, str]) -> Actor:
    """Who moved, with the role of today; without any right where these rules do not have that role."""
    if member_id is None:
        return NOBODY
    role_key = people.get(member_id, "")
    role = rules.roles.get(role_key)
    if role is None:
        return Actor(member_id, "", role_key, frozenset(), "own")
    return Actor(member_id, "", role.key, role.rights, role.visibility)


def _forecast(
    uow: UnitOfWork, now: Pipeline, then: Pipeline
) -> tuple[dict[str, tuple[int, int]], tuple[StageChance, ...]]:
    """The open records' weighted amounts, and the stages whose probability changes."""
    own = Record.probability_override
    rows = uow.session.execute(
        select(Record.stage_key, Record.currency, own, func.count(), func.sum(Record.amount_minor))
        .where(Record.pipeline_key == now.key, Record.outcome == "open", Record.deleted_at.is_(None))
        .group_by(Record.stage_key, Record.currency, own)
    )
    sums: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    for stage_key, currency, set_by_hand, count, amount in rows:
        assert stage_key is not None  # what is in a process is in a stage of it
        counts[stage_key] = counts.get(stage_key, 0) + (count if set_by_hand is None else 0)
        weighted = sums.setdefault(currency or "", [0, 0])
        for side, pipeline in enumerate((now, then)):
            stage = pipeline.by_key.get(stage_key) or now.by_key.get(stage_key)
            chance = set_by_hand if set_by_hand is not None else stage.probability if stage else 0
            weighted[side] += int(amount or 0) * int(chance)
    forecast = {code: ((one + 50) // 100, (other + 50) // 100) for code, (one, other) in sums.items() if code}
    changed = (_chance(stage, then, counts.get(stage.key, 0)) for stage in now.stages if stage.is_open)
    return forecast, tuple(each for each in changed if each.then != each.now)


def _chance(stage: Stage, then: Pipeline, count: int) -> StageChance:
    other: Any = then.by_key.get(stage.key)
    return StageChance(stage, stage.probability, other.probability if other else None, count)
