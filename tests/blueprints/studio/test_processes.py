"""Processes over HTTP: looking, ordering, changing a stage."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from builder.domain.stays import LoggedEntry
from builder.services.history import LoadedRecord, load_histories
from builder.services.records import NewRecord, Saved
from tests.fixtures.town import Town

LIST = "/w/acme/studio/processes"
FREE = f"{LIST}/free"
ORDER = f"{FREE}/order"
STAGE = f"{FREE}/stages/b"


def stages(town: Town) -> list[str]:
    uow = town.work()
    keys = [stage.key for stage in uow.catalog.pipeline("free").stages]
    uow.session.close()
    return keys


def test_a_rep_sees_what_a_stage_asks_for_but_no_buttons(town: Town) -> None:
    rita = town.as_("Rita")
    assert "Flow" in rita.get(LIST).text
    page = rita.get(f"{LIST}/flow").text
    assert "Call" in page
    assert "Address*" in page
    assert 'name="up"' not in page


def test_moving_a_stage_up_works_and_redirects(town: Town) -> None:
    ada = town.as_("Ada")
    answer = ada.post(ORDER, {"up": "b", "version": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, FREE)
    assert stages(town)[:3] == ["b", "a", "c"]
    assert "version 2" in ada.get(FREE).text


def test_an_order_from_dragging_works_by_htmx(town: Town) -> None:
    ada = town.as_("Ada")
    order = ["c", "a", "b", "won", "lost", "invalid"]
    answer = ada.post(ORDER, {"stage": order, "version": "1"}, htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, FREE)
    assert stages(town) == order


def test_an_order_that_forgets_a_stage_is_named_and_nothing_changes(town: Town) -> None:
    ada = town.as_("Ada")
    answer = ada.post(ORDER, {"stage": ["a", "b"], "version": "1"})
    assert answer.status_code == 422
    assert "must name each stage once" in answer.text
    assert stages(town)[:2] == ["a", "b"]


def test_changing_a_stage_works(town: Town) -> None:
    ada = town.as_("Ada")
    form = {"label_en": "Visit", "label_zh_Hans": "拜访", "probability": "45", "marker_en": "They said yes"}
    answer = ada.post(STAGE, {**form, "version": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, FREE)
    page = ada.get(FREE).text
    assert "Visit" in page
    assert "45 %" in page
    assert "They said yes" in page


@pytest.mark.parametrize("probability", ["101", "-1", "many"])
def test_a_wrong_probability_is_named_and_typed_values_are_kept(town: Town, probability: str) -> None:
    ada = town.as_("Ada")
    answer = ada.post(STAGE, {"label_en": "Kept", "probability": probability, "version": "1"})
    assert answer.status_code == 422
    assert 'value="Kept"' in answer.text
    assert 'id="probability-error"' in answer.text


@pytest.mark.parametrize(("path", "form"), [(ORDER, {"up": "b"}), (STAGE, {"label_en": "New"})])
def test_the_second_of_two_admins_gets_a_409(town: Town, path: str, form: dict[str, str]) -> None:
    ada = town.as_("Ada")
    ada.post(STAGE, {"label_en": "First", "version": "1"})
    assert ada.post(path, {**form, "version": "1"}).status_code == 409


@pytest.mark.parametrize("path", [ORDER, STAGE])
@pytest.mark.parametrize("version", [None, "", "0", "x"])
def test_a_change_without_the_version_that_was_seen_is_a_400(
    town: Town, path: str, version: str | None
) -> None:
    sent = {"up": "b", "label_en": "New"} | ({} if version is None else {"version": version})
    ada = town.as_("Ada")
    assert ada.post(path, sent).status_code == 400
    assert "version 1" in ada.get(FREE).text


@pytest.mark.parametrize("path", [ORDER, STAGE])
def test_without_the_right_it_is_refused(town: Town, path: str) -> None:
    assert town.as_("Rita").post(path, {"up": "b", "label_en": "x"}).status_code == 403


@pytest.mark.parametrize("path", [f"{LIST}/none/order", f"{FREE}/stages/none", f"{LIST}/none/stages/b"])
def test_what_is_not_there_is_a_404(town: Town, path: str) -> None:
    assert town.as_("Ada").post(path, {"label_en": "x"}).status_code == 404


@pytest.mark.parametrize("path", [ORDER, STAGE])
def test_a_stranger_gets_a_404(town: Town, path: str) -> None:
    assert town.as_("Otto").post(path, {"label_en": "x"}).status_code == 404


def test_the_wrong_verb_is_a_405(town: Town) -> None:
    assert town.as_("Ada").get(ORDER).status_code == 405


def load(town: Town, *histories: str) -> None:
    """Records that went through stages, a day each; every second one is Rita's."""
    uow = town.work()
    begin = town.clock.now() - timedelta(days=40)
    items = []
    for number, words in enumerate(histories):
        entries = [LoggedEntry(key, begin + timedelta(days=at)) for at, key in enumerate(words.split())]
        holder = {"holder": str(town.ids["Rita"])} if number % 2 else {}
        items.append(LoadedRecord(NewRecord({"title": f"Case {number}", **holder}), entries))
    results = load_histories(uow, "matter", "free", items)
    assert all(isinstance(result, Saved) for result in results), results
    uow.commit()
    uow.session.close()


def earned(page: str) -> dict[str, tuple[str, str]]:
    """Stage → what its probability turned out to be, and the address of the list."""
    found = {}
    for key, card in re.findall(
        r'id="stage-([a-z]+)">(.*?)</li>\s*(?=<li class="card|</ol>)', page, re.DOTALL
    ):
        link = re.search(r'Earned\s*<a href="([^"]+)"><strong>([^<]+)<', card)
        if link:
            found[key] = (link.group(2), html.unescape(link.group(1)))
    return found


def test_beside_the_set_probability_stands_what_was_earned(town: Town) -> None:
    load(town, "a b won", "a b won", *["a b lost"] * 5, *["a b invalid"] * 3, "a b", "a lost", "a c")
    ada = town.as_("Ada")
    page = ada.get(FREE).text

    found = earned(page)
    assert {key: text for key, (text, _) in found.items()} == {
        "a": "2 of 11 = 18.2 %",
        "b": "2 of 10 = 20 %",
    }
    assert "40 %" in page
    listed = ada.get(found["b"][1]).text
    assert "10 records" in listed
    assert "B: Came through and ended" in listed


def test_a_rep_sees_the_rate_of_her_own_records(town: Town) -> None:
    load(town, "a won", "a lost", "a won", "a won")
    rita = town.as_("Rita")
    text, address = earned(rita.get(FREE).text)["a"]
    assert text == "1 of 2 = 50 %"
    assert "2 records" in rita.get(address).text


def test_without_history_there_is_no_rate(town: Town) -> None:
    assert earned(town.as_("Ada").get(FREE).text) == {}
