"""Finding records by words, over all objects or one (part 5; CONTRIBUTING, *Decisions*: search_token).

How common the words are in each object is asked first (``queries.words``). Where one of them is rare, all
that have them are read. Where all are common, most searches are answered by the records that were changed
last, of those that the reader sees; only where few of these have all words, the rest is looked through, by
the way that is bound to be short. Rank: the whole name, the beginning of the name, then the latest change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    false,
    func,
    literal,
    select,
    union_all,
)

from builder.db.people import Member
from builder.db.records import Record, SearchToken
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.search import AFTER, QueryTerm, name_token, query_tokens
from builder.metadata.catalog import Catalog
from builder.queries.latest import LATEST_FIRST, latest, objects_of_few
from builder.queries.visibility import visible
from builder.queries.words import PLENTY, Words, words_of

NAMES_EACH = 100
HITS = 20
_COLUMNS = ("id", "object_key", "name", "number", "stage_key", "owner_name", "updated_at")
_ROWS = (
    select(
        Record.id,
        Record.object_key,
        Record.name,
        Record.number,
        Record.stage_key,
        func.coalesce(Member.name, ""),
        Record.updated_at,
    )
    .select_from(Record)
    .outerjoin(Member, Member.id == Record.owner_id)
    .where(Record.deleted_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found. ``rank``: 0 the whole name, 1 the beginning of the name, 2 any words."""

    id: int
    object_key: str
    name: str
    number: str | None
    stage_key: str | None
    owner_name: str
    updated_at: datetime
    rank: int


@dataclass(frozen=True, slots=True)
class HitGroup:
    object_key: str
    hits: tuple[Hit, ...]


def search(
    session: WorkspaceSession, catalog: Catalog, actor: Actor, text: str, *, limit: int = HITS
) -> tuple[HitGroup, ...]:
    """The best ``limit`` visible records that contain every word of ``text``, grouped by object.

    Groups come in the order of their best hit. Three statements; up to three more where all words are common
    and few of the latest records have them all. A text without letters or digits finds nothing.
    """
    hits = _found(session, actor, text, tuple(catalog.objects), limit)
    keys = dict.fromkeys(hit.object_key for hit in hits)
    return tuple(HitGroup(key, tuple(hit for hit in hits if hit.object_key == key)) for key in keys)


def reference_search(
    session: WorkspaceSession, actor: Actor, object_key: str, text: str, *, limit: int = 10
) -> tuple[Hit, ...]:
    """The best visible records of one object for a field that refers to it; without text the latest."""
    if not query_tokens(text):
        statement = _candidates(actor, (object_key,), [Record.object_key == object_key]).limit(limit)
        return tuple(_hit(actor, row, 2) for row in session.execute(statement))
    return tuple(_found(session, actor, text, (object_key,), limit))


def containing(
    session: WorkspaceSession, actor: Actor, terms: Sequence[QueryTerm], object_key: str
) -> ColumnElement[bool]:
    """A clause on ``record`` for lists: the record has all terms. One statement to know how common they are,
    on SQLite one more where all of several are.
    """
    for words in words_of(session, actor, terms, (object_key,)):
        if words.is_common and _is_met_soon(session, words):
            return and_(*words.held_by(Record.id))
        # A page names the clause several times (rows, count, branches of visibility); a CTE is found once.
        found = words.ids().cte("found")
        return Record.id.in_(select(found.c.record_id))
    return false()


def _is_met_soon(session: WorkspaceSession, words: Words) -> bool:
    """Whether so many records have the words that a list meets them soon by walking in its own order. Of
    several words PostgreSQL judges better itself, by its statistics.
    """
    if len(words.terms) == 1:
        return True
    return words.is_sqlite and len(_together(session, [words])[words.object_key]) > PLENTY


def _found(
    session: WorkspaceSession, actor: Actor, text: str, object_keys: Sequence[str], limit: int
) -> list[Hit]:
    terms = query_tokens(text)
    if not terms or not object_keys:
        return []
    hits = _by_name(session, actor, text, object_keys)
    if len(hits) < limit:
        known = {hit.id for hit in hits}
        words = words_of(session, actor, terms, object_keys)
        hits += [hit for hit in _by_words(session, actor, words, limit, known) if hit.id not in known]
    hits.sort(key=lambda hit: hit.updated_at, reverse=True)
    hits.sort(key=lambda hit: hit.rank)
    return hits[:limit]


def _by_name(session: WorkspaceSession, actor: Actor, text: str, object_keys: Sequence[str]) -> list[Hit]:
    """Records whose name is or begins with the whole text, by the token of the whole name."""
    whole = name_token(text)
    parts = [
        select(SearchToken.record_id, SearchToken.token)
        .where(SearchToken.object_key == key, SearchToken.token >= whole, SearchToken.token < whole + AFTER)
        .order_by(SearchToken.token)
        .limit(NAMES_EACH)
        .subquery()
        for key in object_keys
    ]
    named = union_all(*(select(part.c.record_id, part.c.token) for part in parts)).subquery()
    rows = _ROWS.add_columns(named.c.token).join(named, named.c.record_id == Record.id)
    statement = _visible(rows, actor, object_keys)
    return [_hit(actor, row, 0 if row[-1] == whole else 1) for row in session.execute(statement)]


def _by_words(
    session: WorkspaceSession, actor: Actor, words: Sequence[Words], limit: int, known: Collection[int]
) -> Iterable[Hit]:
    """Records that have all words, the latest first of each kind; so many that with ``known`` they make up
    ``limit``, if there are.
    """
    most = limit + len(known)
    common = [each for each in words if each.is_common]
    rare = [each for each in words if not each.is_common]
    parts = [each.ids() for each in rare]
    for each in common:
        parts += latest(actor, each, most)
    hits = {hit.id: hit for hit in _hits(session, actor, rare, parts, most, common)}
    if common and len(hits.keys() | known) < limit:
        hits |= {hit.id: hit for hit in _thorough(session, actor, common, most)}
    return hits.values()


def _thorough(session: WorkspaceSession, actor: Actor, words: Sequence[Words], limit: int) -> list[Hit]:
    """Records that have common words together, where few of the latest have.

    A reader who sees few records has all of them looked at. Else, mostly few records have these words, or the
    actor sees all that have. What is left are many that the actor does not see: what the actor does see is
    walked to the end.
    """
    few = objects_of_few(session, actor, [each.object_key for each in words])
    parts = [
        part
        for each in words
        if each.object_key in few
        for part in latest(actor, each, limit, is_complete=True)
    ]
    rest = [each for each in words if each.object_key not in few]
    together = _together(session, rest)
    for each in rest:
        ids = together[each.object_key]
        if len(ids) > PLENTY and not actor.sees_all_of(each.object_key):
            parts += latest(actor, each, limit, is_complete=True)
        elif ids:
            parts.append(select(Record.id).where(Record.id.in_(ids)))
    return _hits(session, actor, words, parts, limit)


def _together(session: WorkspaceSession, words: Sequence[Words]) -> Mapping[str, list[int]]:
    """Of each object the newest records that have all words, none beyond ``PLENTY`` + 1."""
    found: dict[str, list[int]] = defaultdict(list)
    if words:
        parts = [(each.object_key, each.newest(PLENTY + 1).subquery()) for each in words]
        statement = union_all(*(select(part.c.record_id, literal(key)) for key, part in parts))
        for record_id, key in session.execute(statement):
            found[key].append(record_id)
    return found


def _hits(
    session: WorkspaceSession,
    actor: Actor,
    unchecked: Sequence[Words],
    parts: Sequence[Select[*tuple[Any, ...]]],
    limit: int,
    checked: Sequence[Words] = (),
) -> list[Hit]:
    """The latest changed of the records whose ids ``parts`` select. Whether the actor sees those of
    ``checked`` is known.
    """
    if not parts:
        return []
    keys = [each.object_key for each in unchecked]
    if not all(actor.sees_all_of(key) for key in keys):
        keys += [each.object_key for each in checked]
    clauses = [Record.id.in_(union_all(*parts) if len(parts) > 1 else parts[0])]
    return [_hit(actor, row, 2) for row in session.execute(_candidates(actor, keys, clauses).limit(limit))]


def _hit(actor: Actor, row: Row[*tuple[Any, ...]], rank: int) -> Hit:
    values = dict(zip(_COLUMNS, row, strict=False))
    if actor.hides(values["object_key"], "number"):
        values["number"] = None
    return Hit(rank=rank, **values)


def _candidates(
    actor: Actor, object_keys: Sequence[str], clauses: Iterable[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    return _visible(_ROWS.where(*clauses), actor, object_keys).order_by(*LATEST_FIRST)


def _visible(
    statement: Select[*tuple[Any, ...]], actor: Actor, object_keys: Sequence[str]
) -> Select[*tuple[Any, ...]]:
    seen = visible(actor, object_keys)
    return statement if seen is None else statement.where(seen)
