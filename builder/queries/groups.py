"""Groups of a list with their counts and sums: one grouped statement over slots and typed columns (part 5).

Counts and sums are exact. Money is added up per currency and never across. Nothing is read record by record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Double, Numeric, cast, func, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.grouping import LONGEST_VALUE, NO, YES, can_group, can_sum, days_of, month_of
from builder.domain.money import exponent
from builder.domain.permissions import Actor
from builder.errors import N_, Invalid
from builder.metadata.catalog import Catalog
from builder.queries.list import ListRequest, asked
from builder.queries.side_by_side import side_by_side
from builder.queries.visibility import visible

MOST_GROUPS = 300
# Rows of the statement: a group has one for each currency, a month one for each day as well.
_MOST_ROWS, _MOST_DAYS = 1_000, 20_000
NOT_GROUPED = N_("The list cannot be grouped by “%(column)s”.")
NO_SUCH_GROUP = N_("There is no such group.")
# Sums of long integers overflow on SQLite; these two parts of them do not.
_PART = 1_000_000_000
_MOST_OF_MONEY = 3
_COLUMNS: Mapping[str, str] = {
    "record.stage": "stage_key",
    "record.pipeline": "pipeline_key",
    "record.outcome": "outcome",
    "record.owner": "owner_id",
    "record.department": "department_id",
}


# A row of the statement: what it is grouped by, how many records, and by column and currency their sum.
_Row: TypeAlias = tuple[tuple[Any, ...], int, list[tuple[str, str, Decimal | None]]]


@dataclass
class Sums:
    """How many records, and by column and currency (none: an empty text) what their values add up to."""

    count: int = 0
    by_column: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def add(self, row: _Row) -> None:
        _key, count, values = row
        self.count += count
        for column, currency, value in values:
            if value is not None:
                known = self.by_column.setdefault(column, {})
                known[currency] = known.get(currency, Decimal(0)) + value


@dataclass(frozen=True)
class Groups:
    """The groups by value (``domain.grouping``), the largest first; the sums of the whole list.

    ``is_cut``: there are more groups than these.
    """

    groups: Mapping[str, Sums]
    total: Sums
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Summed:
    """A column to add up: its field, and the currency of all its values where it has one of its own."""

    definition: FieldDefinition

    @property
    def is_money(self) -> bool:
        return self.definition.type == "money"

    @property
    def is_amount(self) -> bool:
        return self.definition.role == "amount"

    @property
    def scale(self) -> int:
        """How many decimals the values have at most: a double tells no more of a number of 15 digits."""
        if self.definition.type == "decimal":
            return int(self.definition.params["scale"])
        currency = self.definition.params.get("currency")
        return 0 if not self.is_money else exponent(currency) if currency else _MOST_OF_MONEY

    def parts(self, is_sqlite: bool) -> list[ColumnElement[Any]]:
        """What the statement asks for, to be put together by ``value``."""
        if self.is_amount:
            column: Any = Record.amount_minor
            return [func.sum(column.op("/")(_PART)), func.sum(column % _PART)]
        slot: Any = getattr(Record, str(self.definition.slot))
        if not is_sqlite:
            return [func.sum(cast(slot, Numeric))]
        whole = cast(slot, BigInteger)
        return [
            func.sum(whole.op("/")(_PART)),
            func.sum(whole % _PART),
            func.sum(cast(func.round((slot - whole) * 10**self.scale), BigInteger)),
        ]

    def value(self, parts: Sequence[Any], currency: str) -> Decimal | None:
        if parts[0] is None:
            return None
        if self.is_amount:
            minor = int(parts[0]) * _PART + int(parts[1])
            return Decimal(minor).scaleb(-exponent(currency))
        if len(parts) == 1:
            return Decimal(parts[0])
        return Decimal(int(parts[0]) * _PART + int(parts[1])) + Decimal(int(parts[2])).scaleb(-self.scale)

    def currency(self, of_record: str) -> str:
        return str(self.definition.params.get("currency") or of_record) if self.is_money else ""


def list_groups(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    request: ListRequest,
    context: EvaluationContext,
    name: str,
) -> Groups:
    """All groups of the list by ``name``, or with an empty one only its total; one statement, a second one
    for the total when there are more groups than are told. Errors: NotFound, ConditionError, Invalid.
    """
    definition = catalog.object(request.object_key)
    if name and not can_group(definition, name):
        raise Invalid(NOT_GROUPED, column=name[:80])
    summed = [
        _Summed(one)
        for key in dict.fromkeys(request.columns or definition.list_columns)
        if (one := definition.fields.by_key.get(key)) is not None and can_sum(one)
    ]
    keys = _keys(definition, name)
    by_day = _is_date(definition, name)
    limit = _MOST_DAYS if by_day else _MOST_ROWS
    rows = _rows(session, actor, definition, request, context, keys, summed, limit)
    groups: dict[str, Sums] = {}
    for row in rows:
        groups.setdefault(_text(definition, name, row[0]) if keys else "", Sums()).add(row)
    is_cut = len(rows) == limit or len(groups) > MOST_GROUPS
    total = Sums()
    for row in _rows(session, actor, definition, request, context, [], summed, limit) if is_cut else rows:
        total.add(row)
    # Rows come in the order that ranks them, and so do their groups.
    largest = list(groups)[:MOST_GROUPS]
    if _ranked(request, summed) is None:
        largest = sorted(groups, key=lambda text: -groups[text].count)[:MOST_GROUPS]
    return Groups({text: groups[text] for text in largest} if keys else {}, total, is_cut)


def _rows(
    session: WorkspaceSession,
    actor: Actor,
    definition: ObjectDefinition,
    request: ListRequest,
    context: EvaluationContext,
    keys: Sequence[ColumnElement[Any]],
    summed: Sequence[_Summed],
    limit: int,
) -> list[_Row]:
    is_sqlite = session.connection().dialect.name == "sqlite"
    by = [*keys, *([Record.currency] if any(one.is_money for one in summed) else [])]
    parts = [one.parts(is_sqlite) for one in summed]
    ranked = _ranked(request, summed)
    rule = visible(actor, (definition.key,))
    statement = (
        select(*by, func.count(), *(part for group in parts for part in group))
        .where(*asked(session, actor, definition, request, context), *([] if rule is None else [rule]))
        .group_by(*by)
        .order_by(*([] if ranked is None else [ranked]), func.count().desc())
        .limit(limit)
    )
    if request.filter is None and not request.query:
        statement = side_by_side(statement)
    found: list[_Row] = []
    for row in session.execute(statement):
        place = len(by)
        currency = row[len(keys)] or "" if len(by) > len(keys) else ""
        values, at = [], place + 1
        for one, group in zip(summed, parts, strict=True):
            its = one.currency(currency)
            values.append((one.definition.key, its, one.value(row[at : at + len(group)], currency or its)))
            at += len(group)
        found.append((tuple(row[: len(keys)]), row[place], values))
    return found


def _ranked(request: ListRequest, summed: Sequence[_Summed]) -> ColumnElement[Any] | None:
    """What ranks the groups: the sum of the column by which the list falls, e.g. customers by what they have
    ordered (S46, M29); none: their size.
    """
    spec = request.sort[0] if request.sort else ""
    one = next((each for each in summed if spec == f"-{each.definition.key}"), None)
    if one is None:
        return None
    column: Any = Record.amount_minor if one.is_amount else getattr(Record, str(one.definition.slot))
    return func.sum(cast(column, Double)).desc().nulls_last()


def within(definition: ObjectDefinition, name: str, value: str) -> list[ColumnElement[bool]]:
    """The records of one group, as clauses on ``record``. Errors: Invalid for a group that cannot be."""
    if not can_group(definition, name):
        raise Invalid(NOT_GROUPED, column=name[:80])
    keys = _keys(definition, name)
    if not value:
        return [keys[0].is_(None)]
    if len(value) > LONGEST_VALUE or not value.isprintable():
        raise Invalid(NO_SUCH_GROUP)
    try:
        if _is_date(definition, name):
            first, after = days_of(value)
            return [keys[0] >= first, keys[0] < after]
        return [key == one for key, one in zip(keys, _values(definition, name, value), strict=True)]
    except ValueError as error:
        raise Invalid(NO_SUCH_GROUP) from error


def _values(definition: ObjectDefinition, name: str, value: str) -> list[Any]:
    """Errors: ValueError."""
    field_ = definition.fields.by_key.get(name)
    if field_ is not None and field_.type == "yes_no":
        return [{YES: 1.0, NO: 0.0}[value]] if value in (YES, NO) else _nothing(value)
    if name in ("record.owner", "record.department") or (field_ is not None and field_.role == "owner"):
        number = int(value) if value.isascii() and value.isdecimal() and len(value) <= 19 else -1
        return [number] if 0 <= number < 1 << 63 else _nothing(value)
    if name == "record.stage":
        pipeline, _, stage = value.partition("/")
        return [pipeline, stage]
    return [value]


def _nothing(value: str) -> list[Any]:
    raise ValueError(value)


def _keys(definition: ObjectDefinition, name: str) -> list[Any]:
    """The columns that make a group."""
    if not name:
        return []
    field_ = definition.fields.by_key.get(name)
    if field_ is not None:
        return [Record.owner_id if field_.role == "owner" else getattr(Record, str(field_.slot))]
    own = getattr(Record, _COLUMNS[name])
    return [Record.pipeline_key, own] if name == "record.stage" else [own]


def _is_date(definition: ObjectDefinition, name: str) -> bool:
    field_ = definition.fields.by_key.get(name)
    return field_ is not None and field_.type == "date"


def _text(definition: ObjectDefinition, name: str, values: tuple[Any, ...]) -> str:
    """The name of the group that a row of the statement belongs to."""
    if values[0] is None:
        return ""
    field_ = definition.fields.by_key.get(name)
    if field_ is not None and field_.type == "date":
        return month_of(int(values[0]))
    if field_ is not None and field_.type == "yes_no":
        return YES if values[0] else NO
    return "/".join(str(value) for value in values)
