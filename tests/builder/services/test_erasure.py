"""Erasing a person: nothing of them is left in any text of any table, and figures stay."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, String, Text, select, text

from builder.db.base import Base
from builder.db.ledger import EventRow
from builder.db.records import Record
from builder.domain.blackout import BAR, Marks
from builder.domain.permissions import Actor
from builder.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.profile import profile
from builder.services import (
    batches,
    deletion,
    duplicate_search,
    erasure,
    files,
    imports,
    merging,
    notes,
    records,
)
from builder.services.bulk import Chosen, edit_many
from builder.services.entries import Entry
from builder.services.import_choices import Choices
from builder.services.import_runs import run
from builder.services.import_setup import carry_out, plan_import
from builder.services.maintenance import verify
from builder.services.merging import Merge, merge
from builder.services.notes import WriteNote
from builder.services.records import NewRecord, SaveRecord
from builder.services.transitions import MoveRecord, move
from builder.services.unit_of_work import UnitOfWork
from tests.factories import ACCOUNT, DOCUMENTS, World, add_member, make_world, text_field
from tests.fixtures.databases import FreshDatabase

NAME, MAIL, PHONE, OTHER = "Žofia 王小明", "zofia@kowal.example", "+4930123456789", "Zofia Kowalska"
L = {"en": "Field"}
PERSON = {
    **ACCOUNT,
    "key": "person",
    "duplicate_keys": ["title", "mail", "phone"],
    "search": ["title", "mail"],
    "fields": {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": text_field("Name", **{"x-role": "name", "x-filterable": True}),
            "mail": {"x-type": "email", "x-label": L, "x-filterable": True},
            "phone": {"x-type": "phone", "x-label": L},
            "about": {"x-type": "long_text", "x-label": L},
            "paper": {"x-type": "file", "x-label": L},
        },
    },
}


# Where both databases do the same by the same statements.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = make_world(database_url.url, documents=(*DOCUMENTS, PERSON))
    yield made
    made.engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path)


def person(uow: UnitOfWork, title: str = NAME, **values: Any) -> int:
    return records.create(uow, "person", NewRecord({"title": title, **values})).record_id


def matter(uow: UnitOfWork, title: str, **values: Any) -> int:
    return records.create(uow, "matter", NewRecord({"title": title, **values}, Entry("free"))).record_id


def revision(uow: UnitOfWork, record_id: int) -> int:
    return uow.session.scalars(select(Record.revision).where(Record.id == record_id)).one()


def erased(uow: UnitOfWork, record_id: int, name: str = NAME) -> list[str]:
    keys = erasure.erase(uow, record_id, name, revision(uow, record_id))
    uow.commit()
    return keys


def left(world: World, *texts: str) -> list[str]:
    """Where any of the texts stands: every text and JSON column of every table, by plain SQL."""
    found = []
    with world.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        if connection.dialect.name == "postgresql":
            ids = connection.execute(text("SELECT id FROM workspace")).scalars().all()
            connection.execute(text(f"SELECT set_config('app.workspace_id', '{ids[0]}', false)"))
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if not isinstance(column.type, (JSON, String, Text)):
                    continue
                statement = f'SELECT CAST("{column.name}" AS TEXT) FROM "{table.name}"'
                for (value,) in connection.execute(text(statement)):
                    low = (value or "").casefold()
                    forms = (form for one in texts for form in (one, json.dumps(one)[1:-1]))
                    if any(form.casefold() in low for form in forms):
                        found.append(f"{table.name}.{column.name}: {value}")
    return found


def test_nothing_of_the_person_is_left_in_any_text_of_any_table(world: World, blobs: FolderBlobStore) -> None:
    with world.work() as uow:
        add_member(uow, "Bob", "manager")
        paper = files.receive(uow, blobs, io.BytesIO(b"%PDF-1.4"), f"{NAME}.pdf", files.Intake())
        one = person(uow, OTHER, mail=MAIL, phone=PHONE, about=f"{NAME} likes tea", paper=files.facts(paper))
        records.save(uow, SaveRecord(one, {"title": NAME}))
        twin = person(uow, NAME, mail=MAIL)
        deal = matter(uow, f"Tea for {NAME}", note=f"ask {MAIL} or {PHONE}, not Hannah", worth="70")
        notes.write(uow, WriteNote(one, f"{NAME} called, @Bob"))
        notes.write(uow, WriteNote(deal, f"{NAME.upper()} pays"))
        uow.commit()
        edit_many(uow, "matter", [Chosen(deal, 9), Chosen(one, 1)], {"note": f"for {OTHER}"})
        uow.commit()
        merging.merge(uow, merging.Merge(Chosen(one, 2), (Chosen(twin, 1),)))
        uow.commit()
        duplicate_search.run(uow, duplicate_search.ask(uow, "person"))
        assert left(world, NAME, MAIL)
        found = erasure.holding(uow, one)
        assert (found.notes, found.files, found.same) == (1, 1, ())
        uow.commit()
        keys = erased(uow, one)
        assert len(keys) == 1
        for key in keys:
            blobs.delete(key)
        assert left(world, NAME, OTHER, MAIL, PHONE, "likes tea") == []
        data = uow.session.scalars(select(Record.data).where(Record.id == deal)).one()
        assert data["title"] == f"Tea for {BAR}"
        assert "not Hannah" in data["note"] or data["note"] == f"for {BAR}"
        receipt = uow.session.scalars(select(EventRow.data).where(EventRow.kind == "record.erased")).one()
        assert receipt["after"]["erased.notes"] == 1
    with world.work() as uow:
        report = verify(uow)
        assert report.is_clean, report.examples
        with pytest.raises(NotFound):
            deletion.delete(uow, one)
        uow.rollback()
        with pytest.raises(Conflict):
            deletion.restore(uow, one)


def test_of_a_record_in_a_process_the_figures_stay(world: World) -> None:
    with world.work() as uow:
        deal = matter(uow, "Jane Roe", worth="70", note="private")
        uow.commit()
        move(uow, MoveRecord(deal, "b"))
        uow.commit()
        erased(uow, deal, "Jane Roe")
        row = uow.session.execute(
            select(Record.name, Record.data, Record.stage_key, Record.amount_minor, Record.deleted_at).where(
                Record.id == deal
            )
        ).one()
        assert (row.name, row.stage_key, row.amount_minor, row.deleted_at) == (BAR, "b", 7000, None)
        assert "note" not in row.data
        with pytest.raises(Conflict):
            erasure.erase(uow, deal, BAR, revision(uow, deal))
    assert left(world, "Jane Roe", "private") == []
    with world.work() as uow:
        assert verify(uow).is_clean


@ON_SQLITE
def test_files_of_imports_that_brought_the_person_go(world: World, blobs: FolderBlobStore) -> None:
    with world.work() as uow:
        content = f"ref,title,mail\nK1,Jane Roe,{MAIL}\nK2,Someone Else,\n"
        job = imports.receive(uow, blobs, io.BytesIO(content.encode()), "jane roe.csv", "person")
        with imports.OpenFile(blobs, job) as table:
            columns = profile(table)
        proposal = plan_import(uow, columns, imports.format_of(job), "person", Choices())
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        uow.commit()
        run(uow, blobs, job.id)
    with world.work() as uow:
        one = uow.session.scalars(select(Record.id).where(Record.name == "Jane Roe")).one()
        keys = erased(uow, one, "Jane Roe")
        assert keys
        assert left(world, "Jane Roe", MAIL) == []
        assert uow.session.scalars(select(Record.name).where(Record.name == "Someone Else")).one()
        assert verify(uow).is_clean


@ON_SQLITE
def test_another_of_exactly_this_name_is_left_and_told(world: World) -> None:
    with world.work() as uow:
        one, two = person(uow, "Jane Roe"), person(uow, "Jane Roe", phone=PHONE)
        uow.commit()
        assert erasure.holding(uow, one).same == (two,)
        uow.commit()
        erased(uow, one, "Jane Roe")
        assert uow.session.scalars(select(Record.name).where(Record.id == two)).one() == "Jane Roe"


@ON_SQLITE
def test_an_earlier_batch_does_not_bring_it_back(world: World) -> None:
    with world.work() as uow:
        one, two = person(uow, "Jane Roe"), person(uow, "Jon Doe")
        uow.commit()
        batch_id = edit_many(uow, "person", [Chosen(one, 1), Chosen(two, 1)], {"about": "x"}).batch_id
        uow.commit()
        assert batch_id is not None
        erased(uow, one, "Jane Roe")
        outcome = batches.undo_own(uow, batch_id)
        uow.commit()
        assert [record_id for record_id, _ in outcome.kept] == [one]
        assert left(world, "Jane Roe") == []


@ON_SQLITE
def test_a_merge_of_an_erased_person_is_not_taken_back(world: World) -> None:
    with world.work() as uow:
        stays, goes = person(uow), person(uow)
        uow.commit()
        batch_id = merge(uow, Merge(Chosen(stays, 1), (Chosen(goes, 1),), {}))
        uow.commit()
        erased(uow, stays)
        assert left(world, NAME) == []
        with pytest.raises(Conflict, match="erased since"):
            batches.undo_own(uow, batch_id)


@ON_SQLITE
def test_it_is_refused_with_a_reason_and_nothing_goes(world: World) -> None:
    with world.work() as uow:
        one = person(uow, "Jane Roe")
        uow.commit()
        with pytest.raises(Invalid):
            erasure.erase(uow, one, "Jane", 1)
        uow.rollback()
        with pytest.raises(Stale):
            erasure.erase(uow, one, "Jane Roe", 7)
        uow.rollback()
        with pytest.raises(NotFound):
            erasure.erase(uow, 17, "Jane Roe", 1)
        uow.rollback()
        uow.actor = Actor(world.admin_id, "Ada", "admin", frozenset({"record.edit", "record.delete"}), "all")
        with pytest.raises(Forbidden):
            erasure.erase(uow, one, "Jane Roe", 1)
        uow.rollback()
        assert left(world, "Jane Roe")


@pytest.mark.parametrize(
    ("mark", "before", "after"),
    [
        ("Ann", "Ann and Hannah, ANN.", f"{BAR} and Hannah, {BAR}."),
        ("Jane Roe", "jane  roe's", f"{BAR}'s"),
        ("王伟", "联系王伟确认", f"联系{BAR}确认"),
        ("+4930123", "call +4930123 or +49301234", f"call {BAR} or +49301234"),
        ("Jo", "Jo", "Jo"),
    ],
)
def test_marks_are_blacked_out_as_whole_words(mark: str, before: str, after: str) -> None:
    assert Marks.of([mark]).blacked_out({"a": [before]}) == {"a": [after]}
