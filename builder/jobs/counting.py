"""Counting a pipeline anew in the background, after a publish changed its steps."""

from __future__ import annotations

from contextlib import closing

import structlog
from dbos import DBOS

from builder.db.tenancy import WorkspaceSession
from builder.jobs.imports import JobHouse
from builder.jobs.names import COUNTING_WORKFLOW
from builder.services.counting import count_batch
from builder.services.workspaces import open_workspace

_log = structlog.get_logger("funnelwright.jobs")
_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=COUNTING_WORKFLOW)
def count_pipeline(workspace_key: str, pipeline_key: str) -> int:
    """Count all records; after a crash it is called again and goes on with what is left."""
    return count_records(workspace_key, pipeline_key)


@DBOS.step(name="count_records")
def count_records(workspace_key: str, pipeline_key: str) -> int:
    """One step for all batches, each committed with how far it came; answers how many there were."""
    house, batches = _house[0], 0
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, house.clock, workspace_key)
        is_more = True
        while is_more:
            is_more = count_batch(uow, pipeline_key)
            uow.commit()
            batches += 1
    _log.info("counted anew", pipeline=pipeline_key, workspace=workspace_key, batches=batches)
    return batches
