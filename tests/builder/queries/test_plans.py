"""Which index each read uses, among 20,000 records, on SQLite and as PostgreSQL's application role."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import event, select

from builder.db.conditions_sql import compile_condition
from builder.db.records import Record
from builder.domain.calendar_page import CalendarPage
from builder.domain.conditions import parse
from builder.domain.period import Period
from builder.domain.permissions import Actor
from builder.domain.win_sums import bucket_of
from builder.queries.behind import Figure
from builder.queries.board import board, board_column, scope_of
from builder.queries.board_heads import heads_of
from builder.queries.calendar import CalendarRequest, calendar_days
from builder.queries.dimensions import Dimension
from builder.queries.drill_ended import Ended, ended_on_page
from builder.queries.drill_walk import visits_on_page
from builder.queries.duplicates import OPEN, pairs
from builder.queries.funnel import funnel_report
from builder.queries.funnel_groups import compared_funnel
from builder.queries.funnel_stays import Amounts
from builder.queries.groups import list_groups
from builder.queries.lanes import lane_cells, lane_field, lane_heads, lane_values
from builder.queries.list import ListRequest, list_records
from builder.queries.population import Population
from builder.queries.record import record_page
from builder.queries.recycle_bin import deleted_records
from builder.queries.search import reference_search, search
from builder.queries.side_by_side import selects_many
from builder.queries.timeline import timeline
from builder.queries.today import own_work
from builder.queries.wins_summed import SummedSet, add_medians, in_group
from tests.builder.queries import crowd
from tests.builder.queries.world import NOON, World, actor
from tests.fixtures.postgres import APP_ROLE, PostgresServer, fresh_postgres_database

COUNT = 20_000
EVERYTHING = actor()
# Accounts have no owner here, so they are the whole company's.
COMPANY = frozenset({"account"})
OWN = replace(actor(1005, "own"), open_objects=COMPANY)
DEPARTMENT = replace(actor(1005, "department", (2005,)), open_objects=COMPANY)
SUBTREE = replace(actor(1005, "subtree", tuple(range(2001, 2008))), open_objects=COMPANY)
PEOPLE = {"all": EVERYTHING, "own": OWN, "department": DEPARTMENT, "subtree": SUBTREE}


def _crowded_sqlite(request: pytest.FixtureRequest) -> Iterator[World]:
    template: Path = request.getfixturevalue("sqlite_template")
    path = request.getfixturevalue("tmp_path_factory").mktemp("crowd") / "crowd.db"
    shutil.copyfile(template, path)
    yield from _filled(f"sqlite:///{path}", None)


def _crowded_postgres(request: pytest.FixtureRequest) -> Iterator[World]:
    server: PostgresServer = request.getfixturevalue("postgres_server")
    template: str = request.getfixturevalue("postgres_template")
    with fresh_postgres_database(server, template) as name, server.superuser(name) as superuser:
        yield from _filled(server.url(name, APP_ROLE), superuser)


def _filled(url: str, superuser: Any) -> Iterator[World]:
    made = World(url)
    made.populate()
    crowd.fill(url, superuser, COUNT)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crowded(request: pytest.FixtureRequest) -> Iterator[World]:
    yield from (_crowded_sqlite if request.param == "sqlite" else _crowded_postgres)(request)


SOME = COUNT // 2
_WALK = re.compile(
    r"Seq Scan on (?:record|search_token|link|event|stay)\b.*?actual rows=([\d.]+) loops=(\d+)"
    r"(?:(?!->).)*?(?:Rows Removed by Filter: (\d+)|$|(?=->))",
    re.DOTALL,
)

_TOKENS = re.compile(_WALK.pattern.replace("Seq Scan on", r"Index Only Scan using \w+ on"), re.DOTALL)


def _read(walk: re.Match[str]) -> float:
    """How many rows a sequential scan looked at."""
    rows, loops, removed = walk.groups()
    return (float(rows) + float(removed or 0)) * int(loops)


class Plans:
    """The statements of one read and how the database runs each of them."""

    def __init__(self, world: World, read: Callable[[], Any]) -> None:
        self.is_sqlite = world.engine.dialect.name == "sqlite"
        sent: list[tuple[str, Any]] = []

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            if statement.startswith(
                (
                    "SELECT record",
                    "SELECT event",
                    "WITH",
                    "SELECT (SELECT",
                    "SELECT anon",
                    "SELECT funnel",
                    "SELECT stay",
                )
            ):
                sent.append((statement, parameters))

        event.listen(world.engine, "before_cursor_execute", note)
        try:
            self.answer = read()
        finally:
            event.remove(world.engine, "before_cursor_execute", note)
        word = "EXPLAIN QUERY PLAN " if self.is_sqlite else "EXPLAIN (ANALYZE, TIMING OFF) "
        connection = world.session.connection()
        self.texts = []
        for statement, parameters in sent:
            found = connection.exec_driver_sql(word + statement, parameters)
            self.texts.append("\n".join(str(row[-1]) for row in found))
        world.session.rollback()
        assert self.texts

    def full_scans(self) -> list[str]:
        """Steps that walk a whole table of many rows. A walk that a LIMIT ends early is none."""
        tables = "record|search_token|link|event|stay"
        if self.is_sqlite:
            steps = re.compile(rf"^SCAN ({tables})\b.*", re.MULTILINE)
            return [match.group() for text in self.texts for match in steps.finditer(text)]
        return [match.group() for text in self.texts for match in _WALK.finditer(text) if _read(match) > SOME]

    def uses(self, index: str) -> bool:
        return any(index in text for text in self.texts)

    def sorts_rows(self) -> bool:
        """Whether the rows of the first statement are sorted rather than read in order."""
        return ("USE TEMP B-TREE FOR ORDER BY" if self.is_sqlite else "Sort Key") in self.texts[0]


def reading(world: World, who: Actor, **request: Any) -> Callable[[], Any]:
    asked = ListRequest("opportunity", columns=("title", "account", "amount"), **request)
    return lambda: list_records(world.session, world.catalog, who, asked, world.context)


SORTS = {
    "-record.updated_at": "ix_record_updated_at",
    "record.created_at": "ix_record_created_at",
    "title": "ix_record_name",
    "amount": "ix_record_n01",
    "-amount": "ix_record_n01",
    "due": "ix_record_n02",
    "-city": "ix_record_t03",
    "record.closed_at": "ix_record_closed_at",
}


@pytest.mark.parametrize("sort", SORTS)
def test_a_list_is_read_in_the_order_of_its_index(crowded: World, sort: str) -> None:
    for after in (None, reading(crowded, EVERYTHING, sort=(sort,))().next):
        plans = Plans(crowded, reading(crowded, EVERYTHING, sort=(sort,), after=after))
        assert len(plans.answer.rows) == 50
        assert plans.uses(SORTS[sort])
        assert not plans.sorts_rows()
        assert not plans.full_scans()


@pytest.mark.parametrize("who", ["own", "department", "subtree"])
@pytest.mark.parametrize("sort", SORTS)
def test_a_limited_view_never_walks_the_whole_table(crowded: World, sort: str, who: str) -> None:
    plans = Plans(crowded, reading(crowded, PEOPLE[who], sort=(sort,)))
    assert len(plans.answer.rows) == 50
    assert not plans.full_scans()


FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "account": ({"field": "account", "op": "eq", "value": str(crowd.FIRST_ID + 7)}, "ix_record_t01"),
    "amount": ({"field": "amount", "op": "between", "value": [5000, 5400]}, "ix_record_n01"),
    "city": ({"field": "city", "op": "starts_with", "value": "harb"}, "ix_record_t03"),
    "owner": ({"field": "record.owner", "op": "eq", "value": "1005"}, "ix_record_owner"),
    "department": ({"field": "record.department", "op": "eq", "value": "2005"}, "ix_record_department"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_selective_filter_is_read_from_its_index(crowded: World, name: str) -> None:
    document, index = FILTERS[name]
    plans = Plans(crowded, reading(crowded, EVERYTHING, sort=("-record.updated_at",), filter=parse(document)))
    assert plans.answer.rows
    assert plans.uses(index)
    assert not plans.full_scans()


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("sort", ["-record.updated_at", "amount", "title"])
def test_what_a_filter_of_few_selects_is_read_whoever_asks_in_whatever_order(
    crowded: World, sort: str, who: str
) -> None:
    """Where few or none match, the order of the list would be walked to its end."""
    document = {"field": "amount", "op": "between", "value": [5000, 5400]}
    plans = Plans(crowded, reading(crowded, PEOPLE[who], sort=(sort,), filter=parse(document)))
    assert plans.answer.next is None
    assert not plans.full_scans()
    rows = [text for text in plans.texts if "member" in text.lower()]
    assert rows
    if plans.is_sqlite:
        assert all("ix_record_n01" in text for text in rows), rows
        walks = ("ix_record_updated_at", "ix_record_name", "ix_record_owner", "ix_record_department")
        assert not any(walk in text for walk in walks for text in rows), rows


@pytest.mark.parametrize("who", ["all", "department", "subtree"])
def test_what_no_field_selects_by_itself_is_met_side_by_side(crowded: World, who: str) -> None:
    document = {"field": "city", "op": "contains", "value": "nowhere"}
    plans = Plans(crowded, reading(crowded, PEOPLE[who], filter=parse(document)))
    assert not plans.answer.rows
    if plans.is_sqlite:
        assert plans.uses("COVERING INDEX ix_record_report"), plans.texts
        assert not plans.uses("ix_record_updated_at"), plans.texts


def test_a_filter_of_one_field_that_selects_many_is_not_looked_through_first(crowded: World) -> None:
    document = {"field": "amount", "op": "gt", "value": 0}
    plans = Plans(crowded, reading(crowded, EVERYTHING, filter=parse(document)))
    assert len(plans.answer.rows) == 50
    assert not plans.uses("ix_record_report"), plans.texts


@pytest.mark.parametrize("who", PEOPLE)
def test_columns_of_a_board_are_read_in_the_order_of_an_index(crowded: World, who: str) -> None:
    pipeline = crowded.catalog.pipeline("path")
    read = lambda: board(crowded.session, crowded.catalog, PEOPLE[who], pipeline, crowded.context)  # noqa: E731
    plans = Plans(crowded, read)
    assert all(len(column.cards) == 50 for column in plans.answer.columns)
    assert plans.uses("ix_record_board")
    assert not plans.full_scans()
    if who in ("all", "own"):
        cards = [text for text in plans.texts if "ix_record_board" in text]
        assert not any("ORDER BY" in text or "Sort Key" in text for text in cards)


def test_more_cards_are_read_from_the_index(crowded: World) -> None:
    pipeline = crowded.catalog.pipeline("path")
    place = (crowded.session, crowded.catalog, EVERYTHING, pipeline, "first", crowded.context)
    after = board_column(*place).columns[0].next
    plans = Plans(crowded, lambda: board_column(*place, after=after))
    assert plans.uses("ix_record_board")
    assert not plans.full_scans()


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("name", ["due", "record.created_at"])
def test_each_day_of_a_calendar_is_a_range_on_an_index(crowded: World, name: str, who: str) -> None:
    definition = crowded.catalog.object("opportunity")
    days = CalendarPage("month", NOON.date()).days
    asked = CalendarRequest(definition, name, days)
    plans = Plans(crowded, lambda: calendar_days(crowded.session, PEOPLE[who], asked, crowded.context))
    assert plans.uses("ix_record_n02" if name == "due" else "ix_record_created_at")
    assert not plans.full_scans()


@pytest.mark.parametrize("who", ["all", "own"])
def test_the_cells_of_a_lane_are_read_from_an_index(crowded: World, who: str) -> None:
    pipeline = crowded.catalog.pipeline("path")
    lane = lane_field(crowded.catalog.object("opportunity"), "record.owner")
    scope = scope_of(
        crowded.session, crowded.catalog, PEOPLE[who], pipeline, crowded.context, lane.condition("1005")
    )
    heads = lane_heads(scope, lane, ("first",), ("1005",))["1005"]
    plans = Plans(crowded, lambda: lane_cells(scope, ("first",), heads))
    assert plans.answer[0].cards
    assert not plans.full_scans()


@pytest.mark.parametrize("who", PEOPLE)
def test_what_is_added_up_of_most_records_is_read_side_by_side(crowded: World, who: str) -> None:
    reader, pipeline = PEOPLE[who], crowded.catalog.pipeline("path")
    lane = lane_field(crowded.catalog.object("opportunity"), "record.owner")
    many = parse({"field": "amount", "op": "gt", "value": "1"})
    place = (crowded.session, crowded.catalog, reader)
    scope = scope_of(*place, pipeline, crowded.context, None)
    filtered = scope_of(*place, pipeline, crowded.context, many)
    request = ListRequest("opportunity", columns=("title", "amount"))
    for read in (
        lambda: heads_of(filtered),
        lambda: lane_values(scope, lane, ("first",)),
        lambda: lane_heads(scope, lane, ("first",)),
        lambda: list_groups(*place, request, crowded.context, "record.stage"),
        lambda: list_groups(*place, request, crowded.context, "record.department"),
    ):
        plans = Plans(crowded, read)
        assert not plans.full_scans() or not plans.is_sqlite
        if plans.is_sqlite:
            assert plans.uses("COVERING INDEX ix_record_report")


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(
    "text",
    ["relay 1234", "solar", "solar relay", "solar relay northern", "华为 李明", "1999", "s", "solar s"],
)
def test_search_never_walks_a_table(crowded: World, text: str, who: str) -> None:
    for read in (
        lambda: search(crowded.session, crowded.catalog, PEOPLE[who], text),
        lambda: reference_search(crowded.session, PEOPLE[who], "account", f"account {text}"),
        reading(crowded, PEOPLE[who], query=text),
    ):
        assert not Plans(crowded, read).full_scans()


@pytest.mark.parametrize(
    ("who", "index"), [("all", "updated_at"), ("own", "owner"), ("department", "department")]
)
def test_common_words_are_met_in_the_order_of_the_latest_that_one_sees(
    crowded: World, who: str, index: str
) -> None:
    plans = Plans(
        crowded, lambda: search(crowded.session, crowded.catalog, PEOPLE[who], "relay, solar", limit=9)
    )
    latest = plans.texts[-1]
    assert len(plans.answer[0].hits) == 9
    assert f"ix_record_{index}" in latest, latest
    if plans.is_sqlite:
        assert "ix_search_token_record (workspace_id=? AND record_id=? AND token=?" in latest, latest
    else:
        looked_up = sum(_read(walk) for walk in _TOKENS.finditer(latest))
        assert looked_up < SOME, latest


@pytest.mark.parametrize("who", PEOPLE)
def test_common_words_that_are_never_together_are_merged(crowded: World, who: str) -> None:
    plans = Plans(
        crowded, lambda: search(crowded.session, crowded.catalog, PEOPLE[who], "solar relay northern")
    )
    assert plans.answer == ()
    assert not plans.full_scans()
    if who in ("own", "department"):
        # few enough to look at all
        assert plans.uses("ix_record_owner"), plans.texts
    elif plans.is_sqlite:
        assert "MERGE (INTERSECT)" in plans.texts[-1], plans.texts
    else:
        assert "Merge Semi Join" in plans.texts[-1] or "Hash Semi Join" in plans.texts[-1], plans.texts


def test_the_page_of_an_account_and_its_timeline_use_indexes(crowded: World) -> None:
    place = (crowded.session, crowded.catalog, EVERYTHING, crowd.FIRST_ID + 7)
    plans = Plans(crowded, lambda: record_page(*place))
    assert plans.answer.related[0].count > 10
    assert plans.uses("ix_link_target")
    assert not plans.full_scans()
    plans = Plans(crowded, lambda: timeline(crowded.session, crowd.FIRST_ID + 7))
    assert plans.is_sqlite is False or plans.uses("ix_event_record")


def test_a_report_with_a_free_filter_reads_ones_own_records_side_by_side(crowded: World) -> None:
    fields = crowded.catalog.object("opportunity").fields.by_key
    condition = compile_condition(
        parse({"field": "city", "op": "ne", "value": "Ulm"}), fields, crowded.context
    )
    population = Population(("path",), "opportunity", OWN, condition=condition)
    path = crowded.catalog.pipeline("path")

    plans = Plans(
        crowded,
        lambda: funnel_report(crowded.session, population, path, "visited", currency="CNY", amounts="none"),
    )

    assert plans.answer.source == "journeys"
    if plans.is_sqlite:
        assert plans.uses("COVERING INDEX ix_record_report"), plans.texts
    else:
        assert plans.uses("ix_record_owner"), plans.texts


@pytest.mark.parametrize(
    ("least", "index"), [(1, "COVERING INDEX ix_record_report"), (950_000, "ix_record_n01")]
)
def test_a_filter_of_many_walks_along_the_report_and_one_of_few_takes_its_own_index(
    crowded: World, least: int, index: str
) -> None:
    """SQLite would take the index of the field for both, and fetch each record from a page of its own."""
    fields = crowded.catalog.object("opportunity").fields.by_key
    raw = {"field": "amount", "op": "gt", "value": least}
    condition = compile_condition(parse(raw), fields, crowded.context)
    population = Population(("path",), "opportunity", EVERYTHING, condition=condition)
    path = crowded.catalog.pipeline("path")
    session = crowded.session

    plans = Plans(
        crowded, lambda: funnel_report(session, population, path, "visited", currency="CNY", amounts="none")
    )

    assert plans.answer.source == "journeys"
    if plans.is_sqlite:
        assert index in plans.texts[-1], plans.texts
        assert selects_many(session, population) == (least == 1)
    else:
        assert not selects_many(session, population)


def test_owners_are_compared_without_stepping_over_their_months(crowded: World) -> None:
    population = Population(("path",), "opportunity", EVERYTHING)
    path = crowded.catalog.pipeline("path")

    given: Any = {"currency": "CNY", "amounts": "entry", "by": Dimension("owner", "owner")}

    plans = Plans(crowded, lambda: compared_funnel(crowded.session, population, path, "visited", **given))

    assert plans.answer[0].source == "rollup"
    if plans.is_sqlite:
        assert plans.uses("COVERING INDEX ix_funnel_rollup_all_time"), plans.texts


def test_months_of_what_a_manager_sees_are_read_from_two_indexes_alone(crowded: World) -> None:
    months = Period(date(2025, 2, 1), date(2025, 8, 1))
    population = Population(("path",), "opportunity", DEPARTMENT, period=months)
    path = crowded.catalog.pipeline("path")

    plans = Plans(
        crowded,
        lambda: funnel_report(crowded.session, population, path, "visited", currency="CNY", amounts="none"),
    )

    assert plans.answer.source == "rollup"
    if plans.is_sqlite:
        assert plans.uses("COVERING INDEX ix_funnel_rollup_owner"), plans.texts
        assert plans.uses("COVERING INDEX ix_funnel_rollup_department"), plans.texts


def test_the_recycle_bin_reads_what_was_deleted_alone(crowded: World) -> None:
    plans = Plans(crowded, lambda: deleted_records(crowded.session, EVERYTHING))
    assert plans.uses("ix_record_deleted"), plans.texts


@pytest.mark.parametrize("who", PEOPLE)
def test_records_of_pairs_are_looked_up(crowded: World, who: str) -> None:
    plans = Plans(crowded, lambda: pairs(crowded.session, PEOPLE[who], "opportunity", OPEN))
    assert not plans.full_scans(), plans.texts
    if plans.is_sqlite:
        # by its id, and not among all records of the object
        assert not any("SEARCH record" in text and "AND id=?" not in text for text in plans.texts)


@pytest.mark.parametrize("amounts", ["none", "entry"])
@pytest.mark.parametrize("who", PEOPLE)
def test_a_funnel_of_days_fetches_no_row_where_everything_is_seen(
    crowded: World, who: str, amounts: Amounts
) -> None:
    year = Period(date(2026, 1, 11), date(2026, 8, 20))
    population = Population(("path",), "opportunity", PEOPLE[who], period=year, is_rolled_up=True)
    path = crowded.catalog.pipeline("path")
    session = crowded.session

    plans = Plans(
        crowded,
        lambda: funnel_report(session, population, path, "visited", currency="CNY", amounts=amounts),
    )

    assert plans.answer.source == "stays"
    assert not plans.full_scans(), plans.texts
    if plans.is_sqlite and who == "all":
        assert sum("COVERING INDEX ix_stay_entered" in text for text in plans.texts) == 2, plans.texts
        assert sum("COVERING INDEX ix_record_standing" in text for text in plans.texts) == 2, plans.texts


def test_todays_records_come_from_the_index_of_open_ones(crowded: World) -> None:
    path = crowded.catalog.pipeline("path")
    plans = Plans(crowded, lambda: own_work(crowded.session, OWN, [path], crowded.context))
    assert plans.uses("ix_record_open"), plans.texts


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("figure", [Figure("entered", "first"), Figure("denominator", "first", "filled")])
def test_lists_behind_figures_are_walked_along_visits_or_read_by_record(
    crowded: World, figure: Figure, who: str
) -> None:
    population = Population(("path",), "opportunity", PEOPLE[who])
    path = crowded.catalog.pipeline("path")
    plans = Plans(crowded, lambda: visits_on_page(crowded.session, population, path, figure, None, 51))
    assert not plans.full_scans(), plans.texts
    if plans.is_sqlite:
        assert plans.uses("ix_stay_record" if who == "own" else "ix_stay_entered"), plans.texts
        assert not any("USE TEMP B-TREE" in text for text in plans.texts if "ix_stay_entered" in text)


@pytest.mark.parametrize("ended", [Ended(("won",)), Ended(("won",), reason=""), Ended(())])
def test_lists_of_what_has_ended_are_walked_from_the_latest_end_on(crowded: World, ended: Ended) -> None:
    population = Population(("path",), "opportunity", EVERYTHING, is_rolled_up=True)

    plans = Plans(crowded, lambda: ended_on_page(crowded.session, population, ended, None, 51))

    closed = select(Record.id).where(Record.object_key == "opportunity", Record.closed_at.is_not(None))
    if ended.outcomes:
        closed = closed.where(Record.outcome == "won")
    latest = closed.order_by(Record.closed_at.desc(), Record.id.desc()).limit(51)
    assert plans.answer == list(crowded.session.scalars(latest))
    assert not plans.full_scans(), plans.texts
    assert plans.uses("ix_record_ended" if ended.outcomes else "ix_record_closed_at"), plans.texts
    if plans.is_sqlite:
        assert not any("USE TEMP B-TREE" in text for text in plans.texts), plans.texts


@pytest.mark.parametrize("who", ["all", "own", "subtree"])
@pytest.mark.parametrize("by", [None, 1005])
def test_medians_read_one_bucket_of_an_index(crowded: World, who: str, by: int | None) -> None:
    actor = PEOPLE[who]
    population = Population(("path",), "opportunity", actor)
    columns = (Record.amount_minor, Record.cycle, Record.owner_id, Record.department_id)
    seen = [
        row
        for row in crowded.session.execute(select(*columns).where(Record.outcome == "won"))
        if actor.can_see("opportunity", row.owner_id, row.department_id) and by in (None, row.owner_id)
    ]
    counts = SummedSet(amounts={"CNY": Counter(bucket_of(row.amount_minor) for row in seen)})
    counts.lengths = Counter(bucket_of(row.cycle) for row in seen)
    clauses = () if by is None else in_group(Dimension("owner", "owner"), by)

    plans = Plans(crowded, lambda: add_medians(crowded.session, population, [(clauses, counts)], "CNY"))

    assert counts.money["CNY"].median_minor == median(row.amount_minor for row in seen)
    assert counts.median_micros == median(row.cycle for row in seen)
    suffix = "_owner" if by or who == "own" else ""
    for value in ("amount", "cycle"):
        index = f"ix_record_won_{value}{suffix} "
        assert plans.uses(f"COVERING INDEX {index}" if plans.is_sqlite else f"using {index}"), plans.texts
