"""What a form made when it was sent before, where that is deleted by now: it is told, with a fresh form."""

from __future__ import annotations

from dataclasses import dataclass

from blueprints.scope import Scope
from blueprints.workspace.deletion import RESTORE
from builder.queries.duplicates import merged_into
from builder.queries.record import find_record


@dataclass(frozen=True)
class Gone:
    """``name``: of the record in the recycle bin; empty where nothing is left of it that the person sees."""

    name: str
    may_restore: bool


def gone_since(here: Scope, record_id: int) -> Gone | None:
    """Nothing where the record is there, by itself or in the one that it was merged into."""
    opened = find_record(here.session, here.actor, record_id, with_deleted=True)
    if opened is not None and opened.record.deleted_at is None:
        return None
    survivor = merged_into(here.session, record_id)
    if survivor is not None:
        if find_record(here.session, here.actor, survivor) is not None:
            return None
        return Gone("", may_restore=False)
    name = opened.record.name if opened is not None else ""
    return Gone(name, may_restore=opened is not None and here.actor.can(RESTORE))
