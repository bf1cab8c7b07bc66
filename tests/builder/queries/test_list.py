"""Lists: keyset pages, empty values, filters, words, visibility, counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builder.domain.conditions import parse
from builder.domain.permissions import Actor
from builder.errors import NotFound
from builder.queries.list import ListPage, ListRequest, list_records
from builder.services import deletion
from tests.builder.queries.world import ANN, BEN, NORTH, SOUTH, World, actor, counted


def listed(world: World, who: Actor | None = None, **request: Any) -> ListPage:
    asked = ListRequest("opportunity", **request)
    return list_records(world.session, world.catalog, who or actor(), asked, world.context)


def names(page: ListPage) -> list[str]:
    return [row.name for row in page.rows]


def walked(world: World, who: Actor | None = None, **request: Any) -> list[str]:
    """All rows, page after page; and the same pages backwards give the same rows."""
    found: list[str] = []
    pages: list[list[str]] = []
    after = None
    while True:
        page = listed(world, who, after=after, **request)
        found += names(page)
        pages.append(names(page))
        assert (page.previous is None) == (after is None)
        if page.next is None:
            break
        after = page.next
    for expected in reversed(pages[:-1]):
        page = listed(world, who, before=page.previous, **request)
        assert names(page) == expected
    return found


AMOUNTS = {"a": "300", "b": "20.50", "c": None, "d": "20.50", "e": "1000", "f": None, "g": "-5"}


def with_amounts(world: World) -> None:
    for title, amount in AMOUNTS.items():
        world.opportunity(title, **({} if amount is None else {"amount": amount}))


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("amount", "gbdaefc"),
        ("-amount", "eadbgfc"),
        ("title", "abcdefg"),
        ("-title", "gfedcba"),
        ("record.created_at", "abcdefg"),
        ("-record.updated_at", "gfedcba"),
        ("record.closed_at", "gfedcba"),
    ],
)
def test_pages_hold_every_row_once_in_order_with_empty_values_last(
    world: World, sort: str, expected: str, limit: int
) -> None:
    with_amounts(world)
    assert walked(world, sort=(sort,), limit=limit) == list(expected)


def test_text_is_sorted_case_folded_by_code_point(world: World) -> None:
    for city in ("zürich", "Berlin", "aachen", "北京", "Zug"):
        world.opportunity(city, city=city)
    assert walked(world, sort=("city",), limit=2) == ["aachen", "Berlin", "Zug", "zürich", "北京"]


def test_the_objects_own_sort_is_used_when_none_is_asked(world: World) -> None:
    with_amounts(world)
    assert names(listed(world)) == list("eadbgfc")


@pytest.mark.parametrize(
    "sort", ["owner", "account", "nothing", "record.stage", "record.data", "--title", ""]
)
def test_a_column_without_order_gives_the_usual_order_and_says_so(world: World, sort: str) -> None:
    with_amounts(world)
    page = listed(world, sort=(sort,))
    assert page.problem is not None
    assert page.problem.place == "sort"
    assert len(page.rows) == len(AMOUNTS)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ééé",
        "\x00",
        "a" * 5000,
        "W10",
        "bnVsbA",
        "e30",
        "W1siLWFtb3VudCIsZmFsc2UsImEiLDFd",
        "WyItYW1vdW50IixmYWxzZSxOYU4sMV0",
        "WyItYW1vdW50IixmYWxzZSwxLDFlOTld",
        "WyItYW1vdW50Iix0cnVlLDFlMzAwLDFd",
        "WyJ0aXRsZSIsZmFsc2UsIlx1MDAwMCIsMV0",
    ],
)
def test_a_bad_cursor_gives_the_first_page_and_says_so(world: World, cursor: str) -> None:
    with_amounts(world)
    for place in ("after", "before"):
        page = listed(world, sort=("-amount",), limit=2, **{place: cursor})
        assert page.problem is not None
        assert names(page) == ["e", "a"]


def test_a_cursor_of_another_order_is_refused(world: World) -> None:
    with_amounts(world)
    cursor = listed(world, sort=("title",), limit=2).next
    assert listed(world, sort=("-title",), limit=2, after=cursor).problem is not None


def test_a_hostile_position_stays_a_position(world: World) -> None:
    with_amounts(world)
    for value in ("9" * 300, "-1e299", "1e-320"):
        import base64

        text = base64.urlsafe_b64encode(f'["-amount",false,{value},9]'.encode()).decode().rstrip("=")
        assert listed(world, sort=("-amount",), after=text).rows is not None


def test_a_filter_narrows_rows_and_count(world: World) -> None:
    with_amounts(world)
    page = listed(world, filter=parse({"field": "amount", "op": "ge", "value": "20.50"}), limit=2)
    assert (names(page), page.total, page.is_total_capped) == (["e", "a"], 4, False)


def test_words_are_searched_in_the_search_fields_of_the_object(world: World) -> None:
    world.opportunity("华为 renewal", city="Shenzhen")
    world.opportunity("ZTE renewal", city="Shenzhen")
    assert names(listed(world, query="华为")) == ["华为 renewal"]
    assert names(listed(world, query="shenz zte")) == []
    assert names(listed(world, query="zte shenz")) == ["ZTE renewal"]
    assert listed(world, query="renewal").total == 2
    assert names(listed(world, query="nothing")) == []


def test_the_count_stops_at_its_cap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with_amounts(world)
    monkeypatch.setattr("builder.queries.pages.COUNT_CAP", 5)
    monkeypatch.setattr("builder.queries.list.COUNT_CAP", 5)
    for who in (actor(), actor(ANN, "own")):
        page = listed(world, who)
        assert (page.total, page.is_total_capped) == (5, True)


def with_owners(world: World) -> dict[str, int]:
    """Ann's, Ben's and nobody's records; Ben's second one is shared with Ann."""
    made = {
        "ann": world.opportunity("ann", owner=str(ANN)),
        "ben": world.opportunity("ben", owner=str(BEN)),
        "ben2": world.opportunity("ben2", owner=str(BEN)),
    }
    world.share(made["ben2"], ANN)
    return made


def set_department(world: World, record_id: int, department_id: int) -> None:
    from sqlalchemy import update

    from builder.db.records import Record

    world.session.begin_write()
    world.session.execute(update(Record).where(Record.id == record_id).values(department_id=department_id))
    world.session.commit()


def test_own_sees_own_and_shared_records(world: World) -> None:
    with_owners(world)
    page = listed(world, actor(ANN, "own"), sort=("title",))
    assert (names(page), page.total) == (["ann", "ben2"], 2)
    assert names(listed(world, actor(BEN, "own"), sort=("title",))) == ["ben", "ben2"]


def test_department_and_subtree_see_their_departments_records_too(world: World) -> None:
    made = with_owners(world)
    set_department(world, made["ben"], SOUTH)
    set_department(world, made["ben2"], SOUTH)
    assert walked(world, actor(ANN, "department", (NORTH,)), sort=("title",), limit=1) == ["ann", "ben2"]
    assert walked(world, actor(ANN, "subtree", (NORTH, SOUTH)), sort=("title",), limit=1) == [
        "ann",
        "ben",
        "ben2",
    ]
    many = tuple(range(100, 110))
    assert walked(world, actor(ANN, "subtree", (*many, SOUTH)), sort=("title",), limit=2) == [
        "ann",
        "ben",
        "ben2",
    ]
    assert names(listed(world, actor(ANN, "subtree", ()), sort=("title",))) == ["ann", "ben2"]


def test_pages_of_a_limited_view_walk_like_any_other(world: World) -> None:
    for title, amount in AMOUNTS.items():
        owner = str(ANN if title in "abc" else BEN)
        made = world.opportunity(title, owner=owner, **({} if amount is None else {"amount": amount}))
        if title in "efg":
            world.share(made, ANN)
    assert walked(world, actor(ANN, "own"), sort=("amount",), limit=2) == list("gbaefc")


def test_deleted_records_and_other_workspaces_are_not_listed(world: World) -> None:
    made = with_owners(world)
    uow = world.uow()
    deletion.delete(uow, made["ben"], None)
    uow.commit()
    assert names(listed(world, sort=("title",))) == ["ann", "ben2"]
    other = world.open(8)
    request = ListRequest("opportunity")
    for who in (actor(), actor(ANN, "own"), actor(ANN, "subtree", (NORTH,))):
        page = list_records(other, world.catalog, who, request, world.context)
        assert (page.rows, page.total) == ((), 0)
    other.close()


def test_names_of_accounts_owners_and_other_people_come_along(world: World) -> None:
    account = world.account("Acme")
    world.opportunity("deal", account=str(account), owner=str(ANN), helper=str(BEN))
    page = listed(world, columns=("title", "account", "owner", "helper"))
    assert page.names == {account: "Acme"}
    assert page.members == {ANN: "Ann Lee", BEN: "Ben 李明"}
    assert page.rows[0].owner_name == "Ann Lee"
    assert page.rows[0].data["account"] == str(account)


def test_an_unknown_object_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        list_records(world.session, world.catalog, actor(), ListRequest("nothing"), world.context)


@pytest.mark.parametrize("who", [actor(), actor(ANN, "own"), actor(ANN, "subtree", (NORTH, SOUTH))])
def test_the_number_of_statements_does_not_depend_on_the_rows(world: World, who: Actor) -> None:
    sizes = []
    for count in (1, 12):
        for number in range(count):
            account = world.account(f"Account {number}")
            world.opportunity(
                f"deal {number}", account=str(account), owner=str(ANN), helper=str(BEN), amount="1"
            )
        with counted(world.engine) as statements:
            page = listed(world, who, columns=("title", "account", "helper"), query="deal", limit=5)
        assert page.rows
        sizes.append(len(statements))
    assert max(sizes) <= 5


FEW_FILTERS: dict[str, tuple[dict[str, Any], Any]] = {
    "one": ({"field": "city", "op": "eq", "value": "Ulm"}, lambda city, _: city == "Ulm"),
    "nothing": ({"field": "city", "op": "eq", "value": "Bonn"}, lambda _city, _amount: False),
    "a range": (
        {"field": "amount", "op": "between", "value": [3, 9]},
        lambda _, amount: amount is not None and 3 <= amount <= 9,
    ),
    "both": (
        {
            "all": [
                {"field": "city", "op": "in", "value": ["Ulm", "Zug"]},
                {"field": "amount", "op": "gt", "value": 2},
            ]
        },
        lambda city, amount: city in ("Ulm", "Zug") and amount is not None and amount > 2,
    ),
    "either": (
        {"any": [{"field": "city", "op": "eq", "value": "Ulm"}, {"field": "amount", "op": "lt", "value": 2}]},
        lambda city, amount: city == "Ulm" or (amount is not None and amount < 2),
    ),
    "empty": (
        {"all": [{"field": "city", "op": "empty"}, {"field": "amount", "op": "ge", "value": 4}]},
        lambda city, amount: city is None and amount is not None and amount >= 4,
    ),
}


@pytest.mark.parametrize(("most", "seldom"), [(-1, -1), (-1, 3), (1, 300), (2000, 300)])
@pytest.mark.parametrize("name", FEW_FILTERS)
def test_a_filter_finds_the_same_whether_it_selects_few_or_many(
    world: World, name: str, most: int, seldom: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond ``FEW`` the order of the list is walked, up to it the records are read that a field selects."""
    monkeypatch.setattr("builder.queries.list.FEW", most)
    monkeypatch.setattr("builder.queries.list.SELDOM", seldom)
    document, holds = FEW_FILTERS[name]
    people = {"all": actor(), "own": actor(ANN, "own"), "subtree": actor(ANN, "subtree", (NORTH, SOUTH))}
    expected: dict[str, list[str]] = {who: [] for who in people}
    for number in range(18):
        city = ("Ulm", "Zug", "Rom", None, "Jena")[number % 5]
        amount = None if number % 7 == 3 else number % 11
        owner = (ANN, BEN)[number % 2]
        values = {"city": city, "amount": None if amount is None else str(amount)}
        world.opportunity(
            f"{number:02}", owner=str(owner), **{key: one for key, one in values.items() if one is not None}
        )
        if holds(city, amount):
            expected["all"].append(f"{number:02}")
            if owner == ANN:
                expected["own"].append(f"{number:02}")
    for who in ("all", "own"):
        for sort in ("title", "-title"):
            found = walked(world, people[who], filter=parse(document), sort=(sort,), limit=2)
            assert found == sorted(expected[who], reverse=sort == "-title")
            page = listed(world, people[who], filter=parse(document), sort=(sort,), limit=2)
            assert page.total == len(expected[who])
    seen = walked(world, people["subtree"], filter=parse(document), sort=("amount",), limit=3)
    assert len(seen) == len(set(seen))
    assert set(expected["own"]) <= set(seen) <= set(expected["all"])


@pytest.mark.parametrize("who", [actor(), actor(ANN, "own"), actor(ANN, "subtree", (NORTH, SOUTH))])
def test_a_filtered_list_costs_at_most_seven_statements(world: World, who: Actor) -> None:
    for number in range(8):
        account = world.account(f"Account {number}")
        world.opportunity(f"deal {number}", account=str(account), owner=str(ANN), helper=str(BEN), city="Ulm")
    ulm = parse({"field": "city", "op": "eq", "value": "Ulm"})
    with counted(world.engine) as statements:
        page = listed(world, who, columns=("title", "account", "helper"), query="deal", limit=5, filter=ulm)
    assert page.rows
    assert len(statements) <= 7


def test_what_selects_many_is_not_counted_again_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.queries.probing.FEW", 2)
    monkeypatch.setattr("builder.queries.list.FEW", 2)
    now = [1000.0]
    monkeypatch.setattr("builder.queries.probing.monotonic", lambda: now[0])
    for number in range(8):
        world.opportunity(f"deal {number}", city="Zug" if number == 0 else "Ulm")

    def cost(city: str) -> int:
        asked = parse({"field": "city", "op": "eq", "value": city})
        with counted(world.engine) as statements:
            assert listed(world, filter=asked).total == (1 if city == "Zug" else 7)
        return len(statements)

    many = [cost("Ulm"), cost("Ulm")]
    few = [cost("Zug"), cost("Zug")]
    now[0] += 61
    again = cost("Ulm")
    assert (many[0] - many[1], few[0] - few[1], again) == (1, 0, many[0])


@pytest.mark.parametrize("visibility", ["own", "department", "subtree"])
@pytest.mark.parametrize("where", [None, {"field": "city", "op": "eq", "value": "Ulm"}])
def test_who_is_known_to_have_no_shares_sees_their_own_as_before(
    world: World, visibility: Any, where: dict[str, Any] | None
) -> None:
    shared = world.opportunity("shared", owner=str(BEN), city="Ulm")
    for number in range(7):
        world.opportunity(
            f"deal {number}", owner=str((ANN, BEN)[number % 2]), city=("Ulm", "Zug")[number % 3 > 1]
        )
    who = actor(ANN, visibility, (NORTH,))
    asked: dict[str, Any] = {"filter": parse(where) if where else None, "limit": 2, "sort": ("title",)}
    without = replace(who, has_shares=False)
    before = walked(world, who, **asked)
    assert walked(world, without, **asked) == before
    assert listed(world, without, **asked).total == len(before)
    world.share(shared, ANN)
    assert walked(world, who, **asked) == sorted({*before, "shared"})
