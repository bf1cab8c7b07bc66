"""Views that members saved: one's own and those shared with all (part 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Row, Select, false, func, literal, or_, select, union_all

from builder.db.definitions import Arrangement, SavedView
from builder.db.engine import PREPARED
from builder.db.people import Member
from builder.db.tenancy import WorkspaceSession
from builder.domain.conditions import Condition, parse
from builder.domain.permissions import Actor
from builder.errors import NotFound


@dataclass(frozen=True)
class StoredView:
    """A saved view; all but id, person and revision as in ``domain.saved_view.View``."""

    id: int
    object_key: str
    name: str
    member_id: int
    member_name: str
    is_shared: bool
    layout: str
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    filter: Condition | None
    pipeline: str | None
    revision: int
    lanes: str = ""
    date: str = ""
    group: str = ""
    widths: Mapping[str, int] = field(default_factory=dict)


def saved_views(session: WorkspaceSession, actor: Actor, object_key: str) -> tuple[StoredView, ...]:
    """The actor's own views of an object and those shared with all, by name."""
    rows = session.execute(
        _views(actor).where(SavedView.object_key == object_key).order_by(SavedView.name, SavedView.id)
    )
    return tuple(_view(row) for row in rows)


def views_and_arrangement(
    session: WorkspaceSession, actor: Actor, object_key: str, place: str
) -> tuple[tuple[StoredView, ...], Mapping[str, Any]]:
    """As ``saved_views``, and what the actor has kept for a page (``queries.arrangements``): one statement,
    for every list asks for both.
    """
    views = _views(actor).where(SavedView.object_key == object_key)
    kept = select(
        literal(0, BigInteger),
        literal(""),
        literal(""),
        Arrangement.member_id,
        literal(""),
        false(),
        Arrangement.document,
        literal(0),
    ).where(Arrangement.member_id == actor.member_id, Arrangement.place == place)
    rows = session.execute(union_all(views, kept).execution_options(**PREPARED)).all()
    found = sorted((_view(row) for row in rows if row.id), key=lambda view: (view.name, view.id))
    return tuple(found), next((row.document for row in rows if not row.id), {})


def get_saved_view(session: WorkspaceSession, actor: Actor, view_id: int) -> StoredView:
    """One view that the actor may use. Errors: NotFound."""
    row = session.execute(_views(actor).where(SavedView.id == view_id)).one_or_none()
    if row is None:
        raise NotFound()
    return _view(row)


def _views(actor: Actor) -> Select[*tuple[Any, ...]]:
    return (
        select(
            SavedView.id,
            SavedView.object_key,
            SavedView.name,
            SavedView.member_id,
            func.coalesce(Member.name, "").label("member_name"),
            SavedView.is_shared,
            SavedView.document,
            SavedView.revision,
        )
        .outerjoin(Member, Member.id == SavedView.member_id)
        .where(or_(SavedView.member_id == actor.member_id, SavedView.is_shared))
    )


def _view(row: Row[*tuple[Any, ...]]) -> StoredView:
    document = row.document
    condition = document.get("filter")
    return StoredView(
        id=row.id,
        object_key=row.object_key,
        name=row.name,
        member_id=row.member_id,
        member_name=row.member_name,
        is_shared=row.is_shared,
        layout=document["layout"],
        columns=tuple(document["columns"]),
        sort=tuple(document["sort"]),
        filter=None if condition is None else parse(condition),
        pipeline=document.get("pipeline"),
        revision=row.revision,
        lanes=document.get("lanes", ""),
        date=document.get("date", ""),
        group=document.get("group", ""),
        widths=document.get("widths", {}),
    )
