"""Somebody ticks rows of a list and changes them at once: on a desk, on a phone, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.blueprints.workspace.desk import matter
from tests.fixtures.town import Town

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.mark.parametrize("device", ["desk", "phone", "plain"])
def test_ticked_rows_are_changed_and_changed_back(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
    device: str,
) -> None:
    options: dict[str, Any] = {"desk": {}, "phone": PHONE, "plain": {"java_script_enabled": False}}[device]
    for title in ("Alpha", "Beta"):
        matter(sqlite_town, title)
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com", **options)
    page.goto(f"{address}/w/acme/o/matter?cols=title,worth")
    if device == "phone":
        width = page.locator("table").evaluate("table => table.getBoundingClientRect().right")
        assert width <= PHONE["viewport"]["width"]
    change = page.get_by_role("button", name="Change fields")
    if device == "desk":
        assert not change.is_visible()
        page.get_by_label("Tick all on this page").check()
        assert page.get_by_label("Alpha", exact=True).is_checked()
    for title in ("Alpha", "Beta"):
        page.get_by_label(title, exact=True).check()
    if device != "plain":
        assert axe(page) == []
    change.click()
    page.get_by_role("heading", name="Change 2 records").wait_for()
    page.get_by_label("Field").select_option(label="Worth")
    if device == "plain":
        page.get_by_role("button", name="Choose", exact=True).click()
    page.locator("[name=f-worth]").fill("77.50")
    if device != "plain":
        assert axe(page) == []
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("heading", name="Changed at once").wait_for()
    if device != "plain":
        assert axe(page) == []
    batch = page.url
    page.goto(f"{address}/w/acme/o/matter?cols=title,worth")
    assert page.locator("tbody").inner_text().count("77.50") == 2
    page.goto(batch)
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Put back").wait_for()
    page.goto(f"{address}/w/acme/o/matter?cols=title,worth")
    assert "77.50" not in page.locator("tbody").inner_text()


def test_a_value_that_is_typed_before_another_field_is_there_stays(
    sqlite_town: Town, serve_app: Callable[[Any], str], signed_in: Callable[..., Any]
) -> None:
    for title in ("Alpha", "Beta"):
        matter(sqlite_town, title)
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    page.goto(f"{address}/w/acme/o/matter?cols=title,worth")
    page.get_by_label("Tick all on this page").check()
    page.get_by_role("button", name="Change fields").click()
    page.locator("#field").select_option(label="Worth")
    page.locator("[name=f-worth]").wait_for()
    held: list[Any] = []
    page.route("**/bulk/edit*", lambda route: held.append(route))
    with page.expect_request("**/bulk/edit*"):
        page.locator("#field").select_option(label="Due")
    page.locator("[name=f-worth]").fill("77.50")
    held[0].continue_()
    page.locator("[name=f-due]").wait_for()
    assert page.input_value("[name=f-worth]") == "77.50"
    assert page.input_value("#field") == ""
