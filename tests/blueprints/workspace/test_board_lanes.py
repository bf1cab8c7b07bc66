"""Boards divided into lanes: which lanes, their figures and cells, and bringing a card into another one."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from builder.db.ids import to_public
from tests.blueprints.workspace.desk import NOBODY, sent_by
from tests.fixtures.boards import ANSWERS, Boards

BOARD = "/w/acme/p/free/board"
HEAT = {"board": "free?lanes=heat"}


def lanes(text: str) -> list[tuple[str, str, list[str]]]:
    """Title, count and amounts of each lane."""
    found = []
    for part in text.split('<section class="lane"')[1:]:
        title = re.search(r"<h3[^>]*>([^<]*)<", part)
        count = re.search(r'class="count">(\d+)', part)
        assert title
        assert count
        found.append((html.unescape(title.group(1)), count.group(1), re.findall(r"<b>([^<]*)</b>", part)[:1]))
    return found


def cells(text: str) -> dict[tuple[str, str], list[str]]:
    """The names on the cards by stage and lane."""
    pattern = r'<ul class="bcards[^"]*"\s+id="[^"]*"\s+data-stage="([^"]*)"\s+data-lane="([^"]*)".*?</ul>'
    return {
        (part.group(1), part.group(2)): re.findall(r'class="bcard-name"[^>]*>([^<]*)<', part.group())
        for part in re.finditer(pattern, text, re.DOTALL)
        if "bcard-name" in part.group()
    }


def lane(boards: Boards, token: str, query: str = "lanes=heat", who: str = "Ada") -> str:
    return boards.town.as_(who).get(f"/w/acme/p/free/lanes/{token}?{query}", htmx=True).text


def put(record_id: int) -> str:
    return f"/w/acme/r/{to_public(record_id)}/lane"


def test_a_choice_divides_the_board_in_the_order_of_its_options(boards: Boards) -> None:
    boards.new("Iron", "free", worth="10", heat="hot")
    boards.new("Coal", "free", "b", worth="5", heat="hot")
    boards.new("Snow", "free")

    text = boards.town.as_("Ada").get(f"{BOARD}?lanes=heat").text

    assert lanes(text) == [("Cold", "0", []), ("Hot", "2", ["$15"]), ("Without “Heat”", "1", [])]
    # The first lane with cards comes with the page, the next when it comes into sight.
    assert cells(text) == {("a", "hot"): ["Iron"], ("b", "hot"): ["Coal"]}
    assert 'hx-trigger="intersect once"' in text
    assert cells(lane(boards, "-")) == {("a", "-"): ["Snow"]}
    assert re.search(r'id="head-a".*?class="count">(\d+)', text, re.DOTALL).group(1) == "2"  # type: ignore[union-attr]


def test_people_and_records_divide_it_with_the_fullest_lane_first(sqlite_boards: Boards) -> None:
    town = sqlite_boards.town
    uow = town.work()
    from builder.services import records
    from builder.services.records import NewRecord

    client = records.create(uow, "client", NewRecord({"title": "Acme <b>"})).record_id
    uow.commit()
    uow.session.close()
    for number in range(2):
        sqlite_boards.new(f"Mine {number}", "free", holder=str(town.ids["Mia"]), client=str(client))
    sqlite_boards.new("Hers", "free", holder=str(town.ids["Rita"]))
    ada = town.as_("Ada")

    assert [(title, count) for title, count, _ in lanes(ada.get(f"{BOARD}?lanes=holder").text)] == [
        ("Mia", "2"),
        ("Rita", "1"),
    ]
    by_client = ada.get(f"{BOARD}?lanes=client").text
    assert [title for title, _, _ in lanes(by_client)] == ["Acme <b>", "Without “Client”"]
    assert "Acme <b>" not in by_client
    assert [count for _, count, _ in lanes(ada.get(f"{BOARD}?lanes=record.department").text)]
    assert lanes(town.as_("Rita").get(f"{BOARD}?lanes=holder").text)[0][:2] == ("Rita", "1")


def test_a_cell_shows_ten_cards_and_where_more_are(sqlite_boards: Boards) -> None:
    for number in range(12):
        sqlite_boards.new(f"Case {number}", "free", heat="hot")
    ada = sqlite_boards.town.as_("Ada")

    text = ada.get(f"{BOARD}?lanes=heat").text

    assert len(cells(text)["a", "hot"]) == 10
    more = re.search(r'<a class="btn btn-sm"\s+href="([^"]+)"\s+hx-get', text)
    assert more
    rest = ada.get(html.unescape(more.group(1)), htmx=True).text
    assert re.findall(r'class="bcard-name"[^>]*>([^<]*)<', rest) == ["Case 1", "Case 0"]


def test_the_statements_of_a_board_with_lanes_are_bounded(
    boards: Boards, count_statements: Callable[[Flask], Any]
) -> None:
    for number in range(12):
        heat = ("hot", "cold")[number % 2]
        boards.new(f"Case {number}", "free", "abc"[number % 3], heat=heat, holder=str(boards.town.ids["Mia"]))
    ada = boards.town.as_("Ada")
    ada.get(BOARD)

    for address, most in ((f"{BOARD}?lanes=heat", 12), (f"{BOARD}?lanes=holder", 14)):
        with count_statements(boards.town.app) as sent:
            assert ada.get(address).status_code == 200
        own = [statement for statement in sent if "set_config" not in statement]
        assert len(own) <= most, own
    with count_statements(boards.town.app) as sent:
        assert ada.get("/w/acme/p/free/lanes/hot?lanes=heat", htmx=True).status_code == 200
    assert len([one for one in sent if "set_config" not in one]) <= 9, sent


def test_dropping_into_another_lane_saves_the_field_and_tells_the_figures(boards: Boards) -> None:
    case = boards.new("Iron", "free", worth="10", heat="hot")
    ada = boards.town.as_("Ada")

    answer = ada.post(put(case), {"revision": "1", "lane": "cold", "left": "hot", **HEAT}, htmx=True)

    assert answer.status_code == 200
    assert boards.row(case).data["heat"] == "cold"
    assert boards.row(case).revision == 2
    assert re.search(r'hx-swap-oob="afterbegin:#cards-a--[0-9a-f]{12}"', answer.text)
    assert len(re.findall(r'id="head-lane-[0-9a-f]{12}" hx-swap-oob', answer.text)) == 2
    assert ada.post(put(case), {"revision": "2", "lane": "-", **HEAT}).status_code == 303
    assert "heat" not in boards.row(case).data


def test_stage_and_lane_change_in_one_move(boards: Boards) -> None:
    case = boards.new("Iron", "free", heat="hot")

    sent = {"revision": "1", "lane": "cold", "left": "hot", **HEAT}
    answer = boards.town.as_("Ada").post(boards.address("b", case), sent, htmx=True)

    assert answer.status_code == 200
    row = boards.row(case)
    assert (row.stage_key, row.data["heat"], row.revision) == ("b", "cold", 2)


def test_a_refused_move_keeps_the_lane_in_its_dialog(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")
    sent = {"revision": "1", "lane": "cold", "left": "-", "board": "gated?lanes=heat"}

    dialog = ada.post(sqlite_boards.address("b"), sent, htmx=True)

    assert dialog.status_code == 422
    assert ("lane", "cold") in sent_by(dialog.text, "move-form")
    assert "It is cold." in dialog.text
    warm = {**sent, **ANSWERS, "lane": "hot"}
    assert ada.post(sqlite_boards.address("b"), warm, htmx=True).status_code == 200
    row = sqlite_boards.row()
    assert (row.stage_key, row.data["heat"]) == ("b", "hot")


def test_what_may_not_be_changed_is_said(sqlite_boards: Boards) -> None:
    town = sqlite_boards.town
    case = sqlite_boards.new("Iron", "free", heat="hot", holder=str(town.ids["Rita"]))
    ada, rita = town.as_("Ada"), town.as_("Rita")

    department = ada.post(
        put(case), {"revision": "1", "lane": "-", "board": "free?lanes=record.department"}, htmx=True
    )
    assert department.status_code == 422
    assert "follows its owner" in department.text
    mia = {"revision": "1", "lane": to_public(town.ids["Mia"]), "board": "free?lanes=holder"}
    reassign = rita.post(put(case), mia, htmx=True)
    assert reassign.status_code == 422
    assert "may not give records to somebody else" in reassign.text
    stranger = {"revision": "1", "lane": NOBODY, "board": "free?lanes=client"}
    assert ada.post(put(case), stranger, htmx=True).status_code == 422
    assert ada.post(put(case), {"revision": "1", "lane": "hot"}).status_code == 422
    assert sqlite_boards.row(case).revision == 1


def test_stale_foreign_missing_and_wrong_verb(sqlite_boards: Boards) -> None:
    town = sqlite_boards.town
    case = sqlite_boards.new("Iron", "free", heat="hot")
    ada = town.as_("Ada")
    cold = {"lane": "cold", **HEAT}

    stale = ada.post(put(case), {"revision": "7", **cold}, htmx=True)
    assert stale.status_code == 409
    assert ada.post(put(case), cold).status_code == 400
    assert ada.post(put(case), {"revision": "1", "lane": "lukewarm", **HEAT}).status_code == 404
    assert ada.post(f"/w/acme/r/{NOBODY}/lane", {"revision": "1", **cold}).status_code == 404
    assert town.as_("Otto").post(put(case), {"revision": "1", **cold}).status_code == 404
    assert town.as_("Rita").post(put(case), {"revision": "1", **cold}).status_code == 404
    assert ada.get(put(case)).status_code == 405
    assert ada.get("/w/acme/p/free/lanes/hot").status_code == 404
    assert ada.get("/w/acme/p/free/lanes/lukewarm?lanes=heat").status_code == 404
    assert sqlite_boards.row(case).data["heat"] == "hot"


def test_the_menu_of_a_card_offers_the_lanes_too(sqlite_boards: Boards) -> None:
    case = sqlite_boards.new("Iron", "free", heat="hot")

    text = (
        sqlite_boards.town.as_("Ada").get(f"{sqlite_boards.address('', case)}?board=free%3Flanes%3Dheat").text
    )

    assert f'action="{put(case)}"' in text
    assert '<option value="cold">Cold</option>' in text


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "title", "note", "nothing", "a" * 4000, "%00", "worth"]
)
def test_what_cannot_divide_a_board_is_told(sqlite_boards: Boards, text: str) -> None:
    ada = sqlite_boards.town.as_("Ada")

    for query in (
        f"lanes={text}",
        f"lanes=heat&from={text}",
        f"lanes=heat&cards={text}",
        f"lanes=heat&f={text}",
    ):
        answer = ada.get(f"{BOARD}?{query}".replace("<", "%3C"))
        assert answer.status_code == 200, query
        assert "<script>alert" not in answer.text
    assert "cannot be divided by" in ada.get(f"{BOARD}?lanes={text}").text
