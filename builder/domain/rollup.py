"""What one record adds to ``funnel_rollup``, so that any funnel over whole months is a sum (M1–M4, idea 4).

A record counts for a period when its visits *in that period* satisfy a predicate: visited the step, visited
it and the next, visited all up to it. Such a predicate holds for every longer range of months too. So with
the minimal windows [i, j] of months in which it holds (both ends rising), the record is counted once for
every range by +1 in the cell (i, j) of each window and −1 in the cell (i of the window, j of the next one),
summing the cells with ``from ≤ month_from`` and ``month_to < to``. Amounts work alike: they are as at the
latest visit to the step inside the range. ``builder.domain.windows`` finds the cells.

Months are integers, ``year * 12 + month − 1`` of the entry in the workspace's zone. Cells (0, 0) hold the
all-time sums, where stays without a known time count as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from builder.domain.funnel import Count, FunnelFigures, Mode, figures
from builder.domain.reach import FunnelSteps
from builder.domain.stays import Stay
from builder.domain.win_sums import BY_MONTH, Ending, win_cells
from builder.domain.windows import Shape, Term, terms_of

ALL_TIME = 0
NOW = "now"


class Cell(NamedTuple):
    """Where a number is added: what is counted, where, over which months, in which currency's amounts.

    A count belongs to the currency of the amount that comes with it: counts are summed over currencies,
    amounts are not.
    """

    measure: str
    stage_key: str
    month_from: int
    month_to: int
    currency: str = ""


class Sum(NamedTuple):
    """What is added. ``weighted_minor`` (of ``now``) is exact: amount in minor units × percent; the sums of
    wins use it for numbers of their own (``domain.win_sums``).
    """

    n: int
    amount_minor: int
    weighted_minor: int = 0


class Present(NamedTuple):
    """A record as it stands: its stage, probability in percent (M15), and how it ended.

    ``probability`` is the record's override where it has one, else the stage's.
    """

    stage_key: str
    probability: int
    ending: Ending


Cells = dict[Cell, Sum]
# The same while being added up: plain tuples and lists, as there are forty of them a record.
Sums = dict[tuple[str, str, int, int, str], list[int]]


def month_of(at: datetime, zone: tzinfo) -> int:
    """The month of an instant in a zone, as a number that counts months."""
    local = at.astimezone(zone)
    return local.year * 12 + local.month - 1


def whole_months(start: datetime, end: datetime, zone: tzinfo) -> tuple[int, int] | None:
    """The months of the half-open period [start, end), or ``None`` when an end is inside a month."""
    for at in (start, end):
        local = at.astimezone(zone)
        if local != local.replace(day=1, hour=0, minute=0, second=0, microsecond=0):
            return None
    return month_of(start, zone), month_of(end, zone)


def contributions(
    stays: Sequence[Stay], steps: FunnelSteps, zone: tzinfo, present: Present | None = None
) -> Cells:
    """All cells of one record: ``stays`` in ledger order, and where it stands now if it is in a pipeline.

    A deleted record contributes nothing: pass no stays.
    """
    sums: Sums = {}
    add_contributions(sums, stays, steps, zone, present)
    return {Cell(*cell): Sum(*added) for cell, added in sums.items() if any(added)}


def add_contributions(
    sums: Sums,
    stays: Sequence[Stay],
    steps: FunnelSteps,
    zone: tzinfo,
    present: Present | None = None,
    sign: int = 1,
) -> None:
    """Add (sign 1) or take away (sign −1) all cells of one record, as ``contributions`` gives them.

    Which cells there are depends on the shape of the history only, and few shapes are common: their terms
    are kept, and filled in with months and amounts. A cell may come to stand at zero.
    """
    counted = [stay for stay in stays if steps.counts(stay)]
    months = [0 if stay.entered_at is None else month_of(stay.entered_at, zone) for stay in counted]
    worths = [(stay.currency or "", stay.amount_minor or 0) for stay in counted]
    # One more place, so that the index −1 of a term without months reads "all time".
    months.append(ALL_TIME)
    for measure, place, first, last, change, visit in _terms(_shape(counted, months, steps), steps):
        currency, amount = worths[visit]
        cell = (measure, place, months[first], months[last], currency)
        added = sums.get(cell)
        if added is None:
            added = sums[cell] = [0, 0, 0]
        change *= sign
        added[0] += change
        added[1] += change * amount
    if present is not None:
        _add_present(sums, present, stage_left(stays), zone, sign)


def stage_left(stays: Sequence[Stay]) -> str | None:
    """The stage of the visit before the one that goes on; ``None`` where that is the first."""
    return next((before.stage_key for before, stay in pairwise(stays) if stay.left_via is None), None)


def _add_present(sums: Sums, present: Present, left: str | None, zone: tzinfo, sign: int) -> None:
    ending = present.ending
    amount = ending.amount_minor or 0
    stock = (NOW, present.stage_key, ending.currency, 1, amount, amount * present.probability)
    is_closed = ending.outcome != "open" and ending.closed_at is not None
    month = month_of(ending.closed_at, zone) if is_closed and ending.closed_at else ALL_TIME
    for measure, place, currency, n, minor, third in (stock, *win_cells(ending, left)):
        for window in (ALL_TIME, month) if month and measure in BY_MONTH else (ALL_TIME,):
            added = sums.setdefault((measure, place, window, window, currency), [0, 0, 0])
            added[0] += sign * n
            added[1] += sign * minor
            added[2] += sign * third


def difference(before: Mapping[Cell, Sum], after: Mapping[Cell, Sum]) -> Cells:
    """What to add to go from ``before`` to ``after``; cells that stay the same are left out."""
    nothing = Sum(0, 0, 0)
    changes = {}
    for cell in before.keys() | after.keys():
        old, new = before.get(cell, nothing), after.get(cell, nothing)
        if old != new:
            changes[cell] = Sum(*(b - a for a, b in zip(old, new, strict=True)))
    return changes


def figures_from_rollup(
    mode: Mode, steps: FunnelSteps, rows: Iterable[tuple[str, str, int, int]]
) -> FunnelFigures:
    """A funnel from roll-up rows (measure, stage key, number, amount), summed over the wanted cells.

    The cells wanted are (0, 0) for all time, or those with ``from ≤ month_from`` and ``month_to < to``;
    the number is summed over all currencies, the amount over the one that is shown.
    """
    return figures(mode, steps, {(measure, place): Count(n, amount) for measure, place, n, amount in rows})


def _shape(counted: Sequence[Stay], months: Sequence[int], steps: FunnelSteps) -> Shape:
    """The shape of a history; equal times keep the ledger's order."""
    timed = [(stay.entered_at, index) for index, stay in enumerate(counted) if stay.entered_at is not None]
    order = tuple(index for _, index in sorted(timed))
    rank_of = {month: rank for rank, month in enumerate(dict.fromkeys(months[index] for index in order))}
    return Shape(
        tuple((stay.pipeline_key, stay.stage_key, stay.left_via) for stay in counted),
        tuple(
            -1 if stay.entered_at is None else rank_of[months[index]] for index, stay in enumerate(counted)
        ),
        order,
        steps.standing_of_stays(counted),
    )


@lru_cache(maxsize=16384)
def _terms(shape: Shape, steps: FunnelSteps) -> tuple[Term, ...]:
    return tuple(terms_of(shape, steps))
