"""Walking the records that an actor sees from the latest change on, to meet those that have some words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, func, or_, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.queries.visibility import branches, is_broad, ownership
from builder.queries.words import Words

_Ids: TypeAlias = Select[*tuple[Any, ...]]
_Branch: TypeAlias = ColumnElement[bool] | None

LATEST_FIRST = (Record.updated_at.desc(), Record.id.desc())
# How many of the latest are looked at where not all are. SQLite looks up each word of each; PostgreSQL reads
# all tokens of the words instead where it expects few to have them, so many cost it little more than few, and
# only of many does it expect to meet enough soon.
NEWEST = 1500
NEWEST_OF_POSTGRESQL = 6000
# Up to how many records of a reader are simply all looked at.
FEW = 8000


def latest(actor: Actor, words: Words, limit: int, *, is_complete: bool = False) -> list[_Ids]:
    """Ids of the latest changed records that have all words, of those the actor sees: a statement for each
    branch of visibility, which its index serves in that order. Of each branch the ``NEWEST`` are looked at,
    or all with ``is_complete``.
    """
    if actor.sees_all_of(words.object_key):
        walks = [_walk(words, None, None, is_complete)]
    elif is_broad(actor):
        # Those of many departments are met in everybody's order (``queries.pages``).
        walks = [_walk(words, or_(*ownership(actor)), None, is_complete)]
    else:
        walks = [_walk(words, branch, branch, is_complete) for branch in ownership(actor)]
    if actor.has_shares and not actor.sees_all_of(words.object_key):
        # What colleagues have shared with one is not much, and in no order.
        walks.append(_met(words, _live(words.object_key, branches(actor, words.object_key)[-1])))
    return [select(walk.limit(limit).subquery().c.id) for walk in walks]


def _walk(words: Words, branch: _Branch, reach: _Branch, is_complete: bool) -> _Ids:
    """``reach``: the records of which the newest are counted."""
    records = _live(words.object_key, branch)
    if is_complete:
        return _met(words, records)
    if words.is_sqlite:
        # One pass over the index, to where enough are met or the horizon is reached. What a subquery with a
        # limit gives SQLite would sort, and so look up all of it.
        return _met(words, records.where(Record.updated_at >= _horizon(words.object_key, reach)))
    # PostgreSQL knows that what a limit gives is in order, but not how many lie this side of a horizon.
    near = records.add_columns(Record.updated_at).order_by(*LATEST_FIRST).limit(NEWEST_OF_POSTGRESQL)
    newest = near.subquery()
    met = select(newest.c.id).where(*words.held_by(newest.c.id))
    return met.order_by(newest.c.updated_at.desc(), newest.c.id.desc())


def _met(words: Words, records: _Ids) -> _Ids:
    return records.where(*words.held_by(Record.id)).order_by(*LATEST_FIRST)


def _horizon(object_key: str, reach: _Branch) -> Any:
    """When the last of the newest was changed."""
    near = _live(object_key, reach).with_only_columns(Record.updated_at).order_by(*LATEST_FIRST)
    # correlate: record is in the statement around it as well
    newest = near.limit(NEWEST).correlate(None).subquery()
    return select(func.min(newest.c.updated_at)).scalar_subquery()


def objects_of_few(session: WorkspaceSession, actor: Actor, object_keys: Sequence[str]) -> set[str]:
    """Those objects of which the actor, by limited sight, sees at most ``FEW`` records of each branch."""
    seen = [(key, _live(key, branch)) for key in object_keys for branch in branches(actor, key)]
    if not seen:
        return set()
    limited = [each.limit(FEW + 1).subquery() for _, each in seen]
    counts = session.execute(
        select(*(select(func.count()).select_from(each).scalar_subquery() for each in limited))
    ).one()
    many = {key for (key, _), count in zip(seen, counts, strict=True) if count > FEW}
    return {key for key, _ in seen} - many


def _live(object_key: str, branch: _Branch) -> _Ids:
    statement = select(Record.id).where(Record.object_key == object_key, Record.deleted_at.is_(None))
    return statement if branch is None else statement.where(branch)
