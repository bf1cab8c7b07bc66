"""The tree of a form: what a template draws. Nodes are values; nothing here decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"


class _Absent:
    """No value at all, which is not ``null``."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Offer:
    """One option: ``key`` is what the browser sends (JSON of the value, or a number)."""

    key: str
    label: str
    value: Any = None
    is_chosen: bool = False
    is_disabled: bool = False
    color: str = ""
    is_retired: bool = False


@dataclass(frozen=True, kw_only=True)
class Node:
    """``path``: the place in the data; ``name``: of the control and its id; ``value``: JSON or ``ABSENT``."""

    path: Path
    name: str
    label: str
    help: str = ""
    is_required: bool = False
    value: Any = ABSENT

    @property
    def inside(self) -> tuple[Node, ...]:
        return ()

    @property
    def anchor(self) -> str:
        """The id of the element that a message about this node points to."""
        return self.name

    def walk(self) -> Iterator[Node]:
        yield self
        for node in self.inside:
            yield from node.walk()


@dataclass(frozen=True, kw_only=True)
class Control(Node):
    """One value in one control (or one set of options).

    ``kind``: line, area, select, multiple, radio, checkboxes, checkbox, file, files, date_parts, hidden,
    nothing. ``typed``: the strings in it; ``was``: JSON of the value, where the strings do not give it back.
    ``unread``: a message key for what was typed and is no value.
    """

    kind: str
    input_type: str = "text"
    typed: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    has_blank: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    rows: int = 4
    is_read_only: bool = False
    is_disabled: bool = False
    is_inline: bool = True
    was: str = ""
    parts: tuple[DatePart, ...] = ()
    unread: str = ""

    @property
    def text(self) -> str:
        return self.typed[0] if self.typed else ""


@dataclass(frozen=True, slots=True)
class DatePart:
    """One select of a date in parts."""

    name: str
    label: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, kw_only=True)
class Named:
    """One row of a group whose name may be chosen. ``key_name``: the control with the name."""

    number: str
    key: str
    key_name: str
    node: Node
    is_fixed: bool = False
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Group(Node):
    """An object: its fields, its free names, and what is kept without being shown (``kept``, JSON)."""

    parts: tuple[Node, ...] = ()
    named: tuple[Named, ...] = ()
    can_add: bool = False
    kept: str = ""
    is_there: bool = False

    @property
    def inside(self) -> tuple[Node, ...]:
        return (*self.parts, *(row.node for row in self.named))

    @property
    def anchor(self) -> str:
        return f"{self.name}-group"


@dataclass(frozen=True, kw_only=True)
class Rows(Node):
    """A list: one node a row, each with its number on the page."""

    rows: tuple[tuple[str, Node], ...] = ()
    fixed: int = 0
    can_add: bool = True
    can_remove: bool = True
    can_order: bool = True
    is_there: bool = False

    @property
    def inside(self) -> tuple[Node, ...]:
        return tuple(node for _, node in self.rows)

    @property
    def anchor(self) -> str:
        return f"{self.name}-rows"


@dataclass(frozen=True, kw_only=True)
class Alternatives(Node):
    """A choice between schemas and the fields of the chosen one, which belong to the same place."""

    choice_name: str
    offers: tuple[Offer, ...]
    chosen: int
    parts: tuple[Node, ...] = ()
    heading: str = ""

    @property
    def inside(self) -> tuple[Node, ...]:
        return self.parts

    @property
    def anchor(self) -> str:
        return self.choice_name


@dataclass(frozen=True, kw_only=True)
class Folded(Node):
    """A group that contains itself and is not filled: it opens when it is wanted."""
