"""Search over all objects and in one, ranked and within what one may see."""

from __future__ import annotations

import pytest

from builder.domain.permissions import Actor
from builder.queries.search import reference_search, search
from builder.services import deletion, records
from builder.services.records import SaveRecord
from tests.builder.queries.world import ANN, BEN, World, actor, counted


def found(world: World, text: str, who: Actor | None = None, **more: int) -> list[str]:
    groups = search(world.session, world.catalog, who or actor(), text, **more)
    return [hit.name for group in groups for hit in group.hits]


@pytest.mark.parametrize(
    "text",
    ["华为", "华", "为技", "华为技术", "李明", "huawei", "HUA", "shenz", "13800138000", "138-0013-8000"],
)
def test_records_are_found_by_chinese_and_other_words(world: World, text: str) -> None:
    world.account("华为技术 Huawei 李明", phone="+8613800138000")
    world.opportunity("华为技术 李明 13800138000", city="Shenzhen huawei")
    world.account("Somebody else", phone="+8613900138001")
    expected = {"shenz": 1}.get(text, 2)
    assert len(found(world, text)) == expected


def test_hits_are_grouped_by_object_and_every_word_must_match(world: World) -> None:
    world.account("Acme Solar")
    world.opportunity("Acme renewal")
    groups = search(world.session, world.catalog, actor(), "acme")
    assert {group.object_key: len(group.hits) for group in groups} == {"account": 1, "opportunity": 1}
    assert found(world, "acme solar") == ["Acme Solar"]
    assert found(world, "solar acme") == ["Acme Solar"]
    assert found(world, "acme lunar") == []


def test_the_whole_name_comes_first_then_its_beginning_then_the_latest(world: World) -> None:
    for name in ("New Acme", "Acme", "Acme Solar", "Old acme"):
        world.account(name)
    hits = search(world.session, world.catalog, actor(), "ACME")[0].hits
    assert [(hit.name, hit.rank) for hit in hits] == [
        ("Acme", 0),
        ("Acme Solar", 1),
        ("Old acme", 2),
        ("New Acme", 2),
    ]


@pytest.mark.parametrize(
    "text", ["", " ", "!?", "\x00", "\ud800", "%", "'; DROP TABLE record; --", "x" * 5000]
)
def test_nothing_to_search_for_finds_nothing(world: World, text: str) -> None:
    world.account("Acme")
    assert found(world, text) == []


def test_one_finds_only_what_one_may_see(world: World) -> None:
    world.opportunity("Acme mine", owner=str(ANN))
    hidden = world.opportunity("Acme hidden", owner=str(BEN))
    assert found(world, "acme", actor(ANN, "own")) == ["Acme mine"]
    assert found(world, "acme hidden", actor(ANN, "own")) == []
    world.share(hidden, ANN)
    assert set(found(world, "acme", actor(ANN, "own"))) == {"Acme mine", "Acme hidden"}
    other = world.open(8)
    assert search(other, world.catalog, actor(), "acme") == ()
    other.close()


def test_a_renamed_record_is_found_by_its_new_name_and_a_deleted_one_not_at_all(world: World) -> None:
    made = world.account("Acme")
    uow = world.uow()
    records.save(uow, SaveRecord(made, {"name": "Zenith"}))
    uow.commit()
    assert found(world, "acme") == []
    assert found(world, "zen") == ["Zenith"]
    uow = world.uow()
    deletion.delete(uow, made, None)
    uow.commit()
    assert found(world, "zen") == []


def test_common_words_give_the_latest_and_rare_company_among_them_is_still_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.queries.words.PLENTY", 4)
    world.account("blue first red")
    for number in range(12):
        world.account(f"{number} red")
        world.account(f"{number} blue")
    assert found(world, "red", limit=2) == ["11 red", "10 red"]
    assert found(world, "blue red") == ["blue first red"]


def test_a_reference_field_finds_records_of_its_object_only(world: World) -> None:
    world.account("Acme Solar")
    world.account("Acme")
    world.opportunity("Acme deal")
    who = actor()
    names = [hit.name for hit in reference_search(world.session, who, "account", "ac")]
    assert set(names) == {"Acme Solar", "Acme"}
    assert next(hit.name for hit in reference_search(world.session, who, "account", "acme")) == "Acme"
    assert [hit.name for hit in reference_search(world.session, who, "account", "")] == ["Acme", "Acme Solar"]
    assert len(reference_search(world.session, who, "account", "ac", limit=1)) == 1


def test_a_search_takes_at_most_four_statements(world: World) -> None:
    for number in range(5):
        world.account(f"Acme {number}")
    for text in ("acme", "acme 1", "acme nothing here"):
        with counted(world.engine) as statements:
            found(world, text)
        assert len(statements) <= 3
