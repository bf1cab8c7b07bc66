"""The trial of drafts over HTTP (B8); its counts: tests/builder/services/test_simulation.py."""

from __future__ import annotations

from builder.services import drafts
from tests.factories import FREE
from tests.fixtures.boards import ANSWERS, Boards

TRIAL = "/w/acme/studio/processes/{}/trial"


def test_an_admin_sees_what_the_drafts_would_have_meant(sqlite_boards: Boards) -> None:
    town = sqlite_boards.town
    ada = town.as_("Ada")
    answer = ada.post(sqlite_boards.address("b"), {**ANSWERS, "revision": "1"})
    assert answer.status_code == 303, answer.text
    page = ada.get(TRIAL.format("gated")).text
    assert "Nothing is drafted" in page
    assert "1 move" in page
    part = ada.get(TRIAL.format("gated") + "?last=2000", htmx=True)
    assert part.status_code == 200
    assert "<html" not in part.text


def test_who_may_not_what_is_not_there_and_what_is_not_sound(sqlite_boards: Boards) -> None:
    town = sqlite_boards.town
    assert town.as_("Rita").get(TRIAL.format("flow")).status_code == 403
    ada = town.as_("Ada")
    assert ada.get(TRIAL.format("nothing")).status_code == 404
    assert ada.get(TRIAL.format("flow") + "?last=9").status_code == 400
    assert ada.post(TRIAL.format("flow"), {}).status_code == 405
    uow = town.work()
    drafts.save_draft(uow, {**FREE, "stages": [{"key": "a"}]})
    uow.commit()
    uow.session.close()
    answer = ada.get(TRIAL.format("free"))
    assert answer.status_code == 422
    assert "not sound yet" in answer.text
