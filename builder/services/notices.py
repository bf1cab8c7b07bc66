"""Telling members of something, and what they have read (S125)."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, func, select, update

from builder.db.ids import new_id
from builder.db.notes import Notice
from builder.db.people import Member
from builder.db.rows import insert_rows
from builder.services.unit_of_work import UnitOfWork

MENTION = "mention"


def tell(uow: UnitOfWork, members: Collection[int], kind: str, record_id: int, note_id: int) -> None:
    """Give each of these members an unread notice about a note of a record that they see."""
    if not members:
        return
    rows = [
        {
            "workspace_id": uow.workspace.id,
            "id": new_id(),
            "member_id": member,
            "kind": kind,
            "record_id": record_id,
            "note_id": note_id,
            "actor_id": uow.actor.member_id or None,
            "created_at": uow.clock.now(),
            "read_at": None,
        }
        for member in members
    ]
    insert_rows(uow.session, Notice, rows)
    recount(uow, members)


def take_back(uow: UnitOfWork, note_id: int) -> None:
    """What was told of a note is not told any more."""
    told = uow.session.scalars(select(Notice.member_id).where(Notice.note_id == note_id)).all()
    if told:
        uow.session.execute(delete(Notice).where(Notice.note_id == note_id))
        recount(uow, told)


def read(uow: UnitOfWork, notice_id: int) -> None:
    """The actor has read one of their notices."""
    _read(uow, Notice.id == notice_id)


def read_up_to(uow: UnitOfWork, notice_id: int) -> None:
    """The actor has read their notices up to this one; later ones stay unread."""
    _read(uow, Notice.id <= notice_id)


def _read(uow: UnitOfWork, which: ColumnElement[bool]) -> None:
    uow.begin()
    uow.session.execute(
        update(Notice)
        .where(Notice.member_id == uow.actor.member_id, Notice.read_at.is_(None), which)
        .values(read_at=uow.clock.now())
        .execution_options(synchronize_session=False)
    )
    recount(uow, [uow.actor.member_id])


def recount(uow: UnitOfWork, member_ids: Collection[int]) -> None:
    """Renew the copy of how many notices members have not read."""
    unread = (
        select(func.count())
        .where(
            Notice.workspace_id == uow.workspace.id,
            Notice.member_id == Member.id,
            Notice.read_at.is_(None),
        )
        .scalar_subquery()
    )
    uow.session.execute(
        update(Member)
        .where(Member.id.in_(sorted(set(member_ids))))
        .values(unread_notices=unread)
        .execution_options(synchronize_session=False)
    )
