"""Somebody gives a rep's form a new field, by mouse and by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.town import Town

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("hands", ["mouse", "keyboard"])
def test_a_new_field_reaches_the_form_of_a_rep(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
    hands: str,
) -> None:
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    page.goto(f"{address}/w/acme/studio/objects/matter/fields")
    assert axe(page) == []
    (by_mouse if hands == "mouse" else by_keyboard)(page)
    page.locator("#preview-form").get_by_label("Colour of the fence").wait_for()
    assert axe(page) == []
    order = page.locator("[data-field]").evaluate_all("all => all.map(one => one.dataset.field)")
    assert order[0] == "colour_of_the_fence"
    assert page.locator("#preview-form [name^='p-']").first.get_attribute("name") == "p-colour_of_the_fence"
    publish = page.get_by_role("link", name="Review and publish")
    if hands == "mouse":
        publish.click()
        page.get_by_role("button", name="Publish").click()
    else:
        publish.press("Enter")
        page.get_by_role("button", name="Publish").press("Enter")
    page.get_by_text("Published.").first.wait_for()
    rep = signed_in(sqlite_town.app, address, "rita@example.com")
    rep.goto(f"{address}/w/acme/o/matter/new")
    rep.get_by_label("Colour of the fence").select_option(label="Green")


def by_mouse(page: Any) -> None:
    """Drag the type to the head of the first section, name it, and give it an option."""
    page.locator("#add-choice").drag_to(page.locator("[data-field]").first, target_position={"x": 40, "y": 3})
    page.get_by_role("heading", name="New field: Choice").wait_for()
    page.locator("#label-en").fill("Colour of the fence")
    page.get_by_role("button", name="Add the field").click()
    page.locator("#field-panel").wait_for()
    page.locator("#field-panel #label-en").press("End")
    page.keyboard.type(" today")
    page.locator("#preview-form").get_by_label("Colour of the fence today").wait_for()
    page.get_by_label("New options, one a line").fill("Green")
    page.get_by_role("button", name="Keep").first.click()
    page.locator("#option-green").wait_for()


def by_keyboard(page: Any) -> None:
    """The same with Enter, typing, and Alt with the arrows."""
    page.locator("#add-choice").focus()
    page.keyboard.press("Enter")
    page.locator("#label-en:focus").wait_for()
    page.keyboard.type("Colour of the fence")
    page.keyboard.press("Enter")
    page.locator("#field-panel").wait_for()
    page.locator("#field-panel #label-en").focus()
    page.keyboard.press("End")
    page.keyboard.type(" today")
    page.locator("#preview-form").get_by_label("Colour of the fence today").wait_for()
    page.get_by_label("New options, one a line").focus()
    page.keyboard.type("Green")
    page.keyboard.press("Tab")
    page.locator("#option-green").wait_for()
    count = page.locator("[data-field]").count()
    place = "#choose-colour_of_the_fence"
    page.locator(place).focus()
    for _ in range(count - 1):
        page.keyboard.press("Alt+ArrowUp")  # as quickly as keys repeat: none of them is lost
    page.locator("[data-canvas] [data-field]").first.locator(f"{place}:focus").wait_for()


def test_what_is_changed_before_the_last_change_is_answered_is_kept(
    sqlite_town: Town, serve_app: Callable[[Any], str], signed_in: Callable[..., Any]
) -> None:
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    panel = f"{address}/w/acme/studio/objects/matter/fields?field=worth"
    page.goto(panel)
    held: list[Any] = []
    page.route("**/fields/worth", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/fields/worth"):
        page.locator("[name='s-x-currency']").fill("EUR")
        page.locator("[name='s-x-currency']").press("Tab")
    page.locator("[name='s-x-sign']").select_option("positive")
    page.locator("#choose-title").click()
    with page.expect_response(
        lambda answer: answer.url.endswith("/worth") and answer.request != held[0].request
    ):
        held[0].continue_()
    page.locator("#field-panel[action*='/fields/title']").wait_for()
    page.goto(panel)
    assert page.input_value("[name='s-x-currency']") == "EUR"
    assert page.input_value("[name='s-x-sign']") == "positive"
