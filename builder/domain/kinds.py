"""Kinds of values: the normal form in which values are compared, and the operators that there are.

Every field type belongs to a kind (B11). Rules: text is compared case-folded; a number as a double, which
keeps the order of values with at most 15 significant digits; a day by its ordinal; an instant in
microseconds. The slots of ``record`` hold the same forms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeAlias

from builder.domain import calendar
from builder.errors import N_, Invalid


class Kind(Enum):
    """How the values of a field type are compared; the normal form is named after the colon."""

    TEXT = "text"  # str: NFC of the case-folded text
    NUMBER = "number"  # float: values have at most 15 significant digits, which a double keeps in order
    BOOLEAN = "boolean"  # float: 0 or 1
    DAY = "day"  # int: proleptic Gregorian ordinal
    INSTANT = "instant"  # int: microseconds since 1970 UTC
    KEY = "key"  # str: option key
    KEYS = "keys"  # frozenset of option keys
    PERSON = "person"  # str: member id in decimal
    LINK = "link"  # str: record id in decimal
    PLACE = "place"  # str: the parts of an address, folded, each on a line
    ROWS = "rows"  # only emptiness is compared

    # Members are one of a kind; Enum's own hash is written in Python and is asked for with every value.
    __hash__ = object.__hash__


Normal: TypeAlias = "str | float | int | frozenset[str]"

_EQUALITY = ("eq", "ne", "in", "not_in")
_ORDER = ("lt", "le", "gt", "ge", "between")
_EMPTINESS = ("empty", "not_empty")

OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: (*_EQUALITY, "contains", "not_contains", "starts_with", *_EMPTINESS),
    Kind.NUMBER: (*_EQUALITY, *_ORDER, *_EMPTINESS),
    Kind.BOOLEAN: ("eq", "ne", *_EMPTINESS),
    Kind.DAY: ("eq", "ne", *_ORDER, "in_period", *_EMPTINESS),
    Kind.INSTANT: ("eq", "ne", *_ORDER, "in_period", *_EMPTINESS),
    Kind.KEY: (*_EQUALITY, *_EMPTINESS),
    Kind.KEYS: ("has_any", "has_all", "contains", "not_contains", *_EMPTINESS),
    Kind.PERSON: (*_EQUALITY, "is_me", *_EMPTINESS),
    Kind.LINK: (*_EQUALITY, *_EMPTINESS),
    Kind.PLACE: ("contains", "not_contains", *_EMPTINESS),
    Kind.ROWS: _EMPTINESS,
}
ALL_OPERATORS = tuple(dict.fromkeys(name for names in OPERATORS.values() for name in names))

# The kind of every built-in field type; a plugged-in type adds its own through ``register_kind``.
_KINDS: dict[str, Kind] = {
    "text": Kind.TEXT,
    "long_text": Kind.TEXT,
    "integer": Kind.NUMBER,
    "decimal": Kind.NUMBER,
    "percent": Kind.NUMBER,
    "money": Kind.NUMBER,
    "yes_no": Kind.BOOLEAN,
    "date": Kind.DAY,
    "datetime": Kind.INSTANT,
    "choice": Kind.KEY,
    "choices": Kind.KEYS,
    "email": Kind.TEXT,
    "phone": Kind.TEXT,
    "url": Kind.TEXT,
    "user": Kind.PERSON,
    "reference": Kind.LINK,
    "formula": Kind.NUMBER,
    "table": Kind.ROWS,
    "duration": Kind.NUMBER,
    "rating": Kind.NUMBER,
    "address": Kind.PLACE,
    "sub_form": Kind.ROWS,
    "auto_number": Kind.TEXT,
    "rollup": Kind.NUMBER,
    "money_rollup": Kind.ROWS,
    "file": Kind.ROWS,
    "image": Kind.ROWS,
}

# ``record.<column>`` of a condition.
# What lists show and are sorted by beside them, of objects with an amount: value × probability (S46).
WEIGHTED = "record.weighted"
# What lists are filtered by beside them: how long a record stands in its stage against its limits.
TIME_LIMIT = "record.time_limit"
RECORD_COLUMNS: Mapping[str, Kind] = {
    "stage": Kind.KEY,
    "pipeline": Kind.KEY,
    "outcome": Kind.KEY,
    "owner": Kind.PERSON,
    "department": Kind.LINK,
    "created_at": Kind.INSTANT,
    "updated_at": Kind.INSTANT,
    "stage_entered_at": Kind.INSTANT,
    "closed_at": Kind.INSTANT,
}

# The parts of an address, in the order of their comparison.
PLACE_PARTS = ("street", "postal_code", "city", "region", "country")
SIGNIFICANT_DIGITS = 15
_ID = re.compile(r"[1-9][0-9]{0,18}")
LARGEST_ID = (1 << 63) - 1
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ConditionError(Invalid):
    """A condition that cannot be evaluated: unknown field, operator or value. ``values`` name the field."""


def kind_of_type(type_key: str) -> Kind:
    """The kind of a field type. Errors: ConditionError for a type nobody registered."""
    try:
        return _KINDS[type_key]
    except KeyError:
        raise ConditionError(N_("There is no field type “%(type)s”."), type=type_key) from None


def register_kind(type_key: str, kind: Kind) -> None:
    """Say how a plugged-in field type is compared. Errors: ValueError when it already is otherwise."""
    if _KINDS.setdefault(type_key, kind) is not kind:
        raise ValueError(f"field type {type_key!r} is already compared as {_KINDS[type_key].value}")


def fold(text: str) -> str:
    """The form in which text is compared and searched: caseless (Unicode D145), then composed (NFC)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def is_empty(value: object) -> bool:
    """Nothing, an empty text, list or object. ``False`` and ``0`` are values."""
    return value is None or (not value and (value == "" or value == [] or value == () or value == {}))


def normal(kind: Kind, value: Any) -> Normal | None:
    """The normal form of a stored value; ``None`` when it is empty.

    Errors: ConditionError when the value does not have the shape of its kind (it was never validated).
    """
    if is_empty(value):
        return None
    try:
        return _NORMAL[kind](value)
    except (ValueError, TypeError, InvalidOperation, OverflowError, AttributeError):
        raise ConditionError(N_("“%(value)s” cannot be compared."), value=str(value)[:80]) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return fold(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise ValueError
    return float(number) + 0.0  # + 0.0 turns −0.0 into 0.0


def _place(value: Any) -> str:
    """An operand is a text; a stored value is an object of parts."""
    if isinstance(value, Mapping):
        return "\n".join(fold(value[key]) for key in PLACE_PARTS if value.get(key))
    return _text(value)


def _boolean(value: Any) -> float:
    if not isinstance(value, bool):
        raise TypeError
    return 1.0 if value else 0.0


def _day(value: Any) -> int:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.toordinal()
    if not DAY.fullmatch(value):
        raise ValueError
    return date.fromisoformat(value).toordinal()


def read_instant(value: Any) -> datetime:
    """An aware instant from a datetime or its ISO text. Errors: ValueError, TypeError."""
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)


def instant(value: Any) -> int:
    return calendar.micros(read_instant(value))


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _keys(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        raise TypeError
    return frozenset(_key(item) for item in value)


def _id(value: Any) -> str:
    if isinstance(value, bool) or not _ID.fullmatch(str(value)) or int(value) > LARGEST_ID:
        raise ValueError
    return str(value)


def _rows(value: Any) -> float:
    return float(len(value))


_NORMAL: Mapping[Kind, Callable[[Any], Normal]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DAY: _day,
    Kind.INSTANT: instant,
    Kind.KEY: _key,
    Kind.KEYS: _keys,
    Kind.PERSON: _id,
    Kind.LINK: _id,
    Kind.PLACE: _place,
    Kind.ROWS: _rows,
}
