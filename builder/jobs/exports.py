"""Exports in the background: one workflow writes the file, another one removes it when its time is over."""

from __future__ import annotations

from contextlib import closing

import structlog
from dbos import DBOS

from builder.db.tenancy import WorkspaceSession
from builder.errors import FunnelwrightError
from builder.jobs.imports import JobHouse
from builder.jobs.names import EXPIRY_WORKFLOW, EXPORT_WORKFLOW
from builder.services.export_runs import run_as_owner
from builder.services.exports import drop_file
from builder.services.workspaces import open_workspace

_log = structlog.get_logger("funnelwright.jobs")
_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=EXPORT_WORKFLOW)
def export_records(workspace_key: str, job_id: int) -> str:
    """Carry out an export; after a crash it is called again and begins anew."""
    return export_rows(workspace_key, job_id)


@DBOS.step(name="export_rows")
def export_rows(workspace_key: str, job_id: int) -> str:
    """One step for the whole file, which is stored when it is whole."""
    house = _house[0]
    with (
        closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session,
        closing(WorkspaceSession(house.engine, expire_on_commit=False)) as other,
    ):
        reading = open_workspace(session, house.clock, workspace_key)
        writing = open_workspace(other, house.clock, workspace_key)
        try:
            status = run_as_owner(reading, writing, house.blobs, job_id)
        except FunnelwrightError as error:
            # Told to the person on the job's page; running it again would end the same way.
            _log.warning("export failed", job_id=job_id, workspace=workspace_key, problem=str(error))
            return "failed"
        _log.info("export ended", job_id=job_id, workspace=workspace_key, status=status)
        return status


@DBOS.workflow(name=EXPIRY_WORKFLOW)
def remove_export(workspace_key: str, job_id: int) -> None:
    """Remove the file of an export whose days are over."""
    remove_file(workspace_key, job_id)


@DBOS.step(name="remove_file")
def remove_file(workspace_key: str, job_id: int) -> None:
    """Done once, or again where it was interrupted: what is gone stays gone."""
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        drop_file(open_workspace(session, house.clock, workspace_key), house.blobs, job_id)
