"""Calendars over HTTP: pages, days, filters and views, and moving a record to another day."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from builder.services import definitions
from tests.blueprints.workspace.desk import NOBODY, page_of, sent_by
from tests.factories import CASE
from tests.fixtures.boards import Boards

CALENDAR = "/w/acme/o/matter/calendar"
VIEWS = "/w/acme/o/matter/calendar-views"
MAY = f"{CALENDAR}?on=2025-05-12"


def entries(text: str) -> dict[str, list[str]]:
    """The names by day."""
    found = {}
    for part in re.finditer(r'<ol class="cal-entries" data-day="([^"]+)".*?</ol>', text, re.DOTALL):
        names = re.findall(r'class="cal-name"[^>]*>(?:<time>[^<]*</time> )?([^<]*)<', part.group())
        if names:
            found[part.group(1)] = [html.unescape(name) for name in names]
    return found


def move(boards: Boards, name: str, day: str, revision: int | str = 1, **more: str) -> Any:
    who = boards.town.as_(more.pop("who", "Ada"))
    record_id = boards.id
    sent = {"by": "due", "span": "month", "on": "2025-05-12", "day": day, "revision": str(revision), **more}
    return who.post(page_of(record_id, "/day"), sent, htmx=name == "htmx")


@pytest.fixture
def dated(boards: Boards) -> Boards:
    """Rita's Bridge is due on May 20."""
    uow = boards.town.work()
    from builder.services import records
    from builder.services.records import SaveRecord

    records.save(uow, SaveRecord(boards.id, {"due": "2025-05-20"}))
    uow.commit()
    uow.session.close()
    return boards


def test_a_month_shows_records_on_their_days(dated: Boards) -> None:
    for number in range(6):
        dated.new(f"Case {number}", "free", due="2025-05-21")
    dated.new("Later", "free", due="2025-06-01")
    dated.new("Later", "free", due="2025-06-02")

    text = dated.town.as_("Ada").get(MAY).text

    assert "May 2025" in text
    assert '<abbr title="Sunday">Sun</abbr>' in text
    assert entries(text) == {
        "2025-05-20": ["Bridge"],
        "2025-05-21": [f"Case {number}" for number in range(4)],
        "2025-06-01": ["Later"],
    }
    assert "2 more" in text
    more = re.search(r'class="cal-more"\s+href="([^"]+)"', text)
    assert more
    day = dated.town.as_("Ada").get(html.unescape(more.group(1))).text
    assert all(f"Case {number}" in day for number in range(6))
    assert "Bridge" not in day
    assert entries(dated.town.as_("Rita").get(MAY).text) == {"2025-05-20": ["Bridge"]}


def test_week_agenda_and_steps(dated: Boards) -> None:
    ada = dated.town.as_("Ada")

    week = ada.get(f"{CALENDAR}?on=2025-05-19&span=week").text
    assert entries(week) == {"2025-05-20": ["Bridge"]}
    assert "on=2025-05-12" in week
    assert "on=2025-05-26" in week
    agenda = ada.get(f"{CALENDAR}?on=2025-05-19&span=agenda").text
    assert entries(agenda) == {"2025-05-20": ["Bridge"]}
    assert "cal-table" not in agenda
    assert entries(ada.get(f"{CALENDAR}?on=2025-07-01").text) == {}
    # Without a day it is today's page.
    assert "2025-05-12" in ada.get(CALENDAR).text
    assert "<html" not in ada.get(MAY, htmx=True).text


def test_days_of_times_are_days_of_the_workspace(sqlite_boards: Boards) -> None:
    document = json.loads(json.dumps(CASE))
    document["fields"]["properties"]["met_at"] = {
        "x-type": "datetime",
        "x-label": {"en": "Met"},
        "x-filterable": True,
    }
    uow = sqlite_boards.town.work()
    definitions.publish(uow, [document])
    uow.commit()
    uow.session.close()
    case = sqlite_boards.new("Talk", "free", met_at="2025-05-20T23:30:00Z")
    ada = sqlite_boards.town.as_("Ada")

    page = f"{CALENDAR}?by=met_at&on=2025-05-12"
    # In Shanghai it is half past seven on the next day.
    assert entries(ada.get(page).text) == {"2025-05-21": ["Talk"]}
    assert "<time>7:30" in ada.get(page).text
    sent = {"by": "met_at", "day": "2025-05-22", "revision": "1", "on": "2025-05-12"}
    assert ada.post(page_of(case, "/day"), sent, htmx=True).status_code == 200
    assert sqlite_boards.row(case).data["met_at"] == "2025-05-21T23:30:00Z"
    assert entries(ada.get(f"{CALENDAR}?by=record.created_at&on=2025-05-12").text)["2025-05-12"]


def test_a_page_takes_few_statements(dated: Boards, count_statements: Callable[[Flask], Any]) -> None:
    for number in range(6):
        dated.new(f"Case {number}", "free", due="2025-05-21")
    rita = dated.town.as_("Ada")
    rita.get(MAY)

    with count_statements(dated.town.app) as sent:
        assert rita.get(MAY).status_code == 200

    assert len([statement for statement in sent if "set_config" not in statement]) <= 6, sent


def test_moving_saves_the_day_and_shows_the_page_anew(dated: Boards) -> None:
    answer = move(dated, "htmx", "2025-05-23", 2)

    assert answer.status_code == 200
    assert entries(answer.text) == {"2025-05-23": ["Bridge"]}
    assert answer.headers["HX-Retarget"] == "#calendar"
    assert "is on Friday, May 23, 2025 now" in answer.text
    row = dated.row()
    assert (row.data["due"], row.revision, str(row.expected_close_on)) == ("2025-05-23", 3, "2025-05-23")
    plain = move(dated, "plain", "2025-05-24", 3)
    assert plain.status_code == 303
    assert "/calendar?" in plain.headers["Location"]


def test_the_form_moves_without_scripts(dated: Boards) -> None:
    ada = dated.town.as_("Ada")
    text = ada.get(MAY).text
    link = re.search(r'class="cal-move"\s+href="([^"]+)"', text)
    assert link

    page = ada.get(html.unescape(link.group(1)))
    dialog = ada.get(html.unescape(link.group(1)), htmx=True)

    assert "<html" in page.text
    assert "<html" not in dialog.text
    sent = dict(sent_by(page.text, "day-form"))
    assert (sent["day"], sent["revision"]) == ("2025-05-20", "2")
    wrong = ada.post(page_of(dated.id, "/day"), {**sent, "day": "tomorrow"})
    assert wrong.status_code == 422
    assert 'value="tomorrow"' in wrong.text
    assert "is not a day" in wrong.text
    stale = ada.post(page_of(dated.id, "/day"), {**sent, "day": "2025-05-30", "revision": "1"})
    assert stale.status_code == 409
    assert dict(sent_by(stale.text, "day-form"))["day"] == "2025-05-30"
    assert dict(sent_by(stale.text, "day-form"))["revision"] == "2"
    assert ada.post(page_of(dated.id, "/day"), {**sent, "day": "2025-05-30"}).status_code == 303


def test_who_may_not_and_what_is_not_there(dated: Boards) -> None:
    assert move(dated, "htmx", "2025-05-23", 1).status_code == 409
    assert move(dated, "htmx", "someday", 2).status_code == 422
    assert move(dated, "htmx", "2025-05-23", "").status_code == 400
    assert move(dated, "htmx", "2025-05-23", 2, by="record.created_at").status_code == 422
    assert move(dated, "htmx", "2025-05-23", 2, by="title").status_code == 422
    assert move(dated, "htmx", "2025-05-23", 2, who="Otto").status_code == 404
    ada = dated.town.as_("Ada")
    assert ada.post(f"/w/acme/r/{NOBODY}/day", {"day": "2025-05-23", "revision": "1"}).status_code == 404
    assert ada.client.put(page_of(dated.id, "/day")).status_code == 405
    assert ada.get("/w/acme/o/nothing/calendar").status_code == 404
    assert dated.row().revision == 2


def test_filter_and_views_keep_the_date(dated: Boards) -> None:
    dated.new("Hot", "free", due="2025-05-21", heat="hot")
    ada, mia = dated.town.as_("Ada"), dated.town.as_("Mia")
    built = "group=0&g0-row=0&g0-0-field=heat&g0-0-op=in&g0-0-a=hot&mode=all&g0-mode=all&_filter=apply"

    led = ada.get(f"/w/acme/o/matter/calendar-filter?on=2025-05-12&{built}").headers["Location"]
    assert entries(ada.get(led).text) == {"2025-05-21": ["Hot"]}
    hot = json.dumps({"field": "heat", "op": "eq", "value": "hot"})
    saved = ada.post(VIEWS, {"name": "Hot days", "f": hot, "by": "due", "shared": "1"})
    assert saved.status_code == 303
    view = saved.headers["Location"].rpartition("view=")[2]
    assert "Hot days" in mia.get(MAY).text
    assert entries(ada.get(f"{MAY}&view={view}").text) == {"2025-05-21": ["Hot"]}
    own = f"{VIEWS}/{view}"
    assert (
        ada.post(own, {"name": "Due", "by": "due", "view": view, "revision": "1", "shared": "1"}).status_code
        == 303
    )
    assert ada.post(own, {"name": "Due", "by": "due", "revision": "1"}).status_code == 409
    assert ada.post(VIEWS, {"name": "", "by": "due"}).status_code == 422
    assert mia.post(own, {"name": "Mine", "by": "due", "revision": "2"}).status_code == 403
    assert ada.post(f"/w/acme/p/free/board-views/{view}", {"name": "x", "revision": "2"}).status_code == 404
    assert ada.post(f"{own}/delete", {"revision": "2"}).status_code == 303
    assert ada.get(f"{MAY}&view={view}").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "\x00",
        "0000-00-00",
        "9999-12-31",
        "note",
        "a" * 5000,
        "{{7*7}}",
        "\u202e",
    ],
)
def test_hostile_parameters_are_told(sqlite_boards: Boards, text: str) -> None:
    client = sqlite_boards.town.as_("Ada").client

    for name in ("by", "on", "span", "view", "f"):
        answer = client.get(CALENDAR, query_string={name: text})
        assert answer.status_code == 200, name
        assert "cannot be used" in answer.text, name
        assert "<script>alert" not in answer.text
