"""Handing over what a member owns, in the background."""

from __future__ import annotations

from contextlib import closing

import structlog
from dbos import DBOS

from builder.db.tenancy import WorkspaceSession
from builder.errors import FunnelwrightError
from builder.jobs.imports import JobHouse
from builder.jobs.names import HANDOVER_WORKFLOW
from builder.services.handover import carry_out_as
from builder.services.workspaces import open_workspace

_log = structlog.get_logger("funnelwright.jobs")
_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=HANDOVER_WORKFLOW)
def hand_over(workspace_key: str, member_id: int, actor_id: int) -> int:
    """Hand over all records; after a crash it is called again and goes on with what is left."""
    return hand_over_records(workspace_key, member_id, actor_id)


@DBOS.step(name="hand_over_records")
def hand_over_records(workspace_key: str, member_id: int, actor_id: int) -> int:
    """One step for all batches: what has changed hands is not found again."""
    house = _house[0]
    with closing(WorkspaceSession(house.engine, expire_on_commit=False)) as session:
        uow = open_workspace(session, house.clock, workspace_key)
        try:
            done = carry_out_as(uow, member_id, actor_id)
        except FunnelwrightError as error:
            _log.warning("handing over failed", member=member_id, workspace=workspace_key, problem=str(error))
            return 0
        _log.info("handed over", member=member_id, workspace=workspace_key, records=done)
        return done
