"""Why a process was made, and what was answered then (S23, S115)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from builder.domain.pipeline import QUESTIONS, Scenario
from builder.errors import N_
from builder.metadata.editing.edit import Refused, patched
from builder.metadata.grammar import Document

LONGEST_ANSWER = 2000
SCENARIOS: tuple[str, ...] = get_args(Scenario)


@dataclass(frozen=True)
class SetBackground:
    """``scenario``: one of SCENARIOS or empty; ``answers`` by question, empty ones go. Errors: Refused."""

    scenario: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)

    def apply(self, document: Document) -> Document:
        if self.scenario not in ("", *SCENARIOS):
            raise Refused(N_("Choose one of the four."), "scenario")
        kept: dict[str, str] = {"scenario": self.scenario} if self.scenario else {}
        for name in QUESTIONS:
            text = self.answers.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()
            if len(text) > LONGEST_ANSWER:
                raise Refused(N_("At most %(limit)s characters, please."), name, limit=LONGEST_ANSWER)
            if text:
                kept[name] = text
        return patched(document, {"background": kept or None})
