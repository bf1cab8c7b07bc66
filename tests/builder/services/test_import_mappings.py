"""Kept mappings as a service, on both databases: what is gone since is left out, rights are those of now."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest

from builder.errors import Forbidden, NotFound
from builder.exchange.csv import Table, detect
from builder.exchange.profile import TableProfile, profile
from builder.queries.import_mappings import mappings
from builder.services.import_choices import Choices
from builder.services.import_history import HistoryChoice
from builder.services.import_mappings import columns_key, find_mapping, mapping_choices, save_mapping
from builder.services.import_setup import plan_import
from builder.services.unit_of_work import UnitOfWork
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase

FILE = "ref,title,worth,phase,extra\n1,A,10,Talk,x\n2,B,20,Yes,y\n"
CHOICES = Choices(
    key_column="ref", new_types={"extra": "text"}, create_users=True,
    history=HistoryChoice("Old", "phase", create=True, order=("Talk",), won=("Yes",)),
)  # fmt: skip


@pytest.fixture
def world(shared_database: FreshDatabase, request: pytest.FixtureRequest) -> Iterator[World]:
    made = make_world(shared_database.url, f"w{abs(hash(request.node.name)) % 10**8}")
    yield made
    made.engine.dispose()


def profiled(text: str) -> TableProfile:
    stream = io.BytesIO(text.encode())
    return profile(Table(stream, detect(stream)))


def keep(uow: UnitOfWork, name: str = "Monthly") -> int:
    columns = profiled(FILE)
    stream = io.BytesIO(FILE.encode())
    proposal = plan_import(uow, columns, detect(stream), "matter", CHOICES)
    mapping_id = save_mapping(uow, "matter", name, columns, CHOICES, proposal)
    uow.commit()
    return mapping_id


def test_what_was_kept_comes_back_as_it_was_said(world: World) -> None:
    with world.work() as uow:
        mapping_id = keep(uow)
        assert find_mapping(uow, "matter", "monthly") == mapping_id
        again = mapping_choices(uow, mapping_id, profiled(FILE), uow.catalog.object("matter"))
        assert again.fields == {"title": "title", "worth": "worth"}
        assert (again.key_column, again.new_types, again.create_users) == ("ref", {"extra": "text"}, True)
        assert again.history is not None
        assert (again.history.pipeline, list(again.history.won)) == ("Old", ["Yes"])
        (row,) = mappings(uow.session, "matter")
        assert row.columns_key == columns_key(["extra", "ref", "title", "worth", "phase"])
        assert mappings(uow.session, "client") == []


def test_columns_fields_and_pipelines_that_are_gone_are_left_out(world: World) -> None:
    with world.work() as uow:
        mapping_id = keep(uow)
        definition = uow.catalog.object("matter")
        again = mapping_choices(uow, mapping_id, profiled("title,worth\nA,1\n"), definition)
        assert (again.key_column, again.new_types, again.history) == (None, {}, None)
        assert again.fields == {"title": "title", "worth": "worth"}


def test_what_somebody_may_not_do_is_left_out_of_what_they_take(world: World) -> None:
    with world.work() as uow:
        mapping_id = keep(uow)
        uow.actor = replace(uow.actor, rights=frozenset({"import", "record.create"}))
        again = mapping_choices(uow, mapping_id, profiled(FILE), uow.catalog.object("matter"))
        assert (again.create_users, again.history, again.new_types) == (False, None, {})
        uow.actor = replace(uow.actor, rights=frozenset({"record.create"}))
        with pytest.raises(Forbidden):
            find_mapping(uow, "matter", "Monthly")


def test_a_mapping_of_another_object_or_workspace_is_not_there(world: World) -> None:
    with world.work() as uow:
        mapping_id = keep(uow)
        with pytest.raises(NotFound):
            mapping_choices(uow, mapping_id, profiled(FILE), uow.catalog.object("client"))
        with pytest.raises(NotFound):
            find_mapping(uow, "client", "Monthly")
    other = make_world(str(world.engine.url.render_as_string(hide_password=False)), f"{world.key}x")
    with other.work() as uow, pytest.raises(NotFound):
        mapping_choices(uow, mapping_id, profiled(FILE), uow.catalog.object("matter"))
    other.engine.dispose()
