"""What changed is named as people know it (B7)."""

from __future__ import annotations

import copy
from typing import Any

from builder.metadata.differences import differences
from tests import factories


def told(before: Any, after: Any, locale: str = "en") -> list[tuple[str, str, Any, Any]]:
    return [
        (each.what, " / ".join(label.text(locale) for label in each.path), each.before, each.after)
        for each in differences((before or after)["kind"], before, after)
    ]


def test_nothing_changed_says_nothing() -> None:
    assert told(factories.CASE, copy.deepcopy(factories.CASE)) == []


def test_a_document_that_is_new_or_goes() -> None:
    assert [each[:2] for each in told(None, factories.FLOW)] == [("added", "")]
    assert [each[:2] for each in told(factories.FLOW, None)] == [("removed", "")]


def test_fields_and_their_properties() -> None:
    after = copy.deepcopy(factories.CASE)
    fields = after["fields"]
    fields["properties"]["worth"]["x-label"] = {"en": "Value"}
    fields["properties"]["city"] = factories.text_field("City")
    fields["properties"]["heat"]["x-options"].append({"key": "warm", "label": {"en": "Warm"}})
    fields["properties"]["heat"]["x-layout"] = "radio"
    del fields["properties"]["note"]
    fields["required"] = ["title", "due"]
    found = told(factories.CASE, after)
    assert ("changed", "Fields / Fields / Value / Name", {"en": "Worth"}, {"en": "Value"}) in found
    assert ("added", "Fields / Fields / City", None, factories.text_field("City")) in found
    assert (
        "added",
        "Fields / Fields / Heat / Options / Warm",
        None,
        fields["properties"]["heat"]["x-options"][-1],
    ) in found
    assert ("added", "Fields / Fields / Heat / Layout", None, "radio") in found
    assert ("removed", "Fields / Fields / Note") in [each[:2] for each in found]
    assert ("changed", "Fields / Required fields", ["title"], ["title", "due"]) in found
    assert len(found) == 6
    assert "字段 / 字段 / Heat / 布局" in [each[1] for each in told(factories.CASE, after, "zh_Hans")]


def test_stages_are_known_by_their_names_and_an_order_is_one_change() -> None:
    after = copy.deepcopy(factories.FLOW)
    a, b, c, *ends = after["stages"]
    after["stages"] = [b, a, {**c, "probability": 70}, *ends]
    assert told(factories.FLOW, after) == [
        (
            "moved",
            "Stages",
            ["a", "b", "c", "won", "lost", "invalid"],
            ["b", "a", "c", "won", "lost", "invalid"],
        ),
        ("changed", "Stages / C / Win rate (%)", 80, 70),
    ]


def test_what_consists_of_parts_is_told_part_by_part_when_it_is_new_or_gone() -> None:
    rule = {"key": "hot", "label": {"en": "Hot"}, "when": {"all": []}, "pipeline": "flow"}
    after = {**factories.CASE, "processes": {"rules": [rule], "departments": {"flow": ["7"]}}}
    assert told(factories.CASE, after) == [
        ("added", "Which process for whom / Rules / Hot", None, rule),
        ("added", "Which process for whom / Departments / flow", None, ["7"]),
    ]
    assert [each[:2] for each in told(after, factories.CASE)] == [
        ("removed", "Which process for whom / Rules / Hot"),
        ("removed", "Which process for whom / Departments / flow"),
    ]
