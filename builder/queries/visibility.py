"""Whose records an actor sees, as SQL on ``record`` (part 8: own, department, subtree, all, shared).

An object without an owner field holds things of the whole company: whoever is in the workspace sees them
(``Actor.open_objects``). Every function names the object or objects that its statement reads, so that for one
object this is decided before there is any SQL.

``visible`` is one clause for statements that look at few records. ``branches`` are the same rule as
alternatives, each of which an index serves in the order of a list: a list takes the first rows of each
branch and merges them (``queries.pages``), because neither database can walk one index for an OR.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from builder.db.records import Record, RecordShare
from builder.domain.permissions import Actor

FEW = 4


def is_broad(actor: Actor) -> bool:
    """Whether the actor sees so many departments that walking everyone's order finds their rows soon."""
    return actor.visibility in ("department", "subtree") and len(actor.visible_department_ids) > FEW


def branches(actor: Actor, object_key: str) -> tuple[ColumnElement[bool], ...]:
    """Alternatives that together hold every visible record of an object; none: everything is visible.

    A record may satisfy several of them.
    """
    if actor.sees_all_of(object_key):
        return ()
    if not actor.has_shares:
        return ownership(actor)
    share: Any = aliased(RecordShare)
    shared = select(share.record_id).where(share.member_id == actor.member_id)
    return (*ownership(actor), Record.id.in_(shared))


def ownership(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """The branches of an object with an owner, without what single records were shared: own, and those of
    visible departments.
    """
    own = Record.owner_id == actor.member_id
    departments = sorted(actor.visible_department_ids)
    if actor.visibility not in ("department", "subtree") or not departments:
        return (own,)
    # An equality keeps the order of an index that begins with the department.
    if len(departments) <= FEW:
        return (own, *(Record.department_id == department for department in departments))
    return (own, Record.department_id.in_(departments))


def visible(
    actor: Actor, object_keys: Collection[str] | None, *, to_change: bool = False
) -> ColumnElement[bool] | None:
    """The rule as one clause for a statement that reads these objects only (``None``: any), looking up shares
    record by record; ``None`` when everything is visible. ``to_change``: without what was shared for reading.
    """
    if actor.is_system or actor.visibility == "all":
        return None
    company = actor.open_objects if object_keys is None else actor.open_objects.intersection(object_keys)
    if object_keys is not None and len(company) == len(set(object_keys)):
        return None
    of_company = (Record.object_key.in_(sorted(company)),) if company else ()
    if not actor.has_shares:
        return or_(*ownership(actor), *of_company)
    share: Any = aliased(RecordShare)
    is_shared = exists().where(share.member_id == actor.member_id, share.record_id == Record.id)
    if to_change:
        is_shared = is_shared.where(share.can_edit)
    return or_(*ownership(actor), *of_company, is_shared)
