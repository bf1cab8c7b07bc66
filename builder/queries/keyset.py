"""Keyset pages: which columns a list can be sorted by, and cursors that mark a place in it.

A list is ordered by one column and by id, both in the same direction, so that one index serves it. Records
without a value follow as a tail of their own, by creation, whatever the direction. Text is ordered byte by
byte (C collation) of its folded form where the field has a slot.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, or_

from builder.db.base import from_micros, to_micros
from builder.db.records import NUMBER_SLOTS, Record
from builder.domain.fields import ObjectDefinition
from builder.domain.kinds import WEIGHTED
from builder.errors import N_, Invalid

ValueKind: TypeAlias = Literal["text", "number", "instant"]

BAD_CURSOR = N_("This page of the list cannot be found any more. The list starts from the beginning.")
UNSORTABLE = N_("The list cannot be sorted by “%(column)s”.")
LONGEST_CURSOR = 4000
LONGEST_TEXT = 400
LARGEST_ID = (1 << 63) - 1
# Their slots hold ids or sets, whose order means nothing to a reader.
_UNORDERED_TYPES = frozenset({"user", "reference", "choices", "table", "address", "sub_form"})
_RECORD_COLUMNS = ("created_at", "updated_at", "closed_at")


@dataclass(frozen=True, slots=True)
class SortColumn:
    """A column to sort by. ``name`` is as written in a sort, without the minus."""

    name: str
    attribute: Any
    kind: ValueKind
    is_nullable: bool
    is_descending: bool = False

    @property
    def spec(self) -> str:
        return f"-{self.name}" if self.is_descending else self.name


@dataclass(frozen=True, slots=True)
class Position:
    """A row's place: its value and id, or in the tail its creation (microseconds) and id."""

    is_tail: bool
    value: str | int | float
    id: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One indexable part of the order: rows with a value, or the tail of rows without one."""

    where: tuple[ColumnElement[bool], ...]
    order: tuple[ColumnElement[Any], ...]


def sort_column(definition: ObjectDefinition, spec: str) -> SortColumn:
    """The column behind ``"amount"`` or ``"-record.created_at"``. Errors: Invalid when it has no order."""
    name, is_descending = spec.removeprefix("-"), spec.startswith("-")
    head, _, column = name.partition(".")
    if head == "record" and column in _RECORD_COLUMNS:
        is_nullable = column == "closed_at"
        return SortColumn(name, getattr(Record, column), "instant", is_nullable, is_descending)
    if name == WEIGHTED and "amount" in definition.fields.by_role:
        return SortColumn(name, Record.weighted, "number", True, is_descending)
    field = definition.fields.by_key.get(name)
    if field is not None and field.slot is not None and field.type not in _UNORDERED_TYPES:
        kind: ValueKind = "number" if field.slot in NUMBER_SLOTS else "text"
        return SortColumn(name, getattr(Record, field.slot), kind, True, is_descending)
    if field is not None and field.role == "name":
        return SortColumn(name, Record.name, "text", False, is_descending)
    raise Invalid(UNSORTABLE, column=name[:80])


def is_sortable(definition: ObjectDefinition, name: str) -> bool:
    try:
        sort_column(definition, name)
    except Invalid:
        return False
    return True


def default_sort(definition: ObjectDefinition, sort: Sequence[str] = ()) -> SortColumn:
    """The first sortable column of ``sort`` and of the object's own sort; else the latest change first."""
    for spec in (*sort, *definition.list_sort):
        if is_sortable(definition, spec):
            return sort_column(definition, spec)
    return sort_column(definition, "-record.updated_at")


def head(sort: SortColumn, after: Position | None, *, is_reversed: bool = False) -> Segment:
    """Rows that have a value, beyond ``after`` in reading direction."""
    filled = (sort.attribute.is_not(None),) if sort.is_nullable else ()
    falls = sort.is_descending is not is_reversed
    beyond = () if after is None else _beyond(sort.attribute, _bindable(sort, after), after.id, falls=falls)
    return Segment((*filled, *beyond), _order(sort.attribute, falls=falls))


def tail(sort: SortColumn, after: Position | None, *, is_reversed: bool = False) -> Segment:
    """Rows without a value, the newest first, beyond ``after`` in reading direction."""
    falls = not is_reversed
    created: Any = Record.created_at
    beyond = () if after is None else _beyond(created, from_micros(int(after.value)), after.id, falls=falls)
    return Segment((sort.attribute.is_(None), *beyond), _order(created, falls=falls))


def _order(column: Any, *, falls: bool) -> tuple[ColumnElement[Any], ...]:
    record_id: Any = Record.id
    return (column.desc(), record_id.desc()) if falls else (column.asc(), record_id.asc())


def _beyond(column: Any, value: Any, record_id: int, *, falls: bool) -> tuple[ColumnElement[bool], ...]:
    # SQLite does not seek on (a, id) > (x, y); the first clause is what it seeks on.
    if falls:
        return (column <= value, or_(column < value, Record.id < record_id))
    return (column >= value, or_(column > value, Record.id > record_id))


def _bindable(sort: SortColumn, position: Position) -> Any:
    return from_micros(int(position.value)) if sort.kind == "instant" else position.value


def position_of(sort: SortColumn, value: Any, created_at: datetime, record_id: int) -> Position:
    """The place of a row whose sort column holds ``value``."""
    if value is None:
        return Position(True, to_micros(created_at), record_id)
    return Position(False, to_micros(value) if isinstance(value, datetime) else value, record_id)


def write_cursor(spec: str, position: Position) -> str:
    """The opaque text of a place in the order ``spec``; it holds no secret and grants nothing."""
    document = [spec, position.is_tail, position.value, position.id]
    packed = json.dumps(document, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def read_cursor(text: str, spec: str, kind: ValueKind) -> Position:
    """The place that ``write_cursor`` wrote for the same order. Errors: Invalid for any other text."""
    if len(text) > LONGEST_CURSOR:
        raise Invalid(BAD_CURSOR)
    try:
        document = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Invalid(BAD_CURSOR) from error
    match document:
        case [str(known), bool(is_tail), value, int(record_id)] if (
            known == spec
            and not isinstance(record_id, bool)
            and 0 <= record_id <= LARGEST_ID
            and _fits(value, "instant" if is_tail else kind)
        ):
            # Numbers are bound as doubles: a long integer fits neither SQLite nor an index on a double.
            return Position(is_tail, float(value) if kind == "number" and not is_tail else value, record_id)
    raise Invalid(BAD_CURSOR)


def _fits(value: Any, kind: ValueKind) -> bool:
    if isinstance(value, bool):
        return False
    if kind == "text":
        return isinstance(value, str) and len(value) <= LONGEST_TEXT and _is_storable(value)
    if kind == "number":
        return isinstance(value, int | float) and abs(value) < 1e300 and math.isfinite(value)
    if not isinstance(value, int):
        return False
    try:
        from_micros(value)
    except OverflowError:
        return False
    return True


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
