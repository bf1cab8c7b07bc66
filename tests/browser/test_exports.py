"""Somebody exports a list in a real browser: on a desk, on a phone, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.blueprints.workspace.desk import matter
from tests.fixtures.town import Town

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.mark.parametrize("device", ["desk", "phone", "plain"])
def test_a_list_becomes_a_file(
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
    axe: Callable[[Any], list[str]],
    device: str,
) -> None:
    options: dict[str, Any] = {"desk": {}, "phone": PHONE, "plain": {"java_script_enabled": False}}[device]
    for title in ("Alpha", "Beta"):
        matter(sqlite_town, title)
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com", **options)
    page.goto(f"{address}/w/acme/o/matter?q=alpha&cols=title")
    page.get_by_role("link", name="Export", exact=True).click()
    form = page.locator("#export-form")
    form.wait_for()
    if device != "plain":
        assert page.locator("dialog[open]").count() == 1
        assert axe(page) == []
    with page.expect_download() as started:
        form.get_by_role("button", name="Export").click()
    assert started.value.suggested_filename == "Matters 2025-05-12.csv"
    text = Path(started.value.path()).read_text(encoding="utf-8-sig")
    head, row = text.splitlines()
    assert head == "Record ID,Title"
    assert row.startswith("fw:")
    assert row.endswith(",Alpha")
    if device != "plain":
        page.wait_for_function("!document.getElementById('fw-dialog').open")

    page.goto(f"{address}/w/acme/exports/")
    assert "Nothing was exported in the background yet" in page.locator("main").inner_text()
    if device != "plain":
        assert axe(page) == []
