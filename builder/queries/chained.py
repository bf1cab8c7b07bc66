"""A funnel over several pipelines, linked by conversion (M0): lead → opportunity → customer.

A counting unit is a record of the first step's object together with all records made from it by conversion,
however far; or with ``unit`` *customer* all units of one account together. Its id is that of a record: of the
first record, or of the account. A record of the first object begins a unit of its own also where it was made
from another record, so every record belongs to one unit at most.

The population says which first records count: by what the reader sees, owner, department and condition. What
came of them counts with them, whoever owns it. The period is that of the unit's first entry into the first
step; a unit without a known one is in no period.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from builder.db.ledger import StayRow
from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.fields import ObjectDefinition
from builder.domain.funnel import FunnelFigures, Mode, chained
from builder.domain.pipeline import FunnelDefinition, Pipeline
from builder.domain.reach import FunnelSteps
from builder.metadata.catalog import Catalog
from builder.queries.population import Population, clauses

Place = tuple[str, str]


@dataclass(frozen=True)
class Chain:
    """A stored funnel with its pipelines; ``accounts``: (object, field) pairs that name a customer."""

    definition: FunnelDefinition
    pipelines: dict[str, Pipeline]
    first: ObjectDefinition
    accounts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, catalog: Catalog, definition: FunnelDefinition) -> Chain:
        """Errors: NotFound for a pipeline that is gone."""
        pipelines = {step.pipeline: catalog.pipeline(step.pipeline) for step in definition.steps}
        objects = dict.fromkeys(pipeline.object_key for pipeline in pipelines.values())
        found = ((key, catalog.object(key).fields.by_role.get("account")) for key in objects)
        accounts = tuple((key, field.key) for key, field in found if field is not None)
        first = catalog.object(pipelines[definition.steps[0].pipeline].object_key)
        return cls(definition, pipelines, first, accounts)

    @property
    def steps(self) -> FunnelSteps:
        return FunnelSteps.chained(self.definition, self.pipelines)

    @property
    def depth(self) -> int:
        """Over how many conversions a unit's records may have come."""
        return len(self.pipelines) - 1

    @property
    def merges(self) -> bool:
        """Whether several first records may be one unit."""
        return self.definition.unit == "customer" and bool(self.accounts)

    @property
    def unit(self) -> ColumnElement[Any]:
        """The id of a first record's unit. A record without an account counts by itself."""
        if not self.merges:
            return Record.id.expression
        return func.coalesce(_account_named(self.accounts), _account_of_made(self.accounts), Record.id)

    def visits_to(self, index: int) -> tuple[Place, ...]:
        """Stages that are a visit to a step: its own, and for the last won step of a pipeline all won stages
        that are no steps themselves."""
        steps = [(step.pipeline, step.stage) for step in self.definition.steps]
        pipeline = steps[index][0]
        won = {(pipeline, stage.key) for stage in self.pipelines[pipeline].of_kind("won")}
        last_won = max((place for place, step in enumerate(steps) if step in won), default=None)
        return (steps[index], *(sorted(won - set(steps)) if index == last_won else ()))

    def visits_beyond(self, index: int) -> tuple[Place, ...]:
        """Stages that prove a step or one beyond it to be reached (M2c): winning proves the last step of its
        pipeline."""
        steps = [step.pipeline for step in self.definition.steps]
        found = [place for later in range(index, len(steps)) for place in self.visits_to(later)]
        for key in dict.fromkeys(steps[index:]):
            won = [(key, stage.key) for stage in self.pipelines[key].of_kind("won")]
            known = {place for step in range(len(steps)) for place in self.visits_to(step)}
            found += [place for place in won if place not in known]
        return tuple(dict.fromkeys(found))


def chained_report(
    session: WorkspaceSession, chain: Chain, population: Population, mode: Mode
) -> FunnelFigures:
    """The figures of the population in one statement. Counts only: a lead and the opportunity made from it
    are worth the same money twice, so amounts are 0."""
    paths = [([path], int(n), 0) for path, n in session.execute(_paths(chain, population))]
    return chained(mode, chain.steps, paths)


def firsts_of(chain: Chain, population: Population) -> Any:
    """The first records (id, unit, journey) of units that first entered the first step within the period:
    asked for once in a statement, however often it needs them."""
    columns = (Record.workspace_id, Record.id, Record.journey, chain.unit.label("unit"))
    where = (clauses(population, is_there_now=False), Record.journey != "")
    everyone = select(*columns).where(*where).cte("everyone")
    start, end = population.edges
    if start is None and end is None:
        return everyone
    first = func.min(StayRow.entered_at).label("at")
    visits = select(StayRow.record_id, first).where(visit(chain.visits_to(0))).group_by(StayRow.record_id)
    if not chain.merges:
        begun = visits.having(*_within(func.min(StayRow.entered_at), start, end)).subquery()
        return select(everyone).where(everyone.c.id.in_(select(begun.c.record_id))).cte("firsts")
    entry = visits.subquery()
    units = select(everyone.c.unit).join(entry, entry.c.record_id == everyone.c.id).group_by(everyone.c.unit)
    return (
        select(everyone)
        .where(everyone.c.unit.in_(units.having(*_within(func.min(entry.c.at), start, end))))
        .cte("firsts")
    )


def _within(at: Any, start: datetime | None, end: datetime | None) -> list[ColumnElement[bool]]:
    parts = [] if start is None else [at >= start]
    return parts if end is None else [*parts, at < end]


def made_by(chain: Chain, made: Any) -> ColumnElement[bool]:
    """A record counts with the one that it was made from: it is there, and begins no unit itself."""
    return and_(made.deleted_at.is_(None), made.object_key != chain.first.key)


def visit(places: Iterable[Place]) -> ColumnElement[bool]:
    """``StayRow`` is a visit to one of the stages, all of one pipeline, and was not taken back."""
    pipelines, stages = zip(*places, strict=True)
    is_one = StayRow.stage_key == stages[0] if len(stages) == 1 else StayRow.stage_key.in_(stages)
    return and_(StayRow.pipeline_key == pipelines[0], is_one, StayRow.left_via.is_distinct_from("void"))


def _paths(chain: Chain, population: Population) -> Select[*tuple[Any, ...]]:
    """(journeys of a unit joined, number of such units)."""
    firsts = firsts_of(chain, population)
    path = _path(chain, firsts.c, chain.depth)
    if chain.merges:
        units = select(func.aggregate_strings(path, "").label("path")).group_by(firsts.c.unit)
    else:
        units = select(path.label("path"))
    joined = units.subquery()
    return select(joined.c.path, func.count()).group_by(joined.c.path)


def _path(chain: Chain, record: Any, depth: int) -> Any:
    """The journeys of a record and of all that was made from it. One look-up a record: joining and grouping
    them takes three times as long."""
    if not depth:
        return record.journey
    made: Any = aliased(Record)
    journeys = select(func.aggregate_strings(_path(chain, made, depth - 1), "")).where(
        made.workspace_id == record.workspace_id, made.converted_from_id == record.id, made_by(chain, made)
    )
    return record.journey.concat(func.coalesce(journeys.scalar_subquery(), ""))


def _account_named(accounts: tuple[tuple[str, str], ...]) -> Any:
    """The account that the first record names itself."""
    link: Any = aliased(Link)
    return (
        select(func.min(link.target_id))
        .where(
            link.workspace_id == Record.workspace_id,
            link.record_id == Record.id,
            or_(*(and_(Record.object_key == key, link.field_key == field) for key, field in accounts)),
        )
        .correlate(Record)
        .scalar_subquery()
    )


def _account_of_made(accounts: tuple[tuple[str, str], ...]) -> Any:
    """The account named by what was made from the first record: a lead has none before it is converted."""
    link: Any = aliased(Link)
    made: Any = aliased(Record)
    return (
        select(func.min(link.target_id))
        .join(made, and_(made.workspace_id == link.workspace_id, made.id == link.record_id))
        .where(
            made.workspace_id == Record.workspace_id,
            made.converted_from_id == Record.id,
            made.deleted_at.is_(None),
            or_(*(and_(made.object_key == key, link.field_key == field) for key, field in accounts)),
        )
        .correlate(Record)
        .scalar_subquery()
    )
