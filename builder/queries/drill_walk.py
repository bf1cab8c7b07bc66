"""Which rows stand on a page behind a figure: read from the latest entry into the stage on, until it is
full.

An index has the visits to a stage in that order, with their ways out, so a page of a company of any size
looks at little more than it shows. Where the people or the filter that are asked for have few records, those
are read instead, with their visits (``probing``): among a million, one might walk long to meet the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, exists, not_, or_, select, union_all
from sqlalchemy.orm import aliased

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.pipeline import Pipeline
from builder.queries.behind import ENDED, Figure, ended_of, guess_of, visits, walk_of
from builder.queries.population import NOBODY, Population, clauses, matching, visible
from builder.queries.probing import FEW, Part, few_of, least, parts_of
from builder.queries.side_by_side import seldom
from builder.queries.visibility import is_broad, ownership

Ids: TypeAlias = Select[*tuple[Any, ...]]
_LATER: Any = aliased(StayRow)


@dataclass(frozen=True, slots=True)
class Order:
    """From the latest moment on, then what has none; ties by id."""

    at: Any
    id: Any
    falling: ColumnElement[Any]


_BY_ENTRY = Order(StayRow.entered_at, StayRow.id, StayRow.entered_at.desc())
BY_END = Order(Record.closed_at, Record.id, Record.closed_at.desc())
BY_CHANGE = Order(Record.updated_at, Record.id, Record.updated_at.desc())
# On PostgreSQL the indexes of boards have unknown moments last, and serve nothing else.
_BY_STAGE = Order(Record.stage_entered_at, Record.id, Record.stage_entered_at.desc().nulls_last())


def visits_on_page(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    figure: Figure,
    after: int | None,
    limit: int,
    total: int | None = None,
) -> list[int]:
    """Ids of up to ``limit`` visits behind the figure, beyond that of the id ``after``, in order; of a figure
    that counts records each one's last. ``total``: how many there are, where it is known. Up to five
    statements. Errors: Invalid, as ``behind.walk_of``.
    """
    edges = population.edges
    walk = walk_of(pipeline, figure, edges)
    people = clauses(population.only(pipeline.key), is_there_now=False)
    where = [Record.id == StayRow.record_id, people, *walk.record]
    if walk.is_once:
        where.append(not_(_later(visits(_LATER, pipeline.key, walk.stages, edges))))
    is_one = exists().where(*where)

    def way(stages: Sequence[str], index: str, *more: ColumnElement[bool]) -> Ids:
        asked = select(StayRow.id, StayRow.entered_at).where(
            *visits(StayRow, pipeline.key, stages, edges), *walk.visit, *more, is_one
        )
        # SQLite's planner does not know that this order is the whole point.
        return asked.with_hint(StayRow, f"INDEXED BY {index}", "sqlite")

    few = few_in(session, population)
    if few is not None:
        of_few = StayRow.record_id.in_(few_of(population.object_key, few))
        return page_of(session, [way(walk.stages, "ix_stay_record", of_few)], _BY_ENTRY, after, limit)
    guessed = _guessed(session, population, pipeline, figure, total)
    if guessed is not None and total is not None:
        of_guessed = way(walk.stages, "ix_stay_record", StayRow.record_id.in_(guessed))
        found = page_of(session, [of_guessed], _BY_ENTRY, None, total + 1)
        if len(found) == total:
            place = -1 if after is None else found.index(after) if after in found else total
            return found[place + 1 :][:limit]
    ways = [way([stage], "ix_stay_entered") for stage in walk.stages]
    return page_of(session, ways, _BY_ENTRY, after, limit) if ways else []


def _guessed(
    session: WorkspaceSession, population: Population, pipeline: Pipeline, figure: Figure, total: int | None
) -> list[int] | None:
    """Records of a figure that excepts others and leaves few, which a walk would meet late: by journeys,
    which SQLite reads side by side. ``None`` where there are more of them, or nothing is told.
    """
    if total is None or total > FEW or not figure.except_mode or figure.unit == "stay" or population.period:
        return None
    asked = [clauses(population, is_there_now=False), guess_of(pipeline, figure)]
    return seldom(session, asked, 2 * FEW)


def _later(visited: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """The record has a later visit than that at which the walk is."""
    is_later = exists().where(
        _LATER.record_id == StayRow.record_id, _LATER.sequence > StayRow.sequence, *visited
    )
    return is_later.correlate(StayRow)  # two levels out, where it is not looked for unasked


def is_walked_by_record(population: Population, figure: Figure) -> bool:
    """Whether a list is read in an order of records: what is in a stage now, and what has ended. These have
    visited the stage long ago, so along visits the first of them would be met late.
    """
    return figure.name == "now" or (figure.name in ENDED and not population.period)


def records_on_page(
    session: WorkspaceSession,
    population: Population,
    pipeline: Pipeline,
    figure: Figure,
    after: int | None,
    limit: int,
) -> list[int]:
    """Ids of up to ``limit`` records behind the figure, beyond the record ``after``: of what is there now the
    latest entry first, of what has ended the latest end. Up to four statements.
    """
    population = population.only(pipeline.key)
    order = _BY_STAGE if figure.name == "now" else BY_END
    if figure.name == "now":
        what = [Record.stage_key == figure.stage]
    else:
        what = ended_of(pipeline, figure, population.edges)
    asked = select(Record.id, order.at).where(clauses(population), *what)
    few = few_in(session, population)
    if few is not None:
        ways = [asked.where(Record.id.in_(few_of(population.object_key, few)))]
    elif order is BY_END:
        ways = [asked.with_hint(Record, "INDEXED BY ix_record_closed_at", "sqlite")]
    elif population.actor.sees_all_of(population.object_key) or is_broad(population.actor):
        ways = [asked]
    else:
        # Each record stands in one of them only.
        own, *departments = ownership(population.actor)
        ways = [
            asked.where(own),
            *(asked.where(each, or_(Record.owner_id.is_(None), not_(own))) for each in departments),
        ]
    return page_of(session, ways, order, after, limit)


def few_in(
    session: WorkspaceSession, population: Population, more: ColumnElement[bool] | None = None
) -> Part | None:
    """The part of the population, or of what ``more`` asks of its slots, that selects few records, where
    there is one (one statement).
    """
    parts: list[Part] = [*parts_of(population.condition), *parts_of(more)]
    if population.owner_id is not None and population.owner_id != NOBODY:
        parts.append([Record.owner_id == population.owner_id])
    if population.department_ids is not None and NOBODY not in population.department_ids:
        parts.append([matching(Record.department_id, population.department_ids, nobody=True)])
    seen = visible(population.actor, population.object_key, Record.owner_id, Record.department_id)
    if seen is not None:
        parts.append([seen])
    if not parts:
        return None
    count, part = least(session, population.object_key, parts)
    return part if count <= FEW else None


def page_of(
    session: WorkspaceSession, ways: Sequence[Ids], order: Order, after: int | None, limit: int
) -> list[int]:
    """The ids of the ways together, in order, beyond the row of the id ``after``; none where it is gone."""
    place: Row[datetime | None] | None = None
    if after is not None:
        place = session.execute(select(order.at).where(order.id == after)).one_or_none()
        if place is None:
            return []
    at = None if place is None else place[0]
    found: list[int] = []
    if place is None or at is not None:
        # SQLite does not seek on (a, id) < (x, y); the first clause is what it seeks on.
        beyond = [] if at is None else [order.at <= at, or_(order.at < at, order.id < after)]
        known = [way.where(order.at.is_not(None), *beyond) for way in ways]
        found = _first(session, known, (order.falling, order.id.desc()), limit)
    if len(found) < limit:
        below = [order.id < after] if place is not None and at is None else []
        unknown = [way.where(order.at.is_(None), *below) for way in ways]
        found += _first(session, unknown, (order.id.desc(),), limit - len(found))
    return found


def _first(session: WorkspaceSession, ways: Sequence[Ids], order: Sequence[Any], limit: int) -> list[int]:
    if len(ways) == 1:
        return [row[0] for row in session.execute(ways[0].order_by(*order).limit(limit))]
    each = [way.order_by(*order).limit(limit).subquery() for way in ways]
    rows = session.execute(union_all(*(select(one) for one in each))).all()
    latest_first = sorted(rows, key=lambda row: (row[1] is not None, row[1] or 0, row[0]), reverse=True)
    return [row[0] for row in latest_first[:limit]]
