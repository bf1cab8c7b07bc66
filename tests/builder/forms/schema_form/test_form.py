"""Any schema with any data becomes a form or is refused in words, and what a form sends is read again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder.errors import FunnelwrightError, Invalid
from builder.forms.schema_form.form import SchemaForm, as_own, received, shown
from builder.forms.schema_form.nodes import ABSENT, Control
from builder.metadata.foreign.reading import understood

NAMES = st.sampled_from(["a", "b", "c d", "$ref", "名"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "2026-11-22"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"])
WORDS: dict[str, Any] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "title": st.sampled_from(["T", "<b>"]),
    "default": JSON,
    "enum": st.lists(JSON, min_size=1, max_size=3),
    "const": JSON,
    "format": st.sampled_from(["date", "date-time", "email", "uri", "data-url", "color", "time"]),
    "minimum": st.integers(-3, 3),
    "minItems": st.integers(0, 3),
    "maxItems": st.integers(0, 3),
    "uniqueItems": st.booleans(),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "$ref": st.sampled_from(["#", "#/$defs/x"]),
    "readOnly": st.booleans(),
    "examples": st.lists(JSON, max_size=2),
}


def _schemas(inner: Any) -> Any:
    several = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            **WORDS,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "prefixItems": several,
            "anyOf": several,
            "oneOf": several,
            "allOf": several,
            "if": inner,
            "then": inner,
            "else": inner,
            "not": inner,
            "dependentSchemas": st.dictionaries(NAMES, inner, max_size=2),
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
            "$defs": st.fixed_dictionaries({"x": inner}),
        },
    )


SCHEMAS = st.recursive(st.booleans() | st.fixed_dictionaries({}, optional=WORDS), _schemas, max_leaves=8)


def say(key: str, values: Any) -> str:
    return key % values if values else key


def ids(form: SchemaForm) -> list[str]:
    return [node.anchor for node in form.root.walk()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    SCHEMAS,
    JSON,
    st.lists(
        st.tuples(
            st.sampled_from(
                ["s", "s.choice", "s-a", "s-a.choice", "s-a.rows", "_has", "s.names", "s-.0.key"]
            ),
            st.sampled_from(["", "0", "1", "x", "s-a", "s.rows", "null"]),
        ),
        max_size=6,
    ),
)
def test_any_schema_becomes_a_form_or_is_refused_in_words(
    schema: Any, data: Any, pairs: list[tuple[str, str]]
) -> None:
    try:
        read = understood(schema)
        empty = shown(read, {}, ABSENT, say, is_checked=True)
        given_data = shown(read, {}, data, say, is_checked=True)
        assert given_data.is_valid is read.verdicts().is_valid(data)
        for form in (empty, given_data, received(read, {}, pairs, say, is_checked=True)):
            names = [node.name for node in form.root.walk() if isinstance(node, Control)]
            assert len(names) == len(set(names))
        as_own(read)
    except FunnelwrightError as error:
        assert str(error)  # noqa: PT017 - refusing is right; anything else that is raised is not


def test_what_is_no_number_is_kept_and_told() -> None:
    form = received(
        understood({"properties": {"n": {"type": "number"}}}), {}, [("s-n", "١٢")], say, is_checked=True
    )
    assert form.data == {"n": "١٢"}
    assert [problem.message for problem in form.problems["s-n"]] == ["This is not a number."]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-2.50", -2.5), ("1e3", 1000.0), (".5", 0.5), (" 7 ", 7), ("9" * 300, int("9" * 300))],
)
def test_numbers_are_read_as_json_has_them(text: str, value: float) -> None:
    read = understood({"properties": {"n": {"type": "number"}}})
    assert received(read, {}, [("s-n", text)], say).data == {"n": value}


@pytest.mark.parametrize("text", ["1e999", "NaN", "Infinity", "0x10", "1,5", "--1", "1_000", "9" * 500])
def test_what_only_looks_like_a_number_is_told(text: str) -> None:
    read = understood({"properties": {"n": {"type": "number"}}})
    assert not received(read, {}, [("s-n", text)], say, is_checked=True).is_valid


def test_a_moment_in_another_zone_is_kept_unless_it_is_changed() -> None:
    read = understood({"properties": {"at": {"type": "string", "format": "date-time"}}})
    control = next(
        node
        for node in shown(read, {}, {"at": "2026-11-22T08:00:00+08:00"}, say).root.walk()
        if isinstance(node, Control)
    )
    assert control.text == "2026-11-22T00:00:00"
    untouched = [(control.name, control.text), (f"{control.name}.was", control.was)]
    assert received(read, {}, untouched, say).data == {"at": "2026-11-22T08:00:00+08:00"}
    changed = [(control.name, "2026-11-22T01:00"), (f"{control.name}.was", control.was)]
    assert received(read, {}, changed, say, is_checked=True).data == {"at": "2026-11-22T01:00:00Z"}


def test_a_form_that_leads_to_too_many_fields_is_refused() -> None:
    level: Any = {"type": "string"}
    for _ in range(6):
        level = {"type": "object", "properties": {f"p{n}": level for n in range(4)}}
    with pytest.raises(Invalid, match="more than 1500 fields"):
        shown(understood(level), {}, ABSENT, say)
