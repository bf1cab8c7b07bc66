"""Imports in the background: one durable workflow a job, whose batches commit one by one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog
from dbos import DBOS

from builder.clock import Clock, SystemClock
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.errors import FunnelwrightError
from builder.exchange.blobs import BlobStore
from builder.jobs.names import IMPORT_WORKFLOW
from builder.queries.imports import starter
from builder.services.import_runs import fail, run
from builder.services.imports import find
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
    """Carry out an import; after a crash it is called again and goes on behind the last committed batch."""
    return import_rows(workspace_key, job_id)


@DBOS.step(name="import_rows")
def import_rows(workspace_key: str, job_id: int) -> str:
    """One step for the whole file: its batches know by themselves which of them were committed."""
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, house.clock, workspace_key)
        try:
            uow.actor = _actor(uow, job_id)
            done = run(uow, house.blobs, job_id)
        except FunnelwrightError as error:
            # Told to the person on the job's page; running it again would end the same way.
            fail(uow, job_id, error)
            _log.warning("import failed", job_id=job_id, workspace=workspace_key, problem=str(error))
            return "failed"
        _log.info("import ended", job_id=job_id, workspace=workspace_key, rows=done.done_rows)
        return done.status


def _actor(uow: UnitOfWork, job_id: int) -> Actor:
    """The person who started the job, with the rights that they have now."""
    job = find(uow, job_id)
    if job.created_by is None:
        return uow.actor
    return starter(uow.session, uow.workspace, uow.catalog, job.created_by, uow.clock.now())


def system_house(engine: Any, blobs: BlobStore) -> JobHouse:
    return JobHouse(engine, blobs, SystemClock())
