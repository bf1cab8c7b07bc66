"""The rows behind a figure (B4): the records or stays that a funnel counted, as keyset pages.

Figures of M1 and of the mode *stay* count stays, so their lists hold stays; all others hold records. What is
behind which figure says ``queries.behind``, written from the definitions of M1–M3 and not from the code
that counts, so that "the list is as long as the bar" compares two ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select

from builder.db.ledger import StayRow
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline
from builder.queries.behind import Figure, Unit, clause_of
from builder.queries.drill_ended import Ended, ended_on_page, ended_total
from builder.queries.drill_total import total_behind
from builder.queries.drill_walk import is_walked_by_record, records_on_page, visits_on_page
from builder.queries.population import Population

# Ids in one statement.
_AT_ONCE = 1000
PAGE = 50


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
    """The page behind ``figure`` after the row with cursor ``after``, the latest entry into the stage first
    (of records that may have entered several, the last of these entries; of those that have ended, the latest
    end): at most seven statements, ten where one mode excepts another.

    Errors: Invalid for a stage or a figure that the pipeline does not have.
    """
    # Says what is wrong with the figure.
    clause_of(pipeline, figure, population.edges)
    total = total_behind(session, population, pipeline, figure)
    if not total:
        return DrillPage((), 0, figure.unit, None)
    is_by_record = is_walked_by_record(population, figure)
    if is_by_record:
        ids = records_on_page(session, population, pipeline, figure, after, limit + 1)
    else:
        ids = visits_on_page(session, population, pipeline, figure, after, limit + 1, total)
    key: Any = Record.id if is_by_record else StayRow.id
    statement = _RECORDS if is_by_record else _VISITS if figure.unit == "stay" else _VISITORS
    rows = _in_order(session, population.actor, statement, key, ids[:limit])
    return DrillPage(rows, total, figure.unit, ids[limit - 1] if len(ids) > limit else None)


def ended_drill(
    session: WorkspaceSession,
    population: Population,
    ended: Ended,
    *,
    after: int | None = None,
    limit: int = PAGE,
) -> DrillPage:
    """Records behind a number of the pages of wins and of reasons after the one with cursor ``after``, the
    latest end first: at most seven statements.
    """
    total = ended_total(session, population, ended)
    if not total:
        return DrillPage((), 0, "record", None)
    ids = ended_on_page(session, population, ended, after, limit + 1)
    rows = _in_order(session, population.actor, _RECORDS, Record.id, ids[:limit])
    return DrillPage(rows, total, "record", ids[limit - 1] if len(ids) > limit else None)


def _in_order(
    session: WorkspaceSession,
    actor: Actor,
    statement: Select[*tuple[Any, ...]],
    key: Any,
    ids: Sequence[int],
) -> tuple[DrillRow, ...]:
    """The rows of these ids, in their order; what was deleted for good meanwhile is no longer there."""
    found = {}
    for first in range(0, len(ids), _AT_ONCE):
        for row in session.execute(statement.where(key.in_(ids[first : first + _AT_ONCE]))):
            one = _row(actor, *row)
            found[one.cursor] = one
    return tuple(found[one] for one in ids if one in found)


def record_rows(session: WorkspaceSession, actor: Actor, where: ColumnElement[bool]) -> list[DrillRow]:
    """Records that satisfy a clause, deleted ones too, without what the actor's role hides."""
    return [_row(actor, *row) for row in session.execute(_RECORDS.where(where))]


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


def _rows(cursor: Any, *more: Any) -> Select[*tuple[Any, ...]]:
    of_owner = and_(Member.workspace_id == Record.workspace_id, Member.id == Record.owner_id)
    statement = select(*_RECORD_COLUMNS, cursor.label("cursor"), Record.closed_at, *more)
    if cursor is Record.id:
        return statement.select_from(Record).outerjoin(Member, of_owner)
    of_stay = and_(Record.workspace_id == StayRow.workspace_id, Record.id == StayRow.record_id)
    return statement.select_from(StayRow).join(Record, of_stay).outerjoin(Member, of_owner)


_RECORDS = _rows(Record.id)
_VISITORS = _rows(StayRow.id)
_VISITS = _rows(StayRow.id, StayRow.entered_at, StayRow.left_at, StayRow.left_via, StayRow.seconds)


def _row(actor: Actor, *values: Any) -> DrillRow:
    row = DrillRow(*(*values[:4], values[4] or "", *values[5:]))
    if actor.hides(row.object_key, "amount"):
        row = replace(row, amount_minor=None)
    return replace(row, number=None) if actor.hides(row.object_key, "number") else row
