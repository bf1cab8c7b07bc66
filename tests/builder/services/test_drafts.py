"""Drafts travel together, lose nothing of others, and what was published can be taken back (B7)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from builder.db.definitions import DefinitionVersion
from builder.db.records import Record
from builder.domain.permissions import Actor
from builder.errors import Conflict, Forbidden, Invalid, NotFound
from builder.queries import drafts as stored
from builder.services import definitions, drafts, records
from builder.services.maintenance import verify
from builder.services.unit_of_work import UnitOfWork
from tests import factories
from tests.factories import World
from tests.fixtures.databases import FreshDatabase

Document = dict[str, Any]
CITY = factories.text_field("City")
PHONE = factories.text_field("Telephone")


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = factories.make_world(database_url.url)
    yield made
    made.engine.dispose()


def changed(document: Document, **fields: Document) -> Document:
    """The object with fields added or changed."""
    made = copy.deepcopy(document)
    made["fields"]["properties"].update(fields)
    return made


def live(uow: UnitOfWork, kind: str, key: str) -> Document:
    found = stored.editable(uow.session, kind, key)
    assert not found.is_draft
    return found.document


def test_drafts_are_kept_apart_and_travel_together(world: World) -> None:
    with world.work() as uow:
        draft = changed(factories.ACCOUNT, city=CITY)
        version_id = drafts.save_draft(uow, draft)
        assert drafts.save_draft(uow, draft) == version_id
        drafts.save_draft(uow, changed(factories.CASE, city=CITY))
        uow.commit()
        assert "city" not in uow.catalog.object("client").fields.by_key
        assert stored.drafts_count(uow.session) == 2

        published = drafts.publish_drafts(uow, note=" Where they are ")
        uow.commit()
        assert len(published.versions) == 2
        assert "city" in uow.catalog.object("client").fields.by_key
        assert "city" in uow.catalog.object("matter").fields.by_key
        assert stored.drafts(uow.session) == []
        newest = stored.change_sets(uow.session)[0]
        assert (newest.source, newest.note, newest.published_by) == ("studio", "Where they are", "Ada")
        assert [name[:2] for name in newest.names] == [("object", "client"), ("object", "matter")]
        with pytest.raises(Conflict):
            drafts.publish_drafts(uow)


def test_the_first_draft_is_of_what_is_live_and_one_that_says_the_same_is_none(world: World) -> None:
    with world.work() as uow:
        seen = stored.editable(uow.session, "object", "client")
        drafts.save_draft(uow, changed(seen.document, city=CITY), expected_checksum=seen.checksum)
        edited = stored.editable(uow.session, "object", "client")
        assert edited.is_draft
        assert edited.number == 1
        assert drafts.save_draft(uow, seen.document, expected_checksum=edited.checksum) is None
        assert stored.drafts(uow.session) == []


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(world: World) -> None:
    with world.work() as uow:
        seen = stored.editable(uow.session, "object", "client").checksum
        drafts.save_draft(uow, changed(factories.ACCOUNT, city=CITY), expected_checksum=seen)
        for act in (
            lambda: drafts.save_draft(uow, factories.ACCOUNT, expected_checksum=seen),
            lambda: drafts.discard(uow, "object", "client", seen),
            lambda: drafts.draft_removal(uow, "object", "client", seen),
        ):
            with pytest.raises(Conflict):
                act()
        digest = stored.digest(stored.drafts(uow.session))
        drafts.save_draft(uow, changed(factories.ACCOUNT, city=PHONE))
        with pytest.raises(Conflict):
            drafts.publish_drafts(uow, seen=digest)
        drafts.publish_drafts(uow, seen=stored.digest(stored.drafts(uow.session)))


def test_what_was_published_since_is_kept_beside_the_draft(world: World) -> None:
    with world.work() as uow:
        drafts.save_draft(uow, changed(factories.ACCOUNT, city=CITY))
        definitions.publish(uow, [changed(factories.ACCOUNT, phone=PHONE)])
        (behind,) = stored.drafts(uow.session)
        assert behind.is_behind
        with pytest.raises(Conflict):
            drafts.publish_drafts(uow)
        drafts.bring_up_to_date(uow, "object", "client")
        drafts.publish_drafts(uow)
        assert {"city", "phone"} <= uow.catalog.object("client").fields.by_key.keys()


def test_where_both_changed_the_same_somebody_decides(world: World) -> None:
    with world.work() as uow:
        drafts.save_draft(uow, {**factories.ACCOUNT, "label": "Mandant"})
        definitions.publish(uow, [{**factories.ACCOUNT, "label": "Customer"}])
        with pytest.raises(Conflict):
            drafts.bring_up_to_date(uow, "object", "client")
        drafts.bring_up_to_date(uow, "object", "client", "ours")
        drafts.publish_drafts(uow)
        assert uow.catalog.object("client").label.text() == "Mandant"

        drafts.save_draft(uow, {**factories.ACCOUNT, "label": "Buyer"})
        definitions.publish(uow, [{**factories.ACCOUNT, "label": "Customer"}])
        drafts.bring_up_to_date(uow, "object", "client", "theirs")
        assert stored.drafts(uow.session) == []


def test_nothing_is_published_when_one_draft_is_unsound(world: World) -> None:
    with world.work() as uow:
        drafts.save_draft(uow, changed(factories.ACCOUNT, city=CITY))
        drafts.save_draft(uow, {**factories.FLOW, "stages": []})
        uow.commit()
        with pytest.raises(Invalid):
            drafts.publish_drafts(uow)
        uow.rollback()
        assert len(stored.drafts(uow.session)) == 2
        assert "city" not in uow.catalog.object("client").fields.by_key


def test_a_change_set_is_taken_back_and_no_record_is_touched(world: World) -> None:
    with world.work() as uow:
        before = live(uow, "object", "client")
        drafts.save_draft(uow, changed(factories.ACCOUNT, city=CITY))
        drafts.save_draft(uow, VIEW)
        drafts.publish_drafts(uow)
        made = records.create(uow, "client", records.NewRecord({"title": "Acme", "city": "Rome"}))
        uow.commit()
        (number, *_) = [each.number for each in stored.change_sets(uow.session)]

        taken = drafts.roll_back(uow, number, "It was too much")
        uow.commit()
        assert live(uow, "object", "client") == before
        assert ("view", "all_clients") not in [row[:2] for row in taken.versions]
        with pytest.raises(NotFound):
            stored.editable(uow.session, "view", "all_clients")
        record = uow.session.get_one(Record, (uow.workspace.id, made.record_id))
        assert record.data["city"] == "Rome"
        assert record.revision == made.revision
        newest = stored.change_sets(uow.session)[0]
        assert (newest.source, newest.undoes, newest.note) == ("rollback", number, "It was too much")
        assert not verify(uow).differences

        # Taking back is a change set like any other: it can be taken back, too.
        drafts.roll_back(uow, newest.number)
        assert "city" in uow.catalog.object("client").fields.by_key
        assert live(uow, "view", "all_clients")["label"] == VIEW["label"]


def test_what_was_changed_again_since_is_not_taken_back(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY)])
        number = stored.change_sets(uow.session)[0].number
        definitions.publish(uow, [changed(factories.ACCOUNT, city=CITY, phone=PHONE)])
        with pytest.raises(Conflict):
            drafts.roll_back(uow, number)
        with pytest.raises(NotFound):
            drafts.roll_back(uow, 999)


def test_a_definition_goes_unless_something_needs_it(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [VIEW])
        drafts.draft_removal(uow, "view", "all_clients")
        with pytest.raises(NotFound):
            stored.editable(uow.session, "view", "all_clients")
        drafts.publish_drafts(uow)
        assert "all_clients" not in uow.catalog.views

        drafts.draft_removal(uow, "object", "client")
        with pytest.raises(Invalid):  # the matters refer to their client
            drafts.publish_drafts(uow)
        uow.rollback()

        records.create(uow, "matter", records.NewRecord({"title": "Case"}))
        definitions.publish(uow, [{**factories.FLOW, "key": "spare"}])
        drafts.draft_removal(uow, "pipeline", "spare")
        drafts.publish_drafts(uow)
        assert "spare" not in uow.catalog.pipelines


def test_what_records_are_made_of_does_not_go(world: World) -> None:
    with world.work() as uow:
        definitions.publish(uow, [THING])
        records.create(uow, "thing", records.NewRecord({"title": "One"}))
        drafts.draft_removal(uow, "object", "thing")
        with pytest.raises(Conflict):
            drafts.publish_drafts(uow)


def test_a_draft_that_was_never_live_goes_at_once(world: World) -> None:
    with world.work() as uow:
        drafts.save_draft(uow, THING)
        drafts.draft_removal(uow, "object", "thing")
        assert stored.drafts(uow.session) == []
        with pytest.raises(NotFound):
            drafts.discard(uow, "object", "thing")
        drafts.save_draft(uow, THING)
        drafts.discard(uow, "object", "thing")
        count = select(func.count()).select_from(DefinitionVersion)
        assert uow.session.scalar(count.where(DefinitionVersion.status.in_(stored.OPEN))) == 0


def test_without_the_right_nothing_of_it_works(world: World) -> None:
    rep = Actor(world.admin_id, "Rita", "rep", frozenset(), "own")
    with world.work(rep) as uow:
        for act in (
            lambda: drafts.save_draft(uow, THING),
            lambda: drafts.discard(uow, "object", "client"),
            lambda: drafts.draft_removal(uow, "object", "client"),
            lambda: drafts.bring_up_to_date(uow, "object", "client"),
            lambda: drafts.publish_drafts(uow),
            lambda: drafts.roll_back(uow, 1),
        ):
            with pytest.raises(Forbidden):
                act()


VIEW = {
    "grammar": 1,
    "kind": "view",
    "key": "all_clients",
    "label": {"en": "All clients"},
    "object": "client",
    "layout": "list",
    "columns": ["title"],
}
THING = {
    "grammar": 1,
    "kind": "object",
    "key": "thing",
    "label": {"en": "Thing"},
    "label_plural": {"en": "Things"},
    "fields": {
        "type": "object",
        "properties": {"title": factories.text_field("Title", **{"x-role": "name"})},
        "required": ["title"],
    },
}
