"""Several linked files in one run: their objects, their order, references by the ids of the other system."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from builder.clock import FakeClock
from builder.db.engine import make_engine
from builder.db.imports import ImportJob
from builder.db.ledger import StayRow
from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.errors import Conflict, Invalid
from builder.exchange.blobs import FolderBlobStore
from builder.metadata import packs as pack_files
from builder.services import import_sets, imports, packs, workspaces
from builder.services.import_checks import check_file
from builder.services.import_runs import run
from builder.services.import_set_checks import check_set
from builder.services.import_set_objects import is_left_out, leave_out, likely_object, set_object
from builder.services.import_sets import (
    bind,
    following,
    jobs_of,
    look,
    promises,
    start,
)
from builder.services.maintenance import verify
from builder.services.unit_of_work import UnitOfWork
from tests.factories import START
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.imports import shared

FILES = {
    "contacts.csv": "Id,AccountId,Name,LastName,Email\nC1,A2,Ann Ash,Ash,ann@example.com\nC2,A1,Bo Birch,Birch,\n",
    "accounts.csv": "Id,IsDeleted,Name,Phone\nA1,FALSE,Acme,\nA2,FALSE,Beta,\n",
}


@pytest.fixture
def uow(shared_database: FreshDatabase, request: pytest.FixtureRequest) -> Iterator[UnitOfWork]:
    engine = make_engine(shared_database.url)
    key = f"w{abs(hash(request.node.name)) % 10**8}"
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        made = workspaces.create(session, FakeClock(START), workspaces.WorkspaceFacts(key))
        packs.install(made, pack_files.load(pack_files.locate("b2b")))
        made.commit()
        yield made
    engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path / "files")


def bound(uow: UnitOfWork, blobs: FolderBlobStore, files: Mapping[str, bytes]) -> list[ImportJob]:
    """Files as the screen takes them in."""
    jobs = []
    for name, data in files.items():
        job = imports.receive(uow, blobs, io.BytesIO(data), name, "account")
        likely = likely_object(uow, imports.column_profile(blobs, job), name)
        if likely is None:
            leave_out(uow, job)
        else:
            set_object(uow, job, likely)
        jobs.append(job)
    set_id = bind(uow, jobs)
    uow.commit()
    return jobs_of(uow, set_id)


def carried_out(uow: UnitOfWork, blobs: FolderBlobStore, jobs: list[ImportJob]) -> list[ImportJob]:
    """What the background does."""
    started = start(uow, blobs, jobs)
    uow.commit()
    later: int | None = started[0].id
    while later is not None:
        run(uow, blobs, later)
        later = following(uow, later)
    return [imports.find(uow, job.id) for job in started]


def small(files: Mapping[str, str] = FILES) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def links(uow: UnitOfWork, object_key: str, target_key: str) -> set[tuple[str, str]]:
    source, target = aliased(Record), aliased(Record)
    rows = uow.session.execute(
        select(source.external_key.label("one"), target.external_key.label("other"))
        .join(Link, Link.record_id == source.id)
        .join(target, target.id == Link.target_id)
        .where(source.object_key == object_key, target.object_key == target_key)
    )
    return {(row.one, row.other) for row in rows}


def test_files_run_behind_what_they_refer_to_and_find_it_by_its_id(
    uow: UnitOfWork, blobs: FolderBlobStore
) -> None:
    jobs = bound(uow, blobs, small())
    assert [job.object_key for job in jobs] == ["contact", "account"]
    assert [file.job.object_key for file in look(uow, blobs, jobs)] == ["account", "contact"]
    done = carried_out(uow, blobs, jobs)
    assert [(job.status, job.created_rows, job.refused_rows) for job in done] == [("done", 2, 0)] * 2
    assert links(uow, "contact", "account") == {("C1", "A2"), ("C2", "A1")}


def test_visits_come_first_where_references_go_in_circles(
    uow: UnitOfWork, blobs: FolderBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = "OpportunityId,StageName,Amount,CreatedDate\nO1,Prospecting,5,2025-01-01T10:00:00Z\n"
    deals = "Id,AccountId,Name,StageName,Amount,CloseDate\nO1,A1,Deal,Prospecting,5,2025-03-01\n"
    jobs = bound(uow, blobs, small({"deals.csv": deals, **FILES, "OpportunityHistory.csv": history}))
    for job in (jobs[0], jobs[-1]):
        set_object(uow, job, "opportunity")
    monkeypatch.setattr(import_sets, "_targets", lambda uow, file: set(uow.shown.objects))
    ordered = [file.job.id for file in look(uow, blobs, jobs)]
    assert ordered.index(jobs[-1].id) < ordered.index(jobs[0].id)


def test_the_dry_run_counts_on_what_the_other_files_bring(uow: UnitOfWork, blobs: FolderBlobStore) -> None:
    contacts, _accounts = bound(uow, blobs, small())
    file = next(each for each in look(uow, blobs, [contacts]))
    assert file.proposal is not None
    imports.set_proposal(uow, contacts, file.proposal, 2)
    assert check_file(uow, blobs, contacts).refused == 2
    assert check_file(uow, blobs, contacts, promises=promises(uow, blobs, contacts)).refused == 0


def test_a_file_that_was_stopped_stops_those_behind_it(uow: UnitOfWork, blobs: FolderBlobStore) -> None:
    jobs = bound(uow, blobs, small())
    first, second = start(uow, blobs, jobs)
    uow.commit()
    imports.cancel(uow, first)
    uow.commit()
    assert following(uow, first.id) is None
    uow.session.expire_all()
    second = imports.find(uow, second.id)
    assert (second.status, second.problem) == ("cancelled", "The file before it was not imported.")


def test_a_file_that_waits_to_go_on_does_not_stop_those_behind_it(
    uow: UnitOfWork, blobs: FolderBlobStore
) -> None:
    first, second = start(uow, blobs, bound(uow, blobs, small()))
    uow.commit()
    imports.cancel(uow, first)
    imports.resume(uow, first)
    uow.commit()
    assert following(uow, first.id) is None  # the worker that saw the stop
    assert imports.find(uow, second.id).status == "queued"
    run(uow, blobs, first.id)
    assert following(uow, first.id) == second.id


def test_nothing_starts_while_something_must_be_decided(uow: UnitOfWork, blobs: FolderBlobStore) -> None:
    files = {**FILES, "deals.csv": "Deal,Amount,Expected close\nOne,1.054,01/02/2025\n"}
    jobs = bound(uow, blobs, small(files))
    with pytest.raises(Invalid) as refused:
        start(uow, blobs, jobs)
    assert {problem.place for problem in refused.value.problems} == {"Amount", "Expected close"}
    uow.rollback()
    assert {imports.find(uow, job.id).status for job in jobs} == {"draft"}


def test_a_salesforce_org_comes_in_one_run_with_its_history(uow: UnitOfWork, blobs: FolderBlobStore) -> None:
    wanted = json.loads(shared("oracles/salesforce_devorg.json").read_text())
    names = ("Contact", "Opportunity", "Lead", "OpportunityHistory", "Account", "OpportunityHistoryGroup")
    files = {f"{name}.csv": shared(f"salesforce_devorg/{name}.csv").read_bytes() for name in names}
    jobs = bound(uow, blobs, files)
    assert [job.object_key for job in jobs[:-1]] == [
        "contact",
        "opportunity",
        "lead",
        "opportunity",
        "account",
    ]
    # The last one counts stages: no object has such fields.
    assert is_left_out(jobs[-1])
    checked = [(item.file.job.object_key, item.report) for item in check_set(uow, blobs, jobs)]
    done = carried_out(uow, blobs, jobs)
    brought = [(job.object_key, job.created_rows, job.updated_rows, job.refused_rows) for job in done]
    assert sorted(brought) == [
        ("account", 18, 0, 0), ("contact", 23, 0, 2), ("lead", 22, 0, 0), ("opportunity", 0, 36, 0),
        ("opportunity", 48, 0, 0),
    ]  # fmt: skip
    assert [(key, told.created, told.updated, told.refused) for key, told in checked if told] == brought
    assert len(links(uow, "contact", "account")) == 23
    assert len(links(uow, "opportunity", "account")) == wanted["opportunities"]
    stages = stage_counts(uow, "opportunity")
    assert stages == wanted["stage_counts"]
    assert stage_counts(uow, "lead") == wanted["leads"]["by_status"]
    visits = stays_by_stage(uow, "opportunity")
    assert visits == wanted["history_rows_by_stage"]
    amounts = {
        outcome: minor / 100
        for outcome, minor in uow.session.execute(
            select(Record.outcome, func.sum(Record.amount_minor))
            .where(Record.object_key == "opportunity")
            .group_by(Record.outcome)
        )
    }
    assert (amounts["won"], amounts["open"]) == (wanted["won_amount"], wanted["open_amount"])
    assert not verify(uow).differences


def stage_counts(uow: UnitOfWork, object_key: str) -> dict[str, int]:
    """How many records stand in each stage, by its name."""
    found = uow.session.execute(
        select(Record.pipeline_key, Record.stage_key, func.count())
        .where(Record.object_key == object_key)
        .group_by(Record.pipeline_key, Record.stage_key)
    )
    return {_stage_name(uow, pipeline, stage): number for pipeline, stage, number in found}


def stays_by_stage(uow: UnitOfWork, object_key: str) -> dict[str, int]:
    """How many visits each stage had, by its name."""
    found = uow.session.execute(
        select(StayRow.pipeline_key, StayRow.stage_key, func.count())
        .join(Record, Record.id == StayRow.record_id)
        .where(Record.object_key == object_key)
        .group_by(StayRow.pipeline_key, StayRow.stage_key)
    )
    return {_stage_name(uow, pipeline, stage): number for pipeline, stage, number in found}


def _stage_name(uow: UnitOfWork, pipeline_key: str, stage_key: str) -> str:
    return uow.catalog.pipeline(pipeline_key).by_key[stage_key].label.text("en")


def test_a_file_that_is_left_out_stays_a_draft_until_an_object_is_named(
    uow: UnitOfWork, blobs: FolderBlobStore
) -> None:
    people = "USER_ID,First Name,Last Name,Email\n7,Ann,Ash,ann@example.com\n"
    contacts, accounts, users = bound(uow, blobs, small({**FILES, "users.csv": people}))
    assert [is_left_out(job) for job in (contacts, accounts, users)] == [False, False, True]
    leave_out(uow, contacts)
    assert [item.file.job.id for item in check_set(uow, blobs, [contacts, accounts, users])] == [accounts.id]
    done = carried_out(uow, blobs, [contacts, accounts, users])
    assert [job.id for job in done] == [accounts.id]
    contacts, accounts = imports.find(uow, contacts.id), imports.find(uow, accounts.id)
    with pytest.raises(Conflict):
        leave_out(uow, accounts)
    with pytest.raises(Conflict):
        start(uow, blobs, [contacts, accounts])
    set_object(uow, contacts, "contact")
    assert [job.created_rows for job in carried_out(uow, blobs, [contacts, accounts])] == [2]
    assert links(uow, "contact", "account") == {("C1", "A2"), ("C2", "A1")}


def test_what_all_files_would_bring_is_counted_before_they_start(
    uow: UnitOfWork, blobs: FolderBlobStore
) -> None:
    files = {
        **FILES,
        "accounts 2.csv": "Id,Name,Phone\nA2,Beta,\nA3,Gamma,\n",
        "deals.csv": "Deal,Amount,Expected close\nOne,1.054,01/02/2025\n",
    }
    bad = "C3,A9,Cy Cole,Cole,\n"
    jobs = bound(uow, blobs, small(files | {"contacts.csv": files["contacts.csv"] + bad}))
    for job in jobs:
        file = look(uow, blobs, [job])[0]
        if job.object_key != "opportunity" and file.choices is not None:
            keyed = replace(file.choices, key_column="Id").to_document()
            job.options = {**job.options, "choices": keyed}
    found = {item.file.job.id: item.report for item in check_set(uow, blobs, jobs)}
    told = [found[job.id] for job in jobs]
    assert [each and (each.created, each.updated, each.refused) for each in told] == [
        (2, 0, 1), (2, 0, 0), (1, 1, 0), None,
    ]  # fmt: skip
    assert told[0] is not None
    assert [(row.line, row.column) for row in told[0].refusals] == [(4, "AccountId")]
    limited = check_set(uow, blobs, jobs, 3)
    assert sum(item.report.rows for item in limited if item.report is not None) == 3
