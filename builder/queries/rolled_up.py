"""Which rows of the roll-up tell what is asked: of the whole workspace, or of owners and departments."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from builder.db.ledger import FunnelRollup
from builder.queries.dimensions import Dimension
from builder.queries.population import Population, matching_keys, narrowed

WORKSPACE_GRAIN = 0


def is_rolled_up(by: Dimension | None) -> bool:
    """Whether the roll-up tells groups of the dimension apart."""
    return by is None or by.kind in ("owner", "department")


def group_column(by: Dimension) -> ColumnElement[int]:
    """The column of a dimension that the roll-up tells apart; −1 for records without a value."""
    column = FunnelRollup.owner_id if by.kind == "owner" else FunnelRollup.department_id
    return column.expression


def grain(population: Population, by: Dimension | None = None) -> list[ColumnElement[bool]]:
    """The rows of the population's pipelines, of the coarser grain where that tells what is asked."""
    owner, department = FunnelRollup.owner_id, FunnelRollup.department_id
    parts = [matching_keys(population.pipelines, FunnelRollup.pipeline_key)]
    narrow = narrowed(population, owner, department, nobody=False)
    if not narrow and by is None:
        return [*parts, owner == WORKSPACE_GRAIN, department == WORKSPACE_GRAIN]
    return [*parts, owner != WORKSPACE_GRAIN, *narrow]
