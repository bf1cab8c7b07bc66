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

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
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
    def objects(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(pipeline.object_key for pipeline in self.pipelines.values()))

    @property
    def unit(self) -> ColumnElement[Any]:
        """The id of a first record's unit. A record without an account counts by itself."""
        if self.definition.unit != "customer" or not self.accounts:
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


@dataclass(frozen=True)
class Level:
    """Records that are the first ones (``depth`` 0) or were made from them over so many conversions.

    ``unit``: the id of their unit. ``record``: has their id, workspace and journey.
    """

    depth: int
    unit: ColumnElement[Any]
    record: Any
    start: Any
    joins: tuple[tuple[Any, Any], ...]

    def select(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        statement = select(*columns).select_from(self.start)
        for other, on in self.joins:
            statement = statement.join(other, on)
        return statement

    def can_visit(self, chain: Chain, places: tuple[Place, ...]) -> bool:
        """Whether records of this level can be in one of the stages: first records come first only."""
        objects = {chain.pipelines[pipeline].object_key for pipeline, _ in places}
        return chain.first.key in objects if self.depth == 0 else bool(objects - {chain.first.key})


def levels(chain: Chain, population: Population) -> tuple[Level, ...]:
    """The first records of the population and, level by level, what came of them."""
    firsts = _firsts(chain, population)
    found = [Level(0, firsts.c.unit, firsts.c, firsts, ())]
    parent: Any = firsts.c
    joins: tuple[tuple[Any, Any], ...] = ()
    for depth in range(1, len(chain.pipelines)):
        child: Any = aliased(Record)
        link = and_(
            child.workspace_id == parent.workspace_id,
            child.converted_from_id == parent.id,
            child.deleted_at.is_(None),
            child.object_key != chain.first.key,
        )
        joins = (*joins, (child, link))
        found.append(Level(depth, firsts.c.unit, child, firsts, joins))
        parent = child
    return tuple(found)


def chained_report(
    session: WorkspaceSession, chain: Chain, population: Population, mode: Mode
) -> FunnelFigures:
    """The figures of the population in one statement. Counts only: a lead and the opportunity made from it
    are worth the same money twice, so amounts are 0."""
    paths = [([path], int(n), 0) for path, n in session.execute(_paths(chain, population))]
    return chained(mode, chain.steps, paths)


def visit(places: tuple[Place, ...], record: Any) -> ColumnElement[bool]:
    """``StayRow`` is a visit of the record to one of the stages, and was not taken back."""
    by_pipeline: dict[str, list[str]] = {}
    for pipeline, stage in places:
        by_pipeline.setdefault(pipeline, []).append(stage)
    is_one = (
        and_(StayRow.pipeline_key == pipeline, _is_one_of(StayRow.stage_key, stages))
        for pipeline, stages in by_pipeline.items()
    )
    return and_(
        StayRow.workspace_id == record.workspace_id,
        StayRow.record_id == record.id,
        or_(*is_one),
        StayRow.left_via.is_distinct_from("void"),
    )


def _paths(chain: Chain, population: Population) -> Select[*tuple[Any, ...]]:
    """(journeys of a unit joined, number of such units)."""
    first, *others = levels(chain, population)
    members = union_all(
        first.select(first.unit.label("unit"), first.record.journey.label("journey")),
        *(
            level.select(level.unit, level.record.journey).where(
                level.record.journey != "", level.record.object_key.in_(chain.objects)
            )
            for level in others
        ),
    ).subquery()
    units = select(func.aggregate_strings(members.c.journey, "").label("path")).group_by(members.c.unit)
    joined = units.subquery()
    return select(joined.c.path, func.count()).group_by(joined.c.path)


def _firsts(chain: Chain, population: Population) -> Any:
    """The first records, of units that first entered the first step within the period: asked for once in a
    statement, however often it needs them."""
    columns = (Record.workspace_id, Record.id, Record.journey, chain.unit.label("unit"))
    where = (clauses(population, is_there_now=False), Record.journey != "")
    everyone = select(*columns).where(*where).cte("everyone")
    start, end = population.edges
    if start is None and end is None:
        return everyone
    first = func.min(StayRow.entered_at)
    begun = (
        select(everyone.c.unit)
        .join(StayRow, visit(chain.visits_to(0), everyone.c))
        .group_by(everyone.c.unit)
        .having(*(() if start is None else (first >= start,)), *(() if end is None else (first < end,)))
    )
    return select(everyone).where(everyone.c.unit.in_(begun)).cte("firsts")


def _is_one_of(column: Any, keys: list[str]) -> ColumnElement[bool]:
    is_one: ColumnElement[bool] = column == keys[0] if len(keys) == 1 else column.in_(keys)
    return is_one


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
