"""Over HTTP nobody learns the name of a record that they do not see, whatever id they send."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from builder.db.ids import to_public
from tests import factories
from tests.blueprints.workspace.desk import MATTERS, change, make, page_of, stored
from tests.fixtures.town import Town

SECRET = "Operation Nightfall"
PLAINT: dict[str, Any] = {
    **factories.CASE,
    "key": "plaint",
    "label": {"en": "Plaint"},
    "label_plural": {"en": "Plaints"},
    "fields": {
        **factories.CASE["fields"],
        "properties": {
            **factories.CASE["fields"]["properties"],
            "about": {
                "x-type": "reference",
                "x-label": {"en": "About"},
                "x-target": "matter",
                "x-filterable": True,
            },
        },
    },
}
PLAINTS = "/w/acme/o/plaint"


@pytest.fixture
def court(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    factories.publish(uow, [PLAINT])
    uow.commit()
    uow.session.close()
    return sqlite_town


def secret(town: Town) -> int:
    return make(town, "matter", {"title": SECRET}, owner="Ada")


def test_a_record_in_the_address_of_a_form_tells_no_hidden_name(court: Town) -> None:
    where = f"{PLAINTS}/new?field=about&from={to_public(secret(court))}"

    assert SECRET in court.as_("Ada").get(where).text
    answer = court.as_("Rita").get(where)
    assert (answer.status_code, SECRET in answer.text) == (200, False)


def typed(record_id: int, **more: str) -> dict[str, Any]:
    """What a browser sends of a reference that was chosen by its id, without its name."""
    return {"f-title": "New", "f-about": [str(record_id), "x", "x"], **more}


@pytest.mark.parametrize("path", ["/new", "/form"])
@pytest.mark.parametrize("htmx", [False, True])
def test_a_form_that_comes_again_tells_no_hidden_name(court: Town, path: str, htmx: bool) -> None:
    hidden, rita = secret(court), court.as_("Rita")

    answer = rita.post(PLAINTS + path, typed(hidden), htmx=htmx)
    missing = rita.post(PLAINTS + path, typed(12345), htmx=htmx)

    assert answer.status_code == missing.status_code == (422 if path == "/new" else 200)
    assert SECRET not in answer.text
    assert ("does not exist any more" in answer.text) is (path == "/new")
    assert ("does not exist any more" in missing.text) is (path == "/new")


def test_saving_and_the_conflict_after_it_tell_no_hidden_name(court: Town) -> None:
    hidden, rita = secret(court), court.as_("Rita")
    record = make(court, "plaint", {"title": "Mine"}, owner="Rita")

    refused = rita.post(page_of(record, "/edit"), typed(hidden, revision="1"))
    assert (refused.status_code, SECRET in refused.text) == (422, False)
    change(court, record, "Rita", about=str(make(court, "matter", {"title": "Own"}, owner="Rita")))
    conflict = rita.post(page_of(record, "/edit"), typed(hidden, revision="1"))
    assert (conflict.status_code, SECRET in conflict.text) == (409, False)
    assert "Own" in conflict.text
    assert rita.post(page_of(record, "/form"), typed(hidden, revision="2")).text.count(SECRET) == 0
    assert stored(court, record).data["about"] != str(hidden)


def test_search_as_you_type_and_the_typed_name_find_nothing_hidden(court: Town) -> None:
    secret(court)
    rita, ada = court.as_("Rita"), court.as_("Ada")
    lookup = "/w/acme/lookup/records/matter?q=Nightfall"

    assert SECRET in ada.get(lookup, htmx=True).text
    assert SECRET not in rita.get(lookup, htmx=True).text
    answer = rita.post(PLAINTS + "/new", {"f-title": "New", "f-about": ["", "", SECRET]})
    assert answer.status_code == 422
    assert "Nothing is called" in answer.text


@pytest.mark.parametrize("path", ["", "/filter"])
def test_a_filter_in_an_address_tells_no_hidden_name(court: Town, path: str) -> None:
    hidden = secret(court)
    condition = json.dumps({"field": "about", "op": "eq", "value": str(hidden)})
    address = f"{PLAINTS}{path}?f={quote(condition)}"

    assert SECRET in court.as_("Ada").get(address).text
    answer = court.as_("Rita").get(address)
    assert answer.status_code == 200
    assert SECRET not in answer.text


def test_a_reference_that_is_stored_is_told_to_whoever_sees_the_record(court: Town) -> None:
    hidden = secret(court)
    record = make(court, "plaint", {"title": "Mine", "about": str(hidden)}, owner="Rita")
    rita = court.as_("Rita")

    assert SECRET in rita.get(page_of(record)).text
    assert SECRET in rita.get(page_of(record, "/edit")).text
    saved = rita.post(
        page_of(record, "/edit"),
        {"revision": "1", "f-title": "Ours", "f-about": [str(hidden), SECRET, SECRET]},
    )
    assert saved.status_code == 303
    assert (stored(court, record).name, stored(court, record).data["about"]) == ("Ours", str(hidden))
    assert rita.get(page_of(hidden)).status_code == 404
    assert SECRET not in rita.get(MATTERS).text
