"""A form from a JSON Schema: shown for given data, or read from what was posted, with a verdict.

The tree depends on the data (conditions, alternatives) and the data on the tree (defaults, what was posted),
so the walk is repeated until the data stay as they are, at most ``MAX_WALKS`` times: more only happens where
conditions contradict each other in a circle, and then the last tree stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.errors import Problem
from builder.forms.schema_form.building import Builder
from builder.forms.schema_form.merging import Merger, same
from builder.forms.schema_form.nodes import ABSENT, Alternatives, Control, Group, Node, Path
from builder.forms.schema_form.own_fields import OwnFields, own_fields
from builder.forms.schema_form.posted import ROOT, Posted
from builder.forms.schema_form.walk import Say
from builder.metadata.foreign.reading import ForeignSchema
from builder.metadata.foreign.verdicts import DataError, Verdicts

MAX_WALKS = 8


@dataclass(frozen=True)
class SchemaForm:
    """The tree, and what is wrong: problems by the name of the control (``Node.anchor``) that they are at."""

    root: Node
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    summary: tuple[tuple[str, str, Problem], ...] = ()

    @property
    def data(self) -> Any:
        """The JSON data; ``ABSENT`` where nothing is filled in at all."""
        return self.root.value

    @property
    def is_valid(self) -> bool:
        return not self.summary

    @property
    def has_files(self) -> bool:
        return any(isinstance(node, Control) and node.input_type == "file" for node in self.root.walk())


class _Asked:
    """What merging asks: the definitions of a schema and its verdicts."""

    def __init__(self, schema: ForeignSchema, verdicts: Verdicts) -> None:
        self.definition = schema.definition
        self.is_valid = verdicts.is_valid


def shown(schema: ForeignSchema, ui: Any, data: Any, say: Say, *, is_checked: bool = False) -> SchemaForm:
    """The form with given data (``ABSENT`` for none) and the defaults of the schema.

    ``is_checked``: with what is wrong with the data as they were given. Errors: Invalid for a form too large.
    """
    form = SchemaForm(_settled(schema, ui, data, None, say))
    return _checked(form, schema, data if data is not ABSENT else form.data) if is_checked else form


def received(
    schema: ForeignSchema,
    ui: Any,
    pairs: Iterable[tuple[str, str]],
    say: Say,
    *,
    action: str = "",
    is_checked: bool = False,
) -> SchemaForm:
    """The form as posted, after ``action`` (a button that changes it); ``is_checked``: with a verdict."""
    posted = Posted(pairs)
    posted.act(action)
    form = SchemaForm(_settled(schema, ui, ABSENT, posted, say))
    return _checked(form, schema, form.data) if is_checked else form


def _settled(schema: ForeignSchema, ui: Any, data: Any, posted: Posted | None, say: Say) -> Node:
    asked = _Asked(schema, schema.verdicts())
    guess = data
    for _ in range(MAX_WALKS):
        root = Builder(Merger(asked), posted, say).build(schema.schema, ui, guess, ROOT)
        if _equal(root.value, guess):
            break
        guess = root.value
    return root


def _equal(one: Any, other: Any) -> bool:
    if one is ABSENT or other is ABSENT:
        return one is other
    return same(one, other)


def _checked(form: SchemaForm, schema: ForeignSchema, data: Any) -> SchemaForm:
    places = _Places(form.root)
    found: dict[str, list[Problem]] = {}
    summary: list[tuple[str, str, Problem]] = []

    def add(anchor: str, label: str, problem: Problem) -> None:
        if problem not in found.setdefault(anchor, []):
            found[anchor].append(problem)
            summary.append((anchor, label, problem))

    for anchor, label, problem in places.unread:
        add(anchor, label, problem)
    errors = schema.verdicts().errors(None if data is ABSENT else data)
    for error in places.of_chosen(errors):
        node, is_exact = places.nearest(error.path)
        if is_exact and node.anchor in places.unread_anchors:
            continue
        label = node.label if is_exact else " › ".join(map(str, error.path[len(node.path) :])) or node.label
        add(node.anchor, label, Problem(error.message, "/".join(map(str, error.path)), error.values))
    return SchemaForm(form.root, {name: tuple(each) for name, each in found.items()}, tuple(summary))


class _Places:
    """Nodes by their place in the data."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.by_path: dict[Path, Node] = {}
        self.choices: dict[Path, list[Alternatives]] = {}
        self.unread: list[tuple[str, str, Problem]] = []
        for node in root.walk():
            if isinstance(node, Alternatives):
                self.choices.setdefault(node.path, []).append(node)
                self.by_path.setdefault(node.path, node)
            else:
                known = self.by_path.get(node.path)
                if known is None or isinstance(known, Alternatives):
                    self.by_path[node.path] = node
            if isinstance(node, Control) and node.unread:
                self.unread.append((node.anchor, node.label, Problem(node.unread)))
            if isinstance(node, Group):
                for row in node.named:
                    if row.problem:
                        self.unread.append(
                            (row.key_name, node.label, Problem(row.problem, "", {"name": row.key}))
                        )
        self.unread_anchors = {anchor for anchor, _, _ in self.unread}

    def nearest(self, path: Path) -> tuple[Node, bool]:
        """The node of a place, or the deepest one around it; and whether it is the place itself."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.by_path:
                return self.by_path[path[:length]], length == len(path)
        return self.root, False

    def of_chosen(self, errors: Iterable[DataError]) -> Iterable[DataError]:
        """Of alternatives that do not fit, what the chosen one says; else that none fits."""
        for error in errors:
            chosen = next(
                (
                    error.alternatives[node.chosen]
                    for node in self.choices.get(error.path, ())
                    if error.alternatives.get(node.chosen)
                ),
                None,
            )
            if chosen is None:
                yield error
            else:
                yield from self.of_chosen(chosen)


def as_own(schema: ForeignSchema) -> OwnFields:
    """What fields of ours can hold of a schema. Errors: Invalid for one too large."""
    return own_fields(schema.schema, Merger(_Asked(schema, schema.verdicts())))
