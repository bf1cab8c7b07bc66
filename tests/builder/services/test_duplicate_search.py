"""The search for duplicates: what it finds, what it remembers, and that it grows with the records only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from builder.db.duplicates import DuplicatePair, DuplicateSearch
from builder.db.records import SearchToken
from builder.domain.duplicates import MATCH_MARK
from builder.errors import Conflict
from builder.queries.duplicates import look_alikes, pairs
from builder.services import deletion
from builder.services.duplicate_search import CROWD, NEIGHBOURS, ask, decide, run, run_as_asker
from builder.services.maintenance import verify
from builder.services.records import NewRecord, SaveRecord, create_many, save
from builder.services.unit_of_work import UnitOfWork
from tests.factories import ACCOUNT, DOCUMENTS, World, make_world, publish, text_field
from tests.fixtures.databases import FreshDatabase

PERSON = {
    **ACCOUNT,
    "key": "person",
    "duplicate_keys": ["title", "phone"],
    "fields": {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": text_field("Name", **{"x-role": "name"}),
            "phone": {"x-type": "phone", "x-label": {"en": "Phone"}},
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


def people(uow: UnitOfWork, *values: tuple[str, str]) -> list[int]:
    news = [NewRecord({"title": name, **({"phone": phone} if phone else {})}) for name, phone in values]
    create_many(uow, "person", news)
    uow.commit()
    return [new.id for new in news]


def search(uow: UnitOfWork) -> DuplicateSearch:
    search_id = ask(uow, "person")
    uow.commit()
    assert run_as_asker(uow, search_id) == "done"
    uow.session.expire_all()
    return uow.session.get_one(DuplicateSearch, (uow.workspace.id, search_id))


def found(uow: UnitOfWork, state: str = "open") -> set[tuple[int, int]]:
    page = pairs(uow.session, uow.actor, "person", state)
    return {(pair.one_id, pair.other_id) for pair in page.pairs}


def test_pairs_are_found_decided_and_found_again_once_a_key_changes(world: World) -> None:
    with world.work() as uow:
        one, two, three, _ = people(
            uow,
            ("Jane Smith", "+4930123456"),
            ("Smith, Jane", ""),
            ("Jane Smyth", "+4930123456"),
            ("Bob", ""),
        )
        result = search(uow)
        assert found(uow) == {(one, two), (one, three)}
        assert (result.found_pairs, result.crowded_keys) == (2, 0)
        by_records = {
            (row.one_id, row.other_id): row.id for row in uow.session.scalars(select(DuplicatePair)).all()
        }
        decide(uow, by_records[one, two], "distinct")
        decide(uow, by_records[one, three], "later")
        uow.commit()
        search(uow)
        assert (found(uow), found(uow, "distinct"), found(uow, "later")) == (
            set(),
            {(one, two)},
            {(one, three)},
        )
        save(uow, SaveRecord(two, {"phone": "+4930123456"}))
        uow.commit()
        search(uow)
        assert (one, two) in found(uow)
        assert not found(uow, "distinct")
        deletion.delete(uow, one)
        uow.commit()
        assert found(uow) == {(two, three)}
        assert verify(uow).is_clean


@ON_SQLITE
def test_a_second_search_waits_for_the_first(world: World) -> None:
    with world.work() as uow:
        first = ask(uow, "person")
        uow.commit()
        with pytest.raises(Conflict):
            ask(uow, "person")
        uow.rollback()
        assert run(uow, first) == "done"
        ask(uow, "person")


@ON_SQLITE
def test_a_number_that_many_share_is_compared_with_neighbours_only(world: World) -> None:
    many = 150
    with world.work() as uow:
        people(uow, *((f"Person{number:04} X{number % 7}", "+4930123456") for number in range(many)))
        result = search(uow)
        assert many > CROWD
        assert result.crowded_keys >= 1
        # One crowded key of all, and few others.
        assert result.compared_pairs < many * NEIGHBOURS * 3
        definition = uow.catalog.object("person")
        alike = look_alikes(
            uow.session, uow.actor, definition, {"title": "Person0149 X2", "phone": "+4930123456"}
        )
        assert alike[0].name == "Person0149 X2"


@ON_SQLITE
def test_match_keys_follow_a_publish_that_compares_by_other_fields(world: World) -> None:
    def keys(uow: UnitOfWork) -> int:
        return len(
            uow.session.scalars(select(SearchToken.token).where(SearchToken.token >= MATCH_MARK)).all()
        )

    with world.work() as uow:
        people(uow, ("Jane Smith", "+4930123456"))
        assert keys(uow) == 4
    with world.work() as uow:
        from builder.services.backfill import fill_again

        before = uow.catalog.object("person")
        publish(uow, [{**PERSON, "duplicate_keys": ["phone"]}])
        uow.commit()
    with world.work() as uow:
        fill_again(uow, before, uow.catalog.object("person"))
        uow.commit()
        assert keys(uow) == 1
        assert verify(uow).is_clean
