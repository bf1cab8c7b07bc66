"""Merging and its undo: nothing is lost, nothing counts twice, and undoing leaves exactly what was before."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ids import new_id
from builder.db.imports import StoredFile
from builder.db.ledger import StayRow
from builder.db.notes import Note, Notice
from builder.db.records import GivenNumber, Link, Record, RecordShare, SearchToken
from builder.domain.permissions import Actor
from builder.errors import Conflict, Forbidden, FunnelwrightError, Invalid, NotFound, Stale
from builder.exchange.blobs import FolderBlobStore
from builder.services import batches, deletion, files, notes, records
from builder.services.bulk import Chosen
from builder.services.entries import Entry
from builder.services.import_existing import existing
from builder.services.import_names import Names
from builder.services.maintenance import rebuild, verify
from builder.services.merging import Merge, merge
from builder.services.notes import WriteNote
from builder.services.records import NewRecord, SaveRecord
from builder.services.transitions import MoveRecord, move
from builder.services.unit_of_work import UnitOfWork
from tests.factories import ACCOUNT, CASE, DOCUMENTS, World, add_member, make_world, publish, text_field
from tests.fixtures.databases import FreshDatabase

L = {"en": "Field"}
REFERENCE = {"x-type": "reference", "x-label": L, "x-target": "client"}
MORE_OF_CLIENT = {
    "parent": REFERENCE,
    "phone": {"x-type": "phone", "x-label": L},
    "holder": {"x-type": "user", "x-label": L, "x-role": "owner"},
    "logo": {"x-type": "file", "x-label": L},
    "matters": {
        "x-type": "rollup",
        "x-label": L,
        "x-function": "count",
        "x-from": "matter",
        "x-by": "client",
    },
}
MORE_OF_CASE = {
    "lines": {
        "x-type": "table",
        "x-label": L,
        "items": {"type": "object", "properties": {"of": REFERENCE, "what": text_field("What")}},
    },
    "nr": {"x-type": "auto_number", "x-label": L, "x-format": "M-{number:4}"},
}
COMPARED = [
    name
    for name in (column.name for column in Record.__table__.columns)
    if name not in ("revision", "updated_at", "updated_by", "slice_id")
]


def with_fields(document: dict[str, Any], more: dict[str, Any], **keys: Any) -> dict[str, Any]:
    fields = document["fields"]
    return {**document, **keys, "fields": {**fields, "properties": {**fields["properties"], **more}}}


# Where both databases do the same by the same statements.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    client = with_fields(ACCOUNT, MORE_OF_CLIENT, duplicate_keys=["title", "phone"])
    case = with_fields(CASE, MORE_OF_CASE, duplicate_keys=["title"])
    rest = [document for document in DOCUMENTS if document["key"] not in ("client", "matter")]
    made = make_world(database_url.url, documents=(client, case, *rest))
    yield made
    made.engine.dispose()


def client(uow: UnitOfWork, title: str, key: str | None = None, **values: Any) -> int:
    return records.create(uow, "client", NewRecord({"title": title, **values}, external_key=key)).record_id


def matter(uow: UnitOfWork, title: str, pipeline: str | None = "free", **values: Any) -> int:
    entry = Entry(pipeline) if pipeline else None
    return records.create(uow, "matter", NewRecord({"title": title, **values}, entry)).record_id


def chosen(uow: UnitOfWork, *ids: int) -> list[Chosen]:
    rows = dict(uow.session.execute(select(Record.id, Record.revision).where(Record.id.in_(ids))).all())
    return [Chosen(record_id, rows[record_id]) for record_id in ids]


def united(uow: UnitOfWork, survivor: int, *others: int, **picks: int) -> int:
    first, *rest = chosen(uow, survivor, *others)
    batch_id = merge(uow, Merge(first, tuple(rest), picks))
    uow.commit()
    return batch_id


def data_of(uow: UnitOfWork, record_id: int) -> dict[str, Any]:
    return dict(uow.session.scalar(select(Record.data).where(Record.id == record_id)) or {})


def state(uow: UnitOfWork) -> dict[str, Any]:
    """Everything that a merge may change, but marks of who wrote last."""
    found: dict[str, Any] = {}
    for entity, names in (
        (Record, COMPARED),
        (Link, ["record_id", "field_key", "target_id"]),
        (SearchToken, ["record_id", "token"]),
        (GivenNumber, ["record_id", "value"]),
        (Note, ["id", "record_id", "text", "deleted_at"]),
        (Notice, ["id", "record_id", "note_id"]),
        (StoredFile, ["id", "record_id"]),
        (RecordShare, ["record_id", "member_id", "can_edit"]),
        (StayRow, ["id", "record_id", "sequence", "stage_key", "entered_at", "left_at", "left_via"]),
    ):
        rows = uow.session.execute(select(*(getattr(entity, name) for name in names)))
        found[entity.__tablename__] = sorted((dict(row._mapping) for row in rows), key=repr)
    return found


def is_clean(world: World) -> bool:
    with world.work() as uow:
        report = verify(uow)
    assert not report.differences, report.examples
    return report.is_clean


def test_what_referred_to_either_refers_to_the_one_that_stays(world: World) -> None:
    with world.work() as uow:
        stays = client(uow, "Acme")
        goes = client(uow, "ACME Ltd", parent=str(stays))
        daughter = client(uow, "Acme Labs", parent=str(goes))
        by_field = matter(uow, "One", client=str(goes))
        by_row = matter(uow, "Two", client=str(stays), lines=[{"of": str(goes), "what": "x"}])
        uow.commit()
        batch_id = united(uow, stays, goes, parent=goes)

        assert data_of(uow, daughter)["parent"] == str(stays)
        assert data_of(uow, by_field)["client"] == str(stays)
        assert data_of(uow, by_row)["lines"] == [{"of": str(stays), "what": "x"}]
        assert "parent" not in data_of(uow, stays)
        assert data_of(uow, stays)["matters"] == "2"
    assert is_clean(world)
    with world.work() as uow:
        rebuild(uow)
        uow.commit()
        batches.undo_own(uow, batch_id)
        uow.commit()
        assert data_of(uow, by_field)["client"] == str(goes)
        assert data_of(uow, by_row)["lines"] == [{"of": str(goes), "what": "x"}]
    assert is_clean(world)


def test_notes_and_files_follow_and_come_back(world: World, tmp_path: Path) -> None:
    blobs = FolderBlobStore(tmp_path)
    with world.work() as uow:
        bob = add_member(uow, "Bob", "manager")
        uow.commit()
        file = files.receive(uow, blobs, io.BytesIO(b"%PDF-1.4 x"), "logo.pdf", files.Intake())
        stays = client(uow, "Acme", holder=str(bob))
        goes = client(uow, "Acme", holder=str(bob), logo=files.facts(file))
        note = notes.write(uow, WriteNote(goes, "Ask @Bob"))
        uow.commit()
        batch_id = united(uow, stays, goes, logo=goes)

        holders = {
            entity: uow.session.scalars(select(entity.record_id)).all()
            for entity in (Note, Notice, StoredFile)
        }
        assert holders == {Note: [stays], Notice: [stays], StoredFile: [stays]}
        assert data_of(uow, stays)["logo"]["name"] == "logo.pdf"
        notes.write(uow, WriteNote(stays, "later"))
        uow.commit()
        batches.undo_own(uow, batch_id)
        uow.commit()
        assert dict(uow.session.execute(select(Note.text, Note.record_id)).all()) == {
            "Ask @Bob": goes,
            "later": stays,
        }
        assert uow.session.get_one(Note, (uow.workspace.id, note.note_id)).record_id == goes
        assert "logo" not in data_of(uow, stays)


@ON_SQLITE
def test_of_two_journeys_only_that_of_the_one_that_stays_counts(world: World) -> None:
    with world.work() as uow:
        stays, goes = matter(uow, "Deal", worth="100"), matter(uow, "Deal", worth="70")
        uow.commit()
        move(uow, MoveRecord(goes, "b"))
        uow.commit()
        batch_id = united(uow, stays, goes)
        live = uow.session.scalars(select(Record.id).where(Record.deleted_at.is_(None))).all()
        assert live == [stays]
        assert len(uow.session.scalars(select(StayRow.id)).all()) == 3
    assert is_clean(world)
    with world.work() as uow:
        batches.undo_own(uow, batch_id)
        uow.commit()
    assert is_clean(world)


@ON_SQLITE
def test_imports_find_the_one_that_stays_by_either_key(world: World) -> None:
    with world.work() as uow:
        stays, goes = client(uow, "Acme", "A-1"), client(uow, "Acme", "B-1")
        uow.commit()
        batch_id = united(uow, stays, goes)
        found = existing(uow, "client", ["A-1", "B-1", "C-1"])
        assert {key: one.id for key, one in found.items()} == {"A-1": stays, "B-1": stays}
        names = Names(uow, create_users=False, create_references=False).of_object("client")
        names.ensure(["B-1"])
        assert names.find("B-1") == str(stays)
        with pytest.raises(Conflict):
            deletion.restore(uow, goes)
        uow.rollback()
        batches.undo_own(uow, batch_id)
        uow.commit()
        assert {one.id for one in existing(uow, "client", ["A-1", "B-1"]).values()} == {stays, goes}


@ON_SQLITE
def test_a_chain_of_merges_is_undone_from_its_end(world: World) -> None:
    with world.work() as uow:
        one, two, three = (client(uow, "Acme", key) for key in ("K1", "K2", "K3"))
        uow.commit()
        before = state(uow)
        first = united(uow, two, one)
        second = united(uow, three, two)
        assert existing(uow, "client", ["K1"])["K1"].id == three
        with pytest.raises(Conflict):
            batches.undo_own(uow, first)
        uow.rollback()
        for batch_id in (second, first):
            batches.undo_own(uow, batch_id)
            uow.commit()
        assert state(uow) == before


@ON_SQLITE
def test_what_somebody_touched_since_is_kept_and_listed(world: World) -> None:
    with world.work() as uow:
        stays, goes, other = client(uow, "Acme"), client(uow, "Acme", sector="steel"), client(uow, "Else")
        referring = matter(uow, "One", client=str(goes))
        uow.commit()
        batch_id = united(uow, stays, goes, sector=goes)
        records.save(uow, SaveRecord(referring, {"client": str(other)}))
        records.save(uow, SaveRecord(stays, {"sector": "retail"}))
        uow.commit()
        outcome = batches.undo_own(uow, batch_id)
        uow.commit()
        assert sorted(outcome.kept) == sorted([(stays, "edited"), (referring, "edited")])
        assert data_of(uow, referring)["client"] == str(other)
        assert uow.session.scalar(select(Record.deleted_at).where(Record.id == goes)) is None
    assert is_clean(world)


@ON_SQLITE
def test_merging_is_refused_with_reasons_and_writes_nothing(world: World) -> None:
    with world.work() as uow:
        in_process, in_none = matter(uow, "Deal"), matter(uow, "Deal", pipeline=None)
        one, two = client(uow, "Acme"), client(uow, "Acme", phone="+4930123456")
        rep = add_member(uow, "Rep", "rep")
        uow.commit()
        before = state(uow)
        cases: list[tuple[type[FunnelwrightError], list[Chosen]]] = [
            (Conflict, chosen(uow, in_none, in_process)),
            (Invalid, chosen(uow, one)),
            (Invalid, chosen(uow, one, in_none)),
            (Stale, [Chosen(one, 1), Chosen(two, 9)]),
            (NotFound, [Chosen(one, 1), Chosen(17, 1)]),
        ]
        for error, (first, *rest) in cases:
            with pytest.raises(error):
                merge(uow, Merge(first, tuple(rest)))
            uow.rollback()
        uow.actor = Actor(rep, "Rep", "rep", frozenset({"record.edit"}), "own")
        with pytest.raises(NotFound):
            united(uow, one, two)
        uow.rollback()
        uow.actor = Actor(rep, "Rep", "viewer", frozenset(), "all")
        with pytest.raises(Forbidden):
            united(uow, one, two)
        uow.rollback()
        assert state(uow) == before


@ON_SQLITE
def test_what_a_rule_hides_beside_the_chosen_values_is_left_behind(world: World) -> None:
    with world.work() as uow:
        rule = {
            "effect": "show",
            "fields": ["phone"],
            "when": {"field": "sector", "op": "eq", "value": "steel"},
        }
        more = {**MORE_OF_CLIENT, "phone": {**MORE_OF_CLIENT["phone"], "x-hidden": "clear"}}
        document = with_fields(ACCOUNT, more)
        publish(uow, [{**document, "fields": {**document["fields"], "x-rules": [rule]}}])
        one = client(uow, "Acme", sector="retail")
        two = client(uow, "Acme Inc", sector="steel", phone="+4930123456")
        uow.commit()
        before = state(uow)
        batch_id = united(uow, one, two, phone=two)
        kept = data_of(uow, one)
        assert (kept["title"], kept["sector"]) == ("Acme", "retail")
        assert "phone" not in kept
        batches.undo_own(uow, batch_id)
        uow.commit()
        assert state(uow) == before


def test_undoing_a_merge_leaves_exactly_what_was_before(world: World) -> None:
    dice = random.Random(3)
    with world.work() as uow:
        bob = add_member(uow, "Bob", "manager")
        clients = [
            client(
                uow,
                dice.choice(["Acme", "Acme Ltd", "Bolt"]),
                f"K{number}",
                **{
                    key: value
                    for key, value in {
                        "sector": dice.choice(["retail", "steel", None]),
                        "phone": dice.choice(["+4930123456", "+8613800138000", None]),
                        "holder": str(dice.choice([bob, world.admin_id])),
                    }.items()
                    if value
                },
            )
            for number in range(6)
        ]
        for record_id in clients:
            if dice.random() < 0.5:
                records.save(uow, SaveRecord(record_id, {"parent": str(dice.choice(clients))}))
        matters = [
            matter(
                uow,
                f"M{number}",
                dice.choice(["free", "free", None]),
                worth=str(dice.randrange(100)),
                client=str(dice.choice(clients)),
                lines=[{"of": str(dice.choice(clients))} for _ in range(1 + dice.randrange(2))],
            )
            for number in range(8)
        ]
        for record_id in dice.sample([*clients, *matters], 6):
            notes.write(uow, WriteNote(record_id, f"note {dice.random()} @Bob"))
        uow.commit()
        for _ in range(4):
            before = state(uow)
            group = dice.sample(clients if dice.random() < 0.6 else matters, dice.choice([2, 2, 3]))
            picks = {
                key: dice.choice(group) for key in ("title", "sector", "phone", "parent", "worth", "client")
            }
            try:
                batch_id = united(uow, *group, **picks)
            except Conflict:
                uow.rollback()
                continue
            assert verify(uow).is_clean
            assert state(uow) != before
            batches.undo_own(uow, batch_id)
            uow.commit()
            assert state(uow) == before
            assert verify(uow).is_clean


@ON_SQLITE
def test_whom_it_was_shared_with_sees_what_stays_until_the_merge_is_undone(world: World) -> None:
    with world.work() as uow:
        stays, first, second = (client(uow, name) for name in ("Acme", "ACME Ltd", "Acme GmbH"))
        both, new = add_member(uow, "Both", "viewer"), add_member(uow, "New", "viewer")
        shares = [(stays, both, False), (first, both, True), (first, new, False), (second, new, True)]
        for record_id, member_id, can_edit in shares:
            uow.session.add(
                RecordShare(
                    workspace_id=uow.workspace.id, id=new_id(), record_id=record_id, member_id=member_id,
                    can_edit=can_edit, created_at=uow.clock.now(),
                )
            )  # fmt: skip
        uow.commit()
        before = state(uow)["record_share"]
        batch_id = united(uow, stays, first, second)
        seen = uow.session.execute(
            select(RecordShare.member_id, RecordShare.can_edit).where(RecordShare.record_id == stays)
        )
        assert dict(seen.all()) == {both: True, new: True}
        batches.undo_own(uow, batch_id)
        uow.commit()
        uow.session.expire_all()
        assert state(uow)["record_share"] == before


@ON_SQLITE
def test_a_share_that_was_taken_or_changed_since_the_merge_stays_so(world: World) -> None:
    with world.work() as uow:
        stays, gone = client(uow, "Acme"), client(uow, "ACME Ltd")
        people = [add_member(uow, name, "viewer") for name in ("Same", "Taken", "More")]
        for member_id in people:
            uow.session.add(
                RecordShare(
                    workspace_id=uow.workspace.id, id=new_id(), record_id=gone, member_id=member_id,
                    can_edit=False, created_at=uow.clock.now(),
                )
            )  # fmt: skip
        uow.commit()
        batch_id = united(uow, stays, gone)
        same, taken, more = people
        of = select(RecordShare).where(RecordShare.record_id == stays)
        uow.session.delete(uow.session.scalars(of.where(RecordShare.member_id == taken)).one())
        uow.session.scalars(of.where(RecordShare.member_id == more)).one().can_edit = True
        uow.commit()
        batches.undo_own(uow, batch_id)
        uow.commit()
        uow.session.expire_all()
        shares = uow.session.execute(
            select(RecordShare.record_id, RecordShare.member_id, RecordShare.can_edit)
        )
        assert set(map(tuple, shares)) == {(gone, same, False), (gone, more, False), (stays, more, True)}
