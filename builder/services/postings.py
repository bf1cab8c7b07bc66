"""What a form makes, it makes once: a second click, a retry and a page sent again get what is there.

A form carries a key of its own, made when it was shown. The key and what was typed together say which posting
it is: the same form sent again with another text is another one, so nothing that somebody typed is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from builder.db.ids import from_public, new_id, to_public
from builder.db.postings import LONGEST_KEY, Posting
from builder.services.unit_of_work import UnitOfWork

EVERYBODY = 0
KEPT_DAYS = 7
_DAY_IN_IDS = 86_400_000 << 22
_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def new_key() -> str:
    """The key of a form that is shown now."""
    return to_public(new_id())


def posting_key(form_key: str, typed: Iterable[tuple[str, str]]) -> str:
    """Which posting it is: the form's key and the typed pairs. Empty when there is no key of ours."""
    try:
        shown = from_public(form_key)
    except ValueError:
        return ""
    digest = hashlib.sha256()
    for name, text in sorted(typed):
        for part in (name, text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return f"{shown:016x}{digest.hexdigest()}"[:LONGEST_KEY]


def shared_key(*names: str) -> str:
    """The key of something that a workspace has once, whoever asks for it. Sorts behind those of forms."""
    return f"shared-{posting_key(to_public(0), [('', name) for name in names])[16:]}"


def made_before(uow: UnitOfWork, key: str) -> int | None:
    """What a posting has made already; None for a new one and for one without a key."""
    if not key:
        return None
    return _made(uow, uow.actor.member_id, key)


def once(uow: UnitOfWork, key: str, make: Callable[[], int], *, shared: bool = False) -> int:
    """The id of what ``make`` makes, called for the first posting with the key; later ones, also those that
    run at the same time and wait here for the first, get that id. Without a key each makes its own.

    ``shared``: a key of the workspace, made by ``shared_key``, instead of one of the actor; it is kept until
    it is forgotten.

    What ``make`` refuses leaves no trace once the caller rolls back, so it can be mended and sent again.
    """
    if not key:
        return make()
    uow.begin()
    member = EVERYBODY if shared else uow.actor.member_id
    if not _claimed(uow, member, key):
        earlier = _made(uow, member, key)
        # A posting is committed with what it made, or not at all.
        assert earlier is not None
        return earlier
    made = make()
    uow.session.execute(
        update(Posting)
        .where(Posting.member_id == member, Posting.key == key)
        .values(made_id=made)
        .execution_options(synchronize_session=False)
    )
    return made


def forget(uow: UnitOfWork, key: str) -> None:
    """Let what has a shared key be made again."""
    uow.session.execute(
        delete(Posting)
        .where(Posting.member_id == EVERYBODY, Posting.key == key)
        .execution_options(synchronize_session=False)
    )


def forget_made(uow: UnitOfWork, made_id: int) -> None:
    """Let what is gone for good be made again by the form that made it."""
    uow.session.execute(
        delete(Posting).where(Posting.made_id == made_id).execution_options(synchronize_session=False)
    )


def _made(uow: UnitOfWork, member: int, key: str) -> int | None:
    found: int | None = uow.session.scalar(
        select(Posting.made_id).where(Posting.member_id == member, Posting.key == key)
    )
    return found


def _claimed(uow: UnitOfWork, member: int, key: str) -> bool:
    """Whether this posting is the first. The database lets a second one wait until the first is done."""
    oldest = f"{new_id() - KEPT_DAYS * _DAY_IN_IDS:016x}"
    uow.session.execute(
        delete(Posting)
        # a form that was left open for longer is sent twice as well
        .where(Posting.member_id == member, Posting.key < oldest, Posting.key != key)
        .execution_options(synchronize_session=False)
    )
    insert = _INSERTS[uow.session.get_bind().dialect.name](Posting)
    row = {
        "workspace_id": uow.workspace.id,
        "member_id": member,
        "key": key,
        "created_at": uow.clock.now(),
    }
    made = uow.session.execute(insert.values(row).on_conflict_do_nothing().returning(Posting.key))
    return made.first() is not None
