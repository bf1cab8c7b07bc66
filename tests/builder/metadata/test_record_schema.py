"""The stored schema: an independent validator reaches our verdict, for every field type and for rules
(idea 1).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import evaluate
from builder.domain.fields import FieldSet
from builder.errors import Invalid
from builder.fieldtypes.registry import all_types
from builder.metadata.grammar import type_validator
from builder.metadata.record_schema import compile_fields, problems
from builder.metadata.record_validation import REQUIRED, validate
from builder.metadata.slots import assign_slots

L = {"en": "A field", "zh_Hans": "字段"}
OPTIONS = [{"key": "a", "label": L}, {"key": "b", "label": L}, {"key": "old", "label": L, "retired": True}]
FIELDS: dict[str, dict[str, Any]] = {
    "text": {"maxLength": 5},
    "long_text": {"maxLength": 8},
    "integer": {"minimum": -5, "maximum": 100},
    "decimal": {"x-scale": 3, "x-sign": "positive"},
    "percent": {"x-range": "0_to_100", "x-scale": 1},
    "money": {"x-currency": "KWD"},
    "yes_no": {},
    "date": {},
    "datetime": {},
    "choice": {"x-options": OPTIONS},
    "choices": {"x-options": OPTIONS, "maxItems": 2},
    "email": {},
    "phone": {},
    "url": {},
    "user": {},
    "reference": {"x-target": "thing"},
    "formula": {"x-formula": "integer + 1"},
    "table": {
        "items": {
            "type": "object",
            "properties": {
                "quantity": {"x-type": "integer", "x-label": L},
                "price": {"x-type": "money", "x-label": L},
                "kind": {"x-type": "choice", "x-label": L, "x-options": OPTIONS},
            },
            "required": ["quantity"],
        },
        "maxItems": 2,
    },
    "auto_number": {"x-format": "{number}"},
    "rollup": {"x-from": "thing", "x-by": "of", "x-function": "count"},
    "money_rollup": {"x-from": "thing", "x-by": "of", "x-function": "sum", "x-of": "worth"},
    "file": {"x-media-types": ["application/pdf"]},
    "image": {},
    "duration": {},
    "rating": {"maximum": 3},
    "address": {},
    "sub_form": {
        "properties": {
            "days": {"x-type": "integer", "x-label": L, "minimum": 1},
            "kind": {"x-type": "choice", "x-label": L, "x-options": OPTIONS},
            "fee": {
                "x-type": "sub_form",
                "x-label": L,
                "properties": {
                    "price": {"x-type": "money", "x-label": L, "x-currency": "CNY"},
                    "lines": {
                        "x-type": "table",
                        "x-label": L,
                        "items": {
                            "type": "object",
                            "properties": {"size": {"x-type": "decimal", "x-label": L}},
                        },
                    },
                },
            },
        },
        "required": ["days"],
    },
}
DOCUMENT = {
    "type": "object",
    "properties": {key: {"x-type": key, "x-label": L, **own} for key, own in FIELDS.items()},
}
FIELDSET = compile_fields(DOCUMENT, slots=None)

GOOD: dict[str, list[Any]] = {
    "text": ["x", "华为", " ", "12345", "\U0001f600" * 5],
    "long_text": ["a\nb", "\n", "\t\x0b"],
    "integer": [0, -5, 100, 7.0],
    "decimal": ["0.001", "12", "999999999999.999"],
    "percent": ["0", "100", "100.0", "99.9"],
    "money": ["0", "-1.234", "99999999999.999"],
    "yes_no": [True, False],
    "date": ["2024-02-29", "1999-12-31"],
    "datetime": ["2026-11-21T08:30:00Z", "2026-11-21T23:59:59.123456Z"],
    "choice": ["a"],
    "choices": [["a"], ["b", "a"]],
    "email": ["a@b.co", "李明@例子.公司"],
    "phone": ["+8613800138000", "+12125550100;ext=12"],
    "url": ["http://x", "HTTPS://例子.公司/路径?q=1#a"],
    "user": ["1", "9223372036854775807"],
    "reference": ["12"],
    "formula": ["8.00"],
    "table": [[{"quantity": 1}], [{"quantity": 2, "price": "1.50", "kind": "a"}, {"quantity": 0}]],
    "auto_number": ["Q-2026-00017", "1", " x"],
    "rollup": ["0", "-12.50", "999999999999999", "0.000001"],
    "money_rollup": [{"CNY": "0.00"}, {"CNY": "-1.5", "JPY": "9" * 30}],
    "file": [{"id": "1", "name": "报价.pdf", "media_type": "application/pdf", "size": 0}],
    "image": [{"id": "1", "name": "a", "media_type": "image/png", "size": 9}],
    "duration": [0, 5400, 3_162_240_000],
    "rating": [1, 3, 2.0],
    "address": [
        {"city": "北京"},
        {"street": "a\nb", "postal_code": "0", "city": "c", "region": "r", "country": "CN"},
    ],
    "sub_form": [
        {"days": 1},
        {"days": 9, "kind": "a", "fee": {"price": "1.50", "lines": [{"size": "0.5"}, {}]}},
    ],
}
BAD: dict[str, list[Any]] = {
    "text": ["", "123456", "a\nb", "a\n", "\r", "\x00", 5, None],
    "long_text": ["", "a\x00", "123456789", ["a"]],
    "integer": [-6, 101, 1.5, "1", True, None],
    "decimal": [
        "0",
        "0.000",
        "-1",
        "1.2345",
        "01",
        "1.",
        ".5",
        "1e3",
        "1,5",
        "１",
        "1\n",
        " 1",
        1.5,
        "NaN",
        "",
    ],
    "percent": ["100.1", "101", "-1", "1.23", "00", "5%"],
    "money": ["1.2345", "9999999999999", "1.5\n", 1.5, "--1", "+1"],
    "yes_no": [0, 1, "true", None],
    "date": [
        "2026-02-30",
        "2026-1-1",
        "2026-11-21\n",
        "0000-01-01",
        "20261121",
        "2026-11-21T00:00:00Z",
        "２０２６-11-21",
    ],
    "datetime": [
        "2026-11-21T08:30:00",
        "2026-11-21 08:30:00Z",
        "2026-11-21T08:30:00+08:00",
        "2026-11-21T24:00:00Z",
        "2026-02-30T08:30:00Z",
        "2026-12-31T23:59:60Z",
        "2026-11-21t08:30:00z",
        "2026-11-21T08:30:00Z\n",
    ],
    "choice": ["old", "c", "A", "", ["a"]],
    "choices": [[], ["a", "a"], ["old"], "a", ["c"]],
    "email": ["a", "a@b", "@b.co", "a b@c.de", "a@b.co\n", "a@b..co", '"a"@b.co', "a@b.c/d"],
    "phone": ["13800138000", "+0123", "+1 212", "+12\n", "+８６138"],
    "url": [
        "ftp://x",
        "javascript:alert(1)",
        "http://",
        "http://a b",
        "http:///x",
        "x",
        "http://x\n",
        '//x"',
    ],
    "user": ["0", "01", "-1", "1\n", 1, "１", "12345678901234567890"],
    "reference": ["a", ""],
    "formula": ["8.001", 8],
    "table": [
        [],
        [{}],
        [{"quantity": 1}] * 3,
        [{"quantity": 1, "other": 1}],
        [{"quantity": 1, "price": 1}],
        {},
    ],
    "auto_number": ["", "a\n", "a\tb", "x" * 61, 5, None],
    "rollup": ["", "01", "1e3", "9999999999999999", "1.1234567", 5, "1\n"],
    "money_rollup": [{}, {"cny": "1"}, {"CNY": 1}, {"CNY": "1.12345"}, {"CNY\n": "1"}, "5"],
    "file": [
        {},
        "1",
        {"id": "1", "name": "a", "media_type": "a/b"},
        {"id": "1", "name": "a/b", "media_type": "a/b", "size": 1},
        {"id": "1", "name": "a\n", "media_type": "a/b", "size": 1},
        {"id": "0", "name": "a", "media_type": "a/b", "size": 1},
        {"id": "1", "name": "a", "media_type": "text", "size": 1},
        {"id": "1", "name": "a", "media_type": "a/b", "size": -1},
        {"id": "1", "name": "a", "media_type": "a/b", "size": 1, "more": 1},
    ],
    "image": [{"id": "1", "name": "a", "media_type": "image/svg+xml", "size": 9}],
    "duration": [-1, 1.5, "60", True, None, 3_162_240_001],
    "rating": [0, 4, "3", 1.5, True],
    "address": [
        {},
        {"city": ""},
        {"city": "a\nb"},
        {"city": "a\n"},
        {"city": "x" * 61},
        {"country": "XX"},
        {"country": "cn"},
        {"planet": "Mars"},
        {"city": None},
        "Main Street 1",
        ["a"],
    ],
    "sub_form": [
        {},
        {"kind": "a"},
        {"days": 0},
        {"days": 1, "kind": "old"},
        {"days": 1, "other": 1},
        {"days": 1, "fee": {}},
        {"days": 1, "fee": {"price": "1.505"}},
        {"days": 1, "fee": {"lines": []}},
        {"days": 1, "fee": {"lines": [{"size": 1}]}},
        [{"days": 1}],
        "a",
    ],
}


def independent(schema: Any) -> tuple[Draft202012Validator, Any]:
    return (
        Draft202012Validator(schema, format_checker=FormatChecker()),
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True),
    )


PYTHON, RUST = independent(FIELDSET.schema)


def verdicts(data: Any) -> set[bool]:
    return {not validate(FIELDSET, data), PYTHON.is_valid(data), bool(RUST.is_valid(data))}


@pytest.mark.parametrize("key", FIELDS)
def test_good_values_pass_and_bad_values_fail_everywhere(key: str) -> None:
    for value in GOOD[key]:
        assert verdicts({key: value}) == {True}, value
    for value in BAD[key]:
        assert verdicts({key: value}) == {False}, value


def test_every_field_type_is_tested() -> None:
    assert {kind.key for kind in all_types()} == set(FIELDS) == set(GOOD) == set(BAD)


def mutated(text: str) -> st.SearchStrategy[str]:
    """The text with one character changed, left out, doubled or put in."""
    marks = st.sampled_from(list("0123456789.-+ eEZT:@/\n\t\x0b\u2028\u00a0\u3000aÀ華\U0001f600１٣,;%_"))
    place = st.integers(0, len(text))
    return st.one_of(
        st.builds(lambda at, mark: text[:at] + mark + text[at:], place, marks),
        st.builds(lambda at, mark: text[:at] + mark + text[at + 1 :], place, marks),
        st.builds(lambda at: text[:at] + text[at + 1 :], place),
    )


def anything_like(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, str):
        return mutated(value) | st.just(value)
    if isinstance(value, bool):
        return st.sampled_from([value, int(value), str(value)])
    if isinstance(value, int | float):
        return st.integers(-7, 103) | st.floats(-10, 110) | st.just(str(value))
    if isinstance(value, list) and value:
        return st.lists(anything_like(value[0]), max_size=3)
    if isinstance(value, dict) and value:
        return st.fixed_dictionaries({name: anything_like(inner) for name, inner in value.items()})
    return st.just(value)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(FIELDS)).flatmap(
        lambda key: st.tuples(st.just(key), st.sampled_from(GOOD[key] + BAD[key]).flatmap(anything_like))
    )
)
def test_three_validators_agree_on_mutated_values(pair: tuple[str, Any]) -> None:
    key, value = pair
    assert len(verdicts({key: value})) == 1, (key, value)


RULED = {
    "type": "object",
    "properties": {
        "kind": {"x-type": "choice", "x-label": L, "x-options": [{"key": k, "label": L} for k in "abc"]},
        "tags": {"x-type": "choices", "x-label": L, "x-options": [{"key": k, "label": L} for k in "abc"]},
        "count": {"x-type": "integer", "x-label": L},
        "is_big": {"x-type": "yes_no", "x-label": L},
        "note": {"x-type": "text", "x-label": L},
        "extra": {"x-type": "text", "x-label": L, "x-hidden": "clear"},
        "choice": {"x-type": "choice", "x-label": L, "x-options": [{"key": k, "label": L} for k in "abc"]},
    },
}
DATA = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from("abc"),
        "tags": st.lists(st.sampled_from("abc"), min_size=1, unique=True),
        "count": st.integers(-2, 2),
        "is_big": st.booleans(),
        "note": st.just("x"),
        "extra": st.just("y"),
        "choice": st.sampled_from("abc"),
    },
)
LEAVES = st.one_of(
    st.builds(
        lambda op, v: {"field": "kind", "op": op, "value": v},
        st.sampled_from(["eq", "ne"]),
        st.sampled_from("abc"),
    ),
    st.builds(
        lambda op, v: {"field": "kind", "op": op, "value": v},
        st.sampled_from(["in", "not_in"]),
        st.lists(st.sampled_from("abc"), max_size=2),
    ),
    st.builds(
        lambda op, v: {"field": "tags", "op": op, "value": v},
        st.sampled_from(["has_any", "has_all"]),
        st.lists(st.sampled_from("abc"), max_size=2),
    ),
    st.builds(
        lambda op, v: {"field": "tags", "op": op, "value": v},
        st.sampled_from(["contains", "not_contains"]),
        st.sampled_from("abc"),
    ),
    st.builds(
        lambda op, v: {"field": "count", "op": op, "value": v},
        st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]),
        st.integers(-2, 2),
    ),
    st.builds(lambda v: {"field": "is_big", "op": "eq", "value": v}, st.booleans()),
    st.builds(
        lambda f, op: {"field": f, "op": op},
        st.sampled_from(["note", "kind", "tags"]),
        st.sampled_from(["empty", "not_empty"]),
    ),
)
WHEN = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda parts: {"all": parts}),
        st.lists(inner, max_size=2).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=3,
)
RULES = st.lists(
    st.one_of(
        st.builds(
            lambda effect, fields, when: {"effect": effect, "fields": fields, "when": when},
            st.sampled_from(["show", "require", "read_only"]),
            st.lists(st.sampled_from(["extra", "choice"]), min_size=1, unique=True),
            WHEN,
        ),
        st.builds(
            lambda options, when: {
                "effect": "options",
                "fields": ["choice"],
                "when": when,
                "options": options,
            },
            st.lists(st.sampled_from("abc"), unique=True, max_size=2),
            WHEN,
        ),
    ),
    max_size=4,
)


def meant(fieldset: FieldSet, data: dict[str, Any]) -> bool:
    """What the rules say, worked out from the conditions alone."""
    context = EvaluationContext(datetime(2026, 1, 1, tzinfo=UTC))
    holding = [(rule, evaluate(rule.when, data, fieldset.by_key, context)) for rule in fieldset.rules]
    for key in ("extra", "choice"):
        on_key = [(rule, holds) for rule, holds in holding if key in rule.targets]
        is_visible = all(holds for rule, holds in on_key if rule.effect == "show")
        is_required = fieldset.by_key[key].is_required or any(h for r, h in on_key if r.effect == "require")
        if is_visible and is_required and key not in data:
            return False
        if not is_visible and fieldset.by_key[key].hidden == "clear" and key in data:
            return False
        for rule, holds in on_key:
            if (
                rule.effect == "options"
                and holds
                and is_visible
                and key in data
                and data[key] not in rule.options
            ):
                return False
    return True


@settings(max_examples=250, deadline=None)
@given(RULES, st.sampled_from([[], ["extra"], ["choice", "extra"]]), st.lists(DATA, min_size=4, max_size=10))
def test_rules_mean_in_the_schema_what_they_mean_in_python(
    rules: list[Any], required: list[str], datas: list[dict[str, Any]]
) -> None:
    fieldset = compile_fields({**RULED, "x-rules": rules, "required": required})
    python, rust = independent(fieldset.schema)
    for data in datas:
        wanted = meant(fieldset, data)
        assert validate(fieldset, data) is not wanted
        assert python.is_valid(data) is wanted
        assert rust.is_valid(data) is wanted


def test_the_stored_schema_is_json_and_keeps_what_the_author_wrote() -> None:
    schema = json.loads(json.dumps(dict(FIELDSET.schema)))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["text"]["x-label"] == L
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("key", FIELDS)
def test_the_grammar_of_a_type_knows_its_settings_and_no_others(key: str) -> None:
    checker = type_validator(key)
    assert checker is not None
    field = {"x-type": key, "x-label": L, **FIELDS[key]}
    assert list(checker.iter_errors(field)) == []
    assert not checker.is_valid({**field, "x-surprise": 1})
    assert not checker.is_valid({**field, "x-default": {"not": "a value"}})


def test_money_takes_its_decimals_from_the_currency_of_the_record() -> None:
    fieldset = compile_fields(
        {
            "type": "object",
            "properties": {
                "currency": {
                    "x-type": "choice",
                    "x-label": L,
                    "x-role": "currency",
                    "x-options": [{"key": code, "label": L} for code in ("USD", "JPY", "KWD")],
                },
                "amount": {"x-type": "money", "x-label": L},
            },
        }
    )
    verdict = {
        (code, amount): not validate(fieldset, {"currency": code, "amount": amount})
        for code in ("USD", "JPY", "KWD")
        for amount in ("5", "5.5", "5.55", "5.555", "5.5555")
    }
    assert [amount for (code, amount), ok in verdict.items() if ok and code == "JPY"] == ["5"]
    assert [amount for (code, amount), ok in verdict.items() if ok and code == "USD"] == ["5", "5.5", "5.55"]
    assert ("KWD", "5.555") in [pair for pair, ok in verdict.items() if ok]


def filterable(count: int, kind: str = "text") -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {f"f{n}": {"x-type": kind, "x-label": L, "x-filterable": True} for n in range(count)},
    }


def test_slots_stay_with_their_fields_and_new_fields_get_untouched_ones() -> None:
    first = compile_fields(filterable(3), slots={})
    assert [item.slot for item in first] == ["t01", "t02", "t03"]
    before = {"gone": "t01", "f1": "t07", "f2": "t02"}
    given = assign_slots(compile_fields(filterable(3)).fields, before)
    assert given == {"f0": "t03", "f1": "t07", "f2": "t02"}


def test_the_twenty_first_filterable_field_is_refused_by_name() -> None:
    compile_fields(filterable(20), slots={})
    found = problems(filterable(21), slots={})
    assert [(problem.place, problem.values["field"]) for problem in found] == [
        ("/properties/f20/x-filterable", "f20")
    ]


def test_a_freed_slot_is_given_out_when_no_untouched_one_is_left() -> None:
    before = {f"f{n}": f"t{n + 1:02}" for n in range(19)} | {"gone": "t20"}
    assert assign_slots(compile_fields(filterable(20)).fields, before)["f19"] == "t20"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"properties": {"x": {"x-type": "nonsense", "x-label": L}}}, "/properties/x/x-type"),
        (
            {"properties": {"x": {"x-type": "choice", "x-label": L, "x-options": []}}},
            "/properties/x/x-options",
        ),
        (
            {"properties": {"x": {"x-type": "formula", "x-label": L, "x-formula": "1 +"}}},
            "/properties/x/x-formula",
        ),
        ({"properties": {"x": {"x-type": "formula", "x-label": L, "x-formula": "x + 1"}}}, "/properties"),
        ({"properties": {"x": {"x-type": "formula", "x-label": L, "x-formula": "y + 1"}}}, "/properties"),
        ({"properties": {"x": {"x-type": "text", "x-label": L}}, "required": ["y"]}, "/required"),
        (
            {"properties": {"x": {"x-type": "text", "x-label": L, "maxLength": 900, "x-filterable": True}}},
            "/properties/x/maxLength",
        ),
        (
            {"properties": {"x": {"x-type": "integer", "x-label": L, "minimum": 5, "maximum": 1}}},
            "/properties/x/minimum",
        ),
        (
            {"properties": {"x": {"x-type": "integer", "x-label": L, "maximum": 1, "x-default": 5}}},
            "/properties/x/x-default",
        ),
        (
            {
                "properties": {
                    "x": {
                        "x-type": "table",
                        "x-label": L,
                        "x-totals": ["z"],
                        "items": {"type": "object", "properties": {"z": {"x-type": "text", "x-label": L}}},
                    }
                }
            },
            "/properties/x/x-totals/0",
        ),
        (
            {
                "properties": {"x": {"x-type": "text", "x-label": L}},
                "x-rules": [{"effect": "show", "fields": ["y"], "when": {"field": "x", "op": "empty"}}],
            },
            "/x-rules/0/fields",
        ),
        (
            {
                "properties": {"x": {"x-type": "text", "x-label": L}},
                "x-rules": [
                    {"effect": "require", "fields": ["x"], "when": {"field": "x", "op": "eq", "value": "a"}}
                ],
            },
            "/x-rules",
        ),
        (
            {
                "properties": {"x": {"x-type": "text", "x-label": L}},
                "x-rules": [
                    {"effect": "show", "fields": ["x"], "when": {"all": [{"field": "x", "op": "?"}]}}
                ],
            },
            "/x-rules/0/when/all/0/op",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_fields({"type": "object", **change})
    assert place in [problem.place for problem in caught.value.problems]
    assert all(problem.message % problem.values for problem in caught.value.problems)


def test_errors_name_pointer_field_and_limit() -> None:
    found = validate(FIELDSET, {"text": "123456", "table": [{"quantity": 1}, {"price": "x"}], "other": 1})
    assert {(error.pointer, error.field) for error in found} == {
        ("/text", "text"),
        ("/table/1/quantity", "table"),
        ("/table/1/price", "table"),
        ("/other", "other"),
    }
    assert found[0].values == {"limit": 5}
    assert [error.message for error in found if error.pointer == "/table/1/quantity"] == [REQUIRED]


def test_an_old_violation_is_marked_and_a_touched_one_is_not() -> None:
    before = {"text": "123456", "integer": 101}
    found = validate(FIELDSET, {"text": "123456", "integer": 102}, before)
    assert {error.field: error.is_old for error in found} == {"text": True, "integer": False}


def test_an_option_retired_since_may_stay_and_may_not_be_chosen_anew() -> None:
    assert (
        validate(FIELDSET, {"choice": "old", "choices": ["old"]}, {"choice": "old", "choices": ["old"]}) == []
    )
    assert [error.field for error in validate(FIELDSET, {"choice": "old"}, {"choice": "a"})] == ["choice"]
    assert [error.field for error in validate(FIELDSET, {"choice": "old"})] == ["choice"]


@pytest.mark.parametrize("bad", ["\ud800", "a\x00", {"\udfff": 1}, [["\x00"]]])
def test_what_no_database_can_keep_is_refused_in_every_field(bad: Any) -> None:
    for key in FIELDS:
        assert {error.field for error in validate(FIELDSET, {key: bad})} == {key}
