"""The page of a funnel over several pipelines: every figure opens its list, filters narrow, rights hold."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from builder.services.conversion import ConvertRecord, convert
from builder.services.entries import Entry
from builder.services.records import NewRecord, create
from builder.services.transitions import MoveRecord, move
from tests import factories
from tests.blueprints.insights.test_drill import rows_of
from tests.blueprints.insights.test_pages import count_of, island, links
from tests.blueprints.workspace.test_conversion import COURT, ENQUIRY
from tests.blueprints.workspace.test_exports import may_export
from tests.fixtures.town import Town

CHAIN = "/w/acme/insights/funnels/chain"
HEAT = {"heat": factories.CASE["fields"]["properties"]["heat"]}


def chain(unit: str) -> dict[str, Any]:
    steps = [("court", "new"), ("free", "a"), ("free", "won")]
    labels = {"label": {"en": f"By {unit}"}, "description": {"en": "All the way."}}
    named = [{"pipeline": pipeline, "stage": stage} for pipeline, stage in steps]
    key = "chain" if unit == "record" else unit
    return {"grammar": 1, "kind": "funnel", "key": key, **labels, "steps": named, "unit": unit}


@pytest.fixture
def filled(town: Town) -> Town:
    """Six enquiries, every second Rita's and hot; four converted, one of these won, Rita's last one by Mia."""
    uow = town.work()
    fields = ENQUIRY["fields"]
    object_ = {**ENQUIRY, "fields": {**fields, "properties": {**fields["properties"], **HEAT}}}
    factories.publish(uow, [object_, COURT, chain("record"), chain("customer")])
    for number in range(6):
        values = {"wish": f"Wish {number}", "firm": "Farms", "heat": "hot" if number % 2 else "cold"}
        if number % 2:
            values["holder"] = str(town.ids["Rita"])
        made = create(uow, "enquiry", NewRecord(values, Entry("court"))).record_id
        if number < 4:
            more = {"matter": {"holder": str(town.ids["Mia"])}} if number == 3 else {}
            main = convert(uow, ConvertRecord(made, None, values=more)).main
            if not number:
                move(uow, MoveRecord(main, "won"))
    uow.commit()
    uow.session.close()
    return town


def bars(page: str) -> Any:
    return island(page)["config"]["data"]["datasets"][0]["data"]  # type: ignore[index]


def test_every_bar_and_number_opens_a_list_of_that_length(filled: Town) -> None:
    ada, checked = filled.as_("Ada"), 0
    for key in ("chain", "customer"):
        for mode in ("visited", "strict", "filled", "stay"):
            page = ada.get(f"/w/acme/insights/funnels/{key}?mode={mode}").text
            assert "The sums agree" in page
            numbers = [(address, text) for address, text in links(page) if "/list?" in address]
            for address, text in numbers:
                if "%" not in text:
                    assert counted(ada, address) == int(text.split(" / ")[0]), (address, text)
                    checked += 1
            drawn = zip(island(page)["links"], bars(page), strict=True)  # type: ignore[arg-type]
            assert all(counted(ada, str(link)) == bar for link, bar in drawn)
    assert checked > 60


def counted(visitor: Any, address: str) -> int:
    """``count_of`` knows records and visits; a list of customers says customers."""
    if "/customer/" not in address or "mode=stay" in address:
        return count_of(visitor, address)
    text: str = visitor.get(address).text
    found = text.split('page-subtitle">')[1].split("<")[0].split()
    return int(found[0])


def test_filters_narrow_the_first_records(filled: Town) -> None:
    ada = filled.as_("Ada")
    where = quote(json.dumps({"field": "heat", "op": "eq", "value": "cold"}))
    today = filled.work().workspace.day_of(filled.clock.now())
    for query, expected in (
        ("", [6, 4, 1]),
        ("f.heat=hot", [3, 2, 0]),
        (f"where={where}", [3, 2, 1]),
        ("owner=none", [3, 2, 1]),
        ("preset=this_month&mode=filled", [6, 4, 1]),
        (f"from={today}&owner=none", [3, 2, 1]),
    ):
        assert bars(ada.get(f"{CHAIN}?{query}").text) == expected, query
    assert "Nothing fits these filters" in ada.get(f"{CHAIN}?from=2001-01-01&to=2001-02-01").text
    page = ada.get(CHAIN).text
    for name in ("owner", "department", "f.heat", "preset"):
        assert f'name="{name}"' in page
    assert 'name="pipeline"' not in page
    builder = next(address for address, text in links(page) if text == "Filter by any field")
    row = "&mode=all&group=0&g0-mode=all&g0-row=0&g0-0-field=heat&g0-0-op=eq&g0-0-a=hot&_filter=apply"
    answer = ada.get(f"{builder}{row}")
    assert answer.status_code == 303, answer.text
    assert bars(ada.get(answer.headers["Location"]).text) == [3, 2, 0]


def test_a_rep_counts_her_own_and_opens_only_what_she_sees(filled: Town) -> None:
    rita = filled.as_("Rita")
    page = rita.get(CHAIN).text
    assert bars(page) == [3, 2, 0]
    assert 'name="owner"' not in page
    units = rita.get(f"{CHAIN}/list?step=free/a&figure=denominator").text
    assert (units.count(">Wish 1<"), units.count(">Wish 3<")) == (2, 1)
    assert "1 record of others" in units
    visits = rita.get(f"{CHAIN}/list?step=free/a&figure=entered").text
    assert (visits.count(">Wish 1<"), visits.count(">Wish 3<"), "Matter of others" in visits) == (2, 1, True)
    assert "record of others" not in filled.as_("Ada").get(f"{CHAIN}/list?step=free/a").text


def test_the_units_are_a_file_for_those_who_may_export(filled: Town) -> None:
    rita, address = filled.as_("Rita"), f"{CHAIN}/list?step=free/a"
    assert "btn-list" not in rita.get(address).text
    assert rita.post(address, {"format": "csv"}).status_code == 403
    may_export(filled, "rep")
    assert [row[1] for row in rows_of(rita.post(address, {"format": "csv"}).text)[1:]] == ["Wish 3", "Wish 1"]
    for refused in (f"{address}&figure=entered", f"{address.replace('chain', 'customer')}"):
        assert "btn-list" not in rita.get(refused).text
        assert rita.post(refused, {"format": "csv"}).status_code == 422
    assert rita.post(address, {"format": "pdf"}).status_code == 422


def test_the_panel_comes_alone_and_costs_few_statements(filled: Town, count_statements: Any) -> None:
    ada = filled.as_("Ada")
    fragment = ada.get(CHAIN, htmx=True, **{"HX-Target": "chained-panel"})
    assert fragment.text.strip().startswith("<section")
    assert "/funnels/chain" in fragment.headers["HX-Push-Url"]
    for address in (
        f"{CHAIN}?preset=this_month",
        f"{CHAIN}/list?step=free/a",
        f"{CHAIN}/list?step=free/a&mode=stay",
    ):
        ada.get(address)
        with count_statements(filled.app) as sent:
            ada.get(address)
        assert len(sent) <= 11, (address, sent)


def test_nonsense_and_strangers_are_refused(filled: Town) -> None:
    ada = filled.as_("Ada")
    for path, status in (
        ("/w/acme/insights/funnels/nothing", 404),
        (f"{CHAIN}?mode=filled_unless_lost", 422),
        (f"{CHAIN}?mode=x", 422),
        (f"{CHAIN}?f.heat=lukewarm", 422),
        (f"{CHAIN}/list?step=a", 422),
        (f"{CHAIN}/list?step=free/a&figure=now", 422),
        (f"{CHAIN}/list?step=free/won&figure=numerator", 422),
        (f"{CHAIN}/list?step=free/a&after=!", 404),
        ("/w/acme/insights/filter?report=chained&of=", 422),
        ("/w/acme/insights/filter?report=funnel/chain&of=", 422),
    ):
        assert ada.get(path).status_code == status, path
    assert filled.as_("Otto").get(CHAIN).status_code == 404
    filled.take_right("rep", "insights.view")
    for path in (CHAIN, f"{CHAIN}/list?step=free/a"):
        assert filled.as_("Rita").get(path).status_code == 403
