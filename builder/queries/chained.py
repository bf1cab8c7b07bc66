"""A funnel over several pipelines, linked by conversion (M0): lead → opportunity → customer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, func, select, union_all
from sqlalchemy.orm import aliased

from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.funnel import FunnelFigures, Mode, chained
from builder.domain.permissions import Actor
from builder.domain.pipeline import FunnelDefinition
from builder.domain.reach import FunnelSteps
from builder.metadata.catalog import Catalog
from builder.queries.population import visible


def chained_report(
    session: WorkspaceSession,
    catalog: Catalog,
    definition: FunnelDefinition,
    actor: Actor,
    mode: Mode,
) -> FunnelFigures:
    """All-time figures in one statement. Counts only: a lead and the opportunity made from it are worth the
    same money twice, so amounts are 0.

    A counting unit is a record of the first step's object together with all records made from it by
    conversion, however far; or with ``unit`` *customer* all units of one account together. What a reader may
    not see of the first records is left out with all that came of it. Errors: NotFound for a pipeline that
    is gone.
    """
    pipelines = {step.pipeline: catalog.pipeline(step.pipeline) for step in definition.steps}
    steps = FunnelSteps.chained(definition, pipelines)
    first = catalog.object(catalog.pipeline(definition.steps[0].pipeline).object_key)
    depth = len(steps.pipelines) - 1
    account = first.fields.by_role.get("account")
    is_customer = definition.unit == "customer" and account is not None
    statement = _paths(first.key, actor, depth, account.key if is_customer and account else None)
    paths = [([path], int(n), 0) for path, n in session.execute(statement)]
    return chained(mode, steps, paths)


def _paths(object_key: str, actor: Actor, depth: int, account_key: str | None) -> Select[*tuple[Any, ...]]:
    """(journeys of a unit joined, number of such units)."""
    members = _members(object_key, actor, depth, account_key)
    units = (
        select(
            func.aggregate_strings(members.c.journey, "").label("path"),
        )
        .group_by(members.c.unit)
        .subquery()
    )
    return select(units.c.path, func.count()).group_by(units.c.path)


def _members(object_key: str, actor: Actor, depth: int, account_key: str | None) -> Any:
    """(unit, journey): the first records, and level by level what was converted from them."""
    root: Any = aliased(Record)
    where = [root.object_key == object_key, root.deleted_at.is_(None), root.journey != ""]
    seen = visible(actor, object_key, root.owner_id, root.department_id)
    if seen is not None:
        where.append(seen)
    unit = root.id if account_key is None else func.coalesce(_account(root, account_key), -root.id)
    levels = [select(unit.label("unit"), root.journey.label("journey")).where(*where)]
    parent = root
    joins: list[tuple[Any, Any]] = []
    for _ in range(depth):
        child: Any = aliased(Record)
        link = and_(
            child.workspace_id == parent.workspace_id,
            child.converted_from_id == parent.id,
            child.deleted_at.is_(None),
        )
        joins.append((child, link))
        columns = (unit.label("unit"), child.journey.label("journey"))
        level = select(*columns).select_from(root)
        for other, on in joins:
            level = level.join(other, on)
        levels.append(level.where(*where, child.journey != ""))
        parent = child
    return union_all(*levels).subquery()


def _account(record: Any, field_key: str) -> Any:
    link: Any = aliased(Link)
    return (
        select(link.target_id)
        .where(
            link.workspace_id == record.workspace_id,
            link.record_id == record.id,
            link.field_key == field_key,
        )
        .limit(1)
        .scalar_subquery()
    )
