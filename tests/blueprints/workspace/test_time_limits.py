"""Records past the limits of their stage (B13): on Today, in lists, on boards, in views that are kept."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from builder.services import definitions
from tests.factories import FREE
from tests.fixtures.boards import Boards

PAST = {"field": "record.time_limit", "op": "in", "value": ["warning", "breach"]}
QUERY = urlencode({"f": json.dumps(PAST)})
LIST, BOARD = "/w/acme/o/matter", "/w/acme/p/free/board"


@pytest.fixture
def late(boards: Boards) -> Boards:
    """Two records of Ada: one past its warning, one on time; and one of Mia past its limit."""
    uow = boards.town.work()
    limited = {**FREE["stages"][0], "target_days": 1, "warning_days": 2, "breach_days": 9}
    definitions.publish(uow, [{**FREE, "stages": [limited, *FREE["stages"][1:]]}])
    uow.commit()
    uow.session.close()
    ids = boards.town.ids
    boards.new("Breach", "free", holder=str(ids["Mia"]))
    boards.town.clock.advance(timedelta(days=7))
    boards.new("Warned", "free", holder=str(ids["Ada"]))
    boards.town.clock.advance(timedelta(days=3))
    boards.new("Punctual", "free", holder=str(ids["Ada"]))
    return boards


def names(page: str) -> set[str]:
    return {
        html.unescape(name) for name in re.findall(r'class="(?:row-link|bcard-name)"[^>]*>([^<]*)<', page)
    }


def test_today_tells_of_them_and_leads_to_their_list(late: Boards) -> None:
    ada = late.town.as_("Ada")
    page = ada.get("/w/acme/").text
    assert "1 record stands in its stage for longer than it should." in page
    assert page.index(">Warned<") < page.index(">Punctual<")
    assert page.count('<b class="limit limit-warn"') == 1
    place = re.search(r'<a href="([^"]+)">Free \(1\)</a>', page)
    assert place
    listed = ada.get(html.unescape(place.group(1))).text
    assert names(listed) == {"Warned"}
    assert "Time in the stage is one of past the warning" in listed


def test_lists_boards_and_views_are_limited_to_them(late: Boards) -> None:
    ada = late.town.as_("Ada")
    assert names(ada.get(f"{LIST}?{QUERY}").text) == {"Warned", "Breach"}
    assert names(ada.get(f"{BOARD}?{QUERY}").text) == {"Warned", "Breach"}
    built = "group=0&g0-row=0&g0-0-field=record.time_limit&g0-0-op=in&g0-0-a=breach&mode=all&_filter=apply"
    led = ada.get(f"/w/acme/p/free/board-filter?{built}")
    assert led.status_code == 303
    assert names(ada.get(led.location).text) == {"Breach"}
    kept = ada.post(f"{LIST}/views", {"name": "Stuck", "f": json.dumps(PAST)})
    assert kept.status_code == 303, kept.text
    assert names(ada.get(kept.location).text) == {"Warned", "Breach"}
    wrong = urlencode({"f": json.dumps({**PAST, "value": ["late"]})})
    assert "is not one of the options" in ada.get(f"{LIST}?{wrong}").text


def test_what_has_no_limits_is_not_offered(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")
    assert "record.time_limit" not in ada.get(f"{LIST}/filter").text
    assert names(ada.get(f"{LIST}?{QUERY}").text) == set()
