"""The table of field rights over HTTP: what is chosen there counts with the next request."""

from __future__ import annotations

from html import unescape

import pytest

from tests.blueprints.workspace.desk import matter, page_of
from tests.fixtures.town import Town, Visitor

PAGE = "/w/acme/admin/field-rights/matter"
ROLES = ("admin", "manager", "rep")


def form(numbers: int = 1, **rights: str) -> dict[str, str]:
    """The sent table: ``rep_worth="hidden"`` is the right of reps for the worth."""
    sent = {f"revision.{role}": str(numbers) for role in ROLES}
    for name, right in rights.items():
        role, _, field = name.partition("_")
        sent[f"right.{role}.{field}"] = right
    return sent


@pytest.mark.parametrize("htmx", [False, True])
def test_a_field_is_hidden_from_a_role_with_the_next_request(town: Town, htmx: bool) -> None:
    ada, rita = town.as_("Ada"), town.as_("Rita")
    record = matter(town, "Bridge", worth="4711.00", note="quiet words")
    assert "4,711.00" in rita.get(page_of(record)).text

    answer = ada.post(PAGE, form(rep_worth="hidden", rep_note="read_only"), htmx=htmx)

    assert answer.status_code == (204 if htmx else 303)
    assert (answer.headers.get("HX-Redirect") or answer.location) == PAGE
    page = rita.get(page_of(record)).text
    assert "4,711.00" not in page
    assert "quiet words" in page
    assert 'name="f-note"' not in rita.get(page_of(record, "/edit")).text
    assert "4,711.00" in ada.get(page_of(record)).text
    assert _chosen(ada, "right.rep.worth") == "hidden"
    assert ada.post(PAGE, form(1) | {"revision.rep": "2"}).status_code == 303
    assert "4,711.00" in rita.get(page_of(record)).text


def test_a_field_that_is_only_shown_is_not_changed_by_hand(sqlite_town: Town) -> None:
    ada, rita = sqlite_town.as_("Ada"), sqlite_town.as_("Rita")
    record = matter(sqlite_town, "Bridge", note="quiet words")
    ada.post(PAGE, form(rep_note="read_only"))
    sent = {"f-title": "Bridge 2", "f-note": "loud", "revision": "1"}
    assert rita.post(page_of(record, "/edit"), sent).status_code == 303
    page = rita.get(page_of(record)).text
    assert "Bridge 2" in page
    assert "quiet words" in page


def test_what_everything_needs_cannot_be_hidden_and_the_choice_stays_typed(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    answer = ada.post(PAGE, form(rep_title="hidden", rep_worth="hidden"))
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "“title” cannot be hidden" in page
    assert 'href="#right.rep.title"' in page
    assert '<option value="hidden" selected>' in page
    assert _chosen(ada, "right.rep.worth") == ""


def test_what_somebody_else_saved_meanwhile_is_told_and_kept(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    ada.post(PAGE, form(rep_worth="hidden"))
    answer = ada.post(PAGE, form(rep_note="hidden"))
    assert answer.status_code == 409
    assert "Now stored: Hidden" in answer.text
    assert _chosen(ada, "right.rep.worth") == "hidden"
    assert _chosen(ada, "right.rep.note") == ""
    assert ada.post(PAGE, {"right.rep.note": "hidden"}).status_code == 400


def test_what_is_computed_from_a_hidden_field_is_marked(sqlite_town: Town) -> None:
    page = sqlite_town.as_("Ada").get(PAGE).text
    assert "Hidden with what it is computed from" not in page
    assert (
        sqlite_town.as_("Ada").get("/w/acme/admin/field-rights").location
        == "/w/acme/admin/field-rights/client"
    )


def test_only_for_those_who_shape_the_workspace(sqlite_town: Town) -> None:
    for name, status in (("Rita", 403), ("Mia", 403), ("Otto", 404)):
        assert sqlite_town.as_(name).get(PAGE).status_code == status
        assert sqlite_town.as_(name).post(PAGE, form()).status_code == status
    ada = sqlite_town.as_("Ada")
    missing = PAGE.replace("matter", "nothing")
    assert ada.get(missing).status_code == 404
    assert ada.post(missing, form()).status_code == 404
    assert ada.client.put(PAGE).status_code == 405
    assert ada.post("/w/acme/admin/field-rights").status_code == 405


def _chosen(visitor: Visitor, name: str) -> str:
    page = visitor.get(PAGE).text
    select = page[page.index(f'name="{name}"') :]
    select = select[: select.index("</select>")]
    head, _, _ = select.partition(" selected")
    return head.rpartition('value="')[2].partition('"')[0]
