"""Signed windows: any funnel over whole months, added up from cells, equals counting it by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import accumulate, combinations, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.funnel import MODES, UNLESS_LOST, Count, figures, sums_of_stays
from builder.domain.reach import FunnelSteps
from builder.domain.rollup import (
    ALL_TIME,
    Cell,
    Present,
    Sum,
    contributions,
    difference,
    figures_from_rollup,
    month_of,
    whole_months,
)
from builder.domain.stays import Stay, close_stay, open_stay
from builder.domain.win_sums import Ending
from tests.builder.domain.histories import PATH, T0, entered_between, histories, walk
from tests.builder.domain.selling import letters

STEPS = FunnelSteps.of(PATH)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = month_of(T0, SHANGHAI)
many = st.lists(histories(), max_size=5)


def start_of(month: int) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=SHANGHAI)


def added_up(
    records: list[tuple[Stay, ...]], start: int, end: int
) -> dict[tuple[str, str], dict[str, list[int]]]:
    """Sums over the cells inside [start, end): per measure and place, per currency."""
    totals: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for stays in records:
        for cell, sum_ in contributions(stays, STEPS, SHANGHAI).items():
            if start <= cell.month_from and cell.month_to < end:
                total = totals[cell.measure, cell.stage_key][cell.currency]
                total[0] += sum_.n
                total[1] += sum_.amount_minor
    return totals


def counts(
    totals: dict[tuple[str, str], dict[str, list[int]]], currency: str
) -> dict[tuple[str, str], Count]:
    found = {
        key: Count(sum(n for n, _ in by.values()), by.get(currency, [0, 0])[1]) for key, by in totals.items()
    }
    return {key: count for key, count in found.items() if count != Count(0, 0)}


@given(many, st.integers(0, 14), st.integers(1, 14), st.sampled_from(["EUR", "CNY"]))
def test_cells_of_a_period_add_up_to_what_its_stays_give(
    records: list, first: int, length: int, currency: str
) -> None:
    start, end = FIRST + first, FIRST + first + length
    by_hand = sums_of_stays(
        [(stays, entered_between(stays, start_of(start), start_of(end))) for stays in records],
        STEPS,
        currency,
    )
    assert counts(added_up(records, start, end), currency) == {
        key: count for key, count in by_hand.items() if count != Count(0, 0)
    }


@given(many, st.sampled_from(["EUR", "CNY"]))
def test_all_time_cells_count_stays_without_times_too(records: list, currency: str) -> None:
    by_hand = sums_of_stays([(stays, stays) for stays in records], STEPS, currency)
    assert counts(added_up(records, ALL_TIME, ALL_TIME + 1), currency) == by_hand


@given(many, st.integers(0, 14), st.integers(1, 14))
def test_figures_from_cells_equal_figures_from_stays(records: list, first: int, length: int) -> None:
    start, end = FIRST + first, FIRST + first + length
    periods = [(stays, entered_between(stays, start_of(start), start_of(end))) for stays in records]
    by_hand = sums_of_stays(periods, STEPS, "EUR")
    rows = [(*key, *count) for key, count in counts(added_up(records, start, end), "EUR").items()]
    for mode in (*MODES, UNLESS_LOST):
        assert figures_from_rollup(mode, STEPS, rows) == figures(mode, STEPS, by_hand)


@pytest.mark.parametrize("stays_in_month", list(product([False, True], repeat=3)))
def test_every_short_history_adds_up_in_every_range_with_its_amounts(
    stays_in_month: tuple[bool, ...],
) -> None:
    """Four visits to a, b or won, each in the month of the one before or the next, all amounts different."""
    months = list(accumulate((FIRST, *stays_in_month), lambda month, same: month + (not same)))
    for keys in product("ab", ["a", "b", "won"], ["a", "b", "won"], ["a", "b", "won"]):
        stays = tuple(
            stay._replace(entered_at=start_of(month) + timedelta(days=day), amount_minor=10**day)
            for day, (stay, month) in enumerate(zip(walk(" ".join(keys)), months, strict=True))
        )
        cells = contributions(stays, STEPS, SHANGHAI)
        for start, end in combinations(range(FIRST, months[-1] + 2), 2):
            totals: Counter[tuple[str, str]] = Counter()
            numbers: Counter[tuple[str, str]] = Counter()
            for cell, sum_ in cells.items():
                if start <= cell.month_from and cell.month_to < end:
                    numbers[cell.measure, cell.stage_key] += sum_.n
                    totals[cell.measure, cell.stage_key] += sum_.amount_minor
            by_hand = sums_of_stays([(stays, entered_between(stays, start_of(start), start_of(end)))], STEPS)
            assert {key: Count(n, totals[key]) for key, n in numbers.items() if n or totals[key]} == by_hand


def months_apart(words: str, *amounts: int) -> tuple[Stay, ...]:
    return tuple(
        stay._replace(entered_at=datetime(2026, 1 + place, 5, tzinfo=UTC), amount_minor=amount)
        for place, (stay, amount) in enumerate(zip(walk(words), amounts, strict=True))
    )


def test_moving_on_touches_few_cells() -> None:
    stays = months_apart("a b c won", 1, 1, 1, 1)
    open_again = (*stays[:2], stays[2]._replace(left_via=None))
    for before, after, most in ((stays[:0], open_again, 40), (open_again, stays, 40)):
        changes = difference(contributions(before, STEPS, UTC), contributions(after, STEPS, UTC))
        assert 0 < len(changes) <= most


def test_amount_follows_the_latest_entry_inside_the_range() -> None:
    stays = months_apart("a b a", 10, 20, 30)
    cells = contributions(stays, STEPS, UTC)
    january = 2026 * 12

    def visited_a(start: int, end: int) -> tuple[int, int]:
        inside = [
            sum_
            for cell, sum_ in cells.items()
            if cell.measure == "visit:open" and cell.stage_key == "a"
            if january + start <= cell.month_from and cell.month_to < january + end
        ]
        return sum(sum_.n for sum_ in inside), sum(sum_.amount_minor for sum_ in inside)

    assert visited_a(0, 1) == (1, 10)
    assert visited_a(0, 2) == (1, 10)
    assert visited_a(0, 3) == (1, 30)
    assert visited_a(1, 2) == (0, 0)


def test_month_is_that_of_the_workspace_zone() -> None:
    late = datetime(2026, 1, 31, 17, tzinfo=UTC)
    assert month_of(late, UTC) == 2026 * 12
    assert month_of(late, SHANGHAI) == 2026 * 12 + 1
    stay = open_stay(PATH, PATH.stages[0], late, "create")
    assert Cell("entry", "a", 2026 * 12 + 1, 2026 * 12 + 1) in contributions((stay,), STEPS, SHANGHAI)


def test_only_periods_of_whole_months_can_be_added_up() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=SHANGHAI), datetime(2026, 4, 1, tzinfo=SHANGHAI)
    assert whole_months(start, end, SHANGHAI) == (2026 * 12, 2026 * 12 + 3)
    assert whole_months(start, end - timedelta(seconds=1), SHANGHAI) is None
    assert whole_months(start, end, UTC) is None


@given(histories(), histories())
def test_difference_leads_from_one_to_the_other(one: tuple, other: tuple) -> None:
    before, after = contributions(one, STEPS, UTC), contributions(other, STEPS, UTC)
    changes = difference(before, after)
    assert difference(before, before) == {}
    result = dict(before)
    for cell, change in changes.items():
        old = result.get(cell, Sum(0, 0))
        result[cell] = Sum(*(a + b for a, b in zip(old, change, strict=True)))
    assert {cell: sum_ for cell, sum_ in result.items() if any(sum_)} == after


def test_present_gives_board_heads_with_exact_weights() -> None:
    cells = contributions((), STEPS, UTC, Present("b", 33, Ending("open", 333, "EUR", None, None)))
    assert cells.pop(Cell("ended", "open", 0, 0, "")) == Sum(1, 0, 0)
    assert cells == {Cell("now", "b", 0, 0, "EUR"): Sum(1, 333, 333 * 33)}


def test_other_pipelines_and_void_stays_contribute_nothing() -> None:
    assert contributions(walk("a b", letters(key="other")), STEPS, UTC) == {}
    stay = close_stay(walk("a")[0], None, "void")
    assert contributions((stay,), STEPS, UTC) == {}


@pytest.mark.parametrize(("words", "standing"), [("a b", "open"), ("a won", "won"), ("a lost", "lost")])
def test_visits_are_kept_by_how_the_record_stands(words: str, standing: str) -> None:
    measures = {cell.measure for cell in contributions(walk(words), STEPS, UTC) if cell.stage_key == "a"}
    assert f"visit:{standing}" in measures
