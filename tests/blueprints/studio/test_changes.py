"""Drafts and history over HTTP: looking, publishing, discarding, taking back (B7)."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from builder.queries import drafts as stored
from builder.services import definitions, drafts
from builder.services.entries import Entry
from builder.services.migration import waiting
from builder.services.records import NewRecord, create
from tests import factories
from tests.fixtures.town import Town

CHANGES = "/w/acme/studio/changes"
HISTORY = "/w/acme/studio/history"
CITY = factories.text_field("City")


def changed(document: dict[str, Any], **fields: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(document)
    made["fields"]["properties"].update(fields)
    return made


def draft(town: Town, document: dict[str, Any]) -> None:
    uow = town.work()
    drafts.save_draft(uow, document)
    uow.commit()
    uow.session.close()


def seen(page: str, name: str = "seen") -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, page
    return found.group(1)


def client_fields(town: Town) -> set[str]:
    uow = town.work()
    keys = set(uow.catalog.object("client").fields.by_key)
    uow.session.close()
    return keys


class Queue:
    """Notes what is handed to the background."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def enqueue_migration(self, _session: Any, *facts: Any) -> None:
        self.asked.append(facts)

    def committed(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_drafts_show_what_they_change_and_publishing_works_and_redirects(town: Town) -> None:
    draft(town, changed(factories.ACCOUNT, city=CITY))
    ada = town.as_("Ada")
    page = ada.get(CHANGES).text
    assert "City" in page
    answer = ada.post(CHANGES, {"seen": seen(page), "note": "Where they are"})
    assert (answer.status_code, answer.headers["Location"]) == (303, HISTORY)
    assert "city" in client_fields(town)
    history = ada.get(HISTORY).text
    assert "Where they are" in history
    assert "Nothing is drafted" in ada.get(CHANGES, htmx=True).text


def test_publishing_by_htmx_goes_to_the_history(sqlite_town: Town) -> None:
    draft(sqlite_town, changed(factories.ACCOUNT, city=CITY))
    ada = sqlite_town.as_("Ada")
    answer = ada.post(CHANGES, {"seen": seen(ada.get(CHANGES).text)}, htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, HISTORY)


def test_what_cannot_be_published_is_named_and_the_note_stays(sqlite_town: Town) -> None:
    draft(sqlite_town, {**factories.FREE, "stages": factories.FREE["stages"][3:]})
    ada = sqlite_town.as_("Ada")
    page = ada.get(CHANGES).text
    assert "The pipeline has no open stage" in page
    answer = ada.post(CHANGES, {"seen": seen(page), "note": "Kept note"})
    assert answer.status_code == 422
    assert "The pipeline has no open stage" in answer.text
    assert "Kept note" in answer.text
    too_long = ada.post(CHANGES, {"seen": seen(page), "note": "x" * 501})
    assert (too_long.status_code, "more than 500" in too_long.text) == (422, True)


def test_drafts_that_somebody_changed_since_are_409(sqlite_town: Town) -> None:
    draft(sqlite_town, changed(factories.ACCOUNT, city=CITY))
    ada = sqlite_town.as_("Ada")
    page = ada.get(CHANGES).text
    draft(sqlite_town, changed(factories.ACCOUNT, town=CITY))
    answer = ada.post(CHANGES, {"seen": seen(page), "note": "Why"})
    assert answer.status_code == 409
    assert "not those that you looked at" in answer.text
    assert "Why" in answer.text, "what was typed stays"
    assert ada.post(CHANGES, {}).status_code == 400
    discard = f"{CHANGES}/object/client/discard"
    assert ada.post(discard, {"checksum": "0" * 64}).status_code == 409
    assert "town" not in client_fields(sqlite_town)
    assert ada.post(CHANGES, {"seen": seen(answer.text)}).status_code == 303
    late = ada.post(CHANGES, {"seen": seen(answer.text)})
    assert (late.status_code, "not those that you looked at" in late.text) == (409, True)


def test_open_records_come_over_as_chosen(town: Town) -> None:
    uow = town.work()
    create(uow, "matter", NewRecord({"title": "One"}, Entry("free", "b", is_confirmed=True)))
    uow.commit()
    uow.session.close()
    stages = factories.FREE["stages"]
    draft(town, {**factories.FREE, "stages": [stages[0], *stages[2:]]})
    queue = town.app.extensions["funnelwright.queue"] = Queue()
    ada = town.as_("Ada")
    page = ada.get(CHANGES).text
    assert "1 open record stands in it" in page
    assert "One" in page
    choice = {"seen": seen(page), "records-free": "migrate", "to-free-b": "won"}
    wrong = ada.post(CHANGES, choice)
    assert wrong.status_code == 422
    assert "no open stage" in wrong.text
    assert queue.asked == []
    assert ada.post(CHANGES, {**choice, "to-free-b": "c"}).status_code == 303
    ((workspace, pipeline, version, mapping, actor),) = queue.asked
    uow = town.work()
    assert (workspace, pipeline, mapping, actor) == ("acme", "free", {"b": "c"}, town.ids["Ada"])
    assert uow.catalog.pipeline("free").version_id == version
    assert waiting(uow, "free") == {"b": 1}
    uow.session.close()


def test_a_draft_is_discarded(sqlite_town: Town) -> None:
    draft(sqlite_town, changed(factories.ACCOUNT, city=CITY))
    ada = sqlite_town.as_("Ada")
    checksum = re.findall(r'name="checksum" value="([^"]+)"', ada.get(CHANGES).text)[0]
    answer = ada.post(f"{CHANGES}/object/client/discard", {"checksum": checksum})
    assert (answer.status_code, answer.headers["Location"]) == (303, CHANGES)
    assert "Nothing is drafted" in ada.get(CHANGES).text


def test_a_draft_that_is_behind_is_brought_up_to_date(sqlite_town: Town) -> None:
    draft(sqlite_town, changed(factories.ACCOUNT, city=CITY))
    uow = sqlite_town.work()
    definitions.publish(uow, [changed(factories.ACCOUNT, phone=CITY)])
    uow.commit()
    uow.session.close()
    ada = sqlite_town.as_("Ada")
    page = ada.get(CHANGES).text
    assert "Something else was published since" in page
    assert ada.post(CHANGES, {"seen": seen(page)}).status_code == 409
    update = f"{CHANGES}/object/client/update"
    assert ada.post(update).status_code == 400
    sent = {"draft": seen(page, "draft")}
    draft(sqlite_town, changed(factories.ACCOUNT, town=CITY))
    assert ada.post(update, sent).status_code == 409
    draft(sqlite_town, changed(factories.ACCOUNT, city=CITY))
    assert ada.post(update, {"draft": seen(ada.get(CHANGES).text, "draft")}).status_code == 303
    assert ada.post(CHANGES, {"seen": seen(ada.get(CHANGES).text)}).status_code == 303
    assert {"city", "phone"} <= client_fields(sqlite_town)


def test_a_publish_is_taken_back_and_told(town: Town) -> None:
    uow = town.work()
    definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
    uow.commit()
    number = stored.change_sets(uow.session)[0].number
    uow.session.close()
    ada = town.as_("Ada")
    assert "City" in ada.get(f"{HISTORY}/{number}").text
    answer = ada.post(f"{HISTORY}/{number}/roll-back", {"note": "Too early"})
    assert (answer.status_code, answer.headers["Location"]) == (303, HISTORY)
    assert "city" not in client_fields(town)
    assert "Too early" in ada.get(HISTORY).text
    assert "changed again since" in ada.get(f"{HISTORY}/{number}").text
    assert ada.post(f"{HISTORY}/{number}/roll-back").status_code == 409
    long = ada.post(f"{HISTORY}/{number + 1}/roll-back", {"note": "x" * 501})
    assert (long.status_code, "more than 500" in long.text) == (422, True)


@pytest.mark.parametrize(
    "path",
    [
        CHANGES,
        f"{CHANGES}/object/client/discard",
        f"{CHANGES}/object/client/update",
        f"{HISTORY}/1/roll-back",
    ],
)
def test_who_may_not_edit_definitions_is_403_and_strangers_404(sqlite_town: Town, path: str) -> None:
    form = {"seen": "x", "checksum": "x", "draft": "x"}
    assert sqlite_town.as_("Rita").post(path, form).status_code == 403
    assert sqlite_town.as_("Otto").post(path, form).status_code == 404


def test_what_is_not_there_is_404_and_the_wrong_verb_405(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    for path in (
        f"{CHANGES}/object/ghost/discard",
        f"{CHANGES}/object/ghost/update",
        f"{HISTORY}/99/roll-back",
    ):
        assert ada.post(path, {"checksum": "x", "draft": "x"}).status_code == 404
        assert ada.get(path).status_code == 405
    assert ada.get(f"{HISTORY}/99").status_code == 404
    assert ada.get(f"{HISTORY}?before=nonsense").status_code == 200


def test_what_needs_a_thing_that_goes_is_named_and_nothing_is_said_of_the_rest(sqlite_town: Town) -> None:
    uow = sqlite_town.work()
    drafts.draft_removal(uow, "pipeline", "free")
    uow.commit()
    ada = sqlite_town.as_("Ada")
    assert "Worth a second look" not in ada.get(CHANGES).text
    drafts.draft_removal(uow, "object", "client")
    uow.commit()
    uow.session.close()
    page = ada.get(CHANGES).text
    assert "cannot be published yet" in page
    assert "Matter › " in page
