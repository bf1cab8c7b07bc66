"""A funnel over several processes, as edits of its document (part 3, M0)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from builder.errors import N_
from builder.metadata.editing.edit import LONGEST_TEXT, Refused, key_for, named, patched, texts
from builder.metadata.grammar import GRAMMAR, Document

Place: TypeAlias = tuple[str, str]
"""A pipeline and a stage of it: what a step is known by."""

NO_STEP = N_("This step is no longer there. Somebody may have removed it.")
MOST_STEPS = 30
UNITS = ("record", "customer")


def new_funnel(label: Mapping[str, str], first: Place, taken: Collection[str]) -> Document:
    """A funnel of one step. Errors: Refused without a name."""
    label = named(label)
    return {
        "grammar": GRAMMAR,
        "kind": "funnel",
        "key": key_for(label, taken, "funnel"),
        "label": label,
        "unit": "record",
        "steps": [_step(first)],
    }


@dataclass(frozen=True)
class ChangeFunnel:
    """Its name, description, and what it counts."""

    label: Mapping[str, str]
    description: Mapping[str, str] = field(default_factory=dict)
    unit: str = "record"

    def apply(self, document: Document) -> Document:
        if self.unit not in UNITS:
            raise Refused(N_("Choose what is counted."), "unit")
        settings = {
            "label": named(self.label),
            "description": texts(self.description, "description", longest=LONGEST_TEXT) or None,
            "unit": self.unit,
        }
        return patched(document, settings)


@dataclass(frozen=True)
class AddStep:
    """One more step: behind the last one of its process, else at the end. ``known``: what can be one."""

    place: Place
    known: Collection[Place]

    def apply(self, document: Document) -> Document:
        steps = document["steps"]
        if len(steps) >= MOST_STEPS:
            raise Refused(N_("A funnel has room for %(limit)s steps."), "new", limit=MOST_STEPS)
        if self.place not in self.known:
            raise Refused(N_("This stage is no longer there. Choose another."), "new")
        if self.place in map(place_of, steps):
            raise Refused(N_("This stage is a step already."), "new")
        same = [index for index, step in enumerate(steps) if step["pipeline"] == self.place[0]]
        at = same[-1] + 1 if same else len(steps)
        return {**document, "steps": [*steps[:at], _step(self.place), *steps[at:]]}


@dataclass(frozen=True)
class SetSteps:
    """All steps in order, each with its name; an empty name leaves that of the stage. ``shift``: what one of
    them does besides.
    """

    rows: Sequence[tuple[Place, Mapping[str, str]]]
    shift: ShiftStep | None = None

    def apply(self, document: Document) -> Document:
        if sorted(place for place, _ in self.rows) != sorted(map(place_of, document["steps"])):
            raise Refused(N_("The new order must name each step once."))
        before = {place_of(step): step for step in document["steps"]}
        steps = [
            patched(before[place], {"label": texts(label, f"step-{number}") or None})
            for number, (place, label) in enumerate(self.rows)
        ]
        changed = {**document, "steps": steps}
        return self.shift.apply(changed) if self.shift else changed


@dataclass(frozen=True)
class ShiftStep:
    """A step one place to the front or to the back, or out."""

    place: Place
    way: Literal["up", "down", "remove"]

    def apply(self, document: Document) -> Document:
        steps = list(document["steps"])
        at = next((index for index, step in enumerate(steps) if place_of(step) == self.place), None)
        if at is None:
            raise Refused(NO_STEP)
        if self.way == "remove":
            if len(steps) == 1:
                raise Refused(N_("The last step stays."))
            return {**document, "steps": steps[:at] + steps[at + 1 :]}
        other = min(max(at + (1 if self.way == "down" else -1), 0), len(steps) - 1)
        steps[at], steps[other] = steps[other], steps[at]
        return {**document, "steps": steps}


def place_of(step: Mapping[str, Any]) -> Place:
    return step["pipeline"], step["stage"]


def _step(place: Place) -> Document:
    return {"pipeline": place[0], "stage": place[1]}
