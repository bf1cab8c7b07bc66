"""What lists are grouped by, and what of their columns is added up (part 5).

A group is named by a text: an option's key, the id of a member, department or record, ``yes`` or ``no``,
``pipeline/stage``, a month as ``2026-03``; the empty text is the group of records without a value.
"""

from __future__ import annotations

from datetime import date

from builder.domain.fields import FieldDefinition, ObjectDefinition

GROUP_COLUMNS = ("record.stage", "record.pipeline", "record.outcome", "record.owner", "record.department")
GROUP_TYPES = frozenset({"choice", "yes_no", "user", "reference", "date"})
SUM_TYPES = frozenset({"money", "decimal", "integer", "duration"})
YES, NO = "yes", "no"
LONGEST_VALUE = 400


def can_group(definition: ObjectDefinition, name: str) -> bool:
    """Whether a list may be grouped by a field or ``record.<column>``: one value each, in a column."""
    field = definition.fields.by_key.get(name)
    if field is None:
        return name in GROUP_COLUMNS
    return field.type in GROUP_TYPES and (field.slot is not None or field.role == "owner")


def can_sum(field: FieldDefinition) -> bool:
    """Whether sums of the field's values mean something and can be had from the database."""
    return field.type in SUM_TYPES and (field.slot is not None or field.role == "amount")


def month_of(day: int) -> str:
    """The month of a day, given as its ordinal, as ``2026-03``."""
    return date.fromordinal(day).strftime("%Y-%m").zfill(7)


def days_of(month: str) -> tuple[int, int]:
    """The first day of a month and of the next, as ordinals. Errors: ValueError for any other text."""
    if len(month) != 7 or month[4] != "-" or not (month[:4] + month[5:]).isdecimal() or not month.isascii():
        raise ValueError(f"no month: {month!r}")
    first = date(int(month[:4]), int(month[5:]), 1)
    after = first.toordinal() + 31
    last = date.fromordinal(min(after, date.max.toordinal()))
    following = last.replace(day=1).toordinal() if after <= date.max.toordinal() else date.max.toordinal() + 1
    return first.toordinal(), following
