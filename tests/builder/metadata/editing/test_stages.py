"""Edits of a process: each leaves a document that the next one understands (part 1, S2–S5)."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import Invalid
from builder.metadata.documents import check, normalised
from builder.metadata.editing.stages import (
    AddStage,
    ChangePipeline,
    ChangeStage,
    OrderStages,
    RemoveStage,
    SetMilestones,
    SetMove,
    SetReasons,
    SetTransitions,
    StepStage,
    new_pipeline,
    possible,
)
from builder.metadata.lint import Surroundings, lint
from tests import factories

FLOW, FREE = factories.FLOW, factories.FREE


def keys(document: Any) -> list[str]:
    return [stage["key"] for stage in document["stages"]]


def test_one_arrow_is_drawn_or_taken_away_and_all_others_stay() -> None:
    before = possible(FREE)
    drawn = SetMove("lost", "a", True).apply(FREE)
    assert possible(drawn) == before | {("lost", "a")}
    assert ["lost", "a"] in drawn["transitions"]["allow"]
    assert possible(SetMove("lost", "a", False).apply(drawn)) == before
    without = SetMove("a", "c", False).apply(FREE)
    assert possible(without) == before - {("a", "c")}
    assert without["transitions"]["deny"] == [["a", "c"]]
    for wrong in (("a", "a"), ("a", "nowhere"), ("", "b")):
        with pytest.raises(Invalid):
            SetMove(*wrong, True).apply(FREE)


def test_a_new_process_could_be_published_as_it_is() -> None:
    made = new_pipeline({"en": "Tender", "zh_Hans": "投标"}, "matter", {"tender"})
    assert made["key"] == "tender_2"
    assert check("pipeline", made) == []
    around = Surroundings.of([factories.CASE, made])
    assert [each for each in lint("pipeline", made, around) if each.is_error] == []


def test_an_open_stage_comes_behind_the_open_ones_and_never_takes_an_old_key() -> None:
    made = AddStage({"en": "Visit"}, taken={"visit"}).apply(FLOW)
    assert keys(made) == ["a", "b", "c", "visit_2", "won", "lost", "invalid"]
    assert made["stages"][3]["probability"] == 80
    assert keys(AddStage({"zh_Hans": "搁置"}, "lost").apply(FLOW))[-1] == "stage"


def test_a_stage_goes_with_the_transitions_that_name_it() -> None:
    made = RemoveStage("c").apply(FLOW)
    assert keys(made) == ["a", "b", "won", "lost", "invalid"]
    assert made["transitions"]["allow"] == []
    assert keys(FLOW) == ["a", "b", "c", "won", "lost", "invalid"]


def test_stages_are_put_into_order() -> None:
    assert keys(StepStage("b", -1).apply(FLOW))[:2] == ["b", "a"]
    assert keys(StepStage("a", -1).apply(FLOW)) == keys(FLOW)
    assert keys(OrderStages(keys(FLOW)[::-1]).apply(FLOW)) == keys(FLOW)[::-1]
    with pytest.raises(Invalid):
        OrderStages(["a", "a"]).apply(FLOW)


PAIRS = st.sets(st.tuples(st.sampled_from(keys(FLOW)), st.sampled_from(keys(FLOW))))


@given(PAIRS, st.sampled_from(["any", "forward", "next", "none"]))
def test_whatever_the_rule_the_moves_are_those_that_were_asked_for(pairs: Any, rule: str) -> None:
    made = SetTransitions(rule, pairs).apply(FLOW)
    assert possible(made) == pairs
    assert check("pipeline", made) == []


def test_the_rule_alone_keeps_what_is_allowed_besides() -> None:
    made = SetTransitions("forward").apply(FLOW)
    assert made["transitions"] == {"default": "forward", "allow": [["won", "c"]]}
    assert ("won", "c") in possible(made)
    assert ("b", "a") not in possible(made)


def test_a_milestone_that_goes_leaves_its_stages_without_one() -> None:
    made = SetMilestones([("", {"en": "Win them"}), ("", {"en": ""})]).apply(FLOW)
    assert made["milestones"] == [{"key": "win_them", "label": {"en": "Win them"}}]
    made = ChangeStage("a", {"milestone": "win_them"}).apply(made)
    gone = SetMilestones([]).apply(made)
    assert "milestones" not in gone
    assert "milestone" not in gone["stages"][0]


def test_a_reason_that_is_left_out_is_retired_because_records_name_it() -> None:
    made = SetReasons("lost", [("", {"en": "Timing"})]).apply(FLOW)
    assert made["reasons"]["lost"] == [
        {"key": "timing", "label": {"en": "Timing"}},
        {"key": "price", "label": {"en": "Price"}, "retired": True},
    ]
    assert SetReasons("won", []).apply(FLOW)["reasons"] == FLOW["reasons"]


@pytest.mark.parametrize(
    "edit",
    [
        AddStage({"en": " "}),
        AddStage({"en": "x" * 201}),
        AddStage({"en": "Odd"}, "sideways"),
        ChangeStage("ghost", {}),
        ChangeStage("a", {"probability": 101}),
        RemoveStage("ghost"),
        StepStage("ghost", 1),
        SetTransitions("sideways"),
        SetReasons("open", []),
        ChangePipeline({"en": ""}),
        ChangePipeline({"en": "Flow"}, average_cycle_days=0),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(edit: Any) -> None:
    before = copy.deepcopy(FLOW)
    with pytest.raises(Invalid) as refused:
        edit.apply(FLOW)
    assert refused.value.problems
    assert before == FLOW


EDITS = st.one_of(
    st.builds(
        AddStage,
        st.fixed_dictionaries({"en": st.sampled_from(["A", "B", "阶段"])}),
        st.sampled_from(["open", "won", "lost"]),
    ),
    st.builds(RemoveStage, st.sampled_from(["a", "b", "c", "won", "stage"])),
    st.builds(StepStage, st.sampled_from(["a", "b", "c", "won", "stage"]), st.sampled_from([-1, 1])),
    st.builds(SetTransitions, st.sampled_from(["any", "forward", "next", "none"]), PAIRS),
    st.builds(SetMilestones, st.just([("", {"en": "One"}), ("", {"en": "Two"})])),
    st.builds(SetReasons, st.sampled_from(["won", "lost"]), st.just([("", {"en": "One"})])),
    st.builds(
        ChangeStage,
        st.sampled_from(["a", "b", "c"]),
        st.fixed_dictionaries({"probability": st.integers(0, 100), "milestone": st.just("one") | st.none()}),
    ),
)


@given(st.lists(EDITS, max_size=8))
def test_any_sequence_of_edits_gives_a_sound_shape_or_names_what_is_wrong(edits: list[Any]) -> None:
    document = FLOW
    for edit in edits:
        with suppress(Invalid):
            document = edit.apply(document)
    assert check("pipeline", document) == []
    assert normalised(normalised(document)) == normalised(document)
    around = Surroundings.of([factories.CASE, factories.TALK, document, *factories.ROLES])
    for problem in lint("pipeline", document, around):
        assert problem.place.startswith("/") or problem.place == ""
