"""Many records of a list at once, over HTTP and without JavaScript: asked, done, told, taken back."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select

from builder.db.records import Record
from builder.domain.permissions import RIGHTS, Actor
from builder.services.entries import Entry
from builder.services.records import NewRecord, SaveRecord, create, save
from tests.fixtures.town import Town, Visitor

EDIT, DELETE = "/w/acme/o/matter/bulk/edit", "/w/acme/o/matter/bulk/delete"


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    ada = sqlite_town.ids["Ada"]
    uow.actor = Actor(ada, "Ada", "admin", frozenset(RIGHTS), "all")
    for number in range(3):
        create(uow, "matter", NewRecord({"title": f"Bulk {number}", "worth": "1.00"}, Entry("free")))
    uow.commit()
    uow.session.close()
    return sqlite_town


def ticks(visitor: Visitor) -> list[str]:
    """The marks of the rows of the list, by name."""
    page = visitor.get("/w/acme/o/matter?q=Bulk").text
    found = re.findall(r'name="row"\s+value="([^"]+)"\s+form="bulk"\s+aria-label="(Bulk \d)"', page)
    return [mark for mark, _ in sorted(found, key=lambda pair: pair[1])]


def worths(town: Town) -> dict[str, str]:
    uow = town.work()
    try:
        rows = uow.session.execute(
            select(Record.name, Record.data).where(Record.name.like("Bulk %"), Record.deleted_at.is_(None))
        )
        return {name: data.get("worth", "") for name, data in rows}
    finally:
        uow.session.close()


def touch(town: Town, name: str) -> None:
    uow = town.work()
    uow.actor = Actor(town.ids["Ada"], "Ada", "admin", frozenset(RIGHTS), "all")
    record_id = uow.session.scalars(select(Record.id).where(Record.name == name)).one()
    save(uow, SaveRecord(record_id, {"worth": "5.00"}))
    uow.commit()
    uow.session.close()


def test_ticked_rows_get_a_value_and_lose_it_again(town: Town) -> None:
    ada = town.as_("Ada")
    rows = ticks(ada)
    assert len(rows) == 3
    asked = ada.get(f"{EDIT}?" + "&".join(f"row={row}" for row in rows)).text
    assert "Change 3 records" in asked
    assert "Bulk 0" in asked
    assert '<option value="worth"' in asked
    refreshed = ada.post(EDIT, {"row": rows, "field": "worth", "_action": "refresh"})
    assert refreshed.status_code == 200
    assert 'name="f-worth"' in refreshed.text
    assert set(worths(town).values()) == {"1.00"}

    answer = ada.post(EDIT, {"row": rows, "field": "worth", "f-worth": "9.50"})
    assert answer.status_code == 303
    assert worths(town) == {"Bulk 0": "9.50", "Bulk 1": "9.50", "Bulk 2": "9.50"}
    page = ada.get(answer.location).text
    assert f'action="{answer.location}/undo"' in page
    undone = ada.post(f"{answer.location}/undo")
    assert (undone.status_code, undone.location) == (303, answer.location)
    assert set(worths(town).values()) == {"1.00"}
    assert f'action="{answer.location}/undo"' not in ada.get(answer.location).text
    assert ada.post(f"{answer.location}/undo").status_code == 409


def test_ticked_rows_go_and_come_back(town: Town) -> None:
    ada = town.as_("Ada")
    rows = ticks(ada)[:2]
    assert "Put 2 records into the recycle bin?" in ada.get(f"{DELETE}?row={rows[0]}&row={rows[1]}").text
    answer = ada.post(DELETE, {"row": rows})
    assert answer.status_code == 303
    assert list(worths(town)) == ["Bulk 2"]
    ada.post(f"{answer.location}/undo")
    assert len(worths(town)) == 3


def test_a_stale_row_is_left_out_and_told_or_all_stays(town: Town) -> None:
    ada = town.as_("Ada")
    rows = ticks(ada)
    touch(town, "Bulk 1")
    sent = {"row": rows, "field": "worth", "f-worth": "9.50"}
    refused = ada.post(EDIT, {**sent, "all": "1"})
    assert refused.status_code == 422
    assert "Nothing was changed, because of these" in refused.text
    assert 'value="9.50"' in refused.text
    assert worths(town) == {"Bulk 0": "1.00", "Bulk 1": "5.00", "Bulk 2": "1.00"}
    answer = ada.post(EDIT, sent)
    assert worths(town) == {"Bulk 0": "9.50", "Bulk 1": "5.00", "Bulk 2": "9.50"}
    assert "Somebody else changed this meanwhile." in ada.get(answer.location).text


def test_a_value_that_is_none_is_told_at_its_field(town: Town) -> None:
    ada = town.as_("Ada")
    answer = ada.post(EDIT, {"row": ticks(ada), "field": "worth", "f-worth": "lots"})
    assert answer.status_code == 422
    assert "“lots” is not a number." in unescape(answer.text)
    assert 'value="lots"' in answer.text
    assert set(worths(town).values()) == {"1.00"}


def test_with_htmx_the_form_answers_alone_and_leads_on(town: Town) -> None:
    ada = town.as_("Ada")
    rows = ticks(ada)
    fragment = ada.post(EDIT, {"row": rows, "field": "worth", "_action": "refresh"}, htmx=True)
    assert fragment.text.lstrip().startswith("<form")
    answer = ada.post(EDIT, {"row": rows, "field": "worth", "f-worth": "2"}, htmx=True)
    assert answer.status_code == 204
    assert "/batches/" in answer.headers["HX-Redirect"]


def test_nothing_ticked_and_nonsense(town: Town) -> None:
    ada = town.as_("Ada")
    assert ada.get(EDIT).status_code == 303
    assert ada.get(DELETE).status_code == 303
    assert ada.post(EDIT, {"field": "worth", "f-worth": "1"}).status_code == 422
    assert ada.post(DELETE, {}).status_code == 422
    assert ada.post(EDIT, {"row": ticks(ada), "field": "none"}).status_code == 422
    for bad in ("x", "x:1", "AAAAAAAAAAA:", ":" * 500):
        assert ada.post(DELETE, {"row": [bad]}).status_code == 400


def test_whoever_may_not_and_whatever_is_not_there(town: Town) -> None:
    ada, rita, otto = town.as_("Ada"), town.as_("Rita"), town.as_("Otto")
    rows = ticks(ada)
    assert rita.post(DELETE, {"row": rows}).status_code == 403
    assert rita.get(f"{DELETE}?row={rows[0]}").status_code == 403
    assert "bulk/delete" not in rita.get("/w/acme/o/matter").text
    hidden = rita.post(EDIT, {"row": rows, "field": "worth", "f-worth": "9.50"})
    assert hidden.status_code == 422, "all are refused: she does not see them"
    assert "Bulk 0" not in hidden.text
    assert set(worths(town).values()) == {"1.00"}
    answer = ada.post(EDIT, {"row": rows, "field": "worth", "f-worth": "9.50"})
    for person in (rita, otto):
        assert person.get(answer.location).status_code == 404
        assert person.post(f"{answer.location}/undo").status_code == 404
    assert otto.post(EDIT, {"row": rows, "field": "worth"}).status_code == 404
    assert ada.post("/w/acme/o/none/bulk/edit", {"row": rows}).status_code == 404
    assert ada.client.put(EDIT, headers={"X-CSRFToken": ada.token}).status_code == 405
    assert ada.client.delete(f"{answer.location}/undo", headers={"X-CSRFToken": ada.token}).status_code == 405
