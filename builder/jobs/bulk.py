"""Doing the same to many records, and undoing it, in the background."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import structlog
from dbos import DBOS

from builder.db.tenancy import WorkspaceSession
from builder.errors import FunnelwrightError
from builder.jobs.imports import JobHouse
from builder.jobs.names import BULK_UNDO_WORKFLOW, BULK_WORKFLOW
from builder.services.bulk_runs import run_as_owner, undo_as_asker
from builder.services.unit_of_work import UnitOfWork
from builder.services.workspaces import open_workspace

_log = structlog.get_logger("funnelwright.jobs")
_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=BULK_WORKFLOW)
def carry_out_batch(workspace_key: str, batch_id: int) -> str:
    """Carry out a batch; after a crash it is called again and goes on where the last part ended."""
    return carry_out_parts(workspace_key, batch_id)


@DBOS.step(name="carry_out_parts")
def carry_out_parts(workspace_key: str, batch_id: int) -> str:
    return _worked(workspace_key, batch_id, run_as_owner)


@DBOS.workflow(name=BULK_UNDO_WORKFLOW)
def undo_batch(workspace_key: str, batch_id: int) -> str:
    """Undo a batch; after a crash it is called again and ends the same."""
    return undo_parts(workspace_key, batch_id)


@DBOS.step(name="undo_parts")
def undo_parts(workspace_key: str, batch_id: int) -> str:
    return _worked(workspace_key, batch_id, undo_as_asker)


def _worked(workspace_key: str, batch_id: int, work: Callable[[UnitOfWork, int], str]) -> str:
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, house.clock, workspace_key)
        try:
            state = work(uow, batch_id)
        except FunnelwrightError as error:
            # Told to the person on the batch's page; running it again would end the same way.
            _log.warning("batch failed", batch=batch_id, workspace=workspace_key, problem=str(error))
            return "failed"
        _log.info("batch ended", batch=batch_id, workspace=workspace_key, state=state)
        return state
