"""Generated forms: what is shown, what is bound, what survives an error, and the page that comes out
(part 4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jinja2
import pytest
from flask import Flask, render_template
from flask_babel import Babel
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from blueprints.messages import add_message_filters
from builder.domain.fields import FieldSet
from builder.errors import Problem
from builder.fieldtypes.base import Candidate, FieldContext
from builder.fieldtypes.registry import all_types
from builder.forms.compiler import compiled_form
from builder.forms.record_form import GONE, RecordForm
from builder.forms.state import state
from builder.metadata.record_schema import compile_fields
from builder.metadata.record_validation import REQUIRED, validate
from builder.resources import resource_folder

OPTIONS = [{"key": key, "label": {"en": key.upper()}} for key in "abc"] + [
    {"key": "old", "label": {"en": "Old"}, "retired": True}
]


def of(type_key: str, label: str = "Field", **own: Any) -> dict[str, Any]:
    return {"x-type": type_key, "x-label": {"en": label}, **own}


EVERY_TYPE = {
    "choice": of("choice", **{"x-options": OPTIONS}),
    "choices": of("choices", **{"x-options": OPTIONS}),
    "reference": of("reference", **{"x-target": "account"}),
    "auto_number": of("auto_number", **{"x-format": "{number}"}),
    "rollup": of("rollup", **{"x-from": "thing", "x-by": "of", "x-function": "count"}),
    "money_rollup": of(
        "money_rollup", **{"x-from": "thing", "x-by": "of", "x-function": "sum", "x-of": "worth"}
    ),
    "formula": of("formula", **{"x-formula": "integer * 2"}),
    "table": of(
        "table",
        items={
            "type": "object",
            "properties": {
                "quantity": of("integer", "Quantity"),
                "price": of("money", "Price"),
                "total": of("formula", "Total", **{"x-formula": "quantity * price"}),
            },
            "required": ["quantity"],
        },
        **{"x-totals": ["total"]},
    ),
    "sub_form": of(
        "sub_form",
        properties={
            "days": of("integer", "Days"),
            "twice": of("formula", "Twice", **{"x-formula": "days * 2"}),
            "inner": of("sub_form", "Inner", properties={"fee": of("money", "Fee")}, required=["fee"]),
            "lines": of(
                "table", "Lines", items={"type": "object", "properties": {"size": of("integer", "Size")}}
            ),
        },
        required=["days"],
    ),
}
ALL = compile_fields(
    {
        "type": "object",
        "properties": {kind.key: EVERY_TYPE.get(kind.key, of(kind.key)) for kind in all_types()},
    }
)
RULED = compile_fields(
    {
        "type": "object",
        "properties": {
            "kind": of("choice", "Kind", **{"x-options": OPTIONS}),
            "reason": of("text", "Reason", **{"x-hidden": "clear"}),
            "memo": of("text", "Memo"),
            "level": of("choice", "Level", **{"x-options": OPTIONS}),
            "fixed": of("text", "Fixed", **{"x-read-only": True}),
            "locked": of("text", "Locked"),
            "deep": of("text", "Deep", **{"x-hidden": "clear"}),
        },
        "required": ["kind", "memo"],
        "x-sections": [{"key": "main", "label": {"en": "Main"}, "columns": 3, "fields": ["kind", "memo"]}],
        "x-rules": [
            {
                "effect": "show",
                "fields": ["reason", "memo"],
                "when": {"field": "kind", "op": "eq", "value": "a"},
            },
            {"effect": "require", "fields": ["reason"], "when": {"field": "level", "op": "not_empty"}},
            {
                "effect": "read_only",
                "fields": ["locked"],
                "when": {"field": "kind", "op": "eq", "value": "b"},
            },
            {
                "effect": "options",
                "fields": ["level"],
                "options": ["a", "b"],
                "when": {"field": "kind", "op": "eq", "value": "a"},
            },
            {"effect": "show", "fields": ["deep"], "when": {"field": "reason", "op": "not_empty"}},
        ],
    }
)
CONTEXT = FieldContext(
    now=datetime(2026, 11, 21, tzinfo=UTC),
    record_names={"7": "Acme"},
    find_records=lambda key, text: [Candidate("7", "Acme"), Candidate("8", "Acme Two")],
    search_url=lambda field: f"/find/{field.key}",
)


def form_of(fieldset: FieldSet, values: Any = None, sent: Any = None, **own: Any) -> RecordForm:
    pairs = (
        None if sent is None else MultiDict((f"f-{k}" if not k.startswith("_") else k, v) for k, v in sent)
    )
    return RecordForm(fieldset, CONTEXT, values=values, formdata=pairs, **own)


def places(form: RecordForm) -> list[str]:
    form.validate()
    return sorted(problem.place for problem in form.problems)


@pytest.fixture
def page() -> Iterator[Any]:
    app = Flask("forms", template_folder=str(resource_folder("templates")))
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["icon_markup"] = lambda name, **_attributes: f"#{name}"
    Babel(app)
    add_message_filters(app)
    with app.test_request_context():
        yield lambda form: render_template("fragments/form/body.html", form=form, refresh_url="/refresh")


def test_a_new_record_begins_with_its_defaults() -> None:
    fieldset = compile_fields(
        {"type": "object", "properties": {"d": of("date", **{"x-default": "today"}), "n": of("integer")}}
    )
    assert form_of(fieldset).values == {"d": "2026-11-21"}


def test_what_is_on_the_page_is_changed_and_everything_else_is_kept() -> None:
    stored = {"text": "old", "integer": 5, "money": "1.00", "choices": ["a"]}
    form = form_of(ALL, stored, [("text", "new"), ("integer", "")])
    assert form.validate()
    assert form.values == {"text": "new", "money": "1.00", "choices": ["a"]}


def test_controls_that_send_nothing_are_emptied_only_when_they_were_on_the_page() -> None:
    assert form_of(ALL, {"choices": ["a"]}, [("_has", "f-choices")]).values == {}
    assert form_of(ALL, {"choices": ["a"]}, []).values == {"choices": ["a"]}


def test_an_untouched_value_is_kept_to_the_last_digit() -> None:
    stored = {"datetime": "2026-11-21T08:30:15.123456Z", "phone": "+12125550100;ext=12", "long_text": "a\nb"}
    shown = form_of(ALL, stored)
    sent = [(key, text) for key in stored for text in shown._form[key].typed]
    assert form_of(ALL, stored, sent).values == stored


def test_what_cannot_be_read_is_told_at_its_field_and_stays_in_it(page: Any) -> None:
    form = form_of(ALL, {"integer": 5}, [("integer", "five <b>"), ("date", "soon"), ("email", "me")])
    assert places(form) == ["date", "email", "integer"]
    html = page(form)
    assert 'value="five &lt;b&gt;"' in html
    assert 'value="soon"' in html
    assert 'aria-invalid="true"' in html
    assert 'href="#f-integer"' in html
    assert 'aria-describedby="f-integer-error"' in html
    assert 'role="alert"' in html


def test_rules_show_require_lock_and_limit() -> None:
    decided = state(RULED, {"kind": "a", "level": "c"}, CONTEXT)
    assert decided["reason"].is_visible
    assert decided["reason"].is_required
    assert decided["memo"].is_required
    assert decided["level"].options == ("a", "b")
    decided = state(RULED, {"kind": "b"}, CONTEXT)
    assert not decided["reason"].is_visible
    assert not decided["memo"].is_required
    assert decided["locked"].is_read_only
    assert decided["fixed"].is_read_only
    assert decided["level"].options == ("a", "b", "c")


def test_hidden_values_are_kept_or_cleared_by_their_policy_and_hiding_goes_on() -> None:
    stored = {"kind": "a", "reason": "why", "memo": "m", "deep": "d"}
    form = form_of(RULED, stored, [("kind", "b"), ("reason", "new"), ("memo", "new")])
    assert form.values == {"kind": "b", "memo": "m"}
    assert ("f-reason", "new") in form.carried


def test_locked_and_read_only_values_cannot_be_sent() -> None:
    stored = {"kind": "b", "locked": "l", "fixed": "f"}
    form = form_of(RULED, stored, [("kind", "b"), ("locked", "x"), ("fixed", "x")])
    assert form.values == stored


def test_what_was_typed_into_a_field_that_has_gone_since_is_told_once() -> None:
    form = form_of(RULED, {}, [("gone", "Six weeks of notes"), ("also_gone", " "), ("gone-part", "x")])
    assert not form.validate()
    assert [(each.message, each.place, each.values) for each in form.problems] == [
        (GONE, "", {"value": "Six weeks of notes"})
    ]


def test_an_option_that_is_not_offered_now_is_refused_unless_it_was_stored() -> None:
    assert places(form_of(RULED, {"kind": "a", "memo": "m", "reason": "r"}, [("level", "c")])) == ["level"]
    assert places(form_of(ALL, {}, [("choice", "old")])) == ["choice"]
    assert places(form_of(ALL, {"choice": "old"}, [("choice", "old"), ("text", "x")])) == []


def test_a_new_record_needs_its_required_fields_and_an_old_gap_only_warns() -> None:
    assert places(form_of(RULED, None, [("kind", "a"), ("memo", "")])) == ["memo"]
    form = form_of(RULED, {"kind": "a"}, [("locked", "x")])
    assert form.validate()
    assert [problem.place for problem in form.warnings] == ["memo"]


def test_a_gate_may_require_more_on_a_part_of_the_form() -> None:
    form = form_of(
        ALL, {"text": "x"}, [("text", "x"), ("email", "")], only=["text", "email"], also_required=["email"]
    )
    assert not form.validate()
    assert form.problems == [Problem(REQUIRED, "email")]
    assert [field.key for field in form.fields] == ["text", "email"]
    assert form.state("email").is_required


def test_a_reference_typed_without_javascript_is_looked_up_or_offers_its_meanings(page: Any) -> None:
    form = form_of(ALL, {}, [("reference", ""), ("reference", ""), ("reference", "acme")])
    assert form.values == {"reference": "7"}
    form = form_of(ALL, {}, [("reference", ""), ("reference", ""), ("reference", "acm")])
    assert places(form) == ["reference"]
    html = page(form)
    assert re.search(r'type="radio"[^>]*name="f-reference"[^>]*value="8"', html)
    chosen = form_of(ALL, {}, [("reference", "8"), ("reference", "acm"), ("reference", "acm")])
    assert chosen.values == {"reference": "8"}


ROWS = [("_has", "f-table"), ("table-_rows", "0"), ("table-_rows", "3")]


def test_rows_are_bound_computed_and_their_errors_stand_in_their_cells(page: Any) -> None:
    stored = {"table": [{"quantity": 1, "price": "2.00", "total": "2.00"}]}
    form = form_of(
        ALL, stored, [*ROWS, ("table-0-quantity", "2"), ("table-3-price", "5"), ("table-3-quantity", "x")]
    )
    assert form.values["table"] == [
        {"quantity": 2, "price": "2.00", "total": "4.00"},
        {"price": "5.00", "total": "0.00"},
    ]
    assert places(form) == ["table/1/quantity"]
    assert form.summary[0][0] == "f-table-3-quantity"
    assert 'value="x"' in page(form)


def test_a_row_without_values_is_no_row() -> None:
    form = form_of(ALL, {}, [*ROWS, ("table-0-quantity", ""), ("table-3-price", "")])
    assert form.values == {}
    assert form.validate()


def test_rows_are_added_and_removed_by_plain_buttons(page: Any) -> None:
    sent = [*ROWS, ("table-0-quantity", "1"), ("table-3-quantity", "2")]
    form = form_of(ALL, {}, [*sent, ("_action", "add:f-table")])
    assert form.is_refresh
    assert page(form).count('name="f-table-_rows"') == 3
    form = form_of(ALL, {}, [*sent, ("_action", "remove:f-table:0")])
    assert form.values["table"] == [{"quantity": 2, "total": "0.00"}]
    assert not form_of(ALL, {}, sent).is_refresh


def test_groups_are_bound_computed_and_their_errors_stand_at_their_parts(page: Any) -> None:
    sent = {
        "sub_form-days": "3",
        "sub_form-inner-fee": "5",
        "sub_form-lines-_rows": "0",
        "sub_form-lines-0-size": "7",
        "address-city": "上海",
        "address-country": "CN",
    }
    form = form_of(ALL, {}, sent.items())
    assert form.validate(), form.problems
    assert form.values["address"] == {"city": "上海", "country": "CN"}
    assert form.values["sub_form"] == {
        "days": 3, "twice": "6.00", "inner": {"fee": "5.00"}, "lines": [{"size": 7}],
    }  # fmt: skip
    wrong = form_of(
        ALL,
        form.values,
        (sent | {"sub_form-days": "x", "sub_form-inner-fee": "y", "sub_form-lines-0-size": "z"}).items(),
    )
    assert not wrong.validate()
    places = ["sub_form/days", "sub_form/inner/fee", "sub_form/lines/0/size"]
    assert [problem.place for problem in wrong.problems] == places
    assert [anchor for anchor, _ in wrong.summary] == [
        "f-sub_form-days",
        "f-sub_form-inner-fee",
        "f-sub_form-lines-0-size",
    ]
    assert [wrong.label_of(problem) for problem in wrong.problems] == [
        "Field: Days",
        "Field: Inner: Fee",
        "Field: Lines 1: Size",
    ]
    html = page(wrong)
    assert all(f'id="{anchor}-error"' in html for anchor, _ in wrong.summary)


def test_an_emptied_group_is_no_group_and_a_started_one_needs_its_required_parts() -> None:
    stored = {"address": {"city": "上海"}, "sub_form": {"days": 3, "inner": {"fee": "1.00"}}}
    emptied = form_of(ALL, stored, [("address-city", ""), ("sub_form-days", ""), ("sub_form-inner-fee", "")])
    assert emptied.validate()
    assert "address" not in emptied.values
    assert "sub_form" not in emptied.values
    started = form_of(ALL, {}, [("sub_form-days", ""), ("sub_form-inner-fee", "5")])
    assert not started.validate()
    assert [(problem.message, problem.place) for problem in started.problems] == [(REQUIRED, "sub_form/days")]
    untouched = form_of(ALL, stored, [("text", "x")])
    assert untouched.validate()
    assert untouched.values["sub_form"]["inner"] == {"fee": "1.00"}


def test_only_fields_that_rules_or_formulas_ask_about_call_the_server(page: Any) -> None:
    html = page(form_of(RULED, {"kind": "a"}))
    assert compiled_form(RULED).watched == {"kind", "level", "reason"}
    assert html.count('hx-trigger="change"') == 3
    assert "<noscript>" in html


def test_forms_are_compiled_once_per_checksum() -> None:
    assert compiled_form(ALL) is compiled_form(ALL)


def test_the_currency_chosen_in_the_form_decides_its_decimals() -> None:
    fieldset = compile_fields(
        {
            "type": "object",
            "properties": {
                "currency": of(
                    "choice",
                    **{
                        "x-role": "currency",
                        "x-options": [{"key": code, "label": {"en": code}} for code in ("USD", "JPY")],
                    },
                ),
                "amount": of("money"),
            },
        }
    )
    assert form_of(fieldset, None, [("currency", "JPY"), ("amount", "5")]).values["amount"] == "5"
    assert form_of(fieldset, None, [("currency", "USD"), ("amount", "5")]).values["amount"] == "5.00"
    assert places(form_of(fieldset, None, [("currency", "JPY"), ("amount", "5.5")])) == ["amount"]


def test_field_keys_that_are_names_of_python_are_ordinary_fields(page: Any) -> None:
    keys = ("data", "errors", "meta", "process", "validate", "csrf_token", "items", "name", "id")
    fieldset = compile_fields({"type": "object", "properties": {key: of("text", key) for key in keys}})
    form = form_of(fieldset, None, [(key, f"v-{key}") for key in keys])
    assert form.validate()
    assert form.values == {key: f"v-{key}" for key in keys}
    assert 'value="v-csrf_token"' in page(form)


def test_every_type_has_a_control_with_a_label(page: Any) -> None:
    html = page(form_of(ALL, {"table": [{"quantity": 1}], "choices": ["a"]}))
    for field in ALL:
        assert f'id="f-{field.key}-field"' in html
        assert f'id="f-{field.key}"' in html
    assert "None<" in html
    assert not re.search(r"\son[a-z]+=|<script|style=", html)


def test_a_line_feed_at_the_head_of_a_long_text_survives_the_browser(page: Any) -> None:
    # Browsers drop the first line feed of a textarea.
    assert ">\n\na</textarea>" in page(form_of(ALL, {"long_text": "\na"}))


JUNK = st.text(max_size=12) | st.sampled_from(
    ["\x00", "\ud800", "1e9999", "9" * 400, "-", "a;b", "0", "{{7*7}}", "true"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    *ALL.by_key,
                    "_has",
                    "_action",
                    "table-_rows",
                    "table-0-quantity",
                    "table-0-price",
                    "address-city",
                    "address-country",
                    "sub_form-days",
                    "sub_form-inner-fee",
                ]
            ),
            JUNK,
        ),
        max_size=12,
    )
)
def test_no_submission_breaks_a_form_and_what_is_accepted_is_valid(sent: list[tuple[str, str]]) -> None:
    form = form_of(ALL, {}, sent)
    if form.validate():
        assert validate(ALL, form.values) == []
    assert form.summary is not None
    assert form.sections


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from("abc"),
    st.sampled_from(["", "a", "b", "c"]),
    st.sampled_from(["", "r"]),
    st.sampled_from(["", "m"]),
)
def test_the_state_of_a_form_is_the_verdict_of_its_schema(
    kind: str, level: str, reason: str, memo: str
) -> None:
    form = form_of(RULED, None, [("kind", kind), ("level", level), ("reason", reason), ("memo", memo)])
    missing = [key for key, decided in form._states.items() if decided.is_required and key not in form.values]
    told = {error.field for error in validate(RULED, form.values) if error.message == REQUIRED}
    assert set(missing) == told
