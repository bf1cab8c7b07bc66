"""Changing a cell of a list in place, over HTTP: the field's own control, the whole record's rules."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from tests.blueprints.workspace.desk import MATTERS, NOBODY, make, matter, page_of, stored
from tests.factories import CASE, publish
from tests.fixtures.town import Town

RULES = [
    {"effect": "read_only", "fields": ["heat"], "when": {"field": "note", "op": "eq", "value": "locked"}},
    {"effect": "require", "fields": ["note"], "when": {"field": "heat", "op": "eq", "value": "hot"}},
]


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    publish(uow, [{**CASE, "fields": {**CASE["fields"], "x-rules": RULES}}])
    uow.commit()
    uow.session.close()
    return sqlite_town


def cell(record_id: int, key: str) -> str:
    return page_of(record_id, f"/cell/{key}")


def sent(value: str, key: str = "worth", revision: int = 1, **more: str) -> dict[str, str]:
    return {"revision": str(revision), f"f-{key}": value, **more}


def test_the_cell_becomes_the_fields_control_and_the_row_comes_back(town: Town) -> None:
    fence = matter(town, "Fence", worth="1500.00")
    ada = town.as_("Ada")
    page = ada.get(f"{MATTERS}?cols=title,worth").text
    assert re.search(r'data-label="Worth" data-field="worth"', page)
    assert f'href="{page_of(fence)}/edit"' in page
    text = quote("cols=title,worth,heat")
    control = ada.get(f"{cell(fence, 'worth')}?list={text}&ticks=1", htmx=True).text
    assert control.lstrip().startswith("<form")
    assert 'name="f-worth"' in control
    assert 'name="f-title"' not in control
    sends = sent("9.50", list="cols=title,worth,heat", ticks="1")
    answer = ada.post(cell(fence, "worth"), sends, htmx=True)
    assert answer.status_code == 200
    assert answer.headers["HX-Retarget"] == f"#row-{page_of(fence)[-11:]}"
    assert answer.text.lstrip().startswith(f'<tr id="row-{page_of(fence)[-11:]}"')
    assert f'value="{page_of(fence)[-11:]}:2"' in answer.text
    assert re.findall(r'data-label="(\w+)"', answer.text) == ["Title", "Worth", "Heat"]
    assert "9.50" in answer.text
    assert stored(town, fence).data["worth"] == "9.50"


def test_without_htmx_it_is_a_page_that_leads_back_to_the_list(town: Town) -> None:
    fence = matter(town, "Fence")
    ada = town.as_("Ada")
    assert "<html" in ada.get(cell(fence, "worth")).text
    answer = ada.post(cell(fence, "worth"), sent("2", list="q=Fence&cols=title%2Cworth"))
    assert (answer.status_code, answer.location) == (303, f"{MATTERS}?cols=title%2Cworth&q=Fence")
    wrong = ada.post(cell(fence, "worth"), sent("lots", revision=2))
    assert wrong.status_code == 422
    assert "<html" in wrong.text


def test_what_is_wrong_stands_at_the_cell_with_what_was_typed(town: Town) -> None:
    fence = matter(town, "Fence", worth="1.00")
    ada = town.as_("Ada")
    answer = ada.post(cell(fence, "worth"), sent("lots"), htmx=True)
    assert answer.status_code == 422
    assert "“lots” is not a number." in unescape(answer.text)
    assert 'value="lots"' in answer.text
    empty = ada.post(cell(fence, "title"), sent("", "title"), htmx=True)
    assert empty.status_code == 422
    assert stored(town, fence).data["worth"] == "1.00"


def test_the_rules_of_the_whole_record_hold(town: Town) -> None:
    locked, plain = matter(town, "Locked", note="locked"), matter(town, "Plain")
    ada = town.as_("Ada")
    for answer in (
        ada.get(cell(locked, "heat"), htmx=True),
        ada.post(cell(locked, "heat"), sent("cold", "heat"), htmx=True),
    ):
        assert answer.status_code == 422
        assert "In this record the field is read-only." in answer.text
    elsewhere = ada.post(cell(plain, "heat"), sent("hot", "heat"), htmx=True)
    assert elsewhere.status_code == 422
    assert "Note" in elsewhere.text
    assert "Open the whole form" in elsewhere.text
    assert "heat" not in stored(town, plain).data


def test_somebody_was_first_and_what_is_stored_is_told(town: Town) -> None:
    fence = matter(town, "Fence", worth="1.00")
    ada = town.as_("Ada")
    ada.post(cell(fence, "worth"), sent("5.00"), htmx=True)
    stale = ada.post(cell(fence, "worth"), sent("9.00"), htmx=True)
    assert stale.status_code == 409
    assert "Now stored:" in stale.text
    assert "5.00" in stale.text
    assert 'value="9.00"' in stale.text
    assert 'name="revision" value="2"' in stale.text
    assert ada.post(cell(fence, "worth"), sent("9.00", revision=2), htmx=True).status_code == 200
    assert stored(town, fence).data["worth"] == "9.00"


def test_not_yours_not_allowed_missing_or_nonsense(town: Town) -> None:
    fence, mine = matter(town, "Fence", owner="Ada"), matter(town, "Mine", owner="Rita")
    ada, rita, otto = town.as_("Ada"), town.as_("Rita"), town.as_("Otto")
    for visitor, place in ((rita, fence), (otto, mine)):
        assert visitor.get(cell(place, "worth")).status_code == 404
        assert visitor.post(cell(place, "worth"), sent("1")).status_code == 404
    assert rita.get(cell(mine, "holder")).status_code == 404, "her role gives nothing away"
    town.take_right("rep", "record.edit")
    assert rita.post(cell(mine, "worth"), sent("1")).status_code == 403
    assert "data-field" not in rita.get(MATTERS).text
    for key in ("none", "x" * 300, "%00", "number"):
        assert ada.get(cell(fence, key)).status_code == 404
    assert ada.get(f"/w/acme/r/{NOBODY}/cell/worth").status_code == 404
    assert ada.post(cell(fence, "worth"), {"f-worth": "1"}).status_code == 400
    assert ada.client.put(cell(fence, "worth"), headers={"X-CSRFToken": ada.token}).status_code == 405
    for text in ("view=AAAAAAAAAAA", "f=%7B&cols=%00,,x", "%ff" * 900, "sort=" + "x" * 9000):
        answer = ada.post(cell(mine, "worth"), sent("1", revision=1, list=text), htmx=True)
        assert answer.status_code in (200, 409), text


def test_a_row_of_another_object_has_its_own_columns(town: Town) -> None:
    client = make(town, "client", {"title": "Acme"})
    answer = town.as_("Ada").post(
        cell(client, "sector"), sent("steel", "sector", list="cols=sector"), htmx=True
    )
    assert answer.status_code == 200
    assert "Steel" in answer.text
