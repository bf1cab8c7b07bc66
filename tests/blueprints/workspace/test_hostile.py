"""The strings of ../shared/data/hostile in every field and parameter: a clear answer, never a 500."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from markupsafe import escape

from builder.db.ids import from_public
from tests.blueprints.workspace.desk import MATTERS, matter, page_of, stored
from tests.fixtures.town import Town

SHARED = Path(os.environ.get("FUNNELWRIGHT_SHARED", Path(__file__).parents[4] / "shared"))
STRINGS = SHARED / "data" / "hostile" / "blns" / "blns.json"
# Each page meets another part of the strings, so that all of them are tried somewhere.
SHARE = 7
FIELDS = ("title", "worth", "due", "holder", "client", "note", "heat")


@pytest.fixture(scope="module")
def strings() -> list[str]:
    if not STRINGS.is_file():
        pytest.skip("the shared hostile strings are not here")
    texts: list[str] = json.loads(STRINGS.read_text("utf-8"))
    return texts


def test_every_string_in_every_field_is_stored_as_it_is_or_refused(
    sqlite_town: Town, strings: list[str]
) -> None:
    rita = sqlite_town.as_("Rita")
    kept = 0
    for number, text in enumerate(strings):
        if number % SHARE == 0:
            answer = rita.post(f"{MATTERS}/new", {"pipeline": "-", **{f"f-{key}": text for key in FIELDS}})
            assert answer.status_code in (303, 422), text
        alone = rita.post(f"{MATTERS}/new", {"pipeline": "-", "f-title": "Case", "f-note": text})
        if alone.status_code == 303:
            kept += 1
            record = from_public(alone.headers["Location"].rsplit("/", 1)[1])
            assert (
                stored(sqlite_town, record).data.get("note", "").strip() == text.replace("\r\n", "\n").strip()
            )
    assert kept > 400


def test_no_string_is_executed_on_the_pages_that_show_it(sqlite_town: Town, strings: list[str]) -> None:
    rita = sqlite_town.as_("Rita")
    for text in [one for one in strings if "<" in one][::3]:
        record = matter(sqlite_town, "Case", flow=None, note=text[:1000])
        page = rita.get(page_of(record)).text
        if re.search(r"<\w", text):
            assert text not in page
            assert str(escape(text.split()[0]))[:10] in page


@pytest.mark.parametrize(
    "where",
    [
        "/o/matter?q={}", "/o/matter?f={}", "/o/matter?sort={}", "/o/matter?view={}", "/o/matter?cols=title,{}",
        "/o/matter?after={}", "/o/matter?before={}", "/o/matter/filter?_filter={}&f={}", "/o/{}", "/search?q={}",
        "/o/matter/filter?mode={}&group={}&group=0&g0-row=0&g0-0-field=title&g0-0-op={}&g0-0-a={}&_filter=apply",
        "/lookup/records/matter?q={}", "/lookup/people?q={}", "/o/matter/new?pipeline={}&field=client&from={}",
        "/r/{}", "/r/{}/edit",
    ],
)  # fmt: skip
def test_every_string_in_every_parameter_of_a_page(sqlite_town: Town, strings: list[str], where: str) -> None:
    matter(sqlite_town)
    rita = sqlite_town.as_("Rita")
    for number, text in enumerate(strings[len(where) % SHARE :: SHARE]):
        answer = rita.get("/w/acme" + where.replace("{}", quote(text, safe="")), htmx=number % 2 == 0)
        assert answer.status_code < 500, (where, text)


@pytest.mark.parametrize("part", ["/edit", "/delete", "/tasks", "/marker", "/feedback", "/start", "/form"])
def test_every_string_in_every_parameter_of_a_write(sqlite_town: Town, strings: list[str], part: str) -> None:
    record, ada = matter(sqlite_town), sqlite_town.as_("Ada")
    names = (
        "revision",
        "stay",
        "seen",
        "shown",
        "done",
        "met",
        "pipeline",
        "_action",
        "_has",
        "f-title",
        "a-address",
    )
    for text in strings[len(part) % SHARE :: SHARE]:
        answer = ada.post(page_of(record, part), {**dict.fromkeys(names, text)})
        assert answer.status_code < 500, (part, text)
