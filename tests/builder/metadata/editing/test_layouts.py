"""Layouts are edited like the form itself, and what leaves the form leaves them."""

from __future__ import annotations

from typing import Any

import pytest

from builder.domain.layouts import Viewpoint
from builder.metadata.compiler import field_set
from builder.metadata.documents import check
from builder.metadata.editing.edit import Refused
from builder.metadata.editing.fields import RemoveField
from builder.metadata.editing.layouts import (
    AddLayout,
    ChangeLayout,
    InLayout,
    PutIn,
    RemoveLayout,
    StepLayout,
    layout_at,
    seen_through,
)
from builder.metadata.editing.sections import AddSection, StepField
from builder.metadata.field_rights import restricted
from tests import factories

REP = {"roles": ["rep"]}


def with_layouts() -> dict[str, Any]:
    document = AddLayout({"en": "Short"}, REP).apply(factories.CASE)
    return AddLayout({"en": "Late"}, {"stages": {"flow": ["b"]}}).apply(document)


def placed(document: dict[str, Any], key: str) -> list[str]:
    layout = layout_at(document["fields"], key) or {"sections": []}
    return [name for section in layout["sections"] for name in section["fields"]]


def test_a_layout_begins_as_a_copy_and_goes_its_own_way() -> None:
    before = with_layouts()
    everything = placed(before, "short")
    assert set(everything) == set(factories.CASE["fields"]["properties"])
    document = PutIn("short", "note").apply(before)
    document = InLayout("short", AddSection({"en": "Money"})).apply(document)
    document = PutIn("short", "worth", "money").apply(document)
    document = InLayout("short", StepField("title", 1)).apply(document)
    assert "note" not in placed(document, "short")
    assert placed(document, "short")[-1] == "worth"
    assert placed(document, "late") == everything
    assert document["fields"].get("x-sections") == factories.CASE["fields"].get("x-sections")
    assert check("object", document) == []
    fields = field_set(document["fields"])
    seen = fields.seen_from(Viewpoint("rep"))
    assert [key for section in seen.sections for key in section.fields] == placed(document, "short")
    assert fields.seen_from(Viewpoint("boss")) is fields


def test_a_field_that_goes_or_is_hidden_leaves_all_layouts() -> None:
    document = with_layouts()
    gone = RemoveField("note").apply(document)
    assert "note" not in placed(gone, "short") + placed(gone, "late")
    hidden = restricted(document, frozenset({"worth"}), frozenset())
    assert "worth" not in placed(hidden, "short") + placed(hidden, "late")


def test_order_and_end_of_layouts() -> None:
    document = StepLayout("late", -1).apply(with_layouts())
    assert [one["key"] for one in document["fields"]["x-layouts"]] == ["late", "short"]
    document = RemoveLayout("short").apply(RemoveLayout("late").apply(document))
    assert "x-layouts" not in document["fields"]


@pytest.mark.parametrize(
    "edit",
    [
        AddLayout({"en": ""}, REP),
        AddLayout({"en": "For nobody"}, {"roles": [], "stages": {}}),
        ChangeLayout("none", {"en": "x"}, REP),
        ChangeLayout("short", {"en": "x"}, {}),
        PutIn("short", "nobody"),
        PutIn("short", "note", "nowhere"),
        InLayout("none", AddSection({"en": "x"})),
        RemoveLayout("none"),
    ],
)
def test_what_makes_no_sense_is_refused(edit: Any) -> None:
    with pytest.raises(Refused):
        edit.apply(with_layouts())


def test_through_a_layout_only_what_it_holds_is_seen() -> None:
    document = PutIn("short", "note").apply(with_layouts())
    assert "note" not in seen_through(document["fields"], "short")["properties"]
