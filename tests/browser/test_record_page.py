"""Working a record in a browser: ticks and feedback at once, the same without scripts, search, filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.blueprints.workspace.desk import MATTERS, matter, page_of, present_stay
from tests.fixtures.browser import swapped
from tests.fixtures.town import Town

pytestmark = pytest.mark.browser


@pytest.fixture
def enter(
    sqlite_town: Town, serve_app: Callable[[Flask], str], signed_in: Callable[..., Any]
) -> Callable[..., tuple[Any, str]]:
    """enter(scripts=True): a page signed in as Rita, and the address of the server."""
    address = serve_app(sqlite_town.app)

    def make(*, scripts: bool = True) -> tuple[Any, str]:
        page = signed_in(sqlite_town.app, address, "rita@example.com", java_script_enabled=scripts)
        return page, address

    return make


def test_a_tick_and_feedback_are_saved_at_once(
    sqlite_town: Town, enter: Callable[..., tuple[Any, str]], axe: Callable[[Any], list[str]]
) -> None:
    record = matter(sqlite_town)
    page, address = enter()
    page.goto(address + page_of(record))
    page.fill("#a-mood", "half typed")

    page.check("#stage-tasks input[value=call]")
    page.wait_for_selector("#stage-missing:not(:has-text('Call'))")
    assert page.evaluate("document.activeElement.value") == "call"

    # What somebody types beside it stays.
    assert page.input_value("#a-mood") == "half typed"
    page.fill("#a-address", "Elm Road 1")
    page.click("#stage-feedback button[type=submit] >> text=Save feedback")
    page.wait_for_selector("text=Feedback saved.")
    stay = present_stay(sqlite_town, record)
    assert set(stay.tasks_done) == {"call"}
    assert stay.answers == {"address": "Elm Road 1", "mood": "half typed"}
    page.get_by_role("link", name="Stages", exact=True).press("Enter")
    page.wait_for_selector(".timeline-kinds :focus[aria-current]")
    assert axe(page) == []


def test_the_same_without_scripts(sqlite_town: Town, enter: Callable[..., tuple[Any, str]]) -> None:
    record = matter(sqlite_town)
    page, address = enter(scripts=False)
    page.goto(address + page_of(record))

    page.check("#stage-tasks input[value=call]")
    with page.expect_navigation():
        page.click("#stage-tasks button[type=submit]")
    page.fill("#a-address", "Elm Road 1")
    with page.expect_navigation():
        page.click("#stage-feedback button >> text=Save feedback")

    stay = present_stay(sqlite_town, record)
    assert set(stay.tasks_done) == {"call"}
    assert stay.answers == {"address": "Elm Road 1"}
    page.goto(address + MATTERS)
    page.click(".list-tools >> text=Filter")
    page.select_option("#g0-0-field", "heat")
    with page.expect_navigation():
        page.click("#filter-builder noscript button")
    page.select_option("#g0-0-op", "empty")
    with page.expect_navigation():
        page.click("#filter-builder >> text=Apply")
    assert page.locator(".chip").inner_text().startswith("Heat is empty")
    assert page.locator("td.title").count() == 1


def test_suggestions_appear_while_typing_and_lead_to_the_record(
    sqlite_town: Town, enter: Callable[..., tuple[Any, str]]
) -> None:
    record = matter(sqlite_town, "华为 campus")
    page, address = enter()
    page.goto(address + MATTERS)

    page.locator("[data-search]").press_sequentially("华")
    page.click("#search-found >> text=华为 campus")

    page.wait_for_url(f"**{page_of(record)}")


def test_the_builder_follows_the_field_and_applies(
    sqlite_town: Town, enter: Callable[..., tuple[Any, str]], axe: Callable[[Any], list[str]]
) -> None:
    matter(sqlite_town, "Fence", worth="1500.00")
    matter(sqlite_town, "Roof", worth="10.00")
    page, address = enter()
    page.goto(address + MATTERS)

    page.click(".list-tools >> text=Filter")
    page.select_option("#g0-0-field", "worth")
    page.fill("#g0-0-a", "1000")
    assert axe(page) == []
    page.click("#filter-builder >> text=Apply")

    page.wait_for_selector(".chip")
    assert page.locator("td.title").all_inner_texts() == ["Fence"]


def test_a_value_that_is_typed_before_the_builder_has_answered_stays(
    sqlite_town: Town, enter: Callable[..., tuple[Any, str]]
) -> None:
    matter(sqlite_town, "Fence", worth="1500.00")
    matter(sqlite_town, "Roof", worth="10.00")
    page, address = enter()
    page.goto(f"{address}{MATTERS}/filter")
    page.select_option("#g0-0-field", "worth")
    page.wait_for_selector("#g0-0-op")
    held: list[Any] = []
    page.route("**/filter?*", lambda route: held.append(route))
    with page.expect_request("**/filter?*"):
        page.select_option("#g0-0-op", "le")
    page.fill("#g0-0-a", "1000")
    with swapped(page):
        held[0].continue_()
    assert page.input_value("#g0-0-a") == "1000"
    page.unroute("**/filter?*")
    page.click("#filter-builder >> text=Apply")
    page.wait_for_selector(".chip")
    assert page.locator("td.title").all_inner_texts() == ["Roof"]
