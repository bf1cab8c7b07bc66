"""Which rows of a file mean records that are stored already: by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true

from builder.db.records import Record
from builder.queries.record_keys import id_of_key
from builder.queries.visibility import visible
from builder.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Existing:
    """A stored record that a row means again; one that the actor does not see is neither told nor changed.

    ``is_one_of_several``: others have the same value, so nobody can say which one the row means.
    """

    id: int
    data: Mapping[str, Any]
    stage_key: str | None
    is_visible: bool
    is_one_of_several: bool = False


def existing(uow: UnitOfWork, object_key: str, keys: Sequence[str]) -> dict[str, Existing]:
    """Records that an earlier import or an earlier row made, by their key; those of an export by theirs."""
    if not keys:
        return {}
    own = {record_id: key for key in keys if (record_id := id_of_key(key)) is not None}
    known = dict(_stored(uow, object_key, Record.external_key.in_(keys)))
    if own:
        found = _stored(uow, object_key, Record.id.in_(own))
        known = {own[stored.id]: stored for _, stored in found} | known
    return known | _merged(uow, object_key, own, [key for key in keys if key not in known])


def existing_by_value(
    uow: UnitOfWork, object_key: str, slot: str, wanted: Mapping[str, str]
) -> dict[str, Existing]:
    """Records that the actor sees, by what their slot holds: ``wanted`` has the value of each key.

    Others are as if they were not there: a value must not tell that somebody else has such a record.
    """
    if not wanted:
        return {}
    column = getattr(Record, slot)
    rule = visible(uow.actor, (object_key,))
    rows = uow.session.execute(
        select(column.label("value"), Record.id, Record.data, Record.stage_key).where(
            Record.object_key == object_key,
            column.in_(sorted(set(wanted.values()))),
            Record.deleted_at.is_(None),
            *(() if rule is None else (rule,)),
        )
    )
    found: dict[str, Existing] = {}
    for row in rows:
        several = row.value in found
        found[row.value] = Existing(row.id, row.data, row.stage_key, True, is_one_of_several=several)
    return {key: found[value] for key, value in wanted.items() if value in found}


def _merged(
    uow: UnitOfWork, object_key: str, own: Mapping[int, str], keys: Sequence[str]
) -> dict[str, Existing]:
    """Records by the keys of those that were merged into them."""
    if not keys:
        return {}
    rows = uow.session.execute(
        select(Record.id, Record.external_key, Record.merged_into_id).where(
            Record.object_key == object_key,
            Record.merged_into_id.is_not(None),
            or_(Record.external_key.in_(keys), Record.id.in_(own)),
        )
    ).all()
    if not rows:
        return {}
    survivors = _stored(uow, object_key, Record.id.in_({row.merged_into_id for row in rows}))
    by_id = {stored.id: stored for _, stored in survivors}
    wanted = set(keys)
    return {
        key: by_id[row.merged_into_id]
        for row in rows
        for key in (row.external_key, own.get(row.id))
        if key in wanted and row.merged_into_id in by_id
    }


def _stored(uow: UnitOfWork, object_key: str, which: ColumnElement[bool]) -> Iterator[tuple[str, Existing]]:
    """Live records of the object by their external key, each with whether the actor sees it."""
    rule = visible(uow.actor, (object_key,))
    rows = uow.session.execute(
        select(
            Record.external_key,
            Record.id,
            Record.data,
            Record.stage_key,
            (true() if rule is None else rule).label("is_visible"),
        ).where(Record.object_key == object_key, which, Record.deleted_at.is_(None))
    )
    for row in rows:
        yield row.external_key, Existing(row.id, row.data, row.stage_key, bool(row.is_visible))
