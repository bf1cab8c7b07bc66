"""The win rate of a stage, which counts at once for all its open records (edge cases of metrics.md)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from builder.db.records import Record
from builder.services.ledger import Ledger
from builder.services.records import write_record
from builder.services.standings import load_standings, set_probability
from builder.services.unit_of_work import UnitOfWork

BATCH = 200


def renew_probabilities(uow: UnitOfWork, pipeline_key: str, stage_key: str) -> int:
    """Let the open records of a stage take its probability of now; returns how many changed.

    Their slices keep what it was before (B6).
    """
    last, changed = 0, 0
    while True:
        ids = uow.session.scalars(
            select(Record.id)
            .where(
                Record.pipeline_key == pipeline_key,
                Record.stage_key == stage_key,
                Record.deleted_at.is_(None),
                Record.id > last,
            )
            .order_by(Record.id)
            .limit(BATCH)
        ).all()
        if not ids:
            return changed
        last = ids[-1]
        changed += _renew(uow, ids)


def _renew(uow: UnitOfWork, record_ids: Sequence[int]) -> int:
    ledger, changed = Ledger(uow), 0
    for standing in load_standings(uow, record_ids, of_everyone=True).values():
        set_probability(uow, standing)
        ledger.settle(standing, uow.clock.now())
        if standing.record["probability"] != standing.stored["probability"]:
            write_record(uow, standing)
            changed += 1
    ledger.write()
    return changed
