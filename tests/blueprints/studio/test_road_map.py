"""The road map of a process over HTTP: readable by whoever works here, in both languages (S22)."""

from __future__ import annotations

from builder.metadata.editing.stages import new_pipeline
from builder.services import designs
from tests.fixtures.town import Town

PROCESSES = "/w/acme/studio/processes"
MAP = f"{PROCESSES}/flow/road-map"


def test_a_rep_reads_what_each_stage_asks_for_and_is_led_there(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")

    page = rita.get(MAP).text

    for text in ("Call", "Address", "Road map", 'id="road-won"', "data-print"):
        assert text in page
    for place in (f"{PROCESSES}/flow", "/w/acme/p/flow/board"):
        assert MAP in rita.get(place).text


def test_it_is_told_in_the_language_that_is_asked_for(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")

    page = rita.get(f"{MAP}?language=zh_Hans").text

    assert '<html lang="zh-Hans"' in page
    assert "路线图" in page
    assert '<html lang="en"' in rita.get(f"{MAP}?language=xx").text


def test_a_process_that_is_only_drafted_is_shown_to_who_may_edit(sqlite_town: Town) -> None:
    uow = sqlite_town.work()
    document = new_pipeline({"en": "Fresh"}, "matter", ())
    designs.begin(uow, document)
    uow.commit()
    uow.session.close()

    place = f"{PROCESSES}/{document['key']}/road-map"
    assert "Fresh" in sqlite_town.as_("Ada").get(place).text
    assert sqlite_town.as_("Rita").get(place).status_code == 404
    assert sqlite_town.as_("Ada").get(f"{PROCESSES}/nothing/road-map").status_code == 404
    assert sqlite_town.as_("Ada").post(MAP).status_code == 405
