"""Which colleagues may see a record: asked before something about it is told to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import select

from builder.db.people import Member, Workspace
from builder.db.records import RecordShare
from builder.db.tenancy import WorkspaceSession
from builder.errors import Forbidden
from builder.metadata.catalog import Catalog
from builder.queries.memberships import MEMBERSHIP, actor_of, membership_of
from builder.queries.row import RecordRow


def readers_among(
    session: WorkspaceSession, catalog: Catalog, record: RecordRow, members: Collection[int], today: date
) -> frozenset[int]:
    """Those of ``members`` who are active and see the record.

    Two statements, and one for each whose role sees departments: for a handful of people.
    """
    if not members:
        return frozenset()
    wanted = sorted(set(members))
    rows = session.execute(
        select(*MEMBERSHIP)
        .join(Workspace, Workspace.id == Member.workspace_id)
        .where(Member.id.in_(wanted), Member.is_active)
    ).all()
    shares = select(RecordShare.member_id).where(
        RecordShare.record_id == record.id, RecordShare.member_id.in_(wanted)
    )
    shared = frozenset(session.scalars(shares))
    found = set()
    for membership in map(membership_of, rows):
        try:
            actor = actor_of(session, membership, catalog, today)
        except Forbidden:  # their role is not defined any more, so they see nothing
            continue
        place = (record.object_key, record.owner_id, record.department_id)
        if actor.can_see(*place, is_shared=membership.member_id in shared):
            found.add(membership.member_id)
    return frozenset(found)
