"""The records of a calendar page: those of each day by a range on an index, at most some a day (part 5).

A page is one statement; a second one counts days that hold more than they show. Never everything of a month:
each day is a LIMIT query of its own, all of them sent together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, union_all

from builder.db.base import from_micros
from builder.db.conditions_sql import compile_condition
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.calendar import day_of
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Comparison, Condition
from builder.domain.fields import ObjectDefinition
from builder.domain.permissions import Actor
from builder.queries.keyset import sort_column
from builder.queries.list import scope
from builder.queries.visibility import visible

COUNT_CAP = 300


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One record on its day. ``at``: the instant, where the calendar goes by times."""

    id: int
    name: str
    number: str | None
    owner_name: str
    pipeline_key: str | None
    stage_key: str | None
    revision: int
    day: date
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """``more``: how many follow the ``entries``; beyond ``COUNT_CAP`` it is that number."""

    entries: tuple[CalendarEntry, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class CalendarRequest:
    """``date_name``: the field or ``record.<column>`` that ``saved_view.can_place`` allows."""

    definition: ObjectDefinition
    date_name: str
    days: Sequence[date]
    filter: Condition | None = None
    limit: int = 4


def calendar_days(
    session: WorkspaceSession, actor: Actor, request: CalendarRequest, context: EvaluationContext
) -> Mapping[date, CalendarDay]:
    """The days that hold records the actor sees. Two statements at most.

    Errors: ConditionError for a filter that the database cannot evaluate.
    """
    clauses = scope(request.definition, request.filter, context)
    rule = visible(actor, (request.definition.key,))
    clauses += [] if rule is None else [rule]
    column = sort_column(request.definition, request.date_name)
    parts = [
        select(Record.id)
        .where(*clauses, _on(request, day, context))
        .order_by(column.attribute, Record.id)
        .limit(request.limit + 1)
        .subquery()
        for day in request.days
    ]
    rows = session.execute(
        select(
            Record.id,
            Record.name,
            Record.number,
            func.coalesce(Member.name, ""),
            Record.pipeline_key,
            Record.stage_key,
            Record.revision,
            column.attribute,
        )
        .outerjoin(Member, Member.id == Record.owner_id)
        .where(Record.id.in_(union_all(*(select(part.c.id) for part in parts))))
        .order_by(column.attribute, Record.id)
    )
    found: dict[date, list[CalendarEntry]] = defaultdict(list)
    has_time = column.kind == "instant" or _has_time(request)
    for row in rows:
        entry = _entry(row, has_time, context.time_zone)
        found[entry.day].append(entry)
    full = [day for day, entries in found.items() if len(entries) > request.limit]
    counts = _counts(session, request, clauses, full, context) if full else {}
    return {
        day: CalendarDay(
            tuple(entries[: request.limit]),
            min(counts[day], COUNT_CAP) - request.limit if day in counts else 0,
        )
        for day, entries in found.items()
    }


def _entry(row: Any, has_time: bool, time_zone: str) -> CalendarEntry:
    """A record on its day, from a row that ends with the value of the date."""
    record_id, name, number, owner_name, pipeline_key, stage_key, revision, value = row
    at = None if not has_time else value if isinstance(value, datetime) else from_micros(int(value))
    day = date.fromordinal(int(value)) if at is None else day_of(at, time_zone)
    return CalendarEntry(record_id, name, number, owner_name, pipeline_key, stage_key, revision, day, at)


def _counts(
    session: WorkspaceSession,
    request: CalendarRequest,
    clauses: Sequence[ColumnElement[bool]],
    days: Sequence[date],
    context: EvaluationContext,
) -> dict[date, int]:
    """How many records each day holds, looking at no more than ``COUNT_CAP``; one statement."""
    parts = []
    for day in days:
        rows = select(Record.id).where(*clauses, _on(request, day, context)).limit(COUNT_CAP).subquery()
        parts.append(select(literal(day.toordinal()).label("day"), func.count(rows.c.id).label("n")))
    return {date.fromordinal(day): n for day, n in session.execute(union_all(*parts))}


def _on(request: CalendarRequest, day: date, context: EvaluationContext) -> ColumnElement[bool]:
    asked = Comparison(request.date_name, "eq", day.isoformat())
    return compile_condition(asked, request.definition.fields.by_key, context)


def _has_time(request: CalendarRequest) -> bool:
    field = request.definition.fields.by_key.get(request.date_name)
    return field is not None and field.type == "datetime"
