"""The B2B pack's proposals with cost detail (S44), repeat orders and referrals (S47), satisfaction and
preferences (S112), and the demo company that shows them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from builder.clock import FakeClock
from builder.db.engine import make_engine
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.metadata import packs
from builder.queries.list import ListRequest, list_records
from builder.services import packs as pack_services
from builder.services import records, workspaces
from builder.services.demo.company import make_company
from builder.services.demo.plan import read_plan
from builder.services.entries import Entry
from builder.services.records import NewRecord
from builder.services.transitions import MoveRecord, draft
from builder.services.unit_of_work import UnitOfWork
from tests.fixtures.databases import FreshDatabase

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def selling(sqlite_database: FreshDatabase) -> UnitOfWork:
    session = WorkspaceSession(make_engine(sqlite_database.url), expire_on_commit=False)
    uow = workspaces.create(session, FakeClock(NOW), workspaces.WorkspaceFacts("fleet", currency="CNY"))
    pack_services.install(uow, packs.load(packs.locate("b2b")))
    uow.commit()
    return uow


def names(uow: UnitOfWork, object_key: str, view_key: str) -> list[str]:
    view = uow.catalog.views[view_key]
    asked = ListRequest(object_key, columns=view.columns, sort=view.sort, filter=view.filter)
    page = list_records(uow.session, uow.catalog, uow.actor, asked, EvaluationContext(NOW, "UTC"))
    return [row.name for row in page.rows]


def test_a_proposal_adds_up_prices_costs_and_margin(selling: UnitOfWork) -> None:
    product = records.create(selling, "product", NewRecord({"name": "Kit"})).record_id
    values = {
        "name": "Offer",
        "product_intro": "What it is",
        "solution_text": "What it solves",
        "line_items": [
            {
                "product": str(product),
                "quantity": "2",
                "unit_price": "1000",
                "discount": "10",
                "unit_cost": "400",
            },
            {"product": str(product), "quantity": "1", "unit_price": "200", "unit_cost": "0"},
        ],
        "cost_details": [{"cost_kind": "travel", "cost_amount": "200"}],
    }

    made = records.create(selling, "proposal", NewRecord(values)).record_id

    data = selling.session.scalars(select(Record.data).where(Record.id == made)).one()
    assert [(row["total"], row["row_cost"], row["row_margin"]) for row in data["line_items"]] == [
        ("1800.00", "800.00", "1000.00"),
        ("200.00", "0.00", "200.00"),
    ]
    assert (data["items_total"], data["items_cost"], data["other_costs"]) == ("2000.00", "800.00", "200.00")
    assert (data["margin_total"], data["margin_rate"]) == ("1000.00", "50.00")
    assert data["proposal_number"] == "P-2026-0001"
    assert data["status"] == "draft"
    # Costs need not be told: then the margin is the whole price.
    bare = records.create(
        selling, "proposal", NewRecord({"name": "Bare", "line_items": values["line_items"][1:]})
    )
    assert (
        selling.session.scalars(select(Record.data).where(Record.id == bare.record_id)).one()["margin_rate"]
        == "100.00"
    )


def test_the_stage_of_the_quotation_asks_for_it(selling: UnitOfWork) -> None:
    deal = records.create(
        selling,
        "opportunity",
        NewRecord({"name": "Deal"}, Entry("opportunity_process", is_confirmed=True)),
    ).record_id
    pipeline = selling.catalog.pipeline("opportunity_process")
    asking = next(stage for stage in pipeline.stages if stage.feedback == "quotation")

    told = [str(each.message) for each in asking.leave.conditions]

    assert any("No proposal is named" in text for text in told)
    feedback = selling.catalog.feedback["quotation"].fields.by_key["proposal"]
    assert (feedback.type, feedback.params["target"]) == ("reference", "proposal")
    assert draft(selling, MoveRecord(deal, asking.key)).standing.record_id == deal


def test_satisfaction_and_preferences_are_filtered_by_shipped_views(selling: UnitOfWork) -> None:
    for name, score, way in (("Glad", 9, "visit"), ("Glad by mail", 10, "mail"), ("Sad", 3, "call")):
        values = {"name": name, "satisfaction": score, "preferred_channel": way}
        records.create(selling, "account", NewRecord(values))
    friend = records.create(selling, "account", NewRecord({"name": "Friend"})).record_id
    referred = {"name": "Referred", "source": "referral", "referred_by": str(friend)}
    records.create(selling, "account", NewRecord(referred))

    assert names(selling, "account", "promoters") == ["Glad"]
    assert names(selling, "account", "dissatisfied_customers") == ["Sad"]
    assert names(selling, "account", "referred_customers") == ["Referred"]


def test_the_demo_company_has_proposals_orders_referrals_and_scores(sqlite_database: FreshDatabase) -> None:
    folder = packs.locate("b2b")
    plan = read_plan(folder, packs.load(folder))
    session = WorkspaceSession(make_engine(sqlite_database.url), expire_on_commit=False)
    make_company(session, packs.load(folder), replace(plan, months=3), NOW, "pass-word-for-tests")

    def data(object_key: str) -> list[dict[str, object]]:
        uow = workspaces.open_workspace(session, FakeClock(NOW), plan.workspace["key"])
        rows = uow.session.scalars(select(Record.data).where(Record.object_key == object_key))
        return [dict(row) for row in rows]

    offers, orders, customers = data("proposal"), data("order"), data("account")
    assert len(offers) >= 2
    assert {offer["status"] for offer in offers} <= {"sent", "accepted", "declined"}
    assert all(offer["opportunity"] and float(str(offer["margin_total"])) > 0 for offer in offers)
    assert all(order["account"] for order in orders)
    assert all(order.get("outstanding") == "0.00" for order in orders if order["status"] == "paid")
    assert all(4 <= int(str(one["satisfaction"])) <= 10 for one in customers if "satisfaction" in one)
    assert any("satisfaction" in one for one in customers)
    assert all(one.get("source") == "referral" for one in customers if "referred_by" in one)


def test_the_demo_company_calls_visits_and_writes_over_the_months(sqlite_database: FreshDatabase) -> None:
    folder = packs.locate("b2b")
    plan = replace(read_plan(folder, packs.load(folder)), months=4)
    session = WorkspaceSession(make_engine(sqlite_database.url), expire_on_commit=False)
    make_company(session, packs.load(folder), plan, NOW, "")
    uow = workspaces.open_workspace(session, FakeClock(NOW), plan.workspace["key"])
    rows = uow.session.scalars(select(Record).order_by(Record.id)).all()
    contacts = [row for row in rows if row.object_key == "activity"]
    owners = {str(row.id): row.owner_id for row in rows}

    assert len(contacts) > 40
    assert {"phone", "email", "visit", "meeting"} <= {row.data["channel"] for row in contacts}
    happened = [datetime.fromisoformat(row.data["happened_at"]) for row in contacts]
    assert len({at.month for at in happened}) >= 4
    assert all(
        abs((at - row.created_at).total_seconds()) < 2 for at, row in zip(happened, contacts, strict=True)
    )
    for row in contacts:
        assert not {"opportunity", "lead", "account"}.isdisjoint(row.data)
        if "opportunity" in row.data:
            assert row.owner_id == owners[row.data["opportunity"]]
    followed = {row.data["opportunity"] for row in contacts if "opportunity" in row.data}
    under_way = [row for row in rows if row.object_key == "opportunity" and row.outcome == "open"]
    assert len([row for row in under_way if str(row.id) in followed]) * 2 > len(under_way)
    subjects = [(row.data["name"], row.data["opportunity"]) for row in contacts if "opportunity" in row.data]
    assert len(set(subjects)) == len(subjects), "nothing is told of one opportunity twice"
