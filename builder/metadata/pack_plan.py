"""What installing or upgrading a pack would make of each definition, before anything is written (B9, S18).

A definition has up to three texts: ``base``, as the pack had it when it was installed; ``ours``, as the
workspace has it; ``theirs``, as the pack has it now. An install is an upgrade without a base.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from builder.domain.labels import Label
from builder.errors import N_, Conflict, Problem
from builder.metadata.documents import checksum
from builder.metadata.grammar import Document
from builder.metadata.merging import Contradiction, Merged, Side, merge
from builder.metadata.pack_parts import Name

State: TypeAlias = Literal[
    "new", "same", "newer", "own", "joined", "contradicts", "collides", "torn", "leaves", "removed"
]
"""*new*: added; *same*: there already; *newer*: taken from the pack; *own*: changed here alone; *joined*:
changed on both sides; *contradicts*: in different ways; *collides*: the workspace has one of its own; *torn*:
gone on one side, changed on the other; *leaves*: out of the pack; *removed*: gone here for good."""
Choice: TypeAlias = Literal["ours", "theirs", "both", "skip"]

CHOICES: Mapping[State, tuple[Choice, ...]] = {
    "collides": ("both", "ours", "theirs", "skip"),
    "torn": ("ours", "theirs"),
}
UNDECIDED = N_("Some things need a choice first: %(count)s in all.")
NEEDS_CHOICE = N_("“%(name)s” is in the workspace already and differs. Say which one stays.")
IS_TORN = N_("“%(name)s” was changed on one side and taken away on the other. Say which side stays.")
CONTRADICTS = N_("“%(name)s” was changed here and in the template at the same place. Say which side stays.")


class Undecided(Conflict):
    """Choices are missing; ``problems``: one for each, its place ``kind/key`` and the mark behind ``#``."""


@dataclass(frozen=True)
class Decisions:
    """What somebody chose. ``parts``: for whole definitions; ``places``: side by mark, by definition;
    ``otherwise``: for all colliding definitions that have no choice of their own; ``prefers``: the side that
    stays wherever two changes contradict each other and nothing else is said.
    """

    parts: Mapping[Name, Choice] = field(default_factory=dict)
    places: Mapping[Name, Mapping[str, Side]] = field(default_factory=dict)
    otherwise: Choice | None = None
    prefers: Side | None = None

    def sides(self, part: Part) -> Mapping[str, Side]:
        """The side that stays at each contradiction of a part, as far as it is said."""
        known = dict.fromkeys((each.mark for each in part.contradictions), self.prefers)
        found = {**known, **self.places.get(part.name, {})}
        return {mark: side for mark, side in found.items() if side is not None}


@dataclass(frozen=True)
class Part:
    """One definition of a plan."""

    name: Name
    base: Document | None
    ours: Document | None
    theirs: Document | None

    @property
    def label(self) -> Label:
        document = self.theirs or self.ours or self.base or {}
        return Label.of(document.get("label") or self.name[1])

    @cached_property
    def merged(self) -> Merged | None:
        """Both sides together, where all three texts are there."""
        if self.base is None or self.ours is None or self.theirs is None:
            return None
        return merge(self.base, self.ours, self.theirs)

    @cached_property
    def state(self) -> State:
        if self.ours is None or self.theirs is None:
            return self._one_sided()
        if self.ours == self.theirs:
            return "same"
        if self.base is None:
            return "collides"
        if self.base == self.theirs:
            return "own"
        if self.base == self.ours:
            return "newer"
        return "contradicts" if self.contradictions else "joined"

    def _one_sided(self) -> State:
        if self.ours is None and self.theirs is None:
            return "removed"
        if self.theirs is None:
            return "leaves" if self.ours == self.base else "torn"
        if self.base is None:
            return "new"
        return "removed" if self.base == self.theirs else "torn"

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        return self.merged.contradictions if self.merged else ()

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What one can choose for the definition as a whole; nothing where no choice is needed."""
        return CHOICES.get(self.state, ())

    def chosen(self, decisions: Decisions) -> Choice | None:
        """The choice that counts for it."""
        choice = decisions.parts.get(self.name)
        if choice is None:
            choice = decisions.otherwise if self.state == "collides" else decisions.prefers
        return choice if choice in self.choices else None

    def open_questions(self, decisions: Decisions) -> list[Problem]:
        """What has to be chosen still."""
        place, values = "/".join(self.name), {"name": self.label}
        if self.choices and self.chosen(decisions) is None:
            return [Problem(NEEDS_CHOICE if self.state == "collides" else IS_TORN, place, values)]
        decided = decisions.sides(self)
        return [
            Problem(CONTRADICTS, f"{place}#{each.mark}", values)
            for each in self.contradictions
            if each.mark not in decided
        ]

    def result(self, decisions: Decisions) -> Document | None:
        """What the workspace has afterwards, ``None`` for nothing. All must be decided."""
        choice = self.chosen(decisions)
        if choice == "both" and self.ours is not None and self.theirs is not None:
            return merge({}, self.ours, self.theirs).document
        if choice == "theirs" or self.state in ("new", "newer", "leaves"):
            return self.theirs
        if self.state == "contradicts" and self.base and self.ours and self.theirs:
            decided = decisions.sides(self)
            return merge(self.base, self.ours, self.theirs, decisions=decided).document
        if self.state == "joined" and self.merged is not None:
            return self.merged.document
        return self.ours


@dataclass(frozen=True)
class Outcome:
    """What a decided plan writes. ``changed``: new texts; ``gone``: definitions that end; ``installed``: the
    record of what came from the pack; ``bases``: the pack's texts by checksum, to merge by later.
    """

    changed: tuple[Document, ...]
    gone: tuple[Name, ...]
    installed: Document
    bases: Mapping[str, Document]


@dataclass(frozen=True)
class Plan:
    """A pack beside a workspace. ``left_out``: definitions of the pack that nobody wants here."""

    head: Document
    parts: tuple[Part, ...]
    left_out: frozenset[Name] = frozenset()
    is_upgrade: bool = False

    def open_questions(self, decisions: Decisions) -> list[Problem]:
        return [problem for part in self.parts for problem in part.open_questions(decisions)]

    def settle(self, decisions: Decisions) -> Outcome:
        """What to write. Raises Undecided with everything that has no choice yet."""
        questions = self.open_questions(decisions)
        if questions:
            raise Undecided(UNDECIDED, count=len(questions), problems=tuple(questions))
        skipped = {part.name for part in self.parts if part.chosen(decisions) == "skip"}
        changed, gone = [], []
        for part in self.parts:
            result = part.result(decisions)
            if result is None and part.ours is not None:
                gone.append(part.name)
            elif result is not None and result != part.ours:
                changed.append(result)
        kept = [part for part in self.parts if part.theirs is not None and part.name not in skipped]
        bases = {checksum(part.theirs): part.theirs for part in kept if part.theirs is not None}
        installed = record_of(
            self.head,
            {part.name: checksum(part.theirs) for part in kept if part.theirs is not None},
            self.left_out | skipped,
        )
        return Outcome(tuple(changed), tuple(gone), installed, bases)


def plan_of(
    head: Document,
    theirs: Mapping[Name, Document],
    ours: Mapping[Name, Document],
    base: Mapping[Name, Document] | None = None,
    left_out: Collection[Name] = (),
) -> Plan:
    """The plan of a pack, in the order of its definitions, those that it no longer has behind them.

    ``base``: what an earlier version of it brought, ``None`` for a first install.
    """
    before = base or {}
    names = [*theirs, *(name for name in before if name not in theirs)]
    parts = tuple(
        Part(name, before.get(name), ours.get(name), theirs.get(name))
        for name in names
        if name not in left_out
    )
    return Plan(head, parts, frozenset(left_out) & frozenset(theirs), base is not None)


def record_of(head: Document, parts: Mapping[Name, str], left_out: Iterable[Name]) -> Document:
    """The document of kind ``pack_install``: which pack, and of each part the checksum of the pack's text."""
    return {
        "grammar": head["grammar"],
        "kind": "pack_install",
        "key": head["key"],
        "label": head["label"],
        "version": head["version"],
        "head": dict(head),
        "parts": [
            {"key": f"{kind}/{key}", "checksum": digest} for (kind, key), digest in sorted(parts.items())
        ],
        "left_out": sorted(f"{kind}/{key}" for kind, key in left_out),
    }


def recorded(document: Document) -> tuple[dict[Name, str], frozenset[Name]]:
    """Of a ``pack_install``: checksums by name, and what was left out."""
    parts = {_name(part["key"]): part["checksum"] for part in document["parts"]}
    return parts, frozenset(_name(each) for each in document.get("left_out", ()))


def _name(text: str) -> Name:
    kind, _, key = text.partition("/")
    return kind, key
