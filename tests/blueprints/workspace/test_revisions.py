"""Nothing that is stored is changed by somebody who does not say which state of it they saw."""

from __future__ import annotations

from typing import Any

import pytest

from tests.blueprints.workspace.desk import change, make, matter, page_of, sent_by, stored
from tests.blueprints.workspace.test_conversion import COURT, ENQUIRY
from tests.factories import publish
from tests.fixtures.town import Town

STARTING = {"pipeline": "free"}
# What each write sends besides the revision; all of it would be accepted.
WRITES: dict[str, dict[str, Any]] = {
    "/edit": {"f-title": "Wall"},
    "/delete": {},
    "/restore": {},
    "/convert": {"c-client-title": "Farms", "c-matter-title": "Fence"},
    "/start": STARTING,
    "/move/b": {},
    "/move/c": {"_form": "1"},
}
NONSENSE = [None, "", "0", "-1", "1.0", " 1", "nonsense", "9" * 40, "①", "1\0", "0x1", "null"]


@pytest.fixture
def desk(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    publish(uow, [ENQUIRY, COURT])
    uow.commit()
    uow.session.close()
    return sqlite_town


def target(town: Town, part: str) -> int:
    """A record that this write is meant for, at revision 1 (deleted: 2)."""
    if part == "/convert":
        return make(town, "enquiry", {"wish": "A fence", "firm": "Farms"}, owner="Rita")
    record = matter(town, flow=None if part == "/start" else "free")
    if part == "/restore":
        town.as_("Ada").post(page_of(record, "/delete"), {"revision": "1"})
    return record


@pytest.mark.parametrize("part", sorted(WRITES))
def test_a_write_without_a_revision_is_400_and_writes_nothing(desk: Town, part: str) -> None:
    record, ada = target(desk, part), desk.as_("Ada")
    before = stored(desk, record)

    for text in NONSENSE:
        sent = WRITES[part] if text is None else {**WRITES[part], "revision": text}
        for htmx in (False, True):
            answer = ada.post(page_of(record, part), sent, htmx=htmx)
            assert answer.status_code == 400, (text, answer.text)
        assert "Open the page again" in answer.text
        assert stored(desk, record) == before, text


@pytest.mark.parametrize("part", sorted(WRITES))
@pytest.mark.parametrize("htmx", [False, True])
def test_a_write_from_an_older_state_is_409_and_writes_nothing(desk: Town, part: str, htmx: bool) -> None:
    record, ada = target(desk, part), desk.as_("Ada")
    seen = stored(desk, record).revision
    if part == "/restore":
        ada.post(page_of(record, part), {"revision": str(seen)})
        ada.post(page_of(record, "/delete"), {"revision": str(seen + 1)})
    else:
        change(desk, record, "Mia", **{"firm" if part == "/convert" else "note": "theirs"})
    before = stored(desk, record)

    answer = ada.post(page_of(record, part), {**WRITES[part], "revision": str(seen)}, htmx=htmx)

    assert answer.status_code == 409, answer.text
    assert stored(desk, record) == before


@pytest.mark.parametrize("part", sorted(WRITES))
def test_the_same_write_from_the_present_state_is_done(desk: Town, part: str) -> None:
    record, ada = target(desk, part), desk.as_("Ada")
    before = stored(desk, record)
    more = {"answers-address": "1 High St", "tasks": "call"} if part == "/move/c" else {}

    answer = ada.post(page_of(record, part), {**WRITES[part], **more, "revision": str(before.revision)})

    assert answer.status_code == 303, answer.text


def test_the_form_that_starts_a_process_sends_what_it_saw(desk: Town) -> None:
    record, rita = target(desk, "/start"), desk.as_("Rita")

    sent = dict(sent_by(rita.get(page_of(record)).text, "start-form"))

    assert sent["revision"] == "1"
    assert rita.post(page_of(record, "/start"), {**sent, **STARTING}).status_code == 303
    assert stored(desk, record).pipeline_key == "free"
