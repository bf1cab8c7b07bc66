"""What one stage is, asks for and lets through, as edits of its process (part 1 and 5, S2–S4, S35, S36)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from builder.domain.labels import Label
from builder.errors import N_
from builder.metadata.editing.edit import LONGEST_LABEL, LONGEST_TEXT, TOO_LONG, Faults, key_for, patched
from builder.metadata.editing.stages import NO_RATE, ChangeStage, index_of
from builder.metadata.grammar import Document

Texts = Mapping[str, str]
SEVERITIES = ("block", "warn", "ignore")
LIMITS = ("target_days", "warning_days", "breach_days")
MOST_DAYS = 3650
USUAL = {"feedback": "block", "tasks": "block", "marker": "ignore"}
LONGEST_TARGET = 100
TOO_MANY = N_("At most %(limit)s fit here.")
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
        faults = Faults()
        settings = {
            "label": faults.named(self.label),
            "probability": self.probability,
            "color": self.color or None,
            "milestone": self.milestone or None,
            "definition": faults.texts(self.definition, "definition", longest=LONGEST_TEXT) or None,
            "goal": faults.texts(self.goal, "goal", longest=LONGEST_TEXT) or None,
            **{name: getattr(self, name) for name in LIMITS},
        }
        if self.probability is not None and not 0 <= self.probability <= 100:
            faults.add(NO_RATE, "probability")
        if self.milestone and self.milestone not in {each["key"] for each in document.get("milestones", ())}:
            faults.add(N_("This milestone is no longer there. Choose another."), "milestone")
        self._check_limits(faults, document["stages"][index_of(document, self.key)]["kind"] == "open")
        faults.refuse()
        return ChangeStage(self.key, settings).apply(document)

    def _check_limits(self, faults: Faults, is_open: bool) -> None:
        for name in LIMITS:
            days = getattr(self, name)
            if days is not None and not is_open:
                faults.add(N_("Nothing waits in a stage that ends the process: it has no time limits."), name)
            elif days is not None and not 1 <= days <= MOST_DAYS:
                faults.add(N_("A time limit is a whole number of days from 1 to 3650."), name)


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
        faults = Faults()
        settings = {
            "key_actions": self._actions(faults) or None,
            "indicators": self._indicators(faults) or None,
            "tasks": self._tasks(faults, stage.get("tasks", ())) or None,
            "feedback": self.feedback or None,
        }
        for part, stored, most in (
            ("actions", "key_actions", MOST_ACTIONS),
            ("indicators", "indicators", MOST_INDICATORS),
            ("tasks", "tasks", MOST_TASKS),
        ):
            if len(settings[stored] or ()) > most:
                faults.add(TOO_MANY, f"{part}-{most}-label-{self.language}", limit=most)
        faults.refuse()
        return ChangeStage(self.key, settings).apply(document)

    def _actions(self, faults: Faults) -> list[Document]:
        made = []
        for number, row in enumerate(self.actions):
            label = faults.texts(row.label, f"actions-{number}-label")
            if label:
                made.append(patched({"label": label}, {"role": row.role or None}))
        return made

    def _indicators(self, faults: Faults) -> list[Document]:
        made = []
        for number, row in enumerate(self.indicators):
            place = f"indicators-{number}"
            label, target = faults.texts(row.label, f"{place}-label"), row.target.strip()
            if not label:
                continue
            if len(target) > LONGEST_TARGET:
                faults.add(TOO_LONG, f"{place}-target", limit=LONGEST_TARGET)
            unit = faults.texts(row.unit, f"{place}-unit")
            made.append(patched({"label": label}, {"target": target or None, "unit": unit or None}))
        return made

    def _tasks(self, faults: Faults, before: Sequence[Mapping[str, Any]]) -> list[Document]:
        known = {each["key"]: each for each in before}
        taken = set(known)
        made = []
        for number, row in enumerate(self.tasks):
            place = f"tasks-{number}"
            label = faults.texts(row.label, f"{place}-label")
            if not label:
                continue
            if row.severity not in SEVERITIES:
                faults.add(N_("Say what happens when it is still open."), f"{place}-severity")
            key = row.key if row.key in known else key_for(label, taken, "task")
            taken.add(key)
            inner = known.get(key, {}).get("subtasks", ())
            settings = {
                "label": label,
                "severity": row.severity,
                "role": row.role or None,
                "subtasks": self._subtasks(faults, f"{place}-subtasks", row.subtasks, inner) or None,
            }
            made.append(patched({**known.get(key, {}), "key": key}, settings))
        return made

    def _subtasks(
        self, faults: Faults, place: str, names: Sequence[str], before: Sequence[Mapping[str, Any]]
    ) -> list[Document]:
        """A sub-task that is still called so keeps its key and its other languages."""
        known = {Label.of(each["label"]).text(self.language): each for each in before}
        taken = {each["key"] for each in before}
        made: list[Document] = []
        for name in dict.fromkeys(name.strip() for name in names):
            if not name:
                continue
            if name in known:
                made.append(dict(known[name]))
                continue
            if len(name) > LONGEST_LABEL:
                faults.add(N_("A line has room for %(limit)s characters."), place, limit=LONGEST_LABEL)
            label = {self.language: normalize("NFC", name)}
            key = key_for(label, taken, "subtask")
            taken.add(key)
            made.append({"key": key, "label": label})
        if len(made) > MOST_SUBTASKS:
            faults.add(TOO_MANY, place, limit=MOST_SUBTASKS)
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
        faults = Faults()
        label = faults.texts(self.marker, "marker")
        for part in USUAL:
            if self._severity(part) not in (None, *SEVERITIES):
                faults.add(N_("Choose how strictly it is asked for."), part)
        if self.approver not in ("", "manager", "role"):
            faults.add(N_("Choose who approves."), "approver")
        faults.refuse()
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
        kept = {"when": before["when"]} if before and "when" in before else {}
        return patched(
            {**kept, "approver": self.approver},
            {"role": self.role or None, "fallback_role": self.fallback_role or None},
        )
