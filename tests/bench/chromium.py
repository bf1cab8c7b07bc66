"""How long a person waits in Chromium: from the click on the board's link until its cards stand (part 8)."""

from __future__ import annotations

import os
import shutil
import statistics
from typing import Any

from tests.bench.documents import OBJECT, PIPELINE
from tests.bench.measures import ROOT, Visitor

_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_VISITS = 7
# The click's time survives the change of page; two frames after all is read the cards are painted.
_STANDS = """document.addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => requestAnimationFrame(
    () => { window.stands = document.querySelectorAll(".bcard").length && Date.now(); })));"""
_CLICK = "(link) => { sessionStorage.begun = Date.now(); link.click(); }"


def board_seconds(visitor: Visitor, port: int) -> tuple[float, float] | None:
    """Seconds from the click until the cards are painted: at the first visit, and the median of later ones.

    None where the machine has no Chromium.
    """
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        return None
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        context = chromium.new_context(viewport={"width": 1366, "height": 850})
        address = f"http://127.0.0.1:{port}"
        context.add_cookies(
            [
                {"name": name, "value": value, "url": address}
                for name, value in visitor.browser.cookies.items()
            ]
        )
        context.add_init_script(_STANDS)
        page = context.new_page()
        times = [_visit(page, address) for _ in range(_VISITS)]
        chromium.close()
    return times[0], statistics.median(times[1:])


def _visit(page: Any, address: str) -> float:
    page.goto(f"{address}{ROOT}/o/{OBJECT}")
    page.locator(f'a[href$="/p/{PIPELINE}/board"]').first.evaluate(_CLICK)
    page.wait_for_url("**/board")
    page.wait_for_function("window.stands")
    return float(page.evaluate("window.stands - Number(sessionStorage.begun)")) / 1000
