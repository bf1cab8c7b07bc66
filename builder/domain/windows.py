"""The signed windows of one history: what it adds where, so that every range of months counts it once.

Two predicates on a range of months are needed (the proof is the property test against counting by hand):

- *holds from an end on*: [i, j] satisfies it exactly when j ≥ end(i), ends never falling (visited, pair,
  strict). The ranges that start at i and for which no later start holds have end(i) ≤ j < end(i + 1):
  add the visit that gives the amount as of j where that stretch begins or the visit changes, take it back
  where the stretch stops.
- *furthest*: the maximum over the months of a range. Its mixed difference at (i, j) is zero unless both
  ends exceed all between; then the lower end is taken back, as the higher one counts instead, and the
  maximum between, which both ends have taken back, is added again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from builder.domain.reach import (
    ENTRY,
    LEFT_BY_VIA,
    STRICT,
    VISIT_BY_STANDING,
    FunnelSteps,
    Standing,
    StepVisit,
    furthest_of,
    hits,
    pair_of,
)
from builder.domain.stays import LeftVia

ALL_TIME = -1


class Shape(NamedTuple):
    """A history without its dates and amounts.

    ``visits``: (pipeline key, stage key, way out) in ledger order. ``ranks``: per visit the rank of its
    month among the history's months, −1 where the time is unknown. ``order``: indices of the visits with
    a known time, in the order of time.
    """

    visits: tuple[tuple[str, str, LeftVia | None], ...]
    ranks: tuple[int, ...]
    order: tuple[int, ...]
    standing: Standing


class Term(NamedTuple):
    """Add ``sign`` times the amount of ``visit`` at (month of visit ``first``, month of visit ``last``).

    ``ALL_TIME`` for both: the cell without months.
    """

    measure: str
    place: str
    first: int
    last: int
    sign: int
    visit: int


class _Months(NamedTuple):
    """Per rank of a month, one visit in it; its index stands for the month in terms."""

    visit_at: tuple[int, ...]

    def term(self, measure: str, place: str, first: int, last: int, sign: int, visit: int) -> Term:
        return Term(measure, place, self.visit_at[first], self.visit_at[last], sign, visit)


def terms_of(shape: Shape, steps: FunnelSteps) -> Iterator[Term]:
    """All that a history of this shape adds to the roll-up: the all-time terms, then those with months."""
    visits = [steps.see(*visit) for visit in shape.visits]
    for hit in hits(visits, steps, shape.standing):
        yield Term(hit.measure, hit.place, ALL_TIME, ALL_TIME, 1, hit.visit)
    for index in shape.order:
        visit = visits[index]
        yield Term(ENTRY, visit.place, index, index, 1, index)
        yield Term(LEFT_BY_VIA[visit.left_via], visit.place, index, index, 1, index)
    months = _Months(tuple({shape.ranks[index]: index for index in shape.order}.values()))
    yield from _predicate_terms(shape, visits, steps, months)
    yield from _furthest_terms(shape, visits, steps, months)


def _predicate_terms(
    shape: Shape, visits: Sequence[StepVisit], steps: FunnelSteps, months: _Months
) -> Iterator[Term]:
    """Terms of visited, pair and strict, each from the ends of its minimal windows."""
    count = len(months.visit_at)
    # Per step: rank of month -> the latest visit to it in that month.
    by_step: dict[int, dict[int, int]] = {}
    for index in shape.order:
        step = visits[index].step
        if step is not None:
            by_step.setdefault(step, {})[shape.ranks[index]] = index
    ends = {step: _next_visits(ranks, count) for step, ranks in by_step.items()}
    strict: list[int] | None = None
    for step, place in enumerate(steps.places):
        here = ends.get(step)
        strict = here if step == 0 else _later(strict, here)
        if here is None:
            continue
        latest = _latest_visits(by_step[step], count)
        yield from _window_terms(VISIT_BY_STANDING[shape.standing], place, months, here, latest)
        both = _later(here, ends.get(step + 1))
        if both is not None:
            yield from _window_terms(pair_of(shape.standing), place, months, both, latest)
        if strict is not None and step:
            yield from _window_terms(STRICT, place, months, strict, latest)


def _next_visits(ranks: Mapping[int, int], count: int) -> list[int]:
    """Per month, the first month from there on that has a visit; ``count`` where there is none."""
    following = [count] * count
    upcoming = count
    for rank in range(count - 1, -1, -1):
        if rank in ranks:
            upcoming = rank
        following[rank] = upcoming
    return following


def _latest_visits(ranks: Mapping[int, int], count: int) -> list[int]:
    """Per month, the latest visit up to its end; −1 before the first one."""
    latest = []
    current = -1
    for rank in range(count):
        current = ranks.get(rank, current)
        latest.append(current)
    return latest


def _later(one: list[int] | None, other: list[int] | None) -> list[int] | None:
    """Ends of the windows that satisfy both; ``None`` when one of the two is never satisfied."""
    if one is None or other is None:
        return None
    return [max(pair) for pair in zip(one, other, strict=True)]


def _window_terms(
    measure: str, place: str, months: _Months, ends: Sequence[int], latest: Sequence[int]
) -> Iterator[Term]:
    """Terms of a predicate that holds for [i, j] exactly when j ≥ ``ends[i]``."""
    count = len(ends)
    for start, begin in enumerate(ends):
        stop = ends[start + 1] if start + 1 < count else count
        held = -1
        for end in range(begin, stop):
            if latest[end] != held:
                if held >= 0:
                    yield months.term(measure, place, start, end, -1, held)
                held = latest[end]
                yield months.term(measure, place, start, end, 1, held)
        if held >= 0 and stop < count:
            yield months.term(measure, place, start, stop, -1, held)


def _furthest_terms(
    shape: Shape, visits: Sequence[StepVisit], steps: FunnelSteps, months: _Months
) -> Iterator[Term]:
    """Terms of the furthest step reached in a range."""
    # Per month that reached any step: (rank of month, furthest step, latest visit to it).
    best: dict[int, tuple[int, int, int]] = {}
    for index in shape.order:
        reach, rank = visits[index].reach, shape.ranks[index]
        if reach is not None and (rank not in best or reach >= best[rank][1]):
            best[rank] = (rank, reach, index)
    peaks = list(best.values())
    measure = furthest_of(shape.standing)
    for position, low in enumerate(peaks):
        yield _peak_term(measure, steps, months, low[0], low[0], 1, low)
        between: tuple[int, int, int] | None = None
        for high in peaks[position + 1 :]:
            # On a tie the later month holds the maximum: an equal month between hides the start,
            # but not the end.
            if between is not None and between[1] >= low[1]:
                break
            if between is None or high[1] >= between[1]:
                yield _peak_term(
                    measure, steps, months, low[0], high[0], -1, min(low, high, key=lambda peak: peak[1])
                )
                if between is not None:
                    yield _peak_term(measure, steps, months, low[0], high[0], 1, between)
                between = high


def _peak_term(
    measure: str,
    steps: FunnelSteps,
    months: _Months,
    first: int,
    last: int,
    sign: int,
    peak: tuple[int, int, int],
) -> Term:
    _, step, visit = peak
    return months.term(measure, steps.places[step], first, last, sign, visit)
