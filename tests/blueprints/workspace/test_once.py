"""Forms that make something, sent more than once over HTTP."""

from __future__ import annotations

import io
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
