"""Keeping how a member arranges a page for themselves: the last word counts, for nobody else sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from builder.db.definitions import Arrangement
from builder.db.rows import insert_rows
from builder.errors import N_, Invalid
from builder.services.unit_of_work import UnitOfWork

LONGEST_PLACE = 200
MOST_PARTS = 200
_REPLACE = (
    "ON CONFLICT (workspace_id, member_id, place) DO UPDATE "
    "SET document = excluded.document, updated_at = excluded.updated_at"
)
TOO_MUCH = N_("This is more than can be kept for one page.")


def arrange(uow: UnitOfWork, place: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Replace what is kept for ``place`` by ``change`` of it.

    Errors: Invalid for more than a page can need.
    """
    uow.begin()
    mine = (Arrangement.member_id == uow.actor.member_id, Arrangement.place == place)
    kept = uow.session.scalar(select(Arrangement.document).where(*mine).with_for_update())
    document = dict(change(dict(kept or {})))
    if len(place) > LONGEST_PLACE or len(document) > MOST_PARTS:
        raise Invalid(TOO_MUCH)
    row = {
        "workspace_id": uow.workspace.id,
        "member_id": uow.actor.member_id,
        "place": place,
        "document": document,
        "updated_at": uow.clock.now(),
    }
    insert_rows(uow.session, Arrangement, [row], _REPLACE)
