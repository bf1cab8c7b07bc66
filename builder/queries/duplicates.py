"""Records that look alike, for whoever sees them: while somebody types, and as a worklist (S121)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, or_, select, union

from builder.db.duplicates import DuplicatePair, DuplicateSearch
from builder.db.imports import StoredFile
from builder.db.ledger import StayRow
from builder.db.notes import Note
from builder.db.people import Member
from builder.db.records import Link, Record, SearchToken
from builder.db.tenancy import WorkspaceSession
from builder.domain.duplicates import Likeness, Trait, likeness, match_keys
from builder.domain.fields import ObjectDefinition
from builder.domain.permissions import Actor
from builder.errors import NotFound
from builder.fieldtypes.traits import traits_of
from builder.metadata.name_words import name_words
from builder.queries.visibility import visible

SHOWN = 5
# Of records that share one key only so many of the newest are compared while somebody waits.
EACH_KEY = 100
PAIRS = 25
OPEN, LATER, DISTINCT = "open", "later", "distinct"


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that looks like another one, with the reasons."""

    id: int
    name: str
    owner_name: str
    revision: int
    likeness: Likeness


def look_alikes(
    session: WorkspaceSession,
    actor: Actor,
    definition: ObjectDefinition,
    values: Mapping[str, Any],
    without: Collection[int] = (),
) -> tuple[Alike, ...]:
    """Records of the object, seen by the actor, that look like one with these values: the likest first.

    One statement, read from the index of the match keys; none where the values say nothing. Compared is what
    ``definition`` shows.
    """
    traits = traits_of(definition, values, name_words())
    keys = sorted(match_keys(traits))
    if not keys:
        return ()
    parts = [
        select(SearchToken.record_id)
        .where(SearchToken.object_key == definition.key, SearchToken.token == key)
        .order_by(SearchToken.record_id.desc())
        .limit(EACH_KEY)
        .subquery()
        for key in keys
    ]
    ids = union(*(select(part.c.record_id) for part in parts)).subquery()
    seen = visible(actor, (definition.key,))
    rows = session.execute(
        select(Record.id, Record.name, func.coalesce(Member.name, ""), Record.revision, Record.data)
        .join(ids, ids.c.record_id == Record.id)
        .outerjoin(Member, Member.id == Record.owner_id)
        .where(Record.deleted_at.is_(None), *(() if seen is None else (seen,)))
    )
    found = [
        Alike(record_id, name, owner, revision, _compared(definition, traits, data))
        for record_id, name, owner, revision, data in rows
        if record_id not in without
    ]
    alike = sorted((one for one in found if one.likeness.is_alike), key=_rank)
    return tuple(alike[:SHOWN])


def _compared(definition: ObjectDefinition, traits: Sequence[Trait], data: Mapping[str, Any]) -> Likeness:
    return likeness(traits, traits_of(definition, data, name_words()))


def _rank(one: Alike) -> tuple[float, int]:
    return (-one.likeness.score, one.id)


@dataclass(frozen=True, slots=True)
class ComingAlong:
    """What would pass on from a record when it is merged."""

    notes: int
    files: int
    references: int
    visits: int


def coming_along(session: WorkspaceSession, actor: Actor, ids: Iterable[int]) -> dict[int, ComingAlong]:
    """Counts by record; one statement per kind. References by fields that the actor's role hides pass on
    as well, but are not counted (S118).
    """
    wanted = list(ids)
    told = [
        or_(Record.object_key != key, Link.field_key.not_in(sorted(veil.fields)))
        for key, veil in actor.veils.items()
        if veil.fields
    ]

    def counted(column: Any, *where: Any) -> dict[int, int]:
        statement = select(column, func.count()).where(column.in_(wanted), *where).group_by(column)
        return dict(session.execute(statement).all())

    notes = counted(Note.record_id, Note.deleted_at.is_(None))
    files = counted(StoredFile.record_id)
    visits = counted(StayRow.record_id)
    references = dict(
        session.execute(
            select(Link.target_id, func.count())
            .join(Record, Record.id == Link.record_id)
            .where(Link.target_id.in_(wanted), Record.deleted_at.is_(None), *told)
            .group_by(Link.target_id)
        ).all()
    )
    return {
        one: ComingAlong(notes.get(one, 0), files.get(one, 0), references.get(one, 0), visits.get(one, 0))
        for one in wanted
    }


def merged_into(session: WorkspaceSession, record_id: int) -> int | None:
    """The record that a record was merged into, if it was; whether it may be seen is asked where it leads."""
    return session.scalar(select(Record.merged_into_id).where(Record.id == record_id))


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two records that look alike, as the worklist shows them. ``percent``: how alike, 0–100."""

    id: int
    one_id: int
    other_id: int
    percent: int
    reasons: tuple[tuple[str, str, int], ...]
    names: tuple[str, str]
    owners: tuple[str, str]


@dataclass(frozen=True)
class PairPage:
    """``count`` is of all pairs in this state that the actor sees, up to ``MOST_COUNTED``."""

    pairs: tuple[PairRow, ...]
    count: int
    has_more: bool


MOST_COUNTED = 1000


def pairs(session: WorkspaceSession, actor: Actor, object_key: str, state: str, page: int = 1) -> PairPage:
    """The pairs of an object of which the actor sees both records and may change them, the likest first."""
    statement = _pairs(actor, object_key, state)
    count = session.scalar(select(func.count()).select_from(statement.limit(MOST_COUNTED).subquery())) or 0
    rows = session.execute(
        statement.order_by(DuplicatePair.likeness.desc(), DuplicatePair.id)
        .offset((page - 1) * PAIRS)
        .limit(PAIRS + 1)
    ).all()
    named = {
        record_id: (name, owner)
        for record_id, name, owner in session.execute(
            select(Record.id, Record.name, func.coalesce(Member.name, ""))
            .outerjoin(Member, Member.id == Record.owner_id)
            .where(Record.id.in_({one for row in rows for one in (row.one_id, row.other_id)}))
        )
    }
    found = tuple(
        PairRow(
            row.id,
            row.one_id,
            row.other_id,
            int(row.likeness * 100),
            tuple((kind, field, percent) for kind, field, percent in row.reasons),
            (named[row.one_id][0], named[row.other_id][0]),
            (named[row.one_id][1], named[row.other_id][1]),
        )
        for row in rows[:PAIRS]
    )
    return PairPage(found, count, len(rows) > PAIRS)


def _pairs(actor: Actor, object_key: str, state: str) -> Select[*tuple[Any, ...]]:
    """Both records of a pair are looked up: the pairs are few, the records that one may change are many."""
    seen = visible(actor, (object_key,), to_change=True)
    live = exists().where(
        Record.object_key == object_key, Record.deleted_at.is_(None), *(() if seen is None else (seen,))
    )
    return select(
        DuplicatePair.id,
        DuplicatePair.one_id,
        DuplicatePair.other_id,
        DuplicatePair.likeness,
        DuplicatePair.reasons,
    ).where(
        DuplicatePair.object_key == object_key,
        DuplicatePair.state == state,
        live.where(Record.id == DuplicatePair.one_id),
        live.where(Record.id == DuplicatePair.other_id),
    )


def get_pair(session: WorkspaceSession, actor: Actor, pair_id: int) -> tuple[str, int, int]:
    """The object and the two records of a pair. Errors: NotFound, also for one that the actor may not
    change.
    """
    object_key = session.scalar(select(DuplicatePair.object_key).where(DuplicatePair.id == pair_id))
    if object_key is None:
        raise NotFound()
    for state in (OPEN, LATER, DISTINCT):
        row = session.execute(
            _pairs(actor, object_key, state).where(DuplicatePair.id == pair_id)
        ).one_or_none()
        if row is not None:
            return object_key, row.one_id, row.other_id
    raise NotFound()


@dataclass(frozen=True, slots=True)
class SearchRow:
    """The latest search for duplicates of an object."""

    id: int
    status: str
    total_keys: int | None
    done_keys: int
    compared_pairs: int
    found_pairs: int
    crowded_keys: int
    is_cut: bool
    problem: Mapping[str, Any] | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_running(self) -> bool:
        return self.status in ("queued", "running")

    @property
    def percent(self) -> int:
        """How much is done, 0–100."""
        return min(99, self.done_keys * 100 // self.total_keys) if self.total_keys else 0


def latest_search(session: WorkspaceSession, object_key: str) -> SearchRow | None:
    columns = (getattr(DuplicateSearch, name) for name in SearchRow.__dataclass_fields__)
    row = session.execute(
        select(*columns)
        .where(DuplicateSearch.object_key == object_key)
        .order_by(DuplicateSearch.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else SearchRow(*row)
