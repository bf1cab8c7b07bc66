"""Fields of many records in one form: without the rules, whose verdict differs from record to record."""

from __future__ import annotations

from dataclasses import replace

from builder.domain.fields import FieldSet


def unruled(fields: FieldSet) -> FieldSet:
    """The fields without their rules; the service asks each record for its own."""
    if not fields.rules:
        return fields
    schema = {key: value for key, value in fields.schema.items() if key not in ("allOf", "x-rules")}
    return replace(fields, rules=(), schema=schema, checksum=f"{fields.checksum}-unruled")
