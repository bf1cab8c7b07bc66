"""What one stage is, asks for and lets through, as edits of its process (part 1 and 5, S2–S4, S35, S36)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builder.domain.labels import Label
from builder.errors import N_
from builder.metadata.editing.edit import LONGEST_TEXT, Refused, key_for, named, patched, texts
from builder.metadata.editing.stages import ChangeStage, index_of
from builder.metadata.grammar import Document

Texts = Mapping[str, str]
SEVERITIES = ("block", "warn", "ignore")
LIMITS = ("target_days", "warning_days", "breach_days")
MOST_DAYS = 3650
USUAL = {"feedback": "block", "tasks": "block", "marker": "ignore"}
MOST_ACTIONS, MOST_INDICATORS, MOST_TASKS, MOST_SUBTASKS = 30, 20, 40, 30


@dataclass(frozen=True)
class DescribeStage:
    """Its name, colour, milestone, win rate (percent), definition, goal, and limits of a stay in days."""

    key: str
    label: Texts
    probability: int | None
    color: str = ""
    milestone: str = ""
    definition: Texts = field(default_factory=dict)
    goal: Texts = field(default_factory=dict)
    target_days: int | None = None
    warning_days: int | None = None
    breach_days: int | None = None

    def apply(self, document: Document) -> Document:
        known = {each["key"] for each in document.get("milestones", ())}
        if self.milestone and self.milestone not in known:
            raise Refused(N_("This milestone is no longer there. Choose another."), "milestone")
        limits = {name: getattr(self, name) for name in LIMITS}
        is_open = document["stages"][index_of(document, self.key)]["kind"] == "open"
        for name, days in limits.items():
            if days is not None and not is_open:
                raise Refused(
                    N_("Nothing waits in a stage that ends the process: it has no time limits."), name
                )
            if days is not None and not 1 <= days <= MOST_DAYS:
                raise Refused(N_("A time limit is a whole number of days from 1 to 3650."), name)
        settings = {
            "label": named(self.label),
            "probability": self.probability,
            "color": self.color or None,
            "milestone": self.milestone or None,
            "definition": texts(self.definition, "definition", longest=LONGEST_TEXT) or None,
            "goal": texts(self.goal, "goal", longest=LONGEST_TEXT) or None,
            **limits,
        }
        return ChangeStage(self.key, settings).apply(document)


@dataclass(frozen=True)
class Action:
    """A key action with the role that is responsible for it (S113)."""

    label: Texts
    role: str = ""


@dataclass(frozen=True)
class Indicator:
    """What is measured, how much of it is the target, and in what unit."""

    label: Texts
    target: str = ""
    unit: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A task: ``key`` empty for a new one; ``subtasks``: their names in the language ``language``."""

    key: str
    label: Texts
    severity: str = "block"
    role: str = ""
    subtasks: Sequence[str] = ()


@dataclass(frozen=True)
class EquipStage:
    """What is to be done in it: key actions, tasks with sub-tasks, indicators, feedback form. Rows without a
    name are left out.
    """

    key: str
    actions: Sequence[Action] = ()
    tasks: Sequence[Task] = ()
    indicators: Sequence[Indicator] = ()
    feedback: str = ""
    language: str = "en"

    def apply(self, document: Document) -> Document:
        stage = document["stages"][index_of(document, self.key)]
        actions = [
            patched({"label": texts(each.label, "actions")}, {"role": each.role or None})
            for each in self.actions
            if texts(each.label, "actions")
        ]
        indicators = [
            patched(
                {"label": texts(each.label, "indicators")},
                {"target": each.target.strip()[:100] or None, "unit": texts(each.unit, "indicators") or None},
            )
            for each in self.indicators
            if texts(each.label, "indicators")
        ]
        tasks = self._tasks(stage.get("tasks", ()))
        for part, made, most in (
            ("actions", actions, MOST_ACTIONS),
            ("indicators", indicators, MOST_INDICATORS),
            ("tasks", tasks, MOST_TASKS),
        ):
            if len(made) > most:
                raise Refused(N_("At most %(limit)s fit here."), part, limit=most)
        settings = {
            "key_actions": actions or None,
            "indicators": indicators or None,
            "tasks": tasks or None,
            "feedback": self.feedback or None,
        }
        return ChangeStage(self.key, settings).apply(document)

    def _tasks(self, before: Sequence[Mapping[str, Any]]) -> list[Document]:
        known = {each["key"]: each for each in before}
        taken = set(known)
        made = []
        for row in self.tasks:
            label = texts(row.label, "tasks")
            if not label:
                continue
            if row.severity not in SEVERITIES:
                raise Refused(N_("Say what happens when it is still open."), "tasks")
            key = row.key if row.key in known else key_for(label, taken, "task")
            taken.add(key)
            settings = {
                "label": label,
                "severity": row.severity,
                "role": row.role or None,
                "subtasks": self._subtasks(row.subtasks, known.get(key, {}).get("subtasks", ())) or None,
            }
            made.append(patched({**known.get(key, {}), "key": key}, settings))
        return made

    def _subtasks(self, names: Sequence[str], before: Sequence[Mapping[str, Any]]) -> list[Document]:
        """A sub-task that is still called so keeps its key and its other languages."""
        known = {Label.of(each["label"]).text(self.language): each for each in before}
        taken = {each["key"] for each in before}
        made: list[Document] = []
        for name in dict.fromkeys(name.strip() for name in names):
            if not name:
                continue
            if name not in known:
                label = texts({self.language: name}, "tasks")
                key = key_for(label, taken, "subtask")
                taken.add(key)
                made.append({"key": key, "label": label})
            else:
                made.append(dict(known[name]))
        if len(made) > MOST_SUBTASKS:
            raise Refused(N_("At most %(limit)s fit here."), "tasks", limit=MOST_SUBTASKS)
        return made


@dataclass(frozen=True)
class GuardStage:
    """What must be true to go on: required fields, marker, and how strictly each part is asked for; who may
    go on, who approves; what must be true to come in. Conditions stay as they are.

    ``approver``: manager, role or empty for nobody.
    """

    key: str
    required_fields: Collection[str] = ()
    marker: Texts = field(default_factory=dict)
    severities: Mapping[str, str] = field(default_factory=dict)
    roles: Collection[str] = ()
    approver: str = ""
    role: str = ""
    fallback_role: str = ""
    enter_fields: Collection[str] = ()
    enter_roles: Collection[str] = ()

    def apply(self, document: Document) -> Document:
        stage = document["stages"][index_of(document, self.key)]
        for part in USUAL:
            if self._severity(part) not in (None, *SEVERITIES):
                raise Refused(N_("Choose how strictly it is asked for."), part)
        gate = stage.get("gate", {})
        leave = patched(
            gate.get("leave", {}),
            {
                "required_fields": list(dict.fromkeys(self.required_fields)) or None,
                "roles": list(dict.fromkeys(self.roles)) or None,
                "approval": self._approval(gate.get("leave", {}).get("approval")),
                **{part: self._severity(part) for part in USUAL},
            },
        )
        enter = patched(
            gate.get("enter", {}),
            {
                "required_fields": list(dict.fromkeys(self.enter_fields)) or None,
                "roles": list(dict.fromkeys(self.enter_roles)) or None,
            },
        )
        label = texts(self.marker, "marker")
        settings = {
            "marker": {**stage.get("marker", {}), "label": label} if label else None,
            "gate": patched(gate, {"leave": leave or None, "enter": enter or None}) or None,
        }
        return ChangeStage(self.key, settings).apply(document)

    def _severity(self, part: str) -> str | None:
        """None where it is asked for as strictly as usual: that is not stored."""
        chosen = self.severities.get(part, "")
        return None if chosen in ("", USUAL[part]) else chosen

    def _approval(self, before: Mapping[str, Any] | None) -> Document | None:
        if not self.approver:
            return None
        if self.approver not in ("manager", "role"):
            raise Refused(N_("Choose who approves."), "approver")
        kept = {"when": before["when"]} if before and "when" in before else {}
        return patched(
            {**kept, "approver": self.approver},
            {"role": self.role or None, "fallback_role": self.fallback_role or None},
        )
