"""Roll-up fields: totals over related records, exact at every commit (idea 4).

Writes note what a record gave to totals before and what it gives now; before the commit the records that hold
the totals are locked in the order of their ids and renewed, all together. Two people who write below the
same record so wait for each other at the very end, and neither loses the other's change. The holder's
revision stays: nobody changed it. Everybody who sees the holder sees its totals, whatever they may open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.db.records import Link, Record
from builder.db.rows import update_rows
from builder.domain.computation import compute
from builder.domain.fields import ObjectDefinition
from builder.domain.totals import TOTAL_TYPES, Given, Total
from builder.metadata.catalog import Catalog
from builder.services.ledger import Ledger, Standing
from builder.services.standings import COLUMNS, apply_values, load_standings
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import chunks

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A record of the holder gets ``after`` from a related record, which gave it ``before``."""

    total: Total
    holder_id: int
    before: Given | None
    after: Given | None


def totals_in(catalog: Catalog, object_key: str) -> tuple[Total, ...]:
    """The roll-up fields that records of the object hold."""
    return tuple(total for total in catalog.totals if total.parent == object_key)


def totals_from(catalog: Catalog, object_key: str) -> tuple[Total, ...]:
    """The roll-up fields, of any object, that records of this one count for."""
    return tuple(total for total in catalog.totals if total.source == object_key)


def note_row(uow: UnitOfWork, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    """Note a record that is written: its row so far (``None`` for a new one) and from now on."""
    for total in totals_from(uow.catalog, after["object_key"]):
        then, now = _gives(total, before), _gives(total, after)
        if then == now:
            continue
        if then[0] == now[0] and now[0] is not None:
            uow.defer(settle, Change(total, now[0], then[1], now[1]))
            continue
        for holder_id, old, new in ((then[0], then[1], None), (now[0], None, now[1])):
            if holder_id is not None and (old or new):
                uow.defer(settle, Change(total, holder_id, old, new))


def _gives(total: Total, row: Mapping[str, Any] | None) -> tuple[int | None, Given | None]:
    if row is None or row["deleted_at"] is not None:
        return None, None
    holder_id = total.parent_id(row["data"])
    return holder_id, None if holder_id is None else total.given(row["data"], row["currency"], row["outcome"])


def settle(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """Renew the records that the noted changes count for."""
    by_holder: dict[int, list[Change]] = defaultdict(list)
    for change in changes:
        by_holder[change.holder_id].append(change)
    for part in chunks(sorted(by_holder)):
        holders = _holders(uow, part)
        values = {record_id: _renewed(holders[record_id], by_holder[record_id]) for record_id in holders}
        unclear: dict[Total, list[int]] = defaultdict(list)
        for record_id, found in values.items():
            for total, (is_known, _) in found.items():
                if not is_known:
                    unclear[total].append(record_id)
        counted = {total: scan(uow, total, ids) for total, ids in unclear.items()}
        _write(
            uow,
            (
                (
                    holders[record_id],
                    {
                        total.key: value if is_known else counted[total].get(record_id)
                        for total, (is_known, value) in found.items()
                    },
                )
                for record_id, found in values.items()
            ),
        )


def _holders(uow: UnitOfWork, ids: Sequence[int]) -> dict[int, Standing]:
    """The records, deleted ones too: they may be restored."""
    found = load_standings(uow, ids, of_everyone=True)
    gone = [record_id for record_id in ids if record_id not in found]
    return found | (load_standings(uow, gone, is_deleted=True, of_everyone=True) if gone else {})


def _renewed(holder: Standing, changes: Iterable[Change]) -> dict[Total, tuple[bool, Any]]:
    pairs: dict[Total, list[tuple[Given | None, Given | None]]] = defaultdict(list)
    for change in changes:
        if holder.record["object_key"] == change.total.parent:
            pairs[change.total].append((change.before, change.after))
    data = holder.record["data"]
    return {total: total.renewed(data.get(total.key), found) for total, found in pairs.items()}


def scan(uow: UnitOfWork, total: Total, ids: Sequence[int]) -> dict[int, Any]:
    """The value of the total for each of the records, from all that count for them."""
    given: dict[int, list[Given]] = {record_id: [] for record_id in ids}
    for part in chunks(sorted(ids)):
        rows = uow.session.execute(
            select(Link.target_id, Record.data, Record.currency, Record.outcome)
            .join(Record, Record.id == Link.record_id)
            .where(
                Link.field_key == total.by,
                Link.target_id.in_(part),
                Record.object_key == total.source,
                Record.deleted_at.is_(None),
            )
        )
        for holder_id, data, currency, outcome in rows:
            one = total.given(data, currency, outcome)
            if one is not None:
                given[holder_id].append(one)
    return {record_id: total.value(found) for record_id, found in given.items()}


def _write(uow: UnitOfWork, renewed: Iterable[tuple[Standing, Mapping[str, Any]]]) -> int:
    """Put totals into their records, with formulas, copies, slices and roll-up; how many changed."""
    ledger = Ledger(uow)
    changed: list[Standing] = []
    for standing, values in renewed:
        definition = uow.catalog.object(standing.record["object_key"])
        merged = {**standing.record["data"], **values}
        data = compute(
            definition.fields.fields, {key: value for key, value in merged.items() if value is not None}
        )
        if data == standing.record["data"]:
            continue
        before = dict(standing.record)
        apply_values(uow, definition, standing, data)
        ledger.settle(standing, uow.clock.now())
        row = {name: standing.record[name] for name in COLUMNS if standing.record[name] != before[name]}
        update_rows(uow.session, Record, row, {"id": standing.record_id})
        changed.append(standing)
    if changed:
        ledger.write()
    return len(changed)


def expected(
    uow: UnitOfWork, definition: ObjectDefinition, ids: Sequence[int]
) -> Iterator[tuple[str, dict[int, Any]]]:
    """For each roll-up field of the object: its key, and what the records should hold."""
    for total in totals_in(uow.catalog, definition.key):
        yield total.key, scan(uow, total, ids)


def recount(uow: UnitOfWork, object_key: str) -> int:
    """Count all totals of an object anew; how many records changed. For publishes and ``rebuild``."""
    totals = totals_in(uow.catalog, object_key)
    written, last = 0, 0
    while totals:
        ids = uow.session.scalars(
            select(Record.id)
            .where(Record.object_key == object_key, Record.id > last)
            .order_by(Record.id)
            .limit(CHUNK)
        ).all()
        if not ids:
            break
        last = ids[-1]
        found = [(total.key, scan(uow, total, ids)) for total in totals]
        holders = _holders(uow, ids)
        written += _write(
            uow, ((holders[one], {key: values.get(one) for key, values in found}) for one in holders)
        )
    return written


def recount_after(uow: UnitOfWork, before: ObjectDefinition, now: ObjectDefinition) -> None:
    """After a publish: count anew what the object holds, and what others hold over it, where that changed."""
    if _asked(before) != _asked(now):
        recount(uow, now.key)
    holders = {
        total.parent
        for total in totals_from(uow.catalog, now.key)
        if total.of != before.fields.by_key.get(total.of.key if total.of else "")
        or total.by not in before.fields.by_key
    }
    for object_key in sorted(holders):
        recount(uow, object_key)


def _asked(definition: ObjectDefinition) -> dict[str, Any]:
    return {
        field.key: (field.type, dict(field.params))
        for field in definition.fields
        if field.type in TOTAL_TYPES
    }
