"""Loading records for a write, and turning a checked draft into row values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select

from builder.db.records import Record, RecordShare
from builder.db.tenancy import scoped
from builder.domain.fields import ObjectDefinition
from builder.errors import Forbidden, NotFound, Stale
from builder.queries.definitions import pipeline_version
from builder.queries.record import READ_ONLY
from builder.services.ledger import Standing, StaysLater
from builder.services.projections import columns
from builder.services.unit_of_work import UnitOfWork

# What the database computes is written by nobody.
COLUMNS = tuple(column.name for column in Record.__table__.columns if column.computed is None)
_TABLE = Record.__table__
_ROWS = select(*_TABLE.c).where(_TABLE.c.id.in_(bindparam("ids", expanding=True))).order_by(_TABLE.c.id)
_LOOKED_AT = scoped(_ROWS)
_LOCKED = scoped(_ROWS.with_for_update())


def load_standings(
    uow: UnitOfWork,
    record_ids: Sequence[int],
    *,
    is_deleted: bool = False,
    of_everyone: bool = False,
    leaves_out_read_only: bool = False,
) -> dict[int, Standing]:
    """Records that the actor may see and change, locked when a write has begun.

    One or two statements, and one for all their stays when any are asked for; none for a record that the
    write began on (``UnitOfWork.begin``). What is not there, not visible
    (unless ``of_everyone``: what a publish renews is nobody's in particular) or (unless asked for) deleted is
    left out. Errors: Forbidden for a record that was shared with the actor for reading only, unless those are
    left out as well.
    """
    taken = uow.taken(record_ids[0]) if len(record_ids) == 1 else None
    found: Sequence[Any]
    if taken is None:
        statement = _LOCKED if uow.session.is_writing else _LOOKED_AT
        found = uow.session.run(statement, ids=list(record_ids)).mappings().all()
    else:
        found = [taken.record]
    rows: list[Any] = [dict(row) for row in found if (row["deleted_at"] is not None) is is_deleted]
    if not of_everyone:
        rows = _changeable(uow, rows, leaves_out_read_only)
    in_pipelines = [row["id"] for row in rows if row["pipeline_version_id"] is not None]
    stays = StaysLater(uow, in_pipelines, None if taken is None else taken.stays)
    return {
        row["id"]: Standing(
            record=dict(row),
            stored=row,
            pipeline=None
            if row["pipeline_version_id"] is None
            else pipeline_version(uow.session, uow.catalog, row["pipeline_version_id"]),
            stays_later=stays,
        )
        for row in rows
    }


def _changeable(uow: UnitOfWork, rows: Sequence[Any], leaves_out_read_only: bool) -> list[Any]:
    """Those that the actor may see; shares are asked for only where owner and department do not tell.

    Errors: Forbidden when one of them was shared for reading only (S34).
    """
    can_see = uow.actor.can_see
    seen = {row["id"] for row in rows if can_see(row["object_key"], row["owner_id"], row["department_id"])}
    if len(seen) == len(rows):
        return list(rows)
    shares = select(RecordShare.record_id, RecordShare.can_edit).where(
        RecordShare.member_id == uow.actor.member_id,
        RecordShare.record_id.in_([row["id"] for row in rows if row["id"] not in seen]),
    )
    shared = {row.record_id: row.can_edit for row in uow.session.execute(shares)}
    if not leaves_out_read_only and not all(shared.values()):
        raise Forbidden(READ_ONLY)
    return [row for row in rows if row["id"] in seen or shared.get(row["id"])]


def load_standing(
    uow: UnitOfWork, record_id: int, revision: int | None = None, *, is_deleted: bool = False
) -> Standing:
    """One record. Errors: NotFound, Forbidden (shared for reading only); Stale when ``revision`` is given
    and is not the stored one.
    """
    standing = load_standings(uow, [record_id], is_deleted=is_deleted).get(record_id)
    if standing is None:
        raise NotFound()
    if revision is not None and standing.record["revision"] != revision:
        raise Stale(record_id=record_id, revision=revision, now=standing.record["revision"])
    return standing


def apply_values(
    uow: UnitOfWork, definition: ObjectDefinition, standing: Standing, data: dict[str, Any]
) -> None:
    """Put new values and all their copies into the record's row values.

    The probability is the record's own when it sets one, else that of its stage.
    """
    standing.record.update(columns(definition, data, uow.workspace.currency), data=data)
    standing.record["definition_version_id"] = definition.version_id
    set_probability(uow, standing)


def set_probability(uow: UnitOfWork, standing: Standing) -> None:
    """The record's own probability while it is open and sets one, else that of its stage as it is now.

    A probability that an admin changes counts at once for all open records (edge cases of metrics.md).
    """
    record = standing.record
    pipeline = uow.catalog.pipelines.get(record["pipeline_key"]) or standing.pipeline
    stage = pipeline.by_key.get(record["stage_key"]) if pipeline else None
    if stage is None and standing.pipeline is not None:
        stage = standing.pipeline.by_key.get(record["stage_key"])
    own = record["probability_override"]
    is_own = own is not None and stage is not None and stage.is_open
    record["probability"] = own if is_own else (stage.probability if stage else None)
