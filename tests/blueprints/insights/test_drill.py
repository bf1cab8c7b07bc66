"""The list behind a figure as a file: the same records, for those who may export."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from sqlalchemy import select

from blueprints.insights import drill
from builder.db.ledger import EventRow
from tests.blueprints.insights.test_pages import load
from tests.blueprints.workspace.test_exports import may_export
from tests.fixtures.town import Town

WON = "/w/acme/insights/wins/list?pipeline=free&outcome=won"
LISTS = (
    WON,
    "/w/acme/insights/wins/list?pipeline=free",
    "/w/acme/insights/funnel/list?pipeline=free&stage=a&figure=denominator",
    "/w/acme/insights/reasons/list?pipeline=free&outcome=lost",
)
VISITS = "/w/acme/insights/funnel/list?pipeline=free&stage=a&figure=entered"


@pytest.fixture
def filled(town: Town) -> Town:
    load(town)
    return town


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_list_behind_a_figure_is_a_file_of_the_same_records(filled: Town) -> None:
    ada = filled.as_("Ada")
    for address in LISTS:
        page = ada.get(address).text
        names = [html.unescape(name) for name in re.findall(r">(Case \d &lt;b&gt;)<", page)]
        (action,) = re.findall(r'<form class="btn-list" method="post" action="([^"]+)"', page)
        answer = ada.post(action.replace("&amp;", "&"), {"format": "csv"})
        assert answer.status_code == 200, address
        head, *rows = rows_of(answer.text)
        assert head == [
            "Record ID",
            "Title",
            "Worth",
            "Worth (currency)",
            "Owner",
            "Stage",
            "Outcome",
            "Closed",
        ]
        assert [row[1] for row in rows] == names != [], address
    assert rows_of(ada.post(WON, {"format": "csv"}).text)[2][2:7] == ["1000.00", "USD", "Rita", "Won", "Won"]
    assert ada.post(WON, {"format": "xlsx"}).data.startswith(b"PK")
    uow = filled.work()
    logged = uow.session.scalars(select(EventRow.data).where(EventRow.kind == "records.exported")).all()
    uow.session.close()
    assert [(data["count"], data["title"]) for data in logged][-1] == (2, "Won")


def test_only_those_who_may_export_get_the_file_and_only_what_they_see(filled: Town) -> None:
    rita = filled.as_("Rita")
    assert "btn-list" not in rita.get(WON).text
    assert rita.post(WON, {"format": "csv"}).status_code == 403
    may_export(filled, "rep")
    assert [row[4] for row in rows_of(rita.post(WON, {"format": "csv"}).text)[1:]] == ["Rita"]


def test_visits_strange_formats_and_too_many_records_are_refused(
    filled: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = filled.as_("Ada")
    assert "btn-list" not in ada.get(VISITS).text
    assert ada.post(VISITS, {"format": "csv"}).status_code == 422
    assert ada.post(WON, {"format": "pdf"}).status_code == 422
    assert ada.post(f"{WON}&group=nothing&by=owner", {"format": "csv"}).status_code == 404
    monkeypatch.setattr(drill, "MOST_LISTED", 1)
    answer = ada.post(WON, {"format": "csv"})
    assert answer.status_code == 422
    assert "At most 1 records behind a figure" in answer.text
