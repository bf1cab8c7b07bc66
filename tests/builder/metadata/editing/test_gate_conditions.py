"""Conditions of a gate are put in, changed and taken out; nothing else of the stage is touched."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from builder.metadata.documents import check
from builder.metadata.editing.edit import Refused
from builder.metadata.editing.gate_conditions import MOST_CONDITIONS, PutCondition, RemoveCondition, Side
from tests.factories import FLOW

HOT = {"field": "heat", "op": "eq", "value": "hot"}
SAID = {"en": "Warm it up first.", "zh_Hans": "请先预热。"}


def gate(document: dict[str, Any]) -> Any:
    return document["stages"][0].get("gate")


@pytest.mark.parametrize("side", ["leave", "enter"])
def test_what_is_put_in_can_be_changed_and_taken_out_without_a_trace(side: Side) -> None:
    before = copy.deepcopy(FLOW)
    made = PutCondition("a", side, None, HOT, SAID, "warn", ("lost", "price")).apply(before)
    assert before == FLOW
    assert check("pipeline", made) == []
    assert gate(made)[side]["conditions"] == [
        {"when": HOT, "message": SAID, "severity": "warn", "offer": {"stage": "lost", "reason": "price"}}
    ]
    changed = PutCondition("a", side, 0, {"not": HOT}, {"en": "No."}).apply(made)
    assert gate(changed)[side]["conditions"] == [
        {"when": {"not": HOT}, "message": {"en": "No."}, "severity": "block"}
    ]
    assert RemoveCondition("a", side, 0).apply(changed) == FLOW


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"when": {"all": []}}, "condition"),
        ({"message": {"en": " "}}, "message-en"),
        ({"severity": "maybe"}, "severity"),
        ({"offer": ("b", "")}, "offer"),
        ({"number": 3}, ""),
        ({"stage_key": "gone"}, ""),
    ],
)
def test_what_cannot_be_names_its_control(wrong: dict[str, Any], place: str) -> None:
    given = {"stage_key": "a", "side": "leave", "number": None, "when": HOT, "message": SAID, **wrong}
    with pytest.raises(Refused) as refused:
        PutCondition(**given).apply(FLOW)
    assert refused.value.problems[0].place == place


def test_a_gate_has_room_for_so_many_and_what_is_gone_cannot_go_again() -> None:
    document = copy.deepcopy(FLOW)
    for _ in range(MOST_CONDITIONS):
        document = PutCondition("a", "leave", None, HOT, SAID).apply(document)
    with pytest.raises(Refused):
        PutCondition("a", "leave", None, HOT, SAID).apply(document)
    with pytest.raises(Refused):
        RemoveCondition("a", "leave", MOST_CONDITIONS).apply(document)
