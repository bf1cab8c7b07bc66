"""Checking values before they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from builder.domain.fields import FieldSet
from builder.services.values import NO_MEMBER, Draft, check
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase


@pytest.fixture
def world(sqlite_database: FreshDatabase) -> Iterator[World]:
    made = make_world(sqlite_database.url)
    yield made
    made.engine.dispose()


def owned_by_default(fields: FieldSet) -> FieldSet:
    """The fields, with whoever creates the record as owner by default."""
    with_default = tuple(replace(field, default="me") if field.role == "owner" else field for field in fields)
    return replace(fields, fields=with_default)


def test_the_owner_that_a_new_record_gets_by_default_is_known(world: World) -> None:
    with world.work() as uow:
        matter = uow.catalog.object("matter")
        matter = replace(matter, fields=owned_by_default(matter.fields))
        (checked,) = check(uow, matter, [Draft({}, {"title": "Bridge"})])
        assert checked.faults == ()
        assert checked.data["holder"] == str(world.admin_id)


def test_an_owner_who_is_not_of_the_workspace_is_refused(world: World) -> None:
    with world.work() as uow:
        matter = uow.catalog.object("matter")
        (checked,) = check(uow, matter, [Draft({}, {"title": "Bridge", "holder": "12345"})])
        assert [(fault.field, fault.message_key) for fault in checked.faults] == [("holder", NO_MEMBER)]
