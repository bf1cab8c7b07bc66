"""Duplicates over HTTP: told while typing, asked once, merged side by side, taken back."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from builder.db.batches import Batch
from builder.db.duplicates import DuplicatePair
from builder.db.ids import to_public
from builder.db.records import Record
from builder.domain.permissions import RIGHTS, Actor
from builder.services import duplicate_search
from builder.services.records import NewRecord, SaveRecord, create, save
from tests import factories
from tests.fixtures.town import Town, Visitor

NEW, MERGE = "/w/acme/o/client/new", "/w/acme/o/client/merge"


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    factories.publish(uow, [{**factories.ACCOUNT, "duplicate_keys": ["title"]}])
    uow.commit()
    uow.session.close()
    for values in ({"title": "Acme Ltd"}, {"title": "ACME", "sector": "steel"}):
        sqlite_town.ids[values["title"]] = made(sqlite_town, values)
    return sqlite_town


def work(town: Town) -> object:
    uow = town.work()
    uow.actor = Actor(town.ids["Ada"], "Ada", "admin", frozenset(RIGHTS), "all")
    return uow


def made(town: Town, values: dict[str, str]) -> int:
    uow = work(town)
    record_id = create(uow, "client", NewRecord(values)).record_id
    uow.commit()
    uow.session.close()
    return record_id


def names(town: Town) -> list[str]:
    uow = town.work()
    try:
        live = select(Record.name).where(Record.object_key == "client", Record.deleted_at.is_(None))
        return sorted(uow.session.scalars(live))
    finally:
        uow.session.close()


def rows(town: Town, *revisions: int) -> list[str]:
    ids = (town.ids["Acme Ltd"], town.ids["ACME"])
    return [f"{to_public(one)}:{revision}" for one, revision in zip(ids, revisions or (1, 1), strict=True)]


def sent(town: Town, stays: str = "Acme Ltd", **more: object) -> dict[str, object]:
    return {
        "row": rows(town),
        "keep": to_public(town.ids[stays]),
        "pick-title": to_public(town.ids["Acme Ltd"]),
        "pick-sector": to_public(town.ids["ACME"]),
        **more,
    }


def test_who_types_hears_what_looks_alike_and_why(town: Town) -> None:
    rita = town.as_("Rita")
    panel = rita.post("/w/acme/o/client/alike", {"f-title": "acme gmbh"}, htmx=True)

    assert panel.status_code == 200
    assert panel.text.count("same Title") == 2
    assert "alike-list" not in rita.post("/w/acme/o/client/alike", {"f-title": "Bolt"}).text
    own = f"/w/acme/r/{to_public(town.ids['ACME'])}/alike"
    assert "Acme Ltd" in rita.post(own, {"f-title": "ACME"}).text
    assert ">ACME<" not in rita.post(own, {"f-title": "ACME"}).text
    assert MERGE in rita.get(own).text


def test_making_another_one_is_asked_once_and_not_again(town: Town) -> None:
    rita = town.as_("Rita")
    asked = rita.post(NEW, {"f-title": "Acme", "pipeline": "-"})

    assert asked.status_code == 422
    assert 'value="Acme"' in asked.text
    seen = re.findall(r'name="alike_seen" value="([^"]+)"', asked.text)
    assert len(seen) == 2
    assert names(town) == ["ACME", "Acme Ltd"]
    assert rita.post(NEW, {"f-title": "Acme", "alike_seen": seen}).status_code == 303
    assert names(town) == ["ACME", "Acme", "Acme Ltd"]


def test_merged_side_by_side_and_taken_back(town: Town) -> None:
    ada = town.as_("Ada")
    ids = [to_public(town.ids[name]) for name in ("Acme Ltd", "ACME")]
    listed = ada.get("/w/acme/o/client").text
    assert f'formaction="{MERGE}"' in listed
    page = ada.get(f"{MERGE}?row={ids[0]}:1&row={ids[1]}:1")
    assert page.status_code == 200
    assert "Steel" in page.text
    assert ada.get(f"{MERGE}?row={ids[0]}").status_code == 303
    assert ada.get(MERGE + "?row=x&row=y").status_code == 400

    answer = ada.post(MERGE, sent(town))
    assert answer.status_code == 303
    assert names(town) == ["Acme Ltd"]
    assert ada.get(f"/w/acme/r/{ids[1]}").headers["Location"].endswith(ids[0])
    survivor = ada.get(f"/w/acme/r/{ids[0]}").text
    assert "Steel" in survivor
    assert "ACME" in survivor
    assert "ACME" not in ada.get("/w/acme/recycle-bin").text

    uow = town.work()
    batch = uow.session.scalars(select(Batch)).one()
    uow.session.close()
    stayed = f'<a href="/w/acme/r/{ids[0]}">Acme Ltd</a>'
    assert stayed in ada.get(f"/w/acme/batches/{to_public(batch.id)}").text
    assert ada.post(f"/w/acme/batches/{to_public(batch.id)}/undo").status_code == 303
    assert stayed not in ada.get(f"/w/acme/batches/{to_public(batch.id)}").text
    assert names(town) == ["ACME", "Acme Ltd"]
    assert ada.get(f"/w/acme/r/{ids[1]}").status_code == 200


def test_htmx_is_led_to_the_batch(town: Town) -> None:
    answer = town.as_("Ada").post(MERGE, sent(town), htmx=True)

    assert answer.status_code == 204
    assert "/batches/" in answer.headers["HX-Redirect"]


def test_values_that_do_not_fit_are_named_and_the_choice_stays(town: Town) -> None:
    uow = work(town)
    required = {**factories.ACCOUNT["fields"], "required": ["title", "sector"]}
    factories.publish(uow, [{**factories.ACCOUNT, "duplicate_keys": ["title"], "fields": required}])
    uow.commit()
    uow.session.close()
    picks = {"pick-sector": to_public(town.ids["Acme Ltd"])}
    answer = town.as_("Ada").post(MERGE, sent(town, stays="ACME", **picks))

    assert answer.status_code == 422
    assert "Sector" in answer.text
    assert re.search(rf'id="pick-sector-{picks["pick-sector"]}"[^>]*checked', answer.text)
    assert names(town) == ["ACME", "Acme Ltd"]


def test_one_that_changed_meanwhile_is_shown_anew(town: Town) -> None:
    uow = work(town)
    save(uow, SaveRecord(town.ids["ACME"], {"sector": "retail"}))
    uow.commit()
    uow.session.close()
    ada = town.as_("Ada")
    answer = ada.post(MERGE, sent(town))

    assert answer.status_code == 409
    assert "Retail" in answer.text
    assert ada.post(MERGE, sent(town, row=rows(town, 1, 2))).status_code == 303


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"row": ["x:1", "y:1"]}, 400),
        ({"keep": "x"}, 422),
        ({"row": [], "keep": "x"}, 422),
        ({"row": ["AAAAAAAAAAA:1"]}, 404),
    ],
)
def test_what_names_no_records_merges_none(town: Town, data: dict[str, object], status: int) -> None:
    assert town.as_("Ada").post(MERGE, sent(town, **data)).status_code == status
    assert names(town) == ["ACME", "Acme Ltd"]


def test_not_yours_is_not_there_and_the_right_is_needed(town: Town) -> None:
    visitor: Visitor = town.as_("Otto")
    assert visitor.post(MERGE, sent(town)).status_code == 404
    assert visitor.post("/w/other/o/client/merge", sent(town)).status_code == 404
    town.take_right("rep", "record.edit")
    assert town.as_("Rita").post(MERGE, sent(town)).status_code == 403
    assert town.as_("Ada").post("/w/acme/o/nothing/merge", sent(town)).status_code == 404
    assert town.as_("Ada").client.put(MERGE).status_code == 405
    assert names(town) == ["ACME", "Acme Ltd"]


WORKLIST = "/w/acme/o/client/duplicates"


def searched(town: Town) -> int:
    """The pair that a search finds, as the background does it."""
    uow = work(town)
    duplicate_search.run(uow, duplicate_search.ask(uow, "client"))
    pair = uow.session.scalars(select(DuplicatePair.id)).one()
    uow.session.close()
    return pair


def test_the_worklist_shows_pairs_with_reasons_and_what_can_be_done(town: Town) -> None:
    ada = town.as_("Ada")
    assert ada.get("/w/acme/duplicates").status_code == 200
    assert "Compare all records" in ada.get(WORKLIST).text
    address = f"/w/acme/duplicates/{to_public(searched(town))}"
    page = ada.get(WORKLIST).text
    assert all(text in page for text in ("Acme Ltd", "ACME", "100 %", "Not the same", MERGE))

    assert ada.post(address, {"state": "distinct"}).status_code == 303
    assert "Acme Ltd" not in ada.get(WORKLIST).text
    assert "Acme Ltd" in ada.get(f"{WORKLIST}?state=distinct", htmx=True).text
    assert ada.post(address, {"state": "open"}, htmx=True).headers["HX-Redirect"].endswith("state=open")
    assert "Acme Ltd" in ada.get(WORKLIST).text


class Waiting:
    """A queue whose worker has not come yet."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def enqueue_duplicates(self, _session: object, _workspace_key: str, search_id: int) -> None:
        self.asked.append(search_id)

    def committed(self) -> None:
        pass


def test_the_search_is_handed_to_the_background_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Waiting()
    monkeypatch.setitem(town.app.extensions, "funnelwright.queue", queue)
    ada = town.as_("Ada")
    assert ada.post(WORKLIST).status_code == 303
    assert 'role="progressbar"' in ada.get(WORKLIST).text
    assert ada.post(WORKLIST).status_code == 409
    assert ada.post("/w/acme/o/matter/duplicates").status_code == 422
    assert len(queue.asked) == 1


def test_a_pair_is_decided_by_whoever_may_change_both(town: Town) -> None:
    address = f"/w/acme/duplicates/{to_public(searched(town))}"
    ada = town.as_("Ada")
    assert ada.post(address, {"state": "gone"}).status_code == 400
    assert ada.post("/w/acme/duplicates/AAAAAAAAAAA", {"state": "later"}).status_code == 404
    assert ada.client.put(address).status_code == 405
    assert town.as_("Otto").post(address, {"state": "later"}).status_code == 404
    town.take_right("rep", "record.edit")
    rita = town.as_("Rita")
    assert rita.post(address, {"state": "later"}).status_code == 403
    assert rita.get(WORKLIST).status_code == 403
    assert rita.post(WORKLIST).status_code == 403
