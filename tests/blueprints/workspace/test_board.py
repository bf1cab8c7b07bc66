"""The board over HTTP: columns, figures, filters, more cards, folding, who sees what."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from builder.db.ids import to_public
from builder.services import definitions
from tests.factories import FREE
from tests.fixtures.boards import Boards

BOARD = "/w/acme/p/gated/board"
FREE_BOARD = "/w/acme/p/free/board"


def cards(text: str, stage: str) -> list[str]:
    """The names on the cards of one column, from above."""
    part = re.search(rf'<ul class="bcards"\s+id="cards-{stage}".*?</ul>', text, re.DOTALL)
    assert part, stage
    return [html.unescape(name) for name in re.findall(r'class="bcard-name"[^>]*>([^<]*)<', part.group())]


def figures(text: str, stage: str) -> tuple[str, list[str]]:
    part = re.search(rf'id="head-{stage}".*?</div>', text, re.DOTALL)
    assert part, stage
    count = re.search(r'class="count">(\d+)', part.group())
    assert count
    return count.group(1), re.findall(r"<b>([^<]*)</b>", part.group())


def test_a_board_shows_columns_under_their_milestones(boards: Boards) -> None:
    text = boards.town.as_("Ada").get(BOARD).text

    assert re.findall(r'<p class="bgroup-title" aria-hidden="true">([^<]*)', text) == ["Early", "Late"]
    assert re.findall(r'id="title-([^"]+)"', text) == ["a", "b", "c", "d", "won", "lost", "invalid"]
    assert cards(text, "a") == ["Bridge"]
    assert cards(text, "b") == []
    assert figures(text, "a") == ("1", ["$1,001"])
    assert "≈</span> $100" in text
    assert "We have met." in text
    assert f'href="/w/acme/r/{to_public(boards.id)}"' in text
    assert f'href="/w/acme/r/{to_public(boards.id)}/move?board=gated%3F"' in text
    assert "10 %" in text
    assert "Nothing here now" in text


def test_a_card_tells_owner_account_close_and_age(boards: Boards) -> None:
    from datetime import timedelta

    from builder.services import records
    from builder.services.records import NewRecord

    uow = boards.town.work()
    client = records.create(uow, "client", NewRecord({"title": "Acme <b>Ltd</b>"})).record_id
    uow.commit()
    uow.session.close()
    tower = boards.new("Tower", "free", worth="20", due="2025-05-20", holder=str(boards.town.ids["Mia"]))
    boards.new("Late", "free", due="2025-05-11", client=str(client))
    boards.town.clock.advance(timedelta(days=3))

    text = boards.town.as_("Ada").get(FREE_BOARD).text

    assert 'aria-label="Mia"' in text
    assert "<time>May 20</time>" in text
    assert '<time class="late">Overdue May 11</time>' in text
    assert "<span>3 days</span>" in text
    # The limits count as the process has them now, whatever version a record is on.
    uow = boards.town.work()
    limited = {**FREE["stages"][0], "target_days": 1, "warning_days": 2, "breach_days": 9}
    definitions.publish(uow, [{**FREE, "stages": [limited, *FREE["stages"][1:]]}])
    uow.commit()
    uow.session.close()
    ada = boards.town.as_("Ada")
    text = ada.get(FREE_BOARD).text
    assert text.count('3 days <b class="limit limit-warn"') == 2
    assert ">warning</b></span>" in text
    page = ada.get(f"/w/acme/r/{to_public(tower)}").text
    assert re.search(
        r'path-detail" title="target 1 day · [^>]*>day 3 of 1 <b class="limit limit-warn">warn', page
    )
    # An account is shown where the object says which field holds it; here none does.
    assert "<b>Ltd</b>" not in text


def test_several_currencies_stand_each_by_themselves(sqlite_boards: Boards) -> None:
    document: dict[str, Any] = definitions_with_currency()
    uow = sqlite_boards.town.work()
    definitions.publish(uow, [document])
    uow.commit()
    uow.session.close()
    sqlite_boards.new("One", "free", worth="1200", money_of="USD")
    sqlite_boards.new("Two", "free", worth="3400", money_of="CNY")

    text = sqlite_boards.town.as_("Ada").get(FREE_BOARD).text

    assert figures(text, "a") == ("2", ["CN¥3,400", "$1,200"])


def definitions_with_currency() -> dict[str, Any]:
    from copy import deepcopy

    from tests.factories import CASE

    document = deepcopy(CASE)
    document["fields"]["properties"]["money_of"] = {
        "x-type": "choice",
        "x-label": {"en": "Currency"},
        "x-role": "currency",
        "x-options": [{"key": key, "label": {"en": key}} for key in ("USD", "CNY")],
    }
    return document


def test_fifty_cards_a_column_then_more(sqlite_boards: Boards) -> None:
    for number in range(53):
        sqlite_boards.new(f"Case {number}", "free")
    ada = sqlite_boards.town.as_("Ada")

    text = ada.get(FREE_BOARD).text
    assert len(cards(text, "a")) == 50
    assert figures(text, "a")[0] == "53"
    more = re.search(r'<a class="btn btn-sm"\s+href="([^"]+)"\s+hx-get="([^"]+)"', text)
    assert more
    assert more.group(1) == more.group(2)
    rest = ada.get(html.unescape(more.group(1)), htmx=True).text
    assert re.findall(r'class="bcard-name"[^>]*>([^<]*)<', rest) == ["Case 2", "Case 1", "Case 0"]
    assert "<html" not in rest
    page = ada.get(html.unescape(more.group(1)))
    assert cards(page.text, "a") == ["Case 2", "Case 1", "Case 0"]
    assert "<html" in page.text
    assert ada.get(f"{FREE_BOARD}/a?after=nonsense").status_code == 200


def test_closed_columns_are_folded_and_open_on_demand(sqlite_boards: Boards) -> None:
    sqlite_boards.new("Done", "free", "won")
    ada = sqlite_boards.town.as_("Ada")

    text = ada.get(FREE_BOARD).text
    assert cards(text, "won") == []
    assert figures(text, "won")[0] == "1"
    assert 'data-stage="won"' in text
    opened = ada.get(f"{FREE_BOARD}/won", htmx=True).text
    assert cards(opened, "won") == ["Done"]
    assert "bcol-folded" not in opened
    assert "bcol-folded" in ada.get(f"{FREE_BOARD}/won?fold=1", htmx=True).text
    assert cards(ada.get(f"{FREE_BOARD}/won").text, "won") == ["Done"]


def test_filters_by_owner_text_and_view(sqlite_boards: Boards) -> None:
    ids = sqlite_boards.town.ids
    sqlite_boards.new("Tower", worth="5", holder=str(ids["Ada"]), heat="hot")
    sqlite_boards.new("Bridge Two", holder=str(ids["Mia"]))
    view = {
        "grammar": 1, "kind": "view", "key": "hot_ones", "label": {"en": "Hot ones"}, "object": "matter",
        "layout": "board", "pipeline": "gated", "columns": [], "filter": {"field": "heat", "op": "eq", "value": "hot"},
    }  # fmt: skip
    uow = sqlite_boards.town.work()
    definitions.publish(uow, [view])
    uow.commit()
    uow.session.close()
    ada = sqlite_boards.town.as_("Ada")

    def shown(query: str) -> set[str]:
        return set(cards(ada.get(f"{BOARD}?{query}").text, "a"))

    assert shown("") == {"Bridge", "Bridge Two", "Tower"}
    assert shown("owner=me") == {"Tower"}
    assert shown(f"owner={to_public(ids['Mia'])}") == {"Bridge Two"}
    assert shown("q=bridge") == {"Bridge", "Bridge Two"}
    assert shown("q=BRIDGE&owner=me") == set()
    assert shown("view=hot_ones") == {"Tower"}
    text = ada.get(f"{BOARD}?view=hot_ones").text
    assert figures(text, "a") == ("1", ["$5"])
    assert 'data-mark="gated?view=hot_ones"' in text
    part = ada.client.get(f"{BOARD}?owner=me", headers={"HX-Request": "true", "HX-Target": "board"}).text
    assert "<html" not in part
    assert 'id="board-total" hx-swap-oob="true"' in part


def test_after_a_move_the_figures_are_those_of_the_filter(sqlite_boards: Boards) -> None:
    ids = sqlite_boards.town.ids
    mine = sqlite_boards.new("Mine", "free", worth="5", holder=str(ids["Ada"]))
    sqlite_boards.new("Other", "free", worth="7")
    ada = sqlite_boards.town.as_("Ada")

    answer = ada.post(
        sqlite_boards.address("b", mine), {"revision": "1", "board": "free?owner=me"}, htmx=True
    )

    assert figures(answer.text, "a") == ("0", [])
    assert figures(answer.text, "b") == ("1", ["$5"])
    assert "board=free%3Fowner%3Dme" in answer.text


def test_a_rep_sees_own_cards_and_no_choice_of_people(boards: Boards) -> None:
    boards.new("Ada's", holder=str(boards.town.ids["Ada"]))

    text = boards.town.as_("Rita").get(BOARD).text

    assert cards(text, "a") == ["Bridge"]
    assert figures(text, "a")[0] == "1"
    assert "Only mine" in text
    assert "Mia" not in text


def test_missing_foreign_and_wrong_verb(sqlite_boards: Boards) -> None:
    ada, otto = sqlite_boards.town.as_("Ada"), sqlite_boards.town.as_("Otto")

    assert ada.get("/w/acme/p/nothing/board").status_code == 404
    assert ada.get(f"{BOARD}/nowhere").status_code == 404
    assert otto.get(BOARD).status_code == 404
    assert otto.get("/w/other/p/gated/board").status_code == 404
    assert ada.post(BOARD).status_code == 405
    assert ada.post(f"{BOARD}/a").status_code == 405
    assert sqlite_boards.town.visitor().get(BOARD).status_code in (302, 303)


def test_stages_of_an_older_version_that_hold_cards_stay(sqlite_boards: Boards) -> None:
    sqlite_boards.new("Old", "free", "b")
    changed = {**FREE, "stages": [stage for stage in FREE["stages"] if stage["key"] != "b"]}
    uow = sqlite_boards.town.work()
    definitions.publish(uow, [changed])
    uow.commit()
    uow.session.close()
    ada = sqlite_boards.town.as_("Ada")

    text = ada.get(FREE_BOARD).text

    assert cards(text, "b") == ["Old"]
    assert "b (no longer used)" in text
    assert re.search(r'id="cards-b"\s+data-stage=""', text)
    assert ada.get(f"{FREE_BOARD}/b").status_code == 200


def test_a_board_takes_one_statement_a_column_and_few_more(
    boards: Boards, count_statements: Callable[[Flask], Any]
) -> None:
    for number in range(8):
        boards.new(f"Case {number}", worth="10")
    ada = boards.town.as_("Ada")
    ada.get(BOARD)

    with count_statements(boards.town.app) as sent:
        assert ada.get(BOARD).status_code == 200

    own = [statement for statement in sent if "set_config" not in statement]
    assert len(own) <= 4 + 7, own


def test_cards_are_small(sqlite_boards: Boards) -> None:
    record_id = sqlite_boards.new(
        "A case with a name of usual length",
        worth="123456",
        due="2025-05-11",
        holder=str(sqlite_boards.town.ids["Mia"]),
    )
    text = sqlite_boards.town.as_("Ada").get(BOARD).text

    card = re.search(rf'<li class="bcard" id="c-{to_public(record_id)}".*?</li>', text, re.DOTALL)
    assert card
    assert len(card.group().encode()) < 1000


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "' OR 1=1 --", "%00", "%ED%A0%80", "{{7*7}}", "a" * 4000, "\u202eabc"],
)
def test_hostile_names_and_parameters_are_text(sqlite_boards: Boards, text: str) -> None:
    if "%" not in text:
        sqlite_boards.new(text[:200])
    ada = sqlite_boards.town.as_("Ada")

    for name in ("owner", "q", "view", "after", "fold", "board"):
        for path in (BOARD, f"{BOARD}/a", sqlite_boards.address()):
            answer = ada.client.get(path, query_string=f"{name}={text}".replace("<", "%3C").replace(" ", "+"))
            assert answer.status_code in (200, 400, 404, 422), (path, name)
            assert "<script>alert" not in answer.text
