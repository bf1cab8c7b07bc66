"""The walk of the whole product in a real browser, on the demo company of the B2B pack: rep, manager, admin;
the rep's journey again without JavaScript; every page clean for axe, light and dark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from builder.clock import FakeClock
from builder.db.engine import make_engine
from builder.db.ids import to_public
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import RIGHTS, Actor
from builder.exchange.blobs import FolderBlobStore
from builder.metadata import packs
from builder.services import transitions
from builder.services.demo.company import make_company
from builder.services.demo.plan import read_plan
from builder.services.entries import Entry
from builder.services.maintenance import verify
from builder.services.records import NewRecord, create
from builder.services.transitions import MoveRecord
from builder.services.workspaces import open_workspace
from builder.settings import Settings
from tests.fixtures.hands import card, drag
from tests.fixtures.imports import InlineQueue

pytestmark = pytest.mark.browser

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PASSWORD = "walking through it"
FLOW = "opportunity_process"
HEAD = "Opportunity,Amount,Expected close\n"
ROWS = "Crane for harbour,120000,2026-12-15\nPress line,80000,2026-12-20\nLathe,lots,2026-12-20\n"


@dataclass
class Company:
    """The demo company on a file of its own, and its application."""

    app: Flask
    clock: FakeClock
    key: str

    def work(self) -> Any:
        return open_workspace(
            WorkspaceSession(self.app.extensions["funnelwright.engine"], expire_on_commit=False),
            self.clock,
            self.key,
        )

    def opportunity(self, name: str, email: str) -> int:
        """An opportunity in the first stage that has a name and an amount, and nothing else."""
        from builder.services import people

        uow = self.work()
        member = people.find_by_email(uow, email)
        uow.actor = Actor(member, "x", "rep", frozenset(RIGHTS), "all")
        made = create(uow, "opportunity", NewRecord({"name": name, "amount": "50000.00"}, Entry(FLOW)))
        uow.commit()
        uow.session.close()
        return made.record_id

    def names_of(self, email: str) -> dict[str, str]:
        """An account and a contact of that person, by object."""
        from builder.services import people

        uow = self.work()
        mine = Record.owner_id == people.find_by_email(uow, email)
        names = {
            key: uow.session.scalar(select(func.min(Record.name)).where(Record.object_key == key, mine))
            for key in ("account", "contact")
        }
        uow.session.close()
        return names

    def missing(self, record_id: int, to: str) -> set[str]:
        """What the gate would refuse a move with, as names of controls."""
        uow = self.work()
        looked = transitions.draft(uow, MoveRecord(record_id, to))
        asked = looked.requirements(MoveRecord(record_id, to))
        uow.session.close()
        prefix = {"required_field": "values-", "feedback": "answers-"}
        return {
            f"{prefix[item.kind]}{item.field}" for item in asked if not item.is_met and item.kind in prefix
        }

    def stage(self, record_id: int) -> str:
        uow = self.work()
        stage = uow.session.scalar(select(Record.stage_key).where(Record.id == record_id))
        uow.session.close()
        return str(stage)


@pytest.fixture(scope="session")
def demo_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one month of the demo company, made once."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    shutil.copyfile(sqlite_template, path)
    folder = packs.locate("b2b")
    plan = replace(read_plan(folder, packs.load(folder)), months=1)
    engine = make_engine(f"sqlite:///{path}")
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        made = make_company(session, packs.load(folder), plan, NOW, PASSWORD)
    assert made.happened
    engine.dispose()
    return path


@pytest.fixture
def company(demo_file: Path, tmp_path: Path) -> Iterator[Company]:
    from builder.app import create_app

    path = tmp_path / "walk.db"
    shutil.copyfile(demo_file, path)
    clock = FakeClock(NOW)
    url = f"sqlite:///{path}"
    settings = Settings(
        data_folder=tmp_path,
        database_url=url,
        database_owner_url=url,
        secret_key="only-for-tests-0123456789",
        testing=True,
    )
    app = create_app(settings, clock=clock)
    app.extensions["funnelwright.queue"] = InlineQueue(
        app.extensions["funnelwright.engine"], clock, FolderBlobStore(tmp_path / "files")
    )
    yield Company(app, clock, "demo")
    app.extensions["funnelwright.engine"].dispose()


@pytest.fixture
def visit(
    company: Company, open_page: Callable[..., Any], serve_app: Callable[[Flask], str]
) -> Callable[..., Any]:
    """visit(email, **options): a page where that person has signed in."""
    address = serve_app(company.app)

    def go(email: str, **options: Any) -> Any:
        page = open_page(viewport={"width": 1900, "height": 950}, base_url=address, **options)
        page.set_default_timeout(30_000)
        page.goto("/")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", PASSWORD)
        page.locator("main button[type=submit]").last.click()
        page.wait_for_url("**/w/demo/**")
        return page

    return go


@pytest.fixture
def clean(axe: Callable[..., list[str]]) -> Callable[[Any], None]:
    """clean(page): axe finds nothing, in light and in dark colours."""

    def check(page: Any) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.wait_for_function(
                "scheme => document.documentElement.dataset.bsTheme === scheme", arg=scheme
            )
            # colours fade into each other
            page.evaluate("Promise.all(document.getAnimations().map(one => one.finished.catch(() => 0)))")
            # what is there is the same in both, only its colours are not
            found = axe(page) if scheme == "light" else axe(page, only="color-contrast")
            assert not found, (page.url, scheme, found)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")

    return check


def controls(page: Any) -> set[str]:
    """Names of the fields that the dialog of a move shows."""
    names = page.eval_on_selector_all(
        "#move-form .field :is(input:not([type=hidden]), select, textarea)", "all => all.map(one => one.name)"
    )
    return {name for name in names if name.startswith(("values-", "answers-"))}


def fill_what_is_missing(page: Any, company: Company) -> None:
    names = company.names_of("rep@demo.example")
    page.fill("#answers-need", "Lift thirty tonnes")
    page.fill("#answers-customer_address", "1 Harbour Road")
    page.fill("#answers-decision_process", "The owner decides in December")
    page.select_option("#answers-budget_state", "planned")
    page.select_option("#answers-ability", "strong")
    page.check("#answers-intent_level input[value=high]")
    page.fill("#values-expected_close", "2026-12-18")
    page.select_option("#values-source", index=1)
    page.check("#values-feasibility input[value=feasible]")
    for control, key in (("#values-account", "account"), ("#answers-contact", "contact")):
        page.fill(control, names[key])
    for step in page.locator("input[name=tasks]").all():
        step.check()


def answered(page: Any) -> None:
    """Wait until the server has decided what was asked."""
    page.locator("#fw-progress:not(.waiting)").wait_for(state="attached")


def earlier(page: Any) -> str:
    """What the page of a record tells of the stages before, unfolded."""
    page.locator("#visits summary").first.click()
    return str(page.locator("#visits").inner_text())


def press_move(page: Any) -> None:
    page.get_by_role("button", name="Move", exact=True).click()


def test_a_rep_moves_a_card_and_sees_path_and_timeline(
    company: Company, visit: Callable[..., Any], clean: Callable[[Any], None]
) -> None:
    record_id = company.opportunity("Harbour crane", "rep@demo.example")
    page = visit("rep@demo.example")
    clean(page)
    page.get_by_role("link", name="Opportunity process").first.click()
    page.wait_for_url(f"**/p/{FLOW}/board")
    clean(page)

    drag(page, record_id, "nurturing")
    page.locator("#move-form").wait_for()
    asked = company.missing(record_id, "nurturing")
    assert len(asked) > 5
    shown = controls(page)
    assert asked <= shown
    assert "values-amount" not in shown
    assert "values-name" not in shown
    clean(page)
    press_move(page)
    page.locator(".error-summary").wait_for()
    fill_what_is_missing(page, company)
    page.check("#confirmed")
    press_move(page)
    page.locator("#fw-dialog").wait_for(state="hidden")
    assert company.stage(record_id) == "nurturing"

    page.locator(f"{card(record_id)} .bcard-name").click()
    page.wait_for_url(f"**/r/{to_public(record_id)}")
    assert page.get_by_role("heading", name="Harbour crane").is_visible()
    assert "Opportunity nurturing" in page.locator("[aria-current=step]").first.inner_text()
    assert "Lift thirty tonnes" in earlier(page)
    assert page.locator("#timeline").is_visible()
    clean(page)


def test_the_rep_completes_the_same_journey_without_javascript(
    company: Company, visit: Callable[..., Any]
) -> None:
    page = visit("rep@demo.example", java_script_enabled=False)
    page.goto("/w/demo/o/opportunity/new")
    page.fill("#f-name", "Harbour crane")
    page.fill("#f-amount", "50000")
    if page.locator("#pipeline").count():
        page.select_option("#pipeline", FLOW)
    page.locator("#record-form button[type=submit]:not([name])").last.click()
    page.wait_for_url(re.compile(r"/r/[\w-]{11}$"))
    public = page.url.rsplit("/", 1)[1]
    page.goto(f"/w/demo/p/{FLOW}/board")
    page.locator(f"#c-{public} .bcard-move").click()
    page.locator(".move-target", has_text="Opportunity nurturing").first.click()
    press_move(page)
    page.locator(".error-summary").wait_for()
    fill_what_is_missing(page, company)
    page.check("#confirmed")
    press_move(page)
    page.wait_for_url(f"**/p/{FLOW}/board*")
    page.goto(f"/w/demo/r/{public}")
    assert "Opportunity nurturing" in page.locator("[aria-current=step]").first.inner_text()
    assert "Lift thirty tonnes" in earlier(page)


def figure(page: Any, number: int = 0) -> tuple[str, int]:
    """Address and figure of a bar: the table beside the chart says the same and leads to the same list."""
    link = page.locator("#funnel-panel a[href*='figure=entered']").nth(number)
    return str(link.get_attribute("href")), int(link.inner_text().replace(",", ""))


def rows_of_list(page: Any) -> int:
    """Rows of all pages of a list."""
    count = 0
    while True:
        count += int(page.locator("main table tbody tr").count())
        more = page.locator("main a[rel=next]")
        if not more.count():
            return count
        more.first.click()
        page.wait_for_load_state()


def test_a_manager_filters_a_list_and_opens_a_bar_of_the_funnel(
    visit: Callable[..., Any], clean: Callable[[Any], None]
) -> None:
    page = visit("manager@demo.example")
    page.get_by_role("link", name="Opportunities", exact=True).first.click()
    page.wait_for_url("**/o/opportunity")
    clean(page)
    everything = page.locator("main").inner_text()
    page.goto("/w/demo/o/opportunity/filter")
    clean(page)
    page.select_option("#g0-0-field", "amount")
    answered(page)
    page.select_option("#g0-0-op", "ge")
    answered(page)
    page.fill("#g0-0-a", "100000")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(r"/o/opportunity\?.*f="))
    assert page.locator("main").inner_text() != everything
    clean(page)

    page.goto(f"/w/demo/insights/funnel?pipeline={FLOW}")
    page.locator("#funnel-panel canvas").wait_for()
    clean(page)
    counts = dict(
        page.eval_on_selector_all(
            "#funnel-panel a[href*='figure=']", "all => all.map(one => [one.href, one.innerText])"
        )
    )
    box = page.locator("#funnel-panel canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 30)
    page.wait_for_url("**/insights/funnel/list?**")
    count = int(counts[page.url].replace(",", ""))
    assert count > 0
    assert rows_of_list(page) == count
    clean(page)


def test_an_admin_imports_a_file_watches_it_and_sees_the_funnel_change(
    company: Company, visit: Callable[..., Any], clean: Callable[[Any], None], tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(HEAD + ROWS, "utf-8")
    page = visit("admin@demo.example")
    page.goto(f"/w/demo/insights/funnel?pipeline={FLOW}")
    _, before = figure(page)
    page.goto("/w/demo/imports/new")
    clean(page)
    page.set_input_files("#file", str(file))
    page.select_option("#object", "opportunity")
    page.get_by_role("button", name="Upload and go on").click()
    page.wait_for_url("**/mapping")
    page.select_option("select[name=field-0]", "key:name")
    page.select_option("#entry_pipeline", FLOW)
    clean(page)
    page.get_by_role("button", name="Check all rows").click()
    page.wait_for_url("**/check")
    assert "1 row would be refused" in page.locator("main").inner_text()
    clean(page)
    queue = company.app.extensions["funnelwright.queue"]
    queue.is_held = True
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile(r"/imports/[\w-]{11}$"))
    page.get_by_role("button", name="Stop").wait_for()
    queue.work()
    page.get_by_role("link", name="Result of every row").wait_for()
    assert "is not a number" in page.locator("main").inner_text()
    clean(page)
    page.goto(f"/w/demo/insights/funnel?pipeline={FLOW}")
    assert figure(page)[1] == before + 2
    uow = company.work()
    assert not verify(uow).differences
    uow.session.close()
