"""What the designers show beside a document: what surrounds it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from builder.db.tenancy import WorkspaceSession
from builder.domain.workspaces import WorkspaceInfo
from builder.metadata.cache import ProcessCache
from builder.metadata.documents import check
from builder.metadata.editing.inside import Path, form_at, problems_at
from builder.metadata.editing.layouts import layout_at, seen_through
from builder.metadata.grammar import DefinitionProblem, Document
from builder.metadata.lint import Surroundings, lint
from builder.queries.definitions import live_documents
from builder.queries.drafts import drafts, editable

KINDS = ("object", "feedback", "pipeline", "role")
_surroundings: ProcessCache[tuple[int, int], Surroundings] = ProcessCache(64)
_found: ProcessCache[tuple[int, int, str, frozenset[str]], tuple[DefinitionProblem, ...]] = ProcessCache(512)


@dataclass(frozen=True)
class Design:
    """A document as a designer shows it. ``live``: what is published of it, ``None`` for something new.

    ``problems``: what would refuse a publish (errors) or is worth a look (warnings, hints); ``around``: the
    live documents and the drafts beside it, as they would be published together. ``path``: the fields that
    lead to the form that is looked at, where that is one within a field (columns of a table); ``layout``: the
    layout that is looked at, empty for the form as it is for everybody.
    """

    document: Document
    checksum: str
    is_draft: bool
    live: Document | None
    problems: tuple[DefinitionProblem, ...]
    around: Surroundings
    draft_count: int
    path: Path = ()
    layout: str = ""

    @property
    def kind(self) -> str:
        return str(self.document["kind"])

    @property
    def key(self) -> str:
        return str(self.document["key"])

    @property
    def whole_form(self) -> Mapping[str, Any]:
        form: Mapping[str, Any] = self.document["fields"]
        return form

    @property
    def form(self) -> Mapping[str, Any]:
        """The form that is looked at: of the document, as a layout shows it, or within one of its fields."""
        if self.layout:
            return seen_through(self.whole_form, self.layout)
        return form_at(self.whole_form, self.path) or {"properties": {}}

    @property
    def within(self) -> str | None:
        """What is looked at as an address says it: ``terms.bank``, or ``@`` and a layout."""
        return f"@{self.layout}" if self.layout else ".".join(self.path) or None

    @property
    def is_of_record(self) -> bool:
        """Whether the fields are those of records: these have parts in the process and are filtered."""
        return self.kind == "object" and not self.path

    def inside(self, path: Path) -> Design:
        """The same design, looking at the form inside a field; at the nearest one that is there."""
        while form_at(self.whole_form, path) is None:
            path = path[:-1]
        return replace(self, path=path, layout="")

    def at(self, way: str) -> Design:
        """The same design, looking at what an address names (``within``); at the nearest that is there."""
        if not way.startswith("@"):
            return self.inside(tuple(way.split(".")) if way else ())
        known = layout_at(self.whole_form, way[1:]) is not None
        return replace(self, path=(), layout=way[1:] if known else "")

    @property
    def problems_here(self) -> list[DefinitionProblem]:
        """The problems of the form that is looked at, with pointers as if it were that of the document."""
        if not self.layout:
            return problems_at(self.whole_form, self.path, self.problems)
        keys = [one["key"] for one in self.whole_form["x-layouts"]]
        own = f"/fields/x-layouts/{keys.index(self.layout)}/sections"
        elsewhere = ("/fields/x-sections", "/fields/x-layouts")
        return [
            replace(one, place="/fields/x-sections" + one.place[len(own) :])
            if one.place.startswith(f"{own}/")
            else one
            for one in self.problems
            if one.place.startswith(f"{own}/") or not one.place.startswith(elsewhere)
        ]

    @property
    def object_key(self) -> str:
        """The object that the form belongs to."""
        return str(self.document["key" if self.kind == "object" else "object"])

    @property
    def is_sound(self) -> bool:
        return not any(problem.is_error for problem in self.problems)

    @property
    def live_fields(self) -> Mapping[str, Any]:
        form = form_at(self.live["fields"], self.path) if self.live else None
        fields: Mapping[str, Any] = form["properties"] if form else {}
        return fields


def read_design(session: WorkspaceSession, workspace: WorkspaceInfo, kind: str, key: str) -> Design:
    """The draft, or what is live, with its problems. Raises NotFound."""
    current = editable(session, kind, key)
    live = live_documents(session, workspace)
    waiting = drafts(session)
    others = [row for row in waiting if row.kind in KINDS and not row.is_removal]
    around = _surroundings.get(
        (workspace.id, workspace.definitions_stamp), lambda: Surroundings.of(live.values())
    )
    for row in others:
        if (row.kind, row.key) != (kind, key):
            around = around.beside(row.document)
    previous = live.get((kind, key))
    around = replace(around, previous=previous)
    # The same document beside the same others has the same problems.
    beside = frozenset(row.checksum for row in others)
    mark = (workspace.id, workspace.definitions_stamp, current.checksum, beside)
    problems = _found.get(mark, lambda: tuple(_problems(kind, current.document, around)))
    return Design(
        current.document, current.checksum, current.is_draft, previous, problems, around, len(waiting)
    )


def _problems(kind: str, document: Document, around: Surroundings) -> list[DefinitionProblem]:
    return check(kind, document) or lint(kind, document, around)
