"""Three-way merges of documents: what two sides made of the same base becomes one (B7, B9).

Things with a key (stages, options, sections …) and plain names (required fields, columns …) are matched by
what they are, not by where they stand; their order is that of the side that changed it, ours where both did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from builder.metadata.grammar import Document, pointer

ABSENT: Final = object()
"""Stands for what is not there; never in a document."""


@dataclass(frozen=True)
class Merged:
    """``document``: both changes together, ours where they contradict each other. ``conflicts``: the JSON
    pointers at which they do, in ``document``.
    """

    document: Document
    conflicts: tuple[str, ...] = ()


@dataclass
class _Merge:
    prefers_theirs: bool
    conflicts: list[str] = field(default_factory=list)

    def value(self, base: Any, ours: Any, theirs: Any, path: tuple[str | int, ...]) -> Any:
        if ours == theirs or theirs == base:
            return ours
        if ours == base:
            return theirs
        if all(isinstance(each, Mapping) for each in (ours, theirs)):
            return self._mapping(base if isinstance(base, Mapping) else {}, ours, theirs, path)
        if identified(ours) and identified(theirs):
            return self._sequence(base if identified(base) else [], ours, theirs, path)
        self.conflicts.append(pointer(*path))
        return theirs if self.prefers_theirs else ours

    def _mapping(
        self, base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any], path: Any
    ) -> dict[str, Any]:
        merged = {}
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            value = self.value(
                base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT), (*path, key)
            )
            if value is not ABSENT:
                merged[key] = value
        return merged

    def _sequence(
        self, base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any], path: Any
    ) -> list[Any]:
        before, mine, other = ({identity_of(each): each for each in side} for side in (base, ours, theirs))
        order = _order(list(before), list(mine), list(other))
        merged: list[Any] = []
        for name in order:
            sides = (before.get(name, ABSENT), mine.get(name, ABSENT), other.get(name, ABSENT))
            value = self.value(*sides, (*path, len(merged)))
            if value is not ABSENT:
                merged.append(value)
        return merged


def merge(base: Document, ours: Document, theirs: Document, *, prefer_theirs: bool = False) -> Merged:
    """What both sides made of ``base``, together.

    merge(b, x, b) == x, merge(b, b, x) == x, merge(b, x, x) == x. ``prefer_theirs``: theirs stays where
    both changed the same thing differently.
    """
    merging = _Merge(prefer_theirs)
    return Merged(merging.value(base, ours, theirs, ()), tuple(merging.conflicts))


def identified(value: Any) -> bool:
    """Whether a list holds things that can be told apart: with a key each, or plain texts; none twice."""
    if not isinstance(value, list):
        return False
    names = [identity_of(each) for each in value]
    return None not in names and len(set(names)) == len(names)


def identity_of(item: Any) -> str | None:
    """By what a member of a list is known, or None."""
    if isinstance(item, str):
        return item
    key = item.get("key") if isinstance(item, Mapping) else None
    return key if isinstance(key, str) else None


def _order(base: list[Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
    """All names: in our order unless only theirs changed it, what one side alone has behind its neighbour."""
    leading, other = (ours, theirs) if _kept(ours, base) != _kept(base, ours) else (theirs, ours)
    order = list(leading)
    for place, name in enumerate(other):
        if name in order:
            continue
        known: Callable[[Any], bool] = order.__contains__
        before = next((each for each in reversed(other[:place]) if known(each)), None)
        order.insert(0 if before is None else order.index(before) + 1, name)
    return order


def _kept(names: list[Any], among: list[Any]) -> list[Any]:
    others = set(among)
    return [name for name in names if name in others]
