"""Changing many records of a list at once: each as a single act would, refusals told one by one (B24).

A record that is refused is left out and the others go through, or nothing is done, as chosen. Whatever was
done is one batch, which can be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.db.records import Record
from builder.errors import N_, FunnelwrightError, Invalid, NotFound, Problem
from builder.queries.row import names_of_visible
from builder.services.batches import open_batch, plain_values
from builder.services.deletion import delete
from builder.services.records import SaveRecord, save
from builder.services.unit_of_work import UnitOfWork

MOST_RECORDS = 500
NONE_CHOSEN = N_("Choose the records first.")
TOO_MANY = N_("At most %(limit)s records can be changed at once.")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A record of the list, and its revision that the person saw there."""

    record_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that was left out. ``name`` is empty where the actor does not see it."""

    record_id: int
    name: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class BulkResult:
    """``batch_id``: what can be undone; ``None`` when nothing was written."""

    batch_id: int | None
    done: int
    refused: tuple[RefusedRecord, ...]


def edit_many(
    uow: UnitOfWork,
    object_key: str,
    chosen: Sequence[Chosen],
    values: Mapping[str, Any],
    *,
    is_all_or_nothing: bool = False,
) -> BulkResult:
    """Give the same values to some records of an object; ``None`` empties a field. The caller commits.

    Errors: Forbidden; Invalid for none or too many.
    """
    uow.begin()
    uow.require("record.edit")

    def act(one: Chosen) -> None:
        save(uow, SaveRecord(one.record_id, values, one.revision))

    return _each(uow, "edit", object_key, chosen, act, is_all_or_nothing)


def delete_many(
    uow: UnitOfWork, object_key: str, chosen: Sequence[Chosen], *, is_all_or_nothing: bool = False
) -> BulkResult:
    """Put some records of an object into the recycle bin. The caller commits. Errors: as ``edit_many``."""
    uow.begin()
    uow.require("record.delete")

    def act(one: Chosen) -> None:
        delete(uow, one.record_id, one.revision)

    return _each(uow, "delete", object_key, chosen, act, is_all_or_nothing)


def _each(
    uow: UnitOfWork,
    kind: str,
    object_key: str,
    chosen: Sequence[Chosen],
    act: Callable[[Chosen], None],
    is_all_or_nothing: bool,
) -> BulkResult:
    if not chosen:
        raise Invalid(NONE_CHOSEN)
    if len(chosen) > MOST_RECORDS:
        raise Invalid(TOO_MANY, limit=MOST_RECORDS)
    ids = [one.record_id for one in chosen]
    known = set(
        uow.session.scalars(select(Record.id).where(Record.id.in_(ids), Record.object_key == object_key))
    )
    wrong: dict[int, Problem] = {}
    with open_batch(uow, kind, object_key) as batch:
        for one in chosen:
            try:
                with uow.savepoint():
                    if one.record_id not in known:
                        raise NotFound()
                    act(one)
            except FunnelwrightError as error:
                wrong[one.record_id] = (
                    error.problems[0] if error.problems else Problem(error.message_key, "", error.values)
                )
        refused = _named(uow, wrong)
        batch.done_records = len(chosen) - len(refused)
        batch.refused = [
            [str(one.record_id), one.name, one.problem.message, plain_values(one.problem), one.problem.place]
            for one in refused
        ]
    if batch.done_records == 0 or (refused and is_all_or_nothing):
        uow.rollback()
        return BulkResult(None, 0, refused)
    return BulkResult(batch.id, batch.done_records, refused)


def _named(uow: UnitOfWork, wrong: Mapping[int, Problem]) -> tuple[RefusedRecord, ...]:
    names = names_of_visible(uow.session, uow.actor, wrong)
    return tuple(
        RefusedRecord(record_id, names.get(record_id, ""), problem) for record_id, problem in wrong.items()
    )
