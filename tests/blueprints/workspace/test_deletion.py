"""The recycle bin over HTTP."""

from __future__ import annotations

import pytest

from builder.db.ids import to_public
from builder.services import deletion, records
from builder.services.records import NewRecord
from tests.blueprints.workspace.desk import MATTERS, NOBODY, change, make, matter, page_of, sent_by, stored
from tests.fixtures.town import Town

BIN = "/w/acme/recycle-bin"


def test_deleting_works_and_redirects_without_htmx(town: Town) -> None:
    record, ada = matter(town), town.as_("Ada")
    assert "into the recycle bin?" in ada.get(page_of(record, "/delete")).text

    answer = ada.post(page_of(record, "/delete"), {"revision": "1"})

    assert (answer.status_code, answer.headers["Location"]) == (303, MATTERS)
    assert stored(town, record).deleted_at is not None
    assert ada.get(page_of(record)).status_code == 404
    assert "Fence" in ada.get(BIN).text


def test_restoring_works_and_brings_back_the_page(town: Town) -> None:
    record, ada = matter(town), town.as_("Ada")
    ada.post(page_of(record, "/delete"), {"revision": "1"})
    sent = dict(sent_by(ada.get(BIN).text, f"restore-{to_public(record)}"))

    answer = ada.post(page_of(record, "/restore"), sent)

    assert (answer.status_code, answer.headers["Location"]) == (303, page_of(record))
    page = ada.get(page_of(record)).text
    assert "put it into the recycle bin" in page
    assert "took it out of the recycle bin" in page
    assert "The recycle bin is empty" in ada.get(BIN).text


def test_the_question_is_a_dialog_for_htmx(sqlite_town: Town) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Ada").get(page_of(record, "/delete"), htmx=True)

    assert 'id="fw-dialog-title"' in answer.text
    assert "<html" not in answer.text
    assert (
        sqlite_town.as_("Ada")
        .post(page_of(record, "/delete"), {"revision": "1"}, htmx=True)
        .headers["HX-Redirect"]
        == MATTERS
    )


def test_a_stale_deletion_is_409_and_deletes_nothing(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    change(sqlite_town, record, "Mia", heat="hot")

    assert sqlite_town.as_("Ada").post(page_of(record, "/delete"), {"revision": "1"}).status_code == 409
    assert stored(sqlite_town, record).deleted_at is None


def test_a_stale_restoring_is_409_and_restores_nothing(sqlite_town: Town) -> None:
    record, ada = matter(sqlite_town), sqlite_town.as_("Ada")
    ada.post(page_of(record, "/delete"), {"revision": "1"})
    before = dict(sent_by(ada.get(BIN).text, f"restore-{to_public(record)}"))
    ada.post(page_of(record, "/restore"), before)
    ada.post(page_of(record, "/delete"), {"revision": "3"})

    assert ada.post(page_of(record, "/restore"), before).status_code == 409
    assert stored(sqlite_town, record).deleted_at is not None


def test_without_the_right_it_is_403(sqlite_town: Town) -> None:
    record, rita = matter(sqlite_town), sqlite_town.as_("Rita")

    assert rita.get(page_of(record, "/delete")).status_code == 403
    assert rita.post(page_of(record, "/delete")).status_code == 403
    assert rita.post(page_of(record, "/restore")).status_code == 403
    assert rita.get(BIN).status_code == 403
    assert stored(sqlite_town, record).deleted_at is None


@pytest.mark.parametrize("part", ["/delete", "/restore"])
def test_anothers_workspace_and_nothing_are_404(sqlite_town: Town, part: str) -> None:
    foreign = make(sqlite_town, "matter", {"title": "Far"}, at="other")
    ada = sqlite_town.as_("Ada")

    assert ada.post(page_of(foreign, part)).status_code == 404
    assert ada.post(page_of(foreign, part, "other")).status_code == 404
    assert ada.post(f"/w/acme/r/{NOBODY}{part}").status_code == 404
    assert stored(sqlite_town, foreign, "other").deleted_at is None


def test_restoring_what_is_not_deleted_is_404(sqlite_town: Town) -> None:
    path = page_of(matter(sqlite_town), "/restore")
    assert sqlite_town.as_("Ada").post(path, {"revision": "1"}).status_code == 404


def test_a_record_whose_key_another_has_by_now_does_not_come_back(town: Town) -> None:
    uow = town.work()
    old = records.create(uow, "matter", NewRecord({"title": "Old"}, external_key="K-1")).record_id
    deletion.delete(uow, old)
    records.create(uow, "matter", NewRecord({"title": "New"}, external_key="K-1"))
    uow.commit()
    uow.session.close()

    answer = town.as_("Ada").post(page_of(old, "/restore"), {"revision": "2"})

    assert answer.status_code == 409
    assert "Another record was made with the key “K-1” meanwhile." in answer.text
    assert stored(town, old).deleted_at is not None
