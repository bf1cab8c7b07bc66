"""A person's own open records whose average sales cycle is near its end, or over (S13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.cycle import CycleAge, cycle_age
from builder.domain.permissions import Actor
from builder.domain.workspaces import WorkspaceInfo
from builder.metadata.catalog import Catalog
from builder.queries.cycles import REMINDER, cycles_of

# So many of the records that are longest on their way are looked at.
LOOKED_AT = 300


@dataclass(frozen=True, slots=True)
class Reminder:
    """A record whose day to remind has come. ``age.reminds_at`` is known."""

    id: int
    name: str
    pipeline_key: str
    age: CycleAge


def reminders(
    session: WorkspaceSession, catalog: Catalog, workspace: WorkspaceInfo, actor: Actor, now: datetime
) -> tuple[Reminder, ...]:
    """The actor's reminders, those furthest beyond their day first; two statements, none where neither a
    process nor a product says when to remind. ``catalog`` as the actor sees it.
    """
    if not _says_when(catalog):
        return ()
    rows = session.execute(
        select(Record.id, Record.name, Record.object_key, Record.pipeline_key, Record.started_at, Record.data)
        .where(
            Record.pipeline_key.in_(sorted(catalog.pipelines)),
            Record.owner_id == actor.member_id,
            Record.outcome == "open",
            Record.deleted_at.is_(None),
            Record.started_at.is_not(None),
        )
        .order_by(Record.started_at, Record.id)
        .limit(LOOKED_AT)
    ).all()
    cycles = cycles_of(session, catalog, actor, [(row.object_key, row.data) for row in rows])
    today = workspace.day_of(now)
    found = []
    for row, products in zip(rows, cycles, strict=True):
        pipeline = catalog.pipelines[row.pipeline_key]
        began = workspace.day_of(row.started_at)
        age = cycle_age(began, today, pipeline.average_cycle_days, products, pipeline.reminder_days)
        if age is not None and age.reminds_at is not None and age.age >= age.reminds_at:
            found.append(Reminder(row.id, row.name, row.pipeline_key, age))
    return tuple(sorted(found, key=lambda each: (each.age.days - each.age.age, each.id)))


def _says_when(catalog: Catalog) -> bool:
    return any(pipeline.reminder_days is not None for pipeline in catalog.pipelines.values()) or any(
        REMINDER in definition.fields.by_role for definition in catalog.objects.values()
    )
