"""Schemas of all drafts, rewritten to 2020-12: the verdicts of the official test suite stay the same.

The suite of draft-07 is read in the three older dialects, that of 2020-12 in the two newer ones: what jsonschema says in the dialect's
own class must be what it says of the rewritten schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from builder.errors import Invalid
from builder.metadata.foreign.dialects import DIALECTS, Dialect, dialect_of
from builder.metadata.foreign.rewriting import rewritten
from tests.fixtures.shared_data import shared_data

# The verdicts that differ, and why (also in docs/json-schema.md).
KNOWN = {
    # 1.0 is an integer from draft-06 on.
    ("draft-04", "type.json", "a float with zero fractional part is an integer"),
    ("draft-04", "float-overflow.json", "valid if optional overflow handling is implemented"),
    # jsonschema 4.26 takes names that `additionalProperties` refuses for unevaluated in 2019-09, unlike the suite.
    ("2019-09", "unevaluatedProperties.json", "with additional properties"),
}


def groups(suite: str) -> Iterator[tuple[str, dict[str, Any]]]:
    root = shared_data("forms/json_schema_test_suite/tests")
    for path in sorted((root / suite).rglob("*.json")):
        for group in json.loads(path.read_text("utf-8")):
            yield path.name, group


def verdict(validator: Any, schema: Any, data: Any) -> bool:
    valid: bool = validator(schema, format_checker=validator.FORMAT_CHECKER).is_valid(data)
    return valid


@pytest.mark.parametrize(
    ("suite", "dialect"),
    [("draft7" if dialect.is_old else "draft2020-12", dialect) for dialect in DIALECTS],
    ids=lambda each: getattr(each, "key", each),
)
def test_a_rewritten_schema_has_the_verdicts_of_its_own_draft(suite: str, dialect: Dialect) -> None:
    same, refused, different = 0, set(), set()
    for file, group in groups(suite):
        schema = group["schema"]
        if isinstance(schema, dict) and "$schema" in schema:
            schema = {**schema, "$schema": dialect.uri}
        try:
            dialect.validator.check_schema(schema)
        except SchemaError:
            continue  # not a schema of this draft
        try:
            after = rewritten(schema, dialect)
        except Invalid as error:
            refused.add(error.problems[0].message)
            continue
        for case in group["tests"]:
            try:
                before = verdict(dialect.validator, schema, case["data"])
            except Exception:  # noqa: BLE001 - jsonschema itself fails: there is no verdict to keep
                continue
            if verdict(Draft202012Validator, after, case["data"]) is before:
                same += 1
            else:
                different.add((dialect.key, file, case["description"]))
    assert different <= KNOWN
    assert same > 1500
    # Only what lies outside the document, or what a dynamic reference leaves open.
    assert {message.partition(":")[0] for message in refused} <= {"$ref", "%(keyword)s"}


@pytest.mark.parametrize(
    ("schema", "place", "word"),
    [
        ({"$ref": "https://example.com/a.json"}, "/$ref", "lies outside"),
        ({"properties": {"a": {"$ref": "other.json#/x"}}}, "/properties/a/$ref", "lies outside"),
        ({"items": {"$ref": "#/definitions/none"}}, "/items/$ref", "names nothing"),
        ({"$ref": "#"}, "", "without an end"),
        ({"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "", "without an end"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "/properties/a/$ref", "without an end"),
        (
            {"$ref": "#/definitions/a", "definitions": {"a": {"not": {"$ref": "#/definitions/a"}}}},
            "/$ref",
            "end",
        ),
        ({"$ref": "#/title", "title": "x"}, "/$ref", "not a schema"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_with_its_pointer(
    schema: Any, place: str, word: str
) -> None:
    with pytest.raises(Invalid) as refused:
        rewritten(schema, dialect_of(schema))
    assert refused.value.problems[0].place == place
    assert word in str(refused.value)


def test_references_that_multiply_are_refused() -> None:
    doubling = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}
    schema = {"$ref": "#/$defs/a0", "$defs": {**doubling, "a40": {}}}
    with pytest.raises(Invalid, match="more than 5000 schemas"):
        rewritten(schema, dialect_of(schema))


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "draft-04"),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema"}, "2019-09"),
        ({"minimum": 3, "exclusiveMinimum": True}, "draft-04"),
        ({"properties": {"a": {"prefixItems": [True]}}}, "2020-12"),
        ({"definitions": {"a": {}}}, "draft-07"),
        (True, "draft-07"),
    ],
)
def test_the_dialect_is_what_the_schema_says_or_uses(schema: Any, key: str) -> None:
    assert dialect_of(schema).key == key


@pytest.mark.parametrize(
    "uri", ["http://json-schema.org/draft-03/schema#", "https://example.com/mine", 5, ""]
)
def test_a_dialect_that_is_not_read_is_named(uri: Any) -> None:
    with pytest.raises(Invalid) as refused:
        dialect_of({"$schema": uri})
    assert refused.value.problems[0].place == "/$schema"


_names = st.sampled_from(["a", "b", "definitions", "$ref"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)
_limits = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "object", "array", "number"]),
        "minimum": st.integers(-3, 3),
        "exclusiveMinimum": st.booleans(),
        "maximum": st.integers(-3, 3),
        "exclusiveMaximum": st.booleans(),
        "required": st.lists(_names, min_size=1, max_size=2, unique=True),
        "enum": st.lists(_values, min_size=1, max_size=3),
        "const": _values,
        "minContains": st.integers(0, 2),
        "default": _values,
    },
)


def _more(inner: Any) -> Any:
    return st.builds(
        lambda limits, more: {**limits, **more},
        _limits,
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(_names, inner, max_size=2),
                "additionalProperties": inner | st.booleans(),
                "items": inner | st.lists(inner, min_size=1, max_size=2),
                "additionalItems": inner | st.booleans(),
                "anyOf": st.lists(inner, min_size=1, max_size=2),
                "not": inner,
                "dependencies": st.dictionaries(_names, inner | st.lists(_names, min_size=1, unique=True)),
            },
        ),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(_limits, _more, max_leaves=6), _values)
def test_any_schema_of_draft_04_keeps_its_verdict_on_any_data(schema: Any, data: Any) -> None:
    dialect = DIALECTS[0]
    try:
        dialect.validator.check_schema(schema)
    except SchemaError:
        return
    after = rewritten(schema, dialect)
    assert verdict(Draft202012Validator, after, data) is verdict(dialect.validator, schema, data)
