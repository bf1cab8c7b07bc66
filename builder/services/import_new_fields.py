"""What an import adds to its object: fields for columns that no field is like, options for new values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

from builder.exchange.new_fields import NewField
from builder.fieldtypes.registry import field_type
from builder.metadata.grammar import Document
from builder.queries.definitions import live_rows
from builder.services.unit_of_work import UnitOfWork

_MORE = {"key": "imported", "label": {"en": "More", "zh_Hans": "更多"}, "columns": 2}


def with_fields(
    uow: UnitOfWork,
    object_key: str,
    made: Sequence[NewField],
    options: Mapping[str, Sequence[Document]],
) -> Document:
    """The object's document with new fields in a section of their own, filterable while slots last, and with
    more options of the fields that ``options`` names.
    """
    row = next(row for row in live_rows(uow.session) if (row.kind, row.key) == ("object", object_key))
    document = deepcopy(row.document)
    fields = document["fields"]
    slots = list((row.slots or {}).values())
    free = {kind: 20 - sum(slot.startswith(kind) for slot in slots) for kind in ("t", "n")}
    for new in made:
        wanted = field_type(new.type).slot
        is_filterable = wanted is not None and new.type != "long_text" and free[wanted] > 0
        if wanted is not None and is_filterable:
            free[wanted] -= 1
        fields["properties"][new.key] = {**new.document, **({"x-filterable": True} if is_filterable else {})}
    for key, more in options.items():
        fields["properties"][key]["x-options"] += more
    if made and fields.get("x-sections"):
        own = next((section for section in fields["x-sections"] if section["key"] == _MORE["key"]), None)
        if own is None:
            fields["x-sections"].append(own := {**_MORE, "fields": []})
        own["fields"] += [new.key for new in made]
    return document
