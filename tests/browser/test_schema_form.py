"""A form from a JSON Schema in a real browser: alternatives, rows and the verdict, with and without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.town import Town

pytestmark = pytest.mark.browser

SCHEMA = {
    "title": "Visit",
    "type": "object",
    "required": ["reason"],
    "properties": {
        "reason": {"type": "string", "title": "Reason", "minLength": 3},
        "guests": {"type": "array", "title": "Guests", "items": {"type": "string"}},
        "cv": {"type": "string", "format": "data-url", "title": "Paper"},
    },
    "anyOf": [
        {"title": "By train", "properties": {"train": {"type": "string", "title": "Train"}}},
        {"title": "By car", "properties": {"seats": {"type": "integer", "title": "Seats"}}},
    ],
}
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.mark.parametrize("device", ["desk", "phone", "plain"])
def test_a_pasted_schema_is_filled_in_and_checked(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
    device: str,
) -> None:
    options: dict[str, Any] = {"desk": {}, "phone": PHONE, "plain": {"java_script_enabled": False}}[device]
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com", **options)
    page.goto(f"{address}/w/acme/studio/json-schema")
    page.locator("#schema").fill(json.dumps(SCHEMA))
    page.get_by_role("button", name="Show the form").click()
    page.get_by_label("Which kind?").select_option(label="By car")
    if device == "plain":
        page.get_by_role("button", name="Update form").click()
    page.get_by_label("Seats").wait_for()
    assert page.get_by_label("Train").count() == 0
    page.get_by_role("button", name="Add a row").click()
    page.get_by_label("Guests-1").fill("Li Wei")
    page.get_by_label("Reason").fill("ok")
    page.get_by_role("button", name="Check").click()
    page.get_by_text("At least 3 characters are needed.").first.wait_for()
    assert page.get_by_label("Guests-1").input_value() == "Li Wei"
    if device != "plain":
        assert axe(page) == []
    page.get_by_label("Reason").fill("Lunch")
    page.get_by_label("Seats").fill("4")
    page.get_by_label("Paper").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"}
    )
    page.get_by_role("button", name="Check").click()
    page.get_by_text("These data are right.").wait_for()
    data = json.loads(page.get_by_label("The data as JSON").inner_text())
    assert data == {
        "reason": "Lunch",
        "guests": ["Li Wei"],
        "cv": "data:text/plain;name=a.txt;base64,aGVsbG8=",
        "seats": 4,
    }
    if device != "plain":
        assert axe(page) == []
