"""Lists behind wins, losses and reasons (B4): which records they hold, how many, and which stand on a page.

The latest end comes first, then what has not ended; where only that is asked for, the latest change.
``ix_record_ended`` has records of one outcome in that order, so a page of a company of any size looks at
little more than it shows; how many there are the roll-up says where it knows, else an index that holds all
that is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.queries.dimensions import Dimension, is_group
from builder.queries.drill_walk import BY_CHANGE, BY_END, Ids, Order, few_in, page_of
from builder.queries.population import NOBODY, Population, clauses
from builder.queries.probing import Part, few_of
from builder.queries.reasons import precedes, reason_counts
from builder.queries.rolled_up import is_told
from builder.queries.side_by_side import along_ends, holds, side_by_side
from builder.queries.win_sets import TERMINAL
from builder.queries.wins import closed_in
from builder.queries.wins_summed import ended_counts


@dataclass(frozen=True, slots=True)
class Ended:
    """Records of ``outcomes`` ("open": what has not ended; none named: all), of the group ``group`` of ``by``
    (``GroupName.value``, "" for those without) or of all. ``reason`` and ``stage``, the one that was left for
    the end: ``None`` for all, "" for those without one.
    """

    outcomes: tuple[str, ...] = ()
    by: Dimension | None = None
    group: str | None = None
    reason: str | None = None
    stage: str | None = None

    @property
    def has_only_ends(self) -> bool:
        return bool(self.outcomes) and set(self.outcomes) <= set(TERMINAL)


def ended_total(session: WorkspaceSession, population: Population, ended: Ended) -> int:
    """Exactly how many there are; one statement, two where a field selects the group or filters."""
    population, group = _grouped(population, ended)
    if group is None and is_told(population) and (ended.by is None or not ended.by.is_closing):
        return _told(session, population, ended)
    where = _clauses(population, ended, group)
    statement = select(func.count()).select_from(Record).where(*where)
    has_slots = group is not None or population.condition is not None
    few = few_in(session, population, group) if has_slots else None
    if few is not None:
        statement = statement.where(Record.id.in_(few_of(population.object_key, few)))
    elif has_slots and all(map(holds, where)):
        statement = side_by_side(statement)
    elif not has_slots and ended.has_only_ends:
        statement = along_ends(statement)
    return int(session.scalar(statement) or 0)


def _told(session: WorkspaceSession, population: Population, ended: Ended) -> int:
    """What the roll-up says."""
    if ended.reason is None and ended.stage is None:
        counts = ended_counts(session, population)
        return sum(n for outcome, n in counts.items() if outcome in ended.outcomes or not ended.outcomes)
    return sum(
        n
        for reasoned, n in reason_counts(session, population).items()
        if reasoned.outcome in ended.outcomes
        and (ended.reason is None or (reasoned.reason or "") == ended.reason)
        and (ended.stage is None or (reasoned.stage or "") == ended.stage)
    )


def ended_on_page(
    session: WorkspaceSession, population: Population, ended: Ended, after: int | None, limit: int
) -> list[int]:
    """Ids of up to ``limit`` of them, beyond the record ``after``; up to four statements."""
    population, group = _grouped(population, ended)
    order = BY_CHANGE if ended.outcomes == ("open",) else BY_END
    asked = select(Record.id, order.at).where(*_clauses(population, ended, group))
    few = few_in(session, population, group)
    return page_of(session, _ways(population, ended, order, asked, few), order, after, limit)


def _ways(population: Population, ended: Ended, order: Order, asked: Ids, few: Part | None) -> list[Ids]:
    """Each in the order of an index; no record stands in two of them."""
    if few is not None:
        return [asked.where(Record.id.in_(few_of(population.object_key, few)))]
    if not ended.has_only_ends:
        index = "ix_record_closed_at" if order is BY_END else "ix_record_updated_at"
        return [asked.with_hint(Record, f"INDEXED BY {index}", "sqlite")]
    return [
        along_ends(asked.where(Record.pipeline_key == pipeline, Record.outcome == outcome))
        for pipeline in population.pipelines
        for outcome in ended.outcomes
    ]


def _grouped(population: Population, ended: Ended) -> tuple[Population, ColumnElement[bool] | None]:
    """The population of the group alone; where it cannot say so, a clause that does."""
    by, value = ended.by, ended.group
    if by is None or value is None:
        return population, None
    clause = is_group(by, value, population.time_zone)
    one = int(value or NOBODY) if by.kind in ("owner", "department") else NOBODY
    if by.kind == "owner" and population.owner_id in (None, one):
        return replace(population, owner_id=one), None
    if by.kind == "department" and population.department_ids is None:
        return replace(population, department_ids=(one,)), None
    return population, clause


def _clauses(
    population: Population, ended: Ended, group: ColumnElement[bool] | None
) -> list[ColumnElement[bool]]:
    where = [clauses(population), *closed_in(population)]
    if ended.outcomes:
        named: list[ColumnElement[bool]] = [Record.outcome.in_(ended.outcomes)]
        if "open" in ended.outcomes:
            named.append(Record.outcome.is_(None))
        where.append(or_(*named))
    if group is not None:
        where.append(group)
    if ended.by is not None and ended.by.is_closing:
        where += [Record.outcome.in_(TERMINAL), Record.closed_at.is_not(None)]
    if ended.reason is not None:
        where.append(Record.reason_key == ended.reason if ended.reason else Record.reason_key.is_(None))
    return where if ended.stage is None else [*where, _left(ended.stage)]


def _left(stage: str) -> ColumnElement[bool]:
    """The record was in ``stage`` before the end ("": in none)."""
    end: Any = aliased(StayRow)
    before: Any = aliased(StayRow)
    visit = exists().where(
        end.workspace_id == Record.workspace_id, end.id == Record.stay_id, precedes(before, end)
    )
    return visit.where(before.stage_key == stage) if stage else not_(visit)
