"""Notes over HTTP: written, changed and removed; mentions told to those who may see the record."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.imports import StoredFile
from builder.db.ledger import EventRow
from builder.db.notes import Note
from tests.blueprints.workspace.desk import NOBODY, make, matter, page_of
from tests.fixtures.town import Town

NOTICES = "/w/acme/notices"


def write(town: Town, record: int, text: str, who: str = "Rita", **more: Any) -> Any:
    """The note that was written."""
    answer = town.as_(who).post(page_of(record, "/notes"), {"text": text, **more})
    assert answer.status_code == 303, answer.text
    return notes_of(town, record)[-1]


def notes_of(town: Town, record: int) -> list[Any]:
    uow = town.work()
    try:
        return list(uow.session.scalars(select(Note).where(Note.record_id == record).order_by(Note.id)))
    finally:
        uow.session.close()


def files_of(town: Town, record: int) -> list[int]:
    uow = town.work()
    try:
        return list(uow.session.scalars(select(StoredFile.id).where(StoredFile.record_id == record)))
    finally:
        uow.session.close()


def note_page(note: Any, part: str, workspace: str = "acme") -> str:
    return f"/w/{workspace}/notes/{to_public(note.id)}/{part}"


def unread(town: Town, who: str) -> str:
    found = re.search(r'notices-count" aria-hidden="true">(\d+)', town.as_(who).get(NOTICES).text)
    return found.group(1) if found else ""


def test_writing_works_and_redirects_without_htmx(town: Town) -> None:
    record = matter(town)

    answer = town.as_("Rita").post(page_of(record, "/notes"), {"text": "Called.\r\nNo answer <b>yet</b>."})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{page_of(record)}#timeline")
    page = town.as_("Mia").get(page_of(record)).text
    assert "Called.\nNo answer &lt;b&gt;yet&lt;/b&gt;." in page


def test_for_htmx_the_timeline_comes_back_with_an_empty_form(sqlite_town: Town) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Rita").post(page_of(record, "/notes"), {"text": "Called."}, htmx=True)

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert answer.text.count("Called.") == 1


def test_a_mention_is_told_to_who_sees_the_record(town: Town) -> None:
    record = matter(town)
    write(town, record, "@mia please look, @Rita (me)")

    assert (unread(town, "Mia"), unread(town, "Rita"), unread(town, "Ada")) == ("1", "", "")
    page = town.as_("Mia").get(NOTICES).text
    assert "mentioned you on “Fence”" in page
    assert '<strong class="note-mention">@mia</strong>' in town.as_("Ada").get(page_of(record)).text


def test_who_may_not_see_the_record_is_not_told_and_the_writer_is(town: Town) -> None:
    record = matter(town, owner="Ada")

    ada = town.as_("Ada")

    answer = ada.post(page_of(record, "/notes"), {"text": "@Rita look"})

    page = ada.get(answer.headers["Location"]).text
    assert "Rita may not see this record, and was not told of the note." in page
    assert unread(town, "Rita") == ""
    assert len(notes_of(town, record)) == 1


def test_opening_a_notice_leads_to_the_record_and_counts_as_read(town: Town) -> None:
    record = matter(town)
    for text in ("@Mia one", "@Mia two", "@Mia three"):
        write(town, record, text)
    mia = town.as_("Mia")
    latest, _, earliest = re.findall(r'action="(/w/acme/notices/[\w-]{11})"', mia.get(NOTICES).text)

    answer = mia.post(latest)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{page_of(record)}#timeline")
    assert unread(town, "Mia") == "2"
    assert mia.post(earliest.replace("/notices/", "/notices/read/")).headers["Location"] == NOTICES
    assert unread(town, "Mia") == "1"
    assert town.as_("Ada").post(latest).status_code == 404
    assert mia.get(latest).status_code == 405


def test_editing_keeps_the_history_and_tells_only_who_is_new(town: Town) -> None:
    record = matter(town)
    note = write(town, record, "@Mia draft")
    assert "@Mia draft" in town.as_("Rita").get(note_page(note, "edit")).text

    answer = town.as_("Rita").post(
        note_page(note, "edit"), {"text": "@Mia @Ada final", "revision": str(note.revision)}
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{page_of(record)}#timeline")
    page = town.as_("Rita").get(page_of(record)).text
    assert "final" in page
    assert "draft" not in page
    assert "edited" in page
    assert (unread(town, "Mia"), unread(town, "Ada")) == ("1", "1")
    uow = town.work()
    event = uow.session.scalars(select(EventRow).where(EventRow.kind == "note.changed")).one()
    uow.session.close()
    assert event.data["before"]["note.text"] == "@Mia draft"
    assert "@Mia draft" in town.as_("Ada").get("/w/acme/admin/audit").text


def test_files_of_a_note_are_read_by_who_sees_the_record_and_go_with_it(town: Town) -> None:
    record = matter(town, owner="Ada")
    note = write(town, record, "", "Ada", files=[(io.BytesIO(b"offer"), "offer.txt")])
    path = f"/w/acme/files/{to_public(int(note.files[0]['id']))}"

    assert town.as_("Ada").get(path).data == b"offer"
    assert town.as_("Rita").get(path).status_code == 404

    answer = town.as_("Ada").post(note_page(note, "remove"), {"revision": "1"})

    assert answer.status_code == 303
    assert town.as_("Ada").get(path).status_code == 404
    assert files_of(town, record) == []
    assert "wrote a note that was removed" in town.as_("Ada").get(page_of(record)).text


def test_removing_takes_back_what_was_told(town: Town) -> None:
    record = matter(town)
    note = write(town, record, "@Mia secret")

    town.as_("Rita").post(note_page(note, "remove"), {"revision": "1"})

    assert unread(town, "Mia") == ""
    assert "secret" not in town.as_("Mia").get(page_of(record)).text
    assert town.as_("Rita").post(note_page(note, "remove"), {"revision": "2"}).status_code == 404


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("  ", "Write something, or attach a file."),
        ("x" * 10_001, "at most 10000 characters"),
        ("a\x00b", "cannot be stored"),
    ],
)
def test_what_cannot_be_a_note_is_422_and_stays_typed(sqlite_town: Town, text: str, told: str) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Rita").post(page_of(record, "/notes"), {"text": text}, htmx=True)

    assert answer.status_code == 422
    assert told in answer.text
    assert text.strip().replace("\x00", "")[:50] in answer.text
    assert notes_of(sqlite_town, record) == []


def test_a_refused_note_keeps_its_files_for_the_next_attempt(sqlite_town: Town) -> None:
    record, rita = matter(sqlite_town), sqlite_town.as_("Rita")
    files = [(io.BytesIO(b"offer"), "offer.txt"), (io.BytesIO(b""), "empty.txt")]

    refused = rita.post(page_of(record, "/notes"), {"text": "See", "files": files})

    assert refused.status_code == 422
    assert "empty.txt: The file is empty." in refused.text
    (kept,) = re.findall(r'name="kept" value="([\w-]+)"', refused.text)
    note = write(sqlite_town, record, "See", kept=kept)
    assert [file["name"] for file in note.files] == ["offer.txt"]
    again = rita.post(page_of(record, "/notes"), {"text": "Again", "kept": kept})
    assert again.status_code == 422
    assert "no longer stored" in again.text


def test_a_wrong_edit_is_422_and_a_stale_one_409(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    note, rita = write(sqlite_town, record, "One"), sqlite_town.as_("Rita")

    wrong = rita.post(note_page(note, "edit"), {"text": " ", "revision": "1"})
    assert (wrong.status_code, "Write something" in wrong.text) == (422, True)
    assert rita.post(note_page(note, "edit"), {"text": "Two", "revision": "1"}).status_code == 303
    assert rita.post(note_page(note, "edit"), {"text": "Three", "revision": "1"}).status_code == 409
    assert rita.post(note_page(note, "edit"), {"text": "Three"}).status_code == 400
    assert rita.post(note_page(note, "remove"), {"revision": "1"}).status_code == 409
    assert notes_of(sqlite_town, record)[0].text == "Two"


def test_anothers_note_is_403_but_for_who_may_delete(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    note = write(sqlite_town, record, "Mine")

    assert sqlite_town.as_("Mia").get(note_page(note, "edit")).status_code == 403
    assert sqlite_town.as_("Mia").post(note_page(note, "edit"), {"revision": "1"}).status_code == 403
    assert sqlite_town.as_("Mia").post(note_page(note, "remove"), {"revision": "1"}).status_code == 403
    assert "Remove the note?" in sqlite_town.as_("Ada").get(note_page(note, "remove"), htmx=True).text
    assert sqlite_town.as_("Ada").post(note_page(note, "remove"), {"revision": "1"}).status_code == 303


def test_without_the_right_to_edit_it_is_403(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    sqlite_town.take_right("rep", "record.edit")

    assert sqlite_town.as_("Rita").post(page_of(record, "/notes"), {"text": "No"}).status_code == 403
    assert 'id="note-form"' not in sqlite_town.as_("Rita").get(page_of(record)).text


def test_strangers_and_nothing_are_404_and_wrong_verbs_405(sqlite_town: Town) -> None:
    hidden, foreign = (
        matter(sqlite_town, owner="Ada"),
        make(sqlite_town, "matter", {"title": "Far"}, at="other"),
    )
    note, rita = write(sqlite_town, hidden, "Hidden", "Ada"), sqlite_town.as_("Rita")

    for path in (page_of(hidden, "/notes"), page_of(foreign, "/notes"), f"/w/acme/r/{NOBODY}/notes"):
        assert rita.post(path, {"text": "x"}).status_code == 404
    for part in ("edit", "remove"):
        assert rita.get(note_page(note, part)).status_code == 404
        assert rita.post(note_page(note, part), {"text": "x", "revision": "1"}).status_code == 404
        assert rita.post(note_page(note, part, "other"), {"revision": "1"}).status_code == 404
        assert rita.post(f"/w/acme/notes/{NOBODY}/{part}", {"revision": "1"}).status_code == 404
    assert rita.get(page_of(hidden, "/notes")).status_code == 405
    assert [note.text for note in notes_of(sqlite_town, hidden)] == ["Hidden"]
