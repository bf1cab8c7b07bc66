"""What a board remembers: folded columns and card lines of a person, filters, and views with all of it."""

from __future__ import annotations

import html
import json
import re

import pytest

from builder.services import definitions
from tests.blueprints.workspace.desk import NOBODY
from tests.fixtures.boards import Boards

BOARD = "/w/acme/p/free/board"
CARDS = "/w/acme/p/free/board-cards"
VIEWS = "/w/acme/p/free/board-views"
HOT = json.dumps({"field": "heat", "op": "eq", "value": "hot"}, separators=(",", ":"))


def card(text: str) -> str:
    found = re.search(r'<li class="bcard" .*?</li>', text, re.DOTALL)
    assert found
    return found.group()


def names(text: str) -> set[str]:
    return set(re.findall(r'class="bcard-name"[^>]*>([^<]*)<', text))


def test_a_column_stays_folded_for_the_person_who_folded_it(boards: Boards) -> None:
    boards.new("Iron", "free", holder=str(boards.town.ids["Mia"]))
    ada, mia = boards.town.as_("Ada"), boards.town.as_("Mia")

    part = ada.post(f"{BOARD}/a/fold", {"folded": "1", "board": "free?"}, htmx=True)
    assert part.status_code == 200
    assert "bcol-folded" in part.text
    assert 'aria-expanded="false"' in part.text
    assert names(ada.get(BOARD).text) == set()
    assert names(mia.get(BOARD).text) == {"Iron"}
    back = ada.post(f"{BOARD}/a/fold", {"folded": "0", "board": "free?owner=me"})
    assert back.status_code == 303
    assert back.headers["Location"].endswith(f"{BOARD}?owner=me")
    assert names(ada.get(BOARD).text) == {"Iron"}


def test_folding_what_is_not_there(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")

    assert ada.post(f"{BOARD}/nowhere/fold", {"folded": "1"}).status_code == 404
    assert sqlite_boards.town.as_("Otto").post(f"{BOARD}/a/fold", {"folded": "1"}).status_code == 404
    assert ada.get(f"{BOARD}/a/fold").status_code == 405
    assert ada.post(f"{BOARD}/a/fold", {"folded": "<script>", "board": "nothing?x"}).status_code == 303


def test_cards_show_what_a_person_chose(boards: Boards) -> None:
    town = boards.town
    boards.new("Iron", "free", worth="10", heat="hot", note="Ask <b>Bo</b>", holder=str(town.ids["Mia"]))
    ada = town.as_("Ada")
    assert "$10" in card(ada.get(BOARD).text)

    chosen = ada.post(CARDS, {"c": ["heat", "note", "nothing", "title"], "board": "free?"})

    assert chosen.status_code == 303
    mine = card(ada.get(BOARD).text)
    assert "<dt>Heat</dt><dd>" in mine
    assert "Ask &lt;b&gt;Bo&lt;/b&gt;" in mine
    assert "$10" not in mine
    assert "bcard-lines" not in card(town.as_("Mia").get(BOARD).text)
    usual = ada.post(CARDS, {"usual": "1", "board": "free?"}, htmx=True)
    assert usual.headers["HX-Redirect"].endswith(BOARD)
    assert "$10" in card(ada.get(BOARD).text)
    assert ada.get(CARDS).status_code == 405
    assert town.as_("Otto").post(CARDS, {"c": "heat"}).status_code == 404


def test_a_moved_card_keeps_its_lines(sqlite_boards: Boards) -> None:
    case = sqlite_boards.new("Iron", "free", heat="hot")
    ada = sqlite_boards.town.as_("Ada")
    ada.post(CARDS, {"c": ["heat"], "board": "free?"})
    mark = re.search(r'data-mark="([^"]*)"', ada.get(BOARD).text)
    assert mark

    moved = ada.post(
        sqlite_boards.address("b", case), {"revision": "1", "board": html.unescape(mark.group(1))}, htmx=True
    )

    assert "<dt>Heat</dt>" in moved.text


def test_the_builder_of_the_list_filters_the_board(boards: Boards) -> None:
    boards.new("Iron", "free", heat="hot")
    boards.new("Snow", "free", heat="cold")
    ada = boards.town.as_("Ada")
    built = "group=0&g0-row=0&g0-0-field=heat&g0-0-op=in&g0-0-a=hot&mode=all&g0-mode=all&_filter=apply"

    builder = ada.get("/w/acme/p/free/board-filter", htmx=True)
    assert 'action="/w/acme/p/free/board-filter"' in builder.text
    led = ada.get(f"/w/acme/p/free/board-filter?owner=&{built}")

    assert led.status_code == 303
    assert names(ada.get(led.headers["Location"]).text) == {"Iron"}
    empty = built.replace("g0-0-a=hot&", "")
    assert ada.get(f"/w/acme/p/free/board-filter?{empty}").status_code == 422


def test_a_view_keeps_filter_lanes_and_cards_and_may_be_shared(boards: Boards) -> None:
    boards.new("Iron", "free", worth="10", heat="hot", holder=str(boards.town.ids["Mia"]))
    boards.new("Snow", "free", heat="cold")
    ada, mia = boards.town.as_("Ada"), boards.town.as_("Mia")
    ada.post(CARDS, {"c": ["heat"], "board": "free?"})

    saved = ada.post(VIEWS, {"name": "Hot ones", "f": HOT, "lanes": "heat", "shared": "1"})

    assert saved.status_code == 303
    address = saved.headers["Location"]
    for reader in (ada, mia):
        text = reader.get(address).text
        assert names(text) == {"Iron"}
        assert '<section class="lane"' in text
        assert "<dt>Heat</dt>" in text
    # Whoever likes it otherwise arranges it for themselves.
    view = address.rpartition("view=")[2]
    mia.post(CARDS, {"c": ["worth"], "board": f"free?view={view}"})
    assert "<dt>Heat</dt>" not in mia.get(address).text
    assert "<dt>Heat</dt>" in ada.get(address).text


def test_changing_and_deleting_a_view(sqlite_boards: Boards) -> None:
    ada, rita = sqlite_boards.town.as_("Ada"), sqlite_boards.town.as_("Rita")
    address = ada.post(VIEWS, {"name": "Hot ones", "f": HOT}).headers["Location"]
    own = f"{VIEWS}/{address.rpartition('view=')[2]}"

    again = ada.post(VIEWS, {"name": "Hot ones", "f": HOT})
    assert again.status_code == 422
    assert "already have a view" in again.text
    assert ada.post(VIEWS, {"name": "  ", "f": HOT}, htmx=True).status_code == 422
    assert ada.post(VIEWS, {"name": "Broken", "f": "{"}).status_code == 422
    assert ada.post(own, {"name": "Hotter", "f": HOT, "revision": "1"}).status_code == 303
    assert ada.post(own, {"name": "Late", "revision": "1"}).status_code == 409
    assert ada.post(own, {"name": "Blind"}).status_code == 400
    assert rita.post(own, {"name": "Mine now", "revision": "2"}).status_code == 404
    assert rita.post(VIEWS, {"name": "For all", "shared": "1"}).status_code == 403
    assert ada.post(f"{VIEWS}/{NOBODY}", {"name": "x", "revision": "1"}).status_code == 404
    assert ada.get(own).status_code == 405
    assert ada.post(f"{own}/delete", {"revision": "1"}).status_code == 409
    gone = ada.post(f"{own}/delete", {"revision": "2"})
    assert gone.status_code == 303
    assert gone.headers["Location"].endswith(BOARD)


def test_a_view_of_the_pack_may_divide_the_board(sqlite_boards: Boards) -> None:
    view = {
        "grammar": 1, "kind": "view", "key": "by_heat", "label": {"en": "By heat"}, "object": "matter",
        "layout": "board", "pipeline": "free", "columns": ["heat"], "lanes": "heat",
    }  # fmt: skip
    uow = sqlite_boards.town.work()
    definitions.publish(uow, [view])
    uow.commit()
    uow.session.close()
    sqlite_boards.new("Iron", "free", heat="hot")
    ada = sqlite_boards.town.as_("Ada")

    assert '<section class="lane"' in ada.get(f"{BOARD}?view=by_heat").text
    assert '<section class="lane"' not in ada.get(f"{BOARD}?view=by_heat&lanes=-").text


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"field":"note","op":"contains","value":"x"}', "1" * 9000, "\x00"]
)
def test_a_filter_that_cannot_be_used_is_told(sqlite_boards: Boards, text: str) -> None:
    answer = sqlite_boards.town.as_("Ada").client.get(BOARD, query_string={"f": text})

    assert answer.status_code == 200
    assert "This filter cannot be used here" in answer.text
