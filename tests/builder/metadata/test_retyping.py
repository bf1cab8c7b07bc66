"""A value read as another type fits, or is put aside and comes back: nothing is ever lost."""

from __future__ import annotations

from typing import Any

import pytest

from builder.domain.fields import FieldDefinition, Option
from builder.domain.labels import Label
from builder.fieldtypes.base import FieldContext, InvalidValue
from builder.fieldtypes.registry import all_types, field_type
from builder.metadata.retyping import Retyping

OPTIONS = (Option("red", Label.of({"en": "Red", "zh_Hans": "红"})), Option("blue", Label.of({"en": "Blue"})))
TEXTS = [one.key for one in all_types() if one.has_texts]
VALUES: dict[str, list[Any]] = {
    "text": ["", "12", "1,200.50", "Red", "2026-11-22", "yes", "a@example.com", "nobody knows"],
    "integer": [0, -5, 12],
    "decimal": ["12.50", "3"],
    "money": ["1200.50"],
    "yes_no": [True, False],
    "date": ["2026-11-22"],
    "datetime": ["2026-11-22T08:30:00Z"],
    "choice": ["red", "gone"],
    "choices": [["red"], ["red", "blue"]],
    "duration": [5400],
    "rating": [3],
    "phone": ["+4930123456"],
}


def definition(type_key: str) -> FieldDefinition:
    document: dict[str, Any] = {"x-type": type_key, "x-label": {"en": "Size"}}
    document |= field_type(type_key).starting("matter", {})
    options = OPTIONS if "x-options" in document else ()
    params = field_type(type_key).params(document)
    return FieldDefinition("size", type_key, Label.of("Size"), options=options, params=params)


def change(before: str, after: str) -> Retyping:
    return Retyping(definition(before), definition(after), FieldContext())


@pytest.mark.parametrize(
    ("before", "value", "after", "wanted"),
    [
        ("text", "1,200.50", "money", "1200.50"),
        ("text", "12", "integer", 12),
        ("text", "Red", "choice", "red"),
        ("text", "2026-11-22", "date", "2026-11-22"),
        ("choice", "red", "text", "Red"),
        ("choice", "red", "choices", ["red"]),
        ("integer", 12, "decimal", "12.0"),
        ("integer", 12, "text", "12"),
        ("yes_no", True, "text", "Yes"),
        ("money", "1200.50", "decimal", "1200.50"),
    ],
)
def test_what_says_the_same_is_converted(before: str, value: Any, after: str, wanted: Any) -> None:
    assert change(before, after).converted(value) == wanted


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("text", "nobody knows", "integer"),
        ("text", "Green", "choice"),
        ("text", "31.02.2026", "date"),
        ("decimal", "12.50", "integer"),
        ("choices", ["red", "blue"], "choice"),
        ("integer", 12, "date"),
        ("integer", ["of another shape"], "text"),
    ],
)
def test_what_does_not_fit_is_put_aside_and_comes_back(before: str, value: Any, after: str) -> None:
    there = change(before, after)
    if before != "integer" or after != "text":
        with pytest.raises(InvalidValue):
            there.converted(value)
    data = there.applied({"title": "Fence", "size": value})
    assert data[there.put_aside] == value
    assert there.back.applied(data) == {"title": "Fence", "size": value}


def test_what_somebody_gave_since_stays_and_so_does_what_was_put_aside() -> None:
    there = change("text", "integer")
    data = {**there.applied({"size": "about ten"}), "size": 11}
    assert there.back.applied(data) == {"size": "11", "size@text": "about ten"}


@pytest.mark.parametrize("before", VALUES)
def test_there_and_back_every_value_is_what_it_was(before: str) -> None:
    for after in TEXTS:
        there = change(before, after)
        for value in VALUES[before] if before != after else ():
            data = {"size": value} if value != "" else {}
            assert there.back.applied(there.applied(data)) == data, (after, there.applied(data))
