"""Filling slots, search tokens and numbers of existing records after their object was published anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from builder.db.records import NUMBER_SLOTS, TEXT_SLOTS, Record
from builder.domain.fields import ObjectDefinition
from builder.fieldtypes.traits import match_fields
from builder.services.numbers import number_fields, write_numbers
from builder.services.projections import Projected, slots, write_tokens
from builder.services.unit_of_work import UnitOfWork

BATCH = 1000


def fill_again(uow: UnitOfWork, before: ObjectDefinition, now: ObjectDefinition) -> int:
    """Fill what ``now`` copies elsewhere than ``before`` did; how many records were written.

    Records deleted for now are filled too: they may be restored. Runs in the transaction of the publish,
    so that a filter never sees half of it.
    """
    columns = _changed_slots(before, now)
    is_searched_anew = _searched_by(before) != _searched_by(now) or _matches_by(before) != _matches_by(now)
    are_numbered_anew = number_fields(before) != number_fields(now)
    if not columns and not is_searched_anew and not are_numbered_anew:
        return 0
    written = 0
    for batch in _batches(uow, now.key):
        if columns:
            _fill(uow, now, columns, batch)
        if is_searched_anew:
            records = [
                Projected(row.id, row.name, row.data, is_searchable=not row.is_deleted) for row in batch
            ]
            write_tokens(uow, now, records)
        if are_numbered_anew:
            write_numbers(uow, now, [(row.id, row.data) for row in batch], is_new=False)
        written += len(batch)
    return written


def _searched_by(definition: ObjectDefinition) -> list[tuple[str, str]]:
    """What the search tokens of records depend on."""
    known = definition.fields.by_key
    return [(key, known[key].type if key in known else "") for key in definition.search_fields]


def _matches_by(definition: ObjectDefinition) -> list[tuple[str, str, str | None]]:
    """What the match keys of records depend on."""
    return [(field.key, field.type, field.role) for field in match_fields(definition)]


def _changed_slots(before: ObjectDefinition, now: ObjectDefinition) -> tuple[str, ...]:
    """Slot columns that another field fills now, or none any more."""
    then = {field.slot: (field.key, field.type) for field in before.fields if field.slot}
    new = {field.slot: (field.key, field.type) for field in now.fields if field.slot}
    return tuple(slot for slot in TEXT_SLOTS + NUMBER_SLOTS if then.get(slot) != new.get(slot))


def _batches(uow: UnitOfWork, object_key: str) -> Iterator[Sequence[Any]]:
    last = 0
    while True:
        rows = uow.session.execute(
            select(Record.id, Record.name, Record.data, Record.deleted_at.is_not(None).label("is_deleted"))
            .where(Record.object_key == object_key, Record.id > last)
            .order_by(Record.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _fill(uow: UnitOfWork, now: ObjectDefinition, columns: tuple[str, ...], batch: Sequence[Any]) -> None:
    values = [
        {"b_workspace": uow.workspace.id, "b_id": row.id, **_only(slots(now, row.data), columns)}
        for row in batch
    ]
    table: Any = Record.__table__
    statement = (
        update(table)
        .where(table.c.workspace_id == bindparam("b_workspace"), table.c.id == bindparam("b_id"))
        .values({column: bindparam(column) for column in columns})
    )
    # Through the connection, because the session takes many rows of one statement by primary key only.
    uow.session.connection().execute(statement, values)


def _only(filled: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: filled[column] for column in columns}
