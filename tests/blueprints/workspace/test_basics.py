"""S30 over HTTP: changes of amount, expected close and probability, with old and new value, who and when."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from builder.services import definitions
from builder.services.transitions import Applied, MoveRecord, move
from tests import factories
from tests.blueprints.workspace.desk import actor, change, matter, page_of
from tests.fixtures.town import Town

CASE = factories.CASE
PROBABILITY = {"x-type": "percent", "x-label": {"en": "Chance"}, "x-role": "probability"}


def rows(page: str) -> list[tuple[str, ...]]:
    """The cells of the table: what, before, after, who."""
    found = re.findall(r'<th scope="row">([^<]*)</th>((?:\s*<td[^>]*>[^<]*</td>){3})', page)
    return [(what, *re.findall(r"<td[^>]*>([^<]*)</td>", cells)) for what, cells in found]


@pytest.fixture
def judged(town: Town) -> Town:
    uow = town.work()
    fields = {**CASE["fields"], "properties": {**CASE["fields"]["properties"], "chance": PROBABILITY}}
    definitions.publish(uow, [{**CASE, "fields": fields}])
    uow.commit()
    uow.session.close()
    return town


def test_each_change_is_a_row_with_old_and_new_value_and_who(judged: Town) -> None:
    record_id = matter(judged, flow="free", worth="100.00", due="2025-06-30")
    judged.clock.advance(timedelta(days=1))
    change(judged, record_id, "Mia", worth="250.00")
    change(judged, record_id, "Mia", due="2025-07-15", note="No basic fact")
    change(judged, record_id, "Ada", chance="35")

    page = judged.as_("Rita").get(page_of(record_id, "/basics"))

    assert page.status_code == 200
    found = rows(page.text)
    assert [(row[0], row[3]) for row in found] == [("Chance", "Ada"), ("Due", "Mia"), ("Worth", "Mia")]
    assert "35" in found[0][2]
    assert found[0][1] == "–"
    assert "Jun 30, 2025" in found[1][1]
    assert "Jul 15, 2025" in found[1][2]
    assert "100" in found[2][1]
    assert "250" in found[2][2]
    assert "2025-05-13T" in page.text


def test_a_move_changes_the_probability_and_ends_an_own_one(judged: Town) -> None:
    record_id = matter(judged, flow="free")
    change(judged, record_id, "Ada", chance="35")
    uow = judged.work()
    uow.actor = actor(judged, "Rita")
    assert isinstance(move(uow, MoveRecord(record_id, "b")), Applied)
    assert isinstance(move(uow, MoveRecord(record_id, "c")), Applied)
    uow.commit()
    uow.session.close()

    rita = judged.as_("Rita")
    found = rows(rita.get(page_of(record_id, "/basics")).text)

    assert [(row[0], row[3]) for row in found] == [("Chance", "Rita"), ("Chance", "Rita"), ("Chance", "Ada")]
    assert (found[0][1], found[0][2]) == ("40 %", "80 %")
    assert found[1][1].startswith("35")
    assert found[1][2] == "40 %"


def test_the_timeline_says_it_in_words(judged: Town) -> None:
    record_id = matter(judged, flow="free", worth="100.00")
    change(judged, record_id, "Mia", worth="250.00")
    page = judged.as_("Rita").get(page_of(record_id)).text
    assert "changed values" in page
    assert re.search(r"<del>[^<]*100[^<]*</del>", page)
    assert re.search(r"<ins>[^<]*250[^<]*</ins>", page)
    assert f'href="{page_of(record_id, "/basics")}"' in page


def test_htmx_gets_the_table_alone(judged: Town) -> None:
    record_id = matter(judged, flow="free")
    fragment = judged.as_("Rita").get(page_of(record_id, "/basics"), htmx=True).text
    assert "<html" not in fragment
    assert "have not changed yet" in fragment


def test_another_workspace_finds_nothing(judged: Town) -> None:
    record_id = matter(judged, flow="free")
    otto = judged.as_("Otto")
    assert otto.get(page_of(record_id, "/basics")).status_code == 404
    assert otto.get(page_of(record_id, "/basics", "other")).status_code == 404
