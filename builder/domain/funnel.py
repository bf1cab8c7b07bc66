"""The figures of a funnel in its four modes, with the identity that proves them (M0–M4, B4, B5).

Figures are made from *sums*: (measure, place) → (number, amount). Sums come from journeys (free filters),
from stays of a period, or from roll-up cells; the same function makes figures of all three.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Literal, NamedTuple, TypeAlias

from builder.domain.journey_hits import hit_lanes, lanes_of
from builder.domain.rates import share
from builder.domain.reach import (
    ENTRY,
    FURTHEST,
    FURTHEST_LOST,
    LEFT_BY_VIA,
    PAIR,
    PAIR_LOST,
    STRICT,
    VISIT_BY_STANDING,
    FunnelSteps,
    hits,
    worth_of,
)
from builder.domain.stays import Stay
from builder.errors import N_

Mode: TypeAlias = Literal["visited", "strict", "filled", "stay", "filled_unless_lost"]

# The four of M2; *filled_unless_lost* is the third with an option.
MODES: tuple[Mode, ...] = ("visited", "strict", "filled", "stay")
UNLESS_LOST: Mode = "filled_unless_lost"
DEFINITIONS: Mapping[Mode, str] = {
    "visited": N_(
        "M2a, visited: records that visited both this step and the next / records that visited it."
    ),
    "strict": N_("M2b, strict: records that visited every step up to the next / every step up to this one."),
    "filled": N_(
        "M2c, reached or beyond: records whose furthest step is beyond this one / this one or beyond."
    ),
    "filled_unless_lost": N_(
        "M2c, lost do not fill: records whose furthest step is beyond this one / this one or beyond; a lost"
        " record counts only at steps that it visited, and as gone on where it visited the next one too."
    ),
    "stay": N_(
        "M2d, per stay: stays that ended by a move to a later stage or won / stays that ended;"
        " running stays are left out and counted apart."
    ),
}


class Count(NamedTuple):
    """A number of records or stays, and what they are worth in minor units of one currency."""

    n: int
    amount_minor: int


ZERO = Count(0, 0)
Sums: TypeAlias = Mapping[tuple[str, str], Count]
# The measures by which records reach steps in each mode.
REACH: Mapping[Mode, tuple[str, ...]] = {
    "visited": (*VISIT_BY_STANDING.values(), PAIR, PAIR_LOST),
    "strict": (*VISIT_BY_STANDING.values(), STRICT),
    "filled": (FURTHEST, FURTHEST_LOST),
    "filled_unless_lost": (FURTHEST, VISIT_BY_STANDING["lost"], PAIR_LOST),
    "stay": (*VISIT_BY_STANDING.values(), *LEFT_BY_VIA.values()),
}


class StepReach(NamedTuple):
    """Of one step what compares groups: the four figures of ``StepFigures`` that have the same names."""

    stage: str
    reached: int
    numerator: int | None
    denominator: int | None

    @property
    def rate(self) -> Fraction | None:
        """Conversion to the next step; ``None`` on the last one and on a zero denominator."""
        if self.numerator is None or self.denominator is None:
            return None
        return share(self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class StepFigures:
    """One step. Numbers of stays: ``entered`` and the ways out (M1). Numbers of records: the others.

    ``numerator``/``denominator``/``rate``: conversion to the next step in the mode; ``None`` on the last
    step, the rate also on a zero denominator. ``reached``: records that count as having reached the step
    in the mode (*stay*: visited it). ``cumulative``: M3, reached this / reached the first; in visited
    mode it may exceed 1 where records begin mid-funnel. ``amount_minor``: of the reached (*stay*: of all
    entries), each as at entry. ``passed_over``: records beyond the step that never visited it.
    ``ended_won`` / ``ended``: records that visited the step and now are won / closed; ``win_rate``: M4.
    """

    stage: str
    entered: int
    advanced: int
    back: int
    repeated: int
    won: int
    lost: int
    invalid: int
    changed_pipeline: int
    migrated: int
    still_there: int
    numerator: int | None
    denominator: int | None
    rate: Fraction | None
    reached: int
    cumulative: Fraction | None
    amount_minor: int
    passed_over: int
    ended_won: int
    ended: int
    win_rate: Fraction | None

    @property
    def exits(self) -> int:
        """Stays that ended, by any way out."""
        return (
            self.advanced
            + self.back
            + self.repeated
            + self.won
            + self.lost
            + self.invalid
            + self.changed_pipeline
            + self.migrated
        )

    @property
    def is_balanced(self) -> bool:
        """The identity of M1: whoever entered has left by one way or is still there."""
        return self.entered == self.exits + self.still_there


@dataclass(frozen=True, slots=True)
class FunnelFigures:
    """A funnel in one mode. ``definition``: message key of how it is counted. ``identity``: M1 holds."""

    definition: str
    mode: Mode
    steps: tuple[StepFigures, ...]
    identity: bool


class JourneyGroup(NamedTuple):
    """``n`` records with the same journey, worth ``amount_minor`` together (as of now) in one currency."""

    journey: str
    n: int
    amount_minor: int = 0


def figures(mode: Mode, steps: FunnelSteps, sums: Sums) -> FunnelFigures:
    """The funnel in ``mode`` from its sums (all of those that ``builder.domain.reach`` names)."""
    reached = _reached(mode, steps.places, sums)
    filled = reached if mode == "filled" else _filled(sums, steps.places)
    passed_over = [
        beyond.n - _visited(sums, place).n for place, beyond in zip(steps.places, filled, strict=True)
    ]
    rows = tuple(
        _step(mode, steps.places, sums, reached, index, passed) for index, passed in enumerate(passed_over)
    )
    return FunnelFigures(DEFINITIONS[mode], mode, rows, all(row.is_balanced for row in rows))


def reach_of(mode: Mode, steps: FunnelSteps, sums: Sums) -> tuple[StepReach, ...]:
    """How far records came in ``mode``, from the sums that ``REACH`` names for it."""
    reached = _reached(mode, steps.places, sums)
    return tuple(
        StepReach(place, reached[index].n, *_conversion(mode, steps.places, sums, reached, index))
        for index, place in enumerate(steps.places)
    )


def sums_of_journeys(groups: Iterable[JourneyGroup], steps: FunnelSteps) -> Sums:
    """All-time sums of records grouped by journey. Amounts are the records' amounts of now."""
    lanes = lanes_of(steps)
    numbers = amounts = debts = 0
    for group in groups:
        hit = hit_lanes(group.journey, lanes)
        numbers += hit * group.n
        if group.amount_minor >= 0:
            amounts += hit * group.amount_minor
        else:
            debts -= hit * group.amount_minor
    return {
        key: Count(n, lanes.read(amounts, place) - lanes.read(debts, place))
        for place, key in enumerate(lanes.keys)
        if (n := lanes.read(numbers, place))
    }


def sums_of_stays(
    records: Iterable[tuple[Sequence[Stay], Sequence[Stay]]], steps: FunnelSteps, currency: str | None = None
) -> Sums:
    """Sums of records given as (all stays, those entered in the period), both in order.

    For periods that do not end at months. ``currency``: amounts in it only (``None``: there is one).
    """
    totals: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for stays, counted in records:
        seen = [stay for stay in counted if steps.counts(stay)]
        visits = [steps.see(stay.pipeline_key, stay.stage_key, stay.left_via) for stay in seen]
        for hit in hits(visits, steps, steps.standing_of_stays(stays)):
            worth = worth_of(seen[hit.visit])
            total = totals[hit.measure, hit.place]
            total[0] += 1
            if currency is None or worth.currency == currency:
                total[1] += worth.amount_minor
    return {key: Count(n, amount) for key, (n, amount) in totals.items()}


def chained(mode: Mode, steps: FunnelSteps, paths: Iterable[tuple[Sequence[str], int, int]]) -> FunnelFigures:
    """M0: a funnel over several pipelines, linked by conversion.

    A path is one counting unit: (journeys of the record of the first step and of all records linked to
    it, number of such units, their amount). ``steps`` come from ``FunnelSteps.chained``. Within a path
    the journeys' visits are one set; the unit counts once per step, M1 counts all stays.
    """
    groups = (JourneyGroup("".join(journeys), n, amount) for journeys, n, amount in paths)
    return figures(mode, steps, sums_of_journeys(groups, steps))


def _reached(mode: Mode, places: Sequence[str], sums: Sums) -> list[Count]:
    """For each step the records that count as having reached it, and their worth."""
    if mode == "filled":
        return _filled(sums, places)
    if mode == "filled_unless_lost":
        lost = VISIT_BY_STANDING["lost"]
        return [
            _total((_furthest(sums, places[index:]), sums.get((lost, place), ZERO)))
            for index, place in enumerate(places)
        ]
    if mode == "strict":
        return [_visited(sums, places[0]), *(sums.get((STRICT, place), ZERO) for place in places[1:])]
    return [_visited(sums, place) for place in places]


def _filled(sums: Sums, places: Sequence[str]) -> list[Count]:
    """For each step the records whose furthest step is it or beyond."""
    each = (
        _total(sums.get((measure, place), ZERO) for measure in (FURTHEST, FURTHEST_LOST))
        for place in reversed(places)
    )
    return [*accumulate(each, lambda *both: _total(both))][::-1]


def _visited(sums: Sums, place: str) -> Count:
    return _total(sums.get((measure, place), ZERO) for measure in VISIT_BY_STANDING.values())


def _furthest(sums: Sums, places: Sequence[str]) -> Count:
    """Records whose furthest step is one of these, without those that were lost."""
    return _total(sums.get((FURTHEST, place), ZERO) for place in places)


def _total(counts: Iterable[Count]) -> Count:
    n = amount = 0
    for count in counts:
        n += count.n
        amount += count.amount_minor
    return Count(n, amount)


def _step(
    mode: Mode, places: Sequence[str], sums: Sums, reached: Sequence[Count], index: int, passed_over: int
) -> StepFigures:
    place = places[index]
    left = {via: sums.get((measure, place), ZERO).n for via, measure in LEFT_BY_VIA.items()}
    entered = sums.get((ENTRY, place), ZERO)
    numerator, denominator = _conversion(mode, places, sums, reached, index)
    is_won = sums.get((VISIT_BY_STANDING["won"], place), ZERO).n
    ended = is_won + sum(sums.get((VISIT_BY_STANDING[how], place), ZERO).n for how in ("lost", "invalid"))
    return StepFigures(
        stage=place,
        entered=entered.n,
        advanced=left["advance"],
        back=left["back"],
        repeated=left["repeat"],
        won=left["won"],
        lost=left["lost"],
        invalid=left["invalid"],
        changed_pipeline=left["pipeline_change"],
        migrated=left["migrate"],
        still_there=left[None],
        numerator=numerator,
        denominator=denominator,
        rate=None if numerator is None or denominator is None else share(numerator, denominator),
        reached=reached[index].n,
        cumulative=share(reached[index].n, reached[0].n),
        amount_minor=entered.amount_minor if mode == "stay" else reached[index].amount_minor,
        passed_over=passed_over,
        ended_won=is_won,
        ended=ended,
        win_rate=share(is_won, ended),
    )


def _conversion(
    mode: Mode, places: Sequence[str], sums: Sums, reached: Sequence[Count], index: int
) -> tuple[int | None, int | None]:
    """Numerator and denominator of M2 in the mode; the last step leads nowhere."""
    if index + 1 == len(reached):
        return None, None
    place = places[index]
    if mode == "stay":
        left = {via: sums.get((measure, place), ZERO).n for via, measure in LEFT_BY_VIA.items()}
        return left["advance"] + left["won"], sum(left.values()) - left[None]
    pair_lost = sums.get((PAIR_LOST, place), ZERO).n
    if mode == "visited":
        return sums.get((PAIR, place), ZERO).n + pair_lost, reached[index].n
    if mode == "filled_unless_lost":
        return _furthest(sums, places[index + 1 :]).n + pair_lost, reached[index].n
    return reached[index + 1].n, reached[index].n
