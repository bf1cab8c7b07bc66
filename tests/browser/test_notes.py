"""Somebody writes a note that mentions a colleague, who hears of it: with scripts, on a phone, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from builder.db.ids import to_public
from tests.blueprints.workspace.desk import matter, page_of
from tests.fixtures.town import Town

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


@pytest.mark.parametrize("device", ["desk", "phone", "plain"])
def test_a_colleague_is_mentioned_and_hears_of_it(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
    device: str,
) -> None:
    options: dict[str, Any] = {"desk": {}, "phone": PHONE, "plain": {"java_script_enabled": False}}[device]
    has_scripts = device != "plain"
    record = matter(sqlite_town)
    address = serve_app(sqlite_town.app)
    rita = signed_in(sqlite_town.app, address, "rita@example.com", **options)
    rita.goto(address + page_of(record))
    text = rita.get_by_label("Write a note; @ and a name tells a colleague")

    if has_scripts:
        text.press_sequentially("Look, @mi")
        rita.get_by_role("option", name="Mia").wait_for()
        assert axe(rita) == []
        text.press("Enter")
        assert text.input_value() == "Look, @Mia "
    else:
        text.fill("Look, @Mia ")
    rita.locator("#note-files").set_input_files(
        {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"}
    )
    rita.get_by_role("button", name="Add note").click()
    rita.get_by_role("link", name="plan.txt").wait_for()
    if has_scripts:
        assert rita.url == address + page_of(record)
        assert text.input_value() == ""
        rita.get_by_role("link", name="Edit", exact=True).last.click()
        rita.get_by_role("heading", name="Change the note").wait_for()
        assert axe(rita) == []

    mia = signed_in(sqlite_town.app, address, "mia@example.com", **options)
    mia.goto(f"{address}/w/acme/")
    mia.get_by_role("link", name="Notices: one unread").click()
    if has_scripts:
        assert axe(mia) == []
    mia.get_by_role("button", name="mentioned you on “Fence”").click()
    mia.get_by_role("link", name="plan.txt").wait_for()
    mia.get_by_role("link", name="Notices", exact=True).wait_for()


def test_what_somebody_owns_is_handed_over(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
) -> None:
    matter(sqlite_town)
    address = serve_app(sqlite_town.app)
    ada = signed_in(sqlite_town.app, address, "ada@example.com")
    ada.goto(f"{address}/w/acme/admin/people/{to_public(sqlite_town.ids['Rita'])}")
    assert axe(ada) == []
    ada.get_by_role("link", name="Hand over").click()
    ada.get_by_role("heading", name="Hand over").wait_for()
    assert axe(ada) == []
    ada.get_by_role("button", name="Hand over").click()
    ada.get_by_role("link", name="Choose a colleague who works here.").wait_for()
    assert axe(ada) == []


@pytest.mark.parametrize("device", ["desk", "plain"])
def test_a_note_clicked_three_times_is_one_note(
    sqlite_town: Town, serve_app: Callable[[Any], str], signed_in: Callable[..., Any], device: str
) -> None:
    record = matter(sqlite_town)
    address = serve_app(sqlite_town.app)
    rita = signed_in(
        sqlite_town.app,
        address,
        "rita@example.com",
        **({"java_script_enabled": False} if device == "plain" else {}),
    )
    sent: list[str] = []
    rita.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    rita.goto(address + page_of(record))
    rita.get_by_label("Write a note; @ and a name tells a colleague").fill("Called twice.")
    rita.locator("#add-note").click(click_count=3, delay=0)
    rita.locator(".timeline").get_by_text("Called twice.").first.wait_for()
    rita.wait_for_load_state("networkidle")

    assert rita.locator(".timeline").get_by_text("Called twice.").count() == 1
    if device == "desk":
        assert len(sent) == 1, "the second click is not even sent"
        assert rita.locator("[data-sending]").count() == 0
        text = rita.get_by_label("Write a note; @ and a name tells a colleague")
        text.fill("And again.")
        rita.locator("#add-note").click()
        rita.locator(".timeline").get_by_text("And again.").wait_for()
    rita.reload()
    assert rita.locator(".timeline").get_by_text("Called twice.").count() == 1
