"""Verdicts on data under schemas of others: those of the official suite, in words, and bounded."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from builder.errors import FunnelwrightError, Invalid
from builder.metadata.foreign.patterns import UnreadablePattern, check, search
from builder.metadata.foreign.reading import understood
from builder.metadata.foreign.verdicts import DataError
from tests.fixtures.shared_data import shared_data


@pytest.mark.parametrize(("suite", "dialect"), [("draft7", "draft-07"), ("draft2020-12", "2020-12")])
def test_our_verdicts_are_those_of_the_official_suite(suite: str, dialect: str) -> None:
    """Formats apart: ours are asked for, the suite's of 2020-12 only note them."""
    asked = 0
    root = shared_data(f"forms/json_schema_test_suite/tests/{suite}")
    for path in sorted(path for path in root.glob("*.json") if path.name != "format.json"):
        for group in json.loads(path.read_text("utf-8")):
            try:
                schema = understood(group["schema"], dialect)
            except FunnelwrightError:
                continue  # refused: references out of the document, ambiguous ones
            for case in group["tests"]:
                asked += 1
                assert (schema.verdicts().errors(case["data"]) == []) is case["valid"], (path.name, case)
    assert asked > 800


def errors(schema: Any, data: Any) -> list[DataError]:
    return understood(schema).verdicts().errors(data)


@pytest.mark.parametrize(
    ("schema", "data", "path", "message"),
    [
        ({"required": ["a", "b"]}, {"a": 1}, ("b",), "Please fill in this field."),
        ({"additionalProperties": False}, {"x": 1}, ("x",), "“x” is not possible here. Remove it."),
        ({"properties": {"a": False}}, {"a": 1}, (), "Nothing is possible here. Remove the value."),
        ({"propertyNames": {"maxLength": 2}}, {"long": 1}, (), "“long” cannot be a name here."),
        ({"items": {"minimum": 3}}, [5, 1], (1,), "The smallest value is 3."),
        ({"exclusiveMinimum": 3}, 3, (), "This must be more than 3."),
        ({"multipleOf": 5}, 7, (), "This must be a multiple of 5."),
        ({"const": "x"}, "y", (), "This must be “x”."),
        ({"type": "null"}, 1, (), "This must be empty (null)."),
        ({"type": ["string", "null"]}, 1, (), "This value is not possible here."),
        ({"oneOf": [{}, {}]}, 1, (), "This fits several alternatives, but only one may fit."),
        ({"anyOf": [False, False]}, 1, (), "This fits none of the alternatives."),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            ("b",),
            "Because “a” is filled in, “b” is needed too.",
        ),
        ({"format": "date"}, "no", (), "This is not of the form “date”."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    schema: Any, data: Any, path: tuple[Any, ...], message: str
) -> None:
    (error,) = errors(schema, data)
    assert error.path == path
    assert error.message % error.values if error.values else error.message == message


def test_alternatives_say_what_each_of_them_misses() -> None:
    (error,) = errors(
        {"oneOf": [{"required": ["a"]}, {"properties": {"b": {"type": "string"}}, "required": ["b"]}]},
        {"b": 1},
    )
    assert {number: [each.path for each in told] for number, told in error.alternatives.items()} == {
        0: [("a",)],
        1: [("b",)],
    }


def test_a_schema_that_multiplies_with_its_data_is_stopped() -> None:
    schema = {"properties": {"a": {"allOf": [{"$ref": "#"}] * 3}}}
    data: dict[str, Any] = {}
    for _ in range(16):
        data = {"a": data}
    began = time.monotonic()
    with pytest.raises(Invalid, match="takes too long"):
        errors(schema, data)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "^(?=(a+)+$)b", r"(a*)*\1$"])
def test_no_pattern_runs_away(pattern: str) -> None:
    began = time.monotonic()
    search(pattern, "a" * 20_000 + "!")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("pattern", ["(", "[a", "a{99999999}", "(a{1000}){1000}", "x" * 1001, "(?P<a>b"])
def test_what_is_no_pattern_is_told(pattern: str) -> None:
    with pytest.raises(UnreadablePattern):
        check(pattern)


def test_digits_are_those_of_ecma() -> None:
    assert search(r"^\d$", "5")
    assert not search(r"^\d$", "٥")
