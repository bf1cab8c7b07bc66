"""Columns of a table by keyboard alone, a layout by mouse, and a form whose answers are fillers is told (B20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from builder.services.definitions import publish
from builder.services.records import NewRecord, create
from tests import factories
from tests.fixtures.town import Town

pytestmark = pytest.mark.browser

COUNT = 22


def test_columns_a_layout_and_the_cost_of_a_form(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
) -> None:
    make_a_costly_form(sqlite_town)
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    fields = f"{address}/w/acme/studio/objects/matter/fields"
    page.goto(fields)
    page.locator("#open-cost").click()
    page.locator("#cost-panel").get_by_text("22 required fields").wait_for()
    assert "60 % of the answers are fillers" in page.locator("#cost-panel").inner_text()
    assert "60 % fillers, 100 % filled in" in page.locator("#cost-asked_20").inner_text()
    assert axe(page) == []
    page.locator("#free-asked_20").click()
    page.locator("#cost-panel").get_by_text("21 required fields").wait_for()
    columns_by_keyboard(page)
    page.goto(f"{fields}?panel=layout")
    page.locator("#label-en").fill("Short")
    page.locator("input[name=roles][value=rep]").check()
    page.locator("#make-layout").click()
    page.locator("#left-out").wait_for()
    page.locator("#choose-asked_20").click()
    page.get_by_role("button", name="Leave it out of this layout").click()
    page.locator("#put-asked_20").wait_for()
    assert page.locator("#preview-form [name='p-asked_20']").count() == 0
    assert axe(page) == []


def columns_by_keyboard(page: Any) -> None:
    """A table, a column of money in it, moved to its head, all with Enter, typing and Alt with the arrows."""
    page.locator("#add-table").press("Enter")
    page.locator("#label-en:focus").wait_for()
    page.keyboard.type("Lines")
    page.keyboard.press("Enter")
    page.locator("#open-inside").press("Enter")
    page.locator("#canvas-way").wait_for()
    page.locator("#add-money").press("Enter")
    page.locator("#label-en:focus").wait_for()
    page.keyboard.type("Price")
    page.keyboard.press("Enter")
    page.locator("#choose-price").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    page.locator("[data-canvas] [data-field]").first.locator("#choose-price:focus").wait_for()
    order = page.locator("[data-field]").evaluate_all("all => all.map(one => one.dataset.field)")
    assert order == ["price", "item", "number"]
    assert page.locator("#preview-form").get_by_text("Price").first.is_visible()


def make_a_costly_form(town: Town) -> None:
    """Twenty-two required questions, answered by N/A in six of ten records."""
    keys = [f"asked_{number}" for number in range(COUNT)]
    asked = {key: factories.text_field(key.replace("_", " ").title()) for key in keys}
    form = factories.CASE["fields"]
    document = {**factories.CASE, "fields": {**form, "properties": {**form["properties"], **asked}}}
    document["fields"]["required"] = keys
    uow = town.work()
    publish(uow, [document])
    for number in range(10):
        answer = "N/A" if number < 6 else "said"
        create(uow, "matter", NewRecord({"title": "Fence", **dict.fromkeys(keys, answer)}))
    uow.commit()
