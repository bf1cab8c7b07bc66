"""Totals of lengths of time are told as lengths of time: ``2 hr`` and not 7,200.

What a total adds up stands in the document of another object, so this is settled when all live definitions
are there, not when one is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.totals import ROLLUP

DURATION = "duration"


def with_units(objects: Mapping[str, ObjectDefinition]) -> dict[str, ObjectDefinition]:
    """The objects in their order; a total over lengths of time has their ``unit`` among its ``params``."""
    return {key: _with_units(definition, objects) for key, definition in objects.items()}


def _with_units(definition: ObjectDefinition, objects: Mapping[str, ObjectDefinition]) -> ObjectDefinition:
    units = {field.key: unit for field in definition.fields if (unit := _unit(field, objects))}
    if not units:
        return definition
    fields = tuple(
        replace(field, params={**field.params, "unit": units[field.key]}) if field.key in units else field
        for field in definition.fields.fields
    )
    # Whatever is kept under the checksum of the fields alone would tell plain numbers.
    said = f"{definition.fields.checksum} {sorted(units.items())}"
    told = replace(definition.fields, fields=fields, checksum=sha256(said.encode()).hexdigest())
    return replace(definition, fields=told)


def _unit(field: FieldDefinition, objects: Mapping[str, ObjectDefinition]) -> str | None:
    """The unit of what the field adds up, where that is a length of time."""
    if field.type != ROLLUP or "of" not in field.params or field.params["function"] == "count":
        return None
    source = objects.get(field.params["from"])
    summed = source.fields.by_key.get(field.params["of"]) if source is not None else None
    return str(summed.params["unit"]) if summed is not None and summed.type == DURATION else None
