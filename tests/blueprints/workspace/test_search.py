"""Search, suggestions, lookups of reference fields, Today."""

from __future__ import annotations

import pytest

from tests.blueprints.workspace.desk import make, matter, page_of
from tests.blueprints.workspace.test_lists import titles
from tests.fixtures.town import Town

SEARCH = "/w/acme/search"


def test_search_finds_chinese_by_one_or_two_characters(town: Town) -> None:
    matter(town, "华为 campus")
    matter(town, "Visit of 李明")
    rita = town.as_("Rita")

    assert titles(rita.get(f"{SEARCH}?q=华为").text) == ["华为 campus"]
    assert titles(rita.get(f"{SEARCH}?q=李明").text) == ["Visit of 李明"]
    assert titles(rita.get(f"{SEARCH}?q=明").text) == ["Visit of 李明"]
    assert "Matters" in rita.get(f"{SEARCH}?q=华").text


def test_search_finds_only_what_the_reader_may_see(sqlite_town: Town) -> None:
    matter(sqlite_town, "Fence", owner="Mia")
    make(sqlite_town, "matter", {"title": "Fence far away"}, at="other")

    assert "Nothing found" in sqlite_town.as_("Rita").get(f"{SEARCH}?q=fence").text
    assert titles(sqlite_town.as_("Ada").get(f"{SEARCH}?q=fence").text) == ["Fence"]


def test_suggestions_stand_alone(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    rita = sqlite_town.as_("Rita")

    answer = rita.get(f"{SEARCH}?q=fen", htmx=True)

    assert page_of(record) in answer.text
    assert "<html" not in answer.text
    assert rita.get(f"{SEARCH}?q=", htmx=True).text.strip() == ""
    assert rita.get(SEARCH).status_code == 200


def test_lookups_offer_names_that_the_reader_may_see(sqlite_town: Town) -> None:
    mine, _ = matter(sqlite_town, "Fence"), matter(sqlite_town, "Fence of Mia", owner="Mia")
    rita = sqlite_town.as_("Rita")

    found = rita.get("/w/acme/lookup/records/matter?q=fen").text

    assert f'data-id="{mine}"' in found
    assert "Fence of Mia" not in found
    assert "Mia" in rita.get("/w/acme/lookup/people?q=mi").text
    assert "Otto" not in rita.get("/w/acme/lookup/people?q=").text
    assert rita.get("/w/acme/lookup/records/nothing?q=x").status_code == 404


def test_today_shows_own_open_records_and_what_is_overdue(town: Town) -> None:
    matter(town, "Fence", due="2025-05-01", worth="1500.00")
    matter(town, "Wall", flow="free")
    matter(town, "Roof", owner="Mia")

    page = town.as_("Rita").get("/w/acme/").text

    assert set(titles(page)) == {"Fence", "Wall"}
    assert "You have 2 open records." in page
    assert "should have closed already" in page
    assert "Call" in page  # the next open task
    assert "$1,500.00" in page


def test_today_tells_what_to_do_when_there_is_nothing(sqlite_town: Town) -> None:
    page = sqlite_town.as_("Rita").get("/w/acme/").text

    assert "Nothing is waiting for you" in page
    assert "/o/client/new" in page


def test_the_sidebar_leads_to_every_object(sqlite_town: Town) -> None:
    page = sqlite_town.as_("Rita").get("/w/acme/").text

    for part in ("/w/acme/o/client", "/w/acme/o/matter"):
        assert f'href="{part}"' in page
    assert "/w/acme/recycle-bin" not in page
    assert "/w/acme/recycle-bin" in sqlite_town.as_("Ada").get("/w/acme/").text


@pytest.mark.parametrize("path", ["/w/acme/", SEARCH, "/w/acme/o/matter", "/w/acme/recycle-bin"])
def test_strangers_are_led_to_the_sign_in(sqlite_town: Town, path: str) -> None:
    answer = sqlite_town.visitor().get(path)

    assert answer.status_code == 303
    assert "/sign-in" in answer.headers["Location"]
