"""The conditions of a gate: what must hold, what is said when it does not, and how strictly (S35)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from builder.errors import N_
from builder.metadata.editing.edit import LONGEST_TEXT, Refused, patched, texts
from builder.metadata.editing.stages import ChangeStage, index_of
from builder.metadata.grammar import Document

Side: TypeAlias = Literal["leave", "enter"]
SIDES: tuple[Side, ...] = ("leave", "enter")
MOST_CONDITIONS = 50
_SEVERITIES = ("block", "warn")
NO_CONDITION = N_("This condition is no longer there. Somebody may have removed it.")


def conditions_of(stage: Mapping[str, Any], side: Side) -> list[Document]:
    """The conditions of one side of a stage's gate, in their order."""
    return list(stage.get("gate", {}).get(side, {}).get("conditions", ()))


@dataclass(frozen=True)
class PutCondition:
    """One condition, changed (``number``: which) or added. ``offer``: the stage that ends the record instead,
    and the reason that is proposed; the empty text for none.
    """

    stage_key: str
    side: Side
    number: int | None
    when: Document
    message: Mapping[str, str]
    severity: str = "block"
    offer: tuple[str, str] = ("", "")

    def apply(self, document: Document) -> Document:
        stage = document["stages"][index_of(document, self.stage_key)]
        known = conditions_of(stage, self.side)
        made = self._condition(document)
        if self.number is None:
            if len(known) >= MOST_CONDITIONS:
                raise Refused(N_("A gate has room for %(limit)s conditions."), limit=MOST_CONDITIONS)
            known.append(made)
        else:
            _require(known, self.number)
            known[self.number] = made
        return _with(document, stage, self.side, known)

    def _condition(self, document: Document) -> Document:
        if not self.when.get("all", True) or not self.when.get("any", True):
            raise Refused(N_("Say what must hold: choose a field and a comparison."), "condition")
        if self.severity not in _SEVERITIES:
            raise Refused(N_("Choose how strictly it is asked for."), "severity")
        message = texts(self.message, "message", longest=LONGEST_TEXT)
        if not message:
            raise Refused(N_("Say what a person reads when it does not hold."), "message-en")
        return {"when": self.when, "message": message, "severity": self.severity, **self._offer(document)}

    def _offer(self, document: Document) -> Document:
        stage_key, reason = self.offer
        if not stage_key:
            return {}
        ends = {stage["key"] for stage in document["stages"] if stage["kind"] in ("lost", "invalid")}
        if stage_key not in ends:
            raise Refused(N_("Choose a stage that ends the record."), "offer")
        return {"offer": {"stage": stage_key, **({"reason": reason} if reason else {})}}


@dataclass(frozen=True)
class RemoveCondition:
    """Take one condition out of a gate."""

    stage_key: str
    side: Side
    number: int

    def apply(self, document: Document) -> Document:
        stage = document["stages"][index_of(document, self.stage_key)]
        known = conditions_of(stage, self.side)
        _require(known, self.number)
        del known[self.number]
        return _with(document, stage, self.side, known)


def _require(known: list[Document], number: int) -> None:
    if not 0 <= number < len(known):
        raise Refused(NO_CONDITION)


def _with(document: Document, stage: Mapping[str, Any], side: Side, conditions: list[Document]) -> Document:
    gate = stage.get("gate", {})
    part = patched(gate.get(side, {}), {"conditions": conditions or None})
    settings = {"gate": patched(gate, {side: part or None}) or None}
    return ChangeStage(stage["key"], settings).apply(document)
