"""The words of a query among the search tokens: how common they are, and which records have all of them.

Counts stop at ``PLENTY``, so that knowing which word is the rarest costs next to nothing. A word that is not
common drives: its tokens are read, the others are looked up for each of its records. Where all are common,
records are met by walking them in their order (``held_by``), and where that meets too few, by merging what
the index holds of each word in the order of records (``newest``): no other word is looked up then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    cast,
    exists,
    func,
    intersect,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from builder.db.base import key_string
from builder.db.records import SearchToken
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.domain.search import QueryTerm

PLENTY = 2000
# Made once: an alias costs as much as the rest of a clause.
_OTHER: Any = aliased(SearchToken)


@dataclass(frozen=True, slots=True)
class Words:
    """What a record of one object must have, the rarest word first; each of them is there at least once.

    ``is_common``: even the rarest has more than ``PLENTY`` tokens.
    """

    actor: Actor
    object_key: str
    terms: tuple[QueryTerm, ...]
    is_common: bool
    is_sqlite: bool

    def held_by(self, record_id: Any) -> list[ColumnElement[bool]]:
        """The record of that id has them all; looked up by record."""
        return [self._has(term, record_id) for term in self.terms]

    def ids(self) -> Select[*tuple[Any, ...]]:
        """Records that have all words, found among tokens alone: their rows are many times larger."""
        if self.is_common and self.is_sqlite:
            return self._together()
        if self.is_common:
            return self._tokens(self.terms[0]).where(*self._all_but_first(SearchToken.record_id))
        # Twice what there was a moment ago cuts nothing off. It tells PostgreSQL, which misjudges ranges of
        # tokens, that looking up the other words beats reading all of them.
        rare = self._tokens(self.terms[0]).limit(2 * PLENTY).subquery()
        return select(rare.c.record_id).where(*self._all_but_first(rare.c.record_id))

    def newest(self, limit: int) -> Select[*tuple[Any, ...]]:
        """As ``ids``, at most ``limit`` of them: the newest; where the only word is a prefix, any."""
        return self._together().limit(limit)

    def _together(self) -> Select[*tuple[Any, ...]]:
        """The tokens of each whole word stand in the order of records: both databases merge them, while a
        look-up for each token costs many times as much. SQLite does so when told to, PostgreSQL where it
        sees that it pays. Those of a prefix stand otherwise, so it is looked up.
        """
        whole = [self._tokens(term) for term in self.terms if not term.is_prefix]
        prefixes = [term for term in self.terms if term.is_prefix]
        if not whole:
            found = self._tokens(prefixes[0]).distinct().subquery()
            return select(found.c.record_id)
        if self.is_sqlite and len(whole) > 1:
            merged: Any = intersect(*whole)
            merged = merged.order_by(merged.selected_columns.record_id.desc())
        else:
            others = [term for term in self.terms if not term.is_prefix][1:]
            merged = whole[0].where(*(self._has_here(term, SearchToken.record_id) for term in others))
            merged = merged.distinct().order_by(SearchToken.record_id.desc())
        found = merged.subquery()
        return select(found.c.record_id).where(*(self._has(term, found.c.record_id) for term in prefixes))

    def _has_here(self, term: QueryTerm, record_id: Any) -> ColumnElement[bool]:
        """As ``_has``, with the object, after which the index has the word and then the records in order."""
        return exists().where(_OTHER.object_key == self.object_key, *self._of(term, record_id))

    def _all_but_first(self, record_id: Any) -> list[ColumnElement[bool]]:
        return [self._has(term, record_id) for term in self.terms[1:]]

    def _tokens(self, term: QueryTerm) -> Select[*tuple[Any, ...]]:
        return select(SearchToken.record_id).where(
            SearchToken.object_key == self.object_key,
            _is(SearchToken, term),
            *readable(self.actor, SearchToken, self.object_key),
        )

    def _has(self, term: QueryTerm, record_id: Any) -> ColumnElement[bool]:
        return exists().where(*self._of(term, record_id))

    def _of(self, term: QueryTerm, record_id: Any) -> list[ColumnElement[bool]]:
        hidden = readable(self.actor, _OTHER, self.object_key)
        return [_OTHER.record_id == record_id, _is(_OTHER, term), *hidden]


def words_of(
    session: WorkspaceSession, actor: Actor, terms: Sequence[QueryTerm], object_keys: Sequence[str]
) -> list[Words]:
    """The words in each object that has all of them, though perhaps in no record together. One statement."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    found = []
    for key, *counts in session.execute(_counts(actor, terms, object_keys)):
        if all(counts):
            order = sorted(range(len(terms)), key=lambda place: (counts[place], terms[place].is_prefix))
            rarest_first = tuple(terms[place] for place in order)
            found.append(Words(actor, key, rarest_first, min(counts) > PLENTY, is_sqlite))
    return found


def _counts(actor: Actor, terms: Sequence[QueryTerm], object_keys: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Object and, of each term, its tokens there, none beyond ``PLENTY`` + 1."""
    # cast for the collation of keys
    keys = [select(cast(literal(key), key_string()).label("key")) for key in object_keys]
    each = (union_all(*keys) if len(keys) > 1 else keys[0]).subquery()
    counts = []
    for term in terms:
        tokens = (
            select(literal(1).label("one"))
            .select_from(SearchToken)
            .where(
                SearchToken.object_key == each.c.key, _is(SearchToken, term), *readable(actor, SearchToken)
            )
            .limit(PLENTY + 1)
            .correlate(each)
            .subquery()
        )
        counts.append(select(func.count()).select_from(tokens).scalar_subquery())
    return select(each.c.key, *counts)


def readable(actor: Actor, token: Any, object_key: str | None = None) -> list[ColumnElement[bool]]:
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
