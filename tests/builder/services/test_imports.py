"""Imports as a service: batches that go on after a crash, names, keys, refusals; equal to single creation."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.imports import ImportBatch, ImportJob
from builder.db.ledger import EventRow, FunnelRollup, SliceRow, StayRow
from builder.db.people import Member
from builder.db.records import Link, Record, SearchToken
from builder.errors import Forbidden, Invalid
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.csv import Table
from builder.exchange.history_log import CLOSED_FIRST
from builder.exchange.plan import BY_RULES, ImportPlan, KnownRows
from builder.exchange.profile import profile
from builder.queries.imports import refusals
from builder.services import import_checks, imports, rollup
from builder.services.assignment import NO_PROCESS
from builder.services.import_choices import Choices
from builder.services.import_history import HistoryChoice
from builder.services.import_rows import KNOWN, SEVERAL
from builder.services.import_runs import Progress, run
from builder.services.import_setup import carry_out, plan_import
from builder.services.maintenance import verify
from builder.services.records import Entry, NewRecord, create
from tests.factories import CASE, DOCUMENTS, World, add_member, make_world, publish
from tests.fixtures.databases import FreshDatabase

HEAD = "ref,title,worth,due,client,holder\n"
CHOICES = Choices(key_column="ref", create_references=True)
# With match keys (S121), which an import leaves as a form does.
COMPARED = tuple(
    {**document, "duplicate_keys": ["title"]} if document["kind"] == "object" else document
    for document in DOCUMENTS
)


@pytest.fixture
def world(sqlite_database: FreshDatabase) -> Iterator[World]:
    made = make_world(sqlite_database.url, documents=COMPARED)
    yield made
    made.engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path / "files")


def prepare(
    world: World, blobs: FolderBlobStore, text: str, choices: Choices, object_key: str = "matter"
) -> int:
    """Receive, plan and queue a file; its job's id."""
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(text.encode()), "file.csv", object_key)
        with imports.OpenFile(blobs, job) as table:
            columns = profile(table)
        proposal = plan_import(uow, columns, imports.format_of(job), object_key, choices)
        proposal.refuse_questions()
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        uow.commit()
        return job.id


def carry(world: World, blobs: FolderBlobStore, job_id: int, **options: Any) -> ImportJob:
    with world.work() as uow:
        return run(uow, blobs, job_id, **options)


def bring(
    world: World, blobs: FolderBlobStore, text: str, choices: Choices = CHOICES, object_key: str = "matter"
) -> ImportJob:
    return carry(world, blobs, prepare(world, blobs, text, choices, object_key))


def reasons(world: World, job: ImportJob) -> list[tuple[int, str, str]]:
    with world.work() as uow:
        return [
            (item.line, item.column, item.message % item.values) for item in refusals(uow.session, job.id)
        ]


def stored(world: World, object_key: str = "matter") -> list[Record]:
    with world.work() as uow:
        return list(
            uow.session.scalars(
                select(Record).where(Record.object_key == object_key).order_by(Record.external_key, Record.id)
            )
        )


def test_good_rows_are_written_and_each_bad_one_has_a_reason(world: World, blobs: FolderBlobStore) -> None:
    job = bring(
        world, blobs,
        HEAD + 'A,First,"1,200.50",2025-06-01,Acme,Ada\n'
        "B,,5,2025-06-01,Acme,Ada\n"
        "C,Third,5,2025-02-30,Acme,Ada\n"
        ",Fourth,5,2025-06-01,Acme,Ada\n"
        "E,Fifth,5,2025-06-01,Acme,Nobody\n"
        "F,Sixth,5,2025-06-01,Acme,Ada,surplus\n"
        "G,Seventh,,,,\n",
    )  # fmt: skip
    assert (job.status, job.created_rows, job.refused_rows, job.done_rows) == ("done", 2, 5, 7)
    assert [(line, column) for line, column, _ in reasons(world, job)] == [
        (3, "title"), (4, "due"), (5, "ref"), (6, "holder"), (7, "")
    ]  # fmt: skip
    first, last = stored(world)
    assert (first.name, first.amount_minor, first.owner_id) == ("First", 120_050, world.admin_id)
    assert last.data == {"title": "Seventh", "holder": str(world.admin_id)}


def test_the_second_run_of_a_file_changes_only_what_differs(world: World, blobs: FolderBlobStore) -> None:
    text = HEAD + "A,First,5,2025-06-01,Acme,Ada\nB,Second,6,2025-06-01,Beta,Ada\n"
    bring(world, blobs, text)
    again = bring(world, blobs, text.replace("Second", "2nd"))
    assert (again.created_rows, again.updated_rows, again.unchanged_rows) == (0, 1, 1)
    first, second = stored(world)
    assert (first.revision, second.revision, second.name) == (1, 2, "2nd")
    assert len(stored(world, "client")) == 2


def test_a_key_that_comes_twice_in_a_file_updates_its_first_record(
    world: World, blobs: FolderBlobStore
) -> None:
    job = bring(world, blobs, "ref,title\nA,One\nB,Two\nA,Three\n")
    assert (job.created_rows, job.updated_rows) == (2, 1)
    assert [record.name for record in stored(world)] == ["Three", "Two"]


@pytest.mark.parametrize(
    ("known_rows", "told", "names"),
    [
        ("change", (1, 2, 0, 0), ["Again", "Two", "Last"]),
        ("leave", (1, 0, 2, 0), ["One", "Two", "Three"]),
        ("refuse", (1, 0, 0, 2), ["One", "Two", "Three"]),
    ],
)
def test_rows_whose_record_is_here_already_are_taken_as_chosen(
    world: World,
    blobs: FolderBlobStore,
    known_rows: KnownRows,
    told: tuple[int, int, int, int],
    names: list[str],
) -> None:
    bring(world, blobs, "ref,title\nA,One\nB,Two\n")
    choices = replace(CHOICES, known_rows=known_rows)
    # One that is stored, one that is new, and one that comes twice in the file.
    job_id = prepare(world, blobs, "ref,title\nA,Again\nC,Three\nC,Last\n", choices)
    with world.work() as uow:
        report = import_checks.check_file(uow, blobs, imports.find(uow, job_id))
    job = carry(world, blobs, job_id)
    assert (job.created_rows, job.updated_rows, job.unchanged_rows, job.refused_rows) == told
    assert (report.created, report.updated, report.unchanged, report.refused) == told
    assert [record.name for record in stored(world)] == names
    if known_rows == "refuse":
        assert [(line, column) for line, column, _ in reasons(world, job)] == [(2, "ref"), (4, "ref")]
        assert [(item.line, item.message) for item in report.refusals] == [(2, KNOWN), (4, KNOWN)]


def test_what_was_typed_is_known_again_by_the_field_that_the_key_fills(
    world: World, blobs: FolderBlobStore
) -> None:
    """A client that moves in has typed some of it before: without keys of another product."""
    bring(world, blobs, "title\nRoof\nTwin\nTwin\n", Choices())
    text = "title,worth\nROOF,7\nTwin,8\nWall,9\nwall,10\n"
    job_id = prepare(world, blobs, text, Choices(key_column="title"))
    with world.work() as uow:
        report = import_checks.check_file(uow, blobs, imports.find(uow, job_id))
    job = carry(world, blobs, job_id)
    assert (job.created_rows, job.updated_rows, job.refused_rows) == (1, 2, 1)
    assert (report.created, report.updated) == (1, 2)
    assert (report.refused, [item.message for item in report.refusals]) == (1, [SEVERAL])
    assert [(line, column) for line, column, _ in reasons(world, job)] == [(3, "title")]
    found = {record.name: record.amount_minor for record in stored(world)}
    assert found == {"ROOF": 700, "Twin": None, "wall": 1000}
    assert len(stored(world)) == 4


def test_names_are_found_loosely_but_never_guessed(world: World, blobs: FolderBlobStore) -> None:
    bring(world, blobs, "title\nGTX Pro\nTwin\nTwin\n", Choices(), "client")
    job = bring(
        world, blobs, "ref,title,client\nA,One,GTXPro\nB,Two,gtx pro\nC,Three,Twin\nD,Four,GTX\n",
        Choices(key_column="ref"),
    )  # fmt: skip
    assert [(line, text) for line, _, text in reasons(world, job)] == [
        (4, "Several are called “Twin”, so it is not clear which is meant."),
        (5, "Nothing is called “GTX”."),
    ]
    known = {record.name: str(record.id) for record in stored(world, "client")}
    assert {record.data["client"] for record in stored(world)} == {known["GTX Pro"]}


def test_unknown_people_become_colleagues_without_sign_in(world: World, blobs: FolderBlobStore) -> None:
    choices = Choices(key_column="ref", create_users=True)
    job = bring(world, blobs, "ref,title,holder\nA,One,Zoe Li\nB,Two,zoe li\nC,Three,Ada\n", choices)
    assert job.created_rows == 3
    with world.work() as uow:
        zoe = uow.session.scalars(select(Member).where(Member.name == "Zoe Li")).one()
        assert (zoe.user_id, zoe.role_key) == (None, "rep")
    assert [record.owner_id for record in stored(world)] == [zoe.id, zoe.id, world.admin_id]


def test_columns_become_fields_of_the_object_and_old_records_keep_their_values(
    world: World, blobs: FolderBlobStore
) -> None:
    bring(world, blobs, "ref,title\nA,One\n")
    text = "ref,title,size,founded,tier\n" + "".join(
        f"R{n},T{n},{n}.5,1999,{'gold' if n % 2 else 'iron'}\n" for n in range(12)
    )
    job = bring(world, blobs, text, Choices(key_column="ref", create_fields=True))
    assert job.created_rows == 12
    with world.work() as uow:
        fields = uow.catalog.object("matter").fields.by_key
        assert {key: fields[key].type for key in ("size", "founded", "tier")} == {
            "size": "decimal", "founded": "integer", "tier": "choice"
        }  # fmt: skip
        assert all(fields[key].slot for key in ("size", "founded", "tier"))
        assert not verify(uow).differences
    assert stored(world)[0].data["title"] == "One"
    data = stored(world)[1].data
    assert (data["size"], data["founded"]) == ("0.5", 1999)


def test_an_import_that_was_interrupted_goes_on_behind_its_last_batch(
    world: World, blobs: FolderBlobStore
) -> None:
    text = "ref,title,client\n" + "".join(f"R{n:03},Title {n},Client {n % 7}\n" for n in range(95))
    job_id = prepare(world, blobs, text, CHOICES)
    seen: list[int] = []

    def crash(progress: Progress) -> None:
        seen.append(progress.done)
        if len(seen) == 3:
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        carry(world, blobs, job_id, on_progress=crash, batch_rows=20)
    assert len(stored(world)) == 60
    done = carry(world, blobs, job_id, batch_rows=20)
    assert (done.status, done.created_rows, done.done_rows) == ("done", 95, 95)
    assert len(stored(world)) == 95
    assert len(stored(world, "client")) == 7
    with world.work() as uow:
        assert uow.session.scalars(select(ImportBatch.number).order_by(ImportBatch.number)).all() == [
            0,
            1,
            2,
            3,
            4,
        ]
        assert not verify(uow).differences
    assert carry(world, blobs, job_id).done_rows == 95


def test_an_import_that_goes_on_while_its_last_batch_is_written_ends_as_one(
    world: World, blobs: FolderBlobStore
) -> None:
    job_id = prepare(world, blobs, "ref,title\nA,One\nB,Two\nC,Three\n", CHOICES)

    def stop_and_go_on(told: Progress) -> None:
        if told.done == 2:
            with world.work() as uow:
                imports.cancel(uow, imports.find(uow, job_id))
                imports.resume(uow, imports.find(uow, job_id))
                uow.commit()

    done = carry(world, blobs, job_id, on_progress=stop_and_go_on, batch_rows=1)
    assert (done.status, done.created_rows, done.total_rows) == ("done", 3, 3)
    assert carry(world, blobs, job_id).status == "done"  # the work that was queued to go on finds nothing
    with world.work() as uow:
        told = select(EventRow.kind).where(EventRow.kind == "import.finished")
        assert len(uow.session.scalars(told).all()) == 1


def test_a_problem_of_the_whole_file_ends_the_job_and_says_so(world: World, blobs: FolderBlobStore) -> None:
    job_id = prepare(world, blobs, "ref,title\nA,One\n", CHOICES)
    with world.work() as uow:
        job = uow.session.get_one(ImportJob, (uow.workspace.id, job_id))
        blobs.delete(imports.blob_key(uow.workspace.id, job.file_id))
        with pytest.raises(Exception, match="no longer stored"):
            run(uow, blobs, job_id)
    with world.work() as uow:
        job = uow.session.get_one(ImportJob, (uow.workspace.id, job_id))
        assert (job.status, job.problem) == ("failed", "This file is no longer stored.")


def test_a_dry_run_says_what_the_import_then_does(world: World, blobs: FolderBlobStore) -> None:
    bring(world, blobs, HEAD + "A,First,5,2025-06-01,Acme,Ada\nB,Second,6,2025-06-01,Acme,Ada\n")
    text = (
        HEAD + "A,First,5,2025-06-01,Acme,Ada\nB,2nd,6,2025-06-01,Acme,Ada\nC,New,7,2025-06-01,Unheard,Zoe\n"
        "D,,7,2025-06-01,Acme,Ada\nE,Bad,seven,2025-06-01,Acme,Ada\nC,Again,7,2025-06-01,Acme,Ada\n"
    )
    choices = Choices(key_column="ref", create_references=True, create_users=True)
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(text.encode()), "file.csv", "matter")
        columns = imports.column_profile(blobs, job)
        proposal = plan_import(uow, columns, imports.format_of(job), "matter", choices)
        imports.set_proposal(uow, job, proposal, columns.rows)
        report = import_checks.check_file(uow, blobs, job)
        uow.rollback()
    before = len(stored(world, "client"))
    done = bring(world, blobs, text, choices)
    assert (report.rows, report.created, report.updated, report.unchanged, report.refused) == (
        done.done_rows, done.created_rows, done.updated_rows, done.unchanged_rows, done.refused_rows
    )  # fmt: skip
    assert (report.created, report.updated, report.unchanged, report.refused) == (1, 2, 1, 2)
    assert [item.line for item in report.refusals] == [line for line, _, _ in reasons(world, done)]
    assert before == 1


def test_history_by_rows_puts_records_where_they_stood(world: World, blobs: FolderBlobStore) -> None:
    history = HistoryChoice("Past", "phase", create=True, at_column="since", closed_column="done",
                            order=("Talk", "Offer"), won=("Yes",), lost=("No",))  # fmt: skip
    text = (
        "ref,title,phase,since,done\n1,A,Talk,,\n2,B,Offer,2025-01-03,\n3,C,Yes,2025-01-03,2025-02-01\n"
        "4,D,No,2025-01-03,2025-01-01\n5,E,Maybe,,\n"
    )
    with pytest.raises(Invalid, match="Maybe"):
        bring(world, blobs, text, Choices(key_column="ref", history=history))
    job = bring(world, blobs, text.replace("5,E,Maybe,,\n", ""), Choices(key_column="ref", history=history))
    assert reasons(world, job) == [(5, "phase", CLOSED_FIRST)]
    assert [(record.stage_key, record.outcome, record.is_loaded) for record in stored(world)] == [
        ("talk", "open", True), ("offer", "open", True), ("yes", "won", True)
    ]  # fmt: skip
    again = bring(world, blobs, text.replace("5,E,Maybe,,\n", ""), Choices(key_column="ref", history=history))
    assert (again.unchanged_rows, again.refused_rows) == (3, 1)
    with world.work() as uow:
        assert not verify(uow).differences


def test_rights_are_asked_for(world: World, blobs: FolderBlobStore) -> None:
    with world.work() as uow:
        rep = add_member(uow, "Rep", "rep")
        uow.commit()
    from tests.factories import Actor

    actor = Actor(rep, "Rep", "rep", frozenset({"record.create"}), "own")
    with world.work(actor) as uow, pytest.raises(Forbidden):
        imports.receive(uow, blobs, io.BytesIO(b"a\n1\n"), "x.csv", "matter")
    actor = Actor(rep, "Rep", "rep", frozenset({"record.create", "import"}), "own")
    with world.work(actor) as uow:
        job = imports.receive(uow, blobs, io.BytesIO(b"title,phase\nA,x\n"), "x.csv", "matter")
        columns = imports.column_profile(blobs, job)
        choices = Choices(history=HistoryChoice("Past", "phase", create=True))
        proposal = plan_import(uow, columns, imports.format_of(job), "matter", choices)
        with pytest.raises(Forbidden):
            imports.set_plan(uow, job, proposal.plan, 1)


def test_hostile_texts_are_stored_as_they_are_or_refused_with_a_reason(
    world: World, blobs: FolderBlobStore
) -> None:
    texts = [
        "'; DROP TABLE record; --",
        "<script>alert(1)</script>",
        "=1+1",
        "𝕳𝖊𝖑𝖑𝖔",
        "\u202eevil",
        "{{7*7}}",
        "../../etc",
    ]
    rows = io.StringIO()
    import csv

    writer = csv.writer(rows)
    writer.writerow(["ref", "title"])
    writer.writerows([[f"K{n}", text] for n, text in enumerate(texts)])
    job = bring(world, blobs, rows.getvalue() + "K9,nul\x00byte\n")
    assert (job.created_rows, job.refused_rows) == (len(texts), 1)
    assert [record.name for record in stored(world)] == texts


def dump(world: World) -> dict[str, list[dict[str, Any]]]:
    """All rows that creating records leaves, ids replaced by the order of their appearance."""
    names: dict[int, str] = {world.admin_id: "Ada"}
    found: dict[str, list[dict[str, Any]]] = {}
    with world.work() as uow:
        rollup.fold(uow)
        for entity in (Record, StayRow, SliceRow, EventRow, Link, SearchToken, FunnelRollup):
            columns = [
                column
                for column in entity.__table__.columns
                if column.name not in ("workspace_id", "external_key", "batch_id")
            ]
            rows = [
                dict(row._mapping)
                for row in uow.session.execute(
                    select(*(getattr(entity, column.name) for column in columns))
                    .where(True if entity is not EventRow else EventRow.kind.like("record.%"))
                )
            ]  # fmt: skip
            found[entity.__tablename__] = rows
        for row in sorted(found["record"], key=lambda row: (row["object_key"], row["name"])):
            names[row["id"]] = f"{row['object_key']} {row['name']}"
        for row in found["stay"]:
            names[row["id"]] = f"stay of {names[row['record_id']]} {row['sequence']}"
    return {table: sorted((_plain(row, names) for row in rows), key=str) for table, rows in found.items()}


def _plain(row: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: named(inner) for key, inner in value.items()}
        if isinstance(value, int) and value in names:
            return names[value]
        if isinstance(value, str) and value.isdecimal() and int(value) in names:
            return names[int(value)]
        return "id" if isinstance(value, int) and value > 10**15 else value

    return {key: named(value) for key, value in row.items() if key != "id" or value in names}


def test_each_row_enters_the_process_that_the_rules_say_or_is_refused(
    world: World, blobs: FolderBlobStore
) -> None:
    rule = {"key": "dear", "when": {"field": "worth", "op": "ge", "value": 100}, "pipeline": "free"}
    with world.work() as uow:
        publish(uow, [{**COMPARED[1], "processes": {"rules": [rule]}}])
        uow.commit()
    job = bring(world, blobs, "title,worth\nDear,500\nCheap,5\n", Choices(entry_pipeline=BY_RULES))
    assert [(row.name, row.pipeline_key) for row in stored(world)] == [("Dear", "free")]
    assert [(line, text) for line, _, text in reasons(world, job)] == [(3, NO_PROCESS)]


def test_bulk_import_and_single_creation_leave_the_same_rows(
    world: World, blobs: FolderBlobStore, tmp_path: Path, sqlite_template: Path
) -> None:
    rows = [(f"T{n}", f"{n * 10 + 5}.50", f"2025-06-{n + 1:02}", f"C{n % 2}") for n in range(9)]
    text = "title,worth,due,client,holder\n" + "".join(f"{','.join(row)},Ada\n" for row in rows)
    bring(world, blobs, "title\nC0\nC1\n", Choices(), "client")
    bring(world, blobs, text, Choices(entry_pipeline="free"))
    other = tmp_path / "single.db"
    other.write_bytes(sqlite_template.read_bytes())
    single = make_world(f"sqlite:///{other}", documents=COMPARED)
    with single.work() as uow:
        clients = {name: create(uow, "client", NewRecord({"title": name})).record_id for name in ("C0", "C1")}
        for title, worth, due, client in rows:
            values = {"title": title, "worth": worth, "due": due, "client": str(clients[client]),
                      "holder": str(single.admin_id)}  # fmt: skip
            create(uow, "matter", NewRecord(values, Entry("free")))
        uow.commit()
    assert dump(world) == dump(single)


def test_a_plan_survives_being_stored(world: World, blobs: FolderBlobStore) -> None:
    history = HistoryChoice("Past", "phase", create=True, order=("Talk",), won=("Yes",))
    text = "ref,title,phase,due\n1,A,Talk,13/02/2025\n"
    with world.work() as uow:
        table = Table(io.BytesIO(text.encode()), imports.detect(io.BytesIO(text.encode())))
        proposal = plan_import(
            uow, profile(table), table.format, "matter", Choices(key_column="ref", history=history)
        )
    assert ImportPlan.from_document(proposal.plan.to_document()) == proposal.plan


def test_columns_fill_the_parts_of_an_address_and_leave_the_others_alone(
    world: World, blobs: FolderBlobStore
) -> None:
    fields = CASE["fields"]
    site = {"x-type": "address", "x-label": {"en": "Site"}}
    with world.work() as uow:
        publish(uow, [{**CASE, "fields": {**fields, "properties": {**fields["properties"], "site": site}}}])
        uow.commit()
    choices = Choices(key_column="ref")

    text = "ref,title,Billing Street,Billing City,Country\n1,A,Ring 1,Köln,germany\n2,B,,,\n3,C,,,Atlantis\n"
    job = bring(world, blobs, text, choices)
    assert (job.created_rows, job.refused_rows) == (2, 1)
    again = bring(world, blobs, "ref,title,site city,zip\n1,A,Bonn,53111\n2,B,,\n", choices)
    assert (again.updated_rows, again.unchanged_rows) == (1, 1)
    same = bring(world, blobs, "ref,title,site city,zip\n1,A,Bonn,53111\n", choices)
    assert same.unchanged_rows == 1

    with world.work() as uow:
        found = uow.session.scalars(select(Record.data).order_by(Record.external_key)).all()
    assert [data.get("site") for data in found] == [
        {"street": "Ring 1", "city": "Bonn", "country": "DE", "postal_code": "53111"},
        None,
    ]
