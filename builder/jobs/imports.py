"""Imports in the background: one durable workflow a job, whose batches commit one by one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog
from dbos import DBOS

from builder.clock import Clock, SystemClock
from builder.db.imports import ImportJob
from builder.db.tenancy import WorkspaceSession
from builder.errors import FunnelwrightError
from builder.exchange.blobs import BlobStore
from builder.jobs.names import IMPORT_WORKFLOW, UNDO_WORKFLOW
from builder.services.import_runs import fail, run
from builder.services.import_sets import following
from builder.services.import_undo import undo
from builder.services.imports import carrier
from builder.services.unit_of_work import UnitOfWork
from builder.services.workspaces import open_workspace

_log = structlog.get_logger("funnelwright.jobs")


@dataclass(frozen=True)
class JobHouse:
    """What jobs work with in this process."""

    engine: Any
    blobs: BlobStore
    clock: Clock


_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=IMPORT_WORKFLOW)
def import_file(workspace_key: str, job_id: int) -> str:
    """Carry out an import; after a crash it is called again and goes on behind the last committed batch.

    Files that were brought together follow one after another.
    """
    ended = import_rows(workspace_key, job_id)
    later = next_file(workspace_key, job_id)
    while later is not None:
        ended, later = import_rows(workspace_key, later), next_file(workspace_key, later)
    return ended


@DBOS.step(name="next_file")
def next_file(workspace_key: str, job_id: int) -> int | None:
    """The job that waits for the end of this one."""
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        return following(open_workspace(session, house.clock, workspace_key), job_id)


@DBOS.step(name="import_rows")
def import_rows(workspace_key: str, job_id: int) -> str:
    """One step for the whole file: its batches know by themselves which of them were committed."""
    return _carried_out(workspace_key, job_id, lambda uow, blobs: run(uow, blobs, job_id))


@DBOS.workflow(name=UNDO_WORKFLOW)
def undo_import(workspace_key: str, job_id: int) -> str:
    """Undo an import; after a crash it is called again and goes on with the batches that are left."""
    return undo_batches(workspace_key, job_id)


@DBOS.step(name="undo_batches")
def undo_batches(workspace_key: str, job_id: int) -> str:
    """One step for all batches: each knows by itself whether it was undone."""
    return _carried_out(workspace_key, job_id, lambda uow, _blobs: undo(uow, job_id))


def _carried_out(workspace_key: str, job_id: int, work: Callable[[UnitOfWork, BlobStore], ImportJob]) -> str:
    """Do the work as whoever asked for it; how the job stands then."""
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, house.clock, workspace_key)
        try:
            uow.actor = carrier(uow, job_id)
            done = work(uow, house.blobs)
        except FunnelwrightError as error:
            # Told to the person on the job's page; running it again would end the same way.
            fail(uow, job_id, error)
            _log.warning("import failed", job_id=job_id, workspace=workspace_key, problem=str(error))
            return "failed"
        _log.info("import ended", job_id=job_id, workspace=workspace_key, rows=done.done_rows)
        return done.status


def system_house(engine: Any, blobs: BlobStore) -> JobHouse:
    return JobHouse(engine, blobs, SystemClock())
