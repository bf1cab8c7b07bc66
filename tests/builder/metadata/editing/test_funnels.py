"""Edits of a funnel over several processes (M0)."""

from __future__ import annotations

from typing import Any

import pytest

from builder.errors import Invalid
from builder.metadata.documents import check
from builder.metadata.editing.edit import Edit
from builder.metadata.editing.funnels import AddStep, ChangeFunnel, SetSteps, ShiftStep, new_funnel
from builder.metadata.lint import lint
from tests.builder.metadata import samples

KNOWN = (("flow", "fresh"), ("flow", "yes"), ("after", "care"))
NEW = new_funnel({"en": "Whole way"}, ("flow", "fresh"), ())


def made(edit: Edit, document: Any = NEW) -> Any:
    changed = edit.apply(document)
    assert check("funnel", changed) == []
    return changed


def places(document: Any) -> list[str]:
    return [f"{step['pipeline']}>{step['stage']}" for step in document["steps"]]


def test_a_new_funnel_is_sound() -> None:
    assert check("funnel", NEW) == []
    assert lint("funnel", NEW, samples.surroundings()) == []
    assert NEW["key"] == "whole_way"
    assert new_funnel({"zh_Hans": "全程"}, ("flow", "fresh"), {"funnel"})["key"] == "funnel_2"


def test_a_step_is_added_behind_the_last_of_its_process() -> None:
    funnel = made(AddStep(("after", "care"), KNOWN))
    funnel = made(AddStep(("flow", "yes"), KNOWN), funnel)
    assert places(funnel) == ["flow>fresh", "flow>yes", "after>care"]
    with pytest.raises(Invalid, match="Nothing was changed"):
        AddStep(("flow", "yes"), KNOWN).apply(funnel)
    with pytest.raises(Invalid):
        AddStep(("flow", "ghost"), KNOWN).apply(funnel)


def test_steps_are_named_ordered_and_taken_out() -> None:
    funnel = made(AddStep(("flow", "yes"), KNOWN))
    rows = [(("flow", "yes"), {"en": "Sold", "zh_Hans": ""}), (("flow", "fresh"), {"en": " "})]
    named = made(SetSteps(rows), funnel)
    assert named["steps"] == [
        {"pipeline": "flow", "stage": "yes", "label": {"en": "Sold"}},
        {"pipeline": "flow", "stage": "fresh"},
    ]
    back = made(SetSteps(rows, ShiftStep(("flow", "yes"), "down")), funnel)
    assert places(back) == places(funnel)
    assert places(made(ShiftStep(("flow", "fresh"), "remove"), named)) == ["flow>yes"]
    for wrong in (SetSteps(rows[:1]), ShiftStep(("flow", "ghost"), "up")):
        with pytest.raises(Invalid):
            wrong.apply(funnel)
    with pytest.raises(Invalid):
        ShiftStep(("flow", "fresh"), "remove").apply(NEW)


def test_name_and_unit() -> None:
    changed = made(ChangeFunnel({"en": "All"}, {"en": "From the first call on."}, "customer"))
    assert (changed["unit"], changed["description"]) == ("customer", {"en": "From the first call on."})
    assert "description" not in made(ChangeFunnel({"en": "All"}), changed)
    with pytest.raises(Invalid):
        ChangeFunnel({"en": "All"}, {}, "money").apply(NEW)
    with pytest.raises(Invalid):
        ChangeFunnel({"en": ""}).apply(NEW)
