"""What a record becomes: the records that a conversion makes of it (S26), or a win by itself (S21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from builder.domain.fields import Conversion, ObjectDefinition
from builder.domain.permissions import Actor
from builder.errors import N_, Invalid
from builder.queries.successors import successors_of
from builder.services.entries import Entry
from builder.services.ledger import Standing
from builder.services.records import NewRecord, create
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import ids_named

NOT_BEGUN = N_("“%(name)s” cannot be won yet: what follows it, “%(object)s”, cannot begin.")


@dataclass(frozen=True)
class Wanted:
    """How successors are made. ``entry``: into which process the main one enters; ``values``: object key →
    what differs from the mapping; ``existing``: object key → id of a record that is used instead.
    """

    entry: Entry
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    existing: Mapping[str, int] = field(default_factory=dict)


def succeed(
    uow: UnitOfWork,
    reader: Actor,
    definition: ObjectDefinition,
    conversion: Conversion,
    standing: Standing,
    wanted: Wanted,
) -> dict[str, int]:
    """Make the successors; ids by object key, chosen ones among them. The source's row is locked.

    ``reader``: from whom hidden values stay hidden. Errors: Invalid when one of them is not valid.
    """
    made = dict(wanted.existing)
    carried_ids = ids_named(definition.fields, standing.record["data"])
    for object_key, mapping in conversion.targets:
        if object_key in made:
            continue
        given = wanted.values.get(object_key, {})
        carried = _carried(standing, mapping, made)
        carried = _without_hidden(reader, definition, object_key, mapping, carried)
        new = NewRecord(
            carried | dict(given),
            wanted.entry if object_key == conversion.main else None,
            converted_from_id=standing.record_id,
            # What the record names already and what is made beside it goes over, seen or not.
            known_ids=carried_ids | {standing.record_id, *made.values()},
            carried=carried.keys() - given.keys(),
        )
        made[object_key] = create(uow, object_key, new).record_id
    uow.log(
        "record.converted",
        record_id=standing.record_id,
        object_key=definition.key,
        data={"into": {key: str(record_id) for key, record_id in made.items()}},
    )
    return made


def follow_win(uow: UnitOfWork, definition: ObjectDefinition, standing: Standing) -> dict[str, int]:
    """What begins by itself because the record was won: once, and whoever won it (S21).

    The product does it: no right to make records and no department's process stands in the way.
    Errors: Invalid, with what the successor lacks; then nothing is won either.
    """
    conversion = definition.conversion
    if conversion is None or not conversion.is_automatic or was_converted(uow, standing, conversion):
        return {}
    entry = Entry(None, origin="convert", is_confirmed=True, otherwise=conversion.pipeline)
    reader = uow.actor
    uow.actor = replace(reader, is_system=True, veils={})
    try:
        return succeed(uow, reader, definition, conversion, standing, Wanted(entry))
    except Invalid as error:
        label = uow.catalog.object(conversion.main).label
        raise Invalid(
            NOT_BEGUN, problems=error.problems, name=standing.record["name"], object=label
        ) from error
    finally:
        uow.actor = reader


def was_converted(uow: UnitOfWork, standing: Standing, conversion: Conversion) -> bool:
    """Whether what it was converted into, the main record of its conversion, is there: live, or merged into
    one that is. What lies in the recycle bin is not. The record's row is locked, so nobody converts it at the
    same time.
    """
    if uow.has_logged("record.converted", standing.record_id):
        return True
    return any(each.is_live for each in successors_of(uow.session, standing.record_id, conversion.main))


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
    standing: Standing, mapping: tuple[tuple[str, str], ...], made: Mapping[str, int]
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
