"""Lanes of a board and days of a calendar under real hands: dragging, the keyboard, and what is read out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from builder.db.ids import to_public
from tests.fixtures.boards import Boards
from tests.fixtures.hands import card

pytestmark = pytest.mark.browser


def pull(page: Any, thing: str, target: str) -> None:
    """Drag by mouse, in steps as a hand does."""
    start, end = page.locator(thing).bounding_box(), page.locator(target).bounding_box()
    page.mouse.move(start["x"] + 30, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 50, start["y"] + 20, steps=3)
    page.mouse.move(end["x"] + 30, end["y"] + 20, steps=6)
    page.mouse.move(end["x"] + 32, end["y"] + 22, steps=2)
    page.locator(f"{target} {thing}").wait_for(state="attached")
    page.mouse.up()


def test_hands_and_keys_in_lanes_and_on_days(
    sqlite_boards: Boards,
    serve_app: Callable[[Flask], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
) -> None:
    case = sqlite_boards.new("Iron", "free", worth="10", heat="hot", due="2025-05-20")
    sqlite_boards.new("Snow", "free", "b", heat="cold", due="2025-05-20")
    address = serve_app(sqlite_boards.town.app)
    page = signed_in(sqlite_boards.town.app, address, "ada@example.com")

    # From one lane into another; the lane that was not read yet comes into sight by itself.
    page.goto(f"{address}/w/acme/p/free/board?lanes=heat")
    page.locator(card(case)).wait_for()
    page.wait_for_function("() => document.querySelectorAll('.lane-later').length === 0")
    assert axe(page) == []
    pull(page, card(case), '[data-lane="cold"][data-stage="a"]')
    page.wait_for_function("id => document.querySelector(id)?.dataset.r === '2'", arg=card(case))
    assert sqlite_boards.row(case).data["heat"] == "cold"
    assert page.locator(f'[data-lane="cold"] {card(case)}').count() == 1
    assert page.locator(".lane-head .count").first.inner_text().startswith("2")
    # By the menu of the card, with the keyboard.
    page.locator(f"{card(case)} .bcard-move").press("Enter")
    page.locator("#move-lane").select_option("hot")
    page.get_by_role("button", name="Put into this lane").press("Enter")
    page.wait_for_function("id => document.querySelector(id)?.dataset.r === '3'", arg=card(case))
    assert sqlite_boards.row(case).data["heat"] == "hot"
    # A folded column stays folded.
    page.goto(f"{address}/w/acme/p/free/board")
    page.locator("#fold-b").press("Enter")
    page.locator("#column-b.bcol-folded").wait_for()
    page.reload()
    assert page.locator("#column-b.bcol-folded").count() == 1

    page.goto(f"{address}/w/acme/o/matter/calendar?on=2025-05-12")
    assert axe(page) == []
    entry = f"#e-{to_public(case)}"
    pull(page, entry, '[data-day="2025-05-14"]')
    page.wait_for_function("id => document.querySelector(id)?.dataset.r === '4'", arg=entry)
    assert sqlite_boards.row(case).data["due"] == "2025-05-14"
    page.locator(f"{entry} .cal-move").press("Enter")
    page.locator("#day").fill("2025-05-23")
    page.locator("#day-form").get_by_role("button", name="Save").press("Enter")
    page.wait_for_function("id => document.querySelector(id)?.dataset.r === '5'", arg=entry)
    assert page.locator(f'[data-day="2025-05-23"] {entry}').count() == 1
    page.wait_for_function(f"() => document.activeElement.closest('{entry}') !== null")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.get_by_text("Friday, May 23, 2025", exact=True).is_visible()
    assert not page.locator(".cal-table thead").is_visible()
