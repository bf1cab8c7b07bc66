"""The frame around every page, in a real browser: looks, keyboard, phone, theme, messages, dialog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def address(styleguide_app: Flask, serve_app: Callable[[Flask], str]) -> str:
    return serve_app(styleguide_app) + "/styleguide"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_nobody_stumbles(
    open_page: Callable[..., Any],
    address: str,
    axe: Callable[[Any], list[str]],
    scheme: str,
    device: dict[str, Any],
) -> None:
    page = open_page(color_scheme=scheme, **device)
    page.goto(address)

    assert page.evaluate("document.documentElement.getAttribute('data-bs-theme')") == scheme
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"


def test_the_first_tab_skips_to_the_content(page: Any, address: str) -> None:
    page.goto(address)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.focus("body")
    page.locator(".skip-link").focus()
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "fw-main"


def test_a_conflict_and_a_crash_are_told_and_leave_the_page_as_it_is(page: Any, address: str) -> None:
    page.goto(address)
    page.fill("#name", "half typed")
    page.click("#provoke-stale")
    page.click("#provoke-crash")

    page.locator("#fw-notes .note").nth(1).wait_for()
    assert "Somebody else changed this" in page.inner_text("#fw-notes")
    assert "went wrong" in page.inner_text("#fw-notes")
    assert page.input_value("#name") == "half typed"
    page.locator("[data-dismiss-note]").first.click()
    assert page.locator("#fw-notes .note").count() == 1


def test_the_dialog_opens_traps_the_focus_and_closes(
    page: Any, address: str, axe: Callable[[Any], list[str]]
) -> None:
    page.goto(address)
    page.click("#open-dialog")
    dialog = page.locator("#fw-dialog")
    dialog.locator("#reason").wait_for()

    assert page.evaluate("document.getElementById('fw-dialog').contains(document.activeElement)")
    assert axe(page) == []
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.click("#open-dialog")
    dialog.locator("#reason").wait_for()
    dialog.get_by_role("button", name="Cancel").click()
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.id") == "open-dialog"


def test_the_theme_is_chosen_in_the_menu_and_stays(page: Any, address: str) -> None:
    page.goto(address)
    page.click(".person-button")
    page.click("button[value=dark]")

    page.wait_for_url(address)
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_the_language_is_one_click_away(page: Any, address: str) -> None:
    page.goto(address)
    page.click("button[value=zh_Hans]")

    page.wait_for_url(address)
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"


def test_on_a_phone_the_navigation_folds_away(open_page: Callable[..., Any], address: str) -> None:
    page = open_page(**PHONE)
    page.goto(address)
    board = page.get_by_role("link", name="Board", exact=True)

    assert not board.is_visible()
    page.click("[data-toggle-nav]")
    assert board.is_visible()
    page.click("[data-toggle-nav]")
    assert not board.is_visible()


def test_without_javascript_menus_navigation_and_theme_work(
    open_page: Callable[..., Any], address: str
) -> None:
    page = open_page(java_script_enabled=False, **PHONE)
    page.goto(address)

    assert page.get_by_role("link", name="Board", exact=True).is_visible()
    page.click(".person-button")
    page.click("button[value=dark]")
    page.wait_for_url(address)
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_slash_goes_to_the_search_box(page: Any, address: str) -> None:
    page.goto(address)
    page.locator("#fw-main").focus()
    page.keyboard.press("/")

    assert page.evaluate("document.activeElement.name") == "q"


def test_a_server_that_is_gone_is_told(page: Any, address: str) -> None:
    page.goto(address)
    page.route("**/styleguide/stale", lambda route: route.abort())
    page.click("#provoke-stale")

    page.get_by_text("The server did not answer").wait_for()
