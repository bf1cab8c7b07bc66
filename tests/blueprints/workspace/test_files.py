"""Files of records over HTTP: kept with the form, read by whoever sees the record and by nobody else."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.imports import StoredFile
from builder.errors import Invalid
from builder.services import records
from builder.services.records import NewRecord, SaveRecord
from tests import factories
from tests.blueprints.workspace.desk import MATTERS, actor, make, page_of, stored
from tests.builder.exchange.test_media import PNG
from tests.factories import CASE
from tests.fixtures.town import Town

FILES = {
    "doc": {"x-type": "file", "x-label": {"en": "Document"}, "x-max-megabytes": 1},
    "photo": {"x-type": "image", "x-label": {"en": "Photo"}},
    "offer": {"x-type": "file", "x-label": {"en": "Offer"}, "x-media-types": ["application/pdf"]},
}


@pytest.fixture
def home(town: Town) -> Town:
    return _with_files(town)


@pytest.fixture
def sqlite_home(sqlite_town: Town) -> Town:
    return _with_files(sqlite_town)


def _with_files(town: Town) -> Town:
    uow = town.work()
    fields = CASE["fields"]
    factories.publish(uow, [{**CASE, "fields": {**fields, "properties": {**fields["properties"], **FILES}}}])
    uow.commit()
    uow.session.close()
    return town


def file_of(content: bytes, name: str = "a.txt") -> Any:
    return io.BytesIO(content), name


def attached(
    town: Town, content: bytes = b"hello", name: str = "a.txt", field: str = "doc"
) -> tuple[int, str]:
    """A record of Rita's with a file, and the address of the file."""
    record_id = make(town, "matter", {"title": "Fence"}, owner="Rita")
    answer = town.as_("Rita").post(
        page_of(record_id, "/edit"),
        {"revision": "1", "f-title": "Fence", f"f-{field}": file_of(content, name)},
    )
    assert answer.status_code == 303, answer.text
    return record_id, address(stored(town, record_id).data[field]["id"])


def address(file_id: str) -> str:
    return f"/w/acme/files/{to_public(int(file_id))}"


def test_a_file_is_kept_with_the_form_and_downloaded_as_it_was(home: Town) -> None:
    record_id, link = attached(home, "报价".encode(), '../../报价\u202e;".txt')
    value = stored(home, record_id).data["doc"]
    assert (value["media_type"], value["size"]) == ("text/plain", 6)
    assert "/" not in value["name"]

    answer = home.as_("Rita").get(link)
    assert answer.data == "报价".encode()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    page = home.as_("Rita").get(page_of(record_id)).text
    assert link in page


def test_a_page_without_scripts_served_as_text_never_runs(sqlite_home: Town) -> None:
    _, link = attached(sqlite_home, b"<svg><script>alert(1)</script></svg>", "x.svg")
    answer = sqlite_home.as_("Rita").get(link)
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert sqlite_home.as_("Rita").get(f"{link}/picture").status_code == 404


def test_a_picture_is_shown_and_only_a_picture_is_taken(sqlite_home: Town) -> None:
    record_id, link = attached(sqlite_home, PNG, "a.exe", "photo")
    rita = sqlite_home.as_("Rita")
    shown = rita.get(f"{link}/picture")
    assert (shown.mimetype, shown.data) == ("image/png", PNG)
    assert f'src="{link}/picture"' in rita.get(page_of(record_id)).text

    refused = rita.post(
        page_of(record_id, "/edit"), {"revision": "2", "f-photo": file_of(b"<svg/>", "a.png")}
    )
    assert refused.status_code == 422
    assert "f-photo-error" in refused.text
    assert stored(sqlite_home, record_id).revision == 2


def test_who_does_not_see_the_record_does_not_get_its_file(home: Town) -> None:
    record_id, link = attached(home)
    uow = home.work()
    uow.actor = actor(home, "Ada")
    records.save(uow, SaveRecord(record_id, {"holder": str(home.ids["Ada"])}))
    uow.commit()
    uow.session.close()

    assert home.as_("Rita").get(link).status_code == 404
    assert home.as_("Otto").get(link).status_code == 404
    assert home.as_("Otto").get(link.replace("/acme/", "/other/")).status_code == 404
    assert home.as_("Ada").get(link).status_code == 200
    assert home.visitor().get(link).status_code == 303
    assert home.as_("Ada").post(link).status_code == 405
    assert home.as_("Ada").get("/w/acme/files/AAAAAAAAAAA").status_code == 404


def test_a_refused_form_keeps_the_file_that_was_sent_with_it(sqlite_home: Town) -> None:
    rita = sqlite_home.as_("Rita")
    refused = rita.post(
        f"{MATTERS}/new", {"pipeline": "-", "f-title": "", "f-doc": file_of(b"hello", "offer.txt")}
    )
    assert refused.status_code == 422
    assert "offer.txt" in refused.text
    uow = sqlite_home.work()
    file = uow.session.scalars(select(StoredFile)).one()
    uow.session.close()
    # Only who brought it may read it yet, and nobody else may put it on a record.
    assert rita.get(address(str(file.id))).status_code == 200
    assert sqlite_home.as_("Ada").get(address(str(file.id))).status_code == 404
    stolen = sqlite_home.as_("Ada").post(
        f"{MATTERS}/new", {"pipeline": "-", "f-title": "Mine", "f-doc": str(file.id)}
    )
    assert stolen.status_code == 422
    again = rita.post(f"{MATTERS}/new", {"pipeline": "-", "f-title": "Fence", "f-doc": str(file.id)})
    assert again.status_code == 303
    twice = rita.post(f"{MATTERS}/new", {"pipeline": "-", "f-title": "Other", "f-doc": str(file.id)})
    assert twice.status_code == 422


def test_too_large_and_empty_files_and_other_kinds_are_refused_with_their_field(sqlite_home: Town) -> None:
    rita = sqlite_home.as_("Rita")
    for name, content in (("doc", b"x" * (1024 * 1024 + 1)), ("doc", b""), ("offer", b"text")):
        answer = rita.post(f"{MATTERS}/new", {"pipeline": "-", "f-title": "A", f"f-{name}": file_of(content)})
        assert answer.status_code == 422, name
        assert f"f-{name}-error" in answer.text
    uow = sqlite_home.work()
    assert uow.session.scalars(select(StoredFile)).all() == []
    uow.session.close()


def test_a_file_is_replaced_taken_away_and_still_read_from_the_history(sqlite_home: Town) -> None:
    record_id, link = attached(sqlite_home)
    rita = sqlite_home.as_("Rita")
    kept = stored(sqlite_home, record_id).data["doc"]["id"]
    untouched = rita.post(page_of(record_id, "/edit"), {"revision": "2", "f-title": "New", "f-doc": kept})
    assert untouched.status_code == 303
    assert stored(sqlite_home, record_id).data["doc"]["id"] == kept
    gone = rita.post(page_of(record_id, "/edit"), {"revision": "3", "_has": "f-doc", "f-doc": [kept, "-"]})
    assert gone.status_code == 303
    assert "doc" not in stored(sqlite_home, record_id).data
    assert rita.get(link).status_code == 200


def test_nobody_brings_a_value_that_names_another_file(sqlite_home: Town) -> None:
    record_id, _ = attached(sqlite_home)
    value = stored(sqlite_home, record_id).data["doc"]
    uow = sqlite_home.work()
    uow.actor = actor(sqlite_home, "Rita")
    for wrong in (value, {**value, "id": "1"}, {**value, "name": "b.txt"}):
        with pytest.raises(Invalid):
            records.create(uow, "matter", NewRecord({"title": "Thief", "doc": wrong}))
    with pytest.raises(Invalid):
        records.save(uow, SaveRecord(record_id, {"doc": {**value, "media_type": "text/html"}}))
    uow.session.close()


def test_what_nobody_attached_is_dropped_after_a_day(sqlite_home: Town) -> None:
    rita = sqlite_home.as_("Rita")
    send = {"pipeline": "-", "f-title": ""}
    rita.post(f"{MATTERS}/new", {**send, "f-doc": file_of(b"old")})
    sqlite_home.clock.advance(timedelta(hours=25))
    rita = sqlite_home.visitor()
    rita.sign_in("rita@example.com")
    rita.post(f"{MATTERS}/new", {**send, "f-doc": file_of(b"new")})
    uow = sqlite_home.work()
    assert [file.size for file in uow.session.scalars(select(StoredFile))] == [3]
    assert uow.session.scalars(select(StoredFile.created_at)).one() == sqlite_home.clock.now()
    uow.session.close()


def test_a_gate_may_ask_for_a_file_and_the_move_brings_it(sqlite_home: Town) -> None:
    gated = factories.stage("a", 10, gate={"leave": {"required_fields": ["doc"]}})
    uow = sqlite_home.work()
    factories.publish(uow, [{**factories.FREE, "stages": [gated, *factories.FREE["stages"][1:]]}])
    uow.commit()
    uow.session.close()
    record_id = make(sqlite_home, "matter", {"title": "Fence"}, "free", owner="Rita")
    rita = sqlite_home.as_("Rita")
    move = page_of(record_id, "/move/b")

    asked = rita.get(move).text
    assert 'enctype="multipart/form-data"' in asked
    assert 'type="file"' in asked
    empty = rita.post(move, {"_form": "1", "revision": "1", "values-doc": file_of(b"")})
    assert empty.status_code == 422
    assert "The file is empty." in empty.text
    moved = rita.post(move, {"_form": "1", "revision": "1", "values-doc": file_of(b"signed")})
    assert moved.status_code == 303, moved.text
    row = stored(sqlite_home, record_id)
    assert (row.stage_key, row.data["doc"]["name"]) == ("b", "a.txt")
    assert rita.get(address(row.data["doc"]["id"])).data == b"signed"
