"""The table of field rights over HTTP: what is chosen there counts with the next request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import pytest
from sqlalchemy import select

from builder.db.ledger import StayRow
from builder.domain.permissions import Actor
from builder.errors import Invalid
from builder.queries.imports import starter
from builder.services.stage_work import WorkOnStage, work
from builder.services.transitions import Applied, MoveRecord, move
from builder.services.unit_of_work import UnitOfWork
from tests.blueprints.workspace.desk import make, matter, page_of
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


FEEDBACK = "/w/acme/admin/field-rights/feedback.talk"


def test_answers_of_feedback_are_hidden_or_only_shown_wherever_they_stand(sqlite_town: Town) -> None:
    ada, rita = sqlite_town.as_("Ada"), sqlite_town.as_("Rita")
    record = make(sqlite_town, "matter", {"title": "Bridge"}, "flow", owner="Rita")
    with at_work(sqlite_town) as uow:
        work(uow, WorkOnStage(record, answers={"address": "Market 1", "mood": "ZEBRA"}))
        uow.commit()
    assert "ZEBRA" in rita.get(page_of(record)).text
    assert ada.post(FEEDBACK, form(rep_mood="hidden", rep_address="read_only")).status_code == 303

    places = [page_of(record), page_of(record, "/timeline"), page_of(record, "/move/b")]
    pages = [rita.get(place).text for place in places]
    assert "This page" not in pages[2]
    assert "Market 1" in pages[0]
    assert not [place for place, page in zip(places, pages, strict=True) if "ZEBRA" in page or "Mood" in page]
    assert 'name="a-address"' not in pages[0]
    assert "ZEBRA" in ada.get(page_of(record)).text

    with at_work(sqlite_town) as uow:
        uow.actor = reader(uow, sqlite_town.ids["Rita"])
        for answers in ({"mood": "calm"}, {"address": "Elsewhere"}, {"mood": None}):
            with pytest.raises(Invalid):
                work(uow, WorkOnStage(record, answers=answers))
            with pytest.raises(Invalid):
                move(uow, MoveRecord(record, "b", answers=answers))
        work(uow, WorkOnStage(record, answers={"address": "Market 1"}))
        uow.rollback()
    sent = {"a-address": "Elsewhere", "a-mood": "calm", "seen": seen_of(pages[0])}
    rita.post(page_of(record, "/feedback"), sent)
    with at_work(sqlite_town) as uow:
        kept = uow.session.scalar(select(StayRow.answers).where(StayRow.record_id == record))
        assert kept == {"address": "Market 1", "mood": "ZEBRA"}
        # The gate judges the whole answers: what is hidden is there.
        done = {"done_tasks": frozenset({"call"})}
        uow.actor = reader(uow, sqlite_town.ids["Rita"])
        assert isinstance(move(uow, MoveRecord(record, "b", **done)), Applied)
        uow.commit()
    later = rita.get(page_of(record)).text + rita.get(page_of(record, "/timeline")).text
    assert "ZEBRA" not in later
    assert "Mood" not in later
    audit = sqlite_town.as_("Ada").get("/w/acme/admin/field-rights/feedback.nothing")
    assert audit.status_code == 404


def test_a_hidden_answer_that_is_missing_is_told_without_its_name(sqlite_town: Town) -> None:
    ada, rita = sqlite_town.as_("Ada"), sqlite_town.as_("Rita")
    record = make(sqlite_town, "matter", {"title": "Bridge"}, "flow", owner="Rita")
    ada.post(FEEDBACK, form(rep_address="hidden"))
    page = rita.get(page_of(record, "/move/b")).text
    assert "Address" not in page
    assert "Something is missing that your role does not see." in unescape(page)


@contextmanager
def at_work(town: Town) -> Iterator[UnitOfWork]:
    uow = town.work()
    try:
        yield uow
    finally:
        uow.session.close()


def seen_of(page: str) -> str:
    found = re.search(r'name="seen"\s+value="([^"]*)"', page)
    return found.group(1) if found else ""


def reader(uow: UnitOfWork, member_id: int) -> Actor:
    return starter(uow.session, uow.workspace, uow.catalog, member_id, uow.clock.now())
