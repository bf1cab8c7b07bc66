"""From the cells of a row to the values of a record, every problem named with its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from builder.domain.fields import FieldDefinition, FieldSet, JsonValue
from builder.domain.kinds import Kind
from builder.errors import N_, FunnelwrightError, Invalid, Problem
from builder.exchange.csv import Row
from builder.exchange.moments import DateOrder, as_instant, only_order, read_moment
from builder.exchange.numbers import DecimalMark, read_number
from builder.exchange.plan import ImportPlan
from builder.exchange.units import Unit, currency_of
from builder.exchange.words import trimmed, yes_or_no
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.choice import meant_options
from builder.fieldtypes.registry import type_of

NO_KEY = N_("The key column is empty.")
LONG_KEY = N_("The key is longer than %(limit)s characters.")
NOT_A_MOMENT = N_("“%(value)s” is not a date or time.")
OTHER_ORDER = N_("“%(value)s” is not a date in the order chosen for its column.")
UNKNOWN_NAME = N_("Nothing is called “%(value)s”.")
OTHER_CURRENCY = N_("“%(value)s” is not in %(currency)s.")
KEY_LENGTH = 200
# Types that read more than a number: 1:30, 1 h 30 min, ★★★.
_OWN_WORDS = ("duration", "rating")
# Values that come back often are converted once.
_REMEMBERED = 5_000

_BARE_ADDRESS = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?::[0-9]{1,5})?(?:[/?#]\S*)?")

Resolve: TypeAlias = Callable[[FieldDefinition, str], str | None]
Convert: TypeAlias = Callable[[str], JsonValue]
_UNREAD: Any = object()


class _Source(NamedTuple):
    """Where the value of a field comes from: the place and name of its column, how a text is converted, and
    what texts became that were read before. ``tells_currency``: its text may name the record's currency,
    which is ``currency`` where the header says so.
    """

    place: int
    column: str
    field: FieldDefinition
    key: str
    convert: Convert
    known: dict[str, JsonValue]
    tells_currency: bool
    currency: str = ""


class ReadRow(NamedTuple):
    """A row as values by field key, or the problems (place: column) that keep it from being one."""

    row: Row
    key: str | None
    values: dict[str, Any]
    problems: tuple[Problem, ...] = ()


class RowReader:
    """Turns rows into values as the plan says.

    ``resolve(field, text)`` gives the id that a name means for reference and user fields, ``None`` when
    nothing is called so. Errors on making one: Invalid when the plan names what is not there.
    """

    def __init__(
        self,
        plan: ImportPlan,
        columns: Sequence[str],
        fields: FieldSet,
        context: FieldContext,
        resolve: Resolve,
    ) -> None:
        self._plan = plan
        self._context = replace(context, marks=(".", ","), date_order="ymd")
        self._zone = ZoneInfo(context.time_zone)
        self.resolve = resolve
        self._currency_field = fields.by_role.get("currency")
        self._places = {name: position for position, name in enumerate(columns)}
        self._cells = [self._source(column, self._field(fields, key)) for column, key in plan.fields]
        self._by_column = {source.column: source for source in self._cells}
        self._by_key = {source.field.key: source for source in self._cells}
        self._groups = {key.partition(".")[0] for key in self._by_key if "." in key}
        self._key = None if plan.key_column is None else self._place(plan.key_column)
        name = fields.by_role.get("name")
        self._name_key = name.key if name is not None and plan.name_from_key else None

    def _source(self, column: str, field: FieldDefinition) -> _Source:
        tells_currency = field.role == "amount" and self._currency_field is not None
        unit = self._unit(column)
        convert = self._converter(column, field, unit)
        place = self._place(column)
        return _Source(place, column, field, field.key, convert, {}, tells_currency, unit.currency)

    def _unit(self, column: str) -> Unit:
        code = self._plan.units.get(column)
        return Unit() if code is None else Unit.of_code(code)

    def _place(self, column: str) -> int:
        try:
            return self._places[column]
        except KeyError:
            raise Invalid(N_("The file has no column “%(column)s”."), column=column) from None

    def _field(self, fields: FieldSet, key: str) -> FieldDefinition:
        try:
            return fields.targets[key]
        except KeyError:
            raise Invalid(N_("There is no field “%(field)s”."), field=key) from None

    def cell(self, row: Row, column: str | None) -> str:
        """The trimmed text of one column; empty for no column."""
        return "" if column is None else trimmed(row.cells[self._place(column)])

    def value(self, column: str, text: str) -> JsonValue:
        """What one text of a column becomes, as ``read`` reads it. Errors: Invalid."""
        return self._by_column[column].convert(text)

    def read(self, row: Row) -> ReadRow:
        """All values of a row. A row that cannot be read at all keeps its problem."""
        if row.problem is not None:
            return ReadRow(row, None, {}, (row.problem,))
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        cells = row.cells
        for place, column, _, key, convert, known, tells_currency, currency in self._cells:
            text = cells[place]
            value = known.get(text, _UNREAD)
            if value is _UNREAD:
                try:
                    value = convert(text)
                except FunnelwrightError as error:
                    problems.append(Problem(error.message_key, column, error.values))
                    continue
                if len(known) < _REMEMBERED:
                    known[text] = value
            if value is not None:
                values[key] = value
                if tells_currency:
                    self._note_currency(text, values, currency)
        if self._groups:
            values = _folded(values)
        return ReadRow(row, self._read_key(row, values, problems), values, tuple(problems))

    def onto(self, key: str, stored: JsonValue, value: JsonValue) -> JsonValue:
        """What a record holds once a row was read into it: columns of some parts leave the others alone."""
        if key in self._groups and isinstance(stored, dict) and isinstance(value, dict):
            return {**stored, **value}
        return value

    def is_same(self, key: str, stored: JsonValue, value: JsonValue) -> bool:
        """Whether a file that holds what is stored is read as ``value``: then nobody changed it there.

        Some values are stored in more than one way (``1200`` and ``1200.00``), and one of them is written.
        """
        source = self._by_key.get(key)
        if source is None:  # a group of which columns fill parts
            return False
        field = source.field
        # What an export says is whole: no unit of a header makes it less.
        convert = self._converter(source.column, field, Unit())
        kind = type_of(field)
        if stored is None or kind.kind in (Kind.LINK, Kind.PERSON):
            return False
        for text in kind.written(field, stored, self._context):
            try:
                if convert(text) == value:
                    return True
            except FunnelwrightError:
                continue
        return False

    def _read_key(self, row: Row, values: dict[str, Any], problems: list[Problem]) -> str | None:
        if self._key is None:
            return None
        key = trimmed(row.cells[self._key])
        if not key:
            problems.append(Problem(NO_KEY, self._plan.key_column or ""))
        elif len(key) > KEY_LENGTH:
            problems.append(Problem(LONG_KEY, self._plan.key_column or "", {"limit": KEY_LENGTH}))
        elif self._name_key is not None:
            values.setdefault(self._name_key, key)
        return key

    def _note_currency(self, text: str, values: dict[str, Any], currency: str) -> None:
        """An amount in another currency than the workspace's says so on its record."""
        named = self._currency_field
        if named is not None and named.key not in values:
            code = currency_of(text, self._context.currency) or currency
            if code and code != self._context.currency:
                values[named.key] = self._parse(named, code)

    def _converter(self, column: str, field: FieldDefinition, unit: Unit) -> Convert:
        kind = type_of(field).kind
        mark = self._plan.marks.get(column, ".")
        order = self._plan.orders.get(column, "dmy")
        if kind in (Kind.LINK, Kind.PERSON):
            return lambda text: self._named(field, text)
        if field.type == "money":
            return lambda text: self._money(field, trimmed(text), mark, unit)
        if field.type == "yes_no":
            return lambda text: self._yes_no(field, text)
        if field.type == "url":
            return lambda text: self._parse(field, _with_scheme(trimmed(text)))
        if kind is Kind.NUMBER and field.type not in _OWN_WORDS:
            return lambda text: self._parse(field, read_number(trimmed(text), mark, unit.shift) or text)
        if kind is Kind.DAY:
            return lambda text: self._parse(field, _day(trimmed(text), order))
        if kind is Kind.INSTANT:
            return lambda text: self._parse(field, self._instant(trimmed(text), order))
        if meant := self._plan.options.get(column):
            if field.type == "choices":
                return lambda text: self._parse(field, meant_options(text, meant))
            return lambda text: self._parse(field, meant.get(trimmed(text), trimmed(text)))
        return lambda text: self._parse(field, trimmed(text))

    def _parse(self, field: FieldDefinition, text: str) -> JsonValue:
        return type_of(field).parse(field, text, self._context)

    def _yes_no(self, field: FieldDefinition, text: str) -> JsonValue:
        known = yes_or_no(text)
        return self._parse(field, trimmed(text)) if known is None else known

    def _money(self, field: FieldDefinition, text: str, mark: DecimalMark, unit: Unit) -> JsonValue:
        code = currency_of(text, self._context.currency) or (unit.currency if text else None) or None
        own = field.params.get("currency") or self._context.currency
        is_free = field.role == "amount" and not field.params.get("currency")
        may_differ = is_free and self._currency_field is not None
        if code is not None and code != own and not may_differ:
            raise Invalid(OTHER_CURRENCY, value=text.strip()[:80], currency=own)
        return self._parse(field, read_number(text, mark, unit.shift) or text)

    def _named(self, field: FieldDefinition, text: str) -> JsonValue:
        name = trimmed(text)
        if not name:
            return None
        found = self.resolve(field, name)
        if found is None:
            raise Invalid(UNKNOWN_NAME, value=name[:80])
        return found

    def _instant(self, text: str, order: DateOrder) -> str:
        moment = read_moment(text, order)
        if moment is None:
            _refuse_other_order(text)
            return text
        return as_instant(moment, self._zone).isoformat().replace("+00:00", "Z")

    def moment(self, row: Row, column: str | None) -> datetime | None:
        """The instant that a cell tells; ``None`` when it is empty. Errors: Invalid."""
        return None if column is None else self.moment_of(column, self.cell(row, column))

    def moment_of(self, column: str, text: str) -> datetime | None:
        """The instant that a text of ``column`` tells; ``None`` when it is empty. Errors: Invalid."""
        if not text:
            return None
        moment = read_moment(text, self._plan.orders.get(column, "dmy"))
        if moment is None:
            raise Invalid(NOT_A_MOMENT, value=text[:80])
        return as_instant(moment, self._zone)


def _folded(values: Mapping[str, Any]) -> dict[str, Any]:
    """``place.city`` becomes a part of ``place``."""
    folded: dict[str, Any] = {}
    for key, value in values.items():
        head, dot, part = key.partition(".")
        if dot:
            whole = folded.get(head)
            folded[head] = {**(whole if isinstance(whole, dict) else {}), part: value}
        elif isinstance(value, dict) and isinstance(folded.get(key), dict):
            folded[key] = {**value, **folded[key]}
        else:
            folded[key] = value
    return folded


def _with_scheme(text: str) -> str:
    """Most programs keep ``example.com``; a web address begins with how it is reached."""
    return f"https://{text}" if _BARE_ADDRESS.fullmatch(text) else text


def _day(text: str, order: DateOrder) -> str:
    if (moment := read_moment(text, order)) is None:
        _refuse_other_order(text)
        return text
    return (moment.date() if isinstance(moment, datetime) else moment).isoformat()


def _refuse_other_order(text: str) -> None:
    """A date that only another order reads is no slip: its row may be wrong altogether. Errors: Invalid."""
    if only_order(text) is not None:
        raise Invalid(OTHER_ORDER, value=text[:80])
