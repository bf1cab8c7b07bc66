"""Creating, saving, deleting and restoring records: the one door for values (idea 3).

Single writes are bulk writes of one: ``create_many`` serves the form, the import and the demo, so that their
rows are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from builder.db.ids import new_id
from builder.db.records import Record
from builder.db.rows import update_rows
from builder.domain.fields import ObjectDefinition
from builder.domain.moves import FieldViolation, Unmet
from builder.errors import N_, FunnelwrightError, Invalid, Problem, Stale, Unconfirmed
from builder.services.assignment import entering
from builder.services.entries import Entry, plan_entry
from builder.services.files import attach
from builder.services.ledger import Ledger, Standing
from builder.services.numbers import numbered
from builder.services.ownership import department_of, departments_on
from builder.services.projections import Projected, write_links, write_tokens
from builder.services.ready_records import ReadyRecords
from builder.services.standings import COLUMNS, apply_values, load_standing
from builder.services.totals import note_row
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import NOT_SAVED, Checked, Draft, check, problem_of

_BLANK: dict[str, Any] = dict.fromkeys(COLUMNS)
MAY_NOT_REASSIGN = N_("Your role may not give records to somebody else.")


@dataclass(frozen=True)
class NewRecord:
    """A record to be created.

    ``values`` are JSON values by field key. ``entry``: the pipeline that it enters, or None.
    ``external_key``: its key in the file it came from. ``created_at``: for loaded history only.
    ``known_ids``, ``carried``: as in ``values.Draft``.
    """

    values: Mapping[str, Any]
    entry: Entry | None = None
    external_key: str | None = None
    converted_from_id: int | None = None
    created_at: datetime | None = None
    id: int = field(default_factory=new_id)
    known_ids: Set[int] = frozenset()
    carried: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Saved:
    """A record that was written. ``warnings`` are old faults in fields that the save did not touch."""

    record_id: int
    revision: int
    changed: tuple[str, ...] = ()
    warnings: tuple[FieldViolation, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was not written, with every reason: faults of values, unmet conditions of the entry.

    ``is_confirmable``: only warnings of the entry, which may be confirmed.
    """

    faults: tuple[FieldViolation, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    is_confirmable: bool = False

    def raise_it(self) -> None:
        """Errors: Invalid, always; Unconfirmed when only warnings are to be confirmed."""
        problems = tuple(problem_of(fault) for fault in self.faults)
        problems += tuple(problem_of_unmet(item) for item in self.unmet)
        if self.is_confirmable:
            raise Unconfirmed(problems=problems)
        raise Invalid(NOT_SAVED, problems=problems)


def problem_of_unmet(item: Unmet) -> Problem:
    """Placed at the field of the record; what is missing in the stage's feedback has no place in it."""
    place = "" if item.kind == "feedback" else item.field or ""
    return Problem(item.message_key, place, dict(item.values))


@dataclass(frozen=True)
class SaveRecord:
    """Change some values of a record; ``None`` empties a field. ``revision``: the one the person saw."""

    record_id: int
    values: Mapping[str, Any]
    revision: int | None = None
    known_ids: Set[int] = frozenset()


def create(uow: UnitOfWork, object_key: str, new: NewRecord) -> Saved:
    """Create one record. Errors: Forbidden, NotFound (object), Invalid with every problem."""
    (result,) = create_many(uow, object_key, [new])
    if isinstance(result, Refusal):
        result.raise_it()
    assert isinstance(result, Saved)
    return result


def create_many(uow: UnitOfWork, object_key: str, news: Sequence[NewRecord]) -> list[Saved | Refusal]:
    """Create the records that are valid; refuse the others, each with all its reasons. Order is kept.

    Those with an entry enter the process that it names, or that the rules say (``services.assignment``).

    A number of statements that does not depend on the number of records. Errors: Forbidden, NotFound.
    """
    uow.begin()
    results, records = make_ready(uow, object_key, news)
    records.write(uow)
    return results


def make_ready(
    uow: UnitOfWork, object_key: str, news: Sequence[NewRecord]
) -> tuple[list[Saved | Refusal], ReadyRecords]:
    """What ``create_many`` says and writes. Nothing is written here, unless the object has automatic numbers:
    they are taken at once.
    """
    uow.require("record.create")
    definition = uow.catalog.object(object_key)
    news = [_with_owner(uow, definition, new) for new in news]
    checked = check(uow, definition, [draft_of(new) for new in news])
    checked = numbered(uow, definition, checked)
    departments = _departments(uow, definition, news)
    entries = entering(uow, definition, [new.entry for new in news], [values.data for values in checked])
    uow.pause()
    ledger = Ledger(uow)
    results: list[Saved | Refusal] = []
    written: list[Standing] = []
    for new, values, entry in zip(news, checked, entries, strict=True):
        outcome = _new_standing(uow, definition, new, entry, values, departments, ledger)
        if isinstance(outcome, Standing):
            written.append(outcome)
            results.append(Saved(new.id, 1))
        else:
            results.append(outcome)
    return results, ReadyRecords.of(uow, definition, written, ledger)


def draft_of(new: NewRecord) -> Draft:
    return Draft({}, new.values, new.known_ids, new.carried)


def save(uow: UnitOfWork, command: SaveRecord) -> Saved:
    """Change values of one record. Nothing changed: nothing is written.

    Errors: Forbidden, NotFound, Stale, Invalid with one problem per touched faulty field.
    """
    uow.begin()
    uow.require("record.edit")
    standing = load_standing(uow, command.record_id, command.revision)
    definition = uow.catalog.object(standing.record["object_key"])
    (checked,) = check(uow, definition, [Draft(standing.record["data"], command.values, command.known_ids)])
    checked.raise_for_faults()
    return write_values(uow, definition, standing, checked)


def write_values(
    uow: UnitOfWork, definition: ObjectDefinition, standing: Standing, checked: Checked
) -> Saved:
    """Write checked values of an existing record, with copies, slice, roll-up and history (S30)."""
    before = standing.record["data"]
    changed = changed_keys(before, checked.data)
    if not changed:
        return Saved(standing.record_id, standing.record["revision"], (), checked.old_faults)
    ledger = Ledger(uow)
    change_values(uow, definition, standing, checked.data)
    ledger.settle(standing, uow.clock.now())
    write_record(uow, standing)
    ledger.write()
    write_copies(uow, definition, standing, changed)
    # What a change of type put aside is of no field, and nothing would hide it where its field is hidden.
    told = [key for key in changed if "@" not in key]
    uow.log(
        "record.changed",
        record_id=standing.record_id,
        object_key=definition.key,
        data={
            "before": {key: before.get(key) for key in told},
            "after": {key: checked.data.get(key) for key in told},
        },
    )
    return Saved(standing.record_id, standing.record["revision"], changed, checked.old_faults)


def change_values(
    uow: UnitOfWork, definition: ObjectDefinition, standing: Standing, data: dict[str, Any]
) -> None:
    """Put new values into the row; a new owner brings their department, by right only (S48)."""
    owner_before = standing.record["owner_id"]
    apply_values(uow, definition, standing, data)
    owner = standing.record["owner_id"]
    if owner == owner_before:
        return
    holder = definition.fields.by_role.get("owner")
    # Where the object has no such field any more the record has become the company's.
    if holder is not None and owner_before is not None and not uow.actor.can("record.reassign"):
        fault = FieldViolation(holder.key, MAY_NOT_REASSIGN, {}, f"/{holder.key}")
        Refusal(faults=(fault,)).raise_it()
    standing.record["department_id"] = department_of(uow, owner)


def put_back(uow: UnitOfWork, standing: Standing, values: Mapping[str, Any]) -> Saved:
    """Give a record former values again, right or wrong: they were there before (B24).

    Errors: Invalid when the owner would change and the actor may not reassign.
    """
    definition = uow.catalog.object(standing.record["object_key"])
    merged = {key: value for key, value in {**standing.record["data"], **values}.items() if value is not None}
    data = definition.fields.computation.apply(merged)
    return write_values(uow, definition, standing, Checked(data, frozenset(values), (), ()))


def write_record(uow: UnitOfWork, standing: Standing) -> None:
    """Write the row at its next revision. Errors: Stale when it changed since it was loaded."""
    write_records(uow, [standing])


def write_records(uow: UnitOfWork, standings: Sequence[Standing]) -> None:
    """Write rows at their next revisions, those that follow each other and change alike in one statement.

    Errors: Stale when one changed since it was loaded; many are loaded under their locks.
    """
    now = uow.clock.now()
    for standing in standings:
        seen = standing.record["revision"]
        standing.record.update(revision=seen + 1, updated_at=now, updated_by=uow.actor.member_id)
    for (seen, values), alike in groupby(standings, _change):
        ids = [standing.record_id for standing in alike]
        where = {"id": ids if len(ids) > 1 else ids[0], "revision": seen}
        if update_rows(uow.session, Record, values, where) != len(ids):
            raise Stale(record_id=ids[0], revision=seen)
    for standing in standings:
        before, record = standing.stored, standing.record
        note_row(uow, before, record)
        definition = uow.catalog.object(record["object_key"])
        attach(uow, definition, standing.record_id, before["data"], record["data"])
        standing.stored = dict(record)


def _change(standing: Standing) -> tuple[int, dict[str, Any]]:
    """The revision that a row was loaded with, and its columns that changed since."""
    record, stored = standing.record, standing.stored
    return stored["revision"], {name: record[name] for name in COLUMNS if record[name] != stored[name]}


def write_copies(
    uow: UnitOfWork, definition: ObjectDefinition, standing: Standing, changed: Sequence[str]
) -> None:
    """Renew search tokens and links, if what they are made from changed."""
    names = {item.key for item in definition.fields if item.role == "name"}
    if names.union(definition.search_fields, definition.duplicate_keys).intersection(changed):
        write_tokens(uow, definition, [projected_of(standing)])
    if any(
        definition.fields.by_key[key].type == "reference"
        for key in changed
        if key in definition.fields.by_key
    ):
        write_links(uow, definition, [projected_of(standing)])


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(key for key in {*before, *after} if before.get(key) != after.get(key)))


def projected_of(standing: Standing) -> Projected:
    """What search tokens and links of a record are made from."""
    record = standing.record
    return Projected(standing.record_id, record["name"], record["data"], record["deleted_at"] is None)


def _with_owner(uow: UnitOfWork, definition: ObjectDefinition, new: NewRecord) -> NewRecord:
    """Nobody named: the record is the actor's own."""
    owner = definition.fields.by_role.get("owner")
    if owner is None or new.values.get(owner.key) is not None or not uow.actor.member_id:
        return new
    own = {**new.values, owner.key: str(uow.actor.member_id)}
    return replace(new, values=own, carried=new.carried | {owner.key})


def _departments(
    uow: UnitOfWork, definition: ObjectDefinition, news: Sequence[NewRecord]
) -> Mapping[int, int]:
    owner = definition.fields.by_role.get("owner")
    own = uow.actor.department_ids
    if own and owner and {str(new.values.get(owner.key)) for new in news} == {str(uow.actor.member_id)}:
        return {uow.actor.member_id: own[0]}
    return departments_on(uow, uow.workspace.day_of(uow.clock.now()))


def _new_standing(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    new: NewRecord,
    entry: Entry | Unmet | None,
    checked: Checked,
    departments: Mapping[int, int],
    ledger: Ledger,
) -> Standing | Refusal:
    standing = draft_standing(uow, definition, new, checked, departments)
    if isinstance(standing, Refusal):
        return standing
    if isinstance(entry, Unmet):
        return Refusal(unmet=(entry,))
    if entry is not None:
        refused = plan_entry(uow, definition, standing, entry, ledger, standing.record["created_at"])
        if refused is not None:
            return Refusal(unmet=refused.unmet, is_confirmable=refused.is_confirmable)
    ledger.settle(standing, new.created_at or uow.clock.now())
    return standing


def draft_standing(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    new: NewRecord,
    checked: Checked,
    departments: Mapping[int, int],
) -> Standing | Refusal:
    """The row of a new record with its values and copies, in no pipeline yet; or why it cannot be."""
    if checked.faults:
        return Refusal(faults=checked.faults)
    standing = blank_standing(uow, definition, new)
    try:
        apply_values(uow, definition, standing, checked.data)
    except FunnelwrightError as error:
        amount = definition.fields.by_role["amount"].key
        return Refusal(faults=(FieldViolation(amount, error.message_key, error.values, f"/{amount}"),))
    standing.record["department_id"] = departments.get(standing.record["owner_id"] or 0)
    return standing


def blank_standing(uow: UnitOfWork, definition: ObjectDefinition, new: NewRecord) -> Standing:
    """The row of a new record before its values are put in: every column has its empty value."""
    now = uow.clock.now()
    actor_id = uow.actor.member_id or None
    record = _BLANK.copy()
    record.update(
        workspace_id=uow.workspace.id,
        id=new.id,
        object_key=definition.key,
        definition_version_id=definition.version_id,
        external_key=new.external_key,
        converted_from_id=new.converted_from_id,
        journey="",
        is_loaded=False,
        revision=1,
        created_at=new.created_at or now,
        created_by=actor_id,
        updated_at=new.created_at or now,
        updated_by=actor_id,
        data={},
    )
    return Standing(record, None)
