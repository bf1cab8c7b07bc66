"""The SQL evaluator of the condition language (idea 5, B11): a condition as a boolean expression over
``record``.

Fields are read from their slots, ``record.<column>`` and the roles *owner* and *expected close* from typed
columns; anything else is refused, because no index could help. The meaning of a comparison is
``domain.comparison``'s; this module writes its tests down. Every part is two-valued: an empty column makes
it false and never unknown, so that *not* turns it over exactly as in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, false, not_, or_, true, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import Integer

from builder.db.records import Record
from builder.domain.comparison import (
    Contains,
    EvaluationContext,
    HasAll,
    HasAny,
    IsEmpty,
    OneOf,
    Span,
    StartsWith,
    Test,
    prepare,
)
from builder.domain.conditions import All, AnyOf, Comparison, Condition, Not, in_plain, kind_of
from builder.domain.fields import FieldDefinition
from builder.domain.kinds import TIME_LIMIT, ConditionError, Kind
from builder.errors import N_

_COLUMNS: Mapping[str, Any] = {
    "stage": Record.stage_key,
    "pipeline": Record.pipeline_key,
    "outcome": Record.outcome,
    "owner": Record.owner_id,
    "department": Record.department_id,
    "created_at": Record.created_at,
    "updated_at": Record.updated_at,
    "stage_entered_at": Record.stage_entered_at,
    "closed_at": Record.closed_at,
}
_ROLE_COLUMNS: Mapping[str, Any] = {"owner": Record.owner_id, "expected_close": Record.expected_close_on}


class place_of(GenericFunction[int]):  # noqa: N801 - functions of SQL are written small
    """Where a text first stands in another, counted from 1; 0 when it does not. Plain text, no pattern."""

    type = Integer()
    inherit_cache = True
    name = "strpos"


@compiles(place_of, "sqlite")
def _place_on_sqlite(element: place_of, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@dataclass(frozen=True, slots=True)
class _Column:
    """A column and how its stored values differ from normal forms: ids are integers, days may be dates."""

    sql: Any
    are_ids: bool = False
    are_dates: bool = False

    def value(self, normal: Any) -> Any:
        if self.are_ids:
            return int(normal)
        if self.are_dates:
            return date.fromordinal(int(normal))
        return normal


def compile_condition(
    condition: Condition, fields: Mapping[str, FieldDefinition], context: EvaluationContext
) -> ColumnElement[bool]:
    """The condition as SQL over ``builder.db.records.Record``; it agrees with ``conditions.evaluate``.

    ``fields`` are those of the one object whose records are asked for. Errors: ConditionError for what
    ``evaluate`` refuses and for fields that are not filterable.
    """
    match condition:
        case All(parts):
            return and_(true(), *(compile_condition(part, fields, context) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(compile_condition(part, fields, context) for part in parts))
        case Not(part):
            return not_(compile_condition(part, fields, context))
        case Comparison(name) if name == TIME_LIMIT:
            return compile_condition(in_plain(condition, context), fields, context)
        case Comparison(name, op, value):
            kind = kind_of(name, fields)
            return _test(_column(name, fields.get(name), kind), prepare(kind, op, value, context))


def _column(name: str, definition: FieldDefinition | None, kind: Kind) -> _Column:
    if definition is None:
        return _typed(_COLUMNS[name.removeprefix("record.")], kind, name)
    if definition.slot is not None and not name.startswith("feedback."):
        return _Column(getattr(Record, definition.slot))
    if definition.role is not None and definition.role in _ROLE_COLUMNS:
        return _typed(_ROLE_COLUMNS[definition.role], kind, name)
    raise ConditionError(N_("“%(field)s” cannot be filtered."), field=name)


def _typed(column: Any, kind: Kind, name: str) -> _Column:
    if kind is Kind.INSTANT:
        return _Column(type_coerce(column, BigInteger))
    if kind in (Kind.PERSON, Kind.LINK):
        return _Column(column, are_ids=True)
    return _Column(column, are_dates=kind is Kind.DAY)


def _test(column: _Column, test: Test) -> ColumnElement[bool]:
    sql = column.sql
    if isinstance(test, IsEmpty):
        return sql.is_not(None) if test.is_negated else sql.is_(None)
    return and_(sql.is_not(None), _filled(column, test))


def _filled(column: _Column, test: Test) -> ColumnElement[bool]:
    """The test where the column is known to be filled."""
    sql = column.sql
    match test:
        case OneOf(values, is_negated):
            return _one_of(column, values, is_negated)
        case Span(is_negated=is_negated):
            inside = _span(column, test)
            return not_(inside) if is_negated else inside
        case Contains(text, is_negated):
            place = place_of(sql, text)
            return place == 0 if is_negated else place > 0
        case StartsWith(text):
            return _starts_with(sql, text)
        case HasAny(keys, is_negated):
            found = or_(false(), *(place_of(sql, f"|{key}|") > 0 for key in sorted(keys)))
            return not_(found) if is_negated else found
        case HasAll(keys):
            return and_(true(), *(place_of(sql, f"|{key}|") > 0 for key in sorted(keys)))
        case _:
            raise AssertionError(test)


def _one_of(column: _Column, values: frozenset[Any], is_negated: bool) -> ColumnElement[bool]:
    operands = [column.value(value) for value in sorted(values)]
    if not operands:
        return true() if is_negated else false()
    if len(operands) == 1:
        return column.sql != operands[0] if is_negated else column.sql == operands[0]
    return column.sql.not_in(operands) if is_negated else column.sql.in_(operands)


def _span(column: _Column, span: Span) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [true()]
    if span.low is not None:
        low = column.value(span.low)
        parts.append(column.sql > low if span.is_low_open else column.sql >= low)
    if span.high is not None:
        high = column.value(span.high)
        parts.append(column.sql < high if span.is_high_open else column.sql <= high)
    return and_(*parts)


def _starts_with(sql: Any, text: str) -> ColumnElement[bool]:
    """A range, so that the index serves: text columns compare by code point on both databases."""
    following = _next_text(text)
    return and_(sql >= text, sql < following) if following else sql >= text


def _next_text(text: str) -> str | None:
    """The smallest text greater than every text that begins with ``text``; ``None`` when there is none."""
    head = text.rstrip("\U0010ffff")
    if not head:
        return None
    code = ord(head[-1]) + 1
    return head[:-1] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)


def is_filterable(name: str, fields: Mapping[str, FieldDefinition]) -> bool:
    """Whether a SQL condition may ask about ``name``."""
    definition = fields.get(name)
    if definition is None:
        head, _, column = name.partition(".")
        return name == TIME_LIMIT or (head == "record" and column in _COLUMNS)
    return definition.slot is not None or definition.role in _ROLE_COLUMNS
