"""One decision about a move: every reason at once, warnings, overrides, approvals, ways in and out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builder.domain.conditions import Comparison, Condition
from builder.domain.moves import FieldViolation, MoveIntent, MoveSnapshot, Unmet
from builder.domain.pipeline import ApprovalSlot, Gate, GateCondition, Marker, Pipeline, Subtask, Task
from builder.domain.transitions import Parked, Planned, Refused, allowed_targets, plan, requirements
from tests.builder.domain.selling import LEAD, REP, form, label, letters, pipeline, snapshot, stage, text

RICH = Comparison("budget", "gt", "100")
LARGE = Comparison("amount", "gt", "1000")


def strict() -> Pipeline:
    """A gate with one of everything on the way out of ``a``."""
    leave = Gate(
        required_fields=("city",),
        marker="block",
        conditions=(
            GateCondition(RICH, label("Budget too small")),
            GateCondition(LARGE, label("Small fish"), "warn"),
        ),
        roles=("manager",),
    )
    tasks = (
        Task(
            "call", label("Call"), subtasks=(Subtask("dial", label("Dial")), Subtask("talk", label("Talk")))
        ),
        Task("write", label("Write"), severity="warn"),
        Task("smile", label("Smile"), severity="ignore"),
    )
    return pipeline(
        stage("a", 0, leave=leave, tasks=tasks, marker=Marker(label("Signed")), feedback="a_form"),
        stage("b", 1, enter=Gate(required_fields=("budget", "city"))),
        stage("c", 2),
        stage("won", 3, "won"),
        stage("lost", 4, "lost", enter=Gate(required_fields=("rival",))),
        denied=(("a", "c"),),
        reasons={"won": ("price",), "lost": ("timing", "old_one")},
    )


def bare(path: Pipeline, stage_key: str | None, **more: Any) -> MoveSnapshot:
    feedback = form(text("need", required=True), text("note"))
    return snapshot(path, stage_key, feedback=feedback, evaluate=lambda condition: False, **more)


def kinds(unmet: tuple[Unmet, ...]) -> list[tuple[str, str, str | None]]:
    return [(item.kind, item.severity, item.field) for item in unmet]


def refused(state: MoveSnapshot, intent: MoveIntent) -> Refused:
    decision = plan(state, intent)
    assert isinstance(decision, Refused)
    return decision


def planned(state: MoveSnapshot, intent: MoveIntent) -> Planned:
    decision = plan(state, intent)
    assert isinstance(decision, Planned), decision
    return decision


def test_refusal_names_every_unmet_condition_and_not_only_the_first() -> None:
    state = bare(strict(), "a", record_violations=(FieldViolation("mail", "No address"),))
    decision = refused(state, MoveIntent("b"))
    assert kinds(decision.unmet) == [
        ("role", "block", None),
        ("required_field", "block", "city"),
        ("feedback", "block", "need"),
        ("task", "block", None),
        ("subtask", "block", None),
        ("subtask", "block", None),
        ("task", "warn", None),
        ("marker", "block", None),
        ("condition", "block", None),
        ("condition", "warn", None),
        ("required_field", "block", "budget"),
        ("record", "block", "mail"),
    ]
    assert not decision.is_confirmable


def test_every_unmet_condition_points_at_its_rule_in_the_document() -> None:
    decision = refused(bare(strict(), "a"), MoveIntent("b"))
    assert [item.pointer for item in decision.unmet] == [
        "/stages/0/gate/leave/roles",
        "/stages/0/gate/leave/required_fields/0",
        "/stages/0/feedback",
        "/stages/0/tasks/0",
        "/stages/0/tasks/0/subtasks/0",
        "/stages/0/tasks/0/subtasks/1",
        "/stages/0/tasks/1",
        "/stages/0/marker",
        "/stages/0/gate/leave/conditions/0",
        "/stages/0/gate/leave/conditions/1",
        "/stages/1/gate/enter/required_fields/0",
    ]


def test_move_passes_when_all_is_satisfied() -> None:
    state = snapshot(
        strict(),
        "a",
        actor=LEAD,
        values={"city": "Wuhan", "budget": 0},
        feedback=form(text("need", required=True)),
        answers={"need": "yes"},
        done_tasks=frozenset({"call/dial", "call/talk", "write"}),
        is_marker_ticked=True,
    )
    decision = planned(state, MoveIntent("b"))
    assert (decision.from_stage, decision.to_stage, decision.left_via, decision.entered_via) == (
        "a",
        "b",
        "advance",
        "advance",
    )
    assert decision.warnings == decision.overridden == ()


def test_empty_text_does_not_fill_a_required_field_but_zero_and_no_do() -> None:
    path = pipeline(stage("a", 0, leave=Gate(required_fields=("city",))), stage("b", 1))
    for value, passes in ((None, False), ("", False), ([], False), (0, True), (False, True)):
        assert (
            isinstance(plan(snapshot(path, "a", values={"city": value}), MoveIntent("b")), Planned) is passes
        )


def test_warnings_need_a_confirmation_and_are_recorded() -> None:
    conditions = (GateCondition(RICH, label("Sure?"), "warn"),)
    path = pipeline(stage("a", 0, leave=Gate(conditions=conditions)), stage("b", 1))
    state = snapshot(path, "a", evaluate=lambda condition: False)
    assert refused(state, MoveIntent("b")).is_confirmable
    decision = planned(state, MoveIntent("b", is_confirmed=True))
    assert [item.values["message"].text() for item in decision.warnings] == ["Sure?"]


def test_confirming_does_not_lift_a_blocking_condition() -> None:
    assert not refused(bare(strict(), "a"), MoveIntent("b", is_confirmed=True)).is_confirmable


def test_override_needs_the_right_and_a_reason_and_records_what_it_set_aside() -> None:
    path = pipeline(stage("a", 0, leave=Gate(required_fields=("city",))), stage("b", 1))
    rep, lead = snapshot(path, "a"), snapshot(path, "a", actor=LEAD)
    assert kinds(refused(rep, MoveIntent("b", override_reason="boss said so")).unmet)[-1][0] == "right"
    assert not refused(rep, MoveIntent("b")).is_overridable
    assert refused(lead, MoveIntent("b", override_reason="  ")).is_overridable
    decision = planned(lead, MoveIntent("b", override_reason=" Fair is on "))
    assert kinds(decision.overridden) == [("required_field", "block", "city")]
    assert decision.override_reason == "Fair is on"


def test_override_reason_is_dropped_when_nothing_had_to_be_set_aside() -> None:
    assert (
        planned(snapshot(letters(), "a", actor=LEAD), MoveIntent("b", override_reason="x")).override_reason
        is None
    )


@pytest.mark.parametrize(
    ("intent", "kind"),
    [
        (MoveIntent("nowhere", override_reason="x"), "unknown_stage"),
        (MoveIntent("a", override_reason="x"), "same_stage"),
        (MoveIntent("lost", override_reason="x"), "reason"),
        (MoveIntent("lost", reason_key="bogus", override_reason="x"), "reason"),
        (MoveIntent("lost", reason_key="old_one", override_reason="x"), "reason"),
    ],
)
def test_structural_conditions_cannot_be_overridden(intent: MoveIntent, kind: str) -> None:
    decision = refused(snapshot(letters(reasons={"lost": ("timing", "old_one")}), "a", actor=LEAD), intent)
    assert kind in [item.kind for item in decision.unmet]
    assert not decision.is_overridable


def test_moving_needs_the_right_to_move() -> None:
    viewer = replace(REP, rights=frozenset())
    decision = refused(snapshot(letters(), "a", actor=viewer), MoveIntent("b"))
    assert [(item.kind, item.is_overridable) for item in decision.unmet] == [("right", False)]


def test_invalid_answer_blocks_whatever_the_gate_says_and_in_every_direction() -> None:
    path = pipeline(
        stage("a", 0, feedback="f"), stage("b", 1, feedback="f", leave=Gate(feedback="ignore")), stage("c", 2)
    )
    fault = FieldViolation("need", "Too long", is_missing=False)
    state = snapshot(
        path, "b", actor=LEAD, feedback=form(text("need")), answers={"need": "x"}, answer_violations=(fault,)
    )
    for target in ("a", "c"):
        assert kinds(refused(state, MoveIntent(target, override_reason="x")).unmet) == [
            ("feedback", "block", "need")
        ]


@pytest.mark.parametrize(
    ("severity", "outcome"), [("block", Refused), ("warn", Refused), ("ignore", Planned)]
)
def test_missing_feedback_has_the_severity_of_the_gate(severity: Any, outcome: type) -> None:
    path = pipeline(stage("a", 0, feedback="f", leave=Gate(feedback=severity)), stage("b", 1))
    state = snapshot(path, "a", feedback=form(text("need", required=True)))
    assert type(plan(state, MoveIntent("b"))) is outcome
    assert type(plan(state, MoveIntent("b", is_confirmed=True))) is (
        Refused if severity == "block" else Planned
    )


def test_milder_severity_of_task_and_gate_counts() -> None:
    tasks = (Task("call", label("Call")),)
    path = pipeline(stage("a", 0, tasks=tasks, leave=Gate(tasks="warn")), stage("b", 1))
    assert kinds(refused(snapshot(path, "a"), MoveIntent("b")).unmet) == [("task", "warn", None)]


def test_marker_with_a_condition_follows_it_and_not_the_tick() -> None:
    marker = Marker(label("Rich"), RICH)
    path = pipeline(stage("a", 0, marker=marker, leave=Gate(marker="block")), stage("b", 1))
    met = snapshot(path, "a", evaluate=lambda condition: condition == RICH)
    assert isinstance(plan(met, MoveIntent("b")), Planned)
    unmet = snapshot(path, "a", evaluate=lambda condition: False, is_marker_ticked=True)
    assert kinds(refused(unmet, MoveIntent("b")).unmet) == [("marker", "block", None)]


def test_going_back_needs_neither_gate() -> None:
    path = pipeline(
        stage("a", 0, enter=Gate(required_fields=("city",))),
        stage("b", 1, leave=Gate(required_fields=("city",)), tasks=(Task("t", label("T")),)),
    )
    state = snapshot(path, "b", record_violations=(FieldViolation("city", "No"),))
    decision = planned(state, MoveIntent("a"))
    assert (decision.left_via, decision.entered_via) == ("back", "back")


def test_losing_skips_the_leave_gate_but_asks_reason_and_enter_gate() -> None:
    state = bare(strict(), "a", actor=LEAD)
    assert kinds(refused(state, MoveIntent("lost")).unmet) == [
        ("required_field", "block", "rival"),
        ("reason", "block", "reason_key"),
    ]
    decision = planned(replace(state, values={"rival": "X"}), MoveIntent("lost", "timing", "too early"))
    assert (decision.left_via, decision.outcome, decision.reason_key, decision.reason_note) == (
        "lost",
        "lost",
        "timing",
        "too early",
    )


def test_winning_is_forward_and_passes_the_leave_gate() -> None:
    path = pipeline(
        stage("a", 0, leave=Gate(required_fields=("city",))), stage("b", 1), stage("won", 2, "won")
    )
    assert kinds(refused(snapshot(path, "a"), MoveIntent("won")).unmet) == [
        ("required_field", "block", "city")
    ]
    decision = planned(snapshot(path, "a", values={"city": "W"}), MoveIntent("won"))
    assert (decision.left_via, decision.entered_via, decision.skipped) == ("won", "advance", ("b",))


def test_field_asked_by_gate_and_missing_in_the_record_is_told_once() -> None:
    path = pipeline(
        stage("a", 0, leave=Gate(required_fields=("city",))),
        stage("b", 1, enter=Gate(required_fields=("city",))),
    )
    state = snapshot(path, "a", record_violations=(FieldViolation("city", "Required", is_missing=True),))
    assert kinds(refused(state, MoveIntent("b")).unmet) == [("required_field", "block", "city")]


def test_skipped_stages_are_listed() -> None:
    assert planned(snapshot(letters(), "a"), MoveIntent("c")).skipped == ("b",)


@pytest.mark.parametrize(
    ("default", "targets"),
    [
        ("any", "a c won lost invalid"),
        ("forward", "c won lost invalid"),
        ("next", "c won lost invalid"),
        ("none", "won lost invalid"),
    ],
)
def test_default_transitions_from_the_middle(default: str, targets: str) -> None:
    assert [item.key for item in allowed_targets(letters(default=default), "b", REP)] == targets.split()


def test_next_means_the_next_open_stage_only() -> None:
    keys = [item.key for item in allowed_targets(letters(default="next"), "a", REP)]
    assert keys == ["b", "won", "lost", "invalid"]


def test_single_transitions_add_to_and_take_from_the_default() -> None:
    path = letters(default="none", allowed=[("a", "c"), ("lost", "a"), ("b", "b")], denied=[("a", "won")])
    assert [item.key for item in allowed_targets(path, "a", REP)] == ["c", "lost", "invalid"]
    assert [item.key for item in allowed_targets(path, "lost", REP)] == ["a"]
    assert [item.key for item in allowed_targets(path, "won", REP)] == []
    assert planned(snapshot(path, "b"), MoveIntent("b")).left_via == "repeat"


def test_reopening_is_recorded_as_such() -> None:
    decision = planned(snapshot(letters(allowed=[("lost", "b")]), "lost"), MoveIntent("b"))
    assert (decision.left_via, decision.entered_via, decision.outcome) == ("back", "reopen", "open")


def test_targets_reserved_for_other_roles_are_not_offered() -> None:
    path = pipeline(stage("a", 0), stage("b", 1, enter=Gate(roles=("manager",))), stage("c", 2))
    assert [item.key for item in allowed_targets(path, "a", REP)] == ["c"]
    assert [item.key for item in allowed_targets(path, "a", LEAD)] == ["b", "c"]
    assert allowed_targets(path, "a", replace(LEAD, rights=frozenset())) == ()


@pytest.mark.parametrize("origin", ["create", "convert", "pipeline_change"])
def test_first_entry_into_the_first_stage(origin: Any) -> None:
    decision = planned(snapshot(letters(), None), MoveIntent("a", origin=origin))
    assert (decision.from_stage, decision.left_via, decision.entered_via) == (None, None, origin)


def test_creating_beyond_the_first_stage_is_no_side_door() -> None:
    decision = refused(bare(strict(), None, actor=LEAD), MoveIntent("b"))
    assert ("required_field", "block", "city") in kinds(decision.unmet)
    assert ("feedback", "block", "need") in kinds(decision.unmet)
    denied = refused(snapshot(strict(), None, actor=LEAD), MoveIntent("c"))
    assert "transition" in [item.kind for item in denied.unmet]


def test_move_waits_for_the_approval_once_all_else_is_satisfied() -> None:
    slot = ApprovalSlot("manager", fallback_role="executive", when=LARGE)
    path = pipeline(stage("a", 0, leave=Gate(required_fields=("city",), approval=slot)), stage("b", 1))

    def is_large(condition: Condition) -> bool:
        return condition == LARGE

    assert isinstance(plan(snapshot(path, "a", evaluate=is_large), MoveIntent("b")), Refused)
    ready = snapshot(path, "a", evaluate=is_large, values={"city": "W"})
    decision = plan(ready, MoveIntent("b"))
    assert isinstance(decision, Parked)
    assert decision.approvals == (slot,)
    assert decision.planned.to_stage == "b"
    assert isinstance(plan(replace(ready, is_approved=True), MoveIntent("b")), Planned)
    assert isinstance(plan(replace(ready, evaluate=lambda condition: False), MoveIntent("b")), Planned)


def test_override_does_not_replace_an_approval() -> None:
    path = pipeline(
        stage("a", 0, leave=Gate(required_fields=("city",), approval=ApprovalSlot())), stage("b", 1)
    )
    decision = plan(snapshot(path, "a", actor=LEAD), MoveIntent("b", override_reason="Fair"))
    assert isinstance(decision, Parked)
    assert kinds(decision.planned.overridden) == [("required_field", "block", "city")]


def test_requirements_show_met_and_unmet_for_the_panel() -> None:
    path = pipeline(
        stage(
            "a",
            0,
            leave=Gate(required_fields=("city", "budget"), approval=ApprovalSlot()),
            tasks=(Task("call", label("Call"), severity="ignore"),),
            marker=Marker(label("Signed")),
        ),
        stage("b", 1),
    )
    state = snapshot(path, "a", values={"city": "W"}, is_marker_ticked=True)
    shown = [
        (item.kind, item.field, item.is_met, item.severity)
        for item in requirements(state, "b")
        if item.kind not in ("right", "transition")
    ]
    assert shown == [
        ("required_field", "city", True, "block"),
        ("required_field", "budget", False, "block"),
        ("task", None, False, "ignore"),
        ("marker", None, True, "ignore"),
        ("approval", None, False, "block"),
    ]


def test_requirements_to_close_show_the_reason_still_to_be_given() -> None:
    state = snapshot(letters(reasons={"won": ("price",)}), "c")
    assert [item.is_met for item in requirements(state, "won") if item.kind == "reason"] == [False]
    assert isinstance(plan(state, MoveIntent("won", "price")), Planned)


def test_unknown_present_stage_is_refused_and_not_guessed() -> None:
    assert "unknown_stage" in [
        item.kind for item in refused(snapshot(letters(), "gone"), MoveIntent("a")).unmet
    ]
