"""Bringing open records to a new version of their process, in the background."""

from __future__ import annotations

from contextlib import closing

import structlog
from dbos import DBOS

from builder.db.tenancy import WorkspaceSession
from builder.errors import FunnelwrightError
from builder.jobs.imports import JobHouse
from builder.jobs.names import MIGRATION_WORKFLOW
from builder.services.migration import migrate_as
from builder.services.workspaces import open_workspace

_log = structlog.get_logger("funnelwright.jobs")
_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=MIGRATION_WORKFLOW)
def migrate(
    workspace_key: str, pipeline_key: str, version_id: int, mapping: dict[str, str], actor_id: int
) -> int:
    """Bring all records over; after a crash it is called again and goes on with what is left."""
    return migrate_records(workspace_key, pipeline_key, version_id, mapping, actor_id)


@DBOS.step(name="migrate_records")
def migrate_records(
    workspace_key: str, pipeline_key: str, version_id: int, mapping: dict[str, str], actor_id: int
) -> int:
    """One step for all batches: a record that has come over is not found again."""
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, house.clock, workspace_key)
        try:
            done = migrate_as(uow, pipeline_key, version_id, mapping, actor_id)
        except FunnelwrightError as error:
            _log.warning(
                "bringing over failed", pipeline=pipeline_key, workspace=workspace_key, problem=str(error)
            )
            return 0
        _log.info("brought over", pipeline=pipeline_key, workspace=workspace_key, records=done)
        return done
