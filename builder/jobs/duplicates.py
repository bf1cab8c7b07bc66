"""Searching for duplicates in the background."""

from __future__ import annotations

from contextlib import closing

import structlog
from dbos import DBOS

from builder.db.tenancy import WorkspaceSession
from builder.errors import FunnelwrightError
from builder.jobs.imports import JobHouse
from builder.jobs.names import DUPLICATES_WORKFLOW
from builder.services.duplicate_search import run_as_asker
from builder.services.workspaces import open_workspace

_log = structlog.get_logger("funnelwright.jobs")
_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=DUPLICATES_WORKFLOW)
def search_duplicates(workspace_key: str, search_id: int) -> str:
    """Search; after a crash it is called again and begins anew."""
    return compare_records(workspace_key, search_id)


@DBOS.step(name="compare_records")
def compare_records(workspace_key: str, search_id: int) -> str:
    """One step for the whole pass, whose result is written at its end."""
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, house.clock, workspace_key)
        try:
            status = run_as_asker(uow, search_id)
        except FunnelwrightError as error:
            # Told on the worklist; running it again would end the same way.
            _log.warning("search failed", search=search_id, workspace=workspace_key, problem=str(error))
            return "failed"
        _log.info("search ended", search=search_id, workspace=workspace_key, status=status)
        return status
