"""A lead becomes an opportunity, with account and contact (S26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.domain.fields import Conversion
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.requirements import is_allowed
from builder.domain.transitions import Refused
from builder.errors import N_, Conflict, Invalid, Problem, Unconfirmed
from builder.queries.record import find_record
from builder.services.entries import Entry
from builder.services.ledger import Standing
from builder.services.records import problem_of_unmet
from builder.services.standings import load_standing
from builder.services.successors import Wanted, succeed, was_converted
from builder.services.transitions import MoveRecord, Waiting, move
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import NO_RECORD, NOT_SAVED

NOT_CONVERTIBLE = N_("Records of this kind cannot be converted.")
ALREADY_CLOSED = N_("“%(name)s” is closed already and cannot be converted.")
CONVERTED = N_("“%(name)s” was converted already.")
CHOOSE_STAGE = N_("Choose how the record is closed.")
NEEDS_APPROVAL = N_("Closing “%(name)s” needs an approval first. Move it to be approved, then convert it.")


@dataclass(frozen=True)
class ConvertRecord:
    """What to convert, and values that differ from what the mapping would carry over.

    ``values``: object key → field values. ``existing``: object key → id of a record to use instead of
    a new one; the main one is always new. ``to_stage``: the won stage that closes the record, where its
    pipeline has several. ``pipeline_key``: the process that the main record enters, ``None`` for the one that
    the rules say (S6–S9), else that of the conversion. ``is_confirmed``: the warnings of both pipelines were
    read.
    """

    record_id: int
    revision: int | None = None
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    existing: Mapping[str, int] = field(default_factory=dict)
    reason_key: str | None = None
    to_stage: str | None = None
    is_confirmed: bool = False
    pipeline_key: str | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """Ids of the made (or chosen) records by object key; ``main`` is the one that entered a pipeline."""

    main: int
    records: Mapping[str, int]


def convert(uow: UnitOfWork, command: ConvertRecord) -> Converted:
    """Close the record as converted and make its successors; the main one enters the first stage.

    One transaction: if the gate refuses the closing or a successor is not valid, nothing is written.
    Errors: NotFound, Forbidden, Stale, Conflict (closed or converted already), Invalid with every reason,
    Unconfirmed when only warnings stand in the way.
    """
    uow.begin()
    uow.require("record.create")
    standing = load_standing(uow, command.record_id, command.revision)
    definition = uow.catalog.object(standing.record["object_key"])
    conversion = definition.conversion
    if conversion is None:
        raise Invalid(NOT_CONVERTIBLE)
    existing = _existing(uow, conversion, command.existing)
    _refuse_converted(uow, standing, conversion)
    _close(uow, standing, command)
    entry = Entry(
        command.pipeline_key,
        origin="convert",
        is_confirmed=command.is_confirmed,
        otherwise=conversion.pipeline,
    )
    made = succeed(uow, uow.actor, definition, conversion, standing, Wanted(entry, command.values, existing))
    return Converted(made[conversion.main], made)


def _refuse_converted(uow: UnitOfWork, standing: Standing, conversion: Conversion) -> None:
    """Errors: Conflict when it is closed, or was converted and what it became is there."""
    pipeline, name = standing.pipeline, standing.record["name"]
    if pipeline is not None and (
        not pipeline.of_kind("won") or not pipeline.by_key[standing.record["stage_key"]].is_open
    ):
        raise Conflict(ALREADY_CLOSED, name=name)
    if was_converted(uow, standing, conversion):
        raise Conflict(CONVERTED, name=name)


def closing_stages(pipeline: Pipeline, stage_key: str | None) -> tuple[Stage, ...]:
    """The won stages that a conversion may close a record in: those that the pipeline allows from here."""
    present = pipeline.by_key.get(stage_key or "")
    if present is None or not present.is_open:
        return ()
    return tuple(stage for stage in pipeline.of_kind("won") if is_allowed(pipeline, present, stage))


def _existing(uow: UnitOfWork, conversion: Conversion, chosen: Mapping[str, int]) -> dict[str, int]:
    """Errors: Invalid unless each is a record of a target's object that the actor sees."""
    replaceable = {object_key for object_key, _ in conversion.targets} - {conversion.main}
    for object_key, record_id in chosen.items():
        opened = find_record(uow.session, uow.actor, record_id) if object_key in replaceable else None
        if opened is None or opened.record.object_key != object_key:
            raise Invalid(NOT_SAVED, problems=(Problem(NO_RECORD, object_key),))
    return dict(chosen)


def _close(uow: UnitOfWork, standing: Standing, command: ConvertRecord) -> None:
    """Through the one door, to a won stage of its pipeline; a record in no pipeline stays as it is."""
    pipeline, name = standing.pipeline, standing.record["name"]
    if pipeline is None:
        return
    target = _closing_stage(pipeline, standing.record["stage_key"], command.to_stage)
    result = move(
        uow,
        MoveRecord(
            standing.record_id,
            target,
            reason_key=command.reason_key,
            is_confirmed=command.is_confirmed,
            has_successors=False,
        ),
    )
    if isinstance(result, Refused):
        problems = tuple(problem_of_unmet(item) for item in result.unmet)
        if result.is_confirmable:
            raise Unconfirmed(problems=problems)
        raise Invalid(NOT_SAVED, problems=problems)
    if isinstance(result, Waiting):
        raise Conflict(NEEDS_APPROVAL, name=name)


def _closing_stage(pipeline: Pipeline, stage_key: str, chosen: str | None) -> str:
    """The stage that was chosen, or the only one there is. Errors: Invalid when somebody must choose."""
    won = [stage.key for stage in pipeline.of_kind("won")]
    if chosen is not None:
        if chosen not in won:
            raise Invalid(NOT_SAVED, problems=(Problem(CHOOSE_STAGE, "to_stage"),))
        return chosen
    possible = won if len(won) == 1 else [stage.key for stage in closing_stages(pipeline, stage_key)]
    if len(possible) != 1:
        raise Invalid(NOT_SAVED, problems=(Problem(CHOOSE_STAGE, "to_stage"),))
    return possible[0]
