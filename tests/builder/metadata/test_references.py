"""What asks for a field is found in all documents beside it."""

from __future__ import annotations

from builder.metadata.editing.fields import AddField
from builder.metadata.editing.rules import PutRule
from builder.metadata.references import Reference, references
from tests import factories


def test_rules_formulas_lists_gates_views_and_roles_are_found() -> None:
    document = AddField("formula", {"en": "Twice"}, settings={"x-formula": "worth * 2"}).apply(factories.CASE)
    document = PutRule("show", ("note",), {"all": [{"field": "worth", "op": "not_empty"}]}).apply(document)
    document = {**document, "list": {"columns": ["title"], "sort": ["-worth"]}, "duplicate_keys": ["worth"]}
    flow = {
        **factories.FLOW,
        "stages": [factories.stage("a", gate={"leave": {"required_fields": ["worth"]}})],
    }
    view = {
        "kind": "view",
        "key": "dear",
        "object": "matter",
        "filter": {"field": "worth", "op": "gt", "value": 5},
    }
    role = {"kind": "role", "key": "rep", "fields": {"matter": {"worth": "hidden"}}}
    others = {(one["kind"], one["key"]): one for one in (flow, view, role, factories.ACCOUNT)}
    assert references(document, "worth", others) == [
        Reference("object", "matter", "rule", "1"),
        Reference("object", "matter", "formula", "twice"),
        Reference("object", "matter", "list"),
        Reference("object", "matter", "duplicates"),
        Reference("pipeline", "flow", "stage", "a"),
        Reference("view", "dear", "view"),
        Reference("role", "rep", "role"),
    ]
    assert references(document, "due", others) == []


def test_answers_of_a_form_are_asked_for_by_the_gates_of_stages_that_use_it() -> None:
    gate = {"leave": {"conditions": [{"when": {"field": "feedback.mood", "op": "not_empty"}}]}}
    using = factories.stage("a", feedback="talk", gate=gate)
    other = factories.stage("b", gate=gate)
    flow = {**factories.FLOW, "stages": [using, other]}
    found = references(factories.TALK, "mood", {("pipeline", "flow"): flow})
    assert found == [Reference("pipeline", "flow", "stage", "a")]
