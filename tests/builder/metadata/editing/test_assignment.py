"""Edits of which process for whom: each leaves a document that is well formed and that the next one takes."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import Invalid
from builder.metadata.documents import check
from builder.metadata.editing.assignment import (
    AssignDepartments,
    OrderRules,
    PutRule,
    RemoveRule,
    SetDefault,
    StepRule,
    SwitchRule,
    rules_of,
)
from builder.metadata.editing.edit import Refused
from tests.factories import CASE

HOT = {"field": "heat", "op": "eq", "value": "hot"}
KNOWN = ("flow", "free")


def rule(name: str, pipeline: str = "flow", key: str | None = None) -> PutRule:
    return PutRule({"en": name} if name else {}, HOT, pipeline, KNOWN, key)


def applied(*edits: Any) -> Any:
    document: Any = copy.deepcopy(CASE)
    for edit in edits:
        document = edit.apply(document)
    return document


def keys(document: Any) -> list[str]:
    return [each["key"] for each in rules_of(document)]


def test_rules_get_keys_from_their_names_and_keep_them() -> None:
    made = applied(rule("Hot ones"), rule("Hot ones"), rule(""), rule("Cold ones", "free", "hot_ones"))
    assert keys(made) == ["hot_ones", "hot_ones_2", "rule"]
    assert rules_of(made)[0] == {
        "key": "hot_ones", "label": {"en": "Cold ones"}, "when": HOT, "pipeline": "free",
    }  # fmt: skip


def test_rules_are_put_into_order_and_switched() -> None:
    three = (rule("A"), rule("B"), rule("C"))
    assert keys(applied(*three, StepRule("c", -1), StepRule("a", -1))) == ["a", "c", "b"]
    assert keys(applied(*three, OrderRules(("c", "a", "b")))) == ["c", "a", "b"]
    off = applied(*three, SwitchRule("b", is_on=False))
    assert [each.get("off") for each in rules_of(off)] == [None, True, None]
    assert SwitchRule("b", is_on=True).apply(off) == applied(*three)


def test_nothing_is_left_of_an_assignment_that_says_nothing() -> None:
    assert applied(rule("A"), RemoveRule("a"), SetDefault("", KNOWN)) == CASE
    assigned = AssignDepartments("flow", (7, 7, 9), (7, 8), KNOWN)
    assert applied(assigned)["processes"] == {"departments": {"flow": ["7"]}}
    assert applied(assigned, AssignDepartments("flow", (), (7, 8), KNOWN)) == CASE


@pytest.mark.parametrize(
    "edit",
    [
        rule("A", "gone"),
        rule("A", key="gone"),
        RemoveRule("gone"),
        SwitchRule("gone", is_on=True),
        StepRule("gone", 1),
        OrderRules(("gone",)),
        SetDefault("gone", KNOWN),
        AssignDepartments("gone", (), (), KNOWN),
    ],
)
def test_what_is_not_there_is_refused(edit: Any) -> None:
    with pytest.raises(Refused):
        edit.apply(CASE)


NAMES = st.sampled_from(["a", "b", "c"])
EDITS = st.one_of(
    st.builds(rule, st.sampled_from(["A", "B", "甲", ""]), st.sampled_from(["flow", "free", "gone"])),
    st.builds(RemoveRule, NAMES),
    st.builds(SwitchRule, NAMES, st.booleans()),
    st.builds(StepRule, NAMES, st.sampled_from([-1, 1])),
    st.builds(lambda keys: OrderRules(tuple(keys)), st.lists(NAMES, unique=True)),
    st.builds(SetDefault, st.sampled_from(["", "flow", "gone"]), st.just(KNOWN)),
    st.builds(
        AssignDepartments,
        st.sampled_from(KNOWN),
        st.lists(st.integers(1, 4)).map(tuple),
        st.just((1, 2)),
        st.just(KNOWN),
    ),
)


@given(st.lists(EDITS, max_size=8))
def test_any_sequence_of_edits_leaves_a_document_of_the_right_shape(edits: list[Any]) -> None:
    document: Any = copy.deepcopy(CASE)
    for edit in edits:
        with suppress(Invalid):
            document = edit.apply(document)
    assert check("object", document) == []
    assert len(set(keys(document))) == len(keys(document))
