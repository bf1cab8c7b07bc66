"""Swimlanes of a board: the records of a pipeline divided by the values of one field.

Which lanes there are and their figures are counted, for the open columns alone; their cells are LIMIT
queries, and only of those stages in which a lane holds something. Lanes of people and records may be many:
then those with the most cards come first, some at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, cast, func, or_, select, union_all

from builder.db.records import Record
from builder.domain.conditions import Comparison, Condition
from builder.domain.fields import ObjectDefinition
from builder.queries.board import BoardColumn, column_of, shared_cards
from builder.queries.board_heads import ColumnHead, Scope, head_of, only_shared
from builder.queries.side_by_side import side_by_side
from builder.queries.visibility import ownership

LaneValue: TypeAlias = "str | bool | None"
Heads: TypeAlias = Mapping[str, ColumnHead]
LANES = 20
CELL_CARDS = 10
OWNER, DEPARTMENT = "record.owner", "record.department"


@dataclass(frozen=True)
class LaneField:
    """What divides a board: a field, or ``record.owner`` and ``record.department``.

    Values are as they stand in a record's data; members, departments and records by their id as text.
    """

    name: str
    type: str
    column: Any

    def value(self, stored: Any) -> LaneValue:
        """The value behind what the column holds."""
        if stored is None:
            return None
        return bool(stored) if self.type == "yes_no" else str(stored)

    def condition(self, value: LaneValue) -> Condition:
        """That a record lies in the lane of ``value``."""
        return Comparison(self.name, "empty") if value is None else Comparison(self.name, "eq", value)

    def stored(self, value: LaneValue) -> Any:
        """What the column holds for a value that is not empty."""
        if self.type == "yes_no":
            return float(bool(value))
        return int(str(value)) if self.name in (OWNER, DEPARTMENT) else value


def lane_field(definition: ObjectDefinition, name: str) -> LaneField:
    """The lanes that ``saved_view.can_divide`` allows. An owner is asked by its own column."""
    field = definition.fields.by_key.get(name)
    if field is None or field.role == "owner":
        is_owner = field is not None or name == OWNER
        column = Record.owner_id if is_owner else Record.department_id
        return LaneField(OWNER if is_owner else DEPARTMENT, "user" if is_owner else "department", column)
    return LaneField(name, field.type, getattr(Record, str(field.slot)))


def lane_values(
    scope: Scope, lane: LaneField, stages: Collection[str], *, limit: int = LANES, skip: int = 0
) -> list[LaneValue]:
    """The values that records in these stages hold, those with the most cards first; one statement.

    Up to ``limit`` + 1, so that one sees whether there are more.
    """
    counted = _each(scope, lambda own: _counts(lane.column, scope, stages, own)).subquery()
    total = func.sum(counted.c.n)
    rows = scope.session.execute(
        select(counted.c.lane)
        .group_by(counted.c.lane)
        .order_by(total.desc(), counted.c.lane)
        .limit(limit + 1)
        .offset(skip)
    )
    return [lane.value(stored) for (stored,) in rows]


def lane_heads(
    scope: Scope,
    lane: LaneField,
    stages: Collection[str],
    values: Collection[LaneValue] | None = None,
) -> dict[LaneValue, Heads]:
    """Heads by lane and stage, of ``values`` or of all; one statement."""
    only = () if values is None else (_among(lane, values),)
    statement = _each(scope, lambda own: _sums(lane.column, scope, stages, (*own, *only)))
    sums: dict[Any, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: [0, 0, 0])))
    for stored, stage_key, currency, *counted in scope.session.execute(statement):
        total = sums[lane.value(stored)][stage_key][currency or ""]
        for place, number in enumerate(counted):
            total[place] += int(number or 0)
    return {
        value: {stage: head_of(scope, by_currency) for stage, by_currency in by_stage.items()}
        for value, by_stage in sums.items()
    }


def lane_cells(
    scope: Scope, stages: Iterable[str], heads: Heads, limit: int = CELL_CARDS
) -> tuple[BoardColumn, ...]:
    """The cells of the one lane that ``scope`` is limited to: one statement a cell that holds cards."""
    shared = shared_cards(scope)
    return tuple(
        column_of(scope, shared, stage, heads[stage], None, limit)
        if stage in heads and heads[stage].count
        else BoardColumn(stage, ColumnHead(), (), None)
        for stage in stages
    )


def _each(scope: Scope, made: Any) -> Any:
    """A statement over what is the reader's own and what was only shared with them."""
    clauses = (Record.object_key == scope.pipeline.object_key, *scope.clauses)
    if scope.is_all:
        return side_by_side(made(clauses))
    own = (*clauses, or_(*ownership(scope.actor)))
    if not scope.actor.has_shares:
        return side_by_side(made(own))
    return union_all(side_by_side(made(own)), made(only_shared(scope)))


def _counts(column: Any, scope: Scope, stages: Collection[str], clauses: Iterable[Any]) -> Any:
    among = Record.stage_key.in_(sorted(stages))
    return select(column.label("lane"), func.count().label("n")).where(*clauses, among).group_by(column)


def _sums(column: Any, scope: Scope, stages: Collection[str], clauses: Iterable[Any]) -> Any:
    amount = func.coalesce(Record.amount_minor, 0)
    return (
        select(
            column,
            Record.stage_key,
            Record.currency,
            func.count(),
            cast(func.sum(amount), BigInteger),
            cast(func.sum(amount * func.coalesce(Record.probability, 0)), BigInteger),
        )
        .where(*clauses, Record.stage_key.in_(sorted(stages)))
        .group_by(column, Record.stage_key, Record.currency)
    )


def _among(lane: LaneField, values: Collection[LaneValue]) -> ColumnElement[bool]:
    filled = sorted(lane.stored(value) for value in values if value is not None)
    parts = [lane.column.in_(filled)] if filled else []
    if any(value is None for value in values):
        parts.append(lane.column.is_(None))
    return or_(*parts)
