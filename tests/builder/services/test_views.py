"""Saving views: rights, names, and everything a document may get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from builder.domain.permissions import Actor
from builder.errors import Forbidden, Invalid, NotFound, Stale
from builder.queries.saved_views import get_saved_view, saved_views
from builder.services.views import SaveView, delete_view, save_view
from tests.builder.queries.world import ANN, BEN, World, actor
from tests.fixtures.databases import FreshDatabase

OPEN = SaveView(
    "opportunity",
    "Big ones",
    columns=("title", "amount", "record.stage"),
    sort=("-amount",),
    filter={"field": "amount", "op": "gt", "value": "1000"},
    pipeline="path",
)
PLAIN = actor(ANN, rights=frozenset())


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = World(database_url.url)
    made.populate()
    yield made
    made.close()


def save(world: World, command: SaveView, who: Actor = PLAIN) -> int:
    uow = world.uow(who)
    view_id = save_view(uow, command)
    uow.commit()
    return view_id


def seen(world: World, who: Actor) -> list[str]:
    return [view.name for view in saved_views(world.session, who, "opportunity")]


def test_a_saved_view_is_read_back_as_it_was(world: World) -> None:
    view_id = save(world, OPEN)
    view = get_saved_view(world.session, PLAIN, view_id)
    assert (view.name, view.columns, view.sort, view.pipeline) == (
        "Big ones",
        OPEN.columns,
        OPEN.sort,
        "path",
    )
    assert view.member_name == "Ann Lee"
    assert view.filter is not None
    save(world, replace(OPEN, name=" Bigger \n ones ", filter=None, view_id=view_id, revision=1))
    assert get_saved_view(world.session, PLAIN, view_id).name == "Bigger ones"
    assert get_saved_view(world.session, PLAIN, view_id).filter is None


def test_views_are_private_until_shared(world: World) -> None:
    view_id = save(world, OPEN)
    assert seen(world, actor(BEN)) == []
    with pytest.raises(NotFound):
        get_saved_view(world.session, actor(BEN), view_id)
    with pytest.raises(Forbidden):
        save_view(world.uow(PLAIN), replace(OPEN, view_id=view_id, revision=1, is_shared=True))
    world.session.rollback()
    save(world, replace(OPEN, view_id=view_id, revision=1, is_shared=True), actor(ANN))
    assert seen(world, actor(BEN)) == ["Big ones"]


def test_sharing_while_saving_needs_the_right(world: World) -> None:
    with pytest.raises(Forbidden):
        save_view(world.uow(PLAIN), replace(OPEN, is_shared=True))
    world.session.rollback()
    assert seen(world, PLAIN) == []


def test_anothers_view_is_not_changed(world: World) -> None:
    private = save(world, OPEN)
    shared = save(world, replace(OPEN, name="For all", is_shared=True), actor(ANN))
    other = actor(BEN, rights=frozenset())
    for change in (
        lambda view_id: delete_view(world.uow(other), view_id, 1),
        lambda view_id: save_view(world.uow(other), replace(OPEN, view_id=view_id, revision=1)),
    ):
        with pytest.raises(NotFound):
            change(private)
        with pytest.raises(Forbidden):
            change(shared)
        world.session.rollback()
    assert seen(world, PLAIN) == ["Big ones", "For all"]
    uow = world.uow(actor(BEN))
    delete_view(uow, shared, 1)
    uow.commit()
    assert seen(world, PLAIN) == ["Big ones"]


def test_another_workspaces_view_is_not_there(world: World) -> None:
    view_id = save(world, replace(OPEN, is_shared=True), actor(ANN))
    other = world.open(8)
    with pytest.raises(NotFound):
        get_saved_view(other, actor(ANN), view_id)
    with pytest.raises(NotFound):
        delete_view(world.uow(actor(ANN), other), view_id, 1)
    other.close()


def test_a_view_is_renamed_and_deleted_at_the_revision_that_was_seen(world: World) -> None:
    view_id = save(world, OPEN)
    save(world, replace(OPEN, name="Small ones", view_id=view_id, revision=1))
    assert seen(world, PLAIN) == ["Small ones"]
    for act in (
        lambda: save_view(world.uow(PLAIN), replace(OPEN, view_id=view_id, revision=1)),
        lambda: delete_view(world.uow(PLAIN), view_id, 1),
    ):
        with pytest.raises(Stale):
            act()
        world.session.rollback()
    uow = world.uow(PLAIN)
    delete_view(uow, view_id, 2)
    uow.commit()
    assert seen(world, PLAIN) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "Big  ones"}, "name"),
        ({"layout": "cards"}, "layout"),
        ({"layout": "board", "pipeline": None}, "pipeline"),
        ({"layout": "calendar"}, "date"),
        ({"layout": "calendar", "date": "amount"}, "date"),
        ({"layout": "board", "lanes": "title"}, "lanes"),
        ({"columns": ("nothing",)}, "columns"),
        ({"columns": ("record.data",)}, "columns"),
        ({"columns": ("title",) * 41}, "columns"),
        ({"sort": ("account",)}, "sort"),
        ({"sort": ("--amount",)}, "sort"),
        ({"pipeline": "nothing"}, "pipeline"),
        ({"filter": {"field": "nothing", "op": "eq", "value": "1"}}, "filter"),
        ({"filter": {"field": "title", "op": "eq", "value": "1"}}, "filter"),
        ({"filter": {"field": "amount", "op": "eq", "value": "x"}}, "filter"),
        ({"filter": {"all": "x"}}, "filter"),
        ({"filter": {"field": "city", "op": "eq", "value": "a\x00"}}, "filter"),
    ],
)
def test_what_is_wrong_is_named_at_its_place(world: World, change: dict[str, Any], place: str) -> None:
    save(world, OPEN)
    with pytest.raises(Invalid) as refused:
        save_view(world.uow(PLAIN), replace(OPEN, **{"name": "Other", **change}))
    assert place in {problem.place for problem in refused.value.problems}
    world.session.rollback()
    assert seen(world, PLAIN) == ["Big ones"]


def test_an_unknown_object_or_view_is_not_found(world: World) -> None:
    for command in (replace(OPEN, object_key="nothing"), replace(OPEN, view_id=99)):
        with pytest.raises(NotFound):
            save_view(world.uow(PLAIN), command)
        world.session.rollback()
