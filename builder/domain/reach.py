"""Which steps of a funnel a record's visits reached: the predicates of M1, M2a–d and M4, for one record.

Everything that counts (journeys, stays of a period, roll-up cells) goes through ``hits``; so they agree.
Measures:

- ``entry`` and ``left:<via>`` per visit; ``left:`` is a visit still running (M1, M2d);
- ``visit:<outcome>``: visited the step, by how the record stands now (M2a, M3, M4): ``open``, ``won``,
  ``lost``, ``invalid``, or ``gone`` when it is no longer in the pipeline;
- ``pair``: visited the step and the next one (M2a); ``strict``: visited every step up to this one, kept
  from the second step on, as the first is ``visit`` (M2b);
- ``furthest``: this is the furthest step that the record reached (M2c sums it from the end);
- ``pair:lost`` and ``furthest:lost``: the same of records that stand lost, kept apart from the others so that
  M2c need not fill them.

A hit names the visit whose amount at entry counts with it: the latest one to that step; for ``entry`` and
``left`` the visit itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

from builder.domain.journey import Visit, code_of
from builder.domain.pipeline import FunnelDefinition, Pipeline, StageKind
from builder.domain.stays import COUNTED_EXITS, LeftVia, Stay

Standing: TypeAlias = Literal["open", "won", "lost", "invalid", "gone"]

STANDINGS: tuple[Standing, ...] = ("open", "won", "lost", "invalid", "gone")
ENTRY = "entry"
PAIR = "pair"
STRICT = "strict"
FURTHEST = "furthest"
PAIR_LOST = "pair:lost"
FURTHEST_LOST = "furthest:lost"
RUNNING = "left:"
VISIT_BY_STANDING: dict[Standing, str] = {standing: f"visit:{standing}" for standing in STANDINGS}
LEFT_BY_VIA: dict[LeftVia | None, str] = {None: RUNNING, **{via: f"left:{via}" for via in COUNTED_EXITS}}


class Worth(NamedTuple):
    """An amount in minor units of its currency (empty: none)."""

    currency: str
    amount_minor: int


class StepVisit(NamedTuple):
    """One visit as a funnel sees it.

    ``place``: the stage's name in the figures. ``step``: index of the step that it is a visit to.
    ``reach``: index of the step that it proves to be reached (winning reaches the last step of its
    pipeline, also where the won stage is no step). ``None``: no step of this funnel.
    """

    place: str
    step: int | None
    reach: int | None
    left_via: LeftVia | None


class Hit(NamedTuple):
    """One thing that a record counts for; ``visit``: index of the visit whose amount goes with it."""

    measure: str
    place: str
    visit: int


@dataclass(frozen=True)
class FunnelSteps:
    """The ordered steps of a funnel (M0) and the kinds of all stages of its pipelines.

    ``stages``: (pipeline key, stage key) per step; ``kinds``: all stages as (pipeline, stage, kind). Any
    won stage of a pipeline counts as a visit to the won stage that is a step.
    """

    stages: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str, StageKind], ...]

    @classmethod
    def of(cls, pipeline: Pipeline) -> FunnelSteps:
        """A pipeline's own funnel: its open stages in order, then won."""
        stages = tuple((pipeline.key, stage.key) for stage in pipeline.steps)
        return cls(stages, tuple((pipeline.key, stage.key, stage.kind) for stage in pipeline.stages))

    @classmethod
    def chained(cls, definition: FunnelDefinition, pipelines: Mapping[str, Pipeline]) -> FunnelSteps:
        """The steps of a stored funnel over several pipelines. KeyError when one of them is missing."""
        stages = tuple((step.pipeline, step.stage) for step in definition.steps)
        kinds = tuple(
            (key, stage.key, stage.kind)
            for key in dict.fromkeys(step.pipeline for step in definition.steps)
            for stage in pipelines[key].stages
        )
        return cls(stages, kinds)

    @cached_property
    def pipelines(self) -> frozenset[str]:
        return frozenset(pipeline for pipeline, _ in self.stages)

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Names of the steps in figures: stage keys; ``pipeline/stage`` where there are several pipelines."""
        return tuple(self.place(pipeline, stage) for pipeline, stage in self.stages)

    def place(self, pipeline_key: str, stage_key: str) -> str:
        return stage_key if len(self.pipelines) == 1 else f"{pipeline_key}/{stage_key}"

    @cached_property
    def kind_of(self) -> Mapping[tuple[str, str], StageKind]:
        return {(pipeline, stage): kind for pipeline, stage, kind in self.kinds}

    @cached_property
    def _step_of(self) -> Mapping[tuple[str, str], int]:
        steps = {stage: index for index, stage in enumerate(self.stages)}
        won_step = {stage[0]: steps[stage] for stage in self.stages if self.kind_of.get(stage) == "won"}
        for pipeline, stage, kind in self.kinds:
            if kind == "won" and pipeline in won_step:
                steps.setdefault((pipeline, stage), won_step[pipeline])
        return steps

    @cached_property
    def _reach_of(self) -> Mapping[tuple[str, str], int]:
        reach = dict(self._step_of)
        last = {pipeline: index for index, (pipeline, _) in enumerate(self.stages)}
        for pipeline, stage, kind in self.kinds:
            if kind == "won" and pipeline in last:
                reach.setdefault((pipeline, stage), last[pipeline])
        return reach

    @cached_property
    def _keys_by_code(self) -> Mapping[tuple[str, str], tuple[str, str]]:
        return {(code_of(key), code_of(stage)): (key, stage) for key, stage, _ in self.kinds}

    @cached_property
    def _pipeline_codes(self) -> frozenset[str]:
        return frozenset(code_of(key) for key in self.pipelines)

    def counts(self, stay: Stay) -> bool:
        """Whether a stay is one of this funnel's: not void, and in one of its pipelines."""
        return stay.left_via != "void" and stay.pipeline_key in self.pipelines

    def see(self, pipeline: str, stage: str, left_via: LeftVia | None) -> StepVisit:
        """A visit as this funnel sees it."""
        key = (pipeline, stage)
        return StepVisit(
            self.place(pipeline, stage), self._step_of.get(key), self._reach_of.get(key), left_via
        )

    def see_journey(self, visits: Sequence[Visit]) -> tuple[StepVisit, ...]:
        """Visits of a journey as this funnel sees them; a stage that is in no version known here is kept
        as a visit to no step (it was removed)."""
        seen = []
        for visit in visits:
            if visit.pipeline in self._pipeline_codes:
                pipeline, stage = self._keys_by_code.get((visit.pipeline, visit.stage), ("", visit.stage))
                seen.append(self.see(pipeline, stage, visit.left_via))
        return tuple(seen)

    def standing_of_stays(self, stays: Sequence[Stay]) -> Standing:
        """How a record stands now in the funnel's pipelines: the kind of the stage it is in."""
        running = [stay.kind for stay in stays if stay.is_running and stay.pipeline_key in self.pipelines]
        return running[-1] if running else "gone"

    def standing_of_journey(self, visits: Sequence[Visit]) -> Standing:
        """As ``standing_of_stays``; a running visit to an unknown stage counts as open."""
        for visit in reversed(visits):
            if visit.left_via is None and visit.pipeline in self._pipeline_codes:
                keys = self._keys_by_code.get((visit.pipeline, visit.stage))
                return self.kind_of[keys] if keys is not None else "open"
        return "gone"


def pair_of(standing: Standing) -> str:
    """The measure of a record that visited a step and the next one."""
    return PAIR_LOST if standing == "lost" else PAIR


def furthest_of(standing: Standing) -> str:
    """The measure of a record's furthest step."""
    return FURTHEST_LOST if standing == "lost" else FURTHEST


def worth_of(stay: Stay) -> Worth:
    return Worth(stay.currency or "", stay.amount_minor or 0)


def hits(visits: Sequence[StepVisit], steps: FunnelSteps, standing: Standing) -> Iterator[Hit]:
    """All that one record counts for, given its visits (all of them, or those of a period) in order."""
    latest: dict[int, int] = {}
    furthest, furthest_visit = -1, -1
    for index, visit in enumerate(visits):
        yield Hit(ENTRY, visit.place, index)
        yield Hit(LEFT_BY_VIA[visit.left_via], visit.place, index)
        if visit.step is not None:
            latest[visit.step] = index
        if visit.reach is not None and visit.reach >= furthest:
            furthest, furthest_visit = visit.reach, index
    places = steps.places
    for step, index in latest.items():
        yield Hit(VISIT_BY_STANDING[standing], places[step], index)
        if step + 1 in latest:
            yield Hit(pair_of(standing), places[step], index)
    for step in range(len(places)):
        if step not in latest:
            break
        if step:
            yield Hit(STRICT, places[step], latest[step])
    if furthest >= 0:
        yield Hit(furthest_of(standing), places[furthest], furthest_visit)
