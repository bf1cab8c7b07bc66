"""What became of a sample company that was ordered, told by the event log (S18, S114)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.db.ledger import EventRow
from builder.db.tenancy import WorkspaceSession
from builder.errors import NotFound


@dataclass(frozen=True)
class SampleOrder:
    """``order``: what was asked for; ``made`` or ``failed``: what came of it, neither while it is made."""

    order: Mapping[str, Any]
    made: Mapping[str, Any] | None = None
    failed: Mapping[str, Any] | None = None

    @property
    def is_running(self) -> bool:
        return self.made is None and self.failed is None


def sample_order(session: WorkspaceSession, order_id: int) -> SampleOrder:
    """The order of that number, as it stands. Raises NotFound."""
    rows = session.execute(
        select(EventRow.kind, EventRow.data)
        .where(EventRow.batch_id == order_id, EventRow.kind.like("sample.%"))
        .order_by(EventRow.id)
    )
    found = {row.kind: row.data for row in rows}
    if "sample.ordered" not in found:
        raise NotFound()
    return SampleOrder(found["sample.ordered"], found.get("sample.made"), found.get("sample.failed"))
