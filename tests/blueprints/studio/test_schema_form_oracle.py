"""Every form of ../shared/data/forms: its inputs, defaults and verdicts as the oracles say.

The oracles of inputs and defaults come from react-jsonschema-form, those of verdicts from ajv and jsonschema.
All 37 are rendered; none is refused.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from builder.forms.schema_form.form import received
from builder.forms.schema_form.form import shown as shown_form
from builder.forms.schema_form.nodes import ABSENT
from builder.metadata.foreign.reading import ForeignSchema, understood
from tests.fixtures.schema_forms import PageOfForm, oracle_differences
from tests.fixtures.shared_data import DATA, shared_data
from tests.fixtures.town import Town

PAGE = "/w/acme/studio/json-schema"
NAMES = sorted(path.name for path in (DATA / "forms").glob("*.json"))


@cache
def sample(name: str) -> dict[str, Any]:
    return dict(json.loads(shared_data(f"forms/{name}").read_text("utf-8")))


@cache
def oracle(file: str) -> dict[str, Any]:
    return dict(json.loads(shared_data(f"oracles/{file}").read_text("utf-8"))["forms"])


@cache
def schema(name: str) -> ForeignSchema:
    return understood(sample(name)["schema"])


def say(key: str, values: Any) -> str:
    return key % values if values else key


def page(town: Town, name: str, data: Any) -> PageOfForm:
    form = {
        "schema": json.dumps(sample(name)["schema"]),
        "ui": json.dumps(sample(name).get("uiSchema", {})),
        "data": "" if data is ABSENT else json.dumps(data),
    }
    answer = town.as_("Ada").post(PAGE, form)
    assert answer.status_code == 200, answer.text
    return PageOfForm(answer.text)


def samples(name: str) -> dict[str, Any]:
    """All data that come with a form, by name."""
    told = sample(name)
    given = {"sample_data": told["data"]} if told.get("data") is not None else {}
    return given | {
        each["name"]: each["data"] for kind in ("valid", "invalid") for each in told.get(kind, ())
    }


def input_differences(town: Town, name: str) -> list[str]:
    """What of the inputs and headings of the oracle is not so on our page; nothing where none are known."""
    expected = oracle("forms_rjsf.json").get(name, {})
    found = []
    for key, data in (("form_empty", ABSENT), ("form_with_sample_data", sample(name).get("data"))):
        if key in expected:
            seen = page(town, name, data)
            found += oracle_differences(seen.as_in_oracle(), expected[key]["inputs"])
            if seen.legends != expected[key]["legends"]:
                found.append(f"legends: {seen.legends} instead of {expected[key]['legends']}")
    return found


def test_every_form_has_the_inputs_of_its_oracle(sqlite_town: Town) -> None:
    known = [name for name in NAMES if name in oracle("forms_rjsf.json")]
    assert {name: found for name in known if (found := input_differences(sqlite_town, name))} == {}
    assert len(known) == 30


@pytest.mark.parametrize("name", NAMES)
def test_a_form_begins_with_the_defaults_of_its_oracle(name: str) -> None:
    expected = oracle("forms_rjsf.json").get(name, {})
    for key, data in (("nothing", ABSENT), ("sample", sample(name).get("data"))):
        wanted = expected.get(f"data_after_defaults_from_{key}", {"__failed": "not asked"})
        if isinstance(wanted, dict) and "__failed" in wanted:
            continue
        form = shown_form(schema(name), sample(name).get("uiSchema"), data, say)
        assert (None if form.data is ABSENT else form.data) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_the_data_of_a_form_have_the_verdicts_of_both_oracles(name: str) -> None:
    verdicts = schema(name).verdicts()
    ajv, python = oracle("forms_rjsf.json").get(name, {}), oracle("forms_features_and_verdicts.json")[name]
    asked = dict(samples(name))
    if python.get("empty_object") is not None:
        asked["empty_object"] = {}
    for key, data in asked.items():
        expected = {**python.get("valid", {}), **python.get("invalid", {}), **python}[key]
        is_valid = expected if isinstance(expected, bool) else expected["valid"]
        assert verdicts.is_valid(data) is is_valid, key
        assert (verdicts.errors(data) == []) is is_valid, key
        if ajv.get(key):
            assert ajv[key]["valid"] is is_valid
        if isinstance(expected, dict) and not is_valid:
            keywords = {error["keyword"] for error in expected["errors"]}
            assert keywords <= {error.keyword for error in verdicts.errors(data)}


def test_every_form_that_is_sent_untouched_gives_its_data_back(sqlite_town: Town) -> None:
    assert len(NAMES) == 37 or not NAMES
    for name in NAMES:
        ui = sample(name).get("uiSchema")
        for data in (ABSENT, *samples(name).values()):
            begun = shown_form(schema(name), ui, data, say)
            sent = page(sqlite_town, name, data).sent()
            form = received(schema(name), ui, sent, say, is_checked=True)
            assert form.data == begun.data, name
            if begun.data is not ABSENT:
                assert form.is_valid is schema(name).verdicts().is_valid(begun.data), name


def test_every_name_in_data_that_are_right_has_a_control(sqlite_town: Town) -> None:
    """For the forms whose inputs no oracle lists: nothing of their data is only kept unseen."""
    for name in (name for name in NAMES if name not in oracle("forms_rjsf.json")):
        for data in (each["data"] for each in sample(name)["valid"]):
            kept = [
                text for control, text in page(sqlite_town, name, data).sent() if control.endswith(".kept")
            ]
            assert all(set(json.loads(text)) == {"$schema"} for text in kept), name
