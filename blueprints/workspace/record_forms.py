"""The forms of records: creating and editing share how values are read, shown again and refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from htmx_flask import request
from werkzeug.datastructures import MultiDict

from blueprints.scope import Scope
from blueprints.workspace.shown import NamesLater, form_context, is_id
from builder.domain.fields import FieldDefinition, FieldSet, JsonValue, ObjectDefinition
from builder.domain.layouts import Viewpoint
from builder.fieldtypes.base import FieldContext
from builder.queries.row import names_of_members, names_of_records, names_of_visible


def fields_for(
    here: Scope, definition: ObjectDefinition, pipeline: str | None = None, stage: str | None = None
) -> FieldSet:
    """The fields of an object, laid out for whoever asks and for the stage that its record stands in."""
    return definition.fields.seen_from(Viewpoint(here.actor.role_key, pipeline, stage))


def context_for(
    here: Scope, fields: FieldSet, values: Mapping[str, JsonValue], formdata: Any
) -> FieldContext:
    """What a form of these fields needs to show ``values`` and what was typed: names behind ids.

    ``values`` are stored; a typed id shows its name only when the reader sees the record.
    """
    records, members = ids_in(fields, (values,))
    typed: set[int] = set()
    for field in fields:
        if formdata is not None and field.type in ("reference", "user"):
            ids = {int(text) for text in formdata.getlist(f"f-{field.key}") if is_id(text)}
            (members if field.type == "user" else typed).update(ids)
    return later_context(here, records, members, typed - records)


def later_context(
    here: Scope, records: Iterable[int], members: Iterable[int], typed: Iterable[int] = ()
) -> FieldContext:
    """The context of a form that may show these records and members, read only if it does.

    ``typed``: records that somebody named without a record holding them yet.
    """

    def names(stored: Iterable[int]) -> dict[int, str]:
        return names_of_records(here.session, stored) | names_of_visible(here.session, here.actor, typed)

    return form_context(
        here, NamesLater(names, records), NamesLater(partial(names_of_members, here.session), members)
    )


def ids_in(fields: FieldSet, documents: Iterable[Mapping[str, JsonValue]]) -> tuple[set[int], set[int]]:
    """Ids of records and of members that values name, rows of tables included."""
    records: set[int] = set()
    members: set[int] = set()
    for document in documents:
        for field in fields:
            _collect(field, document.get(field.key), records, members)
    return records, members


def _collect(field: FieldDefinition, value: Any, records: set[int], members: set[int]) -> None:
    type_key = field.type
    for row in (value if isinstance(value, list) else [value]) if field.inner else ():
        for part in field.inner if isinstance(row, Mapping) else ():
            _collect(part, row.get(part.key), records, members)
    if type_key in ("reference", "user") and isinstance(value, str) and is_id(value):
        (members if type_key == "user" else records).add(int(value))


def without(formdata: MultiDict[str, str], keys: Iterable[str], prefix: str = "f") -> MultiDict[str, str]:
    """The form data as if these fields had not been on the page."""
    dropped = {f"{prefix}-{key}" for key in keys}
    kept: MultiDict[str, str] = MultiDict()
    for name, value in formdata.items(multi=True):
        head = name if name in dropped else next((one for one in dropped if name.startswith(f"{one}-")), "")
        if not head and not (name == "_has" and value in dropped):
            kept.add(name, value)
    return kept


def is_fragment() -> bool:
    """Whether htmx asked for a part of the page."""
    return bool(request.htmx and not request.htmx.boosted)
