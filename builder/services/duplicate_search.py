"""Finding all pairs of records of an object that look alike, in the background (S121).

Records that share a match key are compared. Where very many share one (the phone of a large office, a common
name), each is compared only with its neighbours in the order of names, so that the work grows with the
number of records; how many keys that concerned is told. What was said about a pair stays until one of its
records changes what it is compared by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update

from builder.db.duplicates import DuplicatePair, DuplicateSearch
from builder.db.ids import new_id, new_ids
from builder.db.records import Record, SearchToken
from builder.db.rows import insert_rows
from builder.domain.duplicates import MATCH_MARK, Likeness, Signs, Trait, digest, likeness
from builder.domain.fields import ObjectDefinition
from builder.domain.search import AFTER
from builder.errors import N_, Conflict, FunnelwrightError, Invalid, NotFound
from builder.fieldtypes.traits import match_fields, traits_of
from builder.metadata.name_words import name_words
from builder.queries.duplicates import DISTINCT, LATER, OPEN
from builder.queries.imports import starter
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

RIGHT = "record.edit"
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
# A key that more records share is crowded: each is compared with so many that follow it by name.
CROWD, NEIGHBOURS = 20, 10
MOST_PAIRS = 20_000
_KEYS_AT_ONCE = 20_000
_KEPT_TRAITS = 200_000
STILL_RUNNING = N_("This search is still running.")
NO_KEYS = N_("This object names no fields to compare by.")
Pair = tuple[int, int]
Traits = tuple[Trait, ...]


def ask(uow: UnitOfWork, object_key: str) -> int:
    """Note that somebody wants a search; its id. The caller hands it to the background and commits.

    Errors: Forbidden, NotFound, Invalid (nothing to compare by), Conflict (one is running).
    """
    uow.begin(alone=True)
    uow.require(RIGHT)
    definition = uow.catalog.object(object_key)
    if not match_fields(definition):
        raise Invalid(NO_KEYS)
    running = select(DuplicateSearch.id).where(
        DuplicateSearch.object_key == object_key, DuplicateSearch.status.in_((QUEUED, RUNNING))
    )
    if uow.session.scalar(running.limit(1)) is not None:
        raise Conflict(STILL_RUNNING)
    search = DuplicateSearch(
        workspace_id=uow.workspace.id,
        id=new_id(),
        object_key=object_key,
        status=QUEUED,
        done_keys=0,
        compared_pairs=0,
        found_pairs=0,
        crowded_keys=0,
        is_cut=False,
        created_at=uow.clock.now(),
        created_by=uow.actor.member_id or None,
    )
    uow.session.add(search)
    uow.log("duplicates.searched", object_key=object_key)
    uow.flush()
    return search.id


def run_as_asker(uow: UnitOfWork, search_id: int) -> str:
    """Carry out a search that somebody asked for; commits. Errors: FunnelwrightError, which ends it."""
    row = uow.session.execute(
        select(DuplicateSearch.created_by, DuplicateSearch.status).where(DuplicateSearch.id == search_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    if row.status in (DONE, FAILED):
        return str(row.status)
    try:
        if row.created_by is not None:
            uow.actor = starter(uow.session, uow.workspace, uow.catalog, row.created_by, uow.clock.now())
            uow.require(RIGHT)
        return run(uow, search_id)
    except FunnelwrightError as error:
        uow.rollback()
        uow.begin()
        _note(
            uow,
            search_id,
            status=FAILED,
            finished_at=uow.clock.now(),
            problem={"message": error.message_key, "values": error.values},
        )
        uow.commit()
        raise


def run(uow: UnitOfWork, search_id: int) -> str:
    """One pass over all match keys of the object; progress and result are committed.

    All records are compared, whoever sees them: pairs are shown to those who may change both. After a crash
    it begins anew and comes to the same end.
    """
    object_key = uow.session.scalars(
        select(DuplicateSearch.object_key).where(DuplicateSearch.id == search_id)
    ).one()
    definition = uow.catalog.object(object_key)
    found = _Found(uow, definition)
    total = uow.session.scalar(select(func.count()).select_from(SearchToken).where(*_is_key(object_key)))
    uow.begin()
    _note(uow, search_id, status=RUNNING, total_keys=total or 0, done_keys=0)
    uow.commit()
    done = 0
    for part in _keys(uow, object_key):
        found.look_at(part)
        done += len(part)
        uow.begin()
        _note(uow, search_id, done_keys=done, compared_pairs=found.compared, found_pairs=len(found.alike))
        uow.commit()
    uow.begin()
    _keep(uow, object_key, found)
    _note(
        uow,
        search_id,
        status=DONE,
        finished_at=uow.clock.now(),
        done_keys=done,
        compared_pairs=found.compared,
        found_pairs=len(found.alike),
        crowded_keys=found.crowded,
        is_cut=found.is_cut,
    )
    uow.commit()
    return DONE


def decide(uow: UnitOfWork, pair_id: int, state: str) -> None:
    """Say about a pair that it is later's, that the two are distinct, or that it is open again.

    The caller has opened the pair. Errors: Forbidden, NotFound.
    """
    uow.begin()
    uow.require(RIGHT)
    if state not in (OPEN, LATER, DISTINCT):
        raise ValueError(state)
    pair = uow.session.get(DuplicatePair, (uow.workspace.id, pair_id), with_for_update=True)
    if pair is None:
        raise NotFound()
    pair.state, pair.decided_at, pair.decided_by = state, uow.clock.now(), uow.actor.member_id or None
    uow.log(
        "duplicates.decided",
        object_key=pair.object_key,
        record_id=pair.one_id,
        data={"with": str(pair.other_id), "state": state},
    )


def _is_key(object_key: str) -> tuple[ColumnElement[bool], ...]:
    return (
        SearchToken.object_key == object_key,
        SearchToken.token >= MATCH_MARK,
        SearchToken.token < MATCH_MARK + AFTER,
    )


def _keys(uow: UnitOfWork, object_key: str) -> Iterator[list[tuple[str, int]]]:
    """All (key, record) of the object in their order, in parts that end with a whole key."""
    columns = (SearchToken.token, SearchToken.record_id)
    last: tuple[str, int] | None = None
    held: list[tuple[str, int]] = []
    while True:
        after = () if last is None else (SearchToken.token >= last[0], tuple_(*columns) > last)
        rows = uow.session.execute(
            select(*columns).where(*_is_key(object_key), *after).order_by(*columns).limit(_KEYS_AT_ONCE)
        ).all()
        if not rows:
            break
        last = (rows[-1].token, rows[-1].record_id)
        held += [(row.token, row.record_id) for row in rows]
        ready = [item for item in held if item[0] != last[0]]
        held = held[len(ready) :]
        if ready:
            yield ready
    if held:
        yield held


@dataclass
class _Found:
    """What a search has found so far: the pairs that are alike, how many were compared, crowded keys."""

    uow: UnitOfWork
    definition: ObjectDefinition
    alike: dict[Pair, tuple[Likeness, str]] = field(default_factory=dict)
    compared: int = 0
    crowded: int = 0
    is_cut: bool = False
    _traits: dict[int, Signs] = field(default_factory=dict)

    def look_at(self, keys: Sequence[tuple[str, int]]) -> None:
        """Compare the records that share one of these keys, each pair once."""
        groups = [[one for _, one in group] for _, group in groupby(keys, key=lambda item: item[0])]
        shared = [group for group in groups if len(group) > 1]
        self._read({one for group in shared for one in group})
        pairs: set[Pair] = set()
        for group in shared:
            pairs.update(self._pairs(group))
        for pair in pairs:
            self._compare(pair)
        self.compared += len(pairs)
        if len(self._traits) > _KEPT_TRAITS:
            self._traits.clear()

    def _pairs(self, group: Sequence[int]) -> Iterator[Pair]:
        if len(group) <= CROWD:
            yield from combinations(group, 2)
            return
        self.crowded += 1
        order = sorted(group, key=lambda one: (self._traits[one].name if one in self._traits else "", one))
        for place, one in enumerate(order):
            for other in order[place + 1 : place + 1 + NEIGHBOURS]:
                yield (one, other) if one < other else (other, one)

    def _compare(self, pair: Pair) -> None:
        one, other = self._traits.get(pair[0]), self._traits.get(pair[1])
        if one is None or other is None or not one.may_be_alike(other) or pair in self.alike:
            return
        found = likeness(one.traits, other.traits)
        if not found.is_alike:
            return
        if len(self.alike) >= MOST_PAIRS:
            self.is_cut = True
            return
        self.alike[pair] = found, _digest(one.traits, other.traits)

    def _read(self, ids: Iterable[int]) -> None:
        words = name_words()
        for part in chunks(sorted(one for one in ids if one not in self._traits)):
            rows = self.uow.session.execute(
                select(Record.id, Record.data).where(Record.id.in_(part), Record.deleted_at.is_(None))
            )
            for record_id, data in rows:
                self._traits[record_id] = Signs.of(traits_of(self.definition, data, words))


def _digest(one: Traits, other: Traits) -> str:
    """Of both, whichever is named first."""
    return "".join(sorted((digest(one), digest(other))))


def _keep(uow: UnitOfWork, object_key: str, found: _Found) -> None:
    """Write the pairs; what was said about one whose digest is the same stays."""
    said = {
        (row.one_id, row.other_id): row
        for row in uow.session.execute(
            select(
                DuplicatePair.one_id,
                DuplicatePair.other_id,
                DuplicatePair.id,
                DuplicatePair.state,
                DuplicatePair.digest,
                DuplicatePair.decided_at,
                DuplicatePair.decided_by,
            ).where(DuplicatePair.object_key == object_key)
        )
    }
    gone = [
        row.id
        for pair, row in said.items()
        if row.state == OPEN or (pair in found.alike and found.alike[pair][1] != row.digest)
    ]
    for part in chunks(gone):
        uow.session.execute(
            delete(DuplicatePair)
            .where(DuplicatePair.id.in_(part))
            .execution_options(synchronize_session=False)
        )
    dropped = set(gone)
    kept = {pair for pair, row in said.items() if row.id not in dropped}
    new = [pair for pair in found.alike if pair not in kept]
    insert_rows(uow.session, DuplicatePair, list(_rows(uow, object_key, found.alike, new)))


def _rows(
    uow: UnitOfWork,
    object_key: str,
    alike: Mapping[Pair, tuple[Likeness, str]],
    pairs: Sequence[Pair],
) -> Iterator[dict[str, object]]:
    now = uow.clock.now()
    for row_id, pair in zip(new_ids(len(pairs)), pairs, strict=True):
        found, mark = alike[pair]
        yield {
            "workspace_id": uow.workspace.id,
            "id": row_id,
            "object_key": object_key,
            "one_id": pair[0],
            "other_id": pair[1],
            "likeness": found.score,
            "reasons": [[item.kind, item.field, item.percent] for item in found.reasons],
            "state": OPEN,
            "digest": mark,
            "found_at": now,
            "decided_at": None,
            "decided_by": None,
        }


def _note(uow: UnitOfWork, search_id: int, **values: object) -> None:
    uow.session.execute(
        update(DuplicateSearch)
        .where(DuplicateSearch.id == search_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
