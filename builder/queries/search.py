"""Finding records by words, over all objects or one (part 5; CONTRIBUTING, *Decisions*: search_token).

The rarest word of the query drives: its tokens are read from the index, the other words are looked up for
each candidate. Which is the rarest is asked first, by counts that stop at ``PLENTY``. Rank: the whole name,
the beginning of the name, then the latest change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from builder.db.people import Member
from builder.db.records import Record, SearchToken
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.search import AFTER, QueryTerm, name_token, query_tokens
from builder.metadata.catalog import Catalog
from builder.queries.visibility import visible

PLENTY = 2000
NAMES_EACH = 100
HITS = 20
_COLUMNS = ("id", "object_key", "name", "number", "stage_key", "owner_name", "updated_at")


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


@dataclass(frozen=True, slots=True)
class _Driver:
    """The term that candidates are read by, the others, and whether it has more than ``PLENTY`` tokens."""

    term: QueryTerm
    others: tuple[QueryTerm, ...]
    is_plenty: bool


def search(
    session: WorkspaceSession, catalog: Catalog, actor: Actor, text: str, *, limit: int = HITS
) -> tuple[HitGroup, ...]:
    """The best ``limit`` visible records that contain every word of ``text``, grouped by object.

    Groups come in the order of their best hit. Three statements; a fourth when every word is common and few
    of the newest records have them all. A text without letters or digits finds nothing.
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
    """A clause on ``record`` for lists: the record has all terms. One statement, to find the rarest."""
    driver = _driver(session, actor, terms, (object_key,))
    if driver.is_plenty and not driver.others:
        # So common a word is met soon by walking the list in its own order.
        return _has(actor, driver.term, Record.id)
    # A page names the clause several times (rows, count, branches of visibility); a CTE is found once.
    found = _ids(actor, driver, (object_key,)).cte("found")
    return Record.id.in_(select(found.c.record_id))


def _found(
    session: WorkspaceSession, actor: Actor, text: str, object_keys: Sequence[str], limit: int
) -> list[Hit]:
    terms = query_tokens(text)
    if not terms or not object_keys:
        return []
    hits = _by_name(session, actor, text, object_keys)
    if len(hits) < limit:
        driver = _driver(session, actor, terms, object_keys)
        known = {hit.id for hit in hits}
        more = _by_words(session, actor, driver, object_keys, limit + len(known))
        if driver.is_plenty and len(known | {hit.id for hit in more}) < limit:
            more = _by_words(session, actor, driver, object_keys, limit + len(known), is_exhaustive=True)
        hits += [hit for hit in more if hit.id not in known]
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
    statement = _visible(
        _columns(named.c.token).join(named, named.c.record_id == Record.id),
        actor,
        object_keys,
        [Record.deleted_at.is_(None)],
    )
    return [_hit(actor, row, 0 if row[-1] == whole else 1) for row in session.execute(statement)]


def _by_words(
    session: WorkspaceSession,
    actor: Actor,
    driver: _Driver,
    object_keys: Sequence[str],
    limit: int,
    *,
    is_exhaustive: bool = False,
) -> list[Hit]:
    """Records that have the driver's term and all others, the latest first."""
    if driver.is_plenty and not is_exhaustive:
        clauses: list[ColumnElement[bool]] = [Record.id.in_(_newest_ids(actor, driver.term, object_keys))]
        clauses += [_has(actor, term, Record.id) for term in driver.others]
    else:
        clauses = [Record.id.in_(_ids(actor, driver, object_keys))]
    return [
        _hit(actor, row, 2) for row in session.execute(_candidates(actor, object_keys, clauses).limit(limit))
    ]


def _driver(
    session: WorkspaceSession, actor: Actor, terms: Sequence[QueryTerm], object_keys: Sequence[str]
) -> _Driver:
    counts = session.execute(select(*(_capped_count(actor, term, object_keys) for term in terms))).one()
    rarest = min(range(len(terms)), key=lambda place: (counts[place], terms[place].is_prefix))
    others = tuple(term for place, term in enumerate(terms) if place != rarest)
    return _Driver(terms[rarest], others, counts[rarest] > PLENTY)


def _capped_count(actor: Actor, term: QueryTerm, object_keys: Sequence[str]) -> Any:
    rows = (
        select(literal(1).label("one"))
        .select_from(SearchToken)
        .where(_among(SearchToken, object_keys), _is(SearchToken, term), *_readable(actor, SearchToken))
        .limit(PLENTY + 1)
        .subquery()
    )
    return select(func.count()).select_from(rows).scalar_subquery()


def _ids(actor: Actor, driver: _Driver, object_keys: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Records that have all terms, found among tokens alone: their rows are many times larger."""
    token: Any = aliased(SearchToken)
    others = [_has(actor, term, token.record_id) for term in driver.others]
    return select(token.record_id).where(
        _among(token, object_keys), _is(token, driver.term), *_readable(actor, token), *others
    )


def _newest_ids(actor: Actor, term: QueryTerm, object_keys: Sequence[str]) -> Any:
    """A share of ``PLENTY`` per object: the newest that have the word, and any that have its prefix."""
    each = max(1, PLENTY // len(object_keys))
    parts = []
    for key in object_keys:
        readable = _readable(actor, SearchToken, key)
        tokens = select(SearchToken.record_id).where(SearchToken.object_key == key, *readable).limit(each)
        newest = tokens.where(SearchToken.token == term.token).order_by(SearchToken.record_id.desc())
        parts.append(newest.subquery())
        if term.is_prefix:
            parts.append(tokens.where(_is(SearchToken, term)).subquery())
    return union_all(*(select(part.c.record_id) for part in parts))


def _has(actor: Actor, term: QueryTerm, record_id: Any) -> ColumnElement[bool]:
    """The record of that id has the term; looked up by record, so for few records only."""
    token: Any = aliased(SearchToken)
    return exists().where(token.record_id == record_id, _is(token, term), *_readable(actor, token))


def _readable(actor: Actor, token: Any, object_key: str | None = None) -> list[ColumnElement[bool]]:
    """The token is not one of a field that the actor's role hides (S118); nothing for whom nothing is hidden.

    ``object_key``: the tokens are of that object anyway.
    """
    clauses: list[ColumnElement[bool]] = []
    for key, veil in actor.veils.items():
        if veil.fields and object_key in (None, key):
            seen = token.field_key.not_in(sorted(veil.fields))
            clauses.append(seen if object_key == key else or_(token.object_key != key, seen))
    return clauses


def _is(token: Any, term: QueryTerm) -> ColumnElement[bool]:
    if not term.is_prefix:
        return token.token == term.token
    return and_(token.token >= term.token, token.token < term.end)


def _among(token: Any, object_keys: Sequence[str]) -> ColumnElement[bool]:
    return token.object_key == object_keys[0] if len(object_keys) == 1 else token.object_key.in_(object_keys)


def _columns(*more: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Record.id,
            Record.object_key,
            Record.name,
            Record.number,
            Record.stage_key,
            func.coalesce(Member.name, ""),
            Record.updated_at,
            *more,
        )
        .select_from(Record)
        .outerjoin(Member, Member.id == Record.owner_id)
    )


def _hit(actor: Actor, row: Row[*tuple[Any, ...]], rank: int) -> Hit:
    values = dict(zip(_COLUMNS, row, strict=False))
    if actor.hides(values["object_key"], "number"):
        values["number"] = None
    return Hit(rank=rank, **values)


def _candidates(
    actor: Actor, object_keys: Sequence[str], clauses: Iterable[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    statement = _visible(_columns(), actor, object_keys, [Record.deleted_at.is_(None), *clauses])
    return statement.order_by(Record.updated_at.desc(), Record.id.desc())


def _visible(
    statement: Select[*tuple[Any, ...]],
    actor: Actor,
    object_keys: Sequence[str],
    clauses: list[ColumnElement[bool]],
) -> Select[*tuple[Any, ...]]:
    seen = visible(actor, object_keys)
    return statement.where(*clauses) if seen is None else statement.where(*clauses, seen)
