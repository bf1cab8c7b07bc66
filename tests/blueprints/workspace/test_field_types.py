"""The richer field types over HTTP: form, page, list, filter, and the columns of a file."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

import pytest

from builder.db.ids import from_public
from builder.exchange.csv import FileFormat, Table
from builder.exchange.plan import ImportPlan
from builder.exchange.values import RowReader
from builder.services.import_rows import context_of
from tests import factories
from tests.blueprints.workspace.desk import MATTERS, change, matter, page_of, sent_by, stored
from tests.blueprints.workspace.test_lists import f, titles, words
from tests.factories import ACCOUNT, CASE
from tests.fixtures.town import Town

L = {"x-filterable": True}
RICH: dict[str, Any] = {
    "effort": {"x-type": "duration", "x-label": {"en": "Effort"}, **L},
    "fit": {"x-type": "rating", "x-label": {"en": "Fit"}, **L},
    "place": {"x-type": "address", "x-label": {"en": "Place", "zh_Hans": "地点"}, **L},
    "code": {"x-type": "auto_number", "x-label": {"en": "Code"}, "x-format": "M{number:3}", **L},
    "terms": {
        "x-type": "sub_form",
        "x-label": {"en": "Terms"},
        "properties": {"days": {"x-type": "integer", "x-label": {"en": "Days"}}},
        "required": ["days"],
    },
}
COUNT = {
    "x-type": "rollup",
    "x-label": {"en": "Matters"},
    "x-from": "matter",
    "x-by": "client",
    "x-function": "count",
}


@pytest.fixture
def rich(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    documents = []
    for document, more in ((CASE, RICH), (ACCOUNT, {"matters": {**COUNT, **L}})):
        fields = document["fields"]
        documents.append({**document, "fields": {**fields, "properties": {**fields["properties"], **more}}})
    factories.publish(uow, documents)
    uow.commit()
    uow.session.close()
    return sqlite_town


SENT = {
    "pipeline": "-",
    "f-title": "Depot",
    "f-effort": "1 h 30 min",
    "f-fit": "4",
    "f-place-street": "Ring 1",
    "f-place-city": "Köln",
    "f-place-country": "DE",
    "f-terms-days": "30",
    "f-code": "typed",
}


def test_values_are_typed_stored_and_shown(rich: Town) -> None:
    rita = rich.as_("Rita")
    answer = rita.post(f"{MATTERS}/new", SENT)
    assert answer.status_code == 303, answer.text

    data = stored(rich, from_public(answer.headers["Location"].rsplit("/", 1)[1])).data
    assert {key: data[key] for key in RICH} == {
        "effort": 5400,
        "fit": 4,
        "place": {"street": "Ring 1", "city": "Köln", "country": "DE"},
        "code": "M001",
        "terms": {"days": 30},
    }
    page = rita.get(answer.headers["Location"]).text
    for text in ("1 hr 30 min", 'aria-label="4/5"', "Ring 1\nKöln\nGermany", "M001", "30"):
        assert text in page, text
    shown = rita.get(f"{MATTERS}?cols=title,effort,fit,place,code,terms").text
    for text in ("1 hr 30 min", "★★★★☆", "Ring 1, Köln, Germany", "M001", "Days: 30"):
        assert text in shown, text


def test_what_is_wrong_is_told_at_its_part_and_stays_typed(rich: Town) -> None:
    wrong = {**SENT, "f-effort": "long", "f-fit": "9", "f-terms-days": "soon", "f-place-city": "x" * 61}
    answer = rich.as_("Rita").post(f"{MATTERS}/new", wrong)
    assert answer.status_code == 422
    for name in ("effort", "fit", "terms-days", "place-city"):
        assert f'id="f-{name}-error"' in answer.text, name
    assert 'value="long"' in answer.text


def test_an_emptied_group_is_removed_and_a_number_cannot_be_typed(rich: Town) -> None:
    record_id = matter(rich, flow=None, place={"city": "Köln"}, terms={"days": 1})
    sent = {"revision": "1", "f-place-city": "", "f-terms-days": "", "f-code": "X"}
    assert rich.as_("Rita").post(page_of(record_id, "/edit"), sent).status_code == 303
    data = stored(rich, record_id).data
    assert data["code"] == "M001"
    assert not {"place", "terms"} & data.keys()


def test_they_are_filtered_and_the_builder_keeps_the_filter(rich: Town) -> None:
    ada = rich.as_("Ada")
    client = rich.as_("Ada").post("/w/acme/o/client/new", {"f-title": "Acme"}).headers["Location"]
    matter(rich, "Depot", flow=None, effort=5400, fit=4, place={"city": "Köln", "country": "DE"})
    other = matter(rich, "Yard", flow=None, effort=60, fit=1)
    change(rich, other, "Ada", client=str(from_public(client.rsplit("/", 1)[1])))
    for condition, told in (
        ({"field": "effort", "op": "ge", "value": 3600}, "1 hr"),
        ({"field": "fit", "op": "between", "value": [3, 5]}, "★★★☆☆"),
        ({"field": "place", "op": "contains", "value": "KÖLN"}, "KÖLN"),
        ({"field": "code", "op": "eq", "value": "m001"}, "m001"),
    ):
        page = ada.get(f"{MATTERS}?f={f(condition)}").text
        assert titles(page) == ["Depot"], condition
        assert told in words(page)[0]
        pairs = sent_by(ada.get(f"{MATTERS}/filter?f={f(condition)}").text, "filter-builder")
        answer = ada.get(f"{MATTERS}/filter?{urlencode([*pairs, ('_filter', 'apply')])}")
        assert answer.status_code == 303, (condition, pairs)
        again = ada.get(answer.headers["Location"]).text
        assert (titles(again), words(again)) == (["Depot"], words(page))
    counted = {"field": "matters", "op": "ge", "value": "1"}
    assert titles(ada.get(f"/w/acme/o/client?f={f(counted)}").text) == ["Acme"]


def test_the_columns_of_a_file_are_read_as_people_write_them(rich: Town) -> None:
    text = 'effort,fit,place,code\n1:30,★★★,Ring 1,M900\n90 min,3/5,"{""country"": ""Germany""}",\n90,3,,\nlong,9,,\n'
    columns = ("effort", "fit", "place", "code")
    uow = rich.work()
    table = Table(io.BytesIO(text.encode()), FileFormat())
    plan = ImportPlan("matter", FileFormat(), fields=tuple((name, name) for name in columns))
    fields = uow.catalog.object("matter").fields
    reader = RowReader(plan, columns, fields, context_of(uow), lambda field, name: None)
    read = [reader.read(row) for row in table.rows()]
    uow.session.close()
    assert [row.values for row in read[:3]] == [
        {"effort": 5400, "fit": 3, "place": {"street": "Ring 1"}, "code": "M900"},
        {"effort": 5400, "fit": 3, "place": {"country": "DE"}},
        {"effort": 5400, "fit": 3},
    ]
    assert [problem.place for problem in read[3].problems] == ["effort", "fit"]


def test_a_group_that_somebody_changed_meanwhile_is_shown_beside_ones_own(rich: Town) -> None:
    record_id = matter(rich, flow=None, place={"city": "Köln"}, terms={"days": 1})
    change(rich, record_id, "Ada", place={"city": "Bonn"})
    rita = rich.as_("Rita")
    sent = {"revision": "1", "f-place-city": "Köln", "f-terms-days": "5"}
    stale = rita.post(page_of(record_id, "/edit"), sent)
    assert stale.status_code == 409
    assert "Bonn" in stale.text
    assert 'value="Bonn"' in stale.text
    assert 'value="5"' in stale.text

    again = rita.post(page_of(record_id, "/edit"), {**sent, "revision": "2", "f-place-city": "Bonn"})
    assert again.status_code == 303
    assert stored(rich, record_id).data["terms"] == {"days": 5}
    assert stored(rich, record_id).data["place"] == {"city": "Bonn"}
    told = rita.get(page_of(record_id)).text
    assert "Days: 1" in told
    assert "Days: 5" in told
