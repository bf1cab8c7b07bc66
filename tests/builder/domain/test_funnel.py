"""Figures of a funnel: the table of metrics.md, the identity, and what must hold after any moves."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.funnel import (
    DEFINITIONS,
    MODES,
    FunnelFigures,
    JourneyGroup,
    Mode,
    chained,
    figures,
    sums_of_journeys,
    sums_of_stays,
)
from builder.domain.journey import encode
from builder.domain.labels import Label
from builder.domain.pipeline import FunnelDefinition, FunnelStep
from builder.domain.reach import FunnelSteps
from tests.builder.domain.histories import ONE_HISTORY, PATH, histories, walk
from tests.builder.domain.selling import letters, pipeline, stage

STEPS = FunnelSteps.of(PATH)
many = st.lists(histories(), max_size=8)


def funnel(mode: Mode, *histories: str) -> FunnelFigures:
    groups = [JourneyGroup(encode(walk(words)), 1, 100) for words in histories]
    return figures(mode, STEPS, sums_of_journeys(groups, STEPS))


@pytest.mark.parametrize(
    ("mode", "a_to_b", "b_to_c"),
    [
        ("visited", (4, 7), (2, 5)),
        ("strict", (4, 7), (1, 4)),
        ("filled", (6, 8), (3, 6)),
        ("stay", (6, 7), (2, 6)),
    ],
)
def test_one_history_four_modes(mode: Mode, a_to_b: tuple[int, int], b_to_c: tuple[int, int]) -> None:
    a, b, _, won = funnel(mode, *ONE_HISTORY).steps
    assert (a.numerator, a.denominator) == a_to_b
    assert (b.numerator, b.denominator) == b_to_c
    assert a.rate == Fraction(*a_to_b)
    assert (won.numerator, won.denominator, won.rate) == (None, None, None)


def test_one_history_has_no_lost_record_that_skipped_a_step_so_the_option_changes_nothing() -> None:
    filled, unfilled = funnel("filled", *ONE_HISTORY), funnel("filled_unless_lost", *ONE_HISTORY)
    a, b, _, _ = unfilled.steps
    assert (a.numerator, a.denominator, b.numerator, b.denominator) == (6, 8, 3, 6)
    assert unfilled.steps == filled.steps
    assert unfilled.definition == DEFINITIONS["filled_unless_lost"] != filled.definition


def test_lost_records_do_not_fill_steps_that_they_skipped() -> None:
    lost = ("a c lost", "b lost", "c lost")
    filled = funnel("filled", *ONE_HISTORY, *lost).steps
    unfilled = funnel("filled_unless_lost", *ONE_HISTORY, *lost).steps
    assert [step.reached for step in filled] == [11, 9, 5, 2]
    assert [step.reached for step in unfilled] == [9, 7, 5, 2]
    assert [(step.numerator, step.denominator) for step in filled[:3]] == [(9, 11), (5, 9), (2, 5)]
    # Only "a c lost" was in a; it did not visit b.
    assert [(step.numerator, step.denominator) for step in unfilled[:3]] == [(6, 9), (3, 7), (2, 5)]
    # Invalid records and reopened ones fill.
    for words in ("a c invalid", "a c lost a", "a c won"):
        assert funnel("filled_unless_lost", words).steps[1].reached == 1


def test_one_history_flows_add_up() -> None:
    result = funnel("stay", *ONE_HISTORY)
    a = result.steps[0]
    assert (a.entered, a.advanced, a.lost, a.still_there) == (9, 6, 1, 2)
    b = result.steps[1]
    assert (b.entered, b.advanced, b.back, b.lost, b.invalid, b.still_there) == (6, 2, 2, 1, 1, 0)
    assert result.identity
    assert result.steps[3].still_there == 2


def test_winning_from_any_stage_is_a_way_forward() -> None:
    a, _, c, won = funnel("stay", *ONE_HISTORY, "a won").steps
    assert (a.numerator, a.denominator, a.won) == (7, 8, 1)
    assert (c.numerator, c.denominator, c.still_there) == (2, 2, 1)
    assert (won.entered, won.still_there) == (3, 3)


def test_cumulative_is_reached_over_reached_first() -> None:
    assert [step.cumulative for step in funnel("filled", *ONE_HISTORY).steps] == [
        1,
        Fraction(6, 8),
        Fraction(3, 8),
        Fraction(2, 8),
    ]


def test_stage_win_rate_counts_ended_records_that_visited() -> None:
    b = funnel("visited", *ONE_HISTORY).steps[1]
    assert (b.ended_won, b.ended, b.win_rate) == (1, 3, Fraction(1, 3))


def test_records_that_jumped_over_a_step_are_printed() -> None:
    assert [step.passed_over for step in funnel("filled", *ONE_HISTORY).steps] == [1, 1, 0, 0]


def test_empty_funnel_has_no_rates_and_keeps_the_identity() -> None:
    for mode in MODES:
        result = funnel(mode)
        assert [step.rate for step in result.steps] == [None] * 4
        assert [step.cumulative for step in result.steps] == [None] * 4
        assert result.identity
        assert result.definition == DEFINITIONS[mode]


def test_reopened_record_stands_as_it_does_now_and_was_won_once() -> None:
    won = funnel("filled", "a won b").steps
    assert (won[3].reached, won[3].back, won[3].still_there) == (1, 1, 0)
    assert (won[0].ended, won[0].win_rate) == (0, None)


def test_second_won_stage_counts_as_the_won_step() -> None:
    path = pipeline(stage("a", 0), stage("gold", 1, "won"), stage("silver", 2, "won"))
    steps = FunnelSteps.of(path)
    assert steps.places == ("a", "gold")
    groups = [JourneyGroup(encode(walk(words, path)), 1) for words in ("a gold", "a silver", "a")]
    for mode in ("visited", "strict", "filled"):
        a = figures(mode, steps, sums_of_journeys(groups, steps)).steps[0]
        assert (a.numerator, a.denominator) == (2, 3)


def test_moved_to_another_pipeline_is_neither_lost_nor_still_there() -> None:
    left = walk("a")[0]._replace(left_via="pipeline_change")
    journey = encode((left, *walk("a b", letters(key="other"))))
    a, b, *_ = figures("stay", STEPS, sums_of_journeys([JourneyGroup(journey, 3, 30)], STEPS)).steps
    assert (a.entered, a.changed_pipeline, a.still_there, a.lost) == (3, 3, 0, 0)
    assert (a.numerator, a.denominator, b.entered) == (0, 3, 0)


def test_void_stays_are_removed_from_both_sides() -> None:
    stays = walk("a b")
    void = (stays[0]._replace(left_via="void"), stays[1])
    result = figures("visited", STEPS, sums_of_journeys([JourneyGroup(encode(void), 1)], STEPS))
    assert (result.steps[0].entered, result.steps[1].entered, result.identity) == (0, 1, True)


def test_visit_to_a_removed_stage_reaches_nothing_and_breaks_nothing() -> None:
    path = pipeline(stage("a", 0), stage("gone", 1), stage("b", 2))
    now = FunnelSteps.of(pipeline(stage("a", 0), stage("b", 1)))
    sums = sums_of_journeys([JourneyGroup(encode(walk("a gone b", path)), 1)], now)
    a, b = figures("visited", now, sums).steps
    assert (a.numerator, a.advanced, b.reached) == (1, 1, 1)


@given(many)
def test_identity_holds_after_random_moves(records: list) -> None:
    groups = [JourneyGroup(encode(stays), 1) for stays in records]
    for mode in MODES:
        result = figures(mode, STEPS, sums_of_journeys(groups, STEPS))
        assert result.identity
        for step in result.steps:
            live = [
                stay
                for stays in records
                for stay in stays
                if not stay.is_void and stay.stage_key == step.stage
            ]
            assert step.entered == len(live)
            assert step.still_there == sum(stay.is_running for stay in live)


@given(many)
def test_modes_keep_their_order_and_rates_stay_rates(records: list) -> None:
    sums = sums_of_journeys([JourneyGroup(encode(stays), 1) for stays in records], STEPS)
    visited, strict, filled, stay = (figures(mode, STEPS, sums).steps for mode in MODES)
    for rows in (visited, strict, filled, stay):
        for row in rows[:-1]:
            assert row.numerator is not None
            assert row.denominator is not None
            assert 0 <= row.numerator <= row.denominator
            assert (row.rate is None) == (row.denominator == 0)
    for v, s, f in zip(visited, strict, filled, strict=True):
        assert s.reached <= v.reached <= f.reached
        assert f.passed_over == f.reached - v.reached
    assert [row.reached for row in filled] == sorted((row.reached for row in filled), reverse=True)


@given(many)
def test_without_filling_lost_records_count_as_visited_and_all_others_as_filled(records: list) -> None:
    def counted(mode: Mode, chosen: list) -> list[tuple[int, int, int]]:
        sums = sums_of_journeys([JourneyGroup(encode(stays), 1, 7) for stays in chosen], STEPS)
        rows = figures(mode, STEPS, sums).steps
        return [(row.numerator or 0, row.reached, row.amount_minor) for row in rows]

    is_lost = [STEPS.standing_of_stays(stays) == "lost" for stays in records]
    lost = [stays for stays, lost in zip(records, is_lost, strict=True) if lost]
    others = [stays for stays, lost in zip(records, is_lost, strict=True) if not lost]
    parts = zip(counted("visited", lost), counted("filled", others), strict=True)
    expected = [tuple(map(sum, zip(one, other, strict=True))) for one, other in parts]
    unfilled = counted("filled_unless_lost", records)
    assert unfilled == expected
    for (numerator, reached, _), (_, most, _) in zip(unfilled, counted("filled", records), strict=True):
        assert numerator <= reached <= most


@given(many)
def test_journeys_and_stays_give_the_same_numbers(records: list) -> None:
    groups = [JourneyGroup(encode(stays), 1) for stays in records]
    by_journey = sums_of_journeys(groups, STEPS)
    by_stays = sums_of_stays([(stays, stays) for stays in records], STEPS)
    assert {key: count.n for key, count in by_journey.items()} == {
        key: count.n for key, count in by_stays.items()
    }


def test_weights_multiply_numbers_and_carry_amounts() -> None:
    group = JourneyGroup(encode(walk("a b")), 5, 700)
    a, b, *_ = figures("visited", STEPS, sums_of_journeys([group], STEPS)).steps
    assert (a.numerator, a.denominator, a.amount_minor, b.amount_minor) == (5, 5, 700, 700)


def test_amount_of_a_step_is_the_one_at_its_latest_entry() -> None:
    stays = [
        stay._replace(amount_minor=amount) for stay, amount in zip(walk("a b a b"), (1, 2, 3, 4), strict=True)
    ]
    sums = sums_of_stays([(stays, stays)], STEPS)
    assert [step.amount_minor for step in figures("visited", STEPS, sums).steps] == [3, 4, 0, 0]
    assert [step.amount_minor for step in figures("filled", STEPS, sums).steps] == [4, 4, 0, 0]
    assert [step.amount_minor for step in figures("stay", STEPS, sums).steps] == [4, 6, 0, 0]


def test_chained_funnel_over_a_conversion_link() -> None:
    leads = pipeline(
        stage("new", 0), stage("good", 1), stage("converted", 2, "won"), stage("bad", 3, "lost"), key="leads"
    )
    names = (("leads", "new"), ("leads", "good"), ("path", "a"), ("path", "c"), ("path", "won"))
    steps = tuple(FunnelStep(*name) for name in names)
    definition = FunnelDefinition("whole", Label(()), steps, "record", "x")
    chain = FunnelSteps.chained(definition, {"leads": leads, "path": PATH})
    assert chain.places == ("leads/new", "leads/good", "path/a", "path/c", "path/won")

    def journey(words: str, path: object = leads) -> str:
        return encode(walk(words, path))  # type: ignore[arg-type]

    paths = [
        ((journey("new good converted"), journey("a b c won", PATH)), 1, 0),
        ((journey("new converted"), journey("a b lost", PATH), journey("a c", PATH)), 1, 0),
        ((journey("new good bad"),), 2, 0),
        ((journey("new"),), 1, 0),
    ]
    filled = chained("filled", chain, paths).steps
    assert [step.reached for step in filled] == [5, 4, 2, 2, 1]
    visited = chained("visited", chain, paths).steps
    assert [(step.numerator, step.denominator) for step in visited[:-1]] == [(3, 5), (1, 3), (2, 2), (1, 2)]
    assert [step.entered for step in visited] == [5, 3, 3, 2, 1]
    assert chained("stay", chain, paths).identity


def test_converted_lead_without_a_linked_record_reached_the_last_step_of_its_pipeline() -> None:
    leads = pipeline(stage("new", 0), stage("good", 1), stage("converted", 2, "won"), key="leads")
    steps = (FunnelStep("leads", "new"), FunnelStep("leads", "good"), FunnelStep("path", "a"))
    chain = FunnelSteps.chained(
        FunnelDefinition("w", Label(()), steps, "record", "x"), {"leads": leads, "path": PATH}
    )
    result = chained("filled", chain, [((encode(walk("new converted", leads)),), 1, 0)])
    assert [step.reached for step in result.steps] == [1, 1, 0]


def test_debts_and_amounts_are_added_apart_and_together() -> None:
    one, other = (encode(walk(path)) for path in ("a b", "a b c"))
    groups = [JourneyGroup(one, 5, -700), JourneyGroup(other, 2, 300), JourneyGroup(one, 1, 2**62)]

    a, b, c, *_ = figures("visited", STEPS, sums_of_journeys(groups, STEPS)).steps

    assert (a.reached, b.reached, c.reached) == (8, 8, 2)
    assert (a.amount_minor, b.amount_minor, c.amount_minor) == (2**62 - 400, 2**62 - 400, 300)
