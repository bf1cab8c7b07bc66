"""Automatic numbers: given to records in the transaction that makes them, unique per workspace, object and
field.

The counter's row is locked until the commit, so two people who create at once wait for each other and never
get the same number; a record that is refused afterwards leaves a gap. Numbers that a file brings are kept,
refused when they are taken, and move the counter where they are of its format and period.
``given_number`` is a copy of what stands in the records, for looking numbers up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select

from builder.db.records import GivenNumber, RecordNumber
from builder.db.rows import insert_rows, update_rows
from builder.domain import numbering
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.moves import FieldViolation
from builder.errors import N_
from builder.services.unit_of_work import UnitOfWork
from builder.services.values import Checked, chunks

TAKEN = N_("The number “%(value)s” is taken.")
AUTO_NUMBER = "auto_number"
_LOCK = "ON CONFLICT (workspace_id, object_key, field_key) DO UPDATE SET last = record_number.last + 0"


def number_fields(definition: ObjectDefinition) -> tuple[FieldDefinition, ...]:
    return definition.fields.of_type(AUTO_NUMBER)


def numbered(uow: UnitOfWork, definition: ObjectDefinition, checked: Sequence[Checked]) -> list[Checked]:
    """The values of new records with their numbers; a number brought that is taken is a fault.

    A few statements however many records. Those that are faulty already get none.
    """
    result = list(checked)
    for field in number_fields(definition):
        result = _numbered_by(uow, definition, field, result)
    return result


def _numbered_by(
    uow: UnitOfWork, definition: ObjectDefinition, field: FieldDefinition, checked: Sequence[Checked]
) -> list[Checked]:
    counter = _Counter(uow, definition.key, field)
    brought = [str(item.data[field.key]) for item in checked if field.key in item.data and not item.faults]
    taken = counter.taken(brought)
    result = []
    for item in checked:
        value = item.data.get(field.key)
        if not item.faults and value is not None:
            if value in taken:
                fault = FieldViolation(field.key, TAKEN, {"value": value}, f"/{field.key}")
                item = replace(item, faults=(fault,))
            taken.add(str(value))
            counter.saw(str(value))
        result.append(item)
    wanted = [place for place, item in enumerate(result) if not item.faults and field.key not in item.data]
    for place, number in zip(wanted, counter.give(len(wanted), taken), strict=True):
        result[place] = replace(result[place], data={**result[place].data, field.key: number})
    counter.keep()
    return result


class _Counter:
    """The counter of one field, locked for the rest of the transaction."""

    def __init__(self, uow: UnitOfWork, object_key: str, field: FieldDefinition) -> None:
        self._uow = uow
        self._key = {"object_key": object_key, "field_key": field.key}
        self._format = numbering.parse(str(field.params["format"]))
        self._day = uow.workspace.day_of(uow.clock.now())
        self._period = self._format.period(self._day)
        insert_rows(
            uow.session, RecordNumber, [{"workspace_id": 0, **self._key, "period": "", "last": 0}], _LOCK
        )
        row = uow.session.execute(select(RecordNumber.period, RecordNumber.last).filter_by(**self._key)).one()
        self._stored = (row.period, row.last)
        self._last = row.last if row.period == self._period else 0

    def saw(self, number: str) -> None:
        """A number that a file brings: what is given next comes after it."""
        self._last = max(self._last, self._format.counted(number, self._day) or 0)

    def give(self, count: int, taken: set[str]) -> list[str]:
        """The next ``count`` numbers; those that some record has already are passed over."""
        given: list[str] = []
        while len(given) < count:
            first = self._last + 1
            self._last += count - len(given)
            made = [self._format.text(number, self._day) for number in range(first, self._last + 1)]
            used = self.taken(made) | taken
            given += [number for number in made if number not in used]
        return given

    def taken(self, numbers: Sequence[str]) -> set[str]:
        """Those of the numbers that some record of the object has, deleted ones too."""
        found: set[str] = set()
        for start in range(0, len(numbers), 500):
            part = numbers[start : start + 500]
            found.update(
                self._uow.session.scalars(
                    select(GivenNumber.value).filter_by(**self._key).where(GivenNumber.value.in_(part))
                )
            )
        return found

    def keep(self) -> None:
        if (self._period, self._last) != self._stored:
            update_rows(
                self._uow.session, RecordNumber, {"period": self._period, "last": self._last}, self._key
            )


def write_numbers(
    uow: UnitOfWork,
    definition: ObjectDefinition,
    records: Iterable[tuple[int, Mapping[str, Any]]],
    *,
    is_new: bool,
) -> None:
    """Make ``given_number`` hold exactly the numbers of the records, given as (id, values)."""
    fields = number_fields(definition)
    records = list(records)
    if not is_new:
        for part in chunks([record_id for record_id, _ in records]):
            uow.session.execute(delete(GivenNumber).where(GivenNumber.record_id.in_(part)))
    rows = [
        {
            "workspace_id": uow.workspace.id,
            "object_key": definition.key,
            "field_key": field.key,
            "value": data[field.key],
            "record_id": record_id,
        }
        for record_id, data in records
        for field in fields
        if data.get(field.key)
    ]
    insert_rows(uow.session, GivenNumber, rows)
