"""Which process for whom: order, conditions, departments and defaults (S6–S10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.assignment import (
    ACTOR_TYPES,
    DEPARTMENTS,
    Assignment,
    AssignmentRule,
    Choice,
    Situation,
    choose,
    covers,
    is_always,
    is_never,
    unmet_parts,
)
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import All, AnyOf, Comparison, Condition, Not, evaluate
from builder.domain.fields import FieldDefinition
from builder.domain.labels import Label

CONTEXT = EvaluationContext(datetime(2026, 11, 22, tzinfo=UTC))
FIELDS = {
    name: FieldDefinition(name, type_key, Label.of(name))
    for name, type_key in {"kind": "choice", "trade": "choice", "size": "integer", **ACTOR_TYPES}.items()
}
PIPELINES = ("plain", "state", "steel")
GOVERNMENT = Comparison("kind", "eq", "government")
STEEL = Comparison("trade", "eq", "steel")


def situation(departments: tuple[int, ...] = (), **values: Any) -> Situation:
    asked = {**values, DEPARTMENTS: [str(each) for each in departments]}
    return Situation(asked, FIELDS, frozenset(departments), CONTEXT)


def rule(key: str, when: Condition, pipeline: str, *, is_on: bool = True) -> AssignmentRule:
    return AssignmentRule(key, when, pipeline, is_on=is_on)


BOTH = Assignment(
    (
        rule("both", All((GOVERNMENT, STEEL)), "steel"),
        rule("state", GOVERNMENT, "state"),
        rule("big", Comparison("size", "ge", 100), "steel"),
    ),
    default="plain",
)


def chosen(assignment: Assignment, at: Situation, otherwise: str | None = None) -> Choice:
    return choose(assignment, PIPELINES, at, otherwise)


@pytest.mark.parametrize(
    ("values", "process", "via"),
    [
        ({"kind": "government", "trade": "steel"}, "steel", "rule"),
        ({"kind": "government", "trade": "retail"}, "state", "rule"),
        ({"kind": "government", "size": 500}, "state", "rule"),
        ({"kind": "firm", "size": 500}, "steel", "rule"),
        ({"kind": "firm"}, "plain", "default"),
        ({}, "plain", "default"),
    ],
)
def test_the_first_rule_that_holds_decides_and_otherwise_the_default(
    values: Mapping[str, Any], process: str, via: str
) -> None:
    found = chosen(BOTH, situation(**values))
    assert (found.pipeline_key, found.via) == (process, via)


def test_every_rule_says_what_came_of_it_and_which_parts_do_not_hold() -> None:
    asked = chosen(BOTH, situation(kind="government", size=500)).asked
    assert [each.verdict for each in asked] == ["does_not_hold", "fires", "later"]
    assert asked[0].unmet == (STEEL,)


def test_a_rule_that_is_off_or_leads_nowhere_or_asks_for_what_is_hidden_is_passed_over() -> None:
    rules = (
        rule("off", GOVERNMENT, "steel", is_on=False),
        rule("gone", GOVERNMENT, "closed_long_ago"),
        rule("hidden", Comparison("secret", "empty"), "steel"),
        rule("wrong", Comparison("size", "contains", "x"), "steel"),
        rule("last", GOVERNMENT, "state"),
    )
    found = chosen(Assignment(rules), situation(kind="government"))
    assert [each.verdict for each in found.asked] == ["off", "no_process", "unknown", "unknown", "fires"]
    assert found.pipeline_key == "state"


def test_a_process_of_other_departments_is_neither_proposed_nor_open() -> None:
    assignment = replace(BOTH, departments={"state": frozenset({7}), "plain": frozenset({8})})
    mine = chosen(assignment, situation((1, 7), kind="government"))
    theirs = chosen(assignment, situation((1, 9), kind="government"))
    assert (mine.pipeline_key, mine.open_keys) == ("state", ("state", "steel"))
    assert [each.verdict for each in theirs.asked] == ["does_not_hold", "not_open", "does_not_hold"]
    # The default is not open to them either, so the only one that is counts.
    assert (theirs.pipeline_key, theirs.via, theirs.open_keys) == ("steel", "only", ("steel",))


def test_people_below_a_department_may_start_what_is_assigned_to_it() -> None:
    assignment = Assignment(departments={"plain": frozenset({1})})
    assert assignment.is_open("plain", {5, 1})
    assert not assignment.is_open("plain", {5})
    assert assignment.is_open("state", ())


def test_a_rule_about_a_branch_holds_for_everybody_in_it() -> None:
    branch = Assignment((rule("south", Comparison(DEPARTMENTS, "has_any", ("3",)), "state"),))
    assert chosen(branch, situation((1, 3, 12))).pipeline_key == "state"
    assert chosen(branch, situation((1, 4))).pipeline_key is None


def test_the_default_of_a_conversion_comes_before_that_of_the_object() -> None:
    assert chosen(BOTH, situation(), "steel").pipeline_key == "steel"
    assert chosen(BOTH, situation(), "unknown").pipeline_key == "plain"
    assert chosen(BOTH, situation(kind="government"), "steel").pipeline_key == "state"


def test_without_rules_default_and_single_process_a_person_chooses() -> None:
    assert chosen(Assignment(), situation()) == Choice(None, "nothing", PIPELINES)


CONDITIONS = st.recursive(
    st.sampled_from(
        [
            GOVERNMENT,
            STEEL,
            Comparison("kind", "ne", "firm"),
            Comparison("trade", "empty"),
            Comparison("trade", "not_empty"),
            Comparison("size", "lt", 100),
        ]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["government", "firm"]),
        "trade": st.sampled_from(["steel", "retail"]),
        "size": st.sampled_from([1, 500]),
    },
)
RULES = st.lists(st.tuples(CONDITIONS, st.sampled_from([*PIPELINES, "gone"]), st.booleans()), max_size=5)


@given(RULES, VALUES, st.dictionaries(st.sampled_from(PIPELINES), st.frozensets(st.integers(1, 3))))
def test_what_is_chosen_is_the_first_that_holds_is_on_and_is_open(
    made: list[tuple[Condition, str, bool]], values: dict[str, Any], departments: dict[str, frozenset[int]]
) -> None:
    rules = tuple(rule(f"r{n}", when, key, is_on=on) for n, (when, key, on) in enumerate(made))
    assignment, at = Assignment(rules, departments=departments), situation((2,), **values)
    possible = [
        each
        for each in rules
        if each.is_on
        and each.pipeline_key in PIPELINES
        and assignment.is_open(each.pipeline_key, (2,))
        and evaluate(each.when, at.values, FIELDS, CONTEXT)
    ]
    found = chosen(assignment, at)
    assert found.rule == (possible[0] if possible else None)
    assert found.pipeline_key is None or found.pipeline_key in found.open_keys


@given(CONDITIONS, VALUES)
def test_no_part_is_unmet_exactly_when_the_condition_holds(when: Condition, values: dict[str, Any]) -> None:
    at = situation(**values)

    def holds(part: Condition) -> bool:
        return evaluate(part, at.values, FIELDS, CONTEXT)

    unmet = unmet_parts(when, holds)
    assert (not unmet) == holds(when)
    assert not any(map(holds, unmet))


@given(CONDITIONS, CONDITIONS, VALUES)
def test_always_never_and_covers_say_nothing_wrong(
    a: Condition, b: Condition, values: dict[str, Any]
) -> None:
    at = situation(**values)
    first, second = (evaluate(each, at.values, FIELDS, CONTEXT) for each in (a, b))
    assert first or not is_always(a)
    assert not first or not is_never(a)
    if covers(a, b):
        assert first or not second


def test_a_condition_that_plainly_holds_for_everything_is_seen() -> None:
    empty, filled = Comparison("trade", "empty"), Comparison("trade", "not_empty")
    assert is_always(All(()))
    assert is_always(AnyOf((empty, filled)))
    assert is_never(All((GOVERNMENT, empty, filled)))
    assert is_never(AnyOf(()))
    assert covers(GOVERNMENT, All((STEEL, GOVERNMENT)))
    assert not covers(All((STEEL, GOVERNMENT)), GOVERNMENT)
