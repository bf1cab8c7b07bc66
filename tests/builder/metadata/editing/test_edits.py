"""Edits of documents: each leaves the document whole, and whatever is done, lint can say what it thinks of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.fieldtypes.registry import all_types
from builder.metadata.documents import check, checksum, normalised, read
from builder.metadata.editing.edit import Edit, Refused, key_for, slug
from builder.metadata.editing.fields import AddField, ChangeField, ChangeType, RemoveField
from builder.metadata.editing.inside import Within, form_at, problems_at
from builder.metadata.editing.objects import new_form, new_object
from builder.metadata.editing.places import sort_problems
from builder.metadata.editing.rules import PutRule, RemoveRule
from builder.metadata.editing.sections import (
    AddSection,
    Arrange,
    ChangeSection,
    MoveField,
    RemoveSection,
    StepField,
    StepSection,
    laid_out,
)
from builder.metadata.lint import Surroundings, lint
from tests import factories

BESIDE = [factories.CASE, factories.FLOW]
OBJECTS = {one["key"]: one["fields"]["properties"] for one in (factories.CASE, factories.ACCOUNT)}
KEYS = ["title", "sector", "size", "size_2", "none"]
SECTIONS = ["details", "money", "more", "none"]
STEPS = st.sampled_from([-1, 1])
CONDITIONS = st.sampled_from(
    [
        {"field": "sector", "op": "eq", "value": "retail"},
        {"field": "size", "op": "not_empty"},
        {"field": "title", "op": "contains", "value": "x"},
        {"all": []},
    ]
)
LABELS = st.sampled_from(
    [{"en": "Size"}, {"en": "Money", "zh_Hans": "金额"}, {"zh_Hans": "规模"}, {"en": " "}]
)


def adding(type_key: str, label: dict[str, str], required: bool) -> AddField:
    kind = next(one for one in all_types() if one.key == type_key)
    return AddField(type_key, label, is_required=required, settings=kind.starting("client", OBJECTS))


FLAT: st.SearchStrategy[Edit] = st.one_of(
    st.builds(adding, st.sampled_from([one.key for one in all_types()]), LABELS, st.booleans()),
    st.builds(
        ChangeField,
        st.sampled_from(KEYS),
        LABELS,
        LABELS,
        st.booleans(),
        st.sampled_from(
            [{}, {"maxLength": 3}, {"maxLength": None}, {"x-formula": "size * 2"}, {"x-role": "name"}]
        ),
    ),
    st.builds(ChangeType, st.sampled_from(KEYS), st.sampled_from(["text", "integer", "none"])),
    st.builds(RemoveField, st.sampled_from(KEYS)),
    st.builds(AddSection, LABELS, st.integers(1, 3)),
    st.builds(ChangeSection, st.sampled_from(SECTIONS), LABELS, LABELS, st.integers(0, 4)),
    st.builds(RemoveSection, st.sampled_from(SECTIONS)),
    st.builds(StepSection, st.sampled_from(SECTIONS), STEPS),
    st.builds(StepField, st.sampled_from(KEYS), STEPS),
    st.builds(MoveField, st.sampled_from(KEYS), st.sampled_from(SECTIONS), st.integers(0, 3)),
    st.builds(Arrange, st.just((("details", ("title", "sector")),))),
    st.builds(
        PutRule,
        st.sampled_from(["show", "require", "options", "none"]),
        st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(tuple),
        CONDITIONS,
        st.sampled_from([(), ("retail",)]),
        st.sampled_from([None, 0, 7]),
    ),
    st.builds(RemoveRule, st.integers(0, 2)),
)
PATHS = st.sampled_from([("size",), ("size_2",), ("title",), ("size", "part"), ("size_2", "size")])
EDITS = st.one_of(FLAT, FLAT, st.builds(Within, PATHS, FLAT)
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(EDITS, max_size=12))
def test_whatever_is_done_the_document_is_sound_or_names_its_error_and_comes_back_equal(
    edits: list[Edit],
) -> None:
    document = factories.ACCOUNT
    for edit in edits:
        before = json.dumps(document, sort_keys=True)
        try:
            changed = edit.apply(document)
        except Refused:
            continue
        finally:
            assert json.dumps(document, sort_keys=True) == before, "an edit leaves what it was given alone"
        document = changed
    form = laid_out(document["fields"])
    placed = [key for section in form["x-sections"] for key in section["fields"]]
    assert sorted(placed) == sorted(form["properties"]), "every field stands in one place"
    stored = normalised(document)
    assert checksum(read(json.dumps(stored))) == checksum(document)
    problems = check("object", document) or lint("object", document, Surroundings.of(BESIDE))
    assert all(problem.message for problem in problems)
    found = sort_problems(document["fields"], problems)
    parts = [*found.fields.values(), *found.sections.values(), *found.rules.values(), found.rest]
    assert sum(map(len, parts)) == len(problems), "each problem belongs somewhere"
    assert found.fields.keys() <= form["properties"].keys()


def test_a_new_field_of_each_type_is_sound_at_once() -> None:
    document: dict[str, Any] = factories.ACCOUNT
    for kind in all_types():
        document = adding(kind.key, dict(kind.label.translations), False).apply(document)
    assert check("object", document) == []
    assert lint("object", document, Surroundings.of(BESIDE)) == []


def test_new_objects_and_forms_are_sound() -> None:
    made = new_object(
        {"en": "Machine"}, {}, {"machine"}, icon="tool", color="teal", number_format="M-{number:4}"
    )
    assert made["key"] == "machine_2"
    assert made["label_plural"] == {"en": "Machine"}
    assert check("object", made) == [] == lint("object", made)
    form = new_form({"zh_Hans": "拜访"}, "client", {"form"})
    assert form["key"] == "form_2"
    assert check("feedback", form) == [] == lint("feedback", form, Surroundings.of([factories.ACCOUNT]))


@pytest.mark.parametrize(
    ("names", "key"),
    [
        ({"en": "Expected close (week)"}, "expected_close_week"),
        ({"zh_Hans": "预计成交"}, "date"),
        ({"en": "2nd contact"}, "date_2nd_contact"),
        ({"en": "x" * 200}, "x" * 59),
    ],
)
def test_keys_are_made_from_names(names: dict[str, str], key: str) -> None:
    assert key_for(names, (), "date") == key
    assert key_for({"en": "Date"}, {"date", "date_2"}, "field") == "date_3"
    assert slug("—") == ""


def with_lines() -> dict[str, Any]:
    """The account with a table of rows, whose numbers are added up, and a group that holds a group."""
    document = adding("table", {"en": "Lines"}, False).apply(factories.ACCOUNT)
    document = ChangeField("lines", {"en": "Lines"}, settings={"x-totals": ["number"]}).apply(document)
    document = adding("sub_form", {"en": "Terms"}, False).apply(document)
    return Within(("terms",), adding("sub_form", {"en": "Bank"}, False)).apply(document)


def test_columns_are_edited_as_fields_are() -> None:
    document = with_lines()
    document = Within(("lines",), adding("money", {"en": "Price"}, True)).apply(document)
    document = Within(("lines",), StepField("price", -1)).apply(document)
    document = Within(("lines",), ChangeType("item", "long_text")).apply(document)
    inside = form_at(document["fields"], ("lines",))
    assert inside is not None
    assert laid_out(inside)["x-sections"][0]["fields"] == ["item", "price", "number"]
    assert inside["required"] == ["price"]
    assert not [one for one in lint("object", document, Surroundings.of(BESIDE)) if one.is_error]
    document = Within(("lines",), RemoveField("number")).apply(document)
    assert "x-totals" not in document["fields"]["properties"]["lines"], "what is gone is not added up"


def test_a_form_within_a_form_within_a_form_is_reached_and_never_left_empty() -> None:
    document = Within(("terms", "bank"), AddField("text", {"en": "Code"})).apply(with_lines())
    assert set((form_at(document["fields"], ("terms", "bank")) or {})["properties"]) == {"part", "code"}
    for path, edit in (
        (("terms", "none"), AddField("text", {"en": "Code"})),
        (("title",), AddField("text", {"en": "Code"})),
        (("terms", "bank"), AddField("none", {"en": "Code"})),
    ):
        with pytest.raises(Refused):
            Within(path, edit).apply(document)
    emptied = Within(("terms", "bank"), RemoveField("code")).apply(document)
    with pytest.raises(Refused, match="Nothing was changed"):
        Within(("terms", "bank"), RemoveField("part")).apply(emptied)


def test_what_is_wrong_inside_is_told_at_the_column() -> None:
    edit = AddField("formula", {"en": "Worth"}, settings={"x-formula": "number * gone"})
    document = Within(("lines",), edit).apply(with_lines())
    problems = lint("object", document, Surroundings.of(BESIDE))
    inside = form_at(document["fields"], ("lines",)) or {}
    found = sort_problems(inside, problems_at(document["fields"], ("lines",), problems))
    assert list(found.fields) == ["worth"]
    assert not found.rest
    assert list(sort_problems(document["fields"], problems).fields) == ["lines"]


def test_a_form_has_room_for_300_fields_and_no_more() -> None:
    many = {f"f{number}": {"x-type": "text", "x-label": {"en": "x"}} for number in range(300)}
    document = {**factories.ACCOUNT, "fields": {"type": "object", "properties": many}}
    with pytest.raises(Refused):
        AddField("text", {"en": "One more"}).apply(document)


def test_the_order_that_was_dragged_must_name_everything_once() -> None:
    document = AddSection({"en": "Money"}).apply(factories.ACCOUNT)
    moved = Arrange((("money", ("sector",)), ("details", ("title",)))).apply(document)
    assert [section["key"] for section in moved["fields"]["x-sections"]] == ["money", "details"]
    for order in ((("money", ("sector",)),), (("money", ("sector", "sector")), ("details", ("title",)))):
        with pytest.raises(Refused):
            Arrange(order).apply(document)
