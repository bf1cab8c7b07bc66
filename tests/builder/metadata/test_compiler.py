"""Documents become frozen domain objects."""

from __future__ import annotations

import dataclasses

import pytest

from builder.domain.conditions import Comparison
from builder.domain.feedback import Feedback
from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import ApprovalSlot, FunnelDefinition, Gate, Pipeline
from builder.domain.roles import Role
from builder.domain.saved_view import View
from builder.metadata import compiler
from builder.metadata.compiler import Uncompilable, Version, compiled
from builder.metadata.documents import checksum
from tests.builder.metadata import samples


def _pipeline(document: dict[str, object] | None = None, **more: object) -> Pipeline:
    found = compiled(document or samples.PIPELINE, Version(**more))  # type: ignore[arg-type]
    assert isinstance(found, Pipeline)
    return found


def test_a_pipeline_keeps_the_order_and_the_kinds_of_its_stages() -> None:
    pipeline = _pipeline()
    assert [stage.position for stage in pipeline.stages] == list(range(7))
    assert [stage.key for stage in pipeline.open_stages] == ["fresh", "looked_at", "offered", "agreed"]
    assert [stage.key for stage in pipeline.steps] == ["fresh", "looked_at", "offered", "agreed", "yes"]
    assert pipeline.first.key == "fresh"
    assert pipeline.checksum == checksum(samples.PIPELINE)


def test_terminal_stages_have_the_probability_of_their_kind() -> None:
    assert [stage.probability for stage in _pipeline().stages] == [10, 30, 50, 90, 100, 0, 0]


def test_a_gate_that_the_document_leaves_out_checks_feedback_and_tasks() -> None:
    assert _pipeline().by_key["offered"].leave == Gate(feedback="block", tasks="block", marker="ignore")


def test_gate_conditions_are_parsed() -> None:
    gate = _pipeline().by_key["fresh"].leave
    assert gate.required_fields == ("worth",)
    assert gate.conditions[0].when == Comparison("worth", "gt", 0)
    assert gate.conditions[0].severity == "block"
    assert gate.conditions[0].message.text("zh_Hans") == "Enter a worth.（中文）"


def test_tasks_markers_and_actions_stand_at_their_stage() -> None:
    fresh, looked_at = _pipeline().stages[:2]
    assert fresh.key_actions[0].role == "agent"
    assert looked_at.marker is not None
    assert looked_at.marker.when is None
    assert looked_at.tasks[0].subtasks[0].key == "twice"
    assert looked_at.feedback == "report"


def test_an_approval_slot_is_compiled() -> None:
    approval = {
        "approver": "manager",
        "fallback_role": "agent",
        "when": {"field": "worth", "op": "ge", "value": 9},
    }
    document = samples.changed(samples.PIPELINE, "stages", 3, "gate", to={"leave": {"approval": approval}})
    assert _pipeline(document).by_key["agreed"].leave.approval == ApprovalSlot(
        "manager", None, "agent", Comparison("worth", "ge", 9)
    )


def test_transitions_and_reasons_are_compiled() -> None:
    pipeline = _pipeline()
    assert (pipeline.default, pipeline.allowed, pipeline.denied) == (
        "any",
        frozenset({("no", "fresh")}),
        frozenset({("fresh", "yes")}),
    )
    assert [reason.key for reason in pipeline.reasons["lost"]] == ["dear"]


def test_an_object_knows_its_fields_roles_and_slots() -> None:
    slots = {"title": "t05", "worth": "n01", "state": "t01", "due": "n02"}
    found = compiled(samples.OBJECT, Version.of(7, 3, slots))
    assert isinstance(found, ObjectDefinition)
    assert (found.version_id, found.number) == (7, 3)
    assert found.fields.by_role["amount"].key == "worth"
    assert found.fields.by_key["title"].slot == "t05"
    assert found.fields.by_key["title"].is_required
    assert found.list_sort == ("-worth",)
    assert found.search_fields == ("title",)


def test_fields_stand_in_the_order_of_the_form_and_not_of_the_stored_keys() -> None:
    found = compiled(samples.OBJECT)
    assert isinstance(found, ObjectDefinition)
    assert [field.key for field in found.fields][:5] == ["title", "worth", "cost", "gain", "state"]


def test_an_object_that_says_nothing_about_its_list_shows_its_name() -> None:
    found = compiled(samples.without(samples.without(samples.OBJECT, "list"), "search"))
    assert isinstance(found, ObjectDefinition)
    assert found.list_columns == found.search_fields == ("title",)


def test_a_conversion_keeps_the_order_of_its_targets() -> None:
    conversion = {
        "main": "other",
        "pipeline": "flow",
        "targets": [{"object": "zebra", "map": {"b": "title", "a": "worth"}}, {"object": "other", "map": {}}],
    }
    found = compiled({**samples.OBJECT, "conversion": conversion})
    assert isinstance(found, ObjectDefinition)
    assert found.conversion is not None
    assert found.conversion.targets == (("zebra", (("a", "worth"), ("b", "title"))), ("other", ()))


def test_feedback_view_funnel_and_role_become_their_dataclasses() -> None:
    feedback, view = compiled(samples.FEEDBACK), compiled(samples.VIEW)
    funnel, role = compiled(samples.FUNNEL), compiled(samples.ROLE)
    assert isinstance(feedback, Feedback)
    assert feedback.object_key == "ticket"
    assert feedback.fields.by_key["hours"].is_required
    assert isinstance(view, View)
    assert view.filter is not None
    assert view.sort == ("-worth",)
    assert isinstance(funnel, FunnelDefinition)
    assert [step.stage for step in funnel.steps] == ["fresh", "yes"]
    assert isinstance(role, Role)
    assert role.rights == frozenset({"move"})


def test_what_is_compiled_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        _pipeline().key = "other"  # type: ignore[misc]


def test_the_same_version_is_compiled_once_and_another_one_anew() -> None:
    assert _pipeline(id=1) is _pipeline(id=1)
    assert _pipeline(id=1) is not _pipeline(id=2)
    assert _pipeline(id=2).version_id == 2


def test_equal_fields_are_shared_between_workspaces() -> None:
    first, second = compiled(samples.OBJECT, Version(11)), compiled(samples.OBJECT, Version(12))
    assert isinstance(first, ObjectDefinition)
    assert isinstance(second, ObjectDefinition)
    assert first is not second
    assert first.fields is second.fields


def test_answers_of_a_feedback_have_no_slots() -> None:
    form = samples.changed(samples.FEEDBACK, "fields", "properties", "hours", "x-filterable", to=True)
    found = compiled(form)
    assert isinstance(found, Feedback)
    assert found.fields.by_key["hours"].slot is None


def test_a_document_of_an_older_grammar_is_compiled() -> None:
    old = samples.changed(samples.PIPELINE, "grammar", to=0)
    old["stages"][2]["exit_marker"] = "Offer sent"
    marker = _pipeline(old).by_key["offered"].marker
    assert marker is not None
    assert marker.label.text() == "Offer sent"


@pytest.mark.parametrize(
    "document",
    [
        {"grammar": 1, "kind": "pipeline", "key": "x"},
        {"grammar": 1, "kind": "poem", "key": "x"},
        {**samples.ROLE, "grammar": 99},
        samples.changed(samples.VIEW, "filter", to={"field": "state", "op": "smells"}),
        samples.changed(samples.OBJECT, "fields", "properties", "worth", "x-type", to="riches"),
    ],
)
def test_a_stored_document_that_was_tampered_with_names_itself(document: dict[str, object]) -> None:
    with pytest.raises(Uncompilable) as caught:
        compiled(document)
    assert str(document["key"]) in str(caught.value)


def test_every_storable_kind_has_a_compiler() -> None:
    assert set(compiler.COMPILERS) == {document["kind"] for document in samples.ALL}
