"""A template is brought, installed, edited here, upgraded, exported, brought again and cloned (S18, S116, B9).

By mouse and by keyboard alone; what was edited here and what the template changed both survive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.metadata import packs
from tests.blueprints.studio.test_packs import PACK, later
from tests.fixtures.town import Town
from tests.fixtures.walkers import WALKERS, Walker

pytestmark = pytest.mark.browser

NEWER = later("1.1.0", label={"en": "Patron"}, color="blue")


@pytest.fixture(params=sorted(WALKERS))
def ada(
    request: pytest.FixtureRequest,
    sqlite_town: Town,
    serve_app: Callable[[Any], str],
    signed_in: Callable[..., Any],
) -> Walker:
    address = serve_app(sqlite_town.app)
    page = signed_in(sqlite_town.app, address, "ada@example.com")
    page.goto(f"{address}/w/acme/studio/templates")
    return WALKERS[request.param](page)


def test_a_template_survives_edits_upgrade_export_and_clone(
    ada: Walker, tmp_path: Path, axe: Callable[[Any], list[str]]
) -> None:
    page = ada.page
    _bring(ada, tmp_path, packs.combined(PACK))
    ada.press(_card(page, "1.0.0").get_by_role("link", name="Install"))
    page.get_by_role("heading", name="Install Law firms").wait_for()
    assert axe(page) == []
    _go_on_and_publish(ada)

    ada.press(page.get_by_role("link", name="Objects"))
    ada.press(page.get_by_role("link", name=re.compile("^Settings of Client")))
    ada.write(page.locator("#label-en"), "Customer")
    ada.press(page.get_by_role("button", name="Keep"))
    ada.press(page.get_by_role("link", name="Review and publish"))
    _publish(ada)

    ada.press(page.get_by_role("link", name="Templates"))
    _bring(ada, tmp_path, packs.combined(NEWER))
    ada.press(_card(page, "1.1.0").get_by_role("link", name="Update"))
    page.get_by_role("heading", name="Update Law firms to 1.1.0").wait_for()
    page.get_by_text("Name › English").wait_for()
    assert axe(page) == []
    ada.press(page.locator(".pack-sides", has_text="Customer").get_by_label(re.compile("Here")))
    _go_on_and_publish(ada)

    exported = _exported(ada, tmp_path)
    client = next(each for each in exported["objects"] if each["key"] == "client")
    assert (client["label"]["en"], client["color"]) == ("Customer", "blue")
    ada.press(page.get_by_role("link", name="Cancel"))
    _bring(ada, tmp_path, packs.combined({**exported, "version": "1.2.0"}))
    ada.press(_card(page, "1.2.0").get_by_role("link", name="Update"))
    page.get_by_role("button", name="Go on").wait_for()
    assert page.locator(".pack-sides").count() == 0

    ada.press(page.get_by_role("link", name="Cancel"))
    ada.press(page.get_by_role("link", name="Client workspaces"))
    ada.write(page.locator("#name"), "Beta Ltd")
    ada.write(page.locator("#key"), "beta")
    ada.press(page.get_by_role("button", name="Make it"))
    ada.press(page.locator(".pack-card", has_text="Acme").get_by_role("link", name="Compare"))
    page.get_by_text("No difference").wait_for()
    assert axe(page) == []


def _card(page: Any, version: str) -> Any:
    return page.locator(".pack-card", has_text=f"version {version}").filter(has_text="Library of")


def _bring(ada: Walker, folder: Path, text: str) -> None:
    """Files are handed over; the window in which one finds them is the browser's."""
    path = folder / "template.json"
    path.write_text(text)
    ada.page.locator("#file").set_input_files(path)
    ada.press(ada.page.get_by_role("button", name="Put into the library"))
    _card(ada.page, json.loads(text)["version"]).wait_for()


def _go_on_and_publish(ada: Walker) -> None:
    ada.press(ada.page.get_by_role("button", name="Go on"))
    _publish(ada)


def _publish(ada: Walker) -> None:
    ada.press(ada.page.get_by_role("button", name="Publish"))
    ada.page.get_by_text("Published.").first.wait_for()


def _exported(ada: Walker, folder: Path) -> dict[str, Any]:
    page = ada.page
    ada.press(page.get_by_role("link", name="Templates"))
    ada.press(page.get_by_role("link", name="Export", exact=True))
    with page.expect_download() as found:
        ada.press(page.get_by_role("button", name="Download"))
    return dict(json.loads(Path(found.value.path()).read_text()))
