"""What the mapping page shows beside each value, and that the import writes exactly that."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from builder.db.records import Record
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.csv import Table, detect
from builder.exchange.profile import profile
from builder.services import imports
from builder.services.import_choices import Choices
from builder.services.import_history import HistoryChoice
from builder.services.import_preview import ColumnPreview, preview_columns
from builder.services.import_runs import run
from builder.services.import_setup import Proposal, carry_out, plan_import
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase

FILE = (
    "title;worth;due;client;sure\n"
    "A;$342.09K;31/12/2020;Acme;ja\n"
    "B;$1,200.50;01/02/2021;Beta;nein\n"
    "C;lots;04/03/2021;;ja\n"
)


@pytest.fixture
def world(shared_database: FreshDatabase, request: pytest.FixtureRequest) -> Iterator[World]:
    key = f"w{abs(hash(request.node.name)) % 10**8}"
    made = make_world(shared_database.url, key)
    yield made
    made.engine.dispose()


def looked_at(world: World, text: str, choices: Choices) -> tuple[Proposal, dict[str, ColumnPreview]]:
    stream = io.BytesIO(text.encode())
    file_format = detect(stream)
    columns = profile(Table(stream, file_format))
    with world.work() as uow:
        proposal = plan_import(uow, columns, file_format, "matter", choices)
        return proposal, preview_columns(uow, columns, proposal, "en")


def shown(preview: ColumnPreview) -> list[tuple[str, str]]:
    return [
        (item.raw, item.problem.message % item.problem.values if item.problem else item.text)
        for item in preview.readings
    ]


def test_each_value_stands_beside_what_it_becomes_or_why_it_cannot(world: World) -> None:
    choices = Choices(new_types={"sure": "yes_no"}, create_references=True)
    proposal, previews = looked_at(world, FILE, choices)
    assert proposal.questions == ()
    assert shown(previews["worth"]) == [
        ("$342.09K", "$342,090.00"), ("$1,200.50", "$1,200.50"), ("lots", "“lots” is not a number."),
    ]  # fmt: skip
    assert (previews["worth"].bad, previews["worth"].tried) == (1, 3)
    assert [text for _, text in shown(previews["due"])] == ["Dec 31, 2020", "Feb 1, 2021", "Mar 4, 2021"]
    assert [item.is_new for item in previews["client"].readings] == [True, True]
    assert [text for _, text in shown(previews["sure"])] == ["Yes", "No"]


def test_dates_that_can_be_read_two_ways_show_both_until_somebody_says(world: World) -> None:
    text = "title;due\nA;01/02/2021\nB;05/05/2021\n"
    proposal, previews = looked_at(world, text, Choices())
    assert [problem.place for problem in proposal.questions] == ["due"]
    first, second = previews["due"].readings
    assert (first.text, first.others, first.is_open) == ("Feb 1, 2021", ("Jan 2, 2021",), True)
    assert (second.text, second.others) == ("May 5, 2021", ())
    proposal, previews = looked_at(world, text, Choices(orders={"due": "mdy"}))
    assert proposal.questions == ()
    assert shown(previews["due"])[0] == ("01/02/2021", "Jan 2, 2021")


def test_a_column_that_contradicts_itself_is_asked_for_with_what_most_values_show(world: World) -> None:
    text = "title;due\nA;01/02/2021\nB;13/02/2021\nC;14/02/2021\nD;02/13/2021\n"
    proposal, previews = looked_at(world, text, Choices())
    assert [problem.place for problem in proposal.questions] == ["due"]
    assert previews["due"].readings[0].is_open
    proposal, previews = looked_at(world, text, Choices(orders={"due": "dmy"}))
    assert proposal.questions == ()
    assert previews["due"].bad == 1


def test_numbers_that_stand_for_dates_are_read_as_somebody_says(world: World) -> None:
    text = "title;due\nA;44196\nB;44197\n"
    proposal, previews = looked_at(world, text, Choices(fields={"due": "due"}))
    assert [problem.place for problem in proposal.questions] == ["due"]
    assert [(item.text, item.is_open) for item in previews["due"].readings] == [
        ("Dec 31, 2020", True), ("Jan 1, 2021", True),
    ]  # fmt: skip
    proposal, previews = looked_at(world, text, Choices(fields={"due": "due"}, orders={"due": "serial"}))
    assert proposal.questions == ()
    assert shown(previews["due"])[0] == ("44196", "Dec 31, 2020")


def test_a_mark_is_only_asked_for_where_the_column_becomes_a_number(world: World) -> None:
    text = "title;worth\nA;1.054\nB;lots\n"
    proposal, previews = looked_at(world, text, Choices())
    assert [problem.place for problem in proposal.questions] == ["worth"]
    first = previews["worth"].readings[0]
    assert {first.text, *first.others} == {"$1.054", "$1,054.00"}
    assert first.is_open
    proposal, _ = looked_at(world, text, Choices(fields={"worth": "note"}))
    assert proposal.questions == ()


def test_times_of_a_history_are_shown_as_times(world: World) -> None:
    text = "title;phase;since\nA;Talk;15 Apr, 2021 00:02:00\n"
    history = HistoryChoice("Old", "phase", create=True, at_column="since", order=("Talk",))
    _, previews = looked_at(world, text, Choices(history=history))
    assert shown(previews["since"]) == [("15 Apr, 2021 00:02:00", "Apr 15, 2021, 12:02:00\u202fAM")]


def test_the_import_writes_what_the_preview_showed(world: World, tmp_path: Path) -> None:
    blobs = FolderBlobStore(tmp_path / "files")
    choices = Choices(new_types={"sure": "yes_no"}, create_references=True)
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(FILE.encode()), "file.csv", "matter")
        columns = imports.column_profile(blobs, job)
        proposal = plan_import(uow, columns, imports.format_of(job), "matter", choices)
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        uow.commit()
        job = run(uow, blobs, job.id)
        assert (job.created_rows, job.refused_rows) == (2, 1)
        found = uow.session.scalars(select(Record).where(Record.object_key == "matter").order_by(Record.name))
        assert [(row.data["worth"], row.data["due"], row.data["sure"]) for row in found] == [
            ("342090.00", "2020-12-31", True), ("1200.50", "2021-02-01", False),
        ]  # fmt: skip
