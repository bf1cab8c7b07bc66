"""What the duplicate keys of an object make of a record's values (S121)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from builder.domain.duplicates import NameWords, Trait, trait
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.kinds import is_empty
from builder.fieldtypes.registry import type_of


def match_fields(definition: ObjectDefinition) -> tuple[FieldDefinition, ...]:
    """The duplicate keys that can be compared, in their order."""
    fields = (definition.fields.by_key.get(key) for key in definition.duplicate_keys)
    return tuple(field for field in fields if field is not None and type_of(field).match_kind is not None)


def traits_of(definition: ObjectDefinition, data: Mapping[str, Any], words: NameWords) -> tuple[Trait, ...]:
    """The traits of a record whose values are ``data``; fields without a value have none."""
    found = []
    for field in match_fields(definition):
        value = data.get(field.key)
        kind = "name" if field.role == "name" else type_of(field).match_kind
        if kind is None or is_empty(value):
            continue
        made = trait(field.key, kind, str(value), words)
        if made is not None:
            found.append(made)
    return tuple(found)
