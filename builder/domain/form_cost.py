"""What a form costs: how each field is answered, where it stands in the way, what to do about it (B20).

A filler is an answer that says nothing (``-``, ``n/a``, 无 …). A required field that is answered by fillers
in half of the cases or more is proposed to be asked later, at the first stage from which on nearly everybody
has an answer, or not to be required at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from builder.domain.kinds import is_empty

FILLERS = frozenset((
    "-", "--", "---", "—", ".", "..", "...", "/", "?", "??", "x", "xx", "xxx", "n/a", "na", "n.a.", "none",
    "null", "nil", "tbd", "todo", "test", "asdf", "unknown", "not applicable",
    "无", "没有", "不详", "未知", "待定", "测试", "暂无", "不适用", "/无",
))  # fmt: skip
COSTLY = 50
ANSWERED = 20
LEAST = 10

Place: TypeAlias = tuple[str, str]
"""A pipeline and a stage; both empty for records in no process."""

Proposal: TypeAlias = Literal["", "drop", "move"]


@dataclass(slots=True)
class Answers:
    """Of ``asked`` records, ``filled`` hold a value, ``fillers`` one that says nothing."""

    asked: int = 0
    filled: int = 0
    fillers: int = 0

    @property
    def filled_share(self) -> int:
        """In percent of those asked."""
        return round(100 * self.filled / self.asked) if self.asked else 0

    @property
    def filler_share(self) -> int:
        """In percent of those filled."""
        return round(100 * self.fillers / self.filled) if self.filled else 0

    def count(self, value: Any) -> None:
        self.asked += 1
        if not is_empty(value):
            self.filled += 1
            self.fillers += is_filler(value)


@dataclass(slots=True)
class FieldCost:
    """One required field. ``by_place``: its answers where records stand now; ``refused``: how many moves were
    refused for it; ``waiting``: open records that it keeps from moving on now.
    """

    key: str
    answers: Answers = field(default_factory=Answers)
    by_place: dict[Place, Answers] = field(default_factory=dict)
    refused: int = 0
    waiting: int = 0

    @property
    def is_costly(self) -> bool:
        return self.answers.filled >= LEAST and self.answers.filler_share >= COSTLY

    def proposal(self, order: Sequence[Place]) -> tuple[Proposal, Place | None]:
        """What to do about it: nothing, require it from a later stage on, or not at all.

        ``order``: the stages of a process, first to last.
        """
        if not self.is_costly:
            return "", None
        known = [(place, self.by_place[place]) for place in order if place in self.by_place]
        for number, (place, answers) in enumerate(known):
            later = [one for _, one in known[number:]]
            if number and answers.filled and all(one.filler_share <= ANSWERED for one in later if one.filled):
                return "move", place
        return "drop", None


@dataclass(frozen=True, slots=True)
class FormCost:
    """All required fields, the costliest first, and how many records or answers were looked at."""

    fields: tuple[FieldCost, ...]
    looked_at: int

    @property
    def filler_share(self) -> int:
        """Of all answers to required fields, the percentage of fillers."""
        filled = sum(one.answers.filled for one in self.fields)
        return round(100 * sum(one.answers.fillers for one in self.fields) / filled) if filled else 0

    @property
    def is_costly(self) -> bool:
        return self.filler_share >= COSTLY


def is_filler(value: Any) -> bool:
    """Whether an answer says nothing."""
    return isinstance(value, str) and value.strip().casefold() in FILLERS


def cost_of(
    rows: Iterable[tuple[Place, bool, Mapping[str, Any]]],
    required: Mapping[str, frozenset[Place] | None],
    refused: Mapping[str, int],
) -> FormCost:
    """The cost of the ``required`` fields, each with the places whose gate asks for it (``None``: always).

    ``rows``: where a record stands, whether it is open, and its values.
    """
    costs = {key: FieldCost(key, refused=refused.get(key, 0)) for key in required}
    looked_at = 0
    for place, is_open, values in rows:
        looked_at += 1
        for key, places in required.items():
            cost, value = costs[key], values.get(key)
            cost.answers.count(value)
            cost.by_place.setdefault(place, Answers()).count(value)
            if is_open and is_empty(value) and (places is None or place in places):
                cost.waiting += 1
    ordered = sorted(costs.values(), key=lambda one: (-one.answers.filler_share, -one.refused, one.key))
    return FormCost(tuple(ordered), looked_at)
