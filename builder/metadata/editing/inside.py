"""Edits of a form within a field: columns of a table, fields of a group, as deep as they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from builder.errors import N_
from builder.fieldtypes.registry import field_type
from builder.metadata.editing.edit import NO_FIELD, Edit, Refused
from builder.metadata.editing.sections import with_form
from builder.metadata.grammar import DefinitionProblem, Document, pointer

Path: TypeAlias = "tuple[str, ...]"
"""Keys of fields, each inside the one before; empty for the form itself."""

LAST_ONE = N_("The last one stays: a field of this kind holds at least one. Remove the whole field instead.")


def form_at(form: Mapping[str, Any], path: Path) -> Mapping[str, Any] | None:
    """The form inside the field that ``path`` leads to; ``None`` where there is none."""
    for key in path:
        field = form.get("properties", {}).get(key)
        inside = field_type(field["x-type"]).inner_form(field) if field else None
        if inside is None:
            return None
        form = inside
    return form


def pointer_to(form: Mapping[str, Any], path: Path) -> str:
    """The JSON pointer in the document to the form inside the field that ``path`` leads to."""
    steps = ["fields"]
    for key in path:
        kind = field_type(form["properties"][key]["x-type"])
        steps += ["properties", key, *kind.inner_place]
        form = kind.inner_form(form["properties"][key]) or {}
    return pointer(*steps)


def problems_at(
    form: Mapping[str, Any], path: Path, problems: Sequence[DefinitionProblem]
) -> list[DefinitionProblem]:
    """The problems of the form inside, with pointers as if it were the form of the document."""
    if not path:
        return list(problems)
    prefix = pointer_to(form, path)
    return [
        replace(one, place="/fields" + one.place[len(prefix) :])
        for one in problems
        if one.place.startswith(f"{prefix}/")
    ]


@dataclass(frozen=True)
class Within:
    """An edit of the form inside the field that ``path`` leads to; of the form itself where it is empty.

    Errors: Refused when there is no such form, by the edit itself, and when the form would be left empty.
    """

    path: Path
    edit: Edit

    def apply(self, document: Document) -> Document:
        if not self.path:
            return self.edit.apply(document)
        key, *rest = self.path
        form = document["fields"]
        inside = form_at(form, (key,))
        if inside is None:
            raise Refused(NO_FIELD)
        changed = Within(tuple(rest), self.edit).apply({"fields": inside})["fields"]
        if not changed["properties"]:
            raise Refused(LAST_ONE)
        before = form["properties"][key]
        field = field_type(before["x-type"]).with_inner_form(before, changed)
        return with_form(document, {**form, "properties": {**form["properties"], key: field}})
