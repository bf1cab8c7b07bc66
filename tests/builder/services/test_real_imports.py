"""The real files of ../shared/data, imported and compared with figures that others computed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import aliased

from builder.clock import FakeClock
from builder.db.engine import make_engine
from builder.db.ledger import StayRow
from builder.db.people import Member
from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.profile import profile
from builder.metadata import packs as pack_files
from builder.services import imports, packs, workspaces
from builder.services.import_choices import Choices, with_order
from builder.services.import_history import HistoryChoice
from builder.services.import_runs import run
from builder.services.import_setup import carry_out, plan_import
from builder.services.maintenance import verify
from builder.services.unit_of_work import UnitOfWork
from tests.factories import START
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.imports import shared

MAVEN = HistoryChoice(
    "Maven", "deal_stage", create=True, at_column="engage_date", closed_column="close_date",
    order=("Prospecting", "Engaging"), won=("Won",), lost=("Lost",),
)  # fmt: skip
PIPELINE = Choices(
    key_column="opportunity_id", owner_column="sales_agent", amount_column="close_value", create_users=True,
    create_fields=True, history=MAVEN,
)  # fmt: skip


@pytest.fixture
def uow(sqlite_database: FreshDatabase) -> Iterator[UnitOfWork]:
    """A workspace with the pack that the figures were computed for."""
    engine = make_engine(sqlite_database.url)
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        made = workspaces.create(session, FakeClock(START), workspaces.WorkspaceFacts("maven"))
        packs.install(made, pack_files.load(pack_files.locate("b2b")))
        made.commit()
        yield made
    engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobStore:
    return FolderBlobStore(tmp_path / "files")


def bring(uow: UnitOfWork, blobs: FolderBlobStore, path: Path, object_key: str, choices: Choices) -> Any:
    with path.open("rb") as stream:
        job = imports.receive(uow, blobs, stream, path.name, object_key)
    with imports.OpenFile(blobs, job) as table:
        columns = profile(table)
        choices = with_order(choices, table, columns)
    proposal = plan_import(uow, columns, imports.format_of(job), object_key, choices)
    proposal.refuse_questions()
    imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
    imports.queue(uow, job)
    uow.commit()
    return run(uow, blobs, job.id)


def oracle(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared(f"oracles/{name}.json").read_text())
    return found


@pytest.mark.slow
def test_maven_comes_out_as_its_oracle_says(uow: UnitOfWork, blobs: FolderBlobStore) -> None:
    wanted = oracle("maven")
    for name, object_key, key in (("accounts", "account", "account"), ("products", "product", "product")):
        job = bring(
            uow, blobs, shared(f"maven/{name}.csv"), object_key, Choices(key_column=key, create_fields=True)
        )
        assert (job.created_rows, job.refused_rows) == (wanted["rows"][name], 0)
    job = bring(uow, blobs, shared("maven/sales_pipeline.csv"), "opportunity", PIPELINE)
    assert (job.created_rows, job.refused_rows) == (8800, 0)
    rows = uow.session.execute(
        select(
            Record.stage_key,
            Record.outcome,
            Record.amount_minor,
            Record.started_at,
            Record.closed_at,
            Member.name,
        )
        .join(Member, Member.id == Record.owner_id)
        .where(Record.object_key == "opportunity")
    ).all()
    stages = {stage.key: stage.label.text() for stage in uow.catalog.pipeline("maven").stages}
    assert Counter(stages[row.stage_key] for row in rows) == wanted["stage_counts"]
    won = [row for row in rows if row.outcome == "won"]
    overall = wanted["overall"]
    assert sum(row.amount_minor for row in won) == overall["won_value"] * 100
    days = [(row.closed_at - row.started_at).total_seconds() / 86400 for row in won]
    assert (len(days), median(days)) == (
        overall["days_to_close_won"]["n"],
        overall["days_to_close_won"]["median"],
    )
    assert mean(days) == pytest.approx(overall["days_to_close_won"]["mean"], abs=1e-6)
    by_agent: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_agent[row.name].append(row)
    assert set(by_agent) == set(wanted["by_agent"])
    for name, figures in wanted["by_agent"].items():
        own = [row for row in by_agent[name] if row.outcome == "won"]
        assert (len(by_agent[name]), len(own)) == (figures["deals"], figures["won"])
        assert sum(row.amount_minor for row in own) == figures["won_value"] * 100
    _check_reach(uow, wanted)
    _check_references(uow, wanted)
    assert not verify(uow).differences


def _check_reach(uow: UnitOfWork, wanted: dict[str, Any]) -> None:
    """How many opportunities were ever in each stage."""
    reached = Counter(
        stage for stage, _ in uow.session.execute(select(StayRow.stage_key, StayRow.record_id).distinct())
    )
    expected = {step["stage"]: step["deals"] for step in wanted["funnel_reached"]}
    assert reached["prospecting"] == expected["Prospecting"] == 8800
    assert reached["engaging"] == expected["Engaging"]
    assert reached["won"] == expected["Won"]
    assert reached["won"] + reached["lost"] == expected["Closed (Won or Lost)"]


def _check_references(uow: UnitOfWork, wanted: dict[str, Any]) -> None:
    """Every account and product is linked; GTXPro is found as GTX Pro."""
    target, source = aliased(Record), aliased(Record)
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for object_key, name in uow.session.execute(
        select(target.object_key, target.name)
        .join(Link, Link.target_id == target.id)
        .join(source, source.id == Link.record_id)
        .where(source.object_key == "opportunity")
    ):
        counted[object_key][name] += 1
    accounts = {name: group["deals"] for name, group in wanted["by_account"].items() if name != "(blank)"}
    assert counted["account"] == accounts
    products = {
        name.replace("GTXPro", "GTX Pro"): group["deals"] for name, group in wanted["by_product"].items()
    }
    assert counted["product"] == products


def test_the_excel_file_with_american_dates_is_read_month_first(
    uow: UnitOfWork, blobs: FolderBlobStore
) -> None:
    path = shared("maven/sales_pipeline_excel_us_dates.csv")
    with path.open("rb") as stream:
        job = imports.receive(uow, blobs, stream, path.name, "opportunity")
    columns = imports.column_profile(blobs, job)
    plan = plan_import(uow, columns, imports.format_of(job), "opportunity", PIPELINE)
    assert plan.questions == ()
    assert {plan.plan.orders[name] for name in ("engage_date", "close_date")} == {"mdy"}


LOGS = {
    "running_example": (
        "event_logs/running-example.csv",
        Choices(
            key_column="case:concept:name", mode="log", create_users=True,
            history=HistoryChoice(
                "Compensation", "concept:name", create=True, at_column="time:timestamp",
                user_column="org:resource", won=("pay compensation",), lost=("reject request",),
            ),
        ),
    ),
    "roadtraffic100": (
        "event_logs/roadtraffic100traces.csv",
        Choices(
            key_column="case:concept:name", mode="log",
            history=HistoryChoice(
                "Fines", "concept:name", create=True, at_column="time:timestamp", amount_column="amount",
                won=("Payment",), lost=("Send for Credit Collection",),
            ),
        ),
    ),
    "receipt_stages": (
        "event_logs/receipt_stages.csv.gz",
        Choices(
            key_column="deal_id", mode="log", create_users=True,
            history=HistoryChoice(
                "Receipts", "stage", create=True, at_column="entered_at", user_column="user"
            ),
        ),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LOGS))
def test_an_event_log_gives_the_published_flows(uow: UnitOfWork, blobs: FolderBlobStore, name: str) -> None:
    wanted = oracle(name)
    path, choices = LOGS[name]
    job = bring(uow, blobs, shared(path), "opportunity", choices)
    assert (job.done_rows, job.refused_rows) == (wanted["events"], 0)
    assert choices.history is not None
    pipeline = next(
        known for known in uow.catalog.pipelines.values() if known.label.text() == choices.history.pipeline
    )
    labels = {stage.key: stage.label.text() for stage in pipeline.stages}
    stays = uow.session.execute(
        select(StayRow)
        .where(StayRow.pipeline_key == pipeline.key)
        .order_by(StayRow.record_id, StayRow.sequence)
    ).scalars()
    entries: Counter[str] = Counter()
    flows: dict[tuple[str, str], list[float]] = defaultdict(list)
    for stay in stays:
        entries[labels[stay.stage_key]] += 1
        if stay.next_stage_key is not None:
            assert stay.seconds is not None
            flows[labels[stay.stage_key], labels[stay.next_stage_key]].append(stay.seconds)
    assert entries == wanted["events_by_stage"]
    assert {pair: len(times) for pair, times in flows.items()} == {
        (flow["from"], flow["to"]): flow["n"] for flow in wanted["directly_follows"]
    }
    for flow in wanted["directly_follows"]:
        times = flows[flow["from"], flow["to"]]
        assert mean(times) == pytest.approx(flow["mean_s"], abs=1e-6)
        assert median(times) == pytest.approx(flow["median_s"], abs=1e-6)
    again = bring(uow, blobs, shared(path), "opportunity", choices)
    assert (again.created_rows, again.unchanged_rows) == (0, wanted["events"])
    assert not verify(uow).differences
