"""Reading, canonical form, checksum and the check against the meta-schema."""

from __future__ import annotations

import copy
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import Invalid, TooLarge
from builder.metadata import documents
from builder.metadata.lint import lint
from tests.builder.metadata import samples

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé", max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


def _shuffled(value: Any, source: random.Random) -> Any:
    if isinstance(value, dict):
        pairs = [(key, _shuffled(inner, source)) for key, inner in value.items()]
        source.shuffle(pairs)
        return dict(pairs)
    return [_shuffled(inner, source) for inner in value] if isinstance(value, list) else value


@given(JSON)
def test_the_canonical_form_of_a_canonical_form_is_the_same(value: Any) -> None:
    once = documents.canonical(value)
    assert documents.canonical(json.loads(once)) == once


@given(JSON, st.randoms(use_true_random=False))
def test_the_checksum_does_not_depend_on_the_order_of_keys(value: Any, source: random.Random) -> None:
    assert documents.checksum(value) == documents.checksum(_shuffled(value, source))


@given(JSON)
def test_the_pretty_form_says_the_same_as_the_canonical_one(value: Any) -> None:
    assert documents.canonical(json.loads(documents.pretty(value))) == documents.canonical(value)


def test_the_canonical_form_is_minimal_sorted_and_composed() -> None:
    assert (
        documents.canonical({"b": 1.0, "a": "e\u0301", "c": [1.5, True]}) == '{"a":"é","b":1,"c":[1.5,true]}'
    )


def test_documents_that_differ_have_different_checksums() -> None:
    other = samples.changed(samples.PIPELINE, "stages", 0, "probability", to=11)
    assert documents.checksum(other) != documents.checksum(samples.PIPELINE)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"\xff\xfe{}", documents.NOT_UTF8),
        ("[]", documents.NOT_AN_OBJECT),
        ("{", documents.NOT_JSON),
        ("", documents.NOT_JSON),
        ('{"a": NaN}', documents.NOT_A_NUMBER),
        ('{"a": ' + "9" * 6000 + "}", documents.NOT_A_NUMBER),
        ('{"a": 1, "a": 2}', documents.DUPLICATE_KEY),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, documents.TOO_DEEP),
    ],
)
def test_text_that_is_no_document_is_refused_with_a_reason(source: bytes | str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        documents.read(source)
    assert caught.value.message_key == message
    assert str(caught.value)


def test_a_text_beyond_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLarge):
        documents.read("{" + " " * documents.MAX_BYTES + "}")


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert documents.read('{"a": 1}'.encode("utf-8-sig")) == {"a": 1}


@pytest.mark.parametrize("document", samples.ALL, ids=lambda document: document["kind"])
def test_a_sound_document_has_no_problems(document: dict[str, Any]) -> None:
    assert documents.check(document["kind"], document) == []


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        (samples.without(samples.PIPELINE, "object"), "", "“object” is missing here. Add it."),
        (
            samples.changed(samples.PIPELINE, "objct", to="x"),
            "/objct",
            "“objct” is not known here. Did you mean “object”?",
        ),
        (
            samples.changed(samples.PIPELINE, "zzz", to="x"),
            "/zzz",
            "“zzz” is not known here. Remove it or correct its name.",
        ),
        (
            samples.changed(samples.PIPELINE, "stages", to=[]),
            "/stages",
            "This list needs at least 1 entries.",
        ),
        (
            samples.changed(samples.PIPELINE, "stages", 0, "kind", to="opn"),
            "/stages/0/kind",
            "“opn” is not possible here. Choose one of: open, won, lost, invalid.",
        ),
        (
            samples.changed(samples.PIPELINE, "stages", 0, "probability", to=101),
            "/stages/0/probability",
            "This may be at most 100.",
        ),
        (
            samples.changed(samples.PIPELINE, "stages", 0, "probability", to="10"),
            "/stages/0/probability",
            "This must be a whole number.",
        ),
        (
            samples.changed(samples.PIPELINE, "stages", 0, "label", to=7),
            "/stages/0/label",
            "This must be a text, or one text per language.",
        ),
        (
            samples.changed(samples.PIPELINE, "label", to={"english": "Flow"}),
            "/label",
            "“english” cannot be used as a name here.",
        ),
        (
            samples.changed(
                samples.PIPELINE,
                "stages",
                0,
                "gate",
                "leave",
                "conditions",
                0,
                "when",
                to={"all": [], "field": "worth", "op": "eq"},
            ),
            "/stages/0/gate/leave/conditions/0/when",
            "“all”, “any” and “not” stand alone. Put the other part into a condition of its own.",
        ),
        (
            samples.changed(samples.PIPELINE, "stages", 0, "gate", "leave", "conditions", 0, "when", to={}),
            "/stages/0/gate/leave/conditions/0/when",
            "A condition says one of: all, any, not, or field with op. Choose one.",
        ),
        (
            samples.changed(samples.VIEW, "filter", to={"field": "state"}),
            "/filter",
            "“field” makes sense only together with “op”. Add it or remove “field”.",
        ),
        (samples.changed(samples.ROLE, "rights", to=["fly"]), "/rights/0", None),
        (
            samples.changed(samples.OBJECT, "fields", "properties", "worth", "x-type", to="riches"),
            "/fields/properties/worth/x-type",
            "There is no field type “riches”.",
        ),
        (
            samples.changed(samples.OBJECT, "fields", "properties", "title", "pattern", to="(a+)+$"),
            "/fields/properties/title/pattern",
            "“pattern” is not known here. Remove it or correct its name.",
        ),
        (
            samples.changed(samples.OBJECT, "fields", "$ref", to="http://example.com/x"),
            "/fields/$ref",
            "“$ref” is not known here. Remove it or correct its name.",
        ),
        (
            samples.changed(samples.ROLE, "kind", to="view"),
            "/kind",
            "The document is of kind “view”, but “role” is expected.",
        ),
    ],
)
def test_a_problem_names_its_place_and_what_to_do(
    document: dict[str, Any], pointer: str, message: str | None
) -> None:
    kind = "role" if document["key"] == "agent" else document["kind"]
    found = {problem.place: problem.message % problem.values for problem in documents.check(kind, document)}
    assert pointer in found
    assert message is None or found[pointer] == message


def test_a_reference_to_another_schema_inside_a_field_is_refused() -> None:
    document = samples.changed(
        samples.OBJECT, "fields", "properties", "title", "$ref", to="https://example.com/schema.json"
    )
    assert any(problem.place == "/fields/properties/title" for problem in documents.check("object", document))


def test_ten_thousand_fields_are_refused_at_once() -> None:
    many = {f"f{number}": samples.field("text", f"Field {number}") for number in range(10_000)}
    started = time.process_time()
    problems = documents.check("object", samples.changed(samples.OBJECT, "fields", "properties", to=many))
    assert [(problem.place, problem.message) for problem in problems] == [
        ("/fields/properties", documents.TOO_MANY)
    ]
    assert time.process_time() - started < 2


def test_a_document_of_any_depth_is_refused_and_not_crashed_on() -> None:
    condition: dict[str, Any] = {"field": "state", "op": "empty"}
    for _ in range(50_000):
        condition = {"not": condition}
    problems = documents.check("view", {**samples.VIEW, "filter": condition})
    assert [problem.message for problem in problems] == [documents.TOO_DEEP]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\0b", documents.BAD_TEXT),
        ("\ud800", documents.BAD_TEXT),
        (float("nan"), documents.NOT_A_NUMBER),
        (float("inf"), documents.NOT_A_NUMBER),
        (10**30, documents.NOT_A_NUMBER),
        (object(), documents.NOT_A_VALUE),
    ],
)
def test_values_that_no_database_keeps_are_refused(value: Any, message: str) -> None:
    document = samples.changed(samples.ROLE, "label", "en", to=value)
    assert [(problem.place, problem.message) for problem in documents.check("role", document)] == [
        ("/label/en", message)
    ]


def test_two_keys_that_look_the_same_are_refused() -> None:
    document = {**samples.ROLE, "é": 1, "e\u0301": 2}
    assert documents.check("role", document)[0].message == documents.DUPLICATE_KEY


def test_a_script_in_a_label_is_just_text() -> None:
    document = samples.changed(samples.ROLE, "label", "en", to="<script>alert(1)</script>{{ 7*7 }}")
    assert documents.check("role", document) == []


def test_an_unknown_kind_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        documents.check("poem", {})


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += _places(inner, (*path, key))
    return found


EDITS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.builds(list)
    | st.builds(dict)
    | st.builds(lambda: [{}])
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(samples.ALL), st.data())
def test_random_edits_never_raise_but_name_problems(document: dict[str, Any], data: st.DataObject) -> None:
    edited = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(edited)))
        inner: Any = edited
        for step in place[:-1]:
            inner = inner[step]
        if data.draw(st.booleans()):
            inner[place[-1]] = data.draw(EDITS)
        else:
            del inner[place[-1]]
        if not _places(edited):
            return
    problems = documents.check(document["kind"], edited)
    for problem in problems:
        assert problem.message % problem.values
        assert problem.place == "" or problem.place.startswith("/")
    if not problems:
        for problem in lint(document["kind"], edited, samples.surroundings()):
            assert problem.message % problem.values
