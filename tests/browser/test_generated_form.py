"""A generated form in a real browser: rules by htmx without losing the focus, rows, search as you type,
no script.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, render_template, render_template_string, request

from builder.fieldtypes.base import Candidate, FieldContext
from builder.forms.record_form import RecordForm
from builder.metadata.record_schema import compile_fields

pytestmark = pytest.mark.browser

OPTIONS = [{"key": key, "label": {"en": key.upper()}, "color": "blue"} for key in "ab"]


def of(type_key: str, label: str, **own: Any) -> dict[str, Any]:
    return {"x-type": type_key, "x-label": {"en": label}, **own}


FIELDS = compile_fields(
    {
        "type": "object",
        "properties": {
            "title": of("text", "Title"),
            "kind": of("choice", "Kind", **{"x-options": OPTIONS}),
            "reason": of("text", "Reason"),
            "tags": of("choices", "Tags", **{"x-options": OPTIONS}),
            "account": of("reference", "Account", **{"x-target": "account"}),
            "day": of("date", "Day"),
            "lines": of(
                "table",
                "Lines",
                items={
                    "type": "object",
                    "properties": {
                        "quantity": of("integer", "Quantity"),
                        "price": of("money", "Price"),
                        "total": of("formula", "Total", **{"x-formula": "quantity * price"}),
                    },
                },
                **{"x-totals": ["total"]},
            ),
        },
        "required": ["title", "reason"],
        "x-rules": [
            {"effect": "show", "fields": ["reason"], "when": {"field": "kind", "op": "eq", "value": "a"}}
        ],
    }
)
ACCOUNTS = (Candidate("7", "Acme"), Candidate("8", "Acme Two"), Candidate("9", "华为"))
PAGE = """{% extends "layouts/root.html" %}
{% block title %}Form{% endblock %}
{% block body %}<main><h1>Form</h1>
<form method="post" action="/tried"><input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
{% set refresh_url = "/tried?refresh=1" %}{% include "fragments/form/body.html" %}
<button type="submit" class="btn">Save</button></form><pre id="saved">{{ saved }}</pre></main>{% endblock %}"""


def find(_object_key: str, text: str) -> list[Candidate]:
    return [account for account in ACCOUNTS if text.casefold() in account.name.casefold()]


@pytest.fixture
def address(own_application: None, sqlite_app: Flask, serve_app: Callable[[Flask], str]) -> str:
    context = FieldContext(
        now=datetime(2026, 11, 21, tzinfo=UTC),
        find_records=find,
        record_names={account.id: account.name for account in ACCOUNTS},
        search_url=lambda field: "/found",
    )

    def tried() -> Any:
        form = RecordForm(FIELDS, context, formdata=request.form if request.method == "POST" else None)
        if request.args.get("refresh"):
            return render_template("fragments/form/body.html", form=form, refresh_url="/tried?refresh=1")
        saved = ""
        if request.method == "POST" and not form.is_refresh and form.validate():
            saved = repr(form.values)
        return render_template_string(PAGE, form=form, saved=saved)

    sqlite_app.add_url_rule("/tried", "tried", tried, methods=["GET", "POST"])
    sqlite_app.add_url_rule(
        "/found",
        "found",
        lambda: render_template("fragments/field/candidates.html", candidates=find("", request.args["q"])),
    )
    return serve_app(sqlite_app) + "/tried"


def test_a_rule_shows_a_field_and_focus_and_typed_values_stay(
    page: Any, address: str, axe: Callable[[Any], list[str]]
) -> None:
    page.goto(address)
    assert axe(page) == []
    page.fill("#f-title", "Typed before")
    assert page.locator("#f-reason").count() == 0
    page.focus("#f-kind")
    page.select_option("#f-kind", "a")
    page.wait_for_selector("#f-reason")
    assert page.input_value("#f-title") == "Typed before"
    assert page.evaluate("document.activeElement.id") == "f-kind"
    page.fill("#f-reason", "because")
    page.select_option("#f-kind", "b")
    page.wait_for_selector("#f-reason", state="detached")
    page.select_option("#f-kind", "a")
    page.wait_for_selector("#f-reason")
    assert page.input_value("#f-reason") == "because"


def test_what_is_typed_while_the_answer_is_under_way_stays(page: Any, address: str) -> None:
    page.goto(address)
    waiting: list[Any] = []
    page.route("**/tried?refresh=1", lambda route: waiting.append(route))
    with page.expect_request("**/tried?refresh=1"):
        page.select_option("#f-kind", "a")
    page.fill("#f-title", "Typed after")
    page.check("input[name=f-tags] >> nth=1")
    page.fill("#f-account", "Ac")
    waiting[0].continue_()
    page.wait_for_selector("#f-reason")

    assert page.input_value("#f-title") == "Typed after"
    assert page.input_value("#f-account") == "Ac"
    assert page.is_checked("input[name=f-tags] >> nth=1")
    assert page.input_value("#f-kind") == "a"


def test_errors_stand_at_their_fields_and_in_a_summary_that_leads_there(
    page: Any, address: str, axe: Callable[[Any], list[str]]
) -> None:
    page.goto(address)
    page.select_option("#f-kind", "a")
    page.wait_for_selector("#f-reason")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector('[role="alert"]')
    assert page.locator('[role="alert"] li').all_inner_texts() == [
        "Title: Please fill in this field.",
        "Reason: Please fill in this field.",
    ]
    page.click('[role="alert"] a >> nth=0')
    assert page.evaluate("location.hash") == "#f-title"
    assert axe(page) == []


def test_rows_are_added_added_up_and_removed(
    page: Any, address: str, axe: Callable[[Any], list[str]]
) -> None:
    page.goto(address)
    page.fill("#f-title", "Rows")
    page.get_by_role("button", name="Add a row").click()
    page.fill("#f-lines-0-quantity", "3")
    page.fill("#f-lines-0-price", "2.50")
    page.press("#f-lines-0-price", "Tab")
    page.wait_for_selector("tfoot >> text=7.50")
    assert axe(page) == []
    page.get_by_role("button", name="Add a row").click()
    page.wait_for_selector("#f-lines-1-quantity")
    page.get_by_role("button", name="Remove row 1").click()
    page.wait_for_selector("#f-lines-0-quantity", state="detached")
    assert page.input_value("#f-title") == "Rows"


def test_a_reference_is_found_by_typing_and_chosen_with_the_keyboard(
    page: Any, address: str, axe: Callable[[Any], list[str]]
) -> None:
    page.goto(address)
    page.fill("#f-title", "Reference")
    page.locator("#f-account").press_sequentially("acm", delay=20)
    page.wait_for_selector('[role="option"] >> text=Acme Two')
    assert axe(page) == []
    page.press("#f-account", "ArrowDown")
    page.press("#f-account", "ArrowDown")
    page.press("#f-account", "Enter")
    assert page.input_value("#f-account") == "Acme Two"
    page.get_by_role("button", name="Save").click()
    page.wait_for_function("document.getElementById('saved').textContent !== ''")
    assert "'account': '8'" in page.inner_text("#saved")


def test_everything_works_without_javascript(open_page: Callable[..., Any], address: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(address)
    page.fill("#f-title", "Plain")
    page.select_option("#f-kind", "a")
    with page.expect_navigation():
        page.get_by_role("button", name="Update form").click()
    page.fill("#f-reason", "because")
    with page.expect_navigation():
        page.get_by_role("button", name="Add a row").click()
    page.fill("#f-lines-0-quantity", "2")
    page.fill("#f-lines-0-price", "1.50")
    page.locator('input[name="f-tags"] >> nth=0').check()
    page.fill("#f-account", "acm")
    page.fill("#f-day", "2026-11-21")
    with page.expect_navigation():
        page.press("#f-title", "Enter")
    assert page.locator('[role="alert"] li').all_inner_texts() == [
        "Account: Several are called “acm”. Choose one."
    ]
    page.locator('input[type="radio"][value="8"]').check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()
    saved = page.inner_text("#saved")
    for part in (
        "'account': '8'",
        "'reason': 'because'",
        "'total': '3.00'",
        "'tags': ['a']",
        "'day': '2026-11-21'",
    ):
        assert part in saved
