"""Making a sample company, in the background."""

from __future__ import annotations

import structlog
from dbos import DBOS

from builder.jobs.imports import JobHouse
from builder.jobs.names import SAMPLE_WORKFLOW
from builder.services.samples import carry_out

_log = structlog.get_logger("funnelwright.jobs")
_house: list[JobHouse] = []


def settle_in(house: JobHouse) -> None:
    """Say once, before the runner is launched, what jobs of this process work with."""
    _house[:] = [house]


@DBOS.workflow(name=SAMPLE_WORKFLOW)
def make_sample(workspace_key: str, order_id: int) -> bool:
    """Make the company of an order; whether it is there. After a crash it is begun again."""
    return make_company_of(workspace_key, order_id)


@DBOS.step(name="make_company_of")
def make_company_of(workspace_key: str, order_id: int) -> bool:
    """One step: the company is made in one transaction, all of it or nothing."""
    house = _house[0]
    is_made = carry_out(house.engine, house.clock, workspace_key, order_id)
    _log.info("sample company", workspace=workspace_key, order=order_id, made=is_made)
    return is_made
