"""What a form makes, it makes once (S125)."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from builder.db.ids import new_id, to_public
from builder.db.notes import Note
from builder.db.postings import Posting
from builder.services import notes, postings
from builder.services.notes import WriteNote
from tests.blueprints.workspace.desk import actor, matter
from tests.fixtures.town import Town

TYPED = [("text", "Called.")]


def written(town: Town, record: int) -> int:
    uow = town.work()
    try:
        return uow.session.scalar(select(func.count()).select_from(Note).where(Note.record_id == record)) or 0
    finally:
        uow.session.close()


def write(town: Town, record: int, key: str, who: str = "Rita", text: str = "Called.") -> int:
    uow = town.work()
    uow.actor = actor(town, who)
    try:
        made = postings.once(uow, key, lambda: notes.write(uow, WriteNote(record, text)).note_id)
        uow.commit()
        return made
    finally:
        uow.session.close()


def test_the_second_gets_what_the_first_made_and_another_text_is_another_posting(town: Town) -> None:
    record, form = matter(town), postings.new_key()
    key = postings.posting_key(form, TYPED)

    first = write(town, record, key)

    assert write(town, record, key) == first
    assert written(town, record) == 1
    other = postings.posting_key(form, [("text", "Called again.")])
    assert write(town, record, other) != first
    assert write(town, record, key, who="Mia") != first, "a key is its member's own"
    assert write(town, record, "") != write(town, record, "")
    assert written(town, record) == 5


def test_the_key_depends_on_the_form_and_on_everything_typed() -> None:
    one, other = postings.new_key(), postings.new_key()
    keys = {
        postings.posting_key(form, typed)
        for form in (one, other)
        for typed in ([], TYPED, [("tex", "tCalled.")], [*TYPED, ("kept", "7")])
    }
    assert len(keys) == 8
    assert postings.posting_key(one, [("a", "1"), ("b", "2")]) == postings.posting_key(
        one, [("b", "2"), ("a", "1")]
    )
    assert all(postings.posting_key(nonsense, TYPED) == "" for nonsense in ("", "x" * 11, "é", "\0" * 11))


def test_what_was_refused_leaves_the_key_free(town: Town) -> None:
    record, key = matter(town), postings.posting_key(postings.new_key(), TYPED)
    with pytest.raises(Exception, match="not saved"):
        write(town, record, key, text=" ")
    write(town, record, key)
    assert written(town, record) == 1


def test_those_that_run_at_the_same_time_make_one(town: Town) -> None:
    record, key = matter(town), postings.posting_key(postings.new_key(), TYPED)
    start, made = threading.Barrier(5), []

    def click() -> None:
        start.wait()
        made.append(write(town, record, key))

    clicks = [threading.Thread(target=click) for _ in range(5)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join(60)
    assert len(made) == 5
    assert len(set(made)) == 1
    assert written(town, record) == 1


def test_old_keys_are_forgotten(town: Town) -> None:
    record = matter(town)
    long_ago = new_id() - int(timedelta(days=8) / timedelta(milliseconds=1)) * 2**22
    left_open = postings.posting_key(to_public(long_ago), TYPED)
    assert write(town, record, left_open) == write(town, record, left_open), "also of a page left open"
    write(town, record, postings.posting_key(postings.new_key(), TYPED))
    uow = town.work()
    kept: list[Any] = list(uow.session.scalars(select(Posting.key)))
    uow.session.close()
    assert len(kept) == 1
