"""An admin imports a file in a real browser: on a desk, on a phone, and without JavaScript."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.exchange.blobs import FolderBlobStore
from tests.fixtures.imports import InlineQueue
from tests.fixtures.town import Town

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}}
FILE = "ref,title,worth,due,client,holder,phase\n" + "".join(
    f"R{n},Case {n},{n * 100}.50,0{n % 9 + 1}/0{n % 8 + 1}/2025,Client {n % 4},Ada,Talk\n"
    for n in range(1, 40)
)


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    app = sqlite_town.app
    folder: Path = app.extensions["funnelwright.settings"].data_folder
    app.extensions["funnelwright.queue"] = InlineQueue(
        app.extensions["funnelwright.engine"], sqlite_town.clock, FolderBlobStore(folder / "files")
    )
    return sqlite_town


def look(page: Any, name: str) -> None:
    """Keep a picture where FUNNELWRIGHT_SHOTS says, to look at the pages by eye."""
    if folder := os.environ.get("FUNNELWRIGHT_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True, caret="initial")


@pytest.mark.parametrize("device", ["desk", "phone", "plain"])
def test_a_file_becomes_records(
    town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
    tmp_path: Path,
    device: str,
) -> None:
    options: dict[str, Any] = {"desk": {}, "phone": PHONE, "plain": {"java_script_enabled": False}}[device]
    address = serve_app(town.app)
    page = signed_in(town.app, address, "ada@example.com", **options)
    file = tmp_path / "cases.csv"
    file.write_text(FILE + "R99,,5,01/01/2025,Client 1,Nobody,Talk\n", encoding="utf-8")

    def stumbles() -> list[str]:
        return [] if device == "plain" else axe(page)

    page.goto(f"{address}/w/acme/imports/")
    page.get_by_role("link", name="Import a file").first.click()
    look(page, f"{device}-1-file")
    assert stumbles() == []
    page.set_input_files("#file", str(file))
    page.select_option("#object", "matter")
    page.get_by_role("button", name="Upload and go on").click()

    page.locator("#import-mapping").wait_for()
    page.select_option("#key_column", "ref")
    page.check("#create_references")
    page.select_option("#field-6", "new:text")
    look(page, f"{device}-2-columns")
    assert stumbles() == []
    page.get_by_role("button", name="Check all rows").click()
    page.locator(".error-summary").wait_for()
    assert "cannot be told apart" in page.inner_text(".error-summary")
    look(page, f"{device}-3-question")
    assert stumbles() == []
    page.select_option("[name=order-3]", "dmy")
    page.get_by_role("button", name="Check all rows").click()

    page.wait_for_url("**/check")
    look(page, f"{device}-4-check")
    assert "1 row would be refused" in page.inner_text("main")
    assert stumbles() == []
    page.get_by_role("button", name="Import", exact=True).click()

    page.get_by_text("All rows are through.").wait_for()
    look(page, f"{device}-5-result")
    assert stumbles() == []
    assert page.evaluate("1 + 1") == 2 if device != "plain" else True
    page.goto(f"{address}/w/acme/imports/")
    assert "cases.csv" in page.inner_text("main")
    look(page, f"{device}-6-list")
    assert stumbles() == []
