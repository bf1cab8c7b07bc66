"""The page of reasons over HTTP: three ranked lists, each number with its list (S40, S41)."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from builder.cli import main
from builder.services import definitions
from builder.services.entries import Entry
from builder.services.records import NewRecord, create
from builder.services.transitions import Applied, MoveRecord, move
from tests import factories
from tests.blueprints.insights.test_pages import count_of, links
from tests.fixtures.town import Town

PAGE = "/w/acme/insights/reasons?pipeline=free"
REASONS = {
    "lost": [
        {"key": "price", "label": {"en": "Price <too high>", "zh_Hans": "价格"}},
        {"key": "timing", "label": {"en": "Timing", "zh_Hans": "时机"}},
    ],
    "won": [{"key": "trial", "label": {"en": "Free trial", "zh_Hans": "试用"}}],
}
ENDS = (
    ("a", "lost", "price", "100.00", None),
    ("b", "lost", "price", "200.00", "Rita"),
    ("b", "lost", "timing", "5000.00", "Rita"),
    ("b", "won", "trial", "900.00", "Rita"),
    ("a", "invalid", None, "1.00", None),
)


@pytest.fixture
def closed(town: Town) -> Town:
    uow = town.work()
    definitions.publish(uow, [{**factories.FREE, "reasons": REASONS}])
    uow.commit()
    uow.session.close()
    for stage, end, reason, worth, holder in ENDS:
        uow = town.work()
        values = {"title": end, "worth": worth, "heat": "hot" if reason == "price" else "cold"}
        if holder:
            values["holder"] = str(town.ids[holder])
        made = create(uow, "matter", NewRecord(values, Entry("free"))).record_id
        if stage != "a":
            assert isinstance(move(uow, MoveRecord(made, stage)), Applied)
        assert isinstance(move(uow, MoveRecord(made, end, reason_key=reason)), Applied)
        uow.commit()
        uow.session.close()
    return town


def charts(page: str) -> list[Any]:
    return [json.loads(html.unescape(found))["config"] for found in re.findall(r"data-chart='([^']*)'", page)]


def test_the_page_ranks_reasons_and_tactics(closed: Town) -> None:
    page = closed.as_("Ada").get(PAGE).text

    lost, won, invalid = charts(page)
    assert lost["data"]["labels"] == ["Price <too high>", "Timing"]
    assert lost["data"]["datasets"][0]["data"] == [2, 1]
    assert won["data"]["labels"] == ["Free trial"]
    assert invalid["data"]["labels"] == ["(no reason given)"]
    assert "Price &lt;too high&gt;" in page
    assert "Price <too high>" not in page
    assert "$5,300" in page
    assert "From “B”" in page
    assert "<script>" not in page


def test_ranked_by_amount_the_dearest_comes_first(closed: Town) -> None:
    lost = charts(closed.as_("Ada").get(f"{PAGE}&measure=amount").text)[0]
    assert lost["data"]["labels"] == ["Timing", "Price <too high>"]
    assert lost["data"]["datasets"][0]["data"] == [5000.0, 300.0]


def test_every_number_opens_a_list_of_that_length(closed: Town) -> None:
    ada = closed.as_("Ada")
    checked = 0
    for address, text in links(ada.get(PAGE).text):
        if "/insights/reasons/list" in address and text.isdigit():
            assert count_of(ada, address) == int(text), (address, text)
            checked += 1
    assert checked >= 12


def test_filters_and_rights_narrow_the_reasons(closed: Town) -> None:
    ada = closed.as_("Ada")
    assert charts(closed.as_("Rita").get(PAGE).text)[0]["data"]["datasets"][0]["data"] == [1, 1]
    assert charts(ada.get(f"{PAGE}&f.heat=hot").text)[0]["data"]["labels"] == ["Price <too high>"]
    where = quote(json.dumps({"field": "heat", "op": "eq", "value": "cold"}))
    assert charts(ada.get(f"{PAGE}&where={where}").text)[0]["data"]["labels"] == ["Timing"]
    past = ada.get(f"{PAGE}&from=2001-01-01&to=2001-02-01")
    assert past.status_code == 200
    assert "Nothing fits these filters" in past.text


def test_amounts_are_written_as_on_boards(closed: Town) -> None:
    ada = closed.as_("Ada")
    lost = charts(ada.get(f"{PAGE}&measure=amount").text)[0]
    assert lost["data"]["datasets"][0]["texts"] == ["$5,000", "$300"]
    assert lost["options"]["scales"]["x"]["ticks"]["format"] == {
        "style": "currency",
        "currency": "USD",
        "maximumFractionDigits": 0,
    }
    ada.post("/account/settings", {"name": "Ada", "locale": "zh_Hans", "time_zone": "", "theme": ""})
    assert "US$5,300" in ada.get(f"{PAGE}&measure=amount").text
    assert "format" not in charts(ada.get(PAGE).text)[0]["options"]["scales"]["x"]["ticks"]


def test_htmx_gets_the_panel_alone(closed: Town) -> None:
    fragment = closed.as_("Ada").get(PAGE, htmx=True, **{"HX-Target": "reasons-panel"}).text
    assert fragment.strip().startswith("<section")
    assert "<html" not in fragment


def test_reasons_are_called_in_the_readers_language(closed: Town) -> None:
    ada = closed.as_("Ada")
    ada.post("/account/settings", {"name": "Ada", "locale": "zh_Hans", "time_zone": "", "theme": ""})
    assert charts(ada.get(PAGE).text)[0]["data"]["labels"] == ["价格", "时机"]


def test_nothing_closed_is_told_as_such(town: Town) -> None:
    page = town.as_("Ada").get(PAGE)
    assert page.status_code == 200
    assert "Nothing is closed yet" in page.text


@pytest.mark.parametrize("query", ["outcome=open", "outcome=", "outcome=lost&after=x"])
def test_an_address_that_means_nothing_is_refused(closed: Town, query: str) -> None:
    answer = closed.as_("Ada").get(f"/w/acme/insights/reasons/list?pipeline=free&{query}")
    assert answer.status_code in (404, 422)


def test_strangers_find_nothing(closed: Town) -> None:
    assert closed.as_("Otto").get(PAGE).status_code == 404


def test_the_command_prints_the_same_figures(closed: Town) -> None:
    settings = closed.app.extensions["funnelwright.settings"]
    known = {
        "DATABASE_URL": settings.database_url,
        "FUNNELWRIGHT_DATA": str(settings.data_folder),
        "SECRET_KEY": settings.secret_key,
    }
    command = ["report", "reasons", "-w", "acme", "--pipeline", "Free"]
    answer = CliRunner().invoke(main, [*command, "--json"], env=known)
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["currency"] == "USD"
    assert (found["lost"]["n"], found["lost"]["amount"]) == (3, 5300)
    first = found["lost"]["reasons"][0]
    assert (first["key"], first["n"], first["amount"]) == ("price", 2, 300)
    assert {part["stage"]: part["n"] for part in first["stages"]} == {"A": 1, "B": 1}
    table = CliRunner().invoke(main, [*command, "--rank", "amount"], env=known)
    assert table.exit_code == 0
    assert table.stdout.index("Timing") < table.stdout.index("Price")
