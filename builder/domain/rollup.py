"""What one record adds to ``funnel_rollup``, so that any funnel over whole months is a sum (M1–M4, idea 4).

A record counts for a period when its visits *in that period* satisfy a predicate: visited the step, visited
it and the next, visited all up to it. Such a predicate holds for every longer range of months too. So with
the minimal windows [i, j] of months in which it holds (both ends rising), the record is counted once for
every range by +1 in the cell (i, j) of each window and −1 in the cell (i of the window, j of the next one),
summing the cells with ``from ≤ month_from`` and ``month_to < to``. Amounts work alike: the amount as at the
latest visit to the step up to the end of the range; where it changes inside, the old one is taken back in
the cell of that month and the new one added. The furthest step reached is the highest of the months' own
furthest steps; its cells are found between months that are both higher than all between them.

Months are integers, ``year * 12 + month − 1`` of the entry in the workspace's zone. Cells (0, 0) hold the
all-time sums, where stays without a known time count as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from builder.domain.funnel import Count, FunnelFigures, Mode, figures
from builder.domain.reach import (
    ENTRY,
    FURTHEST,
    LEFT_BY_VIA,
    PAIR,
    STRICT,
    VISIT_BY_STANDING,
    FunnelSteps,
    StepVisit,
    Worth,
    hits,
)
from builder.domain.stays import Stay

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
    """What is added. ``weighted_minor`` (of ``now`` only) is exact: amount in minor units × percent."""

    n: int
    amount_minor: int
    weighted_minor: int = 0


class Present(NamedTuple):
    """A record as it stands: its stage, amount in minor units, and probability in percent (M15).

    ``probability`` is the record's override where it has one, else the stage's.
    """

    stage_key: str
    currency: str
    amount_minor: int
    probability: int


Cells = dict[Cell, Sum]


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
    sums: defaultdict[Cell, list[int]] = defaultdict(lambda: [0, 0, 0])
    standing = steps.standing_of_stays(stays)
    for hit in hits(steps.see_stays(stays), steps, standing):
        _add(sums, hit.measure, hit.place, (ALL_TIME, ALL_TIME), hit.worth)
    dated = _dated(stays, steps, zone)
    if dated:
        _add_visits(sums, dated)
        _add_predicates(sums, dated, steps, VISIT_BY_STANDING[standing])
        _add_furthest(sums, dated, steps)
    if present is not None:
        total = sums[Cell(NOW, present.stage_key, ALL_TIME, ALL_TIME, present.currency)]
        total[0] += 1
        total[1] += present.amount_minor
        total[2] += present.amount_minor * present.probability
    return {cell: Sum(*total) for cell, total in sums.items() if any(total)}


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


class _Dated(NamedTuple):
    month: int
    visit: StepVisit


def _dated(stays: Sequence[Stay], steps: FunnelSteps, zone: tzinfo) -> list[_Dated]:
    """Visits with a known time of entry, in the order of time; equal times keep the ledger's order."""
    timed = sorted(
        ((stay.entered_at, stay) for stay in stays if stay.entered_at is not None), key=lambda pair: pair[0]
    )
    return [_Dated(month_of(at, zone), visit) for at, stay in timed for visit in steps.see_stays((stay,))]


def _add_visits(sums: defaultdict[Cell, list[int]], dated: Sequence[_Dated]) -> None:
    for month, visit in dated:
        _add(sums, ENTRY, visit.place, (month, month), visit.worth)
        _add(sums, LEFT_BY_VIA[visit.left_via], visit.place, (month, month), visit.worth)


def _add_predicates(
    sums: defaultdict[Cell, list[int]], dated: Sequence[_Dated], steps: FunnelSteps, visit_measure: str
) -> None:
    """Cells of visited, pair and strict, each from the ends of its minimal windows."""
    months = sorted({month for month, _ in dated})
    index = {month: place for place, month in enumerate(months)}
    visits: dict[int, dict[int, Worth]] = {}
    for month, visit in dated:
        if visit.step is not None:
            visits.setdefault(visit.step, {})[index[month]] = visit.worth
    ends = {step: _next_visits(worths, len(months)) for step, worths in visits.items()}
    strict: list[int] | None = None
    for step, place in enumerate(steps.places):
        here = ends.get(step)
        strict = here if step == 0 else _later(strict, here)
        if here is None:
            continue
        latest = _latest_worths(visits[step], len(months))
        _add_windows(sums, visit_measure, place, months, here, latest)
        both = _later(here, ends.get(step + 1))
        if both is not None:
            _add_windows(sums, PAIR, place, months, both, latest)
        if strict is not None and step:
            _add_windows(sums, STRICT, place, months, strict, latest)


def _next_visits(worths: Mapping[int, Worth], count: int) -> list[int]:
    """Per month, the first month from there on that has a visit; ``count`` where there is none."""
    following = [count] * count
    upcoming = count
    for place in range(count - 1, -1, -1):
        if place in worths:
            upcoming = place
        following[place] = upcoming
    return following


def _latest_worths(worths: Mapping[int, Worth], count: int) -> list[Worth | None]:
    """Per month, what the latest visit up to its end was worth; ``None`` before the first visit."""
    latest: list[Worth | None] = []
    current = None
    for place in range(count):
        current = worths.get(place, current)
        latest.append(current)
    return latest


def _later(one: list[int] | None, other: list[int] | None) -> list[int] | None:
    """Ends of the windows that satisfy both; ``None`` when one of the two is never satisfied."""
    if one is None or other is None:
        return None
    return [max(pair) for pair in zip(one, other, strict=True)]


def _add_windows(
    sums: defaultdict[Cell, list[int]],
    measure: str,
    place: str,
    months: Sequence[int],
    ends: Sequence[int],
    latest: Sequence[Worth | None],
) -> None:
    """Signed cells of a predicate that holds for [i, j] exactly when j ≥ ``ends[i]``.

    A range starting at i, but not one starting later, holds for ``ends[i] ≤ j < ends[i + 1]``; over that
    stretch of j the worth as of j is added where it begins or changes, and taken back where it stops.
    """
    count = len(months)
    for start, first_end in enumerate(ends):
        stop = ends[start + 1] if start + 1 < count else count
        held: Worth | None = None
        for end in range(first_end, stop):
            worth = latest[end]
            if worth != held:
                window = (months[start], months[end])
                if held is not None:
                    _add(sums, measure, place, window, held, -1)
                if worth is not None:
                    _add(sums, measure, place, window, worth)
                held = worth
        if held is not None and stop < count:
            _add(sums, measure, place, (months[start], months[stop]), held, -1)


def _add_furthest(sums: defaultdict[Cell, list[int]], dated: Sequence[_Dated], steps: FunnelSteps) -> None:
    """Signed cells of the furthest step: the maximum over a range of months, the later one on a tie.

    The mixed difference of a maximum is zero unless both ends exceed all between them; then the lower end
    is taken back, because the higher one counts instead, and what is between was taken back once too often.
    """
    best: dict[int, tuple[int, Worth]] = {}
    for month, visit in dated:
        if visit.reach is not None and (month not in best or visit.reach >= best[month][0]):
            best[month] = (visit.reach, visit.worth)
    months = sorted(best)
    for start, first in enumerate(months):
        low, worth = best[first]
        _add(sums, FURTHEST, steps.places[low], (first, first), worth)
        between: tuple[int, Worth] | None = None
        for last in months[start + 1 :]:
            # On a tie the later month holds the maximum, so an equal month between hides the start ...
            if between is not None and between[0] >= low:
                break
            high = best[last]
            # ... and an equal month at the end is not hidden by one between.
            if between is None or high[0] >= between[0]:
                lower = best[first] if low <= high[0] else high
                _add(sums, FURTHEST, steps.places[lower[0]], (first, last), lower[1], -1)
                if between is not None:
                    _add(sums, FURTHEST, steps.places[between[0]], (first, last), between[1])
                between = high


def _add(
    sums: defaultdict[Cell, list[int]],
    measure: str,
    place: str,
    window: tuple[int, int],
    worth: Worth,
    sign: int = 1,
) -> None:
    total = sums[Cell(measure, place, *window, worth.currency)]
    total[0] += sign
    total[1] += sign * worth.amount_minor
