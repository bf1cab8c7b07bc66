"""Joined columns, units in headers, and texts that name no option: from the choice to the stored value."""

from __future__ import annotations

import io
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from builder.db.records import Record
from builder.errors import Forbidden
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.csv import Table, detect
from builder.exchange.joining import Join
from builder.exchange.profile import profile
from builder.queries.definitions import live_document
from builder.services import imports
from builder.services.import_choices import NEW_OPTION, Choices
from builder.services.import_mappings import mapping_choices, save_mapping
from builder.services.import_preview import preview_columns
from builder.services.import_runs import run
from builder.services.import_setup import carry_out, plan_import
from builder.services.import_units import unknown_texts
from tests.factories import World, make_world, publish
from tests.fixtures.databases import FreshDatabase

FILE = "ref,first,last,Worth (万元),heat\nA,Ann,Lee,12.5,hot\nB,Bo,,3万,boiling\nC,Cy,Day,0.1,mild\n"
SAID = Choices(
    key_column="ref",
    fields={"first": None, "last": None, "first + last": "title", "heat": "heat"},
    options={"heat": {"boiling": NEW_OPTION, "mild": "cold"}},
    joins=(Join(("first", "last")),),
)
IN_OWN_CURRENCY = replace(SAID, units={"Worth (万元)": "4:"})


@pytest.fixture
def world(shared_database: FreshDatabase, request: pytest.FixtureRequest) -> Iterator[World]:
    made = make_world(shared_database.url, f"w{abs(hash(request.node.name)) % 10**8}")
    yield made
    made.engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path / "files")


def brought(world: World, blobs: FolderBlobStore, choices: Choices, text: str = FILE) -> dict[str, Record]:
    """Preview, plan and import; the records by their key."""
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(text.encode()), "file.csv", "matter")
        columns = imports.column_profile(blobs, job, joins=choices.joins)
        proposal = plan_import(uow, columns, imports.format_of(job, choices.joins), "matter", choices)
        proposal.refuse_questions()
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        uow.commit()
    with world.work() as uow:
        run(uow, blobs, job.id)
        records = uow.session.scalars(select(Record).where(Record.object_key == "matter"))
        return {str(record.external_key): record for record in records}


def test_what_was_said_of_columns_is_what_is_stored(world: World, blobs: FolderBlobStore) -> None:
    found = brought(world, blobs, IN_OWN_CURRENCY)
    with world.work() as uow:
        heat = uow.catalog.object("matter").fields.by_key["heat"]
    assert [option.label.text() for option in heat.options] == ["Cold", "Hot", "boiling"]
    assert {
        key: (record.name, record.amount_minor, record.data["heat"]) for key, record in found.items()
    } == {
        "A": ("Ann Lee", 12_500_000, "hot"), "B": ("Bo", 3_000_000, "boiling"), "C": ("Cy Day", 100_000, "cold"),
    }  # fmt: skip


def test_a_unit_of_another_currency_is_no_silent_guess(world: World, blobs: FolderBlobStore) -> None:
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(FILE.encode()), "file.csv", "matter")
        columns = imports.column_profile(blobs, job, joins=SAID.joins)
        file_format = imports.format_of(job, SAID.joins)

        def shown(choices: Choices) -> list[str]:
            proposal = plan_import(uow, columns, file_format, "matter", choices)
            preview = preview_columns(uow, columns, proposal, "en")["Worth (万元)"]
            return [
                item.problem.message % item.problem.values if item.problem else item.text
                for item in preview.readings
            ]

        assert shown(SAID)[0] == "“12.5” is not in USD."
        assert shown(IN_OWN_CURRENCY) == ["$125,000.00", "$30,000.00", "$1,000.00"]
        assert shown(replace(SAID, units={"Worth (万元)": "0:"})) == ["$12.50", "$30,000.00", "$0.10"]


def test_they_are_saved_with_the_mapping(world: World, blobs: FolderBlobStore) -> None:
    said = IN_OWN_CURRENCY
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(FILE.encode()), "file.csv", "matter")
        columns = imports.column_profile(blobs, job, joins=said.joins)
        proposal = plan_import(uow, columns, imports.format_of(job, said.joins), "matter", said)
        kept = save_mapping(uow, "matter", "Monthly", columns, said, proposal)
        with imports.OpenFile(blobs, job) as table:
            plain = profile(table)
        again = mapping_choices(uow, kept, plain, uow.catalog.object("matter"))
    assert (again.joins, again.units, again.options) == (said.joins, said.units, said.options)
    assert again.fields["first + last"] == "title"


def test_who_may_not_change_definitions_makes_no_option(world: World, blobs: FolderBlobStore) -> None:
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(FILE.encode()), "file.csv", "matter")
        columns = imports.column_profile(blobs, job, joins=SAID.joins)
        proposal = plan_import(uow, columns, imports.format_of(job, SAID.joins), "matter", SAID)
        uow.actor = replace(uow.actor, rights=frozenset({"import"}), is_system=False)
        with pytest.raises(Forbidden):
            carry_out(uow, proposal)


def test_single_texts_of_a_cell_with_several_options_are_said_by_themselves(
    world: World, blobs: FolderBlobStore
) -> None:
    tags = {"type": "array", "x-type": "choices", "x-label": {"en": "Tags"}, "x-options": [
        {"key": key, "label": {"en": key.title()}} for key in ("red", "blue")
    ]}  # fmt: skip
    with world.work() as uow:
        _, document = live_document(uow.session, "object", "matter")
        document = deepcopy(document)
        document["fields"]["properties"]["tags"] = tags
        publish(uow, [document])
        uow.commit()
    text = "ref,title,tags\nA,One,red; blu\nB,Two,Blau|blu;jade\nC,Three,n/a\n"
    said = Choices(
        key_column="ref",
        fields={"tags": "tags"},
        options={"tags": {"blu": "blue", "Blau": "blue", "jade": NEW_OPTION, "n/a": ""}},
    )
    stream = io.BytesIO(text.encode())
    column = profile(Table(stream, detect(stream))).column("tags")
    with world.work() as uow:
        field = uow.catalog.object("matter").fields.by_key["tags"]
        assert column is not None
        assert unknown_texts(column, field) == {"blu": 2, "Blau": 1, "jade": 1, "n/a": 1}
    found = brought(world, blobs, said, text)
    assert {key: record.data.get("tags") for key, record in found.items()} == {
        "A": ["red", "blue"], "B": ["blue", "jade"], "C": None,
    }  # fmt: skip
