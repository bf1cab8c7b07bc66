"""What a refused move tells: each thing at the control that puts it right, and in the summary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from blueprints.messages import error_lines, told
from blueprints.workspace.move_form import FEEDBACK, MoveForm
from builder.domain.moves import Unmet
from builder.errors import Problem
from builder.forms.record_form import RecordForm

CONFIRMED = "confirmed"
_OF_FIELDS = ("required_field", "record", "feedback")


def step_id(key: str) -> str:
    """The id of the box of a task or of a sub-task (``task/subtask``)."""
    return f"task-{key.replace('/', '--')}"


class MoveFaults:
    """The faults of one refused dialog.

    ``at``: texts by the id of a control of the dialog that is no field (tasks, sign, reason); fields hold
    theirs themselves. A warning leads to its control and is marked at the box that confirms it, for either
    puts it right.
    """

    def __init__(self, form: MoveForm) -> None:
        self._form = form
        self._left: list[tuple[str, str]] = []
        self.at: dict[str, list[str]] = {}

    @property
    def summary(self) -> list[tuple[str, str]]:
        """(control id or nothing, text), those of fields first."""
        return [line for each in self._form.forms for line in error_lines(each)] + self._left

    def add_unmet(self, unmet: Iterable[Unmet]) -> None:
        """What the gate refused."""
        unmet = tuple(unmet)
        by_steps = {item.values["task_key"] for item in unmet if item.kind == "subtask"}
        for item in unmet:
            problem = Problem(item.message_key, item.field or item.kind, dict(item.values))
            if item.kind == "task" and item.values["task_key"] in by_steps:
                continue  # its open sub-tasks say so, one by one
            if self._at_field(item, problem):
                continue
            anchor = self._control(item)
            self._left.append((anchor, told(problem)))
            if anchor and item.severity == "block":
                self.at.setdefault(anchor, []).append(told(problem))

    def add_refused(self, text: str, problems: Iterable[Problem]) -> None:
        """What a service refused: at the fields that it names, otherwise in the summary only."""
        problems, is_told = tuple(problems), False
        for problem in problems:
            key = problem.place.removeprefix("/").partition("/")[0]
            form = next((one for one in self._form.forms if key in one.keys), None)
            if form is not None:
                form.add_problems([problem])
                is_told = True
            else:
                self._left.append(("", told(problem)))
        if not is_told:
            self._left.insert(0, ("", text))

    def _at_field(self, item: Unmet, problem: Problem) -> bool:
        """Whether the fault stands at a field of the dialog now; a condition at the first it asks about."""
        if item.severity == "warn" and item.kind not in _OF_FIELDS:
            return False
        for name in self._form.fields_of(item):
            key = name.removeprefix(FEEDBACK)
            form = self._form.answers if name.startswith(FEEDBACK) else self._form.values
            if form is None or key not in form.keys or not form.state(key).is_visible:
                continue
            if item.kind not in _OF_FIELDS or key not in _told(form):
                form.add_problems([Problem(problem.message, key, problem.values)])
            return True
        return False

    def _control(self, item: Unmet) -> str:
        values: dict[str, Any] = dict(item.values)
        open_tasks = {each.task.key for each in self._form.tasks}
        if item.kind in ("task", "subtask") and values["task_key"] in open_tasks:
            return step_id("/".join(values[part] for part in ("task_key", "subtask_key") if part in values))
        if item.kind == "marker" and self._form.asks_for_marker:
            return "marked"
        if item.kind == "reason" and self._form.reasons:
            return "reason_key"
        return CONFIRMED if item.severity == "warn" else ""


def _told(form: RecordForm) -> set[str]:
    return {each.place.partition("/")[0] for each in form.problems}
