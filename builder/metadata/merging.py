"""Three-way merges of documents: what two sides made of the same base becomes one (B7, B9).

Things with a key (stages, options, sections …) and plain names (required fields, columns …) are matched by
what they are, not by where they stand; their order is that of the side that changed it, ours where both did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from builder.metadata.grammar import Document, pointer

ABSENT: Final = object()
"""Stands for what is not there; never in a document."""


Side: TypeAlias = Literal["ours", "theirs"]


@dataclass(frozen=True)
class Contradiction:
    """A thing that both sides changed in different ways. ``mark``: where, as a pointer that names members of
    lists by what they are, so that it stays the same whatever is decided elsewhere. Values may be ``ABSENT``.
    """

    mark: str
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True)
class Merged:
    """``document``: both changes together, ours where they contradict each other. ``conflicts``: the JSON
    pointers at which they do, in ``document``; ``contradictions``: the same one by one.
    """

    document: Document
    conflicts: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = field(default=(), compare=False)


@dataclass
class _Merge:
    preferred: Side
    decisions: Mapping[str, Side]
    conflicts: list[str] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)

    def value(self, base: Any, ours: Any, theirs: Any, path: tuple[str | int, ...], mark: str = "") -> Any:
        if ours == theirs or theirs == base:
            return ours
        if ours == base:
            return theirs
        if all(isinstance(each, Mapping) for each in (ours, theirs)) and not any(
            _is_whole(each) for each in (base, ours, theirs)
        ):
            return self._mapping(base if isinstance(base, Mapping) else {}, ours, theirs, path, mark)
        if identified(ours) and identified(theirs):
            return self._sequence(base if identified(base) else [], ours, theirs, path, mark)
        self.conflicts.append(pointer(*path))
        self.contradictions.append(Contradiction(mark, base, ours, theirs))
        return theirs if self.decisions.get(mark, self.preferred) == "theirs" else ours

    def _mapping(
        self,
        base: Mapping[str, Any],
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
        path: Any,
        mark: str,
    ) -> dict[str, Any]:
        merged = {}
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            sides = (base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT))
            value = self.value(*sides, (*path, key), mark + pointer(key))
            if value is not ABSENT:
                merged[key] = value
        return merged

    def _sequence(
        self, base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any], path: Any, mark: str
    ) -> list[Any]:
        before, mine, other = ({identity_of(each): each for each in side} for side in (base, ours, theirs))
        order = _order(list(before), list(mine), list(other))
        merged: list[Any] = []
        for name in order:
            sides = (before.get(name, ABSENT), mine.get(name, ABSENT), other.get(name, ABSENT))
            value = self.value(*sides, (*path, len(merged)), mark + pointer(name))
            if value is not ABSENT:
                merged.append(value)
        return merged


def merge(
    base: Document,
    ours: Document,
    theirs: Document,
    *,
    prefer_theirs: bool = False,
    decisions: Mapping[str, Side] | None = None,
) -> Merged:
    """What both sides made of ``base``, together.

    merge(b, x, b) == x, merge(b, b, x) == x, merge(b, x, x) == x. Where both changed the same thing
    differently, ``decisions`` says by its mark which side stays, else ``prefer_theirs`` for all.
    """
    merging = _Merge("theirs" if prefer_theirs else "ours", decisions or {})
    document = merging.value(base, ours, theirs, ())
    if document not in (ours, theirs):
        document = _placed_once(document, ours)
    return Merged(document, tuple(merging.conflicts), tuple(merging.contradictions))


def _placed_once(document: Document, ours: Document) -> Document:
    """A field that both sides put into different sections of a form stands where ours has it."""
    form = document.get("fields")
    sections = form.get("x-sections") if isinstance(form, Mapping) else None
    if not isinstance(form, Mapping) or not isinstance(sections, list):
        return document
    before = ours.get("fields")
    known = before.get("x-sections", ()) if isinstance(before, Mapping) else ()
    home = {name: section["key"] for section in known for name in section.get("fields", ())}
    placed: set[str] = set()
    kept = []
    for section in sections:
        names = [
            name
            for name in section.get("fields", ())
            if home.get(name, section["key"]) == section["key"] and name not in placed
        ]
        placed.update(names)
        kept.append({**section, "fields": names} if "fields" in section else section)
    return {**document, "fields": {**form, "x-sections": kept}}


def found_at(document: Any, mark: str) -> str | None:
    """The JSON pointer in ``document`` to what a mark means, ``None`` where it is not there."""
    place: list[str | int] = []
    for part in (each.replace("~1", "/").replace("~0", "~") for each in mark.split("/")[1:]):
        if isinstance(document, Mapping) and part in document:
            place.append(part)
            document = document[part]
        elif isinstance(document, list) and (names := [identity_of(each) for each in document]).count(part):
            place.append(names.index(part))
            document = document[names.index(part)]
        else:
            return None
    return pointer(*place)


def _is_whole(value: Any) -> bool:
    """A condition, or who approves, means what it means as a whole: of two, parts must not be mixed."""
    if not isinstance(value, Mapping) or "approver" in value:
        return isinstance(value, Mapping)
    is_joined = len(value) == 1 and any(isinstance(value.get(name), list) for name in ("all", "any"))
    return is_joined or ("op" in value and isinstance(value.get("field"), str))


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
    if isinstance(item, list) and len(item) == 2 and all(isinstance(each, str) for each in item):
        return "→".join(item)  # an allowed or denied step, from one stage to another
    if not isinstance(item, Mapping):
        return None
    if "key" not in item and "map" in item:  # what a conversion makes
        return str(item.get("object"))
    if "key" not in item and isinstance(item.get("stage"), str):  # a step of a funnel
        return f"{item.get('pipeline')}→{item['stage']}"
    key = item.get("key")
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
