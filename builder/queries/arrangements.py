"""How members have arranged pages for themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from builder.db.definitions import Arrangement
from builder.db.tenancy import WorkspaceSession, scoped
from builder.domain.permissions import Actor

_TABLE = Arrangement.__table__
_DOCUMENT = scoped(
    select(_TABLE.c.document).where(
        _TABLE.c.member_id == bindparam("member_id"), _TABLE.c.place == bindparam("place")
    )
)


def arrangement(session: WorkspaceSession, actor: Actor, place: str) -> Mapping[str, Any]:
    """What the actor chose for a page; nothing when they never did. One statement."""
    found = session.run(_DOCUMENT, member_id=actor.member_id, place=place).scalar_one_or_none()
    return found or {}
