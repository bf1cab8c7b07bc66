"""Funnels over several processes: drawn, made, changed and removed as drafts (M0)."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from builder.queries import drafts as stored
from builder.services import drafts
from tests.fixtures.town import Town, Visitor

LIST = "/w/acme/studio/funnels"
WHOLE = f"{LIST}/whole"
FORM = {"label_en": "Whole", "label_zh_Hans": "全程", "new": "flow>a"}


def begun(town: Town) -> Visitor:
    ada = town.as_("Ada")
    answer = ada.post(f"{LIST}/new", FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, WHOLE)
    return ada


def checksum(visitor: Visitor) -> str:
    found = re.search(r'name="checksum" value="([0-9a-f]{64})"', visitor.get(WHOLE).text)
    assert found
    return found.group(1)


def send(visitor: Visitor, path: str, *, htmx: bool = False, **form: Any) -> Any:
    return visitor.post(f"{WHOLE}/{path}", {"checksum": checksum(visitor), **form}, htmx=htmx)


def document(town: Town) -> dict[str, Any]:
    uow = town.work()
    found = stored.editable(uow.session, "funnel", "whole").document
    uow.session.close()
    return found


def test_a_funnel_is_made_drawn_published_and_removed(town: Town) -> None:
    ada = begun(town)
    assert send(ada, "steps/new", new="flow>won").status_code == 303
    drawn = send(ada, "steps/new", new="free>a", htmx=True)
    assert drawn.status_code == 200
    assert "<html" not in drawn.text
    steps = {
        "step": ["flow>a", "flow>won", "free>a"],
        "label_en": ["Met", "", ""],
        "label_zh_Hans": ["", "", ""],
    }
    assert send(ada, "steps", **steps, up="free>a").status_code == 303
    assert send(ada, "settings", label_en="Whole way", unit="customer").status_code == 303
    found = document(town)
    assert [step["stage"] for step in found["steps"]] == ["a", "a", "won"]
    assert found["steps"][0]["label"] == {"en": "Met"}
    assert (found["label"], found["unit"]) == ({"en": "Whole way"}, "customer")
    page = ada.get(LIST).text
    assert "Whole way" in page
    assert re.findall(r'pack-path-step mark-[a-z]+">(?:<svg.*?</svg>)?([^<]+)<', page, re.DOTALL)[0] == "Met"
    assert "Whole way" not in town.as_("Rita").get(LIST).text
    uow = town.work()
    drafts.publish_drafts(uow)
    uow.commit()
    uow.session.close()
    assert "Whole way" in town.as_("Rita").get(LIST).text
    assert send(ada, "remove").headers["Location"] == LIST
    assert "Whole way" not in ada.get(LIST).text
    assert ada.get(WHOLE).status_code == 404
    assert "Whole way" in ada.get("/w/acme/studio/changes").text


def test_what_is_wrong_is_named_and_what_was_typed_is_kept(sqlite_town: Town) -> None:
    ada = begun(sqlite_town)
    unnamed = ada.post(f"{LIST}/new", {**FORM, "label_en": "", "label_zh_Hans": ""})
    assert (unnamed.status_code, "Give it a name" in unnamed.text) == (422, True)
    lost = ada.post(f"{LIST}/new", {**FORM, "label_en": "Kept name", "new": "flow>lost"})
    assert (lost.status_code, "Choose the first step" in lost.text, "Kept name" in lost.text) == (
        422,
        True,
        True,
    )
    for path, form, told in (
        ("steps/new", {"new": "flow>a"}, "a step already"),
        ("steps/new", {"new": "ghost>a"}, "no longer there"),
        ("steps/new", {}, "no longer there"),
        ("steps", {"step": ["flow>b"]}, "must name each step once"),
        ("steps", {"step": ["flow>a"], "remove": "flow>a"}, "The last step stays"),
        ("settings", {"label_en": "Kept name", "unit": "money"}, "what is counted"),
    ):
        answer = send(ada, path, **form)
        assert (answer.status_code, told in html.unescape(answer.text)) == (422, True), path
    named = {"step": ["flow>a"], "label_en": ["Long" * 60], "label_zh_Hans": ["首次接触"]}
    refused = send(ada, "steps", **named)
    assert (refused.status_code, "Long" * 60 in refused.text, "首次接触" in refused.text) == (422, True, True)
    seen = checksum(ada)
    assert send(ada, "steps/new", new="flow>c").status_code == 303
    late = ada.post(f"{WHOLE}/steps/new", {"checksum": seen, "new": "flow>b"})
    assert (late.status_code, "nothing was overwritten" in late.text) == (409, True)


@pytest.mark.parametrize("path", ["", "/settings", "/steps", "/steps/new", "/remove"])
def test_who_may_not_edit_is_403_strangers_404_and_nothing_unseen_is_written(
    sqlite_town: Town, path: str
) -> None:
    ada, form = begun(sqlite_town), {"checksum": "0" * 64, **FORM}
    address = f"{WHOLE}{path}" if path else f"{LIST}/new"
    assert sqlite_town.as_("Rita").post(address, form).status_code == 403
    assert sqlite_town.as_("Otto").post(address, form).status_code == 404
    if path:
        assert ada.post(address, FORM).status_code == 400
        assert ada.post(address.replace("whole", "ghost"), form).status_code == 404
        assert ada.get(address).status_code == 405
