"""Layouts of a form: which fields stand on it, in which order, for whom and in which stage (part 2).

The first layout that serves decides; where none does, the form is laid out as it is for everybody. A layout
leaves out fields, never duties: what is required and empty is shown all the same. Rights are another matter
(S118): a field that is hidden from a role stands in no layout that the role gets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from builder.domain.labels import Label


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    label: Label
    fields: tuple[str, ...]
    columns: int = 2
    help: Label = Label(())


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """Who looks at a form, and where its record stands; no stage where it is in no process (yet)."""

    role: str
    pipeline: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """``roles`` and ``stages`` (pipeline, stage): those it is for; empty means for all of them."""

    key: str
    label: Label
    sections: tuple[Section, ...]
    roles: frozenset[str] = frozenset()
    stages: frozenset[tuple[str, str]] = frozenset()

    def serves(self, view: Viewpoint) -> bool:
        """Whether it is for this role, and for this stage: a layout of stages serves no record outside."""
        if self.roles and view.role not in self.roles:
            return False
        return not self.stages or (view.pipeline, view.stage) in self.stages


def first_serving(layouts: Iterable[Layout], view: Viewpoint) -> Layout | None:
    """The layout that decides; ``None`` where the form is as it is for everybody."""
    return next((layout for layout in layouts if layout.serves(view)), None)
