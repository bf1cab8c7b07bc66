"""The recycle bin: records leave lists, boards and sums, keep everything they have, and come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from builder.db.records import Record
from builder.domain.undoing import MERGED
from builder.errors import N_, Conflict
from builder.services.ledger import Ledger, Standing
from builder.services.projections import write_tokens
from builder.services.records import Saved, projected_of, write_records
from builder.services.standings import load_standing
from builder.services.unit_of_work import UnitOfWork

KEY_TAKEN = N_("Another record was made with the key “%(key)s” meanwhile. Delete that one first, or keep it.")
WAS_ERASED = N_("The data of this record was erased for good.")
WAS_MERGED = N_("This record was merged into another one. Undo that instead.")


def delete(uow: UnitOfWork, record_id: int, revision: int | None = None) -> Saved:
    """Put a record into the recycle bin: it leaves lists, boards and sums, and keeps everything it has.

    Errors: Forbidden (a right of its own, S48), NotFound, Stale.
    """
    uow.begin()
    uow.require("record.delete")
    standing = load_standing(uow, record_id, revision)
    return _set_deleted(uow, [standing], uow.clock.now(), "record.deleted")[0]


def restore(uow: UnitOfWork, record_id: int, revision: int | None = None) -> Saved:
    """Take a record out of the recycle bin.

    Errors: Forbidden, NotFound, Stale; Conflict when another record has its key by now, for a file must find
    one record by a key, and when it is there because it was merged.
    """
    uow.begin()
    uow.require("record.restore")
    standing = load_standing(uow, record_id, revision, is_deleted=True)
    if standing.record["merged_into_id"] is not None:
        raise Conflict(WAS_MERGED)
    if standing.record["erased_at"] is not None:
        raise Conflict(WAS_ERASED)
    _refuse_taken_key(uow, standing)
    return _set_deleted(uow, [standing], None, "record.restored")[0]


def _refuse_taken_key(uow: UnitOfWork, standing: Standing) -> None:
    key = standing.record["external_key"]
    if key is None:
        return
    others = select(Record.id).where(
        Record.object_key == standing.record["object_key"],
        Record.external_key == key,
        Record.deleted_at.is_(None),
    )
    if uow.session.scalar(others.limit(1)) is not None:
        raise Conflict(KEY_TAKEN, key=key)


def merge_away(
    uow: UnitOfWork, standing: Standing, survivor_id: int, survivor_name: str, belongings: Mapping[str, Any]
) -> None:
    """``delete`` for a record that is loaded for this write and is merged into another: it says into which,
    and what of it that one has now (``services.belongings``).
    """
    standing.record["merged_into_id"] = survivor_id
    standing.record["merged_ids"] = None
    told = {"into": {"record": str(survivor_id)}, "into_name": survivor_name, "belongings": belongings}
    _set_deleted(uow, [standing], uow.clock.now(), MERGED, told)


def remove_many(uow: UnitOfWork, standings: Sequence[Standing]) -> None:
    """``delete`` for records of a batch that are loaded for this write and may be deleted by the actor."""
    _set_deleted(uow, standings, uow.clock.now(), "record.deleted")


def restore_many(uow: UnitOfWork, standings: Sequence[Standing]) -> None:
    """``restore`` for records of a batch, loaded for this write from the recycle bin."""
    _set_deleted(uow, standings, None, "record.restored")


def _set_deleted(
    uow: UnitOfWork,
    standings: Sequence[Standing],
    at: datetime | None,
    kind: str,
    told: Mapping[str, Any] = MappingProxyType({}),
) -> list[Saved]:
    ledger = Ledger(uow)
    for standing in standings:
        standing.record["deleted_at"] = at
        standing.record["deleted_by"] = uow.actor.member_id if at else None
        if at is None:
            standing.record["merged_into_id"] = None
        ledger.settle(standing, uow.clock.now())
    write_records(uow, standings)
    for standing in standings:
        uow.log(
            kind,
            record_id=standing.record_id,
            object_key=standing.record["object_key"],
            data={"name": standing.record["name"], **told},
        )
    ledger.write()
    for object_key in {standing.record["object_key"] for standing in standings}:
        projected = [projected_of(one) for one in standings if one.record["object_key"] == object_key]
        write_tokens(uow, uow.catalog.object(object_key), projected)
    return [Saved(standing.record_id, standing.record["revision"]) for standing in standings]
