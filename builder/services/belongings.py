"""What belongs to a record without standing in its values: notes, notices, files, shares, what was made from
it.

When two records are merged all of this passes to the one that stays. What has passed is written down, so that
undoing gives back exactly that and nothing that came later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from builder.db.base import Base
from builder.db.ids import new_id
from builder.db.imports import StoredFile
from builder.db.notes import Note, Notice
from builder.db.records import Record, RecordShare
from builder.db.rows import insert_rows
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

# What has passed, under the column that says whose it is.
_TABLES: Mapping[str, tuple[type[Base], str]] = {
    "notes": (Note, "record_id"),
    "notices": (Notice, "record_id"),
    "files": (StoredFile, "record_id"),
    "made": (Record, "converted_from_id"),
    "merged_before": (Record, "merged_into_id"),
}
_SHARES, _RAISED, _EDITING = "shares", "raised", "editing"
# What is given back as it was passed on.
_RETURNED: Mapping[str, tuple[type[Base], str]] = {**_TABLES, _SHARES: (RecordShare, "record_id")}
_ORIGIN = "origin"


def pass_on(uow: UnitOfWork, record_id: int, survivor_id: int) -> dict[str, list[str]]:
    """Give the survivor all that belongs to a record; the ids of what has passed, by kind."""
    passed: dict[str, list[str]] = {}
    for kind, (entity, column) in _TABLES.items():
        table: Any = entity
        ids = uow.session.scalars(
            # What stays may have been made from what goes, but nothing is made from itself.
            select(table.id).where(getattr(table, column) == record_id, table.id != survivor_id)
        ).all()
        _give(uow, kind, ids, survivor_id)
        if ids:
            passed[kind] = [str(one) for one in ids]
    return passed | _pass_shares(uow, record_id, survivor_id)


def _pass_shares(uow: UnitOfWork, record_id: int, survivor_id: int) -> dict[str, list[str]]:
    """Whom the record was shared with sees the survivor (S34). Who has that one already keeps the share,
    which becomes one for editing where either was.
    """
    rows = uow.session.execute(
        select(RecordShare.id, RecordShare.record_id, RecordShare.member_id, RecordShare.can_edit).where(
            RecordShare.record_id.in_((record_id, survivor_id))
        )
    ).all()
    kept = {row.member_id: row for row in rows if row.record_id == survivor_id}
    own = [row for row in rows if row.record_id == record_id]
    moved = sorted(row.id for row in own if row.member_id not in kept)
    raised = sorted(
        kept[row.member_id].id
        for row in own
        if row.member_id in kept and row.can_edit and not kept[row.member_id].can_edit
    )
    _give(uow, _SHARES, moved, survivor_id)
    _let_edit(uow, raised, is_allowed=True)
    editing = sorted(row.id for row in own if row.can_edit and row.member_id not in kept)
    found = {_SHARES: moved, _RAISED: raised, _EDITING: editing}
    return {kind: [str(one) for one in ids] for kind, ids in found.items() if ids}


def _let_edit(uow: UnitOfWork, share_ids: Sequence[int], *, is_allowed: bool) -> None:
    for part in chunks(share_ids):
        uow.session.execute(
            update(RecordShare)
            .where(RecordShare.id.in_(part))
            .values(can_edit=is_allowed)
            .execution_options(synchronize_session=False)
        )


def give_back(uow: UnitOfWork, record_id: int, survivor_id: int, passed: Mapping[str, Any]) -> None:
    """Give a record back what passed on from it, as far as it is still the survivor's.

    A share that was taken since stays taken. One whose right was changed since was meant for the survivor,
    which keeps it; the record gets its own again.
    """
    for origin in passed.get(_ORIGIN, ()):
        _set_origin(uow, survivor_id, None, was=int(origin))
    _let_edit(uow, [int(one) for one in passed.get(_RAISED, ())], is_allowed=False)
    for kind in passed.keys() & _RETURNED.keys():
        ids = passed[kind]
        table: Any = _RETURNED[kind][0]
        holder = getattr(table, _RETURNED[kind][1])
        wanted = [int(one) for one in ids]
        still = uow.session.scalars(select(table.id).where(table.id.in_(wanted), holder == survivor_id)).all()
        if kind == _SHARES:
            still = _untouched(uow, still, record_id, {int(one) for one in passed.get(_EDITING, ())})
        _give(uow, kind, still, record_id)


def _untouched(uow: UnitOfWork, share_ids: Sequence[int], record_id: int, editing: set[int]) -> list[int]:
    """The shares whose right is still the one that they passed with; of the others the record gets a copy
    with that right.
    """
    rows = uow.session.execute(
        select(RecordShare.id, RecordShare.member_id, RecordShare.can_edit).where(
            RecordShare.id.in_(share_ids)
        )
    ).all()
    again = [
        {
            "workspace_id": uow.workspace.id,
            "id": new_id(),
            "record_id": record_id,
            "member_id": row.member_id,
            "can_edit": row.id in editing,
            "created_at": uow.clock.now(),
        }
        for row in rows
        if row.can_edit is not (row.id in editing)
    ]
    insert_rows(uow.session, RecordShare, again)
    return [row.id for row in rows if row.can_edit is (row.id in editing)]


def _give(uow: UnitOfWork, kind: str, ids: Any, holder_id: int) -> None:
    entity, column = _RETURNED[kind]
    table: Any = entity
    for part in chunks(sorted(ids)):
        uow.session.execute(
            update(table)
            .where(table.id.in_(part))
            .values({column: holder_id})
            .execution_options(synchronize_session=False)
        )


def take_origin(uow: UnitOfWork, survivor_id: int, origin_id: int, passed: dict[str, list[str]]) -> None:
    """The survivor was made from nothing: it takes over what the other was made from."""
    _set_origin(uow, survivor_id, origin_id, was=None)
    passed[_ORIGIN] = [str(origin_id)]


def _set_origin(uow: UnitOfWork, record_id: int, origin_id: int | None, *, was: int | None) -> None:
    uow.session.execute(
        update(Record)
        .where(Record.id == record_id, Record.converted_from_id.is_not_distinct_from(was))
        .values(converted_from_id=origin_id)
        .execution_options(synchronize_session=False)
    )


def set_merged_ids(uow: UnitOfWork, record_id: int) -> None:
    """Let a record name all that were merged into it, as they now say."""
    merged = uow.session.scalars(
        select(Record.id).where(Record.merged_into_id == record_id).order_by(Record.id)
    ).all()
    uow.session.execute(
        update(Record)
        .where(Record.id == record_id)
        .values(merged_ids=list(merged) or None)
        .execution_options(synchronize_session=False)
    )
