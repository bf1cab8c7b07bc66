"""Beginning a process: which one the rules say, and whether the person may start it (S6–S10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from builder.domain.assignment import choose
from builder.domain.comparison import EvaluationContext
from builder.domain.fields import ObjectDefinition
from builder.domain.moves import Unmet
from builder.errors import N_
from builder.queries.assignment import Starter, keys_of, situations, starter_of
from builder.services.entries import Entry
from builder.services.unit_of_work import UnitOfWork

NOT_OPEN = N_("The process “%(pipeline)s” is not open to your department. Choose another one.")
NO_PROCESS = N_("No rule says which process this record enters. Choose one.")
NONE_OPEN = N_("No process is open to your department. Ask an admin.")


def entering(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    entries: Sequence[Entry | None],
    values: Sequence[Mapping[str, Any]],
) -> list[Entry | Unmet | None]:
    """Each entry with its process: the one that it names or the one that the rules say for the values, if the
    actor may start it; otherwise why not. Records without an entry enter none.

    A number of statements that does not depend on the number of records: none without rules and departments.
    """
    if not any(entries):
        return [None for _ in entries]
    starter = _starter(uow, definition)
    by_rule = [place for place, entry in enumerate(entries) if entry and entry.pipeline_key is None]
    chosen = dict(zip(by_rule, _chosen(uow, definition, starter, entries, values, by_rule), strict=True))
    found: list[Entry | Unmet | None] = []
    for place, entry in enumerate(entries):
        if entry is None:
            found.append(None)
            continue
        key = chosen.get(place, entry.pipeline_key)
        found.append(refusal(uow, definition, key, starter) or replace(entry, pipeline_key=key))
    return found


def refusal(
    uow: UnitOfWork, definition: ObjectDefinition, pipeline_key: str | None, starter: Starter
) -> Unmet | None:
    """Why the actor may not start the process; the product itself may start any."""
    is_open = definition.assignment.is_open
    if pipeline_key is None:
        has_any = any(is_open(key, starter.departments) for key in keys_of(uow.catalog, definition))
        return Unmet("process", "block", NO_PROCESS if has_any else NONE_OPEN, {}, is_overridable=False)
    if uow.actor.is_system or is_open(pipeline_key, starter.departments):
        return None
    pipeline = uow.catalog.pipeline(pipeline_key)
    return Unmet("process", "block", NOT_OPEN, {"pipeline": pipeline.label}, is_overridable=False)


def _starter(uow: UnitOfWork, definition: ObjectDefinition) -> Starter:
    today = uow.workspace.day_of(uow.clock.now())
    return starter_of(uow.session, uow.actor, definition.assignment, today)


def _chosen(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    starter: Starter,
    entries: Sequence[Entry | None],
    values: Sequence[Mapping[str, Any]],
    places: Sequence[int],
) -> list[str | None]:
    """The processes that the rules say, as the actor sees definitions and records (S118)."""
    seen = uow.shown.objects.get(definition.key, definition)
    now = uow.clock.now()
    context = EvaluationContext(now, uow.workspace.time_zone, uow.actor.member_id, uow.actor.department_ids)
    asked = situations(
        uow.session, uow.shown, seen, seen.assignment, [values[place] for place in places], starter, context
    )
    keys = keys_of(uow.catalog, definition)
    found = []
    for place, situation in zip(places, asked, strict=True):
        entry = entries[place]
        found.append(
            choose(seen.assignment, keys, situation, entry.otherwise if entry else None).pipeline_key
        )
    return found
