"""Each lint rule has a sample document that fails with exactly its message key and pointer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from builder.metadata import documents
from builder.metadata.grammar import Document, pointer
from builder.metadata.lint import RULES, Surroundings, lint
from tests.builder.metadata import samples
from tests.builder.metadata.samples import (
    FEEDBACK,
    FUNNEL,
    OBJECT,
    PIPELINE,
    ROLE,
    VIEW,
    changed,
    field,
    label,
)

FIELDS = ("fields", "properties")
RULE = ("fields", "x-rules", 0)
LEAVE = ("stages", 0, "gate", "leave")
WHEN = (*LEAVE, "conditions", 0, "when")


def _is(name: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": name, "op": op} if value is None else {"field": name, "op": op, "value": value}


def _kinds(*keep: str) -> Document:
    return {
        **PIPELINE,
        "stages": [stage for stage in PIPELINE["stages"] if stage["kind"] in keep],
        "transitions": {},
    }


def _filterable(count: int) -> Document:
    return changed(
        OBJECT,
        *FIELDS,
        to={
            **OBJECT["fields"]["properties"],
            **{f"f{number:02}": field("text", f"F{number}", x_filterable=True) for number in range(count)},
        },
    )


def _rule(**more: Any) -> dict[str, Any]:
    return {"key": "first", "when": _is("title", "not_empty"), "pipeline": "flow", **more}


def _layout(field_key: str = "remark", **served: Any) -> dict[str, Any]:
    section = {"key": "all", "label": samples.label("All"), "fields": [field_key]}
    return {"key": "short", "label": samples.label("Short"), "for": served, "sections": [section]}


def _processes(*rules: dict[str, Any], **more: Any) -> Document:
    return {**OBJECT, "processes": {"rules": list(rules), **more}}


def _total(**more: Any) -> Document:
    asked = {"x_from": "ticket", "x_by": "parent", "x_function": "count", **more}
    return field("rollup", "Sum", **asked)


def _conversion(**more: Any) -> Document:
    plan = {
        "main": "ticket",
        "pipeline": "flow",
        "targets": [{"object": "ticket", "map": {"title": "title"}}],
    }
    return {**OBJECT, "conversion": {**plan, **more}}


TABLE = field(
    "table",
    "Lines",
    items={
        "type": "object",
        "properties": {"piece": field("text", "Piece"), "price": field("money", "Price")},
    },
)

SAMPLES: dict[str, tuple[Document, str]] = {
    # pipelines
    "confusable_stage_key": (
        changed(changed(PIPELINE, "stages", 1, "key", to="stage_2866"), "stages", 2, "key", to="stage_4737"),
        "/stages/2/key",
    ),
    "duplicate_stage_key": (changed(PIPELINE, "stages", 7, to=PIPELINE["stages"][3]), "/stages/7/key"),
    "duplicate_key": (
        changed(PIPELINE, "milestones", 1, to={"key": "early", "label": label("Other")}),
        "/milestones/1/key",
    ),
    "duplicate_stage_label": (
        changed(PIPELINE, "stages", 1, "label", to={"en": " fresh"}),
        "/stages/1/label",
    ),
    "no_open_stage": (_kinds("won", "lost", "invalid"), "/stages"),
    "no_way_to_win": (_kinds("open", "lost", "invalid"), "/stages"),
    "no_way_to_lose": (_kinds("open", "won"), "/stages"),
    "unreachable_stage": (
        changed(
            PIPELINE,
            "transitions",
            to={"default": "none", "allow": [["fresh", "looked_at"], ["fresh", "agreed"]], "deny": []},
        ),
        "/stages/2",
    ),
    "unknown_transition_stage": (
        changed(PIPELINE, "transitions", "allow", 0, to=["no", "nowhere"]),
        "/transitions/allow/0/1",
    ),
    "contradictory_transition": (
        changed(PIPELINE, "transitions", "allow", 0, to=["fresh", "yes"]),
        "/transitions/allow/0",
    ),
    "unknown_milestone": (changed(PIPELINE, "stages", 0, "milestone", to="late"), "/stages/0/milestone"),
    "falling_probability": (changed(PIPELINE, "stages", 2, "probability", to=20), "/stages/2/probability"),
    "terminal_probability": (changed(PIPELINE, "stages", 4, "probability", to=80), "/stages/4/probability"),
    "terminal_limits": (changed(PIPELINE, "stages", 4, "warning_days", to=9), "/stages/4/warning_days"),
    "limits_out_of_order": (
        changed(
            PIPELINE,
            "stages",
            0,
            to={**PIPELINE["stages"][0], "target_days": 9, "breach_days": 8},
        ),
        "/stages/0/breach_days",
    ),
    "stage_count": (
        {**changed(PIPELINE, "stages", to=PIPELINE["stages"][:3] + PIPELINE["stages"][4:])},
        "/stages",
    ),
    "action_without_role": (
        changed(PIPELINE, "stages", 0, "key_actions", 0, to={"label": label("Call")}),
        "/stages/0/key_actions/0",
    ),
    "no_reasons": (changed(PIPELINE, "reasons", "lost", to=[]), "/stages/5"),
    # gates
    "condition_unknown_field": (changed(PIPELINE, *WHEN, to=_is("wealth", "empty")), pointer(*WHEN, "field")),
    "condition_operator": (changed(PIPELINE, *WHEN, to=_is("urgent", "gt", 1)), pointer(*WHEN, "op")),
    "condition_value": (changed(PIPELINE, *WHEN, to=_is("worth", "gt", "much")), pointer(*WHEN, "value")),
    "unknown_object": ({**VIEW, "object": "box", "pipeline": "flow"}, "/object"),
    "unknown_feedback": (changed(PIPELINE, "stages", 2, "feedback", to="poem"), "/stages/2/feedback"),
    "foreign_feedback": (changed(PIPELINE, "stages", 2, "feedback", to="foreign"), "/stages/2/feedback"),
    "unknown_required_field": (
        changed(PIPELINE, *LEAVE, "required_fields", to=["worth", "wealth"]),
        "/stages/0/gate/leave/required_fields/1",
    ),
    "unfillable_required_field": (
        changed(PIPELINE, *LEAVE, "required_fields", to=["locked"]),
        "/stages/0/gate/leave/required_fields/0",
    ),
    "unknown_role": (
        changed(PIPELINE, *LEAVE, "roles", to=["agent", "king"]),
        "/stages/0/gate/leave/roles/1",
    ),
    "gate_without_role": (changed(PIPELINE, *LEAVE, "roles", to=["reader"]), "/stages/0/gate/leave/roles"),
    "approval_without_role": (
        changed(PIPELINE, *LEAVE, "approval", to={"approver": "role"}),
        "/stages/0/gate/leave/approval",
    ),
    "approval_without_fallback": (
        changed(PIPELINE, *LEAVE, "approval", to={"approver": "manager"}),
        "/stages/0/gate/leave/approval",
    ),
    "gate_without_marker": (changed(PIPELINE, *LEAVE, "marker", to="block"), "/stages/0/gate/leave/marker"),
    "offer_nowhere": (
        changed(PIPELINE, *LEAVE, "conditions", 0, "offer", to={"stage": "nowhere"}),
        "/stages/0/gate/leave/conditions/0/offer",
    ),
    # forms
    "required_unknown_field": (changed(OBJECT, "fields", "required", 1, to="nothing"), "/fields/required/1"),
    "section_unknown_field": (
        changed(OBJECT, "fields", "x-sections", 0, "fields", 0, to="nothing"),
        "/fields/x-sections/0/fields/0",
    ),
    "field_in_two_sections": (
        changed(
            OBJECT, "fields", "x-sections", 1, to={"key": "more", "label": label("More"), "fields": ["title"]}
        ),
        "/fields/x-sections/1/fields/0",
    ),
    "duplicate_section_key": (
        changed(OBJECT, "fields", "x-sections", 1, to={"key": "main", "label": label("More"), "fields": []}),
        "/fields/x-sections/1/key",
    ),
    "duplicate_field_label": (
        changed(OBJECT, *FIELDS, "worth", "x-label", to=label("Cost")),
        "/fields/properties/worth/x-label",
    ),
    "unknown_default_option": (
        changed(OBJECT, *FIELDS, "state", "x-default", to="z"),
        "/fields/properties/state/x-default",
    ),
    "retired_default_option": (
        changed(OBJECT, *FIELDS, "state", "x-default", to="b"),
        "/fields/properties/state/x-default",
    ),
    "duplicate_option": (
        changed(OBJECT, *FIELDS, "state", "x-options", 2, to={"key": "a", "label": label("C")}),
        "/fields/properties/state/x-options/2/key",
    ),
    "role_twice": (
        changed(OBJECT, *FIELDS, "other", to=field("money", "Other", x_role="amount")),
        "/fields/properties/worth/x-role",
    ),
    "role_of_wrong_type": (
        changed(OBJECT, *FIELDS, "due", "x-role", to="owner"),
        "/fields/properties/due/x-role",
    ),
    "too_many_filterable": (_filterable(21), "/fields/properties/f20/x-filterable"),
    "rule_unknown_target": (changed(OBJECT, *RULE, "fields", to=["nothing"]), "/fields/x-rules/0/fields/0"),
    "rule_unknown_field": (
        changed(OBJECT, *RULE, "when", to=_is("nothing", "empty")),
        "/fields/x-rules/0/when/field",
    ),
    "rule_operator": (
        changed(OBJECT, *RULE, "when", to=_is("urgent", "contains", "x")),
        "/fields/x-rules/0/when/op",
    ),
    "rule_value": (
        changed(OBJECT, *RULE, "when", to=_is("state", "eq", "z")),
        "/fields/x-rules/0/when/value",
    ),
    "rule_unsayable": (changed(OBJECT, *RULE, "when", to=_is("worth", "gt", 5)), "/fields/x-rules/0/when/op"),
    "options_rule": (
        changed(
            OBJECT,
            *RULE,
            to={"effect": "options", "fields": ["state"], "when": _is("urgent", "empty"), "options": ["z"]},
        ),
        "/fields/x-rules/0/options/0",
    ),
    "circular_rule": (
        changed(
            OBJECT,
            "fields",
            "x-rules",
            1,
            to={"effect": "show", "fields": ["urgent"], "when": _is("remark", "empty")},
        ),
        "/fields/x-rules/0",
    ),
    # formulas
    "unreadable_formula": (
        changed(OBJECT, *FIELDS, "gain", "x-formula", to="__import__('os')"),
        "/fields/properties/gain/x-formula",
    ),
    "formula_unknown_field": (
        changed(OBJECT, *FIELDS, "gain", "x-formula", to="wealth * 2"),
        "/fields/properties/gain/x-formula",
    ),
    "circular_formula": (
        changed(OBJECT, *FIELDS, "gain", "x-formula", to="gain + 1"),
        "/fields/properties/gain/x-formula",
    ),
    # objects
    "no_name_field": (changed(OBJECT, *FIELDS, "title", "x-role", to="number"), "/fields"),
    "list_unknown_field": (changed(OBJECT, "search", 1, to="nothing"), "/search/1"),
    "sort_on_unfilterable": (changed(OBJECT, "list", "sort", to=["cost"]), "/list/sort/0"),
    "search_in_no_text": (changed(OBJECT, "search", 1, to="due"), "/search/1"),
    "unknown_reference_target": (
        changed(OBJECT, *FIELDS, "box", to=field("reference", "Box", x_target="box")),
        "/fields/properties/box/x-target",
    ),
    "total_out_of_place": (
        changed(FEEDBACK, *FIELDS, "sum", to=_total()),
        "/fields/properties/sum/x-type",
    ),
    "total_unknown_object": (
        changed(OBJECT, *FIELDS, "sum", to=_total(x_from="box")),
        "/fields/properties/sum/x-from",
    ),
    "total_by_no_reference": (
        changed(OBJECT, *FIELDS, "sum", to=_total(x_by="title")),
        "/fields/properties/sum/x-by",
    ),
    "total_of_no_number": (
        changed(OBJECT, *FIELDS, "sum", to=_total(x_function="sum", x_of="title")),
        "/fields/properties/sum/x-of",
    ),
    "conversion_unknown_object": (
        _conversion(targets=[{"object": "ticket", "map": {}}, {"object": "box", "map": {}}]),
        "/conversion/targets/1/object",
    ),
    "conversion_main": (_conversion(targets=[{"object": "other", "map": {}}]), "/conversion/main"),
    "conversion_pipeline": (_conversion(pipeline="nowhere"), "/conversion/pipeline"),
    "conversion_lacks": (
        _conversion(targets=[{"object": "ticket", "map": {}}], automatic=True),
        "/conversion/targets/0/map",
    ),
    "conversion_unknown_field": (
        _conversion(targets=[{"object": "ticket", "map": {"title": "@other"}}]),
        "/conversion/targets/0/map/title",
    ),
    "conversion_types": (
        _conversion(targets=[{"object": "ticket", "map": {"worth": "title"}}]),
        "/conversion/targets/0/map/worth",
    ),
    "process_rule_pipeline": (_processes(_rule(pipeline="nowhere")), "/processes/rules/0/pipeline"),
    "process_default": (_processes(default="nowhere"), "/processes/default"),
    "process_departments": (
        _processes(departments={"nowhere": ["1"]}),
        "/processes/departments/nowhere",
    ),
    "process_rule_key": (
        _processes(_rule(), _rule(when=_is("title", "empty"))),
        "/processes/rules/1/key",
    ),
    "process_rule_circular": (
        _processes(_rule(when=_is("record.stage", "eq", "fresh"))),
        "/processes/rules/0/when/field",
    ),
    "process_rule_field": (
        _processes(_rule(when={"all": [_is("title.name", "empty")]})),
        "/processes/rules/0/when/all/0/field",
    ),
    "process_rule_operator": (
        _processes(_rule(when=_is("actor.departments", "eq", "7"))),
        "/processes/rules/0/when/op",
    ),
    "process_rule_value": (
        _processes(_rule(when=_is("state", "eq", "nothing"))),
        "/processes/rules/0/when/value",
    ),
    "process_rule_unreachable": (
        _processes(_rule(when={"all": []}), _rule(key="second")),
        "/processes/rules/1",
    ),
    "process_rule_never": (
        _processes(_rule(when={"all": [_is("title", "empty"), _is("title", "not_empty")]})),
        "/processes/rules/0/when",
    ),
    # views, funnels, roles
    "view_unknown_column": (changed(VIEW, "columns", 0, to="nothing"), "/columns/0"),
    "view_unknown_sort": (changed(VIEW, "sort", 0, to="-nothing"), "/sort/0"),
    "view_sort_unfilterable": (changed(VIEW, "sort", 0, to="cost"), "/sort/0"),
    "view_filter_unfilterable": (
        changed(VIEW, "filter", to={"not": _is("cost", "empty")}),
        "/filter/not/field",
    ),
    "view_filter_unknown_field": (changed(VIEW, "filter", to=_is("nothing", "empty")), "/filter/field"),
    "view_filter_operator": (changed(VIEW, "filter", to=_is("state", "lt", "a")), "/filter/op"),
    "view_filter_value": (changed(VIEW, "filter", to=_is("due", "in_period", "some_day")), "/filter/value"),
    "view_pipeline": (changed(VIEW, "pipeline", to="nowhere"), "/pipeline"),
    "board_without_pipeline": (samples.without({**VIEW, "layout": "board"}, "pipeline"), "/layout"),
    "view_lanes": ({**VIEW, "lanes": "title"}, "/lanes"),
    "view_group": ({**VIEW, "group": "title"}, "/group"),
    "view_date": ({**VIEW, "date": "state"}, "/date"),
    "calendar_without_date": ({**VIEW, "layout": "calendar"}, "/layout"),
    "funnel_unknown_pipeline": (changed(FUNNEL, "steps", 1, "pipeline", to="nowhere"), "/steps/1/pipeline"),
    "funnel_unknown_stage": (changed(FUNNEL, "steps", 1, "stage", to="nowhere"), "/steps/1/stage"),
    "funnel_step_backward": (
        changed(FUNNEL, "steps", to=[{"pipeline": "flow", "stage": key} for key in ("yes", "fresh")]),
        "/steps/1",
    ),
    "funnel_unlinked": (
        changed(FUNNEL, "steps", 1, to={"pipeline": "elsewhere", "stage": "fresh"}),
        "/steps/1",
    ),
    "funnel_step_twice": (changed(FUNNEL, "steps", 1, "stage", to="fresh"), "/steps/1"),
    "role_without_rights": ({**ROLE, "rights": []}, "/rights"),
    "role_unknown_field": (
        {**ROLE, "fields": {"ticket": {"nothing": "hidden"}}},
        "/fields/ticket/nothing",
    ),
    "role_unknown_answer": (
        {**ROLE, "feedback": {FEEDBACK["key"]: {"nothing": "hidden"}}},
        f"/feedback/{FEEDBACK['key']}/nothing",
    ),
    "role_cannot_fill": ({**ROLE, "fields": {"ticket": {"title": "read_only"}}}, "/fields/ticket/title"),
    "role_hides_needed": ({**ROLE, "fields": {"ticket": {"title": "hidden"}}}, "/fields/ticket/title"),
    # layouts
    "duplicate_layout_key": (
        changed(OBJECT, "fields", "x-layouts", to=[_layout(roles=["agent"]), _layout(roles=["agent"])]),
        "/fields/x-layouts/1/key",
    ),
    "layout_unknown_field": (
        changed(OBJECT, "fields", "x-layouts", to=[_layout("nobody", roles=["agent"])]),
        "/fields/x-layouts/0/sections/0/fields/0",
    ),
    "layout_unknown_role": (
        changed(OBJECT, "fields", "x-layouts", to=[_layout(roles=["nobody"])]),
        "/fields/x-layouts/0/for/roles/0",
    ),
    "layout_unknown_stage": (
        changed(OBJECT, "fields", "x-layouts", to=[_layout(stages={"flow": ["nowhere"]})]),
        "/fields/x-layouts/0/for/stages/flow/0",
    ),
    # changes, against the published sample of the same kind
    "key_changed": ({**OBJECT, "key": "box"}, "/key"),
    "object_changed": ({**FEEDBACK, "object": "other"}, "/object"),
    "field_type_changed": (
        changed(FEEDBACK, *FIELDS, "hours", to=field("integer", "Hours")),
        "/fields/properties/hours/x-type",
    ),
    "field_values_convert": (
        changed(OBJECT, *FIELDS, "remark", "x-type", to="text"),
        "/fields/properties/remark/x-type",
    ),
    "field_key_reused": (
        changed(OBJECT, *FIELDS, "gone", to=field("integer", "Gone")),
        "/fields/properties/gone/x-type",
    ),
    "field_removed": (samples.without(OBJECT, *FIELDS, "due"), "/fields/properties"),
    "option_removed": (
        samples.without(OBJECT, *FIELDS, "state", "x-options", 1),
        "/fields/properties/state/x-options",
    ),
    "stage_removed": (samples.without(PIPELINE, "stages", 3), "/stages"),
    "stage_kind_changed": (changed(PIPELINE, "stages", 3, "kind", to="won"), "/stages/3/kind"),
}

LOCKED = {**field("text", "Locked"), "x-read-only": True}
OTHER = {**OBJECT, "key": "other"}
FOREIGN = {**FEEDBACK, "key": "foreign", "object": "other"}
ELSEWHERE = {**PIPELINE, "key": "elsewhere", "object": "other"}


def _around(document: Document) -> Surroundings:
    """The published samples, with a field that nobody can fill in, and another object with what is its."""
    objects = changed(OBJECT, *FIELDS, "locked", to=LOCKED)
    published = {sample["kind"]: sample for sample in samples.ALL}
    around = Surroundings.of(
        [*samples.ALL, objects, OTHER, FOREIGN, ELSEWHERE], previous=published[document["kind"]]
    )
    return replace(around, former={"gone": "text", "remark": "integer"})


def test_every_rule_has_a_sample() -> None:
    assert set(SAMPLES) == set(RULES)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_of_a_rule_fails_with_its_message_and_pointer(name: str) -> None:
    document, place = SAMPLES[name]
    assert documents.check(document["kind"], document) == [], "the sample must have the right shape"
    found = [
        problem for problem in lint(document["kind"], document, _around(document)) if problem.rule == name
    ]
    assert [(problem.message, problem.place) for problem in found] == [(RULES[name].message, place)]
    assert found[0].severity == RULES[name].severity
    assert found[0].message % found[0].values


@pytest.mark.parametrize("document", samples.ALL, ids=lambda document: document["key"])
def test_a_sound_document_has_no_findings(document: Document) -> None:
    assert lint(document["kind"], document, samples.surroundings()) == []


def test_a_field_type_may_refuse_what_no_rule_has_a_name_for() -> None:
    retired = [{"key": "a", "label": label("A"), "retired": True}]
    document = changed(OBJECT, *FIELDS, "state", "x-options", to=retired)
    found = lint("object", document, samples.surroundings())
    assert [(problem.rule, problem.place) for problem in found if problem.is_error] == [
        ("uncompilable", "/fields/properties/state/x-options")
    ]


def test_a_formula_may_sum_a_column_of_a_table_but_not_one_that_is_missing() -> None:
    with_table = changed(OBJECT, *FIELDS, "lines", to=TABLE)
    sound = changed(with_table, *FIELDS, "gain", "x-formula", to="sum(lines.price)")
    broken = changed(with_table, *FIELDS, "gain", "x-formula", to="sum(lines.colour)")
    assert not [problem for problem in lint("object", sound, samples.surroundings()) if problem.is_error]
    assert {
        problem.rule for problem in lint("object", broken, samples.surroundings()) if problem.is_error
    } == {"formula_unknown_field"}


def test_a_column_of_a_published_table_keeps_its_type() -> None:
    before = changed(OBJECT, *FIELDS, "lines", to=TABLE)
    now = changed(before, *FIELDS, "lines", "items", "properties", "price", to=field("text", "Price"))
    found = lint("object", now, replace(samples.surroundings(), previous=before))
    assert [(problem.rule, problem.place) for problem in found if problem.is_error] == [
        ("field_type_changed", "/fields/properties/lines/items/properties/price/x-type")
    ]


def test_both_or_neither_is_no_circle_and_neither_is_read_only_once_filled() -> None:
    rules = [
        {"effect": "require", "fields": ["cost"], "when": _is("due", "not_empty")},
        {"effect": "require", "fields": ["due"], "when": _is("cost", "not_empty")},
        {"effect": "read_only", "fields": ["cost"], "when": _is("cost", "not_empty")},
    ]
    found = lint("object", changed(OBJECT, "fields", "x-rules", to=rules), samples.surroundings())
    assert found == []


def test_a_circle_of_three_formulas_is_told_once() -> None:
    document = changed(OBJECT, *FIELDS, "gain", "x-formula", to="one")
    document = changed(document, *FIELDS, "one", to=field("formula", "One", x_formula="two + 1"))
    document = changed(document, *FIELDS, "two", to=field("formula", "Two", x_formula="gain * 2"))
    found = [problem for problem in lint("object", document) if problem.rule == "circular_formula"]
    assert [problem.values["circle"] for problem in found] == ["gain → one → two → gain"]


@pytest.mark.parametrize(("count", "hints"), [(3, 1), (4, 0), (6, 0), (7, 1)])
def test_three_or_seven_stages_give_a_hint(count: int, hints: int) -> None:
    stages = [{"key": f"s{number}", "label": label(f"S{number}"), "kind": "open"} for number in range(count)]
    document = {**PIPELINE, "stages": stages + PIPELINE["stages"][4:], "transitions": {}}
    found = [problem for problem in lint("pipeline", document) if problem.rule == "stage_count"]
    assert [problem.severity for problem in found] == ["hint"] * hints


@pytest.mark.parametrize("default", ["any", "forward", "next"])
def test_every_stage_can_be_reached_under_the_usual_defaults(default: str) -> None:
    document = changed(PIPELINE, "transitions", to={"default": default})
    assert "unreachable_stage" not in {problem.rule for problem in lint("pipeline", document)}


def test_lint_takes_less_than_100_ms_for_12_stages_and_120_fields() -> None:
    fields = {f"f{number}": field("integer", f"Field {number}") for number in range(120)}
    rules = [
        {"effect": "show", "fields": [f"f{number + 1}"], "when": _is(f"f{number}", "eq", 1)}
        for number in range(100)
    ]
    form = {"type": "object", "properties": {**OBJECT["fields"]["properties"], **fields}, "x-rules": rules}
    big = {**OBJECT, "fields": form}
    stages = [
        {**PIPELINE["stages"][0], "key": f"s{number}", "label": label(f"S{number}"), "probability": number}
        for number in range(12)
    ]
    pipeline = {**PIPELINE, "stages": stages + PIPELINE["stages"][4:], "transitions": {}}
    around = Surroundings.of([*samples.ALL, big])

    def once() -> float:
        started = time.process_time()  # our own work, whatever else the machine does
        lint("object", big, around)
        lint("pipeline", pipeline, around)
        return time.process_time() - started

    assert min(once() for _ in range(5)) < 0.1
