"""S26 with the shipped B2B pack, over HTTP: a lead becomes an opportunity with account and contact."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ids import from_public, to_public
from builder.db.ledger import EventRow, StayRow
from builder.db.records import Link, Record
from builder.metadata import packs
from builder.services import packs as pack_services
from builder.services import people, workspaces
from builder.services.entries import Entry
from builder.services.records import NewRecord, create
from builder.services.transitions import Applied, MoveRecord, move
from tests.fixtures.town import PASSWORD, Town, Visitor

LEAD = {
    "name": "北京华为 fleet renewal",
    "company": "Huawei Beijing",
    "contact_name": "李明",
    "mobile": "+8613800138000",
    "email": "liming@example.com",
    "source": "exhibition",
    "expected_amount": "120000.00",
    "need": "Forty vans",
}


class _Form(HTMLParser):
    """What a browser would send of the form with an id, untouched."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.is_inside = form_id, False
        self.select, self.area = "", ""
        self.data: dict[str, Any] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        name = facts.get("name") or ""
        if tag == "form":
            self.is_inside = facts.get("id") == self.form_id
        elif not self.is_inside:
            return
        elif (
            tag == "input" and name and (facts.get("type") not in ("checkbox", "radio") or "checked" in facts)
        ):
            self.data[name] = facts.get("value") or ""
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in facts:
            self.data[self.select] = facts.get("value") or ""
        elif tag == "textarea":
            self.area = name
            self.data[name] = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.data[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.data[self.area] = self.data[self.area].removeprefix("\n")
            self.area = ""


def form_of(page: str) -> dict[str, Any]:
    parser = _Form("convert-form")
    parser.feed(page)
    return parser.data


@pytest.fixture
def selling(town: Town) -> Town:
    """The workspace *fleet*, made from the B2B pack, with the rep Li."""
    from builder.db.tenancy import WorkspaceSession

    with WorkspaceSession(town.app.extensions["funnelwright.engine"], expire_on_commit=False) as session:
        uow = workspaces.create(session, town.clock, workspaces.WorkspaceFacts("fleet", currency="CNY"))
        pack_services.install(uow, packs.load(packs.locate("b2b")))
        added = people.add(uow, people.PersonFacts("Li", "rep", "li@example.com"), password=PASSWORD)
        town.ids["Li"] = added.member_id
        uow.commit()
    return town


def qualified_lead(town: Town) -> int:
    """Li's lead in the last open stage of its process."""
    uow = town.work("fleet")
    made = create(
        uow, "lead", NewRecord({**LEAD, "owner": str(town.ids["Li"])}, Entry("lead_process"))
    ).record_id
    town.clock.advance(timedelta(days=2))
    result = move(uow, MoveRecord(made, "qualified", is_confirmed=True))
    assert isinstance(result, Applied), result
    uow.commit()
    uow.session.close()
    return made


def address(record_id: int, part: str = "") -> str:
    return f"/w/fleet/r/{to_public(record_id)}{part}"


def converted(li: Visitor, lead: int) -> tuple[int, Any]:
    data = form_of(li.get(address(lead, "/convert")).text)
    answer = li.post(address(lead, "/convert"), {**data, "reason": "clear_need"})
    assert answer.status_code == 303, answer.text
    return from_public(answer.headers["Location"].rsplit("/", 1)[1]), answer


def test_the_opportunity_begins_and_the_lead_is_closed_and_linked_both_ways(selling: Town) -> None:
    lead = qualified_lead(selling)
    selling.clock.advance(timedelta(hours=3))
    li = selling.as_("Li")
    opportunity, _ = converted(li, lead)

    uow = selling.work("fleet")
    pipeline = uow.catalog.pipeline("opportunity_process")
    new = uow.session.scalars(select(Record).where(Record.id == opportunity)).one()
    assert (new.object_key, new.pipeline_key) == ("opportunity", pipeline.key)
    assert (new.stage_key, new.outcome) == (pipeline.first.key, "open")
    assert (new.converted_from_id, new.owner_id) == (lead, selling.ids["Li"])
    assert (new.name, new.amount_minor, new.currency) == (LEAD["name"], 12_000_000, "CNY")
    assert new.data["source"] == LEAD["source"]
    assert new.stage_entered_at == selling.clock.now()

    old = uow.session.scalars(select(Record).where(Record.id == lead)).one()
    assert (old.outcome, old.stage_key, old.closed_at) == ("won", "converted", selling.clock.now())
    assert old.reason_key == "clear_need"

    stays = uow.session.scalars(select(StayRow).where(StayRow.record_id == opportunity)).all()
    assert [(stay.stage_key, stay.entered_at, stay.entered_via) for stay in stays] == [
        (pipeline.first.key, selling.clock.now(), "convert")
    ]
    event = uow.session.scalars(
        select(EventRow).where(EventRow.record_id == lead, EventRow.kind == "record.converted")
    ).one()
    assert event.data["into"]["opportunity"] == str(opportunity)
    assert event.actor_id == selling.ids["Li"]
    made = {key: int(text) for key, text in event.data["into"].items()}
    assert set(made) == {"account", "contact", "opportunity"}
    links = {
        tuple(row) for row in uow.session.execute(select(Link.record_id, Link.field_key, Link.target_id))
    }
    assert {
        (opportunity, "account", made["account"]),
        (opportunity, "contact", made["contact"]),
        (made["contact"], "account", made["account"]),
    } <= links
    uow.session.close()


def test_each_page_leads_to_the_other(selling: Town) -> None:
    lead = qualified_lead(selling)
    li = selling.as_("Li")
    opportunity, _ = converted(li, lead)

    assert address(lead) in li.get(address(opportunity)).text
    page = li.get(address(lead)).text
    assert address(opportunity) in page
    assert "Clear need" in page or "clear_need" in page


def test_a_lead_is_converted_once_and_only_where_its_gate_allows(selling: Town) -> None:
    lead = qualified_lead(selling)
    li = selling.as_("Li")
    data = form_of(li.get(address(lead, "/convert")).text)
    without_reason = li.post(address(lead, "/convert"), {**data, "reason": ""})
    assert without_reason.status_code == 422
    converted(li, lead)
    again = li.post(address(lead, "/convert"), {**data, "reason": "clear_need"})
    assert again.status_code == 409
    uow = selling.work("fleet")
    found = uow.session.scalars(select(Record.id).where(Record.converted_from_id == lead)).all()
    assert len(found) == 3
    uow.session.close()
