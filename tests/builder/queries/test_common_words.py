"""Search where every word is common: whatever way is taken, it finds what an exhaustive one finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest
from sqlalchemy import update

from builder.db.engine import make_engine
from builder.db.records import Record
from builder.domain.permissions import Actor, Veil
from builder.domain.search import QueryTerm, name_token, query_tokens, record_tokens
from builder.queries.list import ListRequest, list_records
from builder.queries.search import reference_search, search
from tests.builder.queries.world import ANN, BEN, NORTH, SOUTH, World, actor, counted
from tests.fixtures.databases import FreshDatabase

WORDS = ("red", "blue", "reef", "华为", "华北", "9", "91")
DEPARTMENTS = (NORTH, SOUTH, 73, 74, 75, 76)
ACCOUNTS = frozenset({"account"})
READERS = {
    "all": actor(),
    "own": replace(actor(ANN, "own"), open_objects=ACCOUNTS),
    "department": replace(actor(BEN, "department", (NORTH,)), open_objects=ACCOUNTS),
    "many departments": replace(actor(BEN, "subtree", DEPARTMENTS[1:]), open_objects=ACCOUNTS),
}
READERS["veiled"] = replace(READERS["own"], veils={"opportunity": Veil(frozenset({"city"}))})
TEXTS = (
    *(
        "red",
        "re",
        "9",
        "华",
        "red blue",
        "red blue reef",
        "red re",
        "red 9",
        "华为 red",
        "华为华北",
        "red blue r",
    ),
    *("lone red", "never together", "together n", "never red", "red nothing", "red blue reef 华为 华北 9"),
)
# PLENTY, NEWEST, FEW: the way of the latest, of the few, of what is together, and nothing out of the ordinary.
WAYS = {"latest": (8, 500, 0), "few": (8, 2, 500), "together": (8, 2, 0), "rare": (500, 500, 500)}


@dataclass(frozen=True)
class Made:
    id: int
    object_key: str
    name: str
    city: str
    owner: int | None = None
    department: int | None = None
    is_shared: bool = False

    def is_found(self, who: Actor, terms: tuple[QueryTerm, ...]) -> bool:
        is_hidden = "city" in who.veils.get("opportunity", Veil(frozenset())).fields
        tokens = record_tokens([self.name] if is_hidden else [self.name, self.city], self.name)
        is_there = all(
            any(token.startswith(term.token) if term.is_prefix else token == term.token for token in tokens)
            for term in terms
        )
        is_shared = self.is_shared and who.member_id == ANN
        return is_there and who.can_see(self.object_key, self.owner, self.department, is_shared=is_shared)


@pytest.fixture(scope="module")
def many(shared_database: FreshDatabase) -> Iterator[tuple[World, list[Made]]]:
    world = World(shared_database.url)
    world.populate()
    made = list(_records(world, Random(20261122)))
    _collect_statistics(shared_database)
    yield world, made
    world.close()


def _collect_statistics(database: FreshDatabase) -> None:
    """PostgreSQL does so by itself, a minute after so many rows; until then it takes a table for empty."""
    if database.url.startswith("postgresql"):
        owner = make_engine(database.owner_url)
        with owner.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        owner.dispose()


def _records(world: World, chance: Random) -> Iterator[Made]:
    """Some words are in most records; *never* and *together* in many, in none both; *lone* in one."""
    for number in range(150):
        words = chance.sample(WORDS, 3)
        rarely = ["never" if number % 2 else "together"] if number < 60 else []
        name, city = " ".join([*words[:2], *rarely]), words[2]
        if number == 70:
            city = "lone red"
        owner = chance.choice((ANN, BEN))
        if number % 5 == 0:
            yield Made(world.account(name), "account", name, "")
            continue
        made = world.opportunity(name, city=city, owner=str(owner))
        # Ann's are of the North only, so that common words are seldom together in what others see.
        department = NORTH if owner == ANN else DEPARTMENTS[number % len(DEPARTMENTS)]
        is_shared = owner != ANN and number % 7 == 0
        if is_shared:
            world.share(made, ANN)
        world.session.begin_write()
        world.session.execute(update(Record).where(Record.id == made).values(department_id=department))
        world.session.commit()
        yield Made(made, "opportunity", name, city, owner, department, is_shared)


def _take(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    plenty, newest, few = WAYS[way]
    for module in ("words", "search"):
        monkeypatch.setattr(f"builder.queries.{module}.PLENTY", plenty)
    for name in ("NEWEST", "NEWEST_OF_POSTGRESQL"):
        monkeypatch.setattr(f"builder.queries.latest.{name}", newest)
    monkeypatch.setattr("builder.queries.latest.FEW", few)


@pytest.mark.parametrize("who", READERS)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_finds_what_there_is(
    many: tuple[World, list[Made]], way: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, made = many
    reader = READERS[who]
    _take(monkeypatch, way)
    for text in TEXTS:
        terms = query_tokens(text)
        expected = {each.id for each in made if each.is_found(reader, terms)}
        for limit in (2, 8):
            groups = search(world.session, world.catalog, reader, text, limit=limit)
            ids = [hit.id for group in groups for hit in group.hits]
            assert len(ids) == len(set(ids)) == min(limit, len(expected)), (text, limit)
            assert set(ids) <= expected, (text, limit)
        here = expected & {each.id for each in made if each.object_key == "opportunity"}
        hits = reference_search(world.session, reader, "opportunity", text, limit=8)
        assert len(hits) == min(8, len(here)), text
        assert {hit.id for hit in hits} <= here, text
        asked = ListRequest("opportunity", query=text, limit=200)
        page = list_records(world.session, world.catalog, reader, asked, world.context)
        assert {row.id for row in page.rows} == here, text
        assert page.total == len(here), text


@pytest.mark.parametrize("who", ["all", "own", "department", "many departments"])
def test_of_common_words_the_latest_come_first(
    many: tuple[World, list[Made]], who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, made = many
    _take(monkeypatch, "latest")
    for text in ("red", "red blue", "华为 red", "re"):
        terms, whole = query_tokens(text), name_token(text)
        expected = [each for each in reversed(made) if each.is_found(READERS[who], terms)]
        # Made one after another, so the last made was changed last; names that begin with the text lead.
        expected.sort(key=lambda each: not name_token(each.name).startswith(whole))
        groups = search(world.session, world.catalog, READERS[who], text, limit=8)
        hits = [(hit.rank > 1, hit.updated_at, hit.id) for group in groups for hit in group.hits]
        hits.sort(key=lambda hit: (not hit[0], hit[1]), reverse=True)
        assert [record_id for _, _, record_id in hits] == [each.id for each in expected[:8]], text


@pytest.mark.parametrize("who", READERS)
@pytest.mark.parametrize("way", WAYS)
def test_no_way_takes_more_than_six_statements(
    many: tuple[World, list[Made]], way: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = many
    _take(monkeypatch, way)
    for text in TEXTS:
        with counted(world.engine) as statements:
            search(world.session, world.catalog, READERS[who], text, limit=8)
        assert len(statements) <= 6, text
    with counted(world.engine) as statements:
        search(world.session, world.catalog, READERS[who], "red nothing", limit=8)
    assert len(statements) == 2
