"""Forms that make something, sent more than once over HTTP."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from builder.db.definitions import SavedView
from builder.db.imports import StoredFile
from builder.db.notes import Note
from builder.db.records import Record
from tests.blueprints.workspace.desk import matter, page_of
from tests.fixtures.town import Town

NEW = "/w/acme/o/matter/new"
QUICK = "/w/acme/p/free/board/a/new"
VIEWS = "/w/acme/o/matter/views"


def key_in(text: str) -> str:
    (key,) = set(re.findall(r'name="once" value="([^"]{11})"', text))
    return key


def count(town: Town, entity: Any) -> int:
    uow = town.work()
    try:
        return uow.session.scalar(select(func.count()).select_from(entity)) or 0
    finally:
        uow.session.close()


def test_a_note_with_its_file_is_written_once(town: Town) -> None:
    record, rita = matter(town), town.as_("Rita")
    key = key_in(rita.get(page_of(record)).text)

    def send(text: str, **more: Any) -> Any:
        files = {"files": (io.BytesIO(b"minutes"), "minutes.txt")}
        return rita.post(page_of(record, "/notes"), {"once": key, "text": text, **files}, **more)

    for _ in range(3):
        assert send("Called.").status_code == 303
    assert (count(town, Note), count(town, StoredFile)) == (1, 1)
    answer = send("Called.", htmx=True)
    assert answer.status_code == 200
    assert "Called." in answer.text
    assert key_in(answer.text) != key, "the next note is another one"
    assert "<textarea" in answer.text
    assert send("Something else.").status_code == 303
    assert count(town, Note) == 2


def test_another_file_of_the_same_name_and_length_is_another_note(town: Town) -> None:
    record, rita = matter(town), town.as_("Rita")
    key = key_in(rita.get(page_of(record)).text)
    for contents in (b"minutes", b"changed", b"changed"):
        files = {"files": (io.BytesIO(contents), "minutes.txt")}
        assert rita.post(page_of(record, "/notes"), {"once": key, "text": "Seen", **files}).status_code == 303

    assert (count(town, Note), count(town, StoredFile)) == (2, 2)


def test_a_refused_form_keeps_its_key(sqlite_town: Town) -> None:
    record, rita = matter(sqlite_town), sqlite_town.as_("Rita")
    key = key_in(rita.get(page_of(record)).text)
    refused = rita.post(page_of(record, "/notes"), {"once": key, "text": " "}, htmx=True)
    assert refused.status_code == 422
    assert key_in(refused.text) == key


@pytest.mark.parametrize("htmx", [False, True])
def test_a_record_is_created_once(town: Town, htmx: bool) -> None:
    rita = town.as_("Rita")
    form = {"once": key_in(rita.get(NEW).text), "f-title": "Fence around the yard", "pipeline": "flow"}

    first, second = (rita.post(NEW, form, htmx=htmx) for _ in range(2))

    name = "HX-Redirect" if htmx else "Location"
    assert first.status_code == (204 if htmx else 303), first.text
    assert second.headers[name] == first.headers[name]
    assert count(town, Record) == 1
    assert rita.post(NEW, {**form, "f-title": "Gate"}, htmx=htmx).status_code == first.status_code
    assert count(town, Record) == 2


def bin_it(visitor: Any, address: str) -> None:
    page = visitor.get(f"{address}/delete").text
    (revision,) = set(re.findall(r'name="revision" value="(\d+)"', page))
    assert visitor.post(f"{address}/delete", {"revision": revision}).status_code == 303


@pytest.mark.parametrize("htmx", [False, True])
def test_what_was_deleted_since_is_told_and_made_again_only_by_another_form(town: Town, htmx: bool) -> None:
    rita, ada = town.as_("Rita"), town.as_("Ada")
    form = {"once": key_in(rita.get(NEW).text), "f-title": "Fence & gate", "pipeline": "flow"}
    bin_it(ada, rita.post(NEW, form).headers["Location"])

    answer = rita.post(NEW, form, htmx=htmx)

    assert answer.status_code == 409, answer.text
    assert "This form made “Fence &amp; gate” before, and it has been deleted since." in answer.text
    assert "/recycle-bin" not in answer.text, "a rep may not restore"
    assert 'value="Fence &amp; gate"' in answer.text
    assert count(town, Record) == 1
    again = rita.post(NEW, {**form, "once": key_in(answer.text)}, htmx=htmx)
    assert again.status_code == (204 if htmx else 303), again.text
    assert count(town, Record) == 2


def test_whoever_may_restore_is_led_to_the_bin(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    form = {"once": key_in(ada.get(NEW).text), "f-title": "Fence", "pipeline": "flow"}
    bin_it(ada, ada.post(NEW, form).headers["Location"])
    assert 'href="/w/acme/recycle-bin">Restore it' in ada.post(NEW, form, htmx=True).text


def test_a_card_that_was_deleted_since_is_told_in_its_dialog(town: Town) -> None:
    rita, ada = town.as_("Rita"), town.as_("Ada")
    form = {"once": key_in(rita.get(QUICK, htmx=True).text), "f-title": "Fence", "board": "free?"}
    made = json.loads(rita.post(QUICK, form, htmx=True).headers["HX-Trigger"])["added"]["record"]
    bin_it(ada, f"/w/acme/r/{made}")

    answer = rita.post(QUICK, form, htmx=True)

    assert answer.status_code == 409, answer.text
    assert "This form made “Fence” before" in answer.text
    assert rita.post(QUICK, {**form, "once": key_in(answer.text)}, htmx=True).status_code == 200
    assert count(town, Record) == 2


def test_what_is_gone_for_good_is_made_again(town: Town) -> None:
    record, rita = matter(town), town.as_("Rita")
    note = {"once": key_in(rita.get(page_of(record)).text), "text": "Called."}
    assert rita.post(page_of(record, "/notes"), note).status_code == 303
    (address,) = set(re.findall(r"/w/acme/notes/[^/\"]+", rita.get(page_of(record)).text))
    assert rita.post(f"{address}/remove", {"revision": "1"}).status_code == 303
    assert "Called." in rita.post(page_of(record, "/notes"), note, htmx=True).text

    view = {"once": key_in(rita.get("/w/acme/o/matter").text), "name": "Mine"}
    kept = rita.post(VIEWS, view).headers["Location"].partition("view=")[2]
    assert rita.post(f"/w/acme/views/{kept}/delete", {"revision": "1"}).status_code == 303
    again = rita.post(VIEWS, view)
    assert again.status_code == 303
    assert rita.get(again.headers["Location"]).status_code == 200


def test_a_card_is_added_once(town: Town) -> None:
    rita = town.as_("Rita")
    key = key_in(rita.get(QUICK, htmx=True).text)
    form = {"once": key, "f-title": "Fence", "board": "free?"}

    first, second = (rita.post(QUICK, form, htmx=True) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200), first.text
    assert second.headers["HX-Trigger"] == first.headers["HX-Trigger"]
    assert count(town, Record) == 1


def test_a_view_is_kept_once(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")
    form = {"once": key_in(rita.get("/w/acme/o/matter").text), "name": "Mine"}
    first, second = (rita.post(VIEWS, form) for _ in range(2))
    assert (first.status_code, second.headers["Location"]) == (303, first.headers["Location"])
    assert count(sqlite_town, SavedView) == 1


@pytest.mark.parametrize("nonsense", ["x", "\0", "é" * 11, "A" * 300])
def test_a_key_that_is_not_ours_is_none(sqlite_town: Town, nonsense: str) -> None:
    record, rita = matter(sqlite_town), sqlite_town.as_("Rita")
    for _ in range(2):
        sent = {"once": nonsense, "text": "Called."}
        assert rita.post(page_of(record, "/notes"), sent).status_code == 303
    assert count(sqlite_town, Note) == 2
