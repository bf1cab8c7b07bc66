"""What the record page says about the process: the path, what to do now, what comes next (S3, S4, S39)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext

from blueprints.messages import local, message, named
from blueprints.scope import Scope
from blueprints.workspace.area import move_address
from blueprints.workspace.cells import Cell
from blueprints.workspace.limit_words import ShownLimit, limits_of, shown_limit
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.shown import Reader, day, duration, form_context, in_currency, stage_color
from blueprints.workspace.way_out import WayOutLink, ways_out
from builder.domain.fields import FieldSet, ObjectDefinition
from builder.domain.gates import is_empty, is_task_done
from builder.domain.layouts import Viewpoint
from builder.domain.moves import Requirement
from builder.domain.pipeline import Pipeline, Stage, Task
from builder.domain.time_limits import whole_days
from builder.forms.record_form import RecordForm
from builder.queries.record import RecordPage
from builder.queries.row import names_of_members, names_of_records
from builder.services.outlook import Outlook

FEEDBACK_PREFIX = "a"


@dataclass(frozen=True, slots=True)
class Step:
    """A stage on the path. ``state``: done, skipped, current, ahead; ``move``: where a click leads;
    ``limit``: of the present one, how long the record has stood in it against its limits.
    """

    key: str
    label: str
    color: str
    state: str
    detail: str
    move: str
    limit: ShownLimit | None = None


@dataclass(frozen=True, slots=True)
class PathGroup:
    """Neighbouring stages of one milestone (``label`` empty without)."""

    label: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task or sub-task as a checkbox; one with sub-tasks is done by them and has none of its own."""

    key: str
    label: str
    is_done: bool
    is_needed: bool
    role: str
    subtasks: tuple[TaskLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing still missing. ``anchor``: where on the page it is put right."""

    text: str
    is_blocking: bool
    anchor: str


@dataclass(frozen=True, slots=True)
class Needed:
    """One thing that the next stage will ask for; ``is_there`` already or not (``None``: not known yet)."""

    kind: str
    text: str
    is_there: bool | None


@dataclass(frozen=True)
class Panel:
    """Everything about the present stage and the one after it."""

    record_id: int
    stay_id: int | None
    pipeline: Pipeline
    stage: Stage
    color: str
    since: str
    age: str
    limit: ShownLimit | None
    actions: tuple[tuple[str, str], ...]
    tasks: tuple[TaskLine, ...]
    missing: tuple[Missing, ...]
    ways_out: tuple[WayOutLink, ...]
    marker: str
    is_marker_met: bool
    is_marker_manual: bool
    feedback_label: str
    following: Stage | None
    following_color: str
    following_move: str
    needed: tuple[Needed, ...]
    may_work: bool


def path(here: Scope, page: RecordPage, look: Outlook) -> list[PathGroup]:
    """All open stages and the won one in order, each done, skipped, current or ahead."""
    visited: dict[str, float | None] = {}
    for stay in page.stays:
        if stay.pipeline_key == look.pipeline.key and stay.left_via != "void":
            before = visited.get(stay.stage_key) or 0
            visited[stay.stage_key] = before + (stay.seconds or 0)
    targets = {stage.key for stage in look.targets}
    groups: list[PathGroup] = []
    steps = (
        look.pipeline.steps
        if look.stage.kind in ("open", "won")
        else (*look.pipeline.open_stages, look.stage)
    )
    for stage in steps:
        state = _state(look, stage, visited)
        step = Step(
            stage.key,
            local(stage.label),
            stage_color(stage),
            state,
            duration(visited.get(stage.key)) if state == "done" and visited.get(stage.key) else "",
            move_address(page.record.id, stage.key) if stage.key in targets else "",
            limit=_limit(here, page, look) if state == "current" else None,
        )
        label = _milestone(look.pipeline, stage)
        if groups and groups[-1].label == label:
            groups[-1] = PathGroup(label, (*groups[-1].steps, step))
        else:
            groups.append(PathGroup(label, (step,)))
    return groups


def _limit(here: Scope, page: RecordPage, look: Outlook) -> ShownLimit | None:
    entered = page.record.stage_entered_at
    if entered is None:
        return None
    limits = limits_of(here.catalog.pipelines.get(look.pipeline.key), look.stage)
    return shown_limit(whole_days((here.clock.now() - entered).total_seconds()), limits)


def _state(look: Outlook, stage: Stage, visited: Mapping[str, Any]) -> str:
    if stage.key == look.stage.key:
        return "current"
    is_behind = not look.stage.is_open or stage.position < look.stage.position
    if is_behind:
        return "done" if stage.key in visited else "skipped"
    return "ahead"


def _milestone(pipeline: Pipeline, stage: Stage) -> str:
    found = next((one for one in pipeline.milestones if one.key == stage.milestone), None)
    return local(found.label) if found else ""


def panel(here: Scope, page: RecordPage, look: Outlook) -> Panel:
    stage, stay = look.stage, page.open_stay
    record = page.record
    elapsed = None
    if record.stage_entered_at is not None and stage.is_open:
        elapsed = (here.clock.now() - record.stage_entered_at).total_seconds()
    following = look.following
    may_change = page.opened.may_change and here.actor.can("record.edit")
    return Panel(
        record_id=record.id,
        stay_id=stay.id if stay else None,
        pipeline=look.pipeline,
        stage=stage,
        color=stage_color(stage),
        since=day(record.stage_entered_at),
        age=duration(elapsed),
        limit=_limit(here, page, look),
        actions=tuple((local(action.label), role_name(here, action.role)) for action in stage.key_actions),
        tasks=tuple(_task(here, task, look) for task in stage.tasks),
        missing=tuple(_missing(item, page, look, may_change) for item in look.missing),
        ways_out=_ways_out(page, look),
        marker=local(stage.marker.label) if stage.marker else "",
        is_marker_met=bool(look.is_marker_met),
        is_marker_manual=stage.marker is not None and stage.marker.when is None,
        feedback_label=local(look.feedback.label) if look.feedback else "",
        following=following,
        following_color=stage_color(following) if following else "",
        following_move=move_address(record.id, following.key)
        if following and following in look.targets
        else "",
        needed=tuple(_needed(here, page, following)) if following else (),
        may_work=may_change and stay is not None and stage.is_open,
    )


def role_name(here: Scope, key: str | None) -> str:
    role = here.catalog.roles.get(key or "")
    return local(role.label) if role else (key or "")


def _task(here: Scope, task: Task, look: Outlook) -> TaskLine:
    subtasks = tuple(
        TaskLine(
            f"{task.key}/{sub.key}", local(sub.label), f"{task.key}/{sub.key}" in look.done_tasks, False, ""
        )
        for sub in task.subtasks
    )
    return TaskLine(
        task.key,
        local(task.label),
        is_task_done(task, look.done_tasks),
        task.severity == "block",
        role_name(here, task.role),
        subtasks,
    )


def _ways_out(page: RecordPage, look: Outlook) -> tuple[WayOutLink, ...]:
    answers = page.open_stay.answers if page.open_stay else {}
    values = {**page.record.data, **{f"feedback.{key}": answer for key, answer in answers.items()}}
    return tuple(ways_out(look.pipeline, look.stage.key, look.missing, page.record.id, values))


def _missing(item: Requirement, page: RecordPage, look: Outlook, may_change: bool) -> Missing:
    text = message(item.message_key, item.values)
    if item.field and item.kind in ("record", "feedback"):
        text = named(local(item.label), text)
    return Missing(text, item.severity == "block", _anchor(item, page, look, may_change))


def _anchor(item: Requirement, page: RecordPage, look: Outlook, may_change: bool) -> str:
    """Where it is put right: the control on this page, or the field on the page that edits the record."""
    if item.kind == "feedback":
        is_asked = look.feedback is not None and item.field in look.feedback.fields.by_key
        return f"#{FEEDBACK_PREFIX}-{item.field}" if is_asked else "#stage-feedback"
    if item.kind == "task":
        task = next((one for one in look.stage.tasks if one.key == item.values["task_key"]), None)
        return f"#task-{task.key}" if task and not task.subtasks else "#stage-tasks"
    if item.kind == "marker":
        return "#stage-marker"
    if item.kind in ("required_field", "record") and item.field and may_change:
        return f"{url_for('workspace.edit_record', record_id=page.record.id)}#f-{item.field}"
    return ""


def _needed(here: Scope, page: RecordPage, stage: Stage) -> list[Needed]:
    """What to prepare for the next stage: what entering and then leaving it will ask for."""
    definition: ObjectDefinition = here.catalog.object(page.record.object_key)
    veil = here.actor.veils.get(definition.key)
    unseen = veil.fields if veil else ()
    found = []
    for key in dict.fromkeys((*stage.enter.required_fields, *stage.leave.required_fields)):
        field = definition.fields.by_key.get(key)
        if field is None and key in unseen:
            continue
        label = local(field.label) if field else key
        found.append(Needed("field", label, not is_empty(page.record.data.get(key))))
    feedback = here.catalog.feedback.get(stage.feedback or "")
    if feedback is not None:
        found.append(Needed("feedback", local(feedback.label), None))
    found += [Needed("task", local(task.label), None) for task in stage.tasks]
    if stage.marker is not None:
        found.append(Needed("marker", local(stage.marker.label), None))
    if stage.leave.approval or stage.enter.approval:
        found.append(Needed("approval", gettext("An approval"), None))
    return found


def feedback_form(here: Scope, page: RecordPage, look: Outlook, formdata: Any = None) -> RecordForm | None:
    """The feedback form of the present visit, with what was answered so far."""
    stay = page.open_stay
    if look.feedback is None or stay is None:
        return None
    fields = look.feedback.fields
    records, members = ids_in(fields, (stay.answers,))
    context = in_currency(
        form_context(here, names_of_records(here.session, records), names_of_members(here.session, members)),
        page.record.currency,
    )
    view = Viewpoint(here.actor.role_key, page.record.pipeline_key, page.record.stage_key)
    return RecordForm(
        fields.seen_from(view), context, values=stay.answers, formdata=formdata, prefix=FEEDBACK_PREFIX
    )


def fingerprint(answers: Mapping[str, Any]) -> str:
    """Tells answers that were shown from answers that somebody changed since."""
    text = json.dumps(answers, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def answered(
    reader: Reader, fields: FieldSet, answers: Mapping[str, Any], currency: str | None
) -> list[tuple[str, Cell]]:
    """Label and value of each answer that was given, in the order of the form; amounts are in the record's
    currency.
    """
    return [
        (
            field.label.text(reader.context.locale) or field.key,
            reader.cell(field, answers[field.key], currency),
        )
        for field in fields
        if field.key in answers
    ]
