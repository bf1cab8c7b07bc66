"""The rows behind a figure (B4): the records or stays that a funnel counted, as keyset pages.

Every figure is one clause on ``record`` or on ``stay``, written from the definitions of M1–M3 and not from
the code that counts, so that "the list is as long as the bar" compares two ways. Figures of M1 and of the
mode *stay* count stays, so their lists hold stays; all others hold records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select
from sqlalchemy.orm import aliased

from builder.db.ledger import StayRow
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline
from builder.errors import N_, Invalid
from builder.queries.dimensions import Dimension, is_group
from builder.queries.population import Population, clauses
from builder.queries.wins import TERMINAL, closed_in

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
PAGE = 50
LARGEST_ID = (1 << 63) - 1

Unit: TypeAlias = Literal["record", "stay"]
Edges: TypeAlias = "tuple[datetime | None, datetime | None]"


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
class DrillRow:
    """A record behind a figure; with the visit itself where the figure counts stays."""

    id: int
    name: str
    number: str | None
    object_key: str
    owner_name: str
    stage_key: str | None
    outcome: str | None
    amount_minor: int | None
    currency: str | None
    cursor: int
    closed_at: datetime | None = None
    entered_at: datetime | None = None
    left_at: datetime | None = None
    left_via: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class DrillPage:
    """``total`` counts all rows, exactly; ``next`` is the cursor of the following page."""

    rows: tuple[DrillRow, ...]
    total: int
    unit: Unit
    next: int | None


def drill(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    figure: Figure,
    *,
    after: int | None = None,
    limit: int = PAGE,
) -> DrillPage:
    """The page behind ``figure`` after the row with cursor ``after``, newest first: two statements.

    Errors: Invalid for a stage or a figure that the pipeline does not have.
    """
    people, edges = _people(population, pipeline, figure), population.edges
    if figure.unit == "stay":
        where = and_(people, _stays(pipeline, figure, edges))
        statement = _stay_rows(where)
        return _page(
            session, population.actor, statement, _count_stays(where), StayRow.id, after, limit, "stay"
        )
    where = and_(people, _records(pipeline, figure, edges))
    return records_page(session, population.actor, where, after, limit)


def records_page(
    session: WorkspaceSession,
    actor: Actor,
    where: ColumnElement[bool],
    after: int | None,
    limit: int = PAGE,
) -> DrillPage:
    """Records that satisfy a clause, newest first, as the actor sees them."""
    count = select(func.count()).select_from(Record).where(where)
    return _page(session, actor, _record_rows(where), count, Record.id, after, limit, "record")


def record_rows(session: WorkspaceSession, actor: Actor, where: ColumnElement[bool]) -> list[DrillRow]:
    """Records that satisfy a clause, deleted ones too, without what the actor's role hides."""
    return [_row(actor, *row) for row in session.execute(_record_rows(where))]


def wins_drill(
    session: WorkspaceSession,
    population: Population,
    outcomes: tuple[str, ...],
    *,
    by: Dimension | None = None,
    group: str | None = None,
    after: int | None = None,
    limit: int = PAGE,
) -> DrillPage:
    """Records behind a number of the wins page: of these outcomes (none: all), of one group of ``by``
    (``GroupName.value``, "" for those without) or of all."""
    where = [clauses(population), *closed_in(population)]
    if outcomes:
        outcome = func.coalesce(Record.outcome, "open")
        where.append(outcome.in_(outcomes))
    if by is not None:
        if group is not None:
            where.append(is_group(by, group, population.time_zone))
        if by.is_closing:
            where += [Record.outcome.in_(TERMINAL), Record.closed_at.is_not(None)]
    return records_page(session, population.actor, and_(*where), after, limit)


def figure_ids(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, figure: Figure
) -> list[int]:
    """All ids behind a figure: of records, or of stays where it counts stays."""
    people, edges = _people(population, pipeline, figure), population.edges
    if figure.unit == "record":
        where = and_(people, _records(pipeline, figure, edges))
        return list(session.scalars(select(Record.id).where(where).order_by(Record.id)))
    where = and_(people, _stays(pipeline, figure, edges))
    return list(session.scalars(_joined(select(StayRow.id)).where(where).order_by(StayRow.id)))


def _people(population: Population, pipeline: Pipeline, figure: Figure) -> ColumnElement[bool]:
    return clauses(population.only(pipeline.key), is_there_now=figure.name == "now")


def _records(pipeline: Pipeline, figure: Figure, edges: Edges) -> ColumnElement[bool]:
    if figure.name == "now":
        _step(pipeline, figure.stage, [stage.key for stage in pipeline.stages])
        return Record.stage_key == figure.stage
    if figure.name in ENDED:
        return _ended(pipeline, figure, edges)
    counted = _reached(pipeline, figure, figure.mode, edges)
    if figure.except_mode:
        return and_(counted, not_(_reached(pipeline, figure, figure.except_mode, edges)))
    return counted


def _ended(pipeline: Pipeline, figure: Figure, edges: Edges) -> ColumnElement[bool]:
    _step(pipeline, figure.stage, [stage.key for stage in pipeline.stages])
    return and_(
        _entered(_stages_of(pipeline, [figure.stage]), pipeline.key, edges),
        Record.pipeline_key == pipeline.key,
        Record.outcome.in_(ENDED[figure.name]),
    )


def _reached(pipeline: Pipeline, figure: Figure, mode: str, edges: Edges) -> ColumnElement[bool]:
    """Denominator: reached the step; numerator: reached the step and the next one (M2a–c)."""
    steps = [stage.key for stage in pipeline.steps]
    place = _step(pipeline, figure.stage, steps)
    if figure.name == "denominator":
        last = place
    elif figure.name == "numerator" and place + 1 < len(steps):
        last = place + 1
    else:
        raise Invalid(N_("There is no figure “%(figure)s” here."), figure=figure.name[:40])
    if mode == "visited":
        wanted = steps[place : last + 1]
    elif mode == "strict":
        wanted = steps[: last + 1]
    elif mode == "filled":
        return _entered(_stages_of(pipeline, steps[last:]), pipeline.key, edges)
    elif mode == "filled_unless_lost":
        # "lost" is null for records that are open.
        is_lost = and_(Record.pipeline_key == pipeline.key, Record.outcome.is_not_distinct_from("lost"))
        visited = _reached(pipeline, figure, "visited", edges)
        filled = _reached(pipeline, figure, "filled", edges)
        return or_(and_(is_lost, visited), and_(not_(is_lost), filled))
    else:
        raise Invalid(N_("There is no mode “%(mode)s”."), mode=mode[:40])
    return and_(*(_entered(_stages_of(pipeline, [key]), pipeline.key, edges) for key in wanted))


def _stages_of(pipeline: Pipeline, steps: list[str]) -> list[str]:
    """Stages that are a visit to one of the steps: any won stage is one to the won step."""
    won = [stage.key for stage in pipeline.of_kind("won")]
    return list(dict.fromkeys([*steps, *(won if set(won) & set(steps) else [])]))


def _entered(stages: Sequence[str], pipeline_key: str, edges: Edges) -> ColumnElement[bool]:
    """The record entered one of the stages within the edges."""
    stay: Any = aliased(StayRow)
    stage = stay.stage_key == stages[0] if len(stages) == 1 else stay.stage_key.in_(stages)
    # A list of ids and no EXISTS: without statistics SQLite would look through all stays of the stage once
    # for every record, because that index has more columns in common with the clause.
    return Record.id.in_(
        select(stay.record_id).where(
            stay.pipeline_key == pipeline_key,
            stage,
            stay.left_via.is_distinct_from("void"),
            *_within(stay.entered_at, edges),
        )
    )


def _stays(pipeline: Pipeline, figure: Figure, edges: Edges) -> ColumnElement[bool]:
    _step(pipeline, figure.stage, [stage.key for stage in pipeline.stages])
    parts = [
        StayRow.pipeline_key == pipeline.key,
        StayRow.stage_key == figure.stage,
        StayRow.left_via.is_distinct_from("void"),
        *_within(StayRow.entered_at, edges),
    ]
    if figure.name in EXITS:
        left_via = EXITS[figure.name]
        parts.append(StayRow.left_via.is_(None) if left_via is None else StayRow.left_via == left_via)
    elif figure.name == "denominator":
        parts.append(StayRow.left_via.is_not(None))
    elif figure.name == "numerator":
        parts.append(StayRow.left_via.in_(FORWARD))
    elif figure.name != "entered":
        raise Invalid(N_("There is no figure “%(figure)s” here."), figure=figure.name[:40])
    return and_(*parts)


def _within(column: Any, edges: Edges) -> list[ColumnElement[bool]]:
    start, end = edges
    parts = [] if start is None else [column >= start]
    return parts if end is None else [*parts, column < end]


def _step(pipeline: Pipeline, stage: str, keys: list[str]) -> int:
    if stage not in keys:
        raise Invalid(
            N_("The pipeline “%(pipeline)s” has no stage “%(stage)s”."),
            pipeline=pipeline.key,
            stage=stage[:80],
        )
    return keys.index(stage)


_RECORD_COLUMNS = (
    Record.id,
    Record.name,
    Record.number,
    Record.object_key,
    Member.name.label("owner_name"),
    Record.stage_key,
    Record.outcome,
    Record.amount_minor,
    Record.currency,
)


def _record_rows(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(*_RECORD_COLUMNS, Record.id.label("cursor"), Record.closed_at)
        .outerjoin(Member, and_(Member.workspace_id == Record.workspace_id, Member.id == Record.owner_id))
        .where(where)
    )


def _stay_rows(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    columns = (StayRow.entered_at, StayRow.left_at, StayRow.left_via, StayRow.seconds)
    return (
        _joined(select(*_RECORD_COLUMNS, StayRow.id.label("cursor"), Record.closed_at, *columns))
        .outerjoin(Member, and_(Member.workspace_id == Record.workspace_id, Member.id == Record.owner_id))
        .where(where)
    )


def _count_stays(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return _joined(select(func.count(StayRow.id))).where(where)


def _joined(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return statement.select_from(StayRow).join(
        Record, and_(Record.workspace_id == StayRow.workspace_id, Record.id == StayRow.record_id)
    )


def _row(actor: Actor, *values: Any) -> DrillRow:
    row = DrillRow(*(*values[:4], values[4] or "", *values[5:]))
    if actor.hides(row.object_key, "amount"):
        row = replace(row, amount_minor=None)
    return replace(row, number=None) if actor.hides(row.object_key, "number") else row


def _page(
    session: WorkspaceSession,
    actor: Actor,
    statement: Select[*tuple[Any, ...]],
    count: Select[*tuple[Any, ...]],
    key: Any,
    after: int | None,
    limit: int,
    unit: Unit,
) -> DrillPage:
    if after is not None:
        statement = statement.where(key < after)
    found = session.execute(statement.order_by(key.desc()).limit(limit + 1)).all()
    rows = tuple(_row(actor, *row) for row in found[:limit])
    following = rows[-1].cursor if len(found) > limit else None
    return DrillPage(rows, int(session.scalar(count) or 0), unit, following)
