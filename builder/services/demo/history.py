"""Months of work, event after event, under a fake clock: each move goes through the one door."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from builder.clock import FakeClock
from builder.domain.fields import ObjectDefinition
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.transitions import Refused
from builder.errors import N_, Conflict, Invalid
from builder.services import conversion, records, stage_work, transitions
from builder.services.demo.answers import Answers
from builder.services.demo.contacts import KeepingInTouch
from builder.services.demo.makings import Makings
from builder.services.demo.plan import DemoPlan, Flow
from builder.services.demo.values import ValueMaker
from builder.services.entries import Entry
from builder.services.records import NewRecord, Saved, SaveRecord
from builder.services.stage_work import WorkOnStage
from builder.services.standings import load_standing
from builder.services.unit_of_work import UnitOfWork

CANNOT_MAKE = N_("The demo plan makes no valid “%(object)s”.")
MONTH = timedelta(days=30.4)


@dataclass
class History:
    """Plays the plan. ``people``: who works, with their share; ``done`` counts what happened by name."""

    uow: UnitOfWork
    clock: FakeClock
    plan: DemoPlan
    people: list[tuple[Actor, float, float]]
    random: Random
    ends_at: datetime
    known: dict[str, list[int]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        self._make = ValueMaker(self.random, self.plan.pools, self.known, self.plan.later)
        self._makings = Makings(
            self.uow,
            self.random,
            lambda key, values: self._create(self.uow.catalog.object(key), None, values),
        )
        self._answers = Answers(self.uow, self.random, self._make, self._makings.named)
        self._contacts = KeepingInTouch(self.uow, Random(self.plan.seed))  # noqa: S311 - repeatable
        self._skill = {actor.member_id: skill for actor, _, skill in self.people}

    def play(self, progress: Callable[[float], None]) -> dict[str, int]:
        """Make everything that happens until ``ends_at``, in one transaction: the caller commits."""
        starts_at = self.clock.now()
        self._stock(is_late=False)
        for flow in self.plan.flows:
            for at in self._arrivals(flow, starts_at):
                self._at(at, lambda flow=flow: self._arrive(flow))  # type: ignore[misc]
        length = (self.ends_at - starts_at).total_seconds()
        while self._queue and self._queue[0][0] <= self.ends_at:
            at, _, action = heapq.heappop(self._queue)
            self.clock.set(max(at, self.clock.now()))
            action()
            self.uow.flush()
            progress((at - starts_at).total_seconds() / length)
        self._stock(is_late=True)
        return self.done

    def _at(self, at: datetime, action: Callable[[], None], random: Random | None = None) -> None:
        at = _in_office_hours(at, random or self.random)
        heapq.heappush(self._queue, (at, next(self._order), action))

    def _arrivals(self, flow: Flow, starts_at: datetime) -> Iterator[datetime]:
        low, high = flow.per_month
        for month in range(self.plan.months):
            rate = low + (high - low) * month / max(1, self.plan.months - 1)
            for _ in range(round(rate * self.random.uniform(0.8, 1.2))):
                yield starts_at + MONTH * (month + self.random.random())

    def _stock(self, *, is_late: bool) -> None:
        for stock in self.plan.stock:
            if stock.is_late != is_late:
                continue
            definition = self.uow.catalog.object(stock.object)
            for _ in range(stock.count):
                self._act_as(self._somebody())
                self._create(definition, None)

    def _arrive(self, flow: Flow) -> None:
        actor = self._somebody()
        self._act_as(actor)
        record_id = self._create(
            self.uow.catalog.object(flow.object), Entry(flow.pipeline, is_confirmed=True)
        )
        self._plan_next(flow, record_id, self.uow.catalog.pipeline(flow.pipeline).first, actor)
        self._keep_in_touch(flow, record_id, actor, is_first=True)

    def _create(
        self, definition: ObjectDefinition, entry: Entry | None, given: Mapping[str, Any] | None = None
    ) -> int:
        """Create a record with the ``given`` values, filling in what its rules turn out to require."""
        now = self.clock.now()
        values = {**self._make.record(definition.key, definition.fields, now), **(given or {})}
        for _ in range(3):
            try:
                saved = records.create(self.uow, definition.key, NewRecord(values, entry))
                self._remember(definition.key, saved.record_id)
                return saved.record_id
            except Invalid as error:
                faulty = {problem.place for problem in error.problems} & definition.fields.by_key.keys()
                for key in sorted(faulty):
                    values[key] = self._make.value(definition.key, definition.fields.by_key[key], now)
        raise Invalid(CANNOT_MAKE, object=definition.key)

    def _plan_next(self, flow: Flow, record_id: int, stage: Stage, actor: Actor) -> None:
        low, high = flow.dwell_days.get(stage.key, (2, 15))
        days = self.random.triangular(low, high, low + (high - low) * 0.3) / self._skill[actor.member_id]
        self._at(self.clock.now() + timedelta(days=days), lambda: self._decide(flow, record_id, stage, actor))

    def _decide(self, flow: Flow, record_id: int, stage: Stage, actor: Actor) -> None:
        """Go on, go back, or end: by the chances of the plan, better for the more skilful."""
        self._act_as(actor)
        pipeline = self.uow.catalog.pipeline(flow.pipeline)
        usual = flow.advance.get(stage.key, 0.6)
        chance = 1 if usual >= 1 else min(0.97, usual * self._skill[actor.member_id])
        place = pipeline.steps.index(stage)
        if self.random.random() < flow.back and place > 0:
            self._move(flow, record_id, pipeline.steps[place - 1], actor)
        elif self.random.random() < chance:
            self._go_on(flow, record_id, pipeline, place, actor)
        else:
            kind = "invalid" if self.random.random() < flow.invalid else "lost"
            ends = pipeline.of_kind(kind) or pipeline.of_kind("lost")  # type: ignore[arg-type]
            if ends:
                self._move(flow, record_id, ends[0], actor)

    def _go_on(self, flow: Flow, record_id: int, pipeline: Pipeline, place: int, actor: Actor) -> None:
        target = pipeline.steps[place + 1]
        if not target.is_open and flow.converts:
            self._convert(record_id, target, actor)
            return
        self._revise(record_id)
        if self._move(flow, record_id, target, actor) and not target.is_open and flow.then:
            self._follow(record_id, flow.then)

    def _move(self, flow: Flow, record_id: int, target: Stage, actor: Actor) -> bool:
        """Make the move as the dialog would. Refused: try again later."""
        self._act_as(self._allowed(flow, record_id, actor))
        draft, command = self._answers.command(record_id, target.key)
        result = transitions.move(self.uow, command)
        if isinstance(result, Refused):
            self._count(f"refused {target.key}")
            stage = self.uow.catalog.pipeline(flow.pipeline).by_key[draft.standing.record["stage_key"]]
            self._plan_next(flow, record_id, stage, actor)
            return False
        self._count(f"moved to {target.key}")
        self._makings.left(record_id, is_onward=target.kind in ("open", "won"))
        self._makings.entered(flow, record_id, target.key)
        if target.is_open:
            self._plan_next(flow, record_id, target, actor)
        return True

    def _convert(self, record_id: int, target: Stage, actor: Actor) -> None:
        draft, command = self._answers.command(record_id, target.key)
        definition = draft.definition
        records.save(self.uow, SaveRecord(record_id, command.values))
        stage_work.work(
            self.uow,
            WorkOnStage(
                record_id,
                answers=command.answers if draft.snapshot.feedback else None,
                tasks=dict.fromkeys(command.done_tasks or (), True),
                is_marked=True,
            ),
        )
        reason = command.reason_key
        try:
            with self.uow.savepoint():
                made = conversion.convert(
                    self.uow,
                    conversion.ConvertRecord(record_id, reason_key=reason, is_confirmed=True),
                )
        except (Invalid, Conflict):
            self._count("refused conversion")
            return
        self._count("converted")
        for object_key, made_id in made.records.items():
            self._remember(object_key, made_id)
        onward = self.plan.flow_of(definition.conversion.pipeline) if definition.conversion else None
        if onward is not None:
            self._plan_next(onward, made.main, self.uow.catalog.pipeline(onward.pipeline).first, actor)
            self._keep_in_touch(onward, made.main, actor, is_first=True)

    def _follow(self, record_id: int, then: tuple[str, str]) -> None:
        """The customer of a won record enters its own pipeline, unless it is in one already (S47)."""
        field_key, pipeline_key = then
        customer = load_standing(self.uow, record_id).record["data"].get(field_key)
        flow = self.plan.flow_of(pipeline_key)
        if customer is None or flow is None or load_standing(self.uow, int(customer)).pipeline is not None:
            return
        if isinstance(
            transitions.start(self.uow, int(customer), Entry(pipeline_key, is_confirmed=True)), Saved
        ):
            pipeline = self.uow.catalog.pipeline(pipeline_key)
            self._plan_next(flow, int(customer), pipeline.first, self.uow.actor)
            self._keep_in_touch(flow, int(customer), self.uow.actor, is_first=True)

    def _keep_in_touch(self, flow: Flow, record_id: int, actor: Actor, *, is_first: bool = False) -> None:
        """Plan the next contact about the record, and from there the one after it."""
        contacts = flow.contacts
        if contacts is None:
            return

        def act() -> None:
            self._act_as(actor)
            if self._contacts.make(contacts, flow.pipeline, record_id):
                self._keep_in_touch(flow, record_id, actor)

        at = self.clock.now() + self._contacts.pause(contacts, is_first=is_first)
        self._at(at, act, self._contacts.random)

    def _revise(self, record_id: int) -> None:
        """Now and then the amount or the expected close changes on the way (S30)."""
        if self.random.random() > 0.3:
            return
        definition = self.uow.catalog.object(load_standing(self.uow, record_id).record["object_key"])
        role = self.random.choice(("amount", "expected_close"))
        field_definition = definition.fields.by_role.get(role)
        if field_definition is not None:
            value = self._make.value(definition.key, field_definition, self.clock.now())
            records.save(self.uow, SaveRecord(record_id, {field_definition.key: value}))

    def _allowed(self, flow: Flow, record_id: int, actor: Actor) -> Actor:
        """The actor, or somebody whom the gate of the present stage lets pass."""
        stage_key = load_standing(self.uow, record_id).record["stage_key"]
        roles = self.uow.catalog.pipeline(flow.pipeline).by_key[stage_key].leave.roles
        if not roles or actor.role_key in roles:
            return actor
        return next((other for other, _, _ in self.people if other.role_key in roles), actor)

    def _somebody(self) -> Actor:
        return self.random.choices(
            [actor for actor, _, _ in self.people], [weight for _, weight, _ in self.people]
        )[0]

    def _act_as(self, actor: Actor) -> None:
        self.uow.actor = actor

    def _remember(self, object_key: str, record_id: int) -> None:
        self.known.setdefault(object_key, []).append(record_id)
        self._count(f"created {object_key}")

    def _count(self, name: str) -> None:
        self.done[name] = self.done.get(name, 0) + 1


def _in_office_hours(at: datetime, random: Random) -> datetime:
    """Nobody sells at night or on Sundays: move to the next working hour."""
    if at.weekday() == 6:
        at += timedelta(days=1)
    return at.replace(hour=random.randint(1, 9), minute=random.randint(0, 59), second=random.randint(0, 59))
