"""What is behind a figure (B4): which visits and records it counts, written from the definitions of M1–M3.

Twice, on purpose. ``clause_of`` says it as one clause over all stays, by which it is counted where no sum of
the funnel tells the number. ``walk_of`` says along which visits a list is read, and what must hold of each
of them, so that a page stops as soon as it is full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.domain.journey import code_of
from builder.domain.pipeline import Pipeline
from builder.errors import N_, Invalid
from builder.queries.win_sets import TERMINAL

# Figures of the identity of M1, with the way out that each counts.
EXITS: dict[str, str | None] = {
    "advanced": "advance",
    "back": "back",
    "repeated": "repeat",
    "won": "won",
    "lost": "lost",
    "invalid": "invalid",
    "changed_pipeline": "pipeline_change",
    "migrated": "migrate",
    "still_there": None,
}
# Records that visited the stage and have ended since: what M4 divides by, and what it counts.
ENDED: dict[str, tuple[str, ...]] = {"ended": TERMINAL, "ended_won": ("won",)}
FORWARD = ("advance", "won")

Unit: TypeAlias = Literal["record", "stay"]
Edges: TypeAlias = "tuple[datetime | None, datetime | None]"
# Sets of stages: a record visited at least one of each.
Visited: TypeAlias = "list[list[str]]"
Visiting: TypeAlias = Callable[[Pipeline, Sequence[str], Edges], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a funnel.

    ``name``: ``entered`` or a key of EXITS (stays), ``numerator``, ``denominator`` of the step's rate in
    ``mode``, ``now`` (records that are in the stage at present), a key of ENDED. ``except_mode``: without
    the records that the same figure of another mode has (B5).
    """

    name: str
    stage: str
    mode: str = "visited"
    except_mode: str = ""

    @property
    def unit(self) -> Unit:
        is_flow = self.name == "entered" or self.name in EXITS
        return "stay" if is_flow or (self.mode == "stay" and self.name not in ("now", *ENDED)) else "record"


@dataclass(frozen=True, slots=True)
class Walk:
    """The visits along which a list is read: to ``stages``, each satisfying ``visit``, of records that
    satisfy ``record``. Where ``is_once``, a record stands at the last of them only.
    """

    stages: tuple[str, ...]
    visit: tuple[ColumnElement[bool], ...]
    record: tuple[ColumnElement[bool], ...]
    is_once: bool


def walk_of(pipeline: Pipeline, figure: Figure, edges: Edges) -> Walk:
    """Of a figure that counts visits, or records by their visits. Errors: Invalid, as ``clause_of``."""
    if figure.unit == "stay":
        return Walk((figure.stage,), _ways_out(pipeline, figure), (), is_once=False)
    if figure.name in ENDED:
        _place(pipeline, figure.stage, [stage.key for stage in pipeline.stages])
        stages = _stages_of(pipeline, [figure.stage])
        return Walk(tuple(stages), (), _standing(pipeline, figure), is_once=True)
    *others, last = _wanted(pipeline, figure, _filling(figure.mode))
    record = [_visited(pipeline, stages, edges) for stages in others]
    if figure.mode == "filled_unless_lost":
        is_filled = not_(_is_lost(pipeline))
        record.append(or_(is_filled, _reached(pipeline, figure, "visited", edges, one=_visited)))
    if figure.except_mode:
        record.append(not_(_reached(pipeline, figure, figure.except_mode, edges, one=_visited)))
        last = [stage for stage in last if stage not in _excepting(pipeline, figure)]
    return Walk(tuple(last), (), tuple(record), is_once=True)


def clause_of(pipeline: Pipeline, figure: Figure, edges: Edges) -> ColumnElement[bool]:
    """The figure as a clause on ``record``, or on ``stay`` where it counts stays, whoever asks.

    Errors: Invalid for a stage, a mode or a figure that there is not.
    """
    if figure.unit == "stay":
        of_stage = [StayRow.pipeline_key == pipeline.key, StayRow.stage_key == figure.stage]
        counted = [StayRow.left_via.is_distinct_from("void"), *within(StayRow.entered_at, edges)]
        return and_(*of_stage, *counted, *_ways_out(pipeline, figure))
    if figure.name == "now":
        _place(pipeline, figure.stage, [stage.key for stage in pipeline.stages])
        return Record.stage_key == figure.stage
    if figure.name in ENDED:
        _place(pipeline, figure.stage, [stage.key for stage in pipeline.stages])
        return and_(
            _listed(pipeline, _stages_of(pipeline, [figure.stage]), edges), *_standing(pipeline, figure)
        )
    counted_there = _reached(pipeline, figure, figure.mode, edges, one=_listed)
    if figure.except_mode:
        return and_(counted_there, not_(_reached(pipeline, figure, figure.except_mode, edges, one=_listed)))
    return counted_there


def ended_of(pipeline: Pipeline, figure: Figure, edges: Edges) -> list[ColumnElement[bool]]:
    """Of a key of ENDED: what must hold of a record, looked up record by record."""
    stages = _stages_of(pipeline, [figure.stage])
    return [*_standing(pipeline, figure), _visited(pipeline, stages, edges)]


def guess_of(pipeline: Pipeline, figure: Figure) -> ColumnElement[bool]:
    """Of a figure of records by their visits, of all time: what their journeys tell, without looking at a
    visit. It says so of some that the figure does not count, and, once in a great while, misses one.
    """
    reached = _reached(pipeline, figure, figure.mode, (None, None), one=_in_journey)
    if not figure.except_mode:
        return reached
    others = func.instr(func.substr(Record.journey, 2), "/") > 0
    excepted = _reached(pipeline, figure, figure.except_mode, (None, None), one=_in_journey)
    # Stages of another pipeline may be called the same.
    return and_(reached, or_(not_(excepted), others))


def within(column: Any, edges: Edges) -> list[ColumnElement[bool]]:
    """The instant lies in the period."""
    start, end = edges
    parts = [] if start is None else [column >= start]
    return parts if end is None else [*parts, column < end]


def _ways_out(pipeline: Pipeline, figure: Figure) -> tuple[ColumnElement[bool], ...]:
    """How a stay that the figure counts has ended."""
    _place(pipeline, figure.stage, [stage.key for stage in pipeline.stages])
    if figure.name in EXITS:
        left_via = EXITS[figure.name]
        return (StayRow.left_via.is_(None) if left_via is None else StayRow.left_via == left_via,)
    if figure.name == "denominator":
        return (StayRow.left_via.is_not(None),)
    if figure.name == "numerator":
        return (StayRow.left_via.in_(FORWARD),)
    if figure.name != "entered":
        raise Invalid(N_("There is no figure “%(figure)s” here."), figure=figure.name[:40])
    return ()


def _standing(pipeline: Pipeline, figure: Figure) -> tuple[ColumnElement[bool], ...]:
    return (Record.pipeline_key == pipeline.key, Record.outcome.in_(ENDED[figure.name]))


def _filling(mode: str) -> str:
    """The mode that counts all that ``mode`` counts, by visits alone."""
    return "filled" if mode == "filled_unless_lost" else mode


def _excepting(pipeline: Pipeline, figure: Figure) -> list[str]:
    """Stages of which one visit is enough for the mode that the figure excepts: a walk leaves them out."""
    if figure.except_mode not in ("visited", "filled", "strict"):
        return []
    wanted = _wanted(pipeline, figure, figure.except_mode)
    return wanted[0] if len(wanted) == 1 else []


def _wanted(pipeline: Pipeline, figure: Figure, mode: str) -> Visited:
    """Denominator: reached the step; numerator: reached the step and the next one (M2a–c)."""
    steps = [stage.key for stage in pipeline.steps]
    place = _place(pipeline, figure.stage, steps)
    if figure.name == "denominator":
        last = place
    elif figure.name == "numerator" and place + 1 < len(steps):
        last = place + 1
    else:
        raise Invalid(N_("There is no figure “%(figure)s” here."), figure=figure.name[:40])
    if mode == "filled":
        return [_stages_of(pipeline, steps[last:])]
    if mode not in ("visited", "strict"):
        raise Invalid(N_("There is no mode “%(mode)s”."), mode=mode[:40])
    wanted = steps[place if mode == "visited" else 0 : last + 1]
    return [_stages_of(pipeline, [key]) for key in wanted]


def _reached(
    pipeline: Pipeline, figure: Figure, mode: str, edges: Edges, *, one: Visiting
) -> ColumnElement[bool]:
    """The figure of a mode that counts records. ``one`` says "visited one of the stages": by a list of ids,
    for counting all of them, or looked up record by record.
    """
    if mode == "filled_unless_lost":
        visited = _reached(pipeline, figure, "visited", edges, one=one)
        filled = _reached(pipeline, figure, "filled", edges, one=one)
        is_lost = _is_lost(pipeline)
        return or_(and_(is_lost, visited), and_(not_(is_lost), filled))
    return and_(*(one(pipeline, stages, edges) for stages in _wanted(pipeline, figure, mode)))


def _is_lost(pipeline: Pipeline) -> ColumnElement[bool]:
    # "lost" is null for records that are open.
    return and_(
        Record.pipeline_key.is_not_distinct_from(pipeline.key),
        Record.outcome.is_not_distinct_from("lost"),
    )


def _stages_of(pipeline: Pipeline, steps: list[str]) -> list[str]:
    """Stages that are a visit to one of the steps: any won stage is one to the won step."""
    won = [stage.key for stage in pipeline.of_kind("won")]
    return list(dict.fromkeys([*steps, *(won if set(won) & set(steps) else [])]))


def visits(stay: Any, pipeline_key: str, stages: Sequence[str], edges: Edges) -> list[ColumnElement[bool]]:
    """The stay is a visit to one of the stages, entered within the edges."""
    stage = stay.stage_key == stages[0] if len(stages) == 1 else stay.stage_key.in_(stages)
    return [
        stay.pipeline_key == pipeline_key,
        stage,
        stay.left_via.is_distinct_from("void"),
        *within(stay.entered_at, edges),
    ]


def _listed(pipeline: Pipeline, stages: Sequence[str], edges: Edges) -> ColumnElement[bool]:
    stay: Any = aliased(StayRow)
    return Record.id.in_(select(stay.record_id).where(*visits(stay, pipeline.key, stages, edges)))


def _visited(pipeline: Pipeline, stages: Sequence[str], edges: Edges) -> ColumnElement[bool]:
    stay: Any = aliased(StayRow)
    return exists().where(stay.record_id == Record.id, *visits(stay, pipeline.key, stages, edges))


def _in_journey(pipeline: Pipeline, stages: Sequence[str], edges: Edges) -> ColumnElement[bool]:
    return or_(*(func.instr(Record.journey, code_of(stage)) > 0 for stage in stages))


def _place(pipeline: Pipeline, stage: str, keys: list[str]) -> int:
    if stage not in keys:
        raise Invalid(
            N_("The pipeline “%(pipeline)s” has no stage “%(stage)s”."),
            pipeline=pipeline.key,
            stage=stage[:80],
        )
    return keys.index(stage)
