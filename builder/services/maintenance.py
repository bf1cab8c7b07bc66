"""Recomputing every copy from the truth, and comparing what is stored with it (idea 4).

The truth: ``record.data``, the stays and the definitions. Copies: typed columns and slots, the journey, the
open slice, search tokens with match keys, links, numbers, what was merged into a record, totals over related
records and the roll-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, select, true, update

from builder.db.ledger import ROLLUP_CELL, FunnelRollup, SliceRow, StayRow
from builder.db.records import GivenNumber, Link, Record, SearchToken
from builder.domain import journey
from builder.domain.fields import ObjectDefinition
from builder.queries.definitions import pipeline_version
from builder.services.belongings import set_merged_ids
from builder.services.ledger import REPORTED, Standing, StaysLater, contribution, ending_of
from builder.services.numbers import number_fields, write_numbers
from builder.services.projections import (
    columns,
    link_rows,
    record_search_tokens,
    write_links,
    write_tokens,
)
from builder.services.records import projected_of
from builder.services.rollup import RollupChanges, add_to_base, forget, pending
from builder.services.standings import COLUMNS
from builder.services.totals import expected as expected_totals
from builder.services.totals import recount, totals_in
from builder.services.unit_of_work import UnitOfWork

CHUNK = 500
SUMS = ("n", "amount_minor", "weighted_minor")
NOTHING = (0, 0, 0)
OpenSlices: TypeAlias = dict[int, list[Row[Any]]]


@dataclass
class Report:
    """What ``verify`` found: differences counted by kind, each with the first records it is about."""

    records: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, about: object) -> None:
        self.differences[kind] += 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < 5:
            examples.append(str(about))

    @property
    def is_clean(self) -> bool:
        return not self.differences


def verify(uow: UnitOfWork) -> Report:
    """Compare all copies of the workspace with the truth; writes nothing, memory stays bounded.

    All of it reads one state of the database, so that what others write meanwhile is no difference.
    """
    uow.begin_snapshot()
    report = Report()
    expected = RollupChanges()
    for definition, standings in _batches(uow):
        report.records += len(standings)
        slices = _open_slices(uow, standings)
        _verify_columns(uow, definition, standings, slices, report)
        _verify_ledger(standings, report)
        _verify_slices(standings, slices, report)
        _verify_tokens_and_links(uow, definition, standings, report)
        _verify_totals(uow, definition, standings, report)
        _verify_merged(uow, standings, report)
        for standing in standings:
            contribution(uow, standing.record, standing.stays, expected, +1)
    _verify_rollup(uow, expected, report)
    return report


def rebuild(uow: UnitOfWork) -> int:
    """Write all copies anew, in one transaction; returns the number of records. The caller commits."""
    uow.begin(alone=True)
    count = 0
    _rebuild_totals(uow)
    changes = RollupChanges()
    for definition, standings in _batches(uow):
        count += len(standings)
        slices = _open_slices(uow, standings)
        for standing in standings:
            _rebuild_columns(uow, definition, standing, slices)
            contribution(uow, standing.record, standing.stays, changes, +1)
        for record_id in _merged_ids(uow, standings):
            set_merged_ids(uow, record_id)
        shown = [projected_of(standing) for standing in standings]
        write_tokens(uow, definition, shown)
        write_links(uow, definition, shown)
        write_numbers(uow, definition, [(one.record_id, one.data) for one in shown], is_new=False)
    forget(uow)
    add_to_base(uow, changes.cells(uow.workspace.id))
    uow.log("workspace.rebuilt", data={"records": count})
    return count


def _rebuild_totals(uow: UnitOfWork) -> None:
    """Roll-up fields, by links made anew: what they hold may fill the columns that follow."""
    sources = {
        total.source for definition in uow.catalog.objects for total in totals_in(uow.catalog, definition)
    }
    for definition, standings in _batches(uow) if sources else ():
        if definition.key in sources:
            write_links(uow, definition, [projected_of(standing) for standing in standings])
    for object_key in uow.catalog.objects:
        recount(uow, object_key)


def _verify_totals(
    uow: UnitOfWork, definition: ObjectDefinition, standings: list[Standing], report: Report
) -> None:
    ids = [standing.record_id for standing in standings]
    for key, values in expected_totals(uow, definition, ids):
        for standing in standings:
            if standing.record["data"].get(key) != values.get(standing.record_id):
                report.add("total", standing.record_id)


def _merged_ids(uow: UnitOfWork, standings: list[Standing]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = uow.session.execute(
        select(Record.merged_into_id, Record.id)
        .where(Record.merged_into_id.in_([standing.record_id for standing in standings]))
        .order_by(Record.id)
    )
    for survivor_id, record_id in rows:
        found.setdefault(survivor_id or 0, []).append(record_id)
    return found


def _verify_merged(uow: UnitOfWork, standings: list[Standing], report: Report) -> None:
    merged = _merged_ids(uow, standings)
    for standing in standings:
        if standing.record["merged_ids"] != merged.get(standing.record_id):
            report.add("record.merged_ids", standing.record_id)


def rebuild_rollup(uow: UnitOfWork, pipeline_key: str) -> None:
    """Sum one pipeline anew: its steps changed with a publish, and sums follow the order in force."""
    changes = RollupChanges()
    for _, standings in _batches(uow, StayRow.pipeline_key == pipeline_key):
        for standing in standings:
            contribution(uow, standing.record, standing.stays, changes, +1)
    forget(uow, pipeline_key)
    add_to_base(uow, changes.cells(uow.workspace.id, pipeline_key))


def _batches(
    uow: UnitOfWork, stays_where: ColumnElement[bool] | None = None
) -> Iterator[tuple[ObjectDefinition, list[Standing]]]:
    """All records, deleted ones too, object by object, with their stays; or those with such a stay."""
    condition = true() if stays_where is None else Record.id.in_(select(StayRow.record_id).where(stays_where))
    wanted = [getattr(Record, name) for name in COLUMNS]
    for definition in uow.catalog.objects.values():
        last = 0
        while True:
            rows = uow.session.execute(
                select(*wanted)
                .where(Record.object_key == definition.key, Record.id > last, condition)
                .order_by(Record.id)
                .limit(CHUNK)
            ).all()
            if not rows:
                break
            last = rows[-1].id
            stays = StaysLater(uow, (row.id for row in rows))
            yield (
                definition,
                [
                    Standing(
                        dict(row._mapping),
                        pipeline_version(uow.session, uow.catalog, row.pipeline_version_id)
                        if row.pipeline_version_id
                        else None,
                        stays,
                    )
                    for row in rows
                ],
            )


def _rebuild_columns(
    uow: UnitOfWork, definition: ObjectDefinition, standing: Standing, slices: OpenSlices
) -> None:
    expected = _expected_columns(uow, definition, standing, slices)
    wrong = {name: value for name, value in expected.items() if standing.record[name] != value}
    if wrong:
        standing.record.update(wrong)
        uow.session.execute(
            update(Record)
            .where(Record.id == standing.record_id)
            .values(**wrong)
            .execution_options(synchronize_session=False)
        )


def _expected_columns(
    uow: UnitOfWork, definition: ObjectDefinition, standing: Standing, slices: OpenSlices
) -> dict[str, Any]:
    record = standing.record
    expected = columns(definition, record["data"], uow.workspace.currency)
    expected["cycle"] = ending_of(record).cycle_micros
    expected["slice_id"] = next((row.id for row in slices.get(standing.record_id, ())), None)
    if standing.stays:
        last = standing.stays[-1]
        expected["journey"] = journey.encode([stored.stay for stored in standing.stays])
        expected["stage_key"] = last.stay.stage_key
        expected["outcome"] = last.stay.kind
        expected["stay_id"] = last.id
    return expected


def _verify_columns(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    standings: list[Standing],
    slices: OpenSlices,
    report: Report,
) -> None:
    for standing in standings:
        for name, value in _expected_columns(uow, definition, standing, slices).items():
            if standing.record[name] != value:
                report.add(f"record.{name}", standing.record_id)


def _verify_ledger(standings: list[Standing], report: Report) -> None:
    for standing in standings:
        stays = standing.stays
        if not stays:
            if standing.record["pipeline_key"] is not None:
                report.add("stay.missing", standing.record_id)
            continue
        if any(stored.stay.is_running for stored in stays[:-1]) or not stays[-1].stay.is_running:
            report.add("stay.open", standing.record_id)
        for before, after in pairwise(stays):
            if before.stay.left_at != after.stay.entered_at:
                report.add("stay.gap", standing.record_id)
            if before.details["next_stage_key"] != after.stay.stage_key:
                report.add("stay.next", standing.record_id)


def _open_slices(uow: UnitOfWork, standings: list[Standing]) -> OpenSlices:
    """The open slices by record: one each, when all is well."""
    found: OpenSlices = {}
    for row in uow.session.execute(
        select(SliceRow.id, SliceRow.record_id, *(getattr(SliceRow, name) for name in REPORTED))
        .where(
            SliceRow.record_id.in_([standing.record_id for standing in standings]),
            SliceRow.valid_to.is_(None),
            SliceRow.superseded_at.is_(None),
        )
        .order_by(SliceRow.id)
    ):
        found.setdefault(row.record_id, []).append(row)
    return found


def _verify_slices(standings: list[Standing], slices: OpenSlices, report: Report) -> None:
    for standing in standings:
        found = [tuple(row)[2:] for row in slices.get(standing.record_id, ())]
        if found != [tuple(standing.record[name] for name in REPORTED)]:
            report.add("slice.open", standing.record_id)


def _verify_tokens_and_links(
    uow: UnitOfWork, definition: ObjectDefinition, standings: list[Standing], report: Report
) -> None:
    ids = [standing.record_id for standing in standings]
    tokens = _grouped(
        uow,
        select(SearchToken.record_id, SearchToken.token, SearchToken.field_key).where(
            SearchToken.record_id.in_(ids)
        ),
    )
    links = _grouped(
        uow, select(Link.record_id, Link.field_key, Link.target_id).where(Link.record_id.in_(ids))
    )
    numbers = _grouped(
        uow,
        select(GivenNumber.record_id, GivenNumber.field_key, GivenNumber.value).where(
            GivenNumber.record_id.in_(ids)
        ),
    )
    for standing in standings:
        shown = projected_of(standing)
        if tokens.get(standing.record_id, set()) != record_search_tokens(definition, shown):
            report.add("search_token", standing.record_id)
        wanted = {(row["field_key"], row["target_id"]) for row in link_rows(uow, definition, [shown])}
        if links.get(standing.record_id, set()) != wanted:
            report.add("link", standing.record_id)
        given = {
            (field.key, shown.data[field.key])
            for field in number_fields(definition)
            if shown.data.get(field.key)
        }
        if numbers.get(standing.record_id, set()) != given:
            report.add("given_number", standing.record_id)


def _grouped(uow: UnitOfWork, statement: Any) -> dict[int, set[tuple[Any, ...]]]:
    found: dict[int, set[tuple[Any, ...]]] = {}
    for row in uow.session.execute(statement):
        found.setdefault(row[0], set()).add(tuple(row)[1:])
    return found


def _verify_rollup(uow: UnitOfWork, expected: RollupChanges, report: Report) -> None:
    columns = [getattr(FunnelRollup, name) for name in (*ROLLUP_CELL, *SUMS)]
    places = len(ROLLUP_CELL)
    stored = {tuple(row[:places]): tuple(row[places:]) for row in uow.session.execute(select(*columns))}
    for key, added in pending(uow).cells(uow.workspace.id).items():
        stored[key] = tuple(map(sum, zip(stored.get(key, NOTHING), added, strict=True)))
    wanted = {key: tuple(sums) for key, sums in expected.cells(uow.workspace.id).items()}
    for key in stored.keys() | wanted.keys():
        if stored.get(key, NOTHING) != wanted.get(key, NOTHING):
            report.add("funnel_rollup", key)
