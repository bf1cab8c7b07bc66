"""Bringing in history from another system: an act of its own right, marked as loaded (idea 3, part 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.domain.stays import NO_FACTS, EntryFacts, LoggedEntry, stays_from_log
from builder.services.entries import new_stored
from builder.services.ledger import Ledger, Standing, StoredStay
from builder.services.ownership import departments_on
from builder.services.records import NewRecord, Refusal, Saved, draft_standing, insert_records
from builder.services.standings import set_probability
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import Draft, check


@dataclass(frozen=True)
class LoadedRecord:
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
    uow.require("load_history")
    definition = uow.catalog.object(object_key)
    pipeline = uow.catalog.pipeline(pipeline_key)
    checked = check(
        uow, definition.fields, [Draft({}, item.new.values, item.new.known_ids) for item in items]
    )
    departments = departments_on(uow, uow.workspace.day_of(uow.clock.now()))
    ledger = Ledger(uow)
    results: list[Saved | Refusal] = []
    written: list[Standing] = []
    for item, values in zip(items, checked, strict=True):
        standing = draft_standing(uow, definition, item.new, values, departments)
        if isinstance(standing, Refusal):
            results.append(standing)
            continue
        _put_history(uow, definition, standing, pipeline, item, ledger)
        written.append(standing)
        results.append(Saved(standing.record_id, 1))
    insert_records(uow, definition, written, ledger)
    return results


def _put_history(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    standing: Standing,
    pipeline: Pipeline,
    item: LoadedRecord,
    ledger: Ledger,
) -> None:
    record = standing.record
    ledger.watch(standing, is_new=True)
    standing.pipeline = pipeline
    entries = [_with_facts(record, pipeline, entry) for entry in item.entries]
    stays = stays_from_log(pipeline, entries)
    for index, stay in enumerate(stays):
        stored = new_stored(uow, pipeline, pipeline.by_key[stay.stage_key], stay)
        following = stays[index + 1].stage_key if index + 1 < len(stays) else None
        actor = item.by[index] if index < len(item.by) else None
        ledger.put_stay(
            standing,
            StoredStay(stored.id, stay, {**stored.details, "next_stage_key": following, "entered_by": actor}),
        )
    last = stays[-1]
    known = [stay.entered_at for stay in stays if stay.entered_at is not None]
    is_open = pipeline.by_key[last.stage_key].is_open
    record.update(
        pipeline_key=pipeline.key,
        pipeline_version_id=pipeline.version_id,
        stage_key=last.stage_key,
        outcome=last.kind,
        stay_id=standing.stays[-1].id,
        stage_entered_at=last.entered_at,
        started_at=known[0] if known else None,
        closed_at=None if is_open else last.entered_at,
        is_loaded=True,
    )
    set_probability(uow, standing)
    ledger.settle_history(standing, _past_slices(record, standing))


def _with_facts(record: dict[str, Any], pipeline: Pipeline, entry: LoggedEntry) -> LoggedEntry:
    """An entry that says nothing of the record then is taken to have been as the record is now."""
    if entry.facts is not NO_FACTS:
        return entry
    probability = pipeline.by_key[entry.stage_key].probability
    facts = EntryFacts(
        record["owner_id"],
        record["department_id"],
        record["amount_minor"],
        record["currency"],
        None,
        probability,
    )
    return LoggedEntry(entry.stage_key, entry.at, facts)


def _past_slices(record: dict[str, Any], standing: Standing) -> list[dict[str, Any]]:
    """The ended slices that the loaded stays imply, one per stay but the last."""
    stays = [stored.stay for stored in standing.stays]
    return [
        {
            "valid_from": stay.entered_at,
            "valid_to": following.entered_at,
            "pipeline_key": stay.pipeline_key,
            "stage_key": stay.stage_key,
            "outcome": stay.kind,
            "amount_minor": stay.amount_minor,
            "currency": stay.currency,
            "expected_close_on": record["expected_close_on"],
            "probability": stay.probability,
            "forecast_category": record["forecast_category"],
            "owner_id": stay.owner_id,
            "department_id": stay.department_id,
        }
        for stay, following in pairwise(stays)
    ]
