"""Merging records that mean one and the same thing, field by field; undone like every batch (S121, B24).

One record stays and the others go: their values where these were chosen, their notes, files, activities and
whatever refers to them pass on. Each keeps its own history. Of two journeys through a process only that of
the record that stays counts in figures: the other's visits stay in the ledger and are shown, but a
merged record is a deleted one and counts nowhere, so that nothing is counted twice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Text, cast, func, select

from builder.db.ledger import MoveRequestRow
from builder.db.records import Link, Record
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.totals import TOTAL_TYPES
from builder.errors import N_, Conflict, Invalid, NotFound, Stale
from builder.fieldtypes.registry import type_of
from builder.metadata.record_validation import MUST_BE_EMPTY
from builder.services.batches import open_batch
from builder.services.belongings import pass_on, set_merged_ids, take_origin
from builder.services.bulk import Chosen
from builder.services.deletion import merge_away
from builder.services.files import FILE_TYPES
from builder.services.ledger import Standing
from builder.services.records import put_back, write_values
from builder.services.standings import load_standings
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import Checked, Draft, check, chunks, ids_named, problem_of

MOST_RECORDS = 5
MOST_REFERENCES = 5_000
WAITING = "waiting"
CHOOSE_TWO = N_("Choose two to five records of one kind.")
NOT_IN_PROCESS = N_("“%(name)s” is in a process and the record that is to stay is not. Let that one stay.")
HAS_REQUEST = N_("A move of “%(name)s” waits for approval. Decide it first.")
TOO_MANY_REFERENCES = N_(
    "%(count)s records refer to those that would go; at most %(limit)s can follow at once."
)
NOT_MERGED = N_("Nothing was merged.")


@dataclass(frozen=True)
class Merge:
    """Which record stays, which go, and of which of them each field is taken; others stay as they are."""

    survivor: Chosen
    others: tuple[Chosen, ...]
    picks: Mapping[str, int] = field(default_factory=dict)


def mergeable_fields(definition: ObjectDefinition) -> tuple[FieldDefinition, ...]:
    """Fields whose value can be chosen: what people fill in."""
    return tuple(
        item
        for item in definition.fields
        if not type_of(item).is_computed and not type_of(item).is_assigned and item.type not in TOTAL_TYPES
    )


def merge(uow: UnitOfWork, command: Merge) -> int:
    """Merge; the id of the batch, by which it can be undone. The caller commits.

    Errors: Forbidden, NotFound, Stale, Invalid (none chosen, or the values together are not valid), Conflict.
    """
    uow.begin()
    uow.require("record.edit")
    survivor, others = _load(uow, command)
    definition = uow.catalog.object(survivor.record["object_key"])
    _refuse_processes(uow, survivor, others)
    refers = _referring(uow, definition, [one.record_id for one in others])
    with open_batch(uow, "merge", definition.key) as batch:
        passed = {one.record_id: pass_on(uow, one.record_id, survivor.record_id) for one in others}
        _take_values(uow, definition, survivor, others, command.picks)
        if survivor.record["converted_from_id"] is None:
            made = [one for one in others if one.record["converted_from_id"] is not None]
            for one in made[:1]:
                take_origin(uow, survivor.record_id, one.record["converted_from_id"], passed[one.record_id])
        _point_at(uow, survivor, [one.record_id for one in others], refers)
        for one in others:
            merge_away(uow, one, survivor.record_id, survivor.record["name"], passed[one.record_id])
        set_merged_ids(uow, survivor.record_id)
        uow.log(
            "record.absorbed",
            record_id=survivor.record_id,
            object_key=definition.key,
            data={"names": [one.record["name"] for one in others]},
        )
        batch.done_records = len(others) + 1
    return batch.id


def _load(uow: UnitOfWork, command: Merge) -> tuple[Standing, list[Standing]]:
    chosen = (command.survivor, *command.others)
    ids = [one.record_id for one in chosen]
    if not 2 <= len(set(ids)) == len(ids) <= MOST_RECORDS:
        raise Invalid(CHOOSE_TWO)
    found = load_standings(uow, sorted(ids))
    if len(found) < len(ids):
        raise NotFound()
    if len({standing.record["object_key"] for standing in found.values()}) > 1:
        raise Invalid(CHOOSE_TWO)
    for one in chosen:
        now = found[one.record_id].record["revision"]
        if now != one.revision:
            raise Stale(record_id=one.record_id, revision=one.revision, now=now)
    return found[ids[0]], [found[record_id] for record_id in ids[1:]]


def _refuse_processes(uow: UnitOfWork, survivor: Standing, others: Sequence[Standing]) -> None:
    """Errors: Conflict where a journey would be lost, or somebody waits for a decision."""
    for one in others:
        if one.record["pipeline_key"] is not None and survivor.record["pipeline_key"] is None:
            raise Conflict(NOT_IN_PROCESS, name=one.record["name"])
    waiting = select(MoveRequestRow.record_id).where(
        MoveRequestRow.record_id.in_([one.record_id for one in others]), MoveRequestRow.status == WAITING
    )
    asked = set(uow.session.scalars(waiting))
    for one in others:
        if one.record_id in asked:
            raise Conflict(HAS_REQUEST, name=one.record["name"])


def _take_values(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    survivor: Standing,
    others: Sequence[Standing],
    picks: Mapping[str, int],
) -> None:
    """Errors: Invalid when the values together are not valid, with the fields named."""
    data = {one.record_id: one.record["data"] for one in others}
    stored = survivor.record["data"]
    veil = uow.actor.veils.get(definition.key)
    # What the role hides, or does not let change, stays as it is (S118).
    kept = veil.fields | veil.read_only if veil is not None else frozenset()
    changes = {
        item.key: data[picks[item.key]].get(item.key)
        for item in mergeable_fields(definition)
        if item.key not in kept
        and picks.get(item.key) in data
        and data[picks[item.key]].get(item.key) != stored.get(item.key)
    }
    going = {survivor.record_id, *data}
    # Judged apart: a file belongs to the survivor by now and needs no intake; and nothing may refer to
    # itself, nor to what goes.
    given = {
        item.key: changes.pop(item.key)
        for item in definition.fields.of_type(*FILE_TYPES)
        if item.key in changes
    }
    for item in definition.fields.of_type("reference"):
        named = changes.get(item.key, stored.get(item.key))
        if named is not None and int(named) in going:
            changes.pop(item.key, None)
            given[item.key] = None
    checked = _without_hidden(uow, definition, stored, changes)
    if checked.faults:
        raise Invalid(NOT_MERGED, problems=tuple(problem_of(fault) for fault in checked.faults))
    taken = {key: value for key, value in {**checked.data, **given}.items() if value is not None}
    write_values(uow, definition, survivor, replace(checked, data=taken))


def _without_hidden(
    uow: UnitOfWork, definition: ObjectDefinition, stored: Mapping[str, Any], changes: Mapping[str, Any]
) -> Checked:
    """The values as they are judged, without those that a rule hides beside the others: a form would clear
    them as well. What is cleared may hide something else.
    """
    wanted = dict(changes)
    known = ids_named(definition.fields, wanted)
    while True:
        (checked,) = check(uow, definition, [Draft(stored, wanted, known)])
        hidden = {fault.field for fault in checked.faults if fault.message_key == MUST_BE_EMPTY}
        hidden = {key for key in hidden if key is not None and wanted.get(key, stored.get(key)) is not None}
        if not hidden:
            return checked
        wanted |= dict.fromkeys(hidden)


@dataclass(frozen=True, slots=True)
class _Refers:
    """Records that refer to those that go: by link (record → fields), and inside tables and groups."""

    links: Mapping[int, Sequence[str]]
    inside: frozenset[int]


def _referring(uow: UnitOfWork, definition: ObjectDefinition, ids: Sequence[int]) -> _Refers:
    """Live records that refer to one of these. Errors: Conflict for more than can follow at once."""
    links: dict[int, list[str]] = defaultdict(list)
    rows = uow.session.execute(
        select(Link.record_id, Link.field_key)
        .join(Record, Record.id == Link.record_id)
        .where(Link.target_id.in_(ids), Record.deleted_at.is_(None), Record.id.not_in(ids))
        .order_by(Link.record_id)
        .limit(MOST_REFERENCES + 1)
    )
    for record_id, field_key in rows:
        links[record_id].append(field_key)
    inside: set[int] = set()
    for holder in uow.catalog.objects.values():
        if any(_names_inside(item, definition.key) for item in holder.fields):
            inside |= set(_holding(uow, holder.key, ids))
    if len(links) + len(inside) > MOST_REFERENCES:
        raise Conflict(TOO_MANY_REFERENCES, count=len(links) + len(inside), limit=MOST_REFERENCES)
    return _Refers(links, frozenset(inside - set(ids)))


def _names_inside(item: FieldDefinition, object_key: str) -> bool:
    """Whether the field is a table or a group that somewhere refers to records of the object."""
    return any(
        (part.type == "reference" and part.params.get("target") == object_key)
        or _names_inside(part, object_key)
        for part in item.inner
    )


def _holding(uow: UnitOfWork, object_key: str, ids: Sequence[int]) -> Iterator[int]:
    """Records whose values hold one of the ids as a text; what it means is looked at later."""
    for record_id in ids:
        yield from uow.session.scalars(
            select(Record.id)
            .where(
                Record.object_key == object_key,
                Record.deleted_at.is_(None),
                _contains(uow, json.dumps(str(record_id))),
            )
            .limit(MOST_REFERENCES + 1)
        )


def _contains(uow: UnitOfWork, text: str) -> Any:
    place = func.instr if uow.session.get_bind().dialect.name == "sqlite" else func.strpos
    return place(cast(Record.data, Text), text) > 0


def _point_at(uow: UnitOfWork, survivor: Standing, gone: Iterable[int], refers: _Refers) -> None:
    """Let everything refer to the survivor; itself never to itself."""
    names = {str(record_id) for record_id in gone}
    to = str(survivor.record_id)
    for part in chunks(sorted({*refers.links, *refers.inside} - {survivor.record_id})):
        for record_id, standing in load_standings(uow, part, of_everyone=True).items():
            definition = uow.catalog.object(standing.record["object_key"])
            values: dict[str, Any] = dict.fromkeys(refers.links.get(record_id, ()), to)
            if record_id in refers.inside:
                values |= _replaced_inside(definition.fields, standing.record["data"], names, to)
            if values:
                put_back(uow, standing, values)


def _replaced_inside(
    fields: Iterable[FieldDefinition], data: Mapping[str, Any], names: set[str], to: str
) -> dict[str, Any]:
    """The tables and groups that change when these ids become another one."""
    changed = {}
    for item in fields:
        value = data.get(item.key)
        if not item.inner or value is None:
            continue
        renamed = _renamed(item, value, names, to)
        if renamed != value:
            changed[item.key] = renamed
    return changed


def _renamed(item: FieldDefinition, value: Any, names: set[str], to: str) -> Any:
    if isinstance(value, list):
        return [_renamed(item, row, names, to) for row in value]
    if not isinstance(value, Mapping):
        return value
    result = dict(value)
    for part in item.inner:
        held = result.get(part.key)
        if part.type == "reference" and held in names:
            result[part.key] = to
        elif part.inner and held is not None:
            result[part.key] = _renamed(part, held, names, to)
    return result
