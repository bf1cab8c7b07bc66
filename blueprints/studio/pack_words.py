"""Packs as people look at them: what is inside, how its processes run, what a plan would do (S18, B9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext

from blueprints.languages import language
from blueprints.scope import Scope
from blueprints.studio.change_words import KINDS, ChangeLine, change_lines, contradiction_line
from builder.domain.labels import Label
from builder.metadata import packs
from builder.metadata.grammar import Document
from builder.metadata.merging import Side
from builder.metadata.pack_parts import Name, name_of
from builder.metadata.pack_plan import Decisions, Part, Plan

MOST_LINES = 40
SECTION_WORDS = {
    "objects": lazy_gettext("Objects"),
    "pipelines": lazy_gettext("Processes"),
    "feedback": lazy_gettext("Forms"),
    "views": lazy_gettext("Views"),
    "funnels": lazy_gettext("Funnels"),
    "roles": lazy_gettext("Roles"),
}
# What a state means for the workspace, and the colour of its mark.
STATE_WORDS = {
    "new": (lazy_gettext("Is added"), "green"),
    "same": (lazy_gettext("There already"), "gray"),
    "newer": (lazy_gettext("Is updated"), "blue"),
    "own": (lazy_gettext("Stays as changed here"), "gray"),
    "joined": (lazy_gettext("Both changes are kept"), "blue"),
    "contradicts": (lazy_gettext("Contradictions"), "orange"),
    "collides": (lazy_gettext("The workspace has its own"), "orange"),
    "torn": (lazy_gettext("Changed and taken away"), "orange"),
    "leaves": (lazy_gettext("Goes"), "red"),
    "removed": (lazy_gettext("Stays taken away"), "gray"),
}
CHOICE_WORDS = {
    "collides": {
        "both": lazy_gettext("Keep the workspace's and add what it lacks"),
        "ours": lazy_gettext("Keep the workspace's"),
        "theirs": lazy_gettext("Take the template's instead"),
        "skip": lazy_gettext("Leave it out of the template"),
    },
    "torn": {
        "ours": lazy_gettext("Leave it as it is here"),
        "theirs": lazy_gettext("Follow the template"),
    },
}
_ENDS = ("lost", "invalid")


@dataclass(frozen=True)
class PathStep:
    """A stage in the picture of a process. ``tone``: its colour, or that of how it ends."""

    label: Label
    tone: str
    is_won: bool


@dataclass(frozen=True)
class StagePath:
    """The picture of a process: its stages in order, without those that end it badly."""

    key: str
    label: Label
    steps: Sequence[PathStep]

    @classmethod
    def of(cls, pipeline: Document) -> StagePath:
        steps = [
            PathStep(
                Label.of(stage["label"]),
                "green" if stage.get("kind") == "won" else stage.get("color") or "gray",
                stage.get("kind") == "won",
            )
            for stage in pipeline["stages"]
            if stage.get("kind", "open") not in _ENDS
        ]
        return cls(pipeline["key"], Label.of(pipeline["label"]), steps)


@dataclass(frozen=True)
class ShownContradiction:
    """A place that both sides changed, with what stands on each. ``id``: of the control that decides."""

    id: str
    name: str
    line: ChangeLine
    chosen: Side | None


@dataclass(frozen=True)
class ShownPart:
    """A definition of a plan. ``drawn_in``: whether it comes because another needs it; ``lines``: what
    changes in the workspace, or for a collision how the template's differs.
    """

    value: str
    id: str
    kind: str
    label: Label
    part: Part
    is_ticked: bool
    drawn_in: bool
    choice: str
    lines: Sequence[ChangeLine] = ()
    further: int = 0
    contradictions: Sequence[ShownContradiction] = ()

    @property
    def state(self) -> str:
        return self.part.state

    @property
    def is_detailed(self) -> bool:
        """Whether there is something to choose or to read about it."""
        return bool(self.part.choices or self.contradictions or self.lines)


def paths_of(pack: Document) -> list[StagePath]:
    return [StagePath.of(pipeline) for pipeline in pack.get("pipelines", ())]


def names_by_section(pack: Document) -> list[tuple[str, list[tuple[str, Label]]]]:
    """The parts of a pack by section, for reading: title and (kind/key, name) of each."""
    order = ("pipelines", "objects", "feedback", "funnels", "views", "roles")
    sections = [*order, *(section for section in packs.SECTIONS if section not in order)]
    return [
        (
            str(SECTION_WORDS.get(section, section)),
            [("/".join(name_of(each)), Label.of(each["label"])) for each in pack[section]],
        )
        for section in sections
        if pack.get(section)
    ]


def shown_parts(
    here: Scope, plan: Plan, ticked: Iterable[Name] | None, decisions: Decisions
) -> Iterator[ShownPart]:
    """The parts of a plan, those that need a choice first. ``ticked``: ``None`` for all."""
    asked = None if ticked is None else frozenset(ticked)
    order = sorted(plan.parts, key=lambda part: not (part.choices or part.contradictions))
    for part in order:
        lines = _lines(here, part)
        value = "/".join(part.name)
        yield ShownPart(
            value=value,
            id=value.replace("/", "-"),
            kind=str(KINDS.get(part.name[0], part.name[0])),
            label=part.label,
            part=part,
            is_ticked=asked is None or part.name in asked,
            drawn_in=asked is not None and part.name not in asked,
            choice=part.chosen(Decisions(decisions.parts)) or "",
            lines=lines[:MOST_LINES],
            further=max(0, len(lines) - MOST_LINES),
            contradictions=list(_contradictions(here, part, decisions)),
        )


def _lines(here: Scope, part: Part) -> list[ChangeLine]:
    if part.state == "joined" and part.merged is not None:
        return change_lines(here, part.name[0], part.ours, part.merged.document)
    if part.state in ("newer", "collides"):
        return change_lines(here, part.name[0], part.ours, part.theirs)
    return []


def _contradictions(here: Scope, part: Part, decisions: Decisions) -> Iterator[ShownContradiction]:
    decided: Mapping[str, Side] = decisions.places.get(part.name, {})
    for number, each in enumerate(part.contradictions):
        value = f"{'/'.join(part.name)}#{each.mark}"
        yield ShownContradiction(
            id=f"{'-'.join(part.name)}-{number}",
            name=f"side:{value}",
            line=contradiction_line(here, part.name[0], part.ours or {}, part.theirs or {}, each),
            chosen=decided.get(each.mark),
        )


def decisions_in(values: Any) -> Decisions:
    """What a form says: ``choice:<kind>/<key>``, ``side:<kind>/<key>#<mark>`` and ``otherwise``."""
    parts: dict[Name, Any] = {}
    places: dict[Name, dict[str, Any]] = {}
    for name, value in values.items():
        head, _, rest = name.partition(":")
        target, _, mark = rest.partition("#")
        if head == "choice" and value:
            parts[named(target)] = value
        elif head == "side" and value in ("ours", "theirs"):
            places.setdefault(named(target), {})[mark] = value
    return Decisions(parts, places, values.get("otherwise") or None)


def named(text: str) -> Name:
    """``object/account`` as kind and key."""
    kind, _, key = text.partition("/")
    return kind, key


def text_of(label: Label) -> str:
    return label.text(language())
