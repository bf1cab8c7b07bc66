"""What past moves would have met under other rules (B8): a verdict for each, and what they add up to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from builder.domain.moves import MoveIntent, MoveSnapshot, Unmet
from builder.domain.transitions import Parked, Refused, plan

Verdict: TypeAlias = Literal["passes", "asks", "parked", "set_aside", "refused", "gone"]
VERDICTS: tuple[Verdict, ...] = ("passes", "asks", "parked", "set_aside", "refused", "gone")
EXAMPLES = 5
_Mark: TypeAlias = tuple[str, str | None, str, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one move. *passes*: as it was made; *asks*: only after a warning was confirmed;
    *parked*: for an approval; *set_aside*: by the override that was given then; *refused*; *gone*: one of its
    stages is not there. ``unmet``: what warned, was set aside or refused.
    """

    verdict: Verdict
    unmet: tuple[Unmet, ...] = ()


def judge(snapshot: MoveSnapshot, intent: MoveIntent) -> Judged:
    """What the one door would say to this move. Whether warnings were confirmed then is not known, so they
    are taken as confirmed and told.
    """
    stages = snapshot.pipeline.by_key
    if snapshot.stage_key not in stages or intent.to_stage not in stages:
        return Judged("gone")
    decision = plan(snapshot, replace(intent, is_confirmed=True))
    if isinstance(decision, Refused):
        return Judged("refused", tuple(each for each in decision.unmet if each.severity == "block"))
    if isinstance(decision, Parked):
        return Judged("parked")
    if decision.overridden:
        return Judged("set_aside", decision.overridden)
    return Judged("asks", decision.warnings) if decision.warnings else Judged("passes")


@dataclass
class Cause:
    """One thing that the other rules ask for at a stage and the rules in force do not: how many moves it
    meets, with the first records as (id, name).
    """

    from_stage: str
    to_stage: str
    verdict: Verdict
    unmet: Unmet
    count: int = 0
    examples: dict[int, str] = field(default_factory=dict)

    def meet(self, record_id: int, name: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples[record_id] = name


@dataclass
class Comparison:
    """The sums over all moves: verdicts under the rules in force and under the others, and the causes of
    what is new, the most frequent first.
    """

    now: Counter[Verdict] = field(default_factory=Counter)
    then: Counter[Verdict] = field(default_factory=Counter)
    worse: int = 0
    _causes: dict[tuple[str, str, _Mark], Cause] = field(default_factory=dict)

    @property
    def moves(self) -> int:
        return self.then.total()

    @property
    def causes(self) -> list[Cause]:
        return sorted(self._causes.values(), key=lambda cause: -cause.count)

    def add(self, record: tuple[int, str], stages: tuple[str, str], now: Judged, then: Judged) -> None:
        """One move of a record (id, name) between two stages (from, to)."""
        self.now[now.verdict] += 1
        self.then[then.verdict] += 1
        self.worse += VERDICTS.index(then.verdict) > VERDICTS.index(now.verdict)
        known = {_mark(each) for each in now.unmet}
        for unmet in then.unmet:
            if (mark := _mark(unmet)) not in known:
                cause = self._causes.setdefault((*stages, mark), Cause(*stages, then.verdict, unmet))
                cause.meet(*record)


def _mark(unmet: Unmet) -> _Mark:
    """What makes two demands the same: places in the document differ where a stage was put in between."""
    told = {name: str(value) for name, value in unmet.values.items()}
    return unmet.kind, unmet.field, unmet.message_key, repr(sorted(told.items()))
