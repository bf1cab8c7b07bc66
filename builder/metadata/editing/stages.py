"""The stages of a process and what stands around them: milestones, transitions, reasons (part 1, S2–S5).

Keys of stages never change and are never given again, for history names them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builder.domain.pipeline import Pipeline
from builder.domain.transitions import is_allowed
from builder.errors import N_
from builder.metadata.compiler import compiled
from builder.metadata.editing.edit import LONGEST_TEXT, Faults, Refused, key_for, named, patched
from builder.metadata.grammar import GRAMMAR, Document

NO_STAGE = N_("This stage is no longer there. Somebody may have removed it.")
NO_RATE = N_("A win rate is a whole number from 0 to 100.")
MOST_STAGES = 50
NATURAL = {"won": 100, "lost": 0, "invalid": 0}
FIRST_STAGES = (
    ("first", "open", 10, {"en": "First contact", "zh_Hans": "初步接触"}, "azure"),
    ("second", "open", 50, {"en": "Proposal", "zh_Hans": "提案"}, "indigo"),
    ("won", "won", 100, {"en": "Won", "zh_Hans": "赢单"}, "green"),
    ("lost", "lost", 0, {"en": "Lost", "zh_Hans": "输单"}, "red"),
    ("invalid", "invalid", 0, {"en": "Invalid", "zh_Hans": "无效"}, "gray"),
)


def new_pipeline(label: Mapping[str, str], object_key: str, taken: Collection[str]) -> Document:
    """A process that could be published as it is: two open stages and the three ways to end."""
    label = named(label)
    return {
        "grammar": GRAMMAR,
        "kind": "pipeline",
        "key": key_for(label, taken, "process"),
        "label": label,
        "object": object_key,
        "stages": [
            {"key": key, "label": dict(text), "kind": kind, "probability": probability, "color": color}
            for key, kind, probability, text, color in FIRST_STAGES
        ],
        "transitions": {"default": "any"},
    }


@dataclass(frozen=True)
class ChangePipeline:
    """Name, description, average cycle and reminder (days before its end) of a process."""

    label: Mapping[str, str]
    description: Mapping[str, str] = field(default_factory=dict)
    average_cycle_days: int | None = None
    reminder_days: int | None = None

    def apply(self, document: Document) -> Document:
        faults = Faults()
        settings = {
            "label": faults.named(self.label),
            "description": faults.texts(self.description, "description", longest=LONGEST_TEXT) or None,
            "average_cycle_days": self.average_cycle_days,
            "reminder_days": self.reminder_days,
        }
        if self.average_cycle_days is not None and not 1 <= self.average_cycle_days <= 3650:
            faults.add(N_("The average cycle is 1 to 3650 days."), "average_cycle_days")
        if self.reminder_days is not None and not 0 <= self.reminder_days <= 3650:
            faults.add(N_("The reminder is 0 to 3650 days before the end."), "reminder_days")
        faults.refuse()
        return patched(document, settings)


@dataclass(frozen=True)
class AddStage:
    """A new stage: an open one behind the last open one, another at the end. ``taken``: keys it ever had."""

    label: Mapping[str, str]
    kind: str = "open"
    taken: Collection[str] = ()

    def apply(self, document: Document) -> Document:
        stages = document["stages"]
        if len(stages) >= MOST_STAGES:
            raise Refused(N_("A process has room for %(limit)s stages."), "label", limit=MOST_STAGES)
        faults = Faults()
        label = faults.named(self.label)
        if self.kind not in ("open", *NATURAL):
            faults.add(N_("Choose what the stage means."), "kind")
        faults.refuse()
        key = key_for(label, {*self.taken, *(stage["key"] for stage in stages)}, "stage")
        open_places = [place for place, stage in enumerate(stages) if stage["kind"] == "open"]
        place = (open_places[-1] + 1 if open_places else 0) if self.kind == "open" else len(stages)
        probability = NATURAL.get(self.kind)
        if probability is None:
            probability = stages[open_places[-1]].get("probability", 0) if open_places else 0
        made = {"key": key, "label": label, "kind": self.kind, "probability": probability}
        return {**document, "stages": [*stages[:place], made, *stages[place:]]}


@dataclass(frozen=True)
class ChangeStage:
    """New settings of one stage; a setting that is None is taken away, others stay as they are."""

    key: str
    settings: Mapping[str, Any]

    def apply(self, document: Document) -> Document:
        place = index_of(document, self.key)
        probability = self.settings.get("probability")
        if probability is not None and not 0 <= probability <= 100:
            raise Refused(NO_RATE, "probability")
        stages = list(document["stages"])
        stages[place] = patched(stages[place], self.settings)
        return {**document, "stages": stages}


@dataclass(frozen=True)
class RemoveStage:
    """Take a stage away, with the transitions that name it. Its records are asked for when publishing."""

    key: str

    def apply(self, document: Document) -> Document:
        index_of(document, self.key)
        if len(document["stages"]) == 1:
            raise Refused(N_("The last stage stays."))
        transitions = dict(document.get("transitions", {}))
        for part in ("allow", "deny"):
            if part in transitions:
                transitions[part] = [pair for pair in transitions[part] if self.key not in pair]
        settings = {"transitions": transitions or None}
        kept = [stage for stage in document["stages"] if stage["key"] != self.key]
        return patched({**document, "stages": kept}, settings)


@dataclass(frozen=True)
class OrderStages:
    """All stages in a new order."""

    keys: Sequence[str]

    def apply(self, document: Document) -> Document:
        stages = {stage["key"]: stage for stage in document["stages"]}
        if sorted(self.keys) != sorted(stages):
            raise Refused(N_("The new order must name each stage once."))
        return {**document, "stages": [stages[key] for key in self.keys]}


@dataclass(frozen=True)
class StepStage:
    """A stage one place to the front (-1) or to the back (1)."""

    key: str
    step: int

    def apply(self, document: Document) -> Document:
        keys = [stage["key"] for stage in document["stages"]]
        place = index_of(document, self.key)
        other = min(max(place + self.step, 0), len(keys) - 1)
        keys[place], keys[other] = keys[other], keys[place]
        return OrderStages(keys).apply(document)


@dataclass(frozen=True)
class SetTransitions:
    """Which moves are possible: the general rule, and all pairs (from, to) that shall be; the difference to
    the rule is what is stored. ``pairs`` None changes the rule alone.
    """

    default: str
    pairs: Collection[tuple[str, str]] | None = None

    def apply(self, document: Document) -> Document:
        if self.default not in ("any", "forward", "next", "none"):
            raise Refused(N_("Choose a general rule."), "default")
        if self.pairs is None:
            return {**document, "transitions": {**document.get("transitions", {}), "default": self.default}}
        keys = [stage["key"] for stage in document["stages"]]
        every = [(source, target) for source in keys for target in keys]
        wanted, ruled = set(self.pairs), possible({**document, "transitions": {"default": self.default}})
        allow = [list(pair) for pair in every if pair in wanted and pair not in ruled]
        deny = [list(pair) for pair in every if pair not in wanted and pair in ruled]
        transitions = patched({"default": self.default}, {"allow": allow or None, "deny": deny or None})
        return {**document, "transitions": transitions}


@dataclass(frozen=True)
class SetMove:
    """One move between two stages drawn, or taken away; all others stay as they are."""

    source: str
    target: str
    is_possible: bool

    def apply(self, document: Document) -> Document:
        index_of(document, self.source)
        index_of(document, self.target)
        if self.source == self.target:
            raise Refused(N_("An arrow leads from one stage to another."), "move-to")
        pairs, move = possible(document), (self.source, self.target)
        pairs = pairs | {move} if self.is_possible else pairs - {move}
        return SetTransitions(document.get("transitions", {}).get("default", "any"), pairs).apply(document)


@dataclass(frozen=True)
class SetMilestones:
    """The milestones, in order: key (empty for a new one) and name. Stages of one that is gone have none."""

    rows: Sequence[tuple[str, Mapping[str, str]]]

    def apply(self, document: Document) -> Document:
        made = keyed(self.rows, "milestone")
        known = {row["key"] for row in made}
        stages = [
            stage if stage.get("milestone") in known else patched(stage, {"milestone": None})
            for stage in document["stages"]
        ]
        return patched({**document, "stages": stages}, {"milestones": made or None})


@dataclass(frozen=True)
class SetReasons:
    """What people can choose from when a record ends as ``kind``; those of before that are left out are
    retired, because records name them.
    """

    kind: str
    rows: Sequence[tuple[str, Mapping[str, str]]]

    def apply(self, document: Document) -> Document:
        if self.kind not in NATURAL:
            raise Refused(N_("Choose what the stage means."), "kind")
        reasons = document.get("reasons", {})
        before = reasons.get(self.kind, [])
        made = keyed(self.rows, "reason", taken={each["key"] for each in before})
        kept = {each["key"] for each in made}
        retired = [{**each, "retired": True} for each in before if each["key"] not in kept]
        return {**document, "reasons": patched(reasons, {self.kind: [*made, *retired] or None})}


def possible(document: Document) -> set[tuple[str, str]]:
    """All moves (from, to) between stages that a process allows. Errors: Uncompilable."""
    pipeline = compiled(document)
    assert isinstance(pipeline, Pipeline)
    return {
        (source.key, target.key)
        for source in pipeline.stages
        for target in pipeline.stages
        if is_allowed(pipeline, source, target)
    }


def keyed(
    rows: Iterable[tuple[str, Mapping[str, str]]], otherwise: str, taken: Collection[str] = ()
) -> list[Document]:
    """Rows of a key and a name as they are stored: empty ones left out, new ones with a key of their own.

    Errors: Refused, naming the rows whose name is too long.
    """
    made: list[Document] = []
    used, faults = set(taken), Faults()
    for place, (key, name) in enumerate(rows):
        label = faults.texts(name, f"rows-{place}-label")
        if not label:
            continue
        key = key or key_for(label, used, otherwise)
        used.add(key)
        made.append({"key": key, "label": label})
    faults.refuse()
    return made


def index_of(document: Mapping[str, Any], key: str) -> int:
    """Errors: Refused when there is no such stage."""
    for place, stage in enumerate(document["stages"]):
        if stage["key"] == key:
            return place
    raise Refused(NO_STAGE)
