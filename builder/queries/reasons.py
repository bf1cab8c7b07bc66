"""Why records ended as they did (S40, S41): win tactics, loss and invalid reasons, by count and amount.

The set is the records of the population that are closed now (with a period: closed in it). The stage left is
that of the visit before the terminal one; a record that came straight into a terminal stage has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased

from builder.db.ledger import StayRow
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.rates import share
from builder.domain.win_sums import REASON, Reasoned
from builder.errors import N_
from builder.queries.population import Population, clauses
from builder.queries.rolled_up import asked_of, is_told, rolled_up
from builder.queries.side_by_side import along_ends
from builder.queries.win_sets import TERMINAL
from builder.queries.wins import chosen_currency, closed_in

Measure: TypeAlias = Literal["count", "amount"]
DEFINITION = N_(
    "Closed records by the reason (or tactic) that was given when they were closed; the amount is the sum of"
    " their amounts in the currency shown. The stage left is the last one before the end."
)


@dataclass(frozen=True, slots=True)
class Tally:
    """``n`` records, worth ``amount_minor`` together in the report's currency."""

    n: int = 0
    amount_minor: int = 0

    def plus(self, n: int, amount_minor: int) -> Tally:
        return Tally(self.n + n, self.amount_minor + amount_minor)


@dataclass(frozen=True)
class ReasonRow:
    """One reason: ``reason`` is its key, ``None`` where none was given; ``share`` of the outcome's records.

    ``stages``: key of the stage left (``None``: none before the end) → its part.
    """

    reason: str | None
    total: Tally
    share: Fraction | None
    stages: dict[str | None, Tally]


@dataclass(frozen=True)
class OutcomeReasons:
    """The reasons of one outcome, ranked, with their sum by stage left."""

    outcome: str
    total: Tally
    rows: tuple[ReasonRow, ...]
    stages: dict[str | None, Tally]


@dataclass(frozen=True)
class ReasonReport:
    """``currency`` is the one of all amounts; ``currencies`` are those that occur, the commonest first."""

    outcomes: dict[str, OutcomeReasons]
    currency: str
    currencies: tuple[str, ...]


def reason_report(
    session: WorkspaceSession, population: Population, *, currency: str, rank: Measure = "count"
) -> ReasonReport:
    """Reasons of every terminal outcome, the commonest (or the dearest) first; one statement.

    Amounts are in ``currency``, or in the commonest one where that does not occur; 0 where they are hidden
    from the reader.
    """
    found = _summed(session, population) if is_told(population) else _counted(session, population)
    if population.hides_amounts:
        found = [replace(cell, currency="", valued=0, amount_minor=0) for cell in found]
    known = _currencies(found)
    chosen = chosen_currency(currency, known)
    outcomes = {outcome: _outcome(outcome, found, chosen, rank) for outcome in TERMINAL}
    return ReasonReport(outcomes, chosen, known)


@dataclass(frozen=True, slots=True)
class _Cell:
    """Records with the same outcome, reason, stage left and currency."""

    outcome: str
    reason: str | None
    stage: str | None
    currency: str
    n: int
    valued: int
    amount_minor: int


def reason_counts(session: WorkspaceSession, population: Population) -> dict[Reasoned, int]:
    """How many records of a population that ``is_told`` ended so; one statement."""
    counts: dict[Reasoned, int] = defaultdict(int)
    for cell in _summed(session, population):
        counts[Reasoned(cell.outcome, cell.reason, cell.stage)] += cell.n
    return counts


def _summed(session: WorkspaceSession, population: Population) -> list[_Cell]:
    """From the roll-up."""
    keys, numbers = ("stage_key", "currency"), ("n", "weighted_minor", "amount_minor")
    cells = rolled_up(session, population, None, keys, numbers, asked_of(population, (REASON,)))
    # What was opened again leaves cells of nothing behind.
    return [
        _Cell(*Reasoned.of(place), code, n, valued, amount)
        for _, place, code, n, valued, amount in cells
        if n
    ]


def _counted(session: WorkspaceSession, population: Population) -> list[_Cell]:
    end, before = aliased(StayRow), aliased(StayRow)
    keys = (Record.outcome, Record.reason_key, before.stage_key, Record.currency)
    statement: Any = (
        select(*keys, func.count(), func.count(Record.amount_minor), func.sum(Record.amount_minor))
        .select_from(Record)
        .outerjoin(end, and_(end.workspace_id == Record.workspace_id, end.id == Record.stay_id))
        .outerjoin(before, precedes(before, end))
        .where(clauses(population), *closed_in(population), Record.outcome.in_(TERMINAL))
        .group_by(*keys)
    )
    if population.condition is None:
        statement = along_ends(statement)
    return [
        _Cell(outcome or "", reason, stage, code or "", int(n), int(valued), int(amount or 0))
        for outcome, reason, stage, code, n, valued, amount in session.execute(statement)
    ]


def precedes(before: Any, end: Any) -> ColumnElement[bool]:
    """``before`` is the visit of the same record before ``end``."""
    return and_(
        before.workspace_id == end.workspace_id,
        before.record_id == end.record_id,
        before.sequence == end.sequence - 1,
    )


def _currencies(cells: Sequence[_Cell]) -> tuple[str, ...]:
    counts: dict[str, int] = defaultdict(int)
    for cell in cells:
        if cell.currency and cell.valued:
            counts[cell.currency] += cell.valued
    return tuple(sorted(counts, key=lambda code: (-counts[code], code)))


def _outcome(outcome: str, cells: Sequence[_Cell], currency: str, rank: Measure) -> OutcomeReasons:
    total, stages = Tally(), defaultdict[str | None, Tally](Tally)
    reasons: defaultdict[str | None, defaultdict[str | None, Tally]] = defaultdict(lambda: defaultdict(Tally))
    for cell in cells:
        if cell.outcome == outcome:
            part = (cell.n, cell.amount_minor if cell.currency == currency else 0)
            total = total.plus(*part)
            stages[cell.stage] = stages[cell.stage].plus(*part)
            reasons[cell.reason][cell.stage] = reasons[cell.reason][cell.stage].plus(*part)
    rows = [_row(reason, parts, total.n) for reason, parts in reasons.items()]
    rows.sort(key=lambda row: (*_place(row.total, rank), row.reason or ""))
    return OutcomeReasons(outcome, total, tuple(rows), dict(stages))


def _row(reason: str | None, parts: dict[str | None, Tally], whole: int) -> ReasonRow:
    total = Tally(sum(part.n for part in parts.values()), sum(part.amount_minor for part in parts.values()))
    return ReasonRow(reason, total, share(total.n, whole), dict(parts))


def _place(total: Tally, rank: Measure) -> tuple[int, int]:
    if rank == "amount":
        return -total.amount_minor, -total.n
    return -total.n, -total.amount_minor
