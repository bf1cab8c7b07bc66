"""What a comparison means, once for both evaluators of the condition language (idea 5, B11).

``prepare`` turns ``field op value`` into one of a few *tests* over normal forms (``domain.kinds``); the
Python evaluator applies the test, ``builder.db.conditions_sql`` writes it as SQL. Rules: empty compares
false except ``empty``; text is compared case-folded; a day is a day of the workspace's time zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from builder.domain import calendar
from builder.domain.kinds import (
    DAY,
    OPERATORS,
    SIGNIFICANT_DIGITS,
    ConditionError,
    Kind,
    Normal,
    instant,
    is_empty,
    normal,
)
from builder.domain.overdue_stays import StageLimits
from builder.errors import N_

MOST_OPERANDS = 500
LONGEST_OPERAND = 1000


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """What a condition may ask about besides the values: the time, the place, and who is asking.

    ``now`` is an aware instant, ``time_zone`` an IANA name (the workspace's), ``member_id`` the person that
    ``is_me`` means (``None``: nobody). ``limits``: those of the stages, ``None`` where none may be asked for.
    """

    now: datetime
    time_zone: str = "UTC"
    member_id: int | None = None
    department_ids: tuple[int, ...] = ()
    limits: StageLimits | None = field(default=None, hash=False)

    @property
    def today(self) -> date:
        return calendar.day_of(self.now, self.time_zone)


@dataclass(frozen=True, slots=True)
class OneOf:
    values: frozenset[str | float | int]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """From ``low`` to ``high``; ``None`` is unbounded. A bound belongs to the span when it is not open."""

    low: float | int | None = None
    high: float | int | None = None
    is_low_open: bool = False
    is_high_open: bool = False
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Contains:
    text: str
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class StartsWith:
    text: str


@dataclass(frozen=True, slots=True)
class HasAny:
    keys: frozenset[str]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class HasAll:
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class IsEmpty:
    is_negated: bool = False


Test: TypeAlias = OneOf | Span | Contains | StartsWith | HasAny | HasAll | IsEmpty


def prepare(kind: Kind, op: str, value: Any, context: EvaluationContext) -> Test:
    """The test that ``op value`` means for fields of ``kind``.

    Errors: ConditionError when the kind lacks the operator or the value does not fit it.
    """
    if op not in OPERATORS[kind]:
        raise ConditionError(N_("“%(op)s” does not exist for this kind of field."), op=op)
    if op in ("empty", "not_empty"):
        return IsEmpty(is_negated=op == "not_empty")
    if op == "is_me":
        return OneOf(frozenset() if context.member_id is None else frozenset({str(context.member_id)}))
    if kind in (Kind.DAY, Kind.INSTANT):
        return _prepare_days(kind, op, value, context)
    if op in ("in", "not_in"):
        return OneOf(frozenset(_operand(kind, item) for item in _list(value)), is_negated=op == "not_in")
    if op in ("eq", "ne"):
        return OneOf(frozenset({_operand(kind, value)}), is_negated=op == "ne")
    if kind is Kind.KEYS:
        return _prepare_keys(op, value)
    if kind in (Kind.TEXT, Kind.PLACE):
        text = str(_operand(kind, value))
        return StartsWith(text) if op == "starts_with" else Contains(text, is_negated=op == "not_contains")
    return _prepare_order(op, value)


def _prepare_keys(op: str, value: Any) -> Test:
    if op in ("contains", "not_contains"):
        return HasAny(frozenset({str(_operand(Kind.KEY, value))}), is_negated=op == "not_contains")
    keys = frozenset(str(_operand(Kind.KEY, item)) for item in _list(value))
    return HasAny(keys) if op == "has_any" else HasAll(keys)


def _prepare_order(op: str, value: Any) -> Test:
    if op == "between":
        low, high = _pair(value)
        return Span(_operand_number(low), _operand_number(high))
    number = _operand_number(value)
    if op in ("lt", "le"):
        return Span(high=number, is_high_open=op == "lt")
    return Span(low=number, is_low_open=op == "gt")


def _prepare_days(kind: Kind, op: str, value: Any, context: EvaluationContext) -> Test:
    """Days and instants are compared by spans: a date means the whole day, on an instant too."""
    if op == "in_period":
        if not calendar.is_period(value):
            raise ConditionError(N_("“%(value)s” is not a period."), value=str(value)[:80])
        span = calendar.period(value, context.today)
        return Span(_edge(kind, span.first, context), _edge(kind, span.end, context), is_high_open=True)
    if op == "between":
        low, high = _pair(value)
        first, last = _moment(kind, low, context), _moment(kind, high, context)
        return Span(first.low, last.high, is_high_open=last.is_high_open)
    at = _moment(kind, value, context)
    if op in ("eq", "ne"):
        return Span(at.low, at.high, is_high_open=at.is_high_open, is_negated=op == "ne")
    if op == "lt":
        return Span(high=at.low, is_high_open=True)
    if op == "le":
        return Span(high=at.high, is_high_open=at.is_high_open)
    if op == "ge":
        return Span(low=at.low)
    return Span(low=at.high, is_low_open=not at.is_high_open)


def _moment(kind: Kind, value: Any, context: EvaluationContext) -> Span:
    """The span that one operand covers: a day, or one microsecond when it is an instant."""
    try:
        if isinstance(value, str) and DAY.fullmatch(value):
            day = date.fromisoformat(value)
            following = date.fromordinal(day.toordinal() + 1)
            return Span(_edge(kind, day, context), _edge(kind, following, context), is_high_open=True)
        if kind is Kind.INSTANT and isinstance(value, str):
            at = instant(value)
            return Span(at, at)
    except (ValueError, OverflowError):
        pass
    raise ConditionError(N_("“%(value)s” is not a date."), value=str(value)[:80])


def _edge(kind: Kind, day: date, context: EvaluationContext) -> int:
    if kind is Kind.DAY:
        return day.toordinal()
    return calendar.micros(calendar.start_of_day(day, context.time_zone))


def _operand(kind: Kind, value: Any) -> str | float | int:
    if kind is Kind.NUMBER:
        return _operand_number(value)
    form = None if isinstance(value, list) else normal(kind, value)
    if form is None or isinstance(form, frozenset):
        raise ConditionError(N_("The comparison needs a value."))
    if isinstance(form, str) and (len(form) > LONGEST_OPERAND or "\x00" in form or not _is_unicode(form)):
        raise ConditionError(N_("“%(value)s” cannot be compared."), value=form[:80])
    return form


def _operand_number(value: Any) -> float:
    if is_empty(value):
        raise ConditionError(N_("The comparison needs a value."))
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        if isinstance(value, bool) or not number.is_finite() or abs(number.adjusted()) > 30 * bool(number):
            raise ValueError
        if len(number.normalize().as_tuple().digits) > SIGNIFICANT_DIGITS:
            raise ValueError
        return float(number) + 0.0
    except (ValueError, InvalidOperation):
        raise ConditionError(N_("“%(value)s” is not a number."), value=str(value)[:80]) from None


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > MOST_OPERANDS:
        raise ConditionError(N_("The comparison needs a list of values."))
    return list(value)


def _pair(value: Any) -> tuple[Any, Any]:
    items = _list(value)
    if len(items) != 2:
        raise ConditionError(N_("“Between” needs two values."))
    return items[0], items[1]


def matches(test: Test, value: Normal | None) -> bool:
    """Whether a normal form passes the test; an empty one passes ``IsEmpty()`` only."""
    if isinstance(test, IsEmpty):
        return (value is None) is not test.is_negated
    if value is None:
        return False
    match test:
        case OneOf(values, is_negated):
            return (value in values) is not is_negated
        case Span(is_negated=is_negated):
            return _inside(test, value) is not is_negated
        case Contains(text, is_negated):
            return (text in str(value)) is not is_negated
        case StartsWith(text):
            return str(value).startswith(text)
        case HasAny(keys, is_negated):
            return (isinstance(value, frozenset) and not keys.isdisjoint(value)) is not is_negated
        case HasAll(keys):
            return isinstance(value, frozenset) and keys <= value


def _inside(span: Span, value: Normal) -> bool:
    if isinstance(value, str | frozenset):
        return False
    above = span.low is None or (value > span.low if span.is_low_open else value >= span.low)
    below = span.high is None or (value < span.high if span.is_high_open else value <= span.high)
    return above and below
