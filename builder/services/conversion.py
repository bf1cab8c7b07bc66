"""A lead becomes an opportunity, with account and contact (S26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, select

from builder.db.ledger import EventRow
from builder.db.records import Record
from builder.domain.fields import Conversion, ObjectDefinition
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.requirements import is_allowed
from builder.domain.transitions import Refused
from builder.errors import N_, Conflict, Invalid, Problem, Unconfirmed
from builder.queries.record import find_record
from builder.services.entries import Entry
from builder.services.ledger import Standing
from builder.services.records import NewRecord, create, problem_of_unmet
from builder.services.standings import load_standing
from builder.services.transitions import MoveRecord, Waiting, move
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import NO_RECORD, NOT_SAVED, ids_named

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
    made = _existing(uow, conversion, command.existing)
    _close(uow, standing, command)
    carried_ids = ids_named(definition.fields, standing.record["data"])
    for object_key, mapping in conversion.targets:
        if object_key in made:
            continue
        carried = _carried(definition, standing, mapping, made)
        carried = _without_hidden(uow.actor, definition, object_key, mapping, carried)
        values = carried | dict(command.values.get(object_key, {}))
        new = NewRecord(
            values,
            _entry(conversion, command) if object_key == conversion.main else None,
            converted_from_id=standing.record_id,
            # What the record names already and what is made beside it goes over, seen or not.
            known_ids=carried_ids | {standing.record_id, *made.values()},
            carried=carried.keys() - command.values.get(object_key, {}).keys(),
        )
        made[object_key] = create(uow, object_key, new).record_id
    uow.log(
        "record.converted",
        record_id=standing.record_id,
        object_key=definition.key,
        data={"into": {key: str(record_id) for key, record_id in made.items()}},
    )
    return Converted(made[conversion.main], made)


def _entry(conversion: Conversion, command: ConvertRecord) -> Entry:
    return Entry(
        command.pipeline_key,
        origin="convert",
        is_confirmed=command.is_confirmed,
        otherwise=conversion.pipeline,
    )


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
        if _was_converted(uow, standing.record_id):
            raise Conflict(CONVERTED, name=name)
        return
    if not pipeline.of_kind("won") or not pipeline.by_key[standing.record["stage_key"]].is_open:
        raise Conflict(ALREADY_CLOSED, name=name)
    target = _closing_stage(pipeline, standing.record["stage_key"], command.to_stage)
    result = move(
        uow,
        MoveRecord(
            standing.record_id, target, reason_key=command.reason_key, is_confirmed=command.is_confirmed
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


def _was_converted(uow: UnitOfWork, record_id: int) -> bool:
    """By its log; the record's row is locked, so nobody converts it at the same time."""
    if uow.has_logged("record.converted", record_id):
        return True
    events = exists().where(EventRow.record_id == record_id, EventRow.kind == "record.converted")
    return bool(uow.session.scalar(select(Record.id).where(Record.id == record_id, events)))


def _without_hidden(
    actor: Actor,
    definition: ObjectDefinition,
    object_key: str,
    mapping: tuple[tuple[str, str], ...],
    carried: dict[str, Any],
) -> dict[str, Any]:
    """What is hidden goes over into what is hidden only: elsewhere the successor would show it (S118)."""
    here, there = actor.veils.get(definition.key), actor.veils.get(object_key)
    if here is None:
        return carried
    unseen = there.fields if there else frozenset()
    shown = {target for target, source in mapping if source in here.fields and target not in unseen}
    return {key: value for key, value in carried.items() if key not in shown}


def _carried(
    definition: ObjectDefinition,
    standing: Standing,
    mapping: tuple[tuple[str, str], ...],
    made: Mapping[str, int],
) -> dict[str, Any]:
    """Values by the mapping: a source field's value, or with ``@object`` the record just made.

    ``@self`` is the source itself.
    """
    known = {**made, "self": standing.record_id}
    carried: dict[str, Any] = {}
    for target, source in mapping:
        if source.startswith("@"):
            if source[1:] in known:
                carried[target] = str(known[source[1:]])
        elif standing.record["data"].get(source) is not None:
            carried[target] = standing.record["data"][source]
    return carried
