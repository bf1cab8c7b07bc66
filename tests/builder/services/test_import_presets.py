"""Files of other products are recognised, and taken over with the figures that others computed for them."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import aliased

from builder.clock import FakeClock
from builder.db.engine import make_engine
from builder.db.people import Member
from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.csv import Table, detect
from builder.exchange.presets import recognised
from builder.exchange.profile import profile
from builder.metadata import packs as pack_files
from builder.services import imports, packs, workspaces
from builder.services.import_choices import Choices, with_said
from builder.services.import_presets import first_choices, preset_choices
from builder.services.import_runs import run
from builder.services.import_setup import carry_out, plan_import
from builder.services.maintenance import verify
from builder.services.unit_of_work import UnitOfWork
from tests.factories import START
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.imports import shared

VENDORS = [
    ("hubspot_deals.csv", "hubspot"),
    ("pipedrive_deals_prefixed.csv", "pipedrive"),
    ("excel_german_cp1252_semicolon.csv", "excel_german"),
]


@pytest.fixture
def uow(shared_database: FreshDatabase, request: pytest.FixtureRequest) -> Iterator[UnitOfWork]:
    """A workspace of its own with the pack that the figures were computed for."""
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


def bring(
    uow: UnitOfWork,
    blobs: FolderBlobStore,
    path: Path,
    object_key: str,
    said: Choices | None = None,
    preset_key: str | None = None,
) -> Any:
    """What the screen does: receive, recognise, propose, plan, publish, carry out."""
    with path.open("rb") as stream:
        job = imports.receive(uow, blobs, stream, path.name, object_key)
    columns = imports.column_profile(blobs, job)
    definition = uow.catalog.object(object_key)
    preset = recognised(columns)
    assert (preset.key if preset else None) == preset_key
    choices = first_choices(uow, columns, definition)
    if preset is not None:
        choices = preset_choices(uow, preset, columns, definition)
    if said is not None:
        choices = with_said(choices, said)
    proposal = plan_import(uow, columns, imports.format_of(job), object_key, choices)
    proposal.refuse_questions()
    imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
    imports.queue(uow, job)
    uow.commit()
    return run(uow, blobs, job.id)


@pytest.mark.parametrize(("name", "preset_key"), VENDORS)
def test_the_same_deals_in_the_dress_of_three_products_give_the_same_figures(
    uow: UnitOfWork, blobs: FolderBlobStore, name: str, preset_key: str
) -> None:
    wanted = json.loads(shared("oracles/vendor_exports.json").read_text())["every_file_must_give"]
    job = bring(uow, blobs, shared(f"imports/{name}"), "opportunity", preset_key=preset_key)
    assert (job.created_rows, job.refused_rows) == (wanted["deals"], 0)
    owner = aliased(Member)
    rows = uow.session.execute(
        select(
            Record.id, Record.outcome, Record.amount_minor, Record.started_at, Record.closed_at, owner.name
        )
        .join(owner, owner.id == Record.owner_id)
        .where(Record.object_key == "opportunity")
    ).all()
    counts = Counter(row.outcome for row in rows)
    assert (len(rows), counts["won"], counts["lost"]) == (wanted["deals"], wanted["won"], wanted["lost"])
    assert sum(row.amount_minor for row in rows if row.outcome == "won") == wanted["won_value"] * 100
    by_owner: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        by_owner[row.name] += row.amount_minor if row.outcome == "won" else 0
    assert {person: minor // 100 for person, minor in by_owner.items() if minor} == {
        person: value for person, value in wanted["won_value_by_owner"].items() if value
    }
    linked = set(
        uow.session.scalars(
            select(Link.record_id)
            .join(Record, Record.id == Link.target_id)
            .where(Record.object_key == "account")
        )
    )
    assert len(rows) - len(linked & {row.id for row in rows}) == wanted["deals_without_account"]
    assert max(row.closed_at for row in rows if row.closed_at).date().isoformat() == wanted["last_close"]
    _check_stages(uow, wanted)
    assert not verify(uow).differences


def _check_stages(uow: UnitOfWork, wanted: dict[str, Any]) -> None:
    """As many records stand in each open stage as the oracle says, whatever the product calls it."""
    counts = Counter(
        uow.session.scalars(
            select(Record.stage_key).where(Record.object_key == "opportunity", Record.outcome == "open")
        )
    )
    assert sorted(counts.values()) == sorted(
        wanted["stage_counts"][name] for name in ("Engaging", "Prospecting")
    )
    pipeline_key = uow.session.scalars(
        select(Record.pipeline_key).where(Record.object_key == "opportunity").limit(1)
    ).one()
    first, second = (stage.key for stage in uow.catalog.pipeline(str(pipeline_key)).open_stages)
    assert (counts[first], counts[second]) == (
        wanted["stage_counts"]["Prospecting"],
        wanted["stage_counts"]["Engaging"],
    )


def test_a_salesforce_org_comes_file_by_file_with_its_references_by_id(
    uow: UnitOfWork, blobs: FolderBlobStore
) -> None:
    wanted = json.loads(shared("oracles/salesforce_devorg.json").read_text())
    folder = "salesforce_devorg"
    # Two contacts have an address that is none: b.levy@expressl&t.net.
    for name, object_key, rows, refused in (
        ("Account", "account", 18, 0),
        ("Contact", "contact", 23, 2),
        ("Lead", "lead", wanted["leads"]["rows"], 0),
    ):
        job = bring(uow, blobs, shared(f"{folder}/{name}.csv"), object_key, preset_key="salesforce")
        assert (name, job.created_rows, job.refused_rows) == (name, rows, refused)
    # Its deals were closed before they were made: the org was filled later. Other columns tell the true times.
    job = bring_with_times(uow, blobs, shared(f"{folder}/Opportunity.csv"))
    assert (job.created_rows, job.refused_rows) == (wanted["opportunities"], 0)
    rows = uow.session.execute(
        select(Record.stage_key, Record.outcome, Record.amount_minor).where(
            Record.object_key == "opportunity"
        )
    ).all()
    counts = Counter(row.outcome for row in rows)
    assert (counts["won"], counts["lost"], counts["open"]) == (wanted["won"], wanted["lost"], wanted["open"])
    for outcome in ("won", "open"):
        amount = sum(row.amount_minor or 0 for row in rows if row.outcome == outcome)
        assert amount == wanted[f"{outcome}_amount"] * 100
    pipeline_key = uow.session.scalars(
        select(Record.pipeline_key).where(Record.object_key == "opportunity").limit(1)
    ).one()
    labels = {stage.key: stage.label.text("en") for stage in uow.catalog.pipeline(str(pipeline_key)).stages}
    assert Counter(labels[row.stage_key] for row in rows) == wanted["stage_counts"]
    linked = uow.session.execute(
        select(Link.record_id)
        .join(Record, Record.id == Link.target_id)
        .where(Record.object_key == "account", Record.external_key.is_not(None))
    ).all()
    assert len(linked) >= wanted["opportunities"]


def bring_with_times(uow: UnitOfWork, blobs: FolderBlobStore, path: Path) -> Any:
    """A person who corrects what the preset says of the times."""
    with path.open("rb") as stream:
        columns = profile(Table(stream, detect(stream)))
    preset = recognised(columns)
    assert preset is not None
    found = preset_choices(uow, preset, columns, uow.catalog.object("opportunity")).history
    assert found is not None
    history = replace(
        found, at_column="Opp Creation Date_Simulated", closed_column="Opp Close Date_Simulated"
    )
    return bring(uow, blobs, path, "opportunity", Choices(history=history), preset_key="salesforce")


def test_zoho_accounts_and_contacts_are_linked_by_the_ids_of_zoho(
    uow: UnitOfWork, blobs: FolderBlobStore
) -> None:
    nameless: set[str] = set()
    for name, object_key in (("Accounts", "account"), ("Contacts", "contact")):
        path = shared(f"zoho/{name}.csv")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.DictReader(stream))
        # Three accounts have no name; a contact of theirs would have nowhere to belong.
        column = {"account": "Account Name", "contact": "Last Name"}[object_key]
        good = [line for line in lines if line[column].strip() and line.get("Account Id", "") not in nameless]
        if object_key == "account":
            nameless = {line["ACCOUNTID"] for line in lines} - {line["ACCOUNTID"] for line in good}
        job = bring(uow, blobs, path, object_key, preset_key="zoho")
        assert (name, job.created_rows, job.refused_rows) == (name, len(good), len(lines) - len(good))
        names = uow.session.execute(
            select(Record.external_key, Record.name).where(Record.object_key == object_key)
        )
        assert dict(map(tuple, names)) == {
            line[f"{object_key.upper()}ID"]: line[column].strip() for line in good
        }
    source, target = aliased(Record), aliased(Record)
    pairs = uow.session.execute(
        select(source.external_key.label("contact"), target.external_key.label("account"))
        .join(Link, Link.record_id == source.id)
        .join(target, target.id == Link.target_id)
        .where(source.object_key == "contact", target.object_key == "account")
    ).all()
    assert {tuple(pair) for pair in pairs} == {(line["CONTACTID"], line["Account Id"]) for line in good}
