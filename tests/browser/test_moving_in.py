"""A consultant moves a client in through the browser, from the files that other products export.

What comes out is read from the pages and compared with figures that others computed (``../shared/data/oracles``);
only what no page shows at once, such as links, is counted in the database.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from builder.clock import FakeClock
from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.metadata import packs as pack_files
from builder.services import packs, people, workspaces
from builder.services.maintenance import verify
from builder.services.unit_of_work import UnitOfWork
from tests.fixtures.imports import shared
from tests.fixtures.town import PASSWORD, Town

pytestmark = pytest.mark.browser

VENDORS = [
    ("hubspot_deals.csv", "HubSpot", "Sales Pipeline", "$"),
    ("pipedrive_deals_prefixed.csv", "Pipedrive", "Pipeline", "$"),
    ("excel_german_cp1252_semicolon.csv", "Excel in German", "Excel in German: Opportunities", "€"),
]


@dataclass
class Client:
    """The workspace that a client moves into, and the consultant's browser there."""

    town: Town
    page: Any
    address: str

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/w/client{path}", wait_until="domcontentloaded")

    def upload(self, *paths: Path, object_label: str = "") -> None:
        self.open("/imports/")
        self.page.get_by_role("link", name="Import a file").first.click()
        self.page.set_input_files("#file", [str(path) for path in paths])
        if object_label:
            self.page.select_option("#object", label=object_label)
        self.page.get_by_role("button", name="Upload and go on").click()

    def counts(self) -> dict[str, int]:
        """The figures of an import that has ended."""
        self.page.get_by_text("All rows are through.").wait_for()
        return self.figures()

    def figures(self) -> dict[str, int]:
        """The figures at the head of a page by their names."""
        found = self.page.locator(".kpi").evaluate_all("all => all.map(one => one.innerText.split('\\n'))")
        return {name: int(number.replace(",", "")) for name, number, *_ in found}

    def table(self, place: int = 0) -> list[dict[str, str]]:
        """A table of the page, each row by the headings."""
        found = self.page.locator("main table").nth(place)
        headings = found.locator("thead tr > *").all_inner_texts()
        rows = found.locator("tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        )
        return [dict(zip(headings, row, strict=False)) for row in rows]

    def wins(self, process: str, by: str = "Nothing") -> list[dict[str, str]]:
        """The table of wins and losses of a process, chosen as a person does."""
        self.open("/insights/wins")
        self.page.select_option("main select[name=pipeline]", label=process)
        self.page.select_option("main select[name=by]", label=by)
        with self.page.expect_response(lambda answer: "by=" in answer.url or "pipeline=" in answer.url):
            self.page.get_by_role("button", name="Show").click()
        self.page.wait_for_url("**/insights/wins?*")
        # What was chosen first may still stand there: the table is that of the last choice once it is headed so.
        heading = "Won amount" if by == "Nothing" else by
        self.page.locator("main table thead").get_by_text(heading, exact=True).wait_for()
        return self.table()

    def work(self) -> UnitOfWork:
        return self.town.work("client")


@pytest.fixture
def client(importing: Town, serve_app: Callable[[Any], str], signed_in: Callable[..., Any]) -> Client:
    engine = importing.app.extensions["funnelwright.engine"]
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        made = workspaces.create(
            session, FakeClock(importing.clock.now()), workspaces.WorkspaceFacts("client")
        )
        packs.install(made, pack_files.load(pack_files.locate("b2b")))
        people.add(made, people.PersonFacts("Con", "admin", "con@example.com"), password=PASSWORD)
        made.commit()
    address = serve_app(importing.app)
    return Client(importing, signed_in(importing.app, address, "con@example.com"), address)


def links(uow: UnitOfWork, object_key: str, target_key: str) -> int:
    source, target = aliased(Record), aliased(Record)
    counted = (
        select(func.count())
        .select_from(Link)
        .join(source, source.id == Link.record_id)
        .join(target, target.id == Link.target_id)
        .where(source.object_key == object_key, target.object_key == target_key)
    )
    return uow.session.scalar(counted) or 0


def amount(text: str) -> int:
    return int("".join(char for char in text if char.isdigit()) or 0)


def test_the_same_deals_in_the_dress_of_three_products(client: Client) -> None:
    oracle = json.loads(shared("oracles/vendor_exports.json").read_text("utf-8"))
    wanted = oracle["every_file_must_give"]
    page = client.page
    for name, product, process, currency in VENDORS:
        client.upload(shared(f"imports/{name}"), object_label="Opportunities")
        page.get_by_text(f"The headers are those of {product}.").wait_for()
        page.get_by_role("button", name="Check all rows").click()
        page.wait_for_url("**/check")
        page.get_by_role("button", name="Import", exact=True).click()
        assert client.counts() == {"New": wanted["deals"], "Changed": 0, "As before": 0, "Refused": 0}

        (total,) = client.wins(process)
        assert [total[key] for key in ("Won", "Lost", "Open")] == [
            str(wanted["won"]), str(wanted["lost"]), str(wanted["deals"] - wanted["won"] - wanted["lost"]),
        ], name  # fmt: skip
        assert total["Won amount"] == f"{currency}{wanted['won_value']:,}"
        assert total["Win rate"] == f"{wanted['win_rate']:.1%}"
        by_owner = {row["Owner"]: amount(row["Won amount"]) for row in client.wins(process, "Owner")}
        assert {who: worth for who, worth in by_owner.items() if worth} == {
            who: worth for who, worth in wanted["won_value_by_owner"].items() if worth
        }
        client.open("/insights/funnel?pipeline=" + page.url.split("pipeline=")[1].split("&")[0])
        stays = {row["Stage"]: row for row in client.table(1)}
        still = [int(row["Still there"]) for row in stays.values()]
        stages = wanted["stage_counts"]
        assert still == [stages["Prospecting"], stages["Engaging"], stages["Won"]], name
        # Everything entered the first stage, and all but those that stayed there went on at a known time.
        assert [int(row["Entered"]) for row in stays.values()] == [
            wanted["deals"], wanted["deals"] - stages["Prospecting"], wanted["won"],
        ]  # fmt: skip
    uow = client.work()
    assert links(uow, "opportunity", "account") == 3 * (wanted["deals"] - wanted["deals_without_account"])
    closed = uow.session.scalar(select(func.max(Record.closed_at)).where(Record.object_key == "opportunity"))
    begun = uow.session.scalar(select(func.min(Record.started_at)).where(Record.object_key == "opportunity"))
    assert closed is not None
    assert begun is not None
    assert (begun.date().isoformat(), closed.date().isoformat()) == (
        wanted["first_engage"],
        wanted["last_close"],
    )
    uow.session.close()
    _fetch_and_undo(client, wanted["deals"])
    uow = client.work()
    assert not verify(uow).differences
    uow.session.close()


def _fetch_and_undo(client: Client, deals: int) -> None:
    """The result of the latest import, and how it is taken back: two clicks from the list of imports."""
    page = client.page
    client.open("/imports/")
    page.locator("main tbody a").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Result of every row (CSV)").click()
    assert download.value.suggested_filename == f"{Path(VENDORS[-1][0]).stem}-result.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert Counter(row["Result"] for row in rows) == {"created": deals}
    assert [row["Line"] for row in rows] == [str(line) for line in range(2, deals + 2)]
    assert [rows[0]["Vorgang"], rows[0]["Umsatz (€)"]] == ["1C1I7A6R", "1.054,00 €"]
    page.get_by_role("link", name="Undo this import").click()
    page.wait_for_url("**/undo")
    page.locator("main form button").last.click()
    page.get_by_text("What this import did was taken back.").wait_for()
    (left,) = (number for name, number in client.figures().items() if name == "Taken away")
    assert left >= deals


def test_a_salesforce_org_with_its_history(client: Client) -> None:
    wanted = json.loads(shared("oracles/salesforce_devorg.json").read_text("utf-8"))
    names = ("Contact", "Opportunity", "Lead", "OpportunityHistory", "Account", "OpportunityHistoryGroup")
    page = client.page
    client.upload(*(shared(f"salesforce_devorg/{name}.csv") for name in names))
    page.wait_for_url("**/together")
    # Behind what they refer to, visits first, and what fits nothing is left out at the end.
    assert [row["File"].split(" ")[1].split("\n")[0] for row in client.table()] == [
        "Lead.csv", "OpportunityHistory.csv", "Account.csv", "Contact.csv", "Opportunity.csv",
        "OpportunityHistoryGroup.csv",
    ]  # fmt: skip
    # The sources of this company are none of ours: they become a field of their own.
    page.get_by_role("link", name="Opportunity.csv", exact=True).click()
    page.locator("tr", has_text="LeadSource").locator("select").first.select_option("new:choice")
    page.get_by_role("button", name="Check all rows").click()
    page.wait_for_url("**/together")
    page.get_by_role("link", name="See what will happen").click()
    page.wait_for_url("**/together/check")
    brought = [("22", "0", "0"), ("48", "0", "0"), ("18", "0", "0"), ("23", "0", "2"), ("0", "36", "0")]
    assert [(row["New"], row["Changed"], row["Refused"]) for row in client.table()] == brought
    page.get_by_role("button", name="Import all files").click()
    page.wait_for_url("**/together")
    assert [(row["New"], row["Changed"], row["Refused"]) for row in client.table()][:5] == brought

    (total,) = client.wins("Salesforce: Opportunities")
    assert [total[key] for key in ("Won", "Lost", "Open", "Won amount", "Win rate")] == [
        str(wanted["won"]), str(wanted["lost"]), str(wanted["open"]), f"${wanted['won_amount']:,}",
        f"{wanted['win_rate']:.1%}",
    ]  # fmt: skip
    client.open("/insights/funnel?pipeline=" + page.url.split("pipeline=")[1].split("&")[0])
    visits = {row["Stage"]: int(row["Entered"]) for row in client.table(1)}
    assert visits == {key: n for key, n in wanted["history_rows_by_stage"].items() if key != "Closed Lost"}
    (leads,) = client.wins("Salesforce: Leads")
    by_status = wanted["leads"]["by_status"]
    assert (leads["Won"], leads["Lost"]) == (
        str(by_status["Closed - Converted"]), str(by_status["Closed - Not Converted"]),
    )  # fmt: skip
    _check_salesforce_records(client.work(), wanted)


def _check_salesforce_records(uow: UnitOfWork, wanted: dict[str, Any]) -> None:
    found = uow.session.scalars(select(Record).where(Record.object_key == "opportunity")).all()
    pipeline = uow.catalog.pipeline(str(found[0].pipeline_key))
    labels = {stage.key: stage.label.text("en") for stage in pipeline.stages}
    assert Counter(labels[str(record.stage_key)] for record in found) == wanted["stage_counts"]
    by_stage: Counter[str] = Counter()
    for record in found:
        if record.outcome == "open":
            by_stage[labels[str(record.stage_key)]] += (record.amount_minor or 0) // 100
    assert by_stage == wanted["open_amount_by_stage"]
    fields = uow.catalog.object("opportunity").fields
    (made,) = (field for field in fields.fields if field.label.text("en") == "LeadSource")
    names = {option.key: option.label.text("en") for option in made.options}
    by_source: dict[str, dict[str, int]] = {}
    for record in found:
        name = names.get(record.data.get(made.key, ""), "(blank)")
        told = by_source.setdefault(name, {"deals": 0, "won": 0, "amount": 0})
        told["deals"] += 1
        told["won"] += record.outcome == "won"
        told["amount"] += (record.amount_minor or 0) // 100
    assert by_source == wanted["by_lead_source"]
    assert links(uow, "opportunity", "account") == wanted["opportunities"]
    assert links(uow, "contact", "account") == 23
    assert not verify(uow).differences
    uow.session.close()


def test_a_zoho_company_linked_by_the_ids_of_zoho(client: Client) -> None:
    def read(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(shared(f"zoho/{name}.csv").read_text("utf-8-sig"))))

    accounts, contacts, leads = read("Accounts"), read("Contacts"), read("Leads")
    nameless = {row["ACCOUNTID"] for row in accounts if not row["Account Name"].strip()}
    orphans = [row for row in contacts if row["Account Id"] in nameless]
    page = client.page
    client.upload(*(shared(f"zoho/{name}.csv") for name in ("Leads", "Contacts", "Users", "Accounts")))
    page.wait_for_url("**/together")
    chosen = page.locator("#import-together tbody select").evaluate_all("all => all.map(one => one.value)")
    assert chosen == ["lead", "account", "contact", "-"]
    page.get_by_role("link", name="See what will happen").click()
    page.wait_for_url("**/together/check")
    page.get_by_role("button", name="Import all files").click()
    page.wait_for_url("**/together")
    told = {row["File"].split("\n")[0].split(" ")[1]: (row["New"], row["Refused"]) for row in client.table()}
    assert told == {
        "Leads.csv": (f"{len(leads):,}", "0"),
        "Accounts.csv": (f"{len(accounts) - len(nameless):,}", str(len(nameless))),
        "Contacts.csv": (f"{len(contacts) - len(orphans):,}", str(len(orphans))),
        "Users.csv": ("–", "–"),
    }
    (total,) = client.wins("Zoho CRM: Leads")
    by_status = Counter(row["Lead Status"] for row in leads)
    assert (total["Lost"], total["Invalid"]) == (str(by_status["Lost Lead"]), str(by_status["Junk Lead"]))
    uow = client.work()
    stages = dict(
        uow.session.execute(
            select(Record.stage_key, func.count())
            .where(Record.object_key == "lead")
            .group_by(Record.stage_key)
        ).all()  # type: ignore[arg-type]
    )
    pipeline = uow.catalog.pipeline("zoho_crm_leads")
    assert {pipeline.by_key[str(key)].label.text("en"): n for key, n in stages.items()} == by_status
    assert links(uow, "contact", "account") == len(contacts) - len(orphans)
    assert not verify(uow).differences
    uow.session.close()


@pytest.mark.parametrize("third", [0, 1, 2])
def test_messy_files_keep_each_of_their_rows(client: Client, third: int) -> None:
    """All of a set are opened one by one: their columns are those of the oracle, and each row comes in."""
    files: dict[str, dict[str, Any]] = json.loads(shared("oracles/messy_csv.json").read_text("utf-8"))[
        "files"
    ]
    names = sorted(name for name, told in files.items() if told["records"])[third::3]
    page = client.page
    client.upload(*(shared(f"messy_csv/{name}") for name in names))
    page.wait_for_url("**/together")
    for chosen in page.locator("#import-together tbody select").all():
        chosen.select_option("product")
    with page.expect_navigation():
        page.get_by_role("button", name="Take these objects").click()
    together = page.url
    addresses = page.locator("#import-together tbody a").evaluate_all("all => all.map(one => one.href)")
    wanted = {}
    for name, address in zip(names, addresses, strict=True):
        page.goto(address, wait_until="domcontentloaded")
        wanted[Path(name).name] = _map_first_column(page, shared(f"messy_csv/{name}"), files[name])
    page.goto(together)
    page.get_by_role("link", name="See what will happen").click()
    page.wait_for_url("**/check")
    assert {row["File"].split(" ", 1)[1]: (row["New"], row["Refused"]) for row in client.table()} == wanted
    page.get_by_role("button", name="Import all files").click()
    page.wait_for_url("**/together")
    done = {
        row["File"].split(" ", 1)[1].split("\n")[0]: (row["New"], row["Refused"]) for row in client.table()
    }
    assert done == wanted
    uow = client.work()
    brought = uow.session.scalar(select(func.count()).where(Record.object_key == "product"))
    assert brought == sum(int(new.replace(",", "")) for new, _ in wanted.values())
    uow.session.close()
    rows = sum(int(number.replace(",", "")) for told in wanted.values() for number in told)
    assert rows == sum(files[name]["records"] - files[name]["all_blank"] for name in names)


def _map_first_column(page: Any, path: Path, told: dict[str, Any]) -> tuple[str, str]:
    """Let the first column that is filled be the name, without a key; how many rows must come in and how many
    must not.
    """
    rows = page.locator("#import-mapping table").first.locator("tbody tr")
    headings = rows.evaluate_all("rows => rows.map(row => row.cells[0].innerText.split('\\n')[0])")
    assert len(headings) == (told["header_cells"] or len(told["first"])), path.name
    for shown, header in zip(headings, told["header"] or (), strict=False):
        # Two columns alike get a number, a column without a heading its place.
        assert shown.startswith((" ".join(header.split()), "#")), path.name
    place = next(at for at, cell in enumerate(told["first"]) if cell.strip())
    page.evaluate(
        """([place]) => {
            for (const one of document.querySelectorAll("#import-mapping select[name^=field-]"))
                one.value = one.name === `field-${place}` ? "key:name" : "";
            document.querySelector("#key_column").value = "";
        }""",
        [place],
    )
    page.get_by_role("button", name="Check all rows").click()
    page.wait_for_url("**/together", wait_until="commit")
    lines = list(
        csv.reader(
            io.StringIO(path.read_bytes().decode(told["encoding"]), newline=""), delimiter=told["delimiter"]
        )
    )
    skipped = 0 if told["skip"] is None else told["skip"] + 1
    records = [line for line in lines[skipped:] if any(cell.strip() for cell in line)]
    width = len(headings)
    good = sum(
        len(line) > place
        and len(line[place].strip().splitlines()) == 1  # a name is of one line
        and not any(cell.strip() for cell in line[width:])
        for line in records
    )
    return f"{good:,}", f"{len(records) - good:,}"
