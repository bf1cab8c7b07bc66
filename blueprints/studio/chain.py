"""A funnel over several processes as it is drawn: object by object, with its steps (M0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from blueprints.languages import language
from blueprints.scope import Scope
from blueprints.studio.change_words import problem_line
from blueprints.studio.processes import texts_in
from builder.domain.labels import Label
from builder.metadata.editing.funnels import Place, place_of
from builder.metadata.grammar import Document
from builder.metadata.lint import Surroundings, lint
from builder.metadata.lint.funnels import conversions
from builder.queries.definitions import live_rows
from builder.queries.drafts import drafts
from builder.services.definitions import EDIT

DEFAULT_ICON = "box"
StepNames: TypeAlias = Mapping[Place, Mapping[str, str]]
"""Names by language, of steps by their places."""


@dataclass(frozen=True)
class Known:
    """All definitions as drafted or live; drafts only for those who may edit."""

    around: Surroundings
    drafted: frozenset[tuple[str, str]]
    draft_count: int

    @classmethod
    def of(cls, here: Scope) -> Known:
        known = {(row.kind, row.key): row.document for row in live_rows(here.session)}
        mine = drafts(here.session) if here.actor.can(EDIT) else []
        for each in mine:
            if each.is_removal:
                known.pop((each.kind, each.key), None)
            else:
                known[(each.kind, each.key)] = each.document
        marks = frozenset((each.kind, each.key) for each in mine)
        return cls(Surroundings.of(known.values()), marks, len(mine))

    def documents(self, kind: str) -> Mapping[str, Document]:
        return self.around.documents.get(kind, {})

    def is_drafted(self, kind: str, key: str) -> bool:
        return (kind, key) in self.drafted

    def findings(self, here: Scope, document: Document) -> list[tuple[str, str]]:
        """What lint says of a funnel: (severity, text)."""
        found = lint("funnel", document, self.around)
        return [(each.severity, problem_line(each, document)) for each in found]


@dataclass(frozen=True, slots=True)
class ChainStep:
    """A stage that is a step; ``is_there``: whether its process has it."""

    label: str
    color: str
    kind: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class ChainPart:
    """Neighbouring steps of one process. ``is_linked``: whether conversions lead here from the first part."""

    object: str
    icon: str
    process: str
    pipeline_key: str
    steps: tuple[ChainStep, ...]
    is_linked: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it is edited: ``mark`` names it, ``texts``: its own name by control."""

    mark: str
    label: str
    texts: Mapping[str, str]


def chain_of(known: Known, document: Document) -> list[ChainPart]:
    """The parts of a funnel in order."""
    groups: list[tuple[str, list[Document]]] = []
    for step in document["steps"]:
        if not groups or groups[-1][0] != step["pipeline"]:
            groups.append((step["pipeline"], []))
        groups[-1][1].append(step)
    first = known.around.find("pipeline", groups[0][0])
    made = conversions(first["object"] if first else None, known.around)
    return [_part(known, key, steps, made) for key, steps in groups]


def _part(known: Known, key: str, steps: list[Document], made: set[str]) -> ChainPart:
    pipeline = known.around.find("pipeline", key) or {}
    of = known.around.find("object", pipeline.get("object")) or {}
    stages = {stage["key"]: stage for stage in pipeline.get("stages", ())}
    return ChainPart(
        _text(of, pipeline.get("object", "")),
        of.get("icon") or DEFAULT_ICON,
        _text(pipeline, key),
        key if pipeline else "",
        tuple(_step(step, stages.get(step["stage"])) for step in steps),
        pipeline.get("object") in made,
    )


def _step(step: Document, stage: Mapping[str, Any] | None) -> ChainStep:
    label = _text(step, "") or _text(stage or {}, step["stage"])
    return ChainStep(
        label, (stage or {}).get("color") or "gray", (stage or {}).get("kind", ""), stage is not None
    )


def step_rows(known: Known, document: Document, typed: StepNames) -> list[StepRow]:
    """The steps in order. ``typed``: the names that were sent and refused; others are as they are kept."""
    names = dict(_stages(known))
    return [
        StepRow(
            ">".join(place_of(step)),
            names.get(place_of(step), step["stage"]),
            texts_in({"label": typed[place_of(step)]} if place_of(step) in typed else step, "label"),
        )
        for step in document["steps"]
    ]


def step_choices(known: Known, document: Document | None = None) -> list[tuple[Place, str]]:
    """Stages that may become a step, with their process: open and won ones that are none yet."""
    taken = {place_of(step) for step in document["steps"]} if document else set()
    return [(place, name) for place, name in _stages(known) if place not in taken]


def _stages(known: Known) -> list[tuple[Place, str]]:
    return [
        ((key, stage["key"]), f"{_text(pipeline, key)} › {_text(stage, stage['key'])}")
        for key, pipeline in sorted(known.documents("pipeline").items())
        for stage in pipeline["stages"]
        if stage["kind"] in ("open", "won")
    ]


def name_of(document: Document, part: str = "label") -> str:
    return Label.of(document.get(part)).text(language())


def _text(document: Mapping[str, Any], otherwise: str) -> str:
    return Label.of(document.get("label")).text(language()) or otherwise
