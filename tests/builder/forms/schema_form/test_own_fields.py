"""Fields of ours from schemas of others: what is held, and what is left out by name."""

from __future__ import annotations

import json
from typing import Any

from builder.forms.schema_form.form import as_own
from builder.metadata import documents
from builder.metadata.foreign.reading import understood
from builder.metadata.record_schema import compile_fields
from tests.fixtures.shared_data import DATA


def types_of(schema: Any) -> dict[str, str]:
    return {key: each["x-type"] for key, each in as_own(understood(schema)).document["properties"].items()}


def left_out(schema: Any) -> list[tuple[str, str]]:
    return [(each.place, each.values["keyword"]) for each in as_own(understood(schema)).problems]


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_each_kind_of_value_has_its_field_type() -> None:
    schema = of(
        firstName={"type": "string", "maxLength": 40},
        note={"type": "string"},
        mail={"type": "string", "format": "email"},
        day={"type": "string", "format": "date"},
        count={"type": ["integer", "null"]},
        share={"type": "number"},
        ok={"type": "boolean"},
        kind={"enum": ["a b", "c"]},
        many={"type": "array", "uniqueItems": True, "items": {"enum": ["x", "y"]}},
        words={"type": "array", "items": {"type": "string"}},
        where=of(city={"type": "string"}),
    )
    assert types_of(schema) == {
        "first_name": "text", "note": "long_text", "mail": "email", "day": "date", "count": "integer",
        "share": "decimal", "ok": "yes_no", "kind": "choice", "many": "choices", "words": "table", "where": "sub_form",
    }  # fmt: skip


def test_keys_are_keys_and_each_stands_once() -> None:
    assert list(
        types_of(of(**{"A b": {"type": "string"}, "a-B": {"type": "string"}, "名": {"type": "string"}}))
    ) == [
        "a_b",
        "a_b_2",
        "field",
    ]


def test_what_no_field_can_hold_is_named_with_its_pointer_and_keyword() -> None:
    schema = {
        **of(
            two={"type": ["string", "array"]},
            either={"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 3}]},
            fixed={"type": "array", "items": [{"type": "string"}]},
            free={"type": "object", "additionalProperties": {"type": "string"}},
            shaped={"type": "string", "pattern": "^a"},
        ),
        "if": {"required": ["two"]},
        "then": {"required": ["free"]},
    }
    assert left_out(schema) == [
        ("", "if"),
        ("/two", "type"),
        ("/either", "oneOf"),
        ("/fixed", "prefixItems"),
        ("/free", "additionalProperties"),
        ("/shaped", "pattern"),
    ]


def test_a_schema_that_holds_itself_ends() -> None:
    node = {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#"}}}
    assert types_of(node) == {"name": "long_text", "next": "sub_form"}


def test_every_form_made_of_the_shared_ones_is_sound() -> None:
    for path in sorted((DATA / "forms").glob("*.json")):
        own = as_own(understood(json.loads(path.read_text("utf-8"))["schema"]))
        document = {
            "grammar": 1,
            "kind": "feedback",
            "key": "x",
            "label": {"en": "X"},
            "object": "y",
            "fields": own.document,
        }
        assert documents.check("feedback", document) == [], path.name
        compile_fields(own.document)
