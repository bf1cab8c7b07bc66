"""A lead becomes an opportunity, with account and contact (S26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.domain.fields import Conversion, ObjectDefinition
from builder.domain.transitions import Refused
from builder.errors import N_, Conflict, Invalid
from builder.services.entries import Entry
from builder.services.ledger import Standing
from builder.services.records import NewRecord, Saved, create, problem_of_unmet
from builder.services.standings import load_standing
from builder.services.transitions import MoveRecord, Waiting, move
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import NOT_SAVED

NOT_CONVERTIBLE = N_("Records of this kind cannot be converted.")
ALREADY_CLOSED = N_("“%(name)s” is closed already and cannot be converted.")
NEEDS_APPROVAL = N_("Closing “%(name)s” needs an approval first. Move it to be approved, then convert it.")


@dataclass(frozen=True)
class ConvertRecord:
    """What to convert, and values that differ from what the mapping would carry over.

    ``values``: object key → field values. ``existing``: object key → id of a record to use instead of
    a new one.
    """

    record_id: int
    revision: int | None = None
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    existing: Mapping[str, int] = field(default_factory=dict)
    reason_key: str | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """Ids of the made (or chosen) records by object key; ``main`` is the one that entered a pipeline."""

    main: int
    records: Mapping[str, int]


def convert(uow: UnitOfWork, command: ConvertRecord) -> Converted:
    """Close the record as converted and make its successors; the main one enters the first stage.

    One transaction: if the gate refuses the closing or a successor is not valid, nothing is written.
    Errors: NotFound, Forbidden, Stale, Conflict (closed already), Invalid with every reason.
    """
    uow.begin()
    standing = load_standing(uow, command.record_id, command.revision)
    definition = uow.catalog.object(standing.record["object_key"])
    if definition.conversion is None:
        raise Invalid(NOT_CONVERTIBLE)
    _close(uow, standing, command)
    made: dict[str, int] = dict(command.existing)
    for object_key, mapping in definition.conversion.targets:
        if object_key not in made:
            values = _carried(definition, standing, mapping, made) | dict(command.values.get(object_key, {}))
            made[object_key] = _make(
                uow, definition.conversion, object_key, values, standing.record_id
            ).record_id
    main = made[definition.conversion.main]
    uow.log(
        "record.converted",
        record_id=standing.record_id,
        object_key=definition.key,
        data={"into": {key: str(record_id) for key, record_id in made.items()}},
    )
    return Converted(main, made)


def _close(uow: UnitOfWork, standing: Standing, command: ConvertRecord) -> None:
    """Through the one door, to the won stage of its pipeline; a record in no pipeline stays open."""
    pipeline = standing.pipeline
    if pipeline is None:
        return
    name = standing.record["name"]
    won = pipeline.of_kind("won")
    if not won or not pipeline.by_key[standing.record["stage_key"]].is_open:
        raise Conflict(ALREADY_CLOSED, name=name)
    result = move(
        uow,
        MoveRecord(standing.record_id, won[0].key, reason_key=command.reason_key, is_confirmed=True),
    )
    if isinstance(result, Refused):
        raise Invalid(NOT_SAVED, problems=tuple(problem_of_unmet(item) for item in result.unmet))
    if isinstance(result, Waiting):
        raise Conflict(NEEDS_APPROVAL, name=name)


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


def _make(
    uow: UnitOfWork, conversion: Conversion, object_key: str, values: dict[str, Any], source_id: int
) -> Saved:
    is_main = object_key == conversion.main
    entry = Entry(conversion.pipeline, origin="convert") if is_main else None
    return create(uow, object_key, NewRecord(values, entry, converted_from_id=source_id))
