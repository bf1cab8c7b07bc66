"""Records of an object without an owner field are the whole company's; those of others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builder.domain.permissions import Actor, Visibility
from builder.errors import Forbidden, Invalid, NotFound
from builder.queries.list import ListRequest, list_records
from builder.queries.record import get_record, record_page
from builder.queries.recycle_bin import deleted_records
from builder.queries.row import names_of_visible
from builder.queries.search import reference_search, search
from builder.queries.visibility import branches, visible
from builder.services import deletion, records
from builder.services.records import NewRecord, SaveRecord
from tests.builder.queries.world import ANN, BEN, NORTH, World, actor


def limited(world: World, visibility: Visibility = "own", *rights: str) -> Actor:
    """Ann, who sees her own (or those of the North), as the definitions of the workspace have it."""
    departments = () if visibility == "own" else (NORTH,)
    who = actor(ANN, visibility, departments, rights=frozenset(rights))
    return replace(who, open_objects=world.catalog.open_objects)


def listed(world: World, who: Actor, object_key: str, query: str = "") -> tuple[list[str], int]:
    asked = ListRequest(object_key, query=query)
    found = list_records(world.session, world.catalog, who, asked, world.context)
    return sorted(row.name for row in found.rows), found.total


def test_an_object_is_open_when_it_has_no_owner_field(world: World) -> None:
    assert world.catalog.open_objects == {"account"}


@pytest.mark.parametrize("visibility", ["own", "department", "subtree"])
def test_the_companys_records_are_listed_searched_and_offered(world: World, visibility: Visibility) -> None:
    who = limited(world, visibility)
    world.account("Acme Solar")
    world.account("Acme Wind")
    world.opportunity("Acme of Ben", owner=str(BEN))
    world.opportunity("Acme of Ann", owner=str(ANN))

    assert listed(world, who, "account") == (["Acme Solar", "Acme Wind"], 2)
    assert listed(world, who, "account", "solar") == (["Acme Solar"], 1)
    assert listed(world, who, "opportunity") == (["Acme of Ann"], 1)
    groups = search(world.session, world.catalog, who, "acme")
    assert sorted(hit.name for group in groups for hit in group.hits) == [
        "Acme Solar",
        "Acme Wind",
        "Acme of Ann",
    ]
    for text, names in (("", {"Acme Solar", "Acme Wind"}), ("wind", {"Acme Wind"})):
        assert {hit.name for hit in reference_search(world.session, who, "account", text)} == names
    assert [hit.name for hit in reference_search(world.session, who, "opportunity", "")] == ["Acme of Ann"]


def test_one_object_is_decided_without_a_clause_and_several_by_one(world: World) -> None:
    who = limited(world)
    assert visible(who, ("account",)) is None
    assert branches(who, "account") == ()
    assert len(branches(who, "opportunity")) == 2
    for keys in (("opportunity",), ()):
        assert "object_key" not in str(visible(who, keys))
    for keys in (None, ("opportunity", "account")):
        assert "object_key IN" in str(visible(who, keys))
    assert visible(actor(), None) is None


def test_the_page_of_a_company_record_opens_and_shows_of_others_what_one_sees(world: World) -> None:
    who = limited(world)
    account = world.account("Acme")
    for owner in (ANN, BEN):
        world.opportunity(f"of {owner}", account=str(account), owner=str(owner))

    page = record_page(world.session, world.catalog, who, account)
    assert (page.opened.is_shared, page.opened.may_change) == (False, True)
    assert [row.name for related in page.related for row in related.rows] == [f"of {ANN}"]
    assert [related.count for related in page.related] == [1]
    hidden = world.opportunity("hidden", owner=str(BEN))
    with pytest.raises(NotFound):
        get_record(world.session, who, hidden)
    assert names_of_visible(world.session, who, [account, hidden]) == {account: "Acme"}


def test_it_is_changed_and_deleted_by_right(world: World) -> None:
    account = world.account("Acme")
    reader, editor = limited(world), limited(world, "own", "record.edit")
    with pytest.raises(Forbidden):
        records.save(world.uow(reader), SaveRecord(account, {"name": "Mine"}))
    world.session.rollback()

    uow = world.uow(editor)
    records.save(uow, SaveRecord(account, {"name": "Acme Ltd"}))
    uow.commit()
    assert get_record(world.session, reader, account).record.name == "Acme Ltd"
    with pytest.raises(Forbidden):
        deletion.delete(world.uow(editor), account)
    world.session.rollback()
    cleaner = limited(world, "own", "record.delete", "record.restore")
    deletion.delete(world.uow(cleaner), account)
    world.session.commit()
    assert [row.name for row in deleted_records(world.session, cleaner)] == ["Acme Ltd"]
    deletion.restore(world.uow(cleaner), account)
    world.session.commit()
    assert listed(world, reader, "account") == (["Acme Ltd"], 1)


def test_a_reference_may_name_it(world: World) -> None:
    account = world.account("Acme")
    other = world.opportunity("Ben's", owner=str(BEN))
    who = limited(world, "own", "record.create")
    made = NewRecord({"title": "deal", "account": str(account)})
    assert records.create(world.uow(who), "opportunity", made).record_id
    with pytest.raises(Invalid):
        records.create(world.uow(who), "opportunity", NewRecord({"title": "deal", "account": str(other)}))
    world.session.rollback()
