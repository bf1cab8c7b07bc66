"""What the designers show beside a document: what surrounds it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from builder.db.tenancy import WorkspaceSession
from builder.domain.workspaces import WorkspaceInfo
from builder.metadata.cache import ProcessCache
from builder.metadata.documents import check
from builder.metadata.editing.inside import Path, form_at
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
    lead to the form that is looked at, where that is one within a field (columns of a table).
    """

    document: Document
    checksum: str
    is_draft: bool
    live: Document | None
    problems: tuple[DefinitionProblem, ...]
    around: Surroundings
    draft_count: int
    path: Path = ()

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
        """The form that is looked at: of the document, or within one of its fields."""
        return form_at(self.whole_form, self.path) or {"properties": {}}

    @property
    def within(self) -> str | None:
        """The path as an address says it."""
        return ".".join(self.path) or None

    @property
    def is_of_record(self) -> bool:
        """Whether the fields are those of records: these have parts in the process and are filtered."""
        return self.kind == "object" and not self.path

    def inside(self, path: Path) -> Design:
        """The same design, looking at the form inside a field; at the nearest one that is there."""
        while form_at(self.whole_form, path) is None:
            path = path[:-1]
        return replace(self, path=path)

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
