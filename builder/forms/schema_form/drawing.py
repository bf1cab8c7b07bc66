"""A node as the templates of all our forms see a field: what ties a control to its label, help and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from builder.errors import Problem
from builder.forms.schema_form.form import SchemaForm
from builder.forms.schema_form.nodes import Alternatives, Control, Folded, Group, Node, Rows

_KINDS: tuple[tuple[type[Node], str], ...] = (
    (Group, "group"),
    (Rows, "rows"),
    (Alternatives, "alternatives"),
    (Folded, "folded"),
)


class Drawn:
    """One node with its problems; macros of ``components/fields.html`` take it for a field."""

    is_cell = False

    def __init__(self, node: Node, form: SchemaForm) -> None:
        self.node = node
        self.form = form
        self.problems: tuple[Problem, ...] = form.problems.get(node.anchor, ())

    name = property(lambda self: self.node.name)
    id = property(lambda self: self.node.name)
    anchor = property(lambda self: self.node.anchor)
    label = property(lambda self: self.node.label)
    help = property(lambda self: self.node.help)
    is_required = property(lambda self: self.node.is_required)
    own_problems = property(lambda self: self.problems)
    typed = property(lambda self: self.node.typed)
    value = property(lambda self: self.node.text)
    options = property(lambda self: self.node.offers)
    is_readable = True

    @property
    def kind(self) -> str:
        if isinstance(self.node, Control):
            return self.node.kind
        return next(name for kind, name in _KINDS if isinstance(self.node, kind))

    @property
    def wrong(self) -> str:
        return " is-invalid" if self.problems else ""

    @property
    def params(self) -> Mapping[str, Any]:
        return {"rows": self.node.rows} if isinstance(self.node, Control) else {}

    @property
    def described_by(self) -> str:
        parts = [f"{self.anchor}-help"] if self.help else []
        return " ".join([*parts, f"{self.anchor}-error"] if self.problems else parts)

    @property
    def tied(self) -> Markup:
        """The attributes of the control; names are made of plain characters, other words are escaped."""
        node = self.node
        parts = [f'id="{self.anchor}" name="{self.anchor}"']
        if self.is_required:
            parts.append('aria-required="true"')
        if self.problems:
            parts.append('aria-invalid="true"')
        if self.described_by:
            parts.append(f'aria-describedby="{self.described_by}"')
        if isinstance(node, Control):
            if node.is_read_only:
                parts.append("readonly")
            if node.examples:
                parts.append(f'list="{self.name}.examples"')
            if node.kind in ("line", "area", "file", "files"):
                parts += [f'{name}="{escape(text)}"' for name, text in node.attributes.items()]
        return Markup(" ".join(parts))  # noqa: S704

    @property
    def inside(self) -> list[Drawn]:
        return [Drawn(node, self.form) for node in self.node.inside]

    @property
    def rows(self) -> list[tuple[str, Drawn]]:
        """Number and node of each row of a list."""
        assert isinstance(self.node, Rows)
        return [(number, Drawn(node, self.form)) for number, node in self.node.rows]

    @property
    def parts(self) -> list[Drawn]:
        assert isinstance(self.node, (Group, Alternatives))
        return [Drawn(node, self.form) for node in self.node.parts]

    @property
    def named(self) -> list[tuple[Any, Drawn]]:
        """Rows with names of their own, and the node of each."""
        assert isinstance(self.node, Group)
        return [(row, Drawn(row.node, self.form)) for row in self.node.named]

    def problems_at(self, anchor: str) -> tuple[Problem, ...]:
        return self.form.problems.get(anchor, ())


def drawn(form: SchemaForm) -> Drawn:
    """The root of the form, for the template."""
    return Drawn(form.root, form)
