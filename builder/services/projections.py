"""Copies of a record's values: typed columns, slots, search tokens and links, all made here.

``record.data`` is the truth. ``columns`` derives from it what lists, boards and filters need, so that a
rebuild gives the same rows as the writes did (idea 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, tuple_

from builder.db.ids import new_id
from builder.db.records import NUMBER_SLOTS, TEXT_SLOTS, Link, SearchToken
from builder.db.rows import Insertion, columns_of, insert_columns, insert_rows, insertion
from builder.domain.duplicates import match_keys
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.money import to_minor
from builder.domain.search import MAX_TOKENS, record_tokens
from builder.fieldtypes.registry import field_type, type_of
from builder.fieldtypes.traits import traits_of
from builder.metadata.name_words import name_words
from builder.services.unit_of_work import UnitOfWork

_EMPTY_SLOTS = dict.fromkeys(TEXT_SLOTS + NUMBER_SLOTS)
REFERENCE = "reference"
NAME = "name"


def columns(definition: ObjectDefinition, data: Mapping[str, Any], workspace_currency: str) -> dict[str, Any]:
    """Typed columns and slots of a record whose values are ``data`` (roles: design.md §4).

    Raises builder.errors.Invalid when an amount has more decimals than its currency.
    """
    roles = {role: data.get(field.key) for role, field in definition.fields.by_role.items()}
    currency = roles.get("currency") or workspace_currency
    amount = roles.get("amount")
    expected = roles.get("expected_close")
    owner = roles.get("owner")
    override = roles.get("probability")
    return {
        "name": str(roles.get("name") or "")[:400],
        "currency": currency,
        "amount_minor": None if amount is None else to_minor(amount, currency),
        "expected_close_on": None if expected is None else date.fromisoformat(expected),
        "owner_id": None if owner is None else int(owner),
        "probability_override": None if override is None else round(float(override)),
        "forecast_category": roles.get("forecast_category"),
        "number": roles.get("number"),
        **slots(definition, data),
    }


def slots(definition: ObjectDefinition, data: Mapping[str, Any]) -> dict[str, Any]:
    """All 40 slot columns; a field without a value empties its slot."""
    filled = dict(_EMPTY_SLOTS)
    for field, slot in definition.fields.slotted:
        if field.key in data:
            value = data[field.key]
            is_plain = value.__class__ in _PLAIN
            filled[slot] = _slot_value(field.type, value) if is_plain else type_of(field).slot_value(value)
    return filled


# Values that can be looked up: those of other classes are lists and objects.
_PLAIN = frozenset((str, int, bool))


@lru_cache(maxsize=32_768, typed=True)
def _slot_value(type_key: str, value: str | int) -> str | float | None:
    """Many records hold the same options, dates and small numbers. Errors: as ``FieldType.slot_value``."""
    return field_type(type_key).slot_value(value)


def reference_fields(definition: ObjectDefinition) -> tuple[FieldDefinition, ...]:
    return tuple(field for field in definition.fields if field.type == REFERENCE)


@dataclass(frozen=True, slots=True)
class Projected:
    """A record just written: what its tokens and links are made from."""

    record_id: int
    name: str
    data: Mapping[str, Any]
    is_searchable: bool = True


def write_tokens(uow: UnitOfWork, definition: ObjectDefinition, records: Iterable[Projected]) -> None:
    """Replace the search tokens of stored records; those of new ones: ``copies_of_new``."""
    wanted = {record.record_id: record_search_tokens(definition, record) for record in records}
    if wanted:
        uow.session.execute(delete(SearchToken).where(SearchToken.record_id.in_(wanted)))
    if columns := _token_columns(uow, definition, wanted):
        insert_columns(uow.session, SearchToken, columns)


def _token_columns(
    uow: UnitOfWork, definition: ObjectDefinition, wanted: Mapping[int, set[tuple[str, str]]]
) -> dict[str, list[Any]]:
    """The columns of ``search_token`` for the tokens of each record; nothing when there are none."""
    tokens = [token for found in wanted.values() for token in sorted(found)]
    if not tokens:
        return {}
    return {
        "workspace_id": [uow.workspace.id] * len(tokens),
        "token": [token for token, _ in tokens],
        "field_key": [field for _, field in tokens],
        "object_key": [definition.key] * len(tokens),
        "record_id": [record_id for record_id, found in wanted.items() for _ in found],
    }


def copies_of_new(
    uow: UnitOfWork, definition: ObjectDefinition, records: Sequence[Projected]
) -> list[Insertion]:
    """Search tokens and links of new records, ready to be written."""
    wanted = {record.record_id: record_search_tokens(definition, record) for record in records}
    ready = []
    if columns := _token_columns(uow, definition, wanted):
        ready.append(insertion(uow.session, SearchToken, columns))
    if links := link_rows(uow, definition, records):
        ready.append(insertion(uow.session, Link, columns_of(links)))
    return ready


def record_search_tokens(definition: ObjectDefinition, record: Projected) -> set[tuple[str, str]]:
    """What a record is found by, and the keys by which it finds those that look alike; a deleted one by
    nothing. Pairs of a token and the field that it came from, ``""`` for the name: what that has is not told
    again.
    """
    if not record.is_searchable:
        return set()
    keys = definition.search_fields or tuple(field.key for field in definition.fields if field.role == "name")
    fields = definition.fields.by_key
    searched = [fields[key] for key in keys if key in fields and record.data.get(key)]
    texts = {field.key: type_of(field).search_text(field, record.data[field.key]) for field in searched}
    named = record_tokens((texts[field.key] for field in searched if field.role == NAME), record.name)
    if definition.duplicate_keys:
        named |= match_keys(traits_of(definition, record.data, name_words()))
    found = {(token, "") for token in named}
    for field in searched:
        if field.role != NAME and len(found) < MAX_TOKENS:
            found.update((token, field.key) for token in record_tokens([texts[field.key]]) - named)
    return found


def write_links(uow: UnitOfWork, definition: ObjectDefinition, records: Iterable[Projected]) -> None:
    """Make ``link`` hold exactly the references in the records' values."""
    fields = reference_fields(definition)
    if not fields:
        return
    records = list(records)
    keys = [(record.record_id, field.key) for record in records for field in fields]
    uow.session.execute(delete(Link).where(tuple_(Link.record_id, Link.field_key).in_(keys)))
    insert_rows(uow.session, Link, link_rows(uow, definition, records))


def link_rows(
    uow: UnitOfWork, definition: ObjectDefinition, records: Iterable[Projected]
) -> list[dict[str, Any]]:
    """The rows of ``link`` that the records' values ask for."""
    fields = reference_fields(definition)
    return [
        {
            "workspace_id": uow.workspace.id,
            "id": new_id(),
            "record_id": record.record_id,
            "field_key": field.key,
            "target_id": int(record.data[field.key]),
        }
        for record in records
        for field in fields
        if record.data.get(field.key)
    ]
