"""Bringing in history from another system: an act of its own right, marked as loaded (idea 3, part 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from builder.db.ids import new_ids
from builder.domain.pipeline import Pipeline
from builder.domain.stays import NO_FACTS, EntryFacts, LoggedEntry, stays_from_log
from builder.services.entries import new_details
from builder.services.ledger import Ledger, SliceValues, Standing, StoredStay
from builder.services.numbers import numbered
from builder.services.ownership import departments_on
from builder.services.ready_records import ReadyRecords
from builder.services.records import NewRecord, Refusal, Saved, draft_of, draft_standing
from builder.services.standings import set_probability
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import check


class LoadedRecord(NamedTuple):
    """A record with the visits it made elsewhere, in file order. ``by``: who entered each visit, if known."""

    new: NewRecord
    entries: Sequence[LoggedEntry]
    by: Sequence[int | None] = ()


def load_histories(
    uow: UnitOfWork, object_key: str, pipeline_key: str, items: Sequence[LoadedRecord]
) -> list[Saved | Refusal]:
    """Create records with past stays; no gate is asked, and everything is marked as loaded. Order is kept.

    Values are checked as always. Errors: Forbidden, NotFound; KeyError for a stage that is not in the
    pipeline.
    """
    uow.begin()
    results, records = make_histories_ready(uow, object_key, pipeline_key, items)
    records.write(uow)
    return results


def make_histories_ready(
    uow: UnitOfWork, object_key: str, pipeline_key: str, items: Sequence[LoadedRecord]
) -> tuple[list[Saved | Refusal], ReadyRecords]:
    """What ``load_histories`` says and writes, as ``records.make_ready``."""
    uow.require("load_history")
    definition = uow.catalog.object(object_key)
    pipeline = uow.catalog.pipeline(pipeline_key)
    checked = check(uow, definition, [draft_of(item.new) for item in items])
    checked = numbered(uow, definition, checked)
    departments = departments_on(uow, uow.workspace.day_of(uow.clock.now()))
    uow.pause()
    ledger = Ledger(uow)
    details = {stage.key: new_details(uow, pipeline, stage) for stage in pipeline.stages}
    ids = iter(new_ids(sum(len(item.entries) for item in items)))
    results: list[Saved | Refusal] = []
    written: list[Standing] = []
    for item, values in zip(items, checked, strict=True):
        standing = draft_standing(uow, definition, item.new, values, departments)
        if isinstance(standing, Refusal):
            results.append(standing)
            continue
        standing.pipeline = pipeline
        ledger.put_stays(standing, _stored(standing.record, pipeline, item, details, ids))
        _place(uow, standing, pipeline)
        ledger.settle(standing, standing.stays[-1].stay.entered_at, _past_slices(standing))
        written.append(standing)
        results.append(Saved(standing.record_id, 1))
    return results, ReadyRecords.of(uow, definition, written, ledger)


def _stored(
    record: Mapping[str, Any],
    pipeline: Pipeline,
    item: LoadedRecord,
    details: Mapping[str, Mapping[str, Any]],
    ids: Iterator[int],
) -> list[StoredStay]:
    """The stays that the entries tell of; ``details``: what the stays of each stage begin with."""
    stays = stays_from_log(pipeline, _with_facts(record, pipeline, item.entries))
    following = [*(stay.stage_key for stay in stays[1:]), None]
    actors = [*item.by, *[None] * len(stays)]
    return [
        StoredStay(next(ids), stay, {**details[stay.stage_key], "next_stage_key": after, "entered_by": actor})
        for stay, after, actor in zip(stays, following, actors, strict=False)
    ]


def _place(uow: UnitOfWork, standing: Standing, pipeline: Pipeline) -> None:
    """Let the record stand where its last stay is."""
    last = standing.stays[-1].stay
    times = (stored.stay.entered_at for stored in standing.stays)
    standing.record.update(
        pipeline_key=pipeline.key,
        pipeline_version_id=pipeline.version_id,
        stage_key=last.stage_key,
        outcome=last.kind,
        stay_id=standing.stays[-1].id,
        stage_entered_at=last.entered_at,
        started_at=next((at for at in times if at is not None), None),
        closed_at=None if last.kind == "open" else last.entered_at,
        is_loaded=True,
    )
    set_probability(uow, standing)


def _with_facts(
    record: Mapping[str, Any], pipeline: Pipeline, entries: Sequence[LoggedEntry]
) -> list[LoggedEntry]:
    """An entry that says nothing of the record then is taken to have been as the record is now."""
    stages = pipeline.by_key
    now = (record["owner_id"], record["department_id"], record["amount_minor"], record["currency"], None)
    return [
        LoggedEntry(stage_key, at, EntryFacts(*now, stages[stage_key].probability))
        if facts is NO_FACTS
        else LoggedEntry(stage_key, at, facts)
        for stage_key, at, facts in entries
    ]


def _past_slices(standing: Standing) -> list[SliceValues]:
    """The ended slices that the loaded stays imply: one per stay but the last whose end is known.

    A slice without an end is the one that goes on, so a stage that was passed at an unknown time leaves none.
    """
    expected, category = standing.record["expected_close_on"], standing.record["forecast_category"]
    return [
        (
            stay.entered_at,
            following.entered_at,
            stay.pipeline_key,
            stay.stage_key,
            stay.kind,
            stay.amount_minor,
            stay.currency,
            expected,
            stay.probability,
            category,
            stay.owner_id,
            stay.department_id,
        )
        for (_, stay, _), (_, following, _) in pairwise(standing.stays)
        if following.entered_at is not None
    ]
