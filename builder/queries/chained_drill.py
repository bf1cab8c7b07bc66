"""The units and visits behind a figure of a funnel over several pipelines (B4), as keyset pages.

As in ``queries.drill``: a figure is one clause on the ledger, written from the definitions of M1 and M2 and
not from the code that counts journeys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union, union_all

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import N_, Invalid
from builder.queries.chained import Chain, Level, Place, levels, visit
from builder.queries.drill import EXITS, FORWARD, PAGE, DrillRow, Unit, record_rows
from builder.queries.population import Population
from builder.queries.visibility import visible


@dataclass(frozen=True, slots=True)
class ChainedFigure:
    """``name``: ``entered``, a key of EXITS, ``numerator`` or ``denominator``; ``step``: a place."""

    name: str
    step: str
    mode: str = "visited"

    @property
    def unit(self) -> Unit:
        return "stay" if self.mode == "stay" or self.name == "entered" or self.name in EXITS else "record"


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit behind a figure of M1 or M2d."""

    unit_id: int
    record_id: int
    entered_at: datetime | None
    left_at: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class ChainedPage:
    """``units`` in the order of the list; with ``visits`` beside where the figure counts visits.

    ``made``: unit → records that came of it; ``records`` are all of these by id, ``seen`` the ids of those
    that the reader may open; a page longer than PAGE has units alone. ``total`` counts all rows, exactly;
    ``next`` is the cursor of the next page.
    """

    unit: Unit
    total: int
    next: int | None
    units: tuple[int, ...]
    visits: tuple[Visit, ...] = ()
    made: dict[int, tuple[int, ...]] = field(default_factory=dict)
    records: dict[int, DrillRow] = field(default_factory=dict)
    seen: frozenset[int] = frozenset()


def chained_drill(
    session: WorkspaceSession,
    chain: Chain,
    population: Population,
    figure: ChainedFigure,
    *,
    after: int | None = None,
    limit: int = PAGE,
) -> ChainedPage:
    """The page behind ``figure`` after the row with cursor ``after``, newest first: up to five statements.

    Errors: Invalid for a step, a figure or a mode that there is not.
    """
    if figure.unit == "stay":
        return _visits_page(session, chain, population, figure, after, limit)
    found = _units(chain, population, figure).subquery()
    total = count_behind(session, chain, population, figure)
    ids = list(session.scalars(_page_of(select(found.c.unit), found.c.unit, after, limit)))
    units = tuple(ids[:limit])
    following = units[-1] if len(ids) > limit else None
    if limit > PAGE:
        return ChainedPage("record", total, following, units)
    made = _made(session, chain, population, units)
    everything = {*units, *(one for each in made.values() for one in each)}
    records, seen = _known(session, population.actor, everything)
    return ChainedPage("record", total, following, units, (), made, records, seen)


def count_behind(
    session: WorkspaceSession, chain: Chain, population: Population, figure: ChainedFigure
) -> int:
    """How many rows the list behind ``figure`` has: one statement. Errors: as ``chained_drill``."""
    rows = _stays(chain, population, figure) if figure.unit == "stay" else _units(chain, population, figure)
    return int(session.scalar(select(func.count()).select_from(rows.subquery())) or 0)


def _visits_page(
    session: WorkspaceSession,
    chain: Chain,
    population: Population,
    figure: ChainedFigure,
    after: int | None,
    limit: int,
) -> ChainedPage:
    found = _stays(chain, population, figure).subquery()
    total = count_behind(session, chain, population, figure)
    rows = session.execute(_page_of(select(found), found.c.id, after, limit)).all()
    visits = tuple(Visit(*row[1:]) for row in rows[:limit])
    ids = {one for visit_ in visits for one in (visit_.unit_id, visit_.record_id)}
    records, seen = _known(session, population.actor, ids)
    following = rows[limit - 1][0] if len(rows) > limit else None
    units = tuple(visit_.unit_id for visit_ in visits)
    return ChainedPage("stay", total, following, units, visits, {}, records, seen)


def _units(chain: Chain, population: Population, figure: ChainedFigure) -> Select[*tuple[Any, ...]]:
    """Ids of units that the figure counts: those with a visit to each of its sets of stages."""
    known = levels(chain, population)
    first, *others = [_visitors(chain, known, places) for places in _wanted(chain, figure)]
    units = first.subquery()
    statement: Select[*tuple[Any, ...]] = select(units.c.unit)
    for other in others:
        statement = statement.where(units.c.unit.in_(select(other.subquery().c.unit)))
    return statement


def _wanted(chain: Chain, figure: ChainedFigure) -> list[tuple[Place, ...]]:
    """Denominator: reached the step; numerator: reached the step and the next one (M2a–c)."""
    place = _index(chain, figure)
    if figure.name not in ("denominator", "numerator"):
        raise _no_figure(figure)
    last = place + (figure.name == "numerator")
    if last >= len(chain.definition.steps):
        raise _no_figure(figure)
    if figure.mode == "filled":
        return [chain.visits_beyond(last)]
    if figure.mode not in ("visited", "strict"):
        raise Invalid(N_("There is no mode “%(mode)s”."), mode=figure.mode[:40])
    begin = place if figure.mode == "visited" else 0
    return [chain.visits_to(step) for step in range(begin, last + 1)]


def _visitors(chain: Chain, known: tuple[Level, ...], places: tuple[Place, ...]) -> Any:
    """Ids of units with a visit to one of the stages, each once (a union of one select would not do that)."""
    return union(
        *(
            level.select(level.unit.label("unit")).distinct().join(StayRow, visit(places, level.record))
            for level in known
            if level.can_visit(chain, places)
        )
    )


def _stays(chain: Chain, population: Population, figure: ChainedFigure) -> Any:
    """(stay, unit, record, times) of the visits that the figure counts."""
    step = chain.definition.steps[_index(chain, figure)]
    places = ((step.pipeline, step.stage),)
    parts: list[ColumnElement[bool]] = []
    if figure.name in EXITS:
        left_via = EXITS[figure.name]
        parts.append(StayRow.left_via.is_(None) if left_via is None else StayRow.left_via == left_via)
    elif figure.name == "denominator":
        parts.append(StayRow.left_via.is_not(None))
    elif figure.name == "numerator":
        parts.append(StayRow.left_via.in_(FORWARD))
    elif figure.name != "entered":
        raise _no_figure(figure)
    columns = (StayRow.entered_at, StayRow.left_at, StayRow.seconds)
    return union_all(
        *(
            level.select(StayRow.id, level.unit.label("unit"), level.record.id.label("record"), *columns)
            .join(StayRow, visit(places, level.record))
            .where(*parts)
            for level in levels(chain, population)
            if level.can_visit(chain, places)
        )
    )


def _index(chain: Chain, figure: ChainedFigure) -> int:
    places = chain.steps.places
    if figure.step not in places:
        raise Invalid(N_("There is no step “%(step)s” here."), step=figure.step[:80])
    return places.index(figure.step)


def _no_figure(figure: ChainedFigure) -> Invalid:
    return Invalid(N_("There is no figure “%(figure)s” here."), figure=figure.name[:40])


def _page_of(statement: Any, key: Any, after: int | None, limit: int) -> Any:
    if after is not None:
        statement = statement.where(key < after)
    return statement.order_by(key.desc()).limit(limit + 1)


def _made(
    session: WorkspaceSession, chain: Chain, population: Population, units: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """What came of these units, in the order in which it was made; with *customer* the first records too."""
    is_customer = chain.definition.unit == "customer"
    selects = [
        level.select(level.unit.label("unit"), level.record.id.label("record")).where(level.unit.in_(units))
        for level in levels(chain, population)
        if level.depth or is_customer
    ]
    if not selects or not units:
        return {}
    found = union_all(*selects).subquery()
    made: dict[int, tuple[int, ...]] = {}
    for unit, record in session.execute(select(found).order_by(found.c.record)):
        if unit != record:
            made[unit] = (*made.get(unit, ()), record)
    return made


def _known(
    session: WorkspaceSession, actor: Actor, ids: Iterable[int]
) -> tuple[dict[int, DrillRow], frozenset[int]]:
    """The records of these ids, and which of them the reader may open."""
    wanted = sorted(set(ids))
    records = {row.id: row for row in record_rows(session, Record.id.in_(wanted))}
    objects = {row.object_key for row in records.values()}
    clause = visible(actor, objects)
    live = select(Record.id).where(Record.id.in_(wanted), Record.deleted_at.is_(None))
    return records, frozenset(session.scalars(live if clause is None else live.where(clause)))
