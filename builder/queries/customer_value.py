"""What a customer has ordered: the won records that name it as their customer (M29)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, union_all

from builder.db.base import Instant
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.customer_value import WonOrders
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.metadata.catalog import Catalog
from builder.queries.related import referring
from builder.queries.row import RecordRow


def order_objects(catalog: Catalog, object_key: str) -> list[tuple[str, str]]:
    """(object, field) of what is won for a customer of this object: objects with an amount and a process,
    whose field of the part *account* refers to it.
    """
    found = []
    for definition in catalog.objects.values():
        roles = definition.fields.by_role
        account = roles.get("account")
        is_sold = "amount" in roles and bool(catalog.pipelines_of(definition.key))
        if account is not None and is_sold and account.params.get("target") == object_key:
            found.append((definition.key, account.key))
    return found


def won_orders(
    session: WorkspaceSession, catalog: Catalog, workspace: WorkspaceInfo, actor: Actor, record: RecordRow
) -> Sequence[WonOrders]:
    """By currency, the largest number of orders first; only what the actor sees. At most one statement."""
    sources = [referring(actor, record.id, *pair) for pair in order_objects(catalog, record.object_key)]
    if not sources:
        return ()
    ids = union_all(
        *(source.where(Record.outcome == "won", Record.amount_minor.is_not(None)) for source in sources)
    ).subquery()
    first: Any = func.min(Record.closed_at, type_=Instant)
    rows = session.execute(
        select(Record.currency, func.count(), func.sum(Record.amount_minor), first)
        .join(ids, ids.c.id == Record.id)
        .group_by(Record.currency)
        .order_by(func.count().desc(), Record.currency)
    )
    return [
        WonOrders(currency or workspace.currency, count, int(total), _day(workspace, instant))
        for currency, count, total, instant in rows
    ]


def _day(workspace: WorkspaceInfo, instant: datetime | None) -> date | None:
    return None if instant is None else workspace.day_of(instant)
