"""Doing the same to many records of a list: each as a single act would, refusals told one by one (B24).

A record that is refused is left out and the others go through, or nothing is done, as chosen. Whatever was
done is one batch, which can be undone; moves are not, for the ledger keeps what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.db.records import Record
from builder.errors import N_, FunnelwrightError, Invalid, NotFound, Problem, Unconfirmed
from builder.queries.row import names_of_visible
from builder.services.batches import open_batch, plain_values
from builder.services.bulk_acts import Act, Delete, Edit, NotMoved
from builder.services.unit_of_work import UnitOfWork

MOST_RECORDS = 500
NONE_CHOSEN = N_("Choose the records first.")
TOO_MANY = N_("At most %(limit)s records can be changed at once.")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A record of the list, and its revision that the person saw there; none where they chose by filter."""

    record_id: int
    revision: int | None


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that was left out, with every reason. ``name`` is empty where the actor does not see it.

    ``is_confirmable``: only warnings stand in the way. ``asked`` and ``is_overridable``: of a move, as in
    ``bulk_acts.NotMoved``.
    """

    record_id: int
    name: str
    problems: tuple[Problem, ...]
    is_confirmable: bool = False
    asked: tuple[tuple[str, str], ...] = ()
    is_overridable: bool = False

    @property
    def problem(self) -> Problem:
        return self.problems[0]


@dataclass(frozen=True, slots=True)
class BulkResult:
    """``batch_id``: what was done; ``None`` when nothing was written. ``waiting``: moves, among those done,
    that wait for approval.
    """

    batch_id: int | None
    done: int
    refused: tuple[RefusedRecord, ...]
    waiting: int = 0


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
    act = Edit(values, heeds_forms=False)
    return do_to_many(uow, object_key, chosen, act, is_all_or_nothing=is_all_or_nothing)


def delete_many(
    uow: UnitOfWork, object_key: str, chosen: Sequence[Chosen], *, is_all_or_nothing: bool = False
) -> BulkResult:
    """Put some records of an object into the recycle bin. The caller commits. Errors: as ``edit_many``."""
    return do_to_many(uow, object_key, chosen, Delete(), is_all_or_nothing=is_all_or_nothing)


def do_to_many(
    uow: UnitOfWork,
    object_key: str,
    chosen: Sequence[Chosen],
    act: Act,
    *,
    is_all_or_nothing: bool = False,
    asks_first: bool = False,
) -> BulkResult:
    """Do it to each of some records; the caller commits.

    Nothing is written when all are refused, when one is and ``is_all_or_nothing``, and when warnings are to
    be confirmed and ``asks_first``. Errors: Forbidden; Invalid for none or too many.
    """
    uow.begin()
    uow.require(act.right)
    if not chosen:
        raise Invalid(NONE_CHOSEN)
    if len(chosen) > MOST_RECORDS:
        raise Invalid(TOO_MANY, limit=MOST_RECORDS)
    with open_batch(uow, act.kind, object_key) as batch:
        refused, waiting = carry_out(uow, object_key, chosen, act)
        batch.done_records = len(chosen) - len(refused)
        batch.waiting_records = waiting
        batch.refused, batch.refused_records = refusals(refused), len(refused)
    is_asking = asks_first and any(one.is_confirmable for one in refused)
    if batch.done_records == 0 or is_asking or (refused and is_all_or_nothing):
        uow.rollback()
        return BulkResult(None, 0, refused)
    return BulkResult(batch.id, batch.done_records, refused, waiting)


def carry_out(
    uow: UnitOfWork, object_key: str, chosen: Sequence[Chosen], act: Act
) -> tuple[tuple[RefusedRecord, ...], int]:
    """Do it to each in a savepoint: those that were refused, and how many moves wait for approval."""
    ids = [one.record_id for one in chosen]
    known = set(
        uow.session.scalars(select(Record.id).where(Record.id.in_(ids), Record.object_key == object_key))
    )
    wrong: dict[int, FunnelwrightError] = {}
    waiting = 0
    for one in chosen:
        try:
            with uow.savepoint():
                if one.record_id not in known:
                    raise NotFound()
                waiting += act.carry_out(uow, object_key, one.record_id, one.revision)
        except FunnelwrightError as error:
            wrong[one.record_id] = error
    names = names_of_visible(uow.session, uow.actor, wrong)
    return tuple(_refused(record_id, names, error) for record_id, error in wrong.items()), waiting


def _refused(record_id: int, names: Mapping[int, str], error: FunnelwrightError) -> RefusedRecord:
    problems = error.problems or (Problem(error.message_key, "", error.values),)
    if isinstance(error, NotMoved):
        name = names.get(record_id, "")
        return RefusedRecord(record_id, name, problems, False, error.asked, error.is_overridable)
    return RefusedRecord(record_id, names.get(record_id, ""), problems, isinstance(error, Unconfirmed))


def refusals(refused: Iterable[RefusedRecord]) -> list[list[Any]]:
    """What ``Batch.refused`` holds: a line for each reason."""
    return [
        [str(one.record_id), one.name, problem.message, plain_values(problem), problem.place]
        for one in refused
        for problem in one.problems
    ]
