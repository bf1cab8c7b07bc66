"""Forms from a JSON Schema over HTTP: reading a schema, filling its form, checking; hostile schemas."""

from __future__ import annotations

import html
import io
import json
import time
from typing import Any

from builder.forms.schema_form.form import shown
from builder.forms.schema_form.nodes import ABSENT
from builder.metadata.foreign.reading import understood
from tests.fixtures.schema_forms import PageOfForm
from tests.fixtures.town import Town, Visitor

PAGE = "/w/acme/studio/json-schema"
FORM = f"{PAGE}/form"
PERSON = {
    "title": "Person",
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}


def read(visitor: Visitor, schema: Any, **more: str) -> Any:
    return visitor.post(PAGE, {"schema": schema if isinstance(schema, str) else json.dumps(schema), **more})


def fill(visitor: Visitor, schema: Any, pairs: dict[str, Any], action: str = "check", **more: Any) -> Any:
    return visitor.post(FORM, {"schema": json.dumps(schema), "_action": action, **pairs}, **more)


def test_an_admin_finds_the_page_in_the_menu(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    assert PAGE in ada.get("/w/acme/studio/processes").text
    assert "Form from a JSON Schema" in ada.get(PAGE).text


def test_a_schema_becomes_a_form(sqlite_town: Town) -> None:
    answer = read(sqlite_town.as_("Ada"), PERSON, data='{"name": "Li Wei", "age": 30}')
    assert answer.status_code == 200
    sent = dict(PageOfForm(answer.text).sent())
    assert (sent["s-name"], sent["s-age"]) == ("Li Wei", "30")


def test_an_uploaded_schema_takes_the_place_of_a_pasted_one(sqlite_town: Town) -> None:
    file = (io.BytesIO(json.dumps(PERSON).encode()), "person.json")
    answer = sqlite_town.as_("Ada").post(PAGE, {"schema": "", "schema_file": file})
    assert (answer.status_code, "s-name" in answer.text) == (200, True)


def test_data_that_are_right_are_shown_as_json(sqlite_town: Town) -> None:
    answer = fill(sqlite_town.as_("Ada"), PERSON, {"s-name": "Li Wei", "s-age": "30"})
    assert answer.status_code == 200
    assert "These data are right." in answer.text
    assert "&#34;age&#34;: 30" in answer.text


def test_wrong_data_are_told_at_their_field_and_in_a_summary_and_what_was_typed_is_kept(
    sqlite_town: Town,
) -> None:
    answer = fill(sqlite_town.as_("Ada"), PERSON, {"s-name": "", "s-age": "-3"}, htmx=True)
    assert answer.status_code == 422
    assert 'id="s-age-error"' in answer.text
    assert 'href="#s-name"' in answer.text
    assert 'value="-3"' in answer.text
    assert answer.text.lstrip().startswith("<div id=")


def test_a_text_that_is_no_number_is_kept_and_told(sqlite_town: Town) -> None:
    answer = fill(sqlite_town.as_("Ada"), PERSON, {"s-name": "A", "s-age": "many"})
    assert answer.status_code == 422
    assert "This is not a number." in answer.text
    assert 'value="many"' in answer.text


def test_rows_are_added_moved_and_removed_without_javascript(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    rows = {
        "_has": ["s-tags.rows"],
        "s-tags.rows": ["0", "1"],
        "s-tags-0": "a",
        "s-tags-1": "b",
        "s-name": "N",
    }
    added = PageOfForm(fill(ada, PERSON, rows, "add:s-tags").text)
    assert [text for name, text in added.sent() if name == "s-tags.rows"] == ["0", "1", "2"]
    assert "s-tags-2" in dict(added.sent())
    moved = PageOfForm(fill(ada, PERSON, rows, "up:s-tags:1").text)
    assert [text for name, text in moved.sent() if name.startswith("s-tags-")] == ["b", "a"]
    removed = PageOfForm(fill(ada, PERSON, rows, "remove:s-tags:0").text)
    assert [text for name, text in removed.sent() if name.startswith("s-tags-")] == ["b"]


def test_free_names_are_added_and_two_alike_are_refused(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    assert "s-.0.key" in fill(ada, schema, {}, "name:s").text
    rows = {"s.names": ["0", "1"], "s-.0.key": "a", "s-.0": "1", "s-.1.key": "a", "s-.1": "2"}
    answer = fill(ada, schema, rows)
    assert (answer.status_code, "There is another “a” here." in answer.text) == (422, True)
    assert "&#34;b&#34;: 2" in fill(ada, schema, rows | {"s-.1.key": "b"}).text


def test_what_is_asked_follows_what_was_answered(sqlite_town: Town) -> None:
    schema = {
        "properties": {"pet": {"enum": ["cat", "fish"]}},
        "if": {"properties": {"pet": {"const": "fish"}}, "required": ["pet"]},
        "then": {"properties": {"water": {"type": "string"}}, "required": ["water"]},
    }
    ada = sqlite_town.as_("Ada")
    assert 'name="s-water"' in fill(ada, schema, {"s-pet": '"fish"'}, "refresh", htmx=True).text
    assert 'name="s-water"' not in fill(ada, schema, {"s-pet": '"cat"', "s-water": "x"}, "refresh").text
    assert fill(ada, schema, {"s-pet": '"fish"', "s-water": ""}).status_code == 422
    assert fill(ada, schema, {"s-pet": '"cat"', "s-water": "x"}).status_code == 200


def test_the_chosen_alternative_is_asked_and_checked(sqlite_town: Town) -> None:
    schema = {
        "oneOf": [
            {
                "title": "Mail",
                "properties": {"mail": {"type": "string", "minLength": 3}},
                "required": ["mail"],
            },
            {"title": "Phone", "properties": {"phone": {"type": "string"}}, "required": ["phone"]},
        ],
        "type": "object",
    }
    ada = sqlite_town.as_("Ada")
    assert 'name="s-phone"' in fill(ada, schema, {"s.choice": "1"}, "refresh").text
    answer = fill(ada, schema, {"s.choice": "0", "s-mail": "x"})
    assert (answer.status_code, 'id="s-mail-error"' in answer.text) == (422, True)
    assert fill(ada, schema, {"s.choice": "0", "s-mail": "a@b"}).status_code == 200


def test_a_file_becomes_a_data_url(sqlite_town: Town) -> None:
    schema = {"type": "object", "properties": {"cv": {"type": "string", "format": "data-url"}}}
    file = (io.BytesIO(b"hello"), "cv.txt", "text/plain")
    answer = fill(sqlite_town.as_("Ada"), schema, {"s-cv": file})
    assert "data:text/plain;name=cv.txt;base64,aGVsbG8=" in answer.text


def test_a_rep_may_not(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")
    assert rita.get(PAGE).status_code == 403
    assert read(rita, PERSON).status_code == 403
    assert fill(rita, PERSON, {}).status_code == 403
    assert PAGE not in rita.get("/w/acme/studio/processes").text


def test_another_workspace_is_not_there_and_the_wrong_verb_is_refused(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    assert ada.get(PAGE.replace("acme", "other")).status_code == 404
    assert ada.get(FORM).status_code == 405


DEEP = '{"properties":{"a":' * 50 + "{}" + "}}" * 50


HOSTILE = [
        ("", "This is not JSON"),
        ("{", "line 1, column"),
        ("[]", "A schema is a JSON object"),
        ('{"type": "strng"}', "/type: "),
        ('{"properties": 5}', "/properties: "),
        ('{"properties": {"a": {"required": "yes"}}}', "/properties/a/required: "),
        ('{"minLength": -1}', "/minLength: "),
        ('{"$schema": "http://json-schema.org/draft-03/schema#"}', "draft-03"),
        ('{"$ref": "http://169.254.169.254/latest"}', "/$ref: $ref: “http://169.254.169.254/latest” lies outside"),
        ('{"$ref": "file:///etc/passwd"}', "lies outside this document"),
        ('{"properties": {"a": {"$ref": "#/properties/a"}}}', "/properties/a/$ref: "),
        ('{"properties": {"a": {"pattern": "(((("}}}', "/properties/a: pattern: “((((”"),
        ('{"pattern": "(a{1000}){1000}"}', "is not a regular expression that can be used here"),
        ('{"a": 1, "a": 2}', "stands here twice"),
        ('{"maximum": 1e400}', "/maximum: This number is too large."),
        ('{"title": "\\ud800"}', "/title: "),
        (DEEP, "levels deep"),
        ('{"a":' * 20_000, "levels deep"),
        ('"' + "x" * 400_000 + '"', "at most"),
    ]  # fmt: skip


def test_a_hostile_schema_is_refused_with_its_place(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    for schema, told in HOSTILE:
        began = time.monotonic()
        answer = read(ada, schema)
        assert answer.status_code == 422, schema[:80]
        assert told in html.unescape(answer.text), schema[:80]
        assert time.monotonic() - began < 10, schema[:80]


def test_ten_thousand_fields_are_refused_in_words(sqlite_town: Town) -> None:
    schema = {"properties": {f"f{n}": {} for n in range(10_000)}}
    answer = read(sqlite_town.as_("Ada"), schema)
    assert (answer.status_code, "more than 1500 fields" in answer.text) == (422, True)


def test_a_recursive_schema_opens_level_by_level(sqlite_town: Town) -> None:
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/node"}},
            }
        },
    }
    ada = sqlite_town.as_("Ada")
    first = PageOfForm(read(ada, schema).text)
    opening = [action for action in first.actions if action.startswith("open:")]
    assert len(opening) == 1
    more = PageOfForm(fill(ada, schema, _gathered(first), opening[0]).text)
    assert len(more.sent()) > len(first.sent())


def _gathered(page: PageOfForm) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in page.sent():
        found.setdefault(name, []).append(text)
    return found


def test_a_pattern_that_runs_away_does_not(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    for pattern in ["^(a+)+$", "^(a|a)*$", "^(?=(a+)+$)(a|b)*\\1$", "(x+x+)+y"]:
        schema = {
            "properties": {"a": {"type": "string", "pattern": pattern}},
            "patternProperties": {pattern: {}},
        }
        began = time.monotonic()
        answer = fill(ada, schema, {"s-a": "a" * 5000 + "!"})
        assert answer.status_code == 422
        assert time.monotonic() - began < 5


def test_references_that_repeat_long_lists_are_refused(sqlite_town: Town) -> None:
    """1,400 fields with 10,000 options each would be a page of 600 MB."""
    fields = {f"f{n}": {"$ref": "#/$defs/all"} for n in range(1400)}
    schema = {"properties": fields, "$defs": {"all": {"enum": [f"{n:06}" for n in range(10_000)]}}}
    answer = read(sqlite_town.as_("Ada"), schema)
    assert (answer.status_code, "This form is too large" in answer.text) == (422, True)


def test_patterns_beside_unevaluated_properties_are_bounded_and_read_as_ecma(sqlite_town: Town) -> None:
    schema = {
        "type": "object",
        "patternProperties": {"^(a+)+$": {}, "^\\p{Letter}+$": {"type": "string"}},
        "unevaluatedProperties": {"type": "integer"},
    }
    rows = {"s.names": ["0", "1"], "s-.0.key": "a" * 4000 + "!", "s-.0": "5", "s-.1.key": "é", "s-.1": "text"}
    assert fill(sqlite_town.as_("Ada"), schema, rows).status_code == 200


def test_scripts_in_a_schema_stay_text(sqlite_town: Town) -> None:
    evil = '"><script>alert(1)</script>'
    schema = {
        "title": evil,
        "description": evil,
        "properties": {
            evil: {"type": "string", "title": evil, "default": evil, "examples": [evil]},
            "b": {"enum": [evil]},
        },
        "additionalProperties": {"type": "string", "title": evil},
    }
    ui = {evil: {"ui:placeholder": evil, "ui:help": evil}, "b": {"ui:widget": evil, "ui:enumNames": [evil]}}
    answer = read(sqlite_town.as_("Ada"), schema, ui=json.dumps(ui), data=json.dumps({"x" + evil: evil}))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


HOSTILE_WORDS: list[Any] = [None, 5, "x", [], {}, True, [[]], {"a": None}, -1, 1e300]


UI_WORDS = [
    "ui:widget", "ui:options", "ui:order", "ui:enumNames", "ui:title", "ui:help", "items", "a", "ui:emptyValue", "ui:enumOrder",
]  # fmt: skip


def test_any_nonsense_in_a_ui_schema_is_passed_over() -> None:
    text = {
        "properties": {
            "a": {"enum": [1, "b"]},
            "l": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        }
    }
    schema = understood(text)
    for word in UI_WORDS:
        for value in HOSTILE_WORDS:
            options = {"rows": value, "yearsRange": value, "inputType": value}
            inner = {word: value, "ui:options": options, "ui:widget": value}
            for ui in ({word: value}, {"a": inner, "l": {**inner, "items": value}}, value):
                form = shown(schema, ui, ABSENT, lambda key, values: key)
                assert len(list(form.root.walk())) >= 3


def test_any_pairs_may_be_posted(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    schema = {**PERSON, "additionalProperties": True, "oneOf": [{"title": "A"}, {"title": "B"}]}
    names = [
        "s",
        "s.choice",
        "s.names",
        "s-tags.rows",
        "s.kept",
        "s-name.was",
        "s-age",
        "_has",
        "s.group",
        "s-.0",
        "s.is",
    ]
    for text in ("", "x", "-1", "99999999999999999999", "{", "[[[", "9" * 5000, "٣", "\x00", "null", "1e999"):
        pairs = {name: [text, text] for name in names}
        for action in (
            "check",
            "add:" + text,
            "remove:s:" + text,
            "up:s-tags:0",
            "name:s",
            "open:" + text,
            "?",
        ):
            assert fill(ada, schema, pairs, action).status_code in (200, 422)


PUBLISH = f"{PAGE}/publish"
OWN = {"schema": json.dumps(PERSON), "key": "visit", "name": "Visit", "object": "matter"}


def feedback(town: Town) -> dict[str, Any]:
    uow = town.work()
    forms = dict(uow.catalog.feedback)
    uow.session.close()
    return forms


def test_a_schema_becomes_a_feedback_form_of_ours(town: Town) -> None:
    answer = town.as_("Ada").post(PUBLISH, OWN)
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    fields = feedback(town)["visit"].fields
    order = fields.sections[0].fields
    assert [(key, fields.by_key[key].type) for key in order] == [
        ("name", "long_text"),
        ("age", "integer"),
        ("tags", "table"),
    ]
    assert fields.by_key["name"].is_required


def test_publishing_works_by_htmx(town: Town) -> None:
    answer = town.as_("Ada").post(PUBLISH, OWN, htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, PAGE)


def test_a_form_of_ours_is_refused_by_field_and_what_was_typed_is_kept(town: Town) -> None:
    ada = town.as_("Ada")
    for wrong, control in (
        ({"key": "Not A Key"}, "key"),
        ({"name": ""}, "name"),
        ({"object": "none"}, "object"),
        ({"key": "talk"}, "key"),
    ):
        answer = ada.post(PUBLISH, {**OWN, **wrong})
        assert answer.status_code == 422
        assert f'id="{control}-error"' in answer.text, wrong
        assert "Visit" in answer.text or wrong.get("name") == ""
    assert "visit" not in feedback(town)


def test_a_schema_without_fields_of_ours_is_not_published(sqlite_town: Town) -> None:
    answer = sqlite_town.as_("Ada").post(PUBLISH, {**OWN, "schema": '{"type": "string"}'})
    assert (answer.status_code, "None of its fields" in answer.text) == (422, True)
    assert sqlite_town.as_("Ada").post(PUBLISH, {**OWN, "schema": "{"}).status_code == 422


def test_only_those_who_may_publish(sqlite_town: Town) -> None:
    assert sqlite_town.as_("Rita").post(PUBLISH, OWN).status_code == 403
    assert sqlite_town.as_("Ada").get(PUBLISH).status_code == 405
    assert sqlite_town.as_("Ada").post(PUBLISH.replace("acme", "other"), OWN).status_code == 404
