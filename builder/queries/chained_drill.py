"""The units and visits behind a figure of a funnel over several pipelines (B4), as keyset pages.

As in ``queries.drill``: a figure is one clause on the ledger, written from the definitions of M1 and M2 and
not from the code that counts journeys. It is made of lists of ids and not of joins: without statistics SQLite
would look through all visits of a stage once for every first record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import N_, Invalid
from builder.queries.behind import EXITS, FORWARD, Unit
from builder.queries.chained import Chain, Place, firsts_of, made_by, visit
from builder.queries.drill import PAGE, DrillRow, record_rows
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
    """The page behind ``figure`` after the row with cursor ``after``, newest first: up to eight statements.

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
    unit_of = _units_of(session, chain, {row[1] for row in rows[:limit]})
    visits = tuple(Visit(unit_of[row[1]], *row[1:]) for row in rows[:limit])
    ids = {one for visit_ in visits for one in (visit_.unit_id, visit_.record_id)}
    records, seen = _known(session, population.actor, ids)
    following = rows[limit - 1][0] if len(rows) > limit else None
    units = tuple(visit_.unit_id for visit_ in visits)
    return ChainedPage("stay", total, following, units, visits, {}, records, seen)


def _units(chain: Chain, population: Population, figure: ChainedFigure) -> Select[*tuple[Any, ...]]:
    """Ids of units that the figure counts: those with a visit to each of its sets of stages, each once."""
    firsts = firsts_of(chain, population)
    came_to = [_came_to(chain, firsts, places) for places in _wanted(chain, figure)]
    if not chain.merges:
        return select(firsts.c.unit).where(*came_to)
    where = [firsts.c.unit.in_(select(firsts.c.unit).where(one)) for one in came_to]
    return select(firsts.c.unit).where(*where).distinct()


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


def _came_to(chain: Chain, firsts: Any, places: tuple[Place, ...]) -> ColumnElement[bool]:
    """A first record visited one of the stages, or something made from it did."""
    by_pipeline: dict[str, list[Place]] = {}
    for place in places:
        by_pipeline.setdefault(place[0], []).append(place)
    came = []
    for key, some in by_pipeline.items():
        ids = select(StayRow.record_id).where(visit(some))
        if chain.pipelines[key].object_key == chain.first.key:
            came.append(firsts.c.id.in_(ids))
            continue
        for _ in range(chain.depth):
            made: Any = aliased(Record)
            ids = select(made.converted_from_id).where(
                made.id.in_(ids), made.converted_from_id.is_not(None), made_by(chain, made)
            )
            came.append(firsts.c.id.in_(ids))
    return or_(*came)


def _stays(chain: Chain, population: Population, figure: ChainedFigure) -> Select[*tuple[Any, ...]]:
    """(stay, record, times) of the visits that the figure counts."""
    step = chain.definition.steps[_index(chain, figure)]
    firsts = firsts_of(chain, population)
    ids: Any = select(firsts.c.id)
    is_member = [StayRow.record_id.in_(ids)]
    if chain.pipelines[step.pipeline].object_key != chain.first.key:
        is_member = []
        for _ in range(chain.depth):
            made: Any = aliased(Record)
            ids = select(made.id).where(made.converted_from_id.in_(ids), made_by(chain, made))
            is_member.append(StayRow.record_id.in_(ids))
    parts = [visit([(step.pipeline, step.stage)]), or_(*is_member)]
    if figure.name in EXITS:
        left_via = EXITS[figure.name]
        parts.append(StayRow.left_via.is_(None) if left_via is None else StayRow.left_via == left_via)
    elif figure.name == "denominator":
        parts.append(StayRow.left_via.is_not(None))
    elif figure.name == "numerator":
        parts.append(StayRow.left_via.in_(FORWARD))
    elif figure.name != "entered":
        raise _no_figure(figure)
    columns = (StayRow.id, StayRow.record_id, StayRow.entered_at, StayRow.left_at, StayRow.seconds)
    return select(*columns).where(*parts)


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
    session: WorkspaceSession, chain: Chain, population: Population, units: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """What came of these units, in the order in which it was made; with *customer* the first records too."""
    unit_of = {unit: unit for unit in units}
    if chain.merges:
        firsts = firsts_of(chain, population)
        rows = session.execute(select(firsts.c.id, firsts.c.unit).where(firsts.c.unit.in_(units)))
        unit_of = dict(rows.all())
    parents = list(unit_of)
    for _ in range(chain.depth):
        source: Any = Record.converted_from_id
        asked = select(Record.id, source).where(source.in_(parents), made_by(chain, Record))
        found = {record: unit_of[parent] for record, parent in session.execute(asked)} if parents else {}
        unit_of.update(found)
        parents = list(found)
    made: dict[int, tuple[int, ...]] = {}
    for record, unit in sorted(unit_of.items()):
        if unit != record:
            made[unit] = (*made.get(unit, ()), record)
    return made


def _units_of(session: WorkspaceSession, chain: Chain, ids: Collection[int]) -> dict[int, int]:
    """Record → its unit, climbing from what was made to what it was made from."""
    root_of = {record: record for record in ids}
    for _ in range(chain.depth):
        asked = select(Record.id, Record.converted_from_id).where(
            Record.id.in_(set(root_of.values())),
            Record.converted_from_id.is_not(None),
            Record.object_key != chain.first.key,
        )
        source_of = dict(session.execute(asked).all())
        root_of = {record: source_of.get(root) or root for record, root in root_of.items()}
    units = select(Record.id, chain.unit).where(Record.id.in_(set(root_of.values())))
    unit_of: dict[int, int] = dict(session.execute(units).all())
    return {record: unit_of[root] for record, root in root_of.items()}


def _known(
    session: WorkspaceSession, actor: Actor, ids: Iterable[int]
) -> tuple[dict[int, DrillRow], frozenset[int]]:
    """The records of these ids, and which of them the reader may open."""
    wanted = sorted(set(ids))
    records = {row.id: row for row in record_rows(session, actor, Record.id.in_(wanted))}
    objects = {row.object_key for row in records.values()}
    clause = visible(actor, objects)
    live = select(Record.id).where(Record.id.in_(wanted), Record.deleted_at.is_(None))
    return records, frozenset(session.scalars(live if clause is None else live.where(clause)))
