"""What a stage is and asks for, edited (S2–S4, S35–S37, S113)."""

from __future__ import annotations

from typing import Any

import pytest

from builder.errors import Invalid
from builder.metadata.differences import differences
from builder.metadata.documents import check
from builder.metadata.editing.stage_parts import (
    Action,
    DescribeStage,
    EquipStage,
    GuardStage,
    Indicator,
    Task,
)
from tests import factories

FLOW = factories.FLOW


def stage(document: Any, key: str = "a") -> Any:
    assert check("pipeline", document) == []
    return next(each for each in document["stages"] if each["key"] == key)


def test_what_is_emptied_is_taken_away() -> None:
    full = DescribeStage(
        "a", {"en": "Visit", "zh_Hans": "拜访"}, 15, "teal", "", {"en": "We met"}, {"en": "Trust"}
    )
    made = stage(full.apply(FLOW))
    assert (made["label"], made["color"], made["goal"]) == (full.label, "teal", {"en": "Trust"})
    emptied = stage(DescribeStage("a", {"en": "Visit"}, None).apply(full.apply(FLOW)))
    assert emptied.keys() == {"key", "label", "kind", "feedback", "tasks"}


def test_limits_of_a_stay_are_days_or_taken_away() -> None:
    days = {"target_days": 5, "warning_days": None, "breach_days": 12}
    made = DescribeStage("a", {"en": "Visit"}, None, **days).apply(FLOW)
    assert stage(made)["target_days"] == 5
    assert "warning_days" not in stage(made)
    told = [each for each in differences("pipeline", FLOW, made) if each.after == 12]
    assert [label.text("en") for label in told[0].path][-1] == "Breach (days)"
    assert "target_days" not in stage(DescribeStage("a", {"en": "Visit"}, None).apply(made))
    for wrong in (0, -1, 3651):
        with pytest.raises(Invalid) as caught:
            DescribeStage("a", {"en": "Visit"}, None, breach_days=wrong).apply(FLOW)
        assert caught.value.problems[0].place == "breach_days"
    end = next(each["key"] for each in FLOW["stages"] if each["kind"] == "won")
    with pytest.raises(Invalid, match="ends the process") as caught:
        DescribeStage(end, {"en": "Won"}, None, warning_days=3).apply(FLOW)
    assert caught.value.problems[0].place == "warning_days"


def test_tasks_keep_their_keys_and_sub_tasks_what_else_they_are_called() -> None:
    first = EquipStage(
        "a",
        [Action({"en": "Call them"}, "rep"), Action({"en": ""})],
        [
            Task("call", {"en": "Ring"}, "warn", "", ["Find the number", "Dial", "Dial"]),
            Task("", {"en": "Ring"}),
        ],
        [Indicator({"en": "Calls"}, " 50 ", {"en": "a month"})],
        "talk",
    )
    document = first.apply(FLOW)
    made = stage(document)
    assert made["key_actions"] == [{"label": {"en": "Call them"}, "role": "rep"}]
    assert [task["key"] for task in made["tasks"]] == ["call", "ring"]
    assert [each["key"] for each in made["tasks"][0]["subtasks"]] == ["find_the_number", "dial"]
    assert made["indicators"] == [{"label": {"en": "Calls"}, "target": "50", "unit": {"en": "a month"}}]
    made["tasks"][0]["subtasks"][1]["label"]["zh_Hans"] = "拨号"
    again = EquipStage(
        "a", tasks=[Task("call", {"en": "Ring"}, "block", "", ["拨号", "Note it"])], language="zh_Hans"
    )
    (task,) = stage(again.apply(document))["tasks"]
    assert task["subtasks"] == [
        {"key": "dial", "label": {"en": "Dial", "zh_Hans": "拨号"}},
        {"key": "note_it", "label": {"zh_Hans": "Note it"}},
    ]


def test_a_gate_keeps_its_conditions() -> None:
    condition = {"when": {"field": "worth", "op": "not_empty"}, "message": {"en": "Say its worth"}}
    stages = [{**FLOW["stages"][0], "gate": {"leave": {"conditions": [condition]}}}, *FLOW["stages"][1:]]
    edit = GuardStage(
        "a",
        required_fields=["due", "due"],
        marker={"en": "They said yes"},
        severities={"tasks": "warn", "marker": "block"},
        roles=["rep"],
        approver="manager",
        fallback_role="admin",
        enter_fields=["title"],
    )
    made = stage(edit.apply({**FLOW, "stages": stages}))
    assert made["marker"] == {"label": {"en": "They said yes"}}
    assert made["gate"] == {
        "leave": {
            "conditions": [condition],
            "required_fields": ["due"],
            "roles": ["rep"],
            "approval": {"approver": "manager", "fallback_role": "admin"},
            "tasks": "warn",
            "marker": "block",
        },
        "enter": {"required_fields": ["title"]},
    }
    emptied = stage(GuardStage("a").apply({**FLOW, "stages": stages}))
    assert emptied["gate"] == {"leave": {"conditions": [condition]}}
    assert "gate" not in stage(GuardStage("a").apply(FLOW))


@pytest.mark.parametrize(
    "edit",
    [
        DescribeStage("a", {"en": ""}, 10),
        DescribeStage("a", {"en": "A"}, 10, milestone="ghost"),
        DescribeStage("a", {"en": "A"}, 10, goal={"en": "x" * 4001}),
        EquipStage("ghost"),
        EquipStage("a", [Action({"en": str(number)}) for number in range(31)]),
        EquipStage("a", tasks=[Task("", {"en": "A"}, "never")]),
        EquipStage("a", tasks=[Task("", {"en": "A"}, subtasks=[str(number) for number in range(31)])]),
        GuardStage("a", severities={"tasks": "sometimes"}),
        GuardStage("a", approver="nobody"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(edit: Any) -> None:
    with pytest.raises(Invalid) as refused:
        edit.apply(FLOW)
    assert refused.value.problems
