"""A list under the hands of somebody who does not take them off the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.blueprints.workspace.desk import matter
from tests.fixtures.town import Town

pytestmark = pytest.mark.browser
_PLACE = "[document.activeElement.dataset.label || '', document.activeElement.parentElement.rowIndex]"


def test_cells_are_walked_changed_and_left_by_keys(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
) -> None:
    for title in ("Alpha", "Beta"):
        matter(sqlite_town, title, worth="1.00")
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    page.goto(f"{address}/w/acme/o/matter?cols=title,worth,heat&sort=title")
    assert page.locator('[role=grid] [tabindex="0"]').count() == 1
    page.locator("td[data-label=Title]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(_PLACE) == ["Worth", 2]
    page.keyboard.press("Space")
    assert page.get_by_label("Beta", exact=True).is_checked()

    page.keyboard.press("Enter")
    page.locator("[name=f-worth]").wait_for()
    page.keyboard.type("lots")
    page.keyboard.press("Enter")
    page.get_by_text("is not a number").wait_for()
    assert axe(page) == []
    page.keyboard.press("Escape")
    assert page.evaluate(_PLACE) == ["Worth", 2]
    assert "1.00" in page.locator("tbody tr").nth(1).inner_text()

    page.keyboard.press("F2")
    page.locator("[name=f-worth]").wait_for()
    page.keyboard.type("77.50")
    page.keyboard.press("Enter")
    page.locator("tbody tr").nth(1).get_by_text("77.50").wait_for()
    page.locator("[data-cell-editor]").wait_for(state="detached")
    assert page.evaluate(_PLACE) == ["Worth", 2]
    assert page.get_by_label("Beta", exact=True).is_checked(), "what was ticked stays ticked"
    assert page.locator('[role=grid] [tabindex="0"]').count() == 1
    page.keyboard.press("Control+Home")
    assert page.evaluate(_PLACE) == ["", 0]
    page.get_by_label("Keys", exact=True).click()
    page.get_by_text("from cell to cell").wait_for()
    assert axe(page) == []


@pytest.mark.parametrize("leaves", ["after it was kept", "at once"])
def test_a_column_is_made_wider_by_the_pointer_and_stays_so(
    sqlite_town: Town, serve_app: Callable[[Any], str], signed_in: Callable[..., Any], leaves: str
) -> None:
    matter(sqlite_town, "Alpha", worth="1.00")
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    page.goto(f"{address}/w/acme/o/matter?cols=title,worth,heat&sort=title")
    head = page.locator("th[data-column=worth]")
    width = head.bounding_box()["width"]
    grip = head.locator(".col-grip").bounding_box()
    page.mouse.move(grip["x"] + 4, grip["y"] + 4)
    page.mouse.down()
    page.mouse.move(grip["x"] + 84, grip["y"] + 4, steps=3)
    is_wider = (
        f"() => Math.abs(document.querySelector('th[data-column=worth]').offsetWidth - {width + 80}) <= 2"
    )
    if leaves == "at once":
        page.mouse.up()
        page.goto(f"{address}/w/acme/o/client")
    else:
        with page.expect_response(lambda answer: "/widths" in answer.url) as kept:
            page.mouse.up()
        assert kept.value.status == 204
        page.wait_for_function(is_wider)
    for _ in range(20):
        page.goto(f"{address}/w/acme/o/matter?cols=title,worth,heat&sort=title")
        if page.evaluate(is_wider):
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the width was not kept")


def test_on_a_phone_rows_are_cards_without_blank_lines(
    sqlite_town: Town, serve_app: Callable[[Any], str], signed_in: Callable[..., Any]
) -> None:
    matter(sqlite_town, "A fence around the whole yard of the old factory by the river", worth="1.00")
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com", viewport={"width": 390, "height": 844})
    page.goto(f"{address}/w/acme/o/matter?cols=title,worth,heat")
    row = page.locator("tr[data-record]").bounding_box()
    last = page.locator("tr[data-record] td[data-label=Worth]").bounding_box()
    assert row["y"] + row["height"] - last["y"] - last["height"] < 20, "nothing below the last value"
    pencil = page.locator("tr[data-record] .row-edit a").bounding_box()
    title = page.locator("tr[data-record] .title a").bounding_box()
    assert pencil["width"] >= 32
    assert pencil["x"] + pencil["width"] <= row["x"] + row["width"]
    is_apart = pencil["y"] + pencil["height"] <= title["y"] or title["x"] + title["width"] <= pencil["x"]
    assert is_apart, "the pencil covers no word"

    page.goto(f"{address}/w/acme/admin/people")
    for name in page.locator(".person-name").all():
        assert name.evaluate("(one) => one.scrollWidth <= one.clientWidth"), name.inner_text()
    for cell in page.locator(".stacked-table td").all():
        box = cell.bounding_box()
        assert box["x"] + box["width"] <= 390
    page.get_by_text("rita@example.com").wait_for()
