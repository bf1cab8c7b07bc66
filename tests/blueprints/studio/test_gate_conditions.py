"""Conditions of a gate over HTTP: built as filters are, kept in the draft, asked for once published (S35)."""

from __future__ import annotations

from typing import Any

from tests.blueprints.studio.test_designer import STUDIO, mark, publish
from tests.fixtures.boards import ANSWERS, Boards
from tests.fixtures.town import Town, Visitor

STAGE = f"{STUDIO}/processes/flow/stages/a"
PAGE = f"{STAGE}/conditions"
OPEN = f"{PAGE}?side=leave&condition=new"
HOT = {
    "side": "leave", "condition": "new", "message-en": "Warm it up first.", "severity": "block", "offer": "lost/price",
    "_filter": "apply", "mode": "all", "group": "0", "g0-mode": "all", "g0-row": "0",
    "g0-0-field": "heat", "g0-0-op": "in", "g0-0-a": "hot",
}  # fmt: skip


def post(visitor: Visitor, path: str = "", *, htmx: bool = False, **data: Any) -> Any:
    return visitor.post(PAGE + path, {"checksum": mark(visitor, OPEN), **data}, htmx=htmx)


def test_a_condition_is_built_published_and_asked_for_with_its_way_out(boards: Boards) -> None:
    page = f"{STUDIO}/processes/gated/stages/a/conditions"
    ada = boards.town.as_("Ada")
    assert f'href="{page}"' in ada.get(f"{STUDIO}/processes/gated/stages/a").text
    sent = {**HOT, "offer": "", "checksum": mark(ada, page)}
    assert ada.post(page, sent).headers["Location"] == page
    assert "Heat is Hot" in ada.get(page).text
    assert publish(ada).status_code == 303
    fresh = boards.new("Kiln", worth="10.00", holder=str(boards.town.ids["Rita"]))
    rita = boards.town.as_("Rita")
    refused = rita.post(boards.address("b", fresh), {**ANSWERS, "revision": "1"})
    assert refused.status_code == 422
    assert "Warm it up first." in refused.text


def test_the_builder_shows_itself_again_until_its_button_keeps_the_condition(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    shown = post(ada, htmx=True, **{**HOT, "_filter": "row:0"})
    assert shown.status_code == 200
    assert 'name="g0-1-field"' in shown.text
    assert 'value="Warm it up first."' in shown.text
    assert "feedback.address" in shown.text
    assert "No conditions" in ada.get(PAGE).text
    assert 'id="rule-panel"' in ada.get(f"{PAGE}?side=enter&condition=new").text
    assert 'id="rule-panel"' not in ada.get(f"{PAGE}?side=enter&condition=7").text


def test_a_condition_is_changed_where_it_stands_and_removed(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    assert post(ada, **HOT).status_code == 303
    opened = ada.get(f"{PAGE}?side=leave&condition=0").text
    assert "Lost · Price" in opened
    assert post(ada, htmx=True, **{**HOT, "condition": "0", "severity": "warn"}).status_code == 200
    assert ada.get(PAGE).text.count("Heat is Hot") == 2  # its words, and the name of its button
    assert post(ada, "/leave/0/remove").status_code == 303
    assert "Heat is Hot" not in ada.get(PAGE).text


def test_what_is_missing_is_422_named_and_keeps_what_was_typed(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    for wrong, named in (
        ({"message-en": ""}, 'href="#message-en"'),
        ({"g0-0-field": ""}, 'href="#condition"'),
        ({"severity": "x"}, 'href="#severity"'),
        ({"offer": "b/"}, 'href="#offer"'),
    ):
        answer = post(ada, **{**HOT, **wrong})
        assert answer.status_code == 422, wrong
        assert named in answer.text, wrong
    assert "Warm it up first." in answer.text
    assert "No conditions" in ada.get(PAGE).text


def test_stale_forbidden_missing_and_wrong_verb(sqlite_town: Town) -> None:
    ada, rita = sqlite_town.as_("Ada"), sqlite_town.as_("Rita")
    stale = mark(ada, OPEN)
    assert post(ada, **HOT).status_code == 303
    assert ada.post(PAGE, {**HOT, "checksum": stale}).status_code == 409
    assert ada.post(f"{PAGE}/leave/0/remove", {"checksum": stale}).status_code == 409
    assert ada.post(PAGE, HOT).status_code == 400
    assert rita.get(PAGE).status_code == 403
    assert rita.post(PAGE, {**HOT, "checksum": stale}).status_code == 403
    assert post(ada, **{**HOT, "condition": "4"}).status_code == 404
    assert post(ada, **{**HOT, "side": "beside"}).status_code == 404
    for path in ("/leave/9/remove", "/beside/0/remove"):
        assert post(ada, path).status_code == 404
    assert ada.get(f"{STUDIO}/processes/flow/stages/gone/conditions").status_code == 404
    assert ada.get(f"{STUDIO}/processes/gone/stages/a/conditions").status_code == 404
    assert ada.get(f"{PAGE}/leave/0/remove").status_code == 405
