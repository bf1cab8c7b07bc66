"""A published field gets another type: values convert with the publish, and taking it back gives them back."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from builder.db.ledger import EventRow
from builder.db.records import Record
from builder.fieldtypes.base import FieldContext
from builder.metadata.retyping import retypings
from builder.queries import retyping as queries
from builder.services import definitions, drafts, maintenance
from builder.services.batches import undo_own
from builder.services.bulk import Chosen, edit_many
from builder.services.records import NewRecord, create
from builder.services.soundness import fields_of
from builder.services.unit_of_work import UnitOfWork
from tests import factories
from tests.factories import CASE, World
from tests.fixtures.databases import FreshDatabase

SIZES = ["12", "about ten", "1,200", ""]


def sized(**size: Any) -> dict[str, Any]:
    document = copy.deepcopy(CASE)
    field = {"x-label": {"en": "Size"}, "x-filterable": True, **size}
    twice = {"x-type": "formula", "x-label": {"en": "Twice"}, "x-formula": "size * 2"}
    more = {"size": field} if size["x-type"] == "text" else {"size": field, "twice": twice}
    document["fields"]["properties"] |= more
    document["search"] = ["title", "size"] if size["x-type"] == "text" else ["title"]
    return document


def stored(uow: UnitOfWork) -> list[dict[str, Any]]:
    rows = uow.session.scalars(select(Record.data).where(Record.object_key == "matter").order_by(Record.id))
    names = ("size", "size@text", "size@integer", "twice")
    return [{name: row[name] for name in names if name in row} for row in rows]


def assert_copies_are_right(world: World) -> None:
    with world.work() as uow:
        assert not maintenance.verify(uow).differences


def test_values_convert_are_put_aside_and_come_back(database_url: FreshDatabase) -> None:
    world = factories.make_world(
        database_url.url, documents=(factories.ACCOUNT, sized(**{"x-type": "text"}), *factories.ROLES)
    )
    with world.work() as uow:
        for size in SIZES:
            create(uow, "matter", NewRecord({"title": "One", **({"size": size} if size else {})}))
        uow.commit()
    after = sized(**{"x-type": "integer"})
    with world.work() as uow:
        fields = fields_of(sized(**{"x-type": "text"})), fields_of(after)
        (change,) = retypings(*fields, FieldContext(now=datetime.now(UTC)))
        found = queries.conversion(uow.session, "matter", change)
        assert (found.examined, found.refused, found.is_whole) == (3, 1, True)
        assert [(one.name, one.text) for one in found.examples] == [("One", "about ten")]
        published = definitions.publish(uow, [after])
        uow.commit()
    assert [one.rule for one in published.warnings if one.severity == "warn"] == ["field_values_convert"]
    with world.work() as uow:
        assert stored(uow) == [
            {"size": 12, "twice": "24.00"},
            {"size@text": "about ten"},
            {"size": 1200, "size@text": "1,200", "twice": "2400.00"},
            {},
        ]
        slot = uow.catalog.object("matter").fields.by_key["size"].slot
        assert slot is not None
        assert slot.startswith("n")
        filled = uow.session.scalars(select(getattr(Record, slot)).order_by(Record.id)).all()
        assert filled == [12, None, 1200, None]
    assert_copies_are_right(world)
    with world.work() as uow:
        drafts.roll_back(uow, uow.session.scalar(select(definitions.func.max(definitions.ChangeSet.number))))
        uow.commit()
    with world.work() as uow:
        assert [one.get("size", "") for one in stored(uow)] == SIZES
        assert not any("size@text" in one or "size@integer" in one for one in stored(uow))
    assert_copies_are_right(world)
    world.engine.dispose()


def test_undoing_gives_values_of_before_as_the_field_is_now(database_url: FreshDatabase) -> None:
    """Their events tell values of the former type; those that do not fit are put aside, as by the publish."""
    world = factories.make_world(
        database_url.url, documents=(factories.ACCOUNT, sized(**{"x-type": "text"}), *factories.ROLES)
    )
    with world.work() as uow:
        made = [
            create(uow, "matter", NewRecord({"title": "One", "size": size})).record_id for size in SIZES[:3]
        ]
        uow.commit()
    with world.work() as uow:
        batch = edit_many(uow, "matter", [Chosen(one, 1) for one in made], {"size": "7"}).batch_id
        assert batch is not None
        uow.commit()
    with world.work() as uow:
        definitions.publish(uow, [sized(**{"x-type": "integer"})])
        uow.commit()
    with world.work() as uow:
        assert undo_own(uow, batch).restored == 3
        uow.commit()
    with world.work() as uow:
        assert stored(uow) == [
            {"size": 12, "twice": "24.00"},
            {"size@text": "about ten"},
            {"size": 1200, "size@text": "1,200", "twice": "2400.00"},
        ]
        told = uow.session.scalars(select(EventRow.data).where(EventRow.batch_id == batch)).all()
        assert not any("size@text" in {**data["before"], **data["after"]} for data in told)
    assert_copies_are_right(world)
    world.engine.dispose()
