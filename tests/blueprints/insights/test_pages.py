"""Funnel, wins and the lists behind their figures, over HTTP."""

from __future__ import annotations

import html
import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from builder.db.ids import to_public
from builder.domain.stays import LoggedEntry
from builder.services import definitions
from builder.services.history import LoadedRecord, load_histories
from builder.services.records import NewRecord, Saved
from tests import factories
from tests.fixtures.town import Town, Visitor

FUNNEL = "/w/acme/insights/funnel?pipeline=free"
WINS = "/w/acme/insights/wins?pipeline=free"
HISTORIES = ("a b c won", "a c won", "a b a b lost", "a lost", "b c", "a", "a b invalid", "a b a")


def load(town: Town) -> None:
    """The table "one history, four modes" of metrics.md, owned by Rita and nobody in turn."""
    uow = town.work()
    begin = town.clock.now() - timedelta(days=40)
    items = []
    for number, words in enumerate(HISTORIES):
        values = {"title": f"Case {number} <b>", "worth": "1000.00", "heat": "hot" if number % 2 else "cold"}
        if number % 2:
            values["holder"] = str(town.ids["Rita"])
        entries = [LoggedEntry(key, begin + timedelta(days=at)) for at, key in enumerate(words.split())]
        items.append(LoadedRecord(NewRecord(values=values), entries))
    results = load_histories(uow, "matter", "free", items)
    assert all(isinstance(result, Saved) for result in results), results
    uow.commit()
    uow.session.close()


@pytest.fixture
def filled(town: Town) -> Town:
    load(town)
    return town


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.href = ""
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.href = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        if self.href and data.strip():
            self.found.append((self.href, data.strip()))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.href = ""


def links(page: str) -> list[tuple[str, str]]:
    parser = _Links()
    parser.feed(page)
    return parser.found


def island(page: str) -> dict[str, object]:
    found = re.search(r"data-chart='([^']*)'", page)
    assert found
    data: dict[str, object] = json.loads(html.unescape(found.group(1)))
    return data


def count_of(visitor: Visitor, address: str) -> int:
    page = visitor.get(address)
    assert page.status_code == 200, address
    found = re.search(r'page-subtitle">(\d+) (?:record|visit)', page.text)
    assert found, address
    return int(found.group(1))


@pytest.mark.parametrize(
    ("mode", "rates"),
    [
        ("visited", ("4 / 7", "2 / 5")),
        ("strict", ("4 / 7", "1 / 4")),
        ("filled", ("6 / 8", "3 / 6")),
        ("stay", ("6 / 7", "2 / 6")),
    ],
)
def test_one_history_has_four_modes(filled: Town, mode: str, rates: tuple[str, str]) -> None:
    page = filled.as_("Ada").get(f"{FUNNEL}&mode={mode}").text

    for rate in rates:
        assert rate in page
    assert "The sums agree" in page
    assert "M2" in page


def test_lost_records_can_be_left_unfilled(filled: Town) -> None:
    uow = filled.work()
    at = filled.clock.now() - timedelta(days=9)
    history = [LoggedEntry(key, at + timedelta(days=day)) for day, key in enumerate(("a", "c", "lost"))]
    load_histories(uow, "matter", "free", [LoadedRecord(NewRecord(values={"title": "Case 8 <b>"}), history)])
    uow.commit()
    uow.session.close()
    ada = filled.as_("Ada")
    page = ada.get(f"{FUNNEL}&mode=filled").text
    assert "7 / 9" in page
    switch = next(address for address, text in links(page) if text == "Lost ones do not fill")
    page = ada.get(switch).text
    assert "6 / 9" in page
    assert "M2c, lost do not fill" in page
    for address, text in links(page):
        if "/insights/funnel/list" in address and "%" not in text:
            assert count_of(ada, address) == int(text.split(" / ")[0]), (address, text)
    assert "Lost ones do not fill" not in ada.get(FUNNEL).text


def test_every_number_opens_a_list_of_that_length(filled: Town) -> None:
    ada = filled.as_("Ada")
    checked = 0
    for mode in ("visited", "strict", "filled", "stay"):
        for address, text in links(ada.get(f"{FUNNEL}&mode={mode}&view=period").text):
            if "/insights/funnel/list" in address:
                assert count_of(ada, address) == int(text.split(" / ")[0]), (address, text)
                checked += 1
    assert checked > 40


def test_the_wins_open_lists_of_their_length(filled: Town) -> None:
    ada = filled.as_("Ada")
    checked = 0
    for by in ("", "owner", "heat", "close_month", "client"):
        for address, text in links(ada.get(f"{WINS}&by={by}").text):
            if "/insights/wins/list" in address and text.isdigit():
                assert count_of(ada, address) == int(text), (address, text)
                checked += 1
    assert checked > 15


@pytest.mark.parametrize("page", ["funnel", "wins", "reasons"])
def test_a_page_opens_on_a_process_that_is_in_use(town: Town, page: str) -> None:
    """After moving in, records stand in the process of the file and not in the first of all."""
    before = set(re.findall(r"pipeline=(\w+)", town.as_("Ada").get(f"/w/acme/insights/{page}").text))
    load(town)
    after = set(re.findall(r"pipeline=(\w+)", town.as_("Ada").get(f"/w/acme/insights/{page}").text))
    assert "free" not in before
    assert after == {"free"}


def test_the_chart_has_the_figures_of_its_table(filled: Town) -> None:
    chart = island(filled.as_("Ada").get(FUNNEL).text)

    assert chart["config"]["type"] == "funnel"  # type: ignore[index]
    assert chart["config"]["data"]["datasets"][0]["data"] == [7, 5, 3, 2]  # type: ignore[index]
    assert len(chart["links"]) == 4  # type: ignore[arg-type]


def test_htmx_gets_the_panel_alone_and_others_the_page(filled: Town) -> None:
    ada = filled.as_("Ada")

    fragment = ada.get(FUNNEL, htmx=True, **{"HX-Target": "funnel-panel"}).text
    page = ada.get(FUNNEL).text

    assert fragment.strip().startswith("<section")
    assert "<html" not in fragment
    assert "<html" in page
    assert 'id="funnel-panel"' in fragment
    assert 'hx-trigger="moved from:body' in fragment
    assert "<script>" not in page
    assert " style=" not in page


def test_the_snapshot_shows_what_is_open(filled: Town) -> None:
    page = filled.as_("Ada").get(f"{FUNNEL}&view=snapshot").text

    assert island(page)["config"]["data"]["datasets"][0]["data"] == [2, 0, 1]  # type: ignore[index]
    assert "Weighted amount" in page


def test_amounts_are_shown_as_at_entry_and_as_of_now(filled: Town) -> None:
    ada = filled.as_("Ada")
    for amounts in ("entry", "now"):
        page = ada.get(f"{FUNNEL}&measure=amount&amounts={amounts}").text
        assert "$7,000" in page


def test_a_period_narrows_by_the_workspaces_days(filled: Town) -> None:
    ada = filled.as_("Ada")
    begin = (filled.clock.now() - timedelta(days=40)).date()

    inside = ada.get(f"{FUNNEL}&from={begin}&to={begin + timedelta(days=1)}").text
    before = ada.get(f"{FUNNEL}&from=2001-01-01&to=2001-02-01").text

    assert island(inside)["config"]["data"]["datasets"][0]["data"] == [7, 1, 0, 0]  # type: ignore[index]
    assert "Nothing fits these filters" in before


def test_a_rep_sees_only_what_is_hers(filled: Town) -> None:
    page = filled.as_("Rita").get(FUNNEL).text

    assert island(page)["config"]["data"]["datasets"][0]["data"] == [4, 1, 1, 1]  # type: ignore[index]


def test_owner_department_and_choice_filters_narrow(filled: Town) -> None:
    ada = filled.as_("Ada")
    by_choice = island(ada.get(f"{FUNNEL}&f.heat=hot").text)
    by_nobody = island(ada.get(f"{FUNNEL}&owner=none").text)
    by_department = island(ada.get(f"{FUNNEL}&department={to_public(filled.ids['east'])}").text)

    assert by_choice["config"]["data"]["datasets"][0]["data"] == [4, 1, 1, 1]  # type: ignore[index]
    assert by_nobody["config"]["data"]["datasets"][0]["data"] == [3, 4, 2, 1]  # type: ignore[index]
    assert by_department["config"]["data"]["datasets"][0]["data"] == [4, 1, 1, 1]  # type: ignore[index]


def test_a_free_condition_in_the_address_narrows(filled: Town) -> None:
    where = json.dumps({"field": "heat", "op": "eq", "value": "cold"})
    answer = filled.as_("Ada").get(f"{FUNNEL}&where={quote(where)}").text
    assert island(answer)["config"]["data"]["datasets"][0]["data"] == [3, 4, 2, 1]  # type: ignore[index]


def test_comparing_shows_a_row_per_group(filled: Town) -> None:
    ada = filled.as_("Ada")
    for by, names in (("owner", ("Rita", "(none)")), ("heat", ("Hot", "Cold"))):
        page = ada.get(f"{FUNNEL}&by={by}").text
        for name in names:
            assert f">{name}<" in page


def test_what_makes_the_modes_differ_is_listed(filled: Town) -> None:
    ada = filled.as_("Ada")
    page = ada.get("/w/acme/insights/funnel/difference?pipeline=free", htmx=True).text

    found = [(address, int(text)) for address, text in links(page)]
    assert found
    for address, count in found:
        assert count_of(ada, address) == count


def test_the_win_rates_are_those_of_their_definitions(filled: Town) -> None:
    page = filled.as_("Ada").get(WINS).text

    assert "50.0%" in page  # 2 won of 4 won or lost
    assert "40.0%" in page  # 2 of 5 with the invalid one
    assert "25.0%" in page  # 2 of 8
    for number in ("M5", "M6", "M7", "M27", "M10"):
        assert number in page


def test_an_empty_pipeline_says_what_to_do(town: Town) -> None:
    ada = town.as_("Ada")
    assert "No records in this pipeline yet" in ada.get(FUNNEL).text
    assert "Nothing to win or lose yet" in ada.get(WINS).text


def test_nonsense_in_the_address_is_refused_politely(filled: Town) -> None:
    ada = filled.as_("Ada")
    for query, status in (
        ("mode=sideways", 422),
        ("owner=nobody", 404),
        ("from=yesterday", 422),
        ("from=2025-02-01&to=2025-01-01", 422),
        ("f.heat=lukewarm", 422),
        ("where={", 422),
        ("where=[]", 422),
        ("by=title%27", 422),
        ("by=close_month", 422),
        ("by=close_quarter&measure=amount", 422),
        ("pipeline=nowhere", 404),
    ):
        address = FUNNEL if "pipeline" not in query else "/w/acme/insights/funnel?x=1"
        assert ada.get(f"{address}&{query}").status_code == status, query
    assert ada.get("/w/acme/insights/funnel/list?pipeline=free&figure=x&stage=a").status_code == 422
    assert ada.get("/w/acme/insights/funnel/list?pipeline=free&figure=entered&stage=zz").status_code == 422
    assert ada.get("/w/acme/insights/wins/list?pipeline=free&outcome=zz").status_code == 422


def test_without_the_right_the_pages_are_forbidden(filled: Town) -> None:
    uow = filled.work()
    definitions.publish(uow, (factories.role("rep", ("record.create",), "own"),))
    uow.commit()
    uow.session.close()
    rita = filled.as_("Rita")
    for address in (FUNNEL, WINS, "/w/acme/insights/funnel/list?pipeline=free"):
        assert rita.get(address).status_code == 403


def test_strangers_and_other_workspaces_see_nothing(filled: Town) -> None:
    assert filled.as_("Otto").get(FUNNEL).status_code == 404
    answer = filled.visitor().get(FUNNEL)
    assert answer.status_code in (302, 303)


def test_a_page_costs_few_statements(filled: Town, count_statements) -> None:  # type: ignore[no-untyped-def]
    ada = filled.as_("Ada")
    ada.get(FUNNEL)
    for address in (FUNNEL, f"{FUNNEL}&view=snapshot", f"{FUNNEL}&by=owner", f"{WINS}&by=owner"):
        with count_statements(filled.app) as sent:
            ada.get(address)
        assert len(sent) <= 10, (address, sent)


def test_dates_of_a_stay_are_shown(filled: Town) -> None:
    page = filled.as_("Ada").get("/w/acme/insights/funnel/list?pipeline=free&figure=entered&stage=a").text
    begin: datetime = filled.clock.now() - timedelta(days=40)
    assert str(begin.year) in page
    assert "Case 0 &lt;b&gt;" in page


def test_a_filter_is_built_visually_and_leads_back(filled: Town) -> None:
    ada = filled.as_("Ada")
    builder = next(address for address, text in links(ada.get(FUNNEL).text) if text == "Filter by any field")

    page = ada.get(builder).text
    row = "&mode=all&group=0&g0-mode=all&g0-row=0&g0-0-field=heat&g0-0-op=eq&g0-0-a=hot&_filter=apply"
    answer = ada.get(f"{builder}{row}")

    assert "<html" in page
    assert 'id="filter-builder"' in page
    assert answer.status_code == 303, answer.text
    found = ada.get(answer.headers["Location"]).text
    assert island(found)["config"]["data"]["datasets"][0]["data"] == [4, 1, 1, 1]  # type: ignore[index]
    assert "Remove" in found


def test_a_funnel_over_several_pipelines_is_counted_over_conversions(filled: Town) -> None:
    uow = filled.work()
    steps = [{"pipeline": "free", "stage": key, "label": {"en": key}} for key in ("a", "b", "won")]
    chain = {
        "grammar": 1,
        "kind": "funnel",
        "key": "chain",
        "label": {"en": "Chain"},
        "steps": steps,
        "unit": "record",
    }
    definitions.publish(uow, (chain,))
    uow.commit()
    uow.session.close()
    page = filled.as_("Ada").get("/w/acme/insights/funnels/chain").text
    assert island(page)["config"]["data"]["datasets"][0]["data"] == [7, 5, 2]  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    [
        "/w/acme/insights/wins/list?pipeline=free&by=title&group=%00",
        "/w/acme/insights/reasons/list?pipeline=free&outcome=lost&reason=%00",
        "/w/acme/insights/reasons/list?pipeline=free&outcome=lost&stage=%00",
        f"{FUNNEL}&where={quote(json.dumps({'field': 'worth', 'op': 'gt', 'value': '1e99999'}))}",
        f"{WINS}&where={quote(json.dumps({'field': 'worth', 'op': 'gt', 'value': '1e99999'}))}",
    ],
)
def test_a_value_that_no_database_can_compare_is_refused_in_words(town: Town, path: str) -> None:
    assert town.as_("Ada").get(path).status_code == 422


def test_groups_that_are_not_shown_are_told_of(filled: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = filled.as_("Ada")
    assert "largest of" not in ada.get(f"{FUNNEL}&by=heat").text
    monkeypatch.setattr("blueprints.insights.funnel.MOST_GROUPS", 1)
    assert "The 1 largest of 2 groups are shown." in ada.get(f"{FUNNEL}&by=heat").text
