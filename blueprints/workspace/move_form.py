"""What the move dialog asks for, made from the gate (B2): exactly what is missing, and what was typed.

``MoveForm`` looks at a move as it is stored and as it is typed: a field is asked when the gate misses it in
either, or when it was on the page already. It decides nothing; ``services.transitions`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from builder.domain import conditions
from builder.domain.fields import FieldSet, JsonValue
from builder.domain.moves import Requirement, Unmet
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline, Reason, Stage, Task
from builder.fieldtypes.base import FieldContext
from builder.forms.record_form import RecordForm
from builder.metadata.record_validation import REQUIRED
from builder.services.entries import shown_feedback
from builder.services.transitions import MoveDraft, MoveRecord, draft, look
from builder.services.unit_of_work import UnitOfWork

VALUES, ANSWERS = "values", "answers"
FEEDBACK = "feedback."


@dataclass(frozen=True, slots=True)
class Step:
    """A task or sub-task to tick. ``key`` is ``task`` or ``task/subtask``."""

    key: str
    label: Any
    is_done: bool


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that is open as stored; without sub-tasks it is its own only step."""

    task: Task
    steps: tuple[Step, ...]
    blocks: bool


class MoveForm:
    """One move to ``to_stage`` as a person sees it. ``formdata``: what was typed, ``None`` at first;
    ``revision``: of the record that they saw when they typed it; ``extra``: values that change with the move
    whatever the form asks.

    ``command`` is what would be asked of the service, ``looked`` the move looked at so; ``unmet`` what stands
    in its way now. Errors as ``transitions.draft``; NotFound for a stage that the pipeline lacks is the
    caller's to raise.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        record_id: int,
        to_stage: str,
        make_context: Callable[[MoveDraft], FieldContext],
        formdata: Any = None,
        revision: int | None = None,
        extra: Mapping[str, JsonValue] | None = None,
    ) -> None:
        self._formdata = formdata
        self._extra = dict(extra or {})
        # Values of controls of this dialog that the address proposes, until somebody types.
        self.proposed: dict[str, str] = {}
        self.stored = draft(uow, MoveRecord(record_id, to_stage, revision, values=self._extra))
        context = make_context(self.stored)
        self.record = self.stored.standing.record
        pipeline = self.stored.standing.pipeline
        assert pipeline is not None
        self.pipeline: Pipeline = pipeline
        # The gate judges the whole record; asked and shown is only what the person's role sees (S118).
        self._fields = uow.shown.object(pipeline.object_key).fields
        veil = uow.actor.veils.get(pipeline.object_key)
        hidden = veil.fields if veil is not None else frozenset[str]()
        self._seen = {key: value for key, value in self.record["data"].items() if key not in hidden}
        self._feedback = shown_feedback(uow, self.stored.standing)
        self._answered = {
            key: value
            for key, value in self.stored.snapshot.answers.items()
            if self._feedback is not None and key in self._feedback.by_key
        }
        self.source: Stage | None = pipeline.by_key.get(self.record["stage_key"])
        self.target: Stage | None = pipeline.by_key.get(to_stage)
        bare = MoveRecord(record_id, to_stage, self.record["revision"], values=self._extra)
        self._asked_first = self.stored.requirements(bare)
        self.tasks = self._open_tasks()
        self.looked, self.command = self.stored, bare
        self.requirements = self._asked_first
        self.values, self.answers = self._forms(context, self._asked_first)
        if formdata is not None:
            self._read(uow, context)

    def _read(self, uow: UnitOfWork, context: FieldContext) -> None:
        """Take over what was typed; fields that are asked because of it are added, until none is."""
        for _ in range(3):
            self.command = self._command()
            self.looked = look(uow, self.stored.standing, self.command)
            self.requirements = self.looked.requirements(self.command)
            values, answers = self._forms(context, (*self._asked_first, *self.requirements))
            is_same = _keys(values) == _keys(self.values) and _keys(answers) == _keys(self.answers)
            self.values, self.answers = values, answers
            if is_same:
                return

    # What is asked

    def _forms(
        self, context: FieldContext, asked: Iterable[Requirement]
    ) -> tuple[RecordForm | None, RecordForm | None]:
        missing = [item for item in asked if not item.is_met and item.severity != "ignore"]
        names = {name for item in missing for name in self.fields_of(item)}
        answers = {name.removeprefix(FEEDBACK) for name in names if name.startswith(FEEDBACK)}
        required = {item.field for item in missing if item.kind == "required_field" and item.field}
        values_form = self._form(self._fields, VALUES, self._seen, names, required, context)
        answers_form = None
        if self._feedback is not None:
            answers_form = self._form(self._feedback, ANSWERS, self._answered, answers, set(), context)
        return values_form, answers_form

    def _form(
        self,
        fields: FieldSet,
        prefix: str,
        values: Mapping[str, JsonValue],
        names: Iterable[str],
        required: set[str],
        context: FieldContext,
    ) -> RecordForm | None:
        keys = {key for key in names if key in fields.by_key} | self._on_page(fields, prefix)
        keys = {key for key in keys if _may_be_typed(fields, key)}
        if not keys:
            return None

        def made(keys: set[str]) -> RecordForm:
            return RecordForm(
                fields,
                context,
                values=values,
                formdata=self._formdata,
                only=keys,
                also_required=required,
                prefix=prefix,
            )

        form = made(keys)
        hidden = {key for key in keys if not form.state(key).is_visible}
        return made(keys | _switches(fields, hidden)) if hidden else form

    def _on_page(self, fields: FieldSet, prefix: str) -> set[str]:
        if self._formdata is None:
            return set()
        names = {*self._formdata, *self._formdata.getlist("_has")}
        return {key for key in fields.by_key if f"{prefix}-{key}" in names}

    def fields_of(self, item: Requirement | Unmet) -> Iterator[str]:
        """The fields that would satisfy a requirement; feedback ones as ``feedback.<key>``."""
        if item.kind in ("required_field", "record") and item.field:
            yield item.field
        elif item.kind == "feedback" and item.field:
            yield FEEDBACK + item.field
        elif item.kind in ("condition", "marker"):
            condition = _rule_at(self.pipeline, item)
            if condition is not None:
                yield from conditions.fields_of(condition)

    def _open_tasks(self) -> tuple[OpenTask, ...]:
        asked = {
            str(item.values["task_key"]): item.severity
            for item in self._asked_first
            if item.kind == "task" and not item.is_met and item.severity != "ignore"
        }
        if self.source is None:
            return ()
        done = self.stored.given.done_tasks | self._ticked()
        return tuple(
            OpenTask(task, _steps(task, done), asked[task.key] == "block")
            for task in self.source.tasks
            if task.key in asked
        )

    @property
    def asks_for_marker(self) -> bool:
        """Whether the sign of the stage is missing and a person may tick it."""
        marker = self.source.marker if self.source else None
        return bool(
            marker
            and marker.when is None
            and any(
                item.kind == "marker" and not item.is_met and item.severity != "ignore"
                for item in self._asked_first
            )
        )

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The catalogue that a closing chooses from."""
        if self.target is None or self.target.is_open:
            return ()
        known = self.pipeline.reasons.get(self.target.kind, ())
        return tuple(reason for reason in known if not reason.is_retired)

    @property
    def closes(self) -> bool:
        return self.target is not None and not self.target.is_open

    # What stands in the way

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """Every reason that the service would refuse with, for what is typed now."""
        return tuple(
            item.unmet
            for item in self.requirements
            if not item.is_met and item.severity != "ignore" and item.kind != "approval"
        )

    @property
    def warnings(self) -> tuple[Unmet, ...]:
        return tuple(item for item in self.unmet if item.severity == "warn")

    @property
    def beyond(self) -> tuple[Unmet, ...]:
        """What nothing in this dialog can fill in: rights, roles, transitions, conditions and such."""
        return tuple(
            item for item in self.unmet if item.severity == "block" and item.kind not in _AT_CONTROLS
        )

    @property
    def is_hopeless(self) -> bool:
        """Whether no answer helps: the actor may not, or there is no such step."""
        can = self.stored.snapshot.actor.can("move.override")
        return any(item.kind in _ABOUT_THE_STEP and not (can and item.is_overridable) for item in self.beyond)

    @property
    def may_override(self) -> bool:
        """Whether this actor could set aside what blocks now, with a reason."""
        blocks = [item for item in self.unmet if item.severity == "block"]
        can = self.stored.snapshot.actor.can("move.override")
        return can and bool(blocks) and any(item.is_overridable for item in blocks)

    @property
    def approvals(self) -> tuple[Requirement, ...]:
        return tuple(item for item in self.requirements if item.kind == "approval" and not item.is_met)

    # What was typed

    def _ticked(self) -> frozenset[str]:
        return frozenset(self._formdata.getlist("tasks")) if self._formdata is not None else frozenset()

    def typed(self, name: str) -> str:
        if self._formdata is None:
            return self.proposed.get(name, "")
        return str(self._formdata.get(name, "")).replace("\0", "").strip()

    @property
    def is_refresh(self) -> bool:
        """Whether the form is to be decided again without moving."""
        return any(form.is_refresh for form in self.forms) or self.typed("_action") == "refresh"

    @property
    def has_files(self) -> bool:
        return any(form.has_files for form in self.forms)

    @property
    def forms(self) -> tuple[RecordForm, ...]:
        return tuple(form for form in (self.answers, self.values) if form is not None)

    def _command(self) -> MoveRecord:
        shown = {step.key for task in self.tasks for step in task.steps}
        done = self.stored.given.done_tasks - shown | self._ticked() & shown
        return MoveRecord(
            self.record["id"],
            self.command.to_stage,
            self.record["revision"],
            values={**self._extra, **_changes(self.values)},
            answers=_changes(self.answers),
            done_tasks=frozenset(done),
            is_marked=self.stored.given.is_marked or (self.asks_for_marker and bool(self.typed("marked"))),
            reason_key=self.typed("reason_key") or None,
            reason_note=self.typed("reason_note"),
            is_confirmed=bool(self.typed("confirmed")),
            override_reason=self.typed("override_reason") or None,
        )

    # What is told

    def read_typed(self) -> bool:
        """Whether everything typed is a value; what is not is told at its field.

        What is only missing is left to the gate, which knows whether it blocks.
        """
        for form in self.forms:
            form.validate()
            form.problems = [problem for problem in form.problems if problem.message != REQUIRED]
        return not any(form.problems for form in self.forms)


_ABOUT_THE_STEP = ("right", "role", "transition", "same_stage", "unknown_stage")
_AT_CONTROLS = ("required_field", "feedback", "task", "subtask", "marker", "reason")


def is_forbidden(unmet: Iterable[Unmet], actor: Actor) -> bool:
    """Whether a refusal is about who the person is, whatever they would fill in."""
    kinds = {item.kind for item in unmet if item.severity == "block"}
    return "right" in kinds or ("role" in kinds and not actor.can("move.override"))


def _keys(form: RecordForm | None) -> frozenset[str]:
    return frozenset(form.keys) if form is not None else frozenset()


def _steps(task: Task, done: frozenset[str]) -> tuple[Step, ...]:
    if not task.subtasks:
        return (Step(task.key, task.label, task.key in done),)
    keys = [(f"{task.key}/{subtask.key}", subtask.label) for subtask in task.subtasks]
    return tuple(Step(key, label, key in done) for key, label in keys)


def _changes(form: RecordForm | None) -> dict[str, JsonValue]:
    """What a form would change; ``None`` empties a field. Formulas follow by themselves."""
    if form is None:
        return {}
    before = form.before or {}
    return {
        field.key: form.values.get(field.key)
        for field in form.fieldset
        if field.type != "formula" and form.values.get(field.key) != before.get(field.key)
    }


def _may_be_typed(fields: FieldSet, key: str) -> bool:
    return not fields.by_key[key].is_read_only and fields.by_key[key].type != "formula"


def _switches(fields: FieldSet, hidden: set[str]) -> set[str]:
    """The fields on which it depends whether hidden ones are shown."""
    return {
        name
        for rule in fields.rules
        if rule.effect == "show" and hidden & set(rule.targets)
        for name in conditions.fields_of(rule.when)
        if name in fields.by_key and _may_be_typed(fields, name)
    }


def _rule_at(pipeline: Pipeline, item: Requirement | Unmet) -> conditions.Condition | None:
    """The condition behind a requirement, by its JSON pointer into the pipeline."""
    parts = item.pointer.split("/")
    if len(parts) < 4 or parts[1] != "stages":
        return None
    stage = pipeline.stages[int(parts[2])]
    if item.kind == "marker":
        return stage.marker.when if stage.marker else None
    gate = stage.leave if parts[4] == "leave" else stage.enter
    return gate.conditions[int(parts[6])].when
