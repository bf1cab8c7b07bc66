"""Bringing open records to the live version of their pipeline, when an admin chooses so (S16, S17, B7).

A record whose stage is still there stays in it: its visit goes on. One whose stage is gone goes to the
stage that was chosen for it; its visit ends by *migrate* and the next one begins by it (head of metrics.md).
Records for whose stage nothing was chosen stay on the version that they are on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, func, select

from builder.db.records import Record
from builder.domain.pipeline import Pipeline
from builder.domain.transitions import Planned
from builder.errors import N_, Invalid, Problem
from builder.queries.imports import starter
from builder.services.definitions import EDIT
from builder.services.entries import enter, given_so_far
from builder.services.ledger import Ledger, Standing
from builder.services.records import write_record
from builder.services.standings import load_standings, set_probability
from builder.services.unit_of_work import UnitOfWork

BATCH = 200
NO_STAGE = N_("“%(stage)s” is no open stage of this process.")


def behind(pipeline: Pipeline) -> ColumnElement[bool]:
    """Open records of the pipeline that are on an earlier version than ``pipeline``."""
    return (
        (Record.pipeline_key == pipeline.key)
        & (Record.outcome == "open")
        & (Record.pipeline_version_id != pipeline.version_id)
        & Record.deleted_at.is_(None)
    )


def waiting(uow: UnitOfWork, pipeline_key: str) -> dict[str, int]:
    """How many open records are on an earlier version than the live one, by the stage in which they stand."""
    pipeline = uow.catalog.pipeline(pipeline_key)
    rows = uow.session.execute(
        select(Record.stage_key, func.count()).where(behind(pipeline)).group_by(Record.stage_key)
    )
    return {str(row[0]): row[1] for row in rows}


def checked_mapping(pipeline: Pipeline, mapping: Mapping[str, str]) -> dict[str, str]:
    """The stages chosen for those that are gone. Errors: Invalid for a stage that is not open there."""
    open_keys = {stage.key for stage in pipeline.open_stages}
    for stage_key in mapping.values():
        if stage_key not in open_keys:
            raise Invalid(
                N_("The records were not moved."),
                problems=(Problem(NO_STAGE, "mapping", {"stage": stage_key[:63]}),),
            )
    return dict(mapping)


def migrate_as(
    uow: UnitOfWork, pipeline_key: str, version_id: int, mapping: Mapping[str, str], actor_id: int
) -> int:
    """Bring all open records over as the person who asked for it, a batch at a time, each committed.

    Ends when another version has been published meanwhile, for which somebody chooses anew. How many came
    over. Errors: Forbidden when the person may no longer edit definitions.
    """
    uow.actor = starter(uow.session, uow.workspace, uow.catalog, actor_id, uow.clock.now())
    done, after = 0, 0
    while True:
        uow.begin()
        uow.require(EDIT)
        pipeline = uow.catalog.pipelines.get(pipeline_key)
        if pipeline is None or pipeline.version_id != version_id:
            uow.rollback()
            return done
        stages = [*(stage.key for stage in pipeline.stages), *mapping]
        ids = uow.session.scalars(
            select(Record.id)
            .where(behind(pipeline), Record.stage_key.in_(stages), Record.id > after)
            .order_by(Record.id)
            .limit(BATCH)
        ).all()
        if not ids:
            uow.rollback()
            return done
        after = ids[-1]
        ledger = Ledger(uow)
        for standing in load_standings(uow, ids, of_everyone=True).values():
            _bring_over(uow, standing, pipeline, mapping, ledger)
            done += 1
        ledger.write()
        uow.commit()


def _bring_over(
    uow: UnitOfWork, standing: Standing, pipeline: Pipeline, mapping: Mapping[str, str], ledger: Ledger
) -> None:
    record, now = standing.record, uow.clock.now()
    before, version = record["stage_key"], record["pipeline_version_id"]
    standing.pipeline = pipeline
    if before in pipeline.by_key:
        record["pipeline_version_id"] = pipeline.version_id
        set_probability(uow, standing)
    else:
        enter(uow, standing, _migration(before, mapping[before]), given_so_far(standing), now, ledger)
    ledger.settle(standing, now)
    write_record(uow, standing)
    uow.log(
        "record.migrated",
        record_id=standing.record_id,
        object_key=record["object_key"],
        data={
            "pipeline": pipeline.key,
            "from": before,
            "to": record["stage_key"],
            "before_version": version,
            "pipeline_version": pipeline.version_id,
        },
        effective_at=now,
    )


def _migration(from_stage: str, to_stage: str) -> Planned:
    return replace(_PLAN, from_stage=from_stage, to_stage=to_stage)


_PLAN = Planned(
    from_stage=None,
    to_stage="",
    left_via="migrate",
    entered_via="migrate",
    skipped=(),
    outcome="open",
    reason_key=None,
    reason_note="",
    warnings=(),
    overridden=(),
    override_reason=None,
)
