"""One stage of a process: what it is, what is to be done in it, what must be true to leave it (part 1, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.languages import language
from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.change_words import condition_words, problem_line
from blueprints.studio.form_edits import seen
from blueprints.studio.processes import (
    BLANKS,
    KINDS,
    Design,
    earned,
    found_in,
    label_of,
    texts_in,
)
from blueprints.studio.refusals import lines
from blueprints.studio.words import color_words
from builder.domain.labels import Label
from builder.errors import Conflict, Invalid
from builder.forms.process import DescribeForm, EquipForm, GuardForm, texts_of
from builder.metadata.editing.edit import Edit
from builder.metadata.editing.stage_parts import (
    LIMITS,
    USUAL,
    Action,
    DescribeStage,
    EquipStage,
    GuardStage,
    Indicator,
    Task,
)
from builder.queries.drafts import drafts, drafts_count
from builder.services import designs as services
from builder.services.definitions import EDIT

SEVERITIES = (
    ("block", lazy_gettext("must be done")),
    ("warn", lazy_gettext("warns")),
    ("ignore", lazy_gettext("optional")),
)


@studio.get("/processes/<pipeline_key>/stages/<stage_key>")
def stage(pipeline_key: str, stage_key: str) -> Response:
    here = scope()
    here.require(EDIT)
    return _show(here, Design.read(here, pipeline_key), stage_key)


@studio.post("/processes/<pipeline_key>/stages/<stage_key>")
def describe_stage(pipeline_key: str, stage_key: str) -> Response:
    """What the stage is."""
    form = DescribeForm(request.form)
    form.validate()
    edit = DescribeStage(
        stage_key,
        label_of(form),
        _number(form.probability),
        form.color.data or "",
        form.milestone.data or "",
        texts_of(form, "definition"),
        texts_of(form, "goal"),
        *(_number(form[name]) for name in LIMITS),
    )
    return _make(pipeline_key, stage_key, edit, {"describe": form})


def _number(field: Any) -> int | None:
    """What was typed; what is no number is told as one that no edit takes."""
    return -1 if field.errors else field.data


@studio.post("/processes/<pipeline_key>/stages/<stage_key>/work")
def equip_stage(pipeline_key: str, stage_key: str) -> Response:
    """What is to be done in it."""
    form = EquipForm(request.form)
    edit = EquipStage(
        stage_key,
        [Action(label_of(row.form), row.form.role.data or "") for row in form.actions],
        [
            Task(
                row.form.key.data or "",
                label_of(row.form),
                row.form.severity.data or "block",
                row.form.role.data or "",
                (row.form.subtasks.data or "").splitlines(),
            )
            for row in form.tasks
        ],
        [
            Indicator(label_of(row.form), row.form.target.data or "", texts_of(row.form, "unit"))
            for row in form.indicators
        ],
        form.feedback.data or "",
        language(),
    )
    return _make(pipeline_key, stage_key, edit, {"equip": form})


@studio.post("/processes/<pipeline_key>/stages/<stage_key>/gate")
def guard_stage(pipeline_key: str, stage_key: str) -> Response:
    """What must be true to leave it, and to enter it."""
    form = GuardForm(request.form)
    edit = GuardStage(
        stage_key,
        form.required_fields.data or (),
        texts_of(form, "marker"),
        {part: form[part].data or "" for part in USUAL},
        form.roles.data or (),
        form.approver.data or "",
        form.role.data or "",
        form.fallback_role.data or "",
        form.enter_fields.data or (),
        form.enter_roles.data or (),
    )
    return _make(pipeline_key, stage_key, edit, {"guard": form})


def _make(pipeline_key: str, stage_key: str, edit: Edit, typed: dict[str, Any]) -> Response:
    here = scope()
    here.require(EDIT)
    Design.read(here, pipeline_key).stage(stage_key)
    uow = here.unit_of_work()
    try:
        services.change(uow, "pipeline", pipeline_key, seen(), edit)
    except Conflict as error:
        uow.rollback()
        design = Design.read(here, pipeline_key)
        return _show(here, design, stage_key, problems=lines(error), typed=typed, status=409)
    except Invalid as error:
        uow.rollback()
        design = Design.read(here, pipeline_key)
        return _show(here, design, stage_key, problems=lines(error, *typed.values()), typed=typed, status=422)
    uow.commit()
    target = url_for("studio.stage", pipeline_key=pipeline_key, stage_key=stage_key)
    return done(target, gettext("Kept in the draft."))


def _show(
    here: Scope,
    design: Design,
    stage_key: str,
    *,
    problems: list[tuple[str, str]] | None = None,
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    found = design.stage(stage_key)
    forms = {
        "describe": DescribeForm(data=_described(found)),
        "equip": EquipForm(data=_equipped(found)),
        "guard": GuardForm(data=_guarded(found)),
        **(typed or {}),
    }
    _offer(here, design, forms)
    place = f"/stages/{design.document['stages'].index(found)}"
    findings = [each for each in found_in(here, design.document) if f"{each.place}/".startswith(f"{place}/")]
    conditions = found.get("gate", {}).get("leave", {}).get("conditions", ())
    return show_form(
        "pages/studio/stage.html",
        fragment="fragments/process/stage.html",
        design=design,
        pipeline=design.pipeline,
        stage=design.pipeline.by_key[stage_key],
        earned=earned(here, design.pipeline).get(stage_key),
        findings=[(each.severity, problem_line(each, design.document)) for each in findings],
        conditions=[condition_words(here, design.pipeline.object_key, each["when"]) for each in conditions],
        kinds=KINDS,
        draft_count=drafts_count(here.session),
        problems=problems or [],
        status=status,
        **forms,
    )


def _described(stage: Mapping[str, Any]) -> dict[str, Any]:
    parts = {key: stage.get(key) for key in ("probability", "color", "milestone", *LIMITS)}
    texts = (texts_in(stage, part) for part in ("label", "definition", "goal"))
    return {**parts, **{name: text for each in texts for name, text in each.items()}}


def _equipped(stage: Mapping[str, Any]) -> dict[str, Any]:
    blanks: list[dict[str, Any]] = [{} for _ in range(BLANKS)]
    return {
        "actions": [
            *({**texts_in(each, "label"), "role": each.get("role")} for each in stage.get("key_actions", ())),
            *blanks,
        ],
        "tasks": [
            *(
                {
                    **texts_in(each, "label"),
                    "key": each["key"],
                    "severity": each.get("severity", "block"),
                    "role": each.get("role"),
                    "subtasks": "\n".join(
                        local(Label.of(subtask["label"])) for subtask in each.get("subtasks", ())
                    ),
                }
                for each in stage.get("tasks", ())
            ),
            *blanks,
        ],
        "indicators": [
            *(
                {**texts_in(each, "label"), **texts_in(each, "unit"), "target": each.get("target")}
                for each in stage.get("indicators", ())
            ),
            *blanks,
        ],
        "feedback": stage.get("feedback"),
    }


def _guarded(stage: Mapping[str, Any]) -> dict[str, Any]:
    gate = stage.get("gate", {})
    leave, enter = gate.get("leave", {}), gate.get("enter", {})
    approval = leave.get("approval", {})
    return {
        "required_fields": leave.get("required_fields", []),
        **texts_in({"marker": stage.get("marker", {}).get("label")}, "marker"),
        **{part: leave.get(part, usual) for part, usual in USUAL.items()},
        "roles": leave.get("roles", []),
        **{part: approval.get(part, "") for part in ("approver", "role", "fallback_role")},
        "enter_fields": enter.get("required_fields", []),
        "enter_roles": enter.get("roles", []),
    }


def _offer(here: Scope, design: Design, forms: Mapping[str, Any]) -> None:
    """Put what can be chosen into the controls."""
    drafted = {(each.kind, each.key): each for each in drafts(here.session) if not each.is_removal}
    object_draft = drafted.get(("object", design.pipeline.object_key))
    if object_draft is not None:
        properties = object_draft.document["fields"]["properties"]
        fields = [(key, local(Label.of(field.get("x-label") or key))) for key, field in properties.items()]
    else:
        definition = here.catalog.objects.get(design.pipeline.object_key)
        fields = [(each.key, local(each.label)) for each in definition.fields] if definition else []
    roles = [(key, local(role.label)) for key, role in here.catalog.roles.items()]
    anyone = [("", gettext("Nobody yet")), *roles]
    feedback = {
        key: each.label
        for key, each in here.catalog.feedback.items()
        if each.object_key == design.pipeline.object_key
    } | {
        key: each.label
        for (kind, key), each in drafted.items()
        if kind == "feedback" and each.document.get("object") == design.pipeline.object_key
    }
    describe, equip, guard = forms["describe"], forms["equip"], forms["guard"]
    describe.milestone.choices = [("", gettext("None"))] + [
        (each.key, local(each.label)) for each in design.pipeline.milestones
    ]
    describe.color.choices = list(color_words().items())
    equip.feedback.choices = [("", gettext("None"))] + [
        (key, local(label)) for key, label in feedback.items()
    ]
    for row in (*equip.actions, *equip.tasks):
        row.form.role.choices = anyone
    for row in equip.tasks:
        row.form.severity.choices = SEVERITIES
    guard.required_fields.choices = guard.enter_fields.choices = fields
    guard.roles.choices = guard.enter_roles.choices = roles
    guard.role.choices = guard.fallback_role.choices = [("", gettext("None")), *roles]
    guard.approver.choices = [
        ("", gettext("Nobody")),
        ("manager", gettext("The direct supervisor")),
        ("role", gettext("A role")),
    ]
    for part in USUAL:
        guard[part].choices = SEVERITIES
