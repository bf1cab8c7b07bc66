"""Somebody draws a process, a rep works by it, and it is taken back: all in the browser (S1, B7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.town import Town

pytestmark = pytest.mark.browser


def test_a_process_is_drawn_published_worked_by_and_taken_back(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
) -> None:
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    page.goto(f"{address}/w/acme/studio/processes")
    page.get_by_role("link", name="New process").click()
    assert axe(page) == []
    page.get_by_label("Name English").fill("Tender")
    page.get_by_label("For", exact=True).select_option(label="Matter")
    page.get_by_role("button", name="Begin").click()

    page.get_by_role("heading", name="Tender").wait_for()
    page.get_by_text("Add a stage").click()
    page.locator("#new-label_en").fill("Site visit")
    page.get_by_role("button", name="Add stage").press("Enter")
    card = page.locator("#stage-site_visit")
    card.wait_for()
    assert axe(page) == []
    page.get_by_role("button", name="Move Site visit to the front").press("Enter")
    page.locator(".canvas-stage:nth-child(2)#stage-site_visit").wait_for()

    # The same arrow by dragging from a stage, taken in hand and taken away by keys.
    arrow = page.locator("#move-lost--site_visit")
    page.locator("[data-node=lost] [data-move-handle]").drag_to(page.locator("[data-node=site_visit] rect"))
    arrow.wait_for()
    arrow.focus()
    arrow.press("Enter")
    page.get_by_text("In hand: From Lost to Site visit").wait_for()
    assert axe(page) == []
    arrow.press("Delete")
    arrow.wait_for(state="detached")

    page.get_by_role("link", name="Edit First contact").click()
    page.get_by_role("heading", name="What it is").wait_for()
    assert axe(page) == []
    page.get_by_label("Task in English").first.fill("Read the papers")
    page.locator("form[action$='/work']").get_by_role("button", name="Keep").click()
    page.get_by_text("Kept in the draft.").wait_for()
    page.locator("form[action$='/gate']").get_by_label("Worth").first.check()
    page.locator("form[action$='/gate']").get_by_role("button", name="Keep").click()
    page.get_by_text("Kept in the draft.").wait_for()
    page.get_by_role("link", name="Review and publish").click()
    assert axe(page) == []
    page.get_by_label("What is it for?").fill("Tenders have their own way")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Published.").first.wait_for()
    assert axe(page) == []

    rep = signed_in(sqlite_town.app, address, "rita@example.com")
    rep.goto(f"{address}/w/acme/o/matter/new?pipeline=tender")
    rep.get_by_label("Title").fill("The new bridge")
    rep.get_by_role("button", name="Create").first.click()
    rep.get_by_text("Read the papers").first.wait_for()

    page.get_by_role("link", name="No. 2 · Tenders have their own way").click()
    page.get_by_role("button", name="Take back").wait_for()
    assert axe(page) == []
    page.get_by_role("button", name="Take back").click()
    page.get_by_text("there are records").first.wait_for()
