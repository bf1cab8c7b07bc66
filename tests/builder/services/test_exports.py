"""Exports as a service: what comes out goes in again and changes nothing; rights, visibility, batches, jobs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from builder.db.exports import ExportJob
from builder.db.ledger import EventRow
from builder.db.people import Member
from builder.db.records import Record
from builder.domain.permissions import Actor
from builder.errors import Conflict, Forbidden, Invalid, NotFound
from builder.exchange import export_files
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.export_plan import CURRENCY_OF, EXTERNAL_KEY, ID, ExportPlan
from builder.queries.imports import refusals
from builder.queries.record_keys import record_key, with_key
from builder.services import deletion, export_runs, exports, imports
from builder.services.import_choices import Choices
from builder.services.import_runs import run
from builder.services.import_setup import carry_out, plan_import
from builder.services.records import NewRecord, create_many
from tests.factories import DOCUMENTS, World, add_member, make_world
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.exports import THING

FIELDS = tuple(THING["fields"]["properties"])
ALL = ExportPlan(
    "thing",
    ((ID, "Record ID"), (EXTERNAL_KEY, "External ID"))
    + tuple((key, THING["fields"]["properties"][key]["x-label"]["en"]) for key in FIELDS),
    is_exact=True,
)
HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "'=x",
    "  padded ",
    "'",
    'quo"te',
    "comma, semi;",
    "{{7*7}}",
)


@pytest.fixture(scope="module")
def world(shared_database: FreshDatabase) -> Iterator[World]:
    made = make_world(shared_database.url, documents=(*DOCUMENTS, THING), zone="Asia/Shanghai")
    fill(made)
    yield made
    made.engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path / "files")


def fill(world: World) -> None:
    """Things with every kind of value, and clients and people whose names are not unique."""
    with world.work() as uow:
        names = ("Acme", "Twin", "Twin", " Edge ", "Gone", "=Risky", "K1")
        news = [NewRecord({"title": name}, external_key="K1" if name == "Acme" else None) for name in names]
        clients = [new.id for new in news]
        assert all(not hasattr(item, "faults") for item in create_many(uow, "client", news))
        people = [add_member(uow, name, "rep") for name in ("Bo", "Bo", "Cy")]
        uow.session.execute(update(Member).where(Member.id == people[1]).values(email="bo2@example.com"))
        uow.session.execute(update(Member).where(Member.id == people[2]).values(email="bo@example.com"))
        holders = [world.admin_id, *people]
        things = [
            {
                "title": HOSTILE[n] if n < len(HOSTILE) else f"Thing {n:02}",
                "code": HOSTILE[n % len(HOSTILE)],
                "story": "first\nsecond, \"third\"\n=4" if n % 2 else "-dash",
                "pieces": n - 3,
                "weight": f"-{n}.125",
                "share": "12.5",
                "price": "1200" if n % 4 == 0 else "-1234.5",
                "currency": "JPY" if n % 4 == 0 else "EUR",
                "fee": "900",
                "is_new": n % 2 == 0,
                "due": "1889-01-02" if n == 5 else "2026-11-21",
                "seen": "2026-11-21T08:30:00Z" if n % 2 else "2026-11-21T08:30:00.5Z",
                "heat": ("cold", "hot", "odd")[n % 3],
                "tags": ["odd", "cold"],
                "mail": "a@example.com",
                "phone": "+8613800138000" if n % 2 else "+12125550100;ext=12",
                "site": "https://e.com/?a=b",
                "holder": str(holders[n % len(holders)]),
                "effort": n * 61,
                "stars": n % 5 + 1,
                "place": {"street": "=Main 1\nBack", "city": "Köln", "country": "DE"},
                "terms": {"days": n, "note": "-x"},
                "client": str(clients[n % len(clients)]),
            }
            for n in range(24)
        ]  # fmt: skip
        things.append({"title": "Bare"})
        # The amounts are as other doors may leave them, not in the form that a form gives them.
        made = create_many(
            uow,
            "thing",
            [NewRecord(v, external_key=f"T{n}" if n % 3 else None) for n, v in enumerate(things)],
        )
        assert [item for item in made if hasattr(item, "faults")] == []
        deletion.delete(uow, clients[4], 1)
        uow.commit()


def text_of(world: World, plan: ExportPlan, actor: Actor | None = None) -> str:
    stream = io.BytesIO()
    with world.work(actor) as uow:
        exports.export_now(uow, plan, stream)
        uow.commit()
    return stream.getvalue().decode("utf-8-sig")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def file_of(rows: list[dict[str, str]]) -> bytes:
    """The rows as a spreadsheet would save them again."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def reasons(world: World, job: Any) -> list[tuple[int, str, str]]:
    with world.work() as uow:
        found = refusals(uow.session, job.id)
    return [(item.line, item.column, item.message % item.values) for item in found]


def bring(
    world: World,
    blobs: FolderBlobStore,
    data: bytes,
    key: str,
    name: str = "file.csv",
    *,
    is_exact: bool = True,
) -> Any:
    """Import a file as the mapping page proposes it, with its key column."""
    object_key = "thing"
    with world.work() as uow:
        job = imports.receive(uow, blobs, io.BytesIO(data), name, object_key)
        columns = imports.column_profile(blobs, job)
        # An object of parts is no column that anybody guesses; somebody may say so.
        choices = Choices(key_column=key, fields={"Terms": "terms"} if is_exact else {})
        proposal = plan_import(uow, columns, imports.format_of(job), object_key, choices)
        proposal.refuse_questions()
        fields = dict(proposal.plan.fields)
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        uow.commit()
        job_id = job.id
    with world.work() as uow:
        return run(uow, blobs, job_id), fields


def state(world: World) -> dict[int, tuple[Any, ...]]:
    with world.work() as uow:
        rows = uow.session.execute(
            select(Record.id, Record.data, Record.revision, Record.updated_at, Record.external_key)
        )
        return {row.id: tuple(row) for row in rows}


@pytest.mark.parametrize("key", ["Record ID", "External ID"])
def test_importing_an_export_again_changes_nothing(world: World, blobs: FolderBlobStore, key: str) -> None:
    before = state(world)
    # Only records that came from a file have a key of another system.
    filled = [row for row in table(text_of(world, ALL)) if row[key]]
    done, fields = bring(world, blobs, file_of(filled), key)
    assert reasons(world, done) == []
    assert (done.done_rows, done.unchanged_rows, done.updated_rows, done.created_rows) == (
        len(filled), len(filled), 0, 0,
    )  # fmt: skip
    assert len(filled) >= 16
    # Every field that can be written was read: the formula alone is computed.
    assert set(fields.values()) == set(FIELDS) - {"double"}
    assert state(world) == before


@pytest.mark.parametrize(("locale", "kind"), [("en", "csv"), ("zh_Hans", "csv"), ("en", "xlsx")])
def test_importing_again_what_people_read_changes_nothing(
    world: World, blobs: FolderBlobStore, locale: str, kind: Any
) -> None:
    """Options by name, addresses on a line, people and records that share a name."""
    before = state(world)
    stream = io.BytesIO()
    with world.work() as uow:
        exports.export_now(uow, replace(ALL, is_exact=False, locale=locale, format=kind), stream)
        uow.commit()
    if kind == "csv":
        first = table(stream.getvalue().decode("utf-8-sig"))[0]
        assert first["Place"] in ("'=Main 1, Back, Köln, Germany", "'=Main 1, Back, Köln, 德国")
    done, fields = bring(world, blobs, stream.getvalue(), "Record ID", name=f"file.{kind}", is_exact=False)
    assert reasons(world, done) == []
    assert (done.done_rows, done.unchanged_rows) == (25, 25)
    assert {"place", "heat", "tags", "client", "holder"} <= set(fields.values())
    assert state(world) == before


def test_importing_an_excel_export_again_changes_nothing(world: World, blobs: FolderBlobStore) -> None:
    before = state(world)
    stream = io.BytesIO()
    with world.work() as uow:
        exports.export_now(uow, replace(ALL, format="xlsx"), stream)
        uow.commit()
    done, _fields = bring(world, blobs, stream.getvalue(), "Record ID", name="file.xlsx")
    assert reasons(world, done) == []
    assert (done.done_rows, done.unchanged_rows) == (25, 25)
    assert state(world) == before


def test_what_somebody_changed_in_the_file_is_all_that_changes(world: World, blobs: FolderBlobStore) -> None:
    rows = table(text_of(world, ALL))
    chosen = next(row for row in rows if row["Title"] == "Thing 20")
    before = state(world)
    done, _ = bring(world, blobs, file_of([*rows[:5], {**chosen, "Story": "=new"}]), "Record ID")
    assert (done.unchanged_rows, done.updated_rows) == (5, 1)
    after = state(world)
    (changed,) = [record_id for record_id in after if after[record_id] != before[record_id]]
    assert record_key(changed) == chosen["Record ID"]
    assert {**before[changed][1], "story": "=new"} == after[changed][1]


def test_every_cell_that_could_be_a_formula_is_harmless(world: World) -> None:
    for row in table(text_of(world, replace(ALL, columns=(*ALL.columns, ("title", "=Head"))))):
        for heading, cell in row.items():
            is_number = cell.replace(".", "").removeprefix("-").isdecimal() and cell[0] == "-"
            assert cell[:1] not in tuple("=+-@\t\r") or is_number, (heading, cell)
        assert "'=Head" in row


def test_names_that_could_mean_several_carry_their_key(world: World) -> None:
    rows = table(text_of(world, ALL))
    clients = {row["Client"] for row in rows}
    assert {"Acme", "'=Risky"} <= clients
    with world.work() as uow:
        known = uow.session.execute(select(Record.id, Record.name).where(Record.object_key == "client"))
        keyed = {with_key(name, key) for key, name in known if name in ("Twin", " Edge ", "Gone", "K1")}
    assert keyed - {name.lstrip() for name in keyed} | clients >= keyed
    holders = {row["Holder"] for row in rows}
    # Two are called Bo; one of them has an address of their own.
    assert {"Ada", "Cy", "bo2@example.com"} <= holders
    assert any(holder.startswith("Bo [fw:") for holder in holders)


def test_a_file_for_people_names_options_as_they_are_called(world: World) -> None:
    plan = ExportPlan(
        "thing",
        (("title", "T"), ("heat", "H"), ("tags", "G"), ("client", "C"), ("holder", "P"),
         (f"{CURRENCY_OF}price", "PC"), (f"{CURRENCY_OF}fee", "FC"), ("record.created_at", "At")),
        sort=("title",), locale="en",
    )  # fmt: skip
    rows = {row["T"]: row for row in table(text_of(world, plan))}
    found = rows["Thing 20"]
    assert found["H"] == "Odd; or even"
    assert found["G"] == "odd;Cold", "with a separator in it the name would not be read back"
    assert (found["PC"], found["FC"], found["At"]) == ("JPY", "JPY", "2025-05-12T09:00:00Z")
    assert {row["C"] for row in rows.values()} >= {"Acme"}
    bare = rows["Bare"]
    assert (bare["PC"], bare["FC"]) == ("", "")


def test_statements_grow_with_batches_only_and_every_record_comes_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sorted(row["Record ID"] for row in table(text_of(world, ALL)))
    for sort in ((), ("price",), ("-price",), ("title",), ("-record.updated_at",), ("pieces",)):
        with world.work() as uow:
            rows = exports.rows_of(uow, replace(ALL, sort=sort))
            batches = list(rows.batches(7))
            found = [record.id for batch in batches for record in batch]
            assert rows.count() == rows.count(100) == len(found)
            assert rows.count(3) == 3
        assert sorted(map(record_key, found)) == expected, sort
    sent: list[str] = []

    def note(_c: Any, _cu: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SELECT set_config", "show ", "select pg_")):
            sent.append(statement)

    with world.work() as uow:
        event.listen(world.engine, "before_cursor_execute", note)
        exports.write(uow, ALL, io.BytesIO())
        event.remove(world.engine, "before_cursor_execute", note)
    # The stamp of the definitions, people, two pages of the order (its tail as well), names twice.
    assert len(sent) <= 8, sent


def test_who_may_not_export_gets_nothing(world: World) -> None:
    actor = Actor(world.admin_id, "Ada", "rep", frozenset({"record.edit"}), "all")
    with world.work(actor) as uow:
        for refused in (
            lambda: exports.is_small(uow, ALL),
            lambda: exports.write(uow, ALL, io.BytesIO()),
            lambda: exports.queue(uow, ALL),
            lambda: exports.find(uow, 1),
        ):
            with pytest.raises(Forbidden):
                refused()


def test_row_visibility_holds_whatever_the_plan_says(world: World) -> None:
    with world.work() as uow:
        bo = uow.session.scalar(select(Member.id).where(Member.name == "Cy"))
        own = uow.session.scalar(
            select(func.count()).where(Record.object_key == "thing", Record.owner_id == bo)
        )
    assert bo is not None
    actor = Actor(bo, "Cy", "rep", frozenset({"record.export"}), "own")
    rows = table(text_of(world, ALL, actor))
    assert len(rows) == own == 6
    assert {row["Holder"] for row in rows} == {"Cy"}


def test_each_export_stands_in_the_event_log(world: World) -> None:
    plan = replace(ALL, columns=(("title", "T"),), filter={"field": "heat", "op": "eq", "value": "hot"})
    rows = table(text_of(world, plan))
    with world.work() as uow:
        logged = uow.session.scalars(
            select(EventRow).where(EventRow.kind == "records.exported").order_by(EventRow.id.desc())
        ).first()
    assert logged is not None
    assert (logged.actor_id, logged.object_key) == (world.admin_id, "thing")
    assert logged.data["count"] == len(rows) > 0
    assert logged.data["filter"] == plan.filter
    assert logged.data["columns"] == ["title"]


def test_a_job_that_was_interrupted_begins_anew_and_makes_one_whole_file(
    world: World, blobs: FolderBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.work() as uow:
        job_id = exports.queue(uow, ALL).id
        uow.commit()

    def crash(*_rest: Any) -> None:
        raise RuntimeError("the power is gone")

    with world.work() as one, world.work() as two:
        monkeypatch.setattr(export_runs, "_finish", crash)
        with pytest.raises(RuntimeError):
            export_runs.run(one, two, blobs, job_id)
    monkeypatch.undo()
    with world.work() as one, world.work() as two:
        assert two.session.get_one(ExportJob, (two.workspace.id, job_id)).status == "running"
        assert export_runs.run(one, two, blobs, job_id) == "done"
        job = exports.find(two, job_id)
        with exports.open_file(two, blobs, job) as file:
            written = file.read().decode("utf-8-sig")
        two.commit()
        assert table(written) == table(text_of(world, ALL))
        # Once more, as after a crash just behind the end: nothing happens.
        assert export_runs.run(one, two, blobs, job_id) == "done"


def test_a_cell_too_long_for_a_spreadsheet_ends_the_job_with_its_place(
    world: World, blobs: FolderBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_files, "LONGEST_XLSX_CELL", 23)
    with world.work() as uow:
        columns = (("title", "Title"), ("story", "Story"))
        job_id = exports.queue(uow, replace(ALL, columns=columns, format="xlsx", sort=("title",))).id
        uow.commit()
    with world.work() as one, world.work() as two:
        with pytest.raises(Invalid, match="column Story holds 24 characters"):
            export_runs.run(one, two, blobs, job_id)
        job = exports.find(two, job_id)
        assert (job.status, job.file_id) == ("failed", None)
        assert job.problem is not None
        assert job.problem["values"]["column"] == "Story"
        with pytest.raises(Conflict):
            exports.open_file(two, blobs, job)


def test_a_plan_survives_being_stored() -> None:
    plan = replace(ALL, filter={"field": "heat", "op": "empty"}, words={"won": "Won"}, sort=("-price",))
    assert ExportPlan.from_document(plan.to_document()) == plan


def test_columns_whose_field_is_gone_are_left_out(world: World) -> None:
    plan = replace(
        ALL, columns=(("title", "T"), ("nothing", "N"), ("record.nothing", "R"), ("@currency:x", "C"))
    )
    assert list(table(text_of(world, plan))[0]) == ["T"]
    with pytest.raises(NotFound):
        text_of(world, replace(plan, object_key="nothing"))
