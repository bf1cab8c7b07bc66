"""Erasing over HTTP: told before, the name typed, gone from search, timeline, lists and exports, a receipt left."""

from __future__ import annotations

import pytest

from builder.db.ids import to_public
from builder.domain.permissions import RIGHTS, Actor
from builder.services.records import NewRecord, SaveRecord, create, save
from tests.fixtures.town import Town

NAME = "Jane Roe"


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    uow.actor = Actor(sqlite_town.ids["Ada"], "Ada", "admin", frozenset(RIGHTS), "all")
    sqlite_town.ids[NAME] = create(uow, "client", NewRecord({"title": NAME})).record_id
    link = {"title": "Tea", "client": str(sqlite_town.ids[NAME]), "note": f"for {NAME}"}
    sqlite_town.ids["Tea"] = create(uow, "matter", NewRecord(link)).record_id
    uow.commit()
    uow.session.close()
    return sqlite_town


def address(town: Town) -> str:
    return f"/w/acme/r/{to_public(town.ids[NAME])}/erase"


def test_the_page_says_what_goes_and_what_stays(town: Town) -> None:
    ada = town.as_("Ada")
    page = ada.get(address(town)).text

    assert "cannot be undone" in page
    assert "1 value of the record" in page
    assert "1 record that refers to it" in page
    assert address(town) in ada.get(address(town).replace("/erase", "/delete")).text


def test_it_is_gone_from_search_timeline_lists_and_exports(town: Town) -> None:
    ada = town.as_("Ada")
    answer = ada.post(address(town), {"name": NAME, "revision": 1})

    assert answer.status_code == 303
    assert ada.get(address(town).removesuffix("/erase")).status_code == 404
    tea = f"/w/acme/r/{to_public(town.ids['Tea'])}"
    for path in ("/w/acme/search?q=Jane", "/w/acme/o/client", tea, "/w/acme/recycle-bin", f"{tea}/timeline"):
        page = ada.get(path)
        assert page.status_code == 200, path
        assert NAME not in page.text, path
    for key in ("client", "matter"):
        exported = ada.post(f"/w/acme/o/{key}/export", {"columns": "all", "format": "csv"})
        assert exported.status_code == 200
        assert NAME not in exported.text
    log = ada.get("/w/acme/admin/audit").text
    assert "Jane" not in log
    assert "Erased: values" in log


def test_htmx_is_led_to_the_list(town: Town) -> None:
    answer = town.as_("Ada").post(address(town), {"name": NAME, "revision": 1}, htmx=True)

    assert answer.headers["HX-Redirect"].endswith("/o/client")


def test_another_name_erases_nothing_and_stays_typed(town: Town) -> None:
    ada = town.as_("Ada")
    answer = ada.post(address(town), {"name": "Jane", "revision": 1})

    assert answer.status_code == 422
    assert 'value="Jane"' in answer.text
    assert NAME in ada.get("/w/acme/o/client").text


def test_one_that_changed_meanwhile_is_shown_anew(town: Town) -> None:
    uow = town.work()
    uow.actor = Actor(town.ids["Ada"], "Ada", "admin", frozenset(RIGHTS), "all")
    save(uow, SaveRecord(town.ids[NAME], {"sector": "steel"}))
    uow.commit()
    uow.session.close()
    ada = town.as_("Ada")

    assert ada.post(address(town), {"name": NAME, "revision": 1}).status_code == 409
    assert ada.post(address(town), {"name": NAME}).status_code == 400
    assert ada.post(address(town), {"name": NAME, "revision": 2}).status_code == 303


def test_only_whoever_has_the_right_and_where_it_is(town: Town) -> None:
    data = {"name": NAME, "revision": 1}
    assert town.as_("Otto").post(address(town), data).status_code == 404
    assert town.as_("Rita").post(address(town), data).status_code == 403
    assert town.as_("Rita").get(address(town)).status_code == 403
    ada = town.as_("Ada")
    assert ada.post("/w/acme/r/AAAAAAAAAAA/erase", data).status_code == 404
    assert ada.client.delete(address(town)).status_code == 405
    assert NAME in ada.get("/w/acme/o/client").text
