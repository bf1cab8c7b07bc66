"""What was read of records, without what its reader's role hides (S118): values, their copies, history.

Whoever selects values of records passes them through here before anybody else sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast

from builder.domain.permissions import Veil

# The typed columns that are copies of the field of a part in the process (design.md §4).
_COLUMNS_OF_PARTS: Mapping[str, tuple[str, ...]] = {
    "number": ("number",),
    "amount": ("amount_minor",),
    "expected_close": ("expected_close_on",),
    "probability": ("probability", "probability_override"),
    "forecast_category": ("forecast_category",),
}


class Veiled(Protocol):
    """A row that holds values of a record."""

    @property
    def data(self) -> Mapping[str, Any]: ...


Shown = TypeVar("Shown", bound=Veiled)


def as_seen(record: Shown, veil: Veil | None) -> Shown:
    """The record without the values that are hidden from its reader, and without their copies (S118)."""
    if veil is None or not veil.fields:
        return record
    blank: dict[str, Any] = {
        column: None
        for part in veil.parts
        for column in _COLUMNS_OF_PARTS.get(part, ())
        if hasattr(record, column)
    }
    data = {key: value for key, value in record.data.items() if key not in veil.fields}
    shown: Shown = replace(cast(Any, record), data=data, **blank)
    return shown


_SIDES = ("before", "after", "values")


def told_as_seen(data: Mapping[str, Any], veil: Veil | None) -> Mapping[str, Any]:
    """The data of an event without hidden values, former and new."""
    if veil is None or not (veil.fields or veil.answers):
        return data
    told = {
        name: _without({key: value for key, value in side.items() if key not in veil.fields}, veil)
        if name in _SIDES and isinstance(side, Mapping)
        else side
        for name, side in data.items()
    }
    return _without(told, veil)


def _without(side: Mapping[str, Any], veil: Veil) -> dict[str, Any]:
    """A part of an event without hidden answers of feedback; without the answers where all are hidden."""
    answers = side.get("answers")
    if not veil.answers or not isinstance(answers, Mapping):
        return dict(side)
    left = answered_as_seen(answers, veil.answers)
    rest = {key: value for key, value in side.items() if key != "answers"}
    return {**rest, "answers": left} if left or not answers else rest


def answered_as_seen(answers: Mapping[str, Any], hidden: Set[str]) -> dict[str, Any]:
    """Answers of a feedback form without those that are hidden."""
    return {key: value for key, value in answers.items() if key not in hidden}


def tells_nothing(data: Mapping[str, Any]) -> bool:
    """Whether an event of changed values has none left: it was about hidden ones alone."""
    return not any(data.get(name) for name in _SIDES)
