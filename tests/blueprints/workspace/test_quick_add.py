"""The plus at the foot of a column: what is asked, created, refused and by whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.records import Record
from builder.services.definitions import publish
from tests.blueprints.workspace.desk import sent_by
from tests.factories import stage
from tests.fixtures.boards import GATED, Boards

ADD = "/w/acme/p/{}/board/{}/new"
FREE_A, FREE_B = ADD.format("free", "a"), ADD.format("free", "b")
GATED_A, GATED_B = ADD.format("gated", "a"), ADD.format("gated", "b")


def records(boards: Boards, pipeline: str = "free") -> list[tuple[str, Any]]:
    uow = boards.town.work()
    try:
        rows = uow.session.execute(
            select(Record.name, Record.stage_key).where(Record.pipeline_key == pipeline).order_by(Record.id)
        )
        return [(row.name, row.stage_key) for row in rows]
    finally:
        uow.session.close()


def test_a_column_offers_it_where_something_may_begin(sqlite_boards: Boards) -> None:
    text = sqlite_boards.town.as_("Ada").get("/w/acme/p/free/board").text

    assert f'href="{FREE_A}?board=free?"' in text
    assert ADD.format("free", "won") not in text
    assert 'aria-label="Add to “A”"' in text


def test_the_form_asks_for_name_amount_and_what_is_required(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")

    page, dialog = ada.get(FREE_A).text, ada.get(FREE_A, htmx=True).text

    assert "<html" in page
    assert "<html" not in dialog
    assert "New: Matter" in dialog
    for text in (page, dialog):
        names = {name for name, _ in sent_by(text, "quick-form") if name.startswith("f-")}
        assert names == {"f-title", "f-worth"}


def test_it_works_with_and_without_scripts(boards: Boards) -> None:
    ada = boards.town.as_("Ada")

    plain = ada.post(FREE_B, {"f-title": "Plain", "f-worth": "12", "board": "free?owner=me"})
    quick = ada.post(FREE_A, {"f-title": "Quick", "board": "free?q=quick"}, htmx=True)

    assert plain.status_code == 303
    assert plain.headers["Location"].endswith("/w/acme/p/free/board?owner=me")
    assert quick.status_code == 200
    assert json.loads(quick.headers["HX-Trigger"])["added"]["to"] == "a"
    assert '<ul hx-swap-oob="afterbegin:#cards-a">' in quick.text
    assert 'id="head-a" hx-swap-oob="true"' in quick.text
    assert 'hx-swap-oob="delete"' not in quick.text, "no board has a card of it that could be taken away"
    assert records(boards) == [("Plain", "b"), ("Quick", "a")]


def test_a_board_with_lanes_is_drawn_anew(sqlite_boards: Boards) -> None:
    """The lane of the new record may be one that no card was in."""
    form = {"f-title": "Quick", "board": "free?lanes=heat"}

    answer = sqlite_boards.town.as_("Ada").post(FREE_A, form, htmx=True)

    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["HX-Redirect"].endswith("/w/acme/p/free/board?lanes=heat")
    assert records(sqlite_boards) == [("Quick", "a")]


def test_what_is_missing_is_told_at_its_field_and_what_was_typed_stays(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")

    answer = ada.post(FREE_A, {"f-title": "", "f-worth": "twelve"}, htmx=True)

    assert answer.status_code == 422
    assert 'id="f-title-error"' in answer.text
    assert 'id="f-worth-error"' in answer.text
    assert ("f-worth", "twelve") in sent_by(answer.text, "quick-form")
    assert records(sqlite_boards) == []


def test_the_gate_of_the_first_stage_holds_and_its_fields_join_the_form(boards: Boards) -> None:
    ada = boards.town.as_("Ada")

    answer = ada.post(GATED_B, {"f-title": "Beyond"}, htmx=True)

    assert answer.status_code == 422
    names = {name for name, _ in sent_by(answer.text, "quick-form")}
    assert {"f-title", "f-worth", "f-due"} <= names
    assert 'id="f-due-error"' in answer.text
    # Tasks and the sign of the first stage have no field here: they are told.
    assert "Visit" in answer.text
    assert "Feedback “Address” must be given." in answer.text, "nor has the feedback of the first stage"
    assert [name for name, _ in records(boards, "gated")] == ["Bridge"]
    assert ada.post(GATED_A, {"f-title": "First"}).status_code == 303


def test_a_gate_that_asks_about_feedback_refuses_with_its_words(sqlite_boards: Boards) -> None:
    """Beyond the first stage nobody can have answered yet: conditions see empty answers."""
    town = sqlite_boards.town
    ask = {"field": "feedback.mood", "op": "eq", "value": "well"}
    gate = {"leave": {"conditions": [{"when": ask, "message": {"en": "No mood."}, "severity": "block"}]}}
    uow = town.work()
    publish(uow, [{**GATED, "stages": [stage("a", 10, feedback="talk", gate=gate), *GATED["stages"][1:]]}])
    uow.commit()
    uow.session.close()

    answer = town.as_("Ada").post(GATED_B, {"f-title": "Beyond"}, htmx=True)

    assert answer.status_code == 422
    assert "No mood." in answer.text
    assert [name for name, _ in records(sqlite_boards, "gated")] == ["Bridge"]


def test_who_may_not_and_what_is_not_there(sqlite_boards: Boards) -> None:
    ada, otto = sqlite_boards.town.as_("Ada"), sqlite_boards.town.as_("Otto")

    assert ada.get(ADD.format("free", "nowhere")).status_code == 404
    assert ada.post(ADD.format("nothing", "a"), {"f-title": "x"}).status_code == 404
    assert otto.post(FREE_A, {"f-title": "x"}).status_code == 404
    closed = ada.post(ADD.format("free", "won"), {"f-title": "x"})
    assert closed.status_code == 422
    assert "ends the process" in closed.text
    assert ada.client.put(FREE_A).status_code == 405
    assert sqlite_boards.town.visitor().get(FREE_A).status_code in (302, 303)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a" * 5000, "\x00"])
def test_hostile_texts_are_text_or_refused(sqlite_boards: Boards, text: Any) -> None:
    ada = sqlite_boards.town.as_("Ada")

    for name in ("f-title", "f-worth", "board", "_action", "_has", "confirmed"):
        answer = ada.post(FREE_A, {"f-title": "Kept", name: text}, htmx=True)
        assert answer.status_code in (200, 422), name
        assert "<script>alert" not in answer.text
