"""Undoing a batch (B24): what becomes of each record that it made or changed.

What somebody did with a record since is never undone along with it: such a record stays as it is, with the
reason. A change to other fields does not count as such for a record that the batch only changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Reason: TypeAlias = Literal[
    "edited", "moved", "converted", "worked", "deleted", "referred", "hidden", "rights"
]

MADE = frozenset({"record.created", "record.loaded"})
CHANGED = "record.changed"
DELETED = "record.deleted"
MERGED = "record.merged"
_LEFT = (DELETED, MERGED)
# The weightiest first: it is the one that is told.
_SINCE: tuple[tuple[Reason, frozenset[str]], ...] = (
    ("converted", frozenset({"record.converted"})),
    ("moved", frozenset({"record.moved", "move.requested"})),
    ("edited", frozenset({CHANGED, *_LEFT, "record.restored", "record.erased"})),
    ("worked", frozenset({"stage.worked"})),
)


@dataclass(frozen=True, slots=True)
class Act:
    """An event of a record. ``before`` and ``after``: the values that it changed, empty for other kinds."""

    kind: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remove:
    """The batch made it and nobody touched it since."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """The values that the batch replaced; ``None`` empties a field."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Keep:
    """It stays as it is."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Restore:
    """The batch put it into the recycle bin, or merged it into another record, and there it still is."""


Decision: TypeAlias = Remove | PutBack | Restore | Keep


def decide(acts: Sequence[Act], since: Sequence[Act], *, is_deleted: bool) -> Decision:
    """What undoing a batch does with one record: ``acts`` are the batch's own, in order; ``since`` are later
    ones of anybody else. At least one act.
    """
    if acts[-1].kind in _LEFT:
        return Restore() if is_deleted and not since else Keep("deleted" if is_deleted else "edited")
    if is_deleted:
        return Keep("deleted")
    if any(act.kind in MADE for act in acts):
        reason = _weightiest(act.kind for act in since)
        return Remove() if reason is None else Keep(reason)
    values: dict[str, Any] = {}
    for act in acts:
        for key, value in act.before.items():
            values.setdefault(key, value)
    overlapping = (
        act.kind for act in since if act.kind != CHANGED or values.keys() & {*act.before, *act.after}
    )
    reason = _weightiest(overlapping)
    return PutBack(values) if reason is None else Keep(reason)


def _weightiest(kinds: Iterable[str]) -> Reason | None:
    found = set(kinds)
    return next((reason for reason, known in _SINCE if known & found), None)
