"""The road map of a process: one page to print that says what is done in each stage (S22).

Whoever works in the workspace may read it; it is told in either language, whatever the reader's own is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import render_template
from flask_babel import gettext
from htmx_flask import request

from blueprints.languages import LANGUAGES, in_language, language
from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.background_words import background_lines
from blueprints.studio.change_words import condition_words
from blueprints.studio.processes import KINDS, Design
from blueprints.workspace.limit_words import limits_line
from blueprints.workspace.shown import names_in
from builder.domain.conditions import Condition, to_document
from builder.domain.fields import FieldSet
from builder.domain.pipeline import ApprovalSlot, Gate, Pipeline, Stage, Task
from builder.services.definitions import EDIT


@dataclass(frozen=True, slots=True)
class Action:
    """What is done, and the role that does it; empty: nobody is named (S113)."""

    text: str
    role: str


@dataclass(frozen=True, slots=True)
class Work:
    """A task with its steps. ``severity``: block, warn or ignore, as on leaving the stage."""

    text: str
    role: str
    severity: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A field that is to be filled: of the record, or of the stage's feedback form."""

    text: str
    help: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that must be true to go on, in words; ``message``: what people are told when it is not."""

    text: str
    message: str
    is_blocking: bool


@dataclass(frozen=True, slots=True)
class RoadStep:
    """A stage in words; see ``domain.pipeline.Stage``. ``number`` counts the open ones."""

    stage: Stage
    number: int
    milestone: str
    kind: str
    actions: tuple[Action, ...]
    tasks: tuple[Work, ...]
    fields: tuple[str, ...]
    feedback: str
    questions: tuple[Asked, ...]
    rules: tuple[Rule, ...]
    entry: tuple[Rule, ...]
    entry_fields: tuple[str, ...]
    sign: str
    sign_when: str
    reasons: tuple[str, ...]
    limits: str = ""


@studio.get("/processes/<pipeline_key>/road-map")
def road_map(pipeline_key: str) -> str:
    """``?language=`` tells it in that language. A process that is only drafted is shown to who may edit."""
    here = scope()
    asked = request.args.get("language", "")
    with in_language(asked if asked in LANGUAGES else language()):
        pipeline = _process(here, pipeline_key)
        definition = here.catalog.objects.get(pipeline.object_key)
        return render_template(
            "pages/studio/road_map.html",
            pipeline=pipeline,
            about=local(definition.label_plural) if definition else pipeline.object_key,
            steps=list(steps_of(here, pipeline)),
            workspace=here.workspace,
            background=background_lines(pipeline.background),
        )


def _process(here: Scope, pipeline_key: str) -> Pipeline:
    """Errors: NotFound."""
    if pipeline_key not in here.catalog.pipelines and here.actor.can(EDIT):
        return Design.read(here, pipeline_key).pipeline
    return here.catalog.pipeline(pipeline_key)


def steps_of(here: Scope, pipeline: Pipeline) -> Iterator[RoadStep]:
    """The stages in order, each in the words of the present language."""
    milestones = {milestone.key: local(milestone.label) for milestone in pipeline.milestones}
    number = 0
    for stage in pipeline.stages:
        number += stage.is_open
        form = here.catalog.feedback.get(stage.feedback or "")
        yield RoadStep(
            stage,
            number if stage.is_open else 0,
            milestones.get(stage.milestone or "", ""),
            str(KINDS[stage.kind]),
            tuple(Action(local(one.label), _role(here, one.role)) for one in stage.key_actions),
            tuple(_work(here, stage, task) for task in stage.tasks),
            _fields(here, pipeline, stage.leave),
            local(form.label) if form else "",
            _questions(form.fields) if form else (),
            tuple(_rules(here, pipeline, stage.leave)),
            tuple(_rules(here, pipeline, stage.enter)),
            _fields(here, pipeline, stage.enter),
            local(stage.marker.label) if stage.marker else "",
            _in_words(here, pipeline, stage.marker.when) if stage.marker and stage.marker.when else "",
            tuple(local(one.label) for one in pipeline.reasons.get(stage.kind, ()) if not one.is_retired)
            if not stage.is_open
            else (),
            limits_line(stage.limits),
        )


def _role(here: Scope, key: str | None) -> str:
    role = here.catalog.roles.get(key or "")
    return local(role.label) if role else ""


def _work(here: Scope, stage: Stage, task: Task) -> Work:
    severity = "ignore" if stage.leave.tasks == "ignore" else task.severity
    return Work(
        local(task.label), _role(here, task.role), severity, tuple(local(s.label) for s in task.subtasks)
    )


def _fields(here: Scope, pipeline: Pipeline, gate: Gate) -> tuple[str, ...]:
    """The fields of the record that a gate asks for; those that the reader's role hides are left out."""
    definition = here.catalog.objects.get(pipeline.object_key)
    known = definition.fields.by_key if definition else {}
    return tuple(local(known[key].label) for key in gate.required_fields if key in known)


def _questions(fields: FieldSet) -> tuple[Asked, ...]:
    return tuple(Asked(local(one.label), local(one.help), one.is_required) for one in fields)


def _rules(here: Scope, pipeline: Pipeline, gate: Gate) -> Iterator[Rule]:
    for condition in gate.conditions:
        text = _in_words(here, pipeline, condition.when)
        yield Rule(text, local(condition.message), condition.severity == "block")
    if gate.approval is not None:
        yield Rule(_approval(here, pipeline, gate.approval), "", True)
    if gate.roles:
        names = names_in([_role(here, key) or key for key in gate.roles])
        yield Rule(gettext("Only for: %(roles)s", roles=names), "", True)


def _approval(here: Scope, pipeline: Pipeline, slot: ApprovalSlot) -> str:
    who = gettext("Own manager") if slot.approver == "manager" else _role(here, slot.role)
    text = gettext("Approved by: %(who)s", who=who)
    if slot.when is None:
        return text
    return gettext("%(what)s, if %(condition)s", what=text, condition=_in_words(here, pipeline, slot.when))


def _in_words(here: Scope, pipeline: Pipeline, condition: Condition) -> str:
    return condition_words(here, pipeline.object_key, to_document(condition))
