"""From a workspace with roles and nothing else to a process in force, and back (issue of the Studio; S1–S3, S10).

By mouse and by keyboard alone, in at most 60 clicks and choices and without leaving the browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from builder.clock import FakeClock
from builder.db.tenancy import WorkspaceSession
from builder.metadata import packs
from builder.services import definitions, departments, people, workspaces
from tests.fixtures.browser import swapped
from tests.fixtures.town import PASSWORD
from tests.fixtures.walkers import WALKERS, Walker

pytestmark = pytest.mark.browser

HOME = "/w/fresh"
CLICKS = 60


@pytest.fixture
def fresh(sqlite_app: Flask, clock: FakeClock) -> Flask:
    """The application with the workspace *fresh*: Ada, an admin, Rita, a rep, and the roles of a template."""
    document = packs.load(packs.locate("classic"))
    with WorkspaceSession(sqlite_app.extensions["funnelwright.engine"]) as session:
        uow = workspaces.create(session, clock, workspaces.WorkspaceFacts("fresh", name="Fresh"))
        definitions.publish(uow, [each for each in packs.documents(document) if each["kind"] == "role"])
        for name, role in (("Ada", "admin"), ("Rita", "rep")):
            facts = people.PersonFacts(name, role, f"{name.lower()}@example.com")
            people.add(uow, facts, password=PASSWORD)
        uow.commit()
    return sqlite_app


@pytest.fixture(params=sorted(WALKERS))
def walk(
    request: pytest.FixtureRequest,
    fresh: Flask,
    serve_app: Callable[[Flask], str],
    signed_in: Callable[..., Any],
) -> tuple[Walker, Callable[[str], Any]]:
    """Ada on her first page, and how somebody else opens one."""
    address = serve_app(fresh)
    page = signed_in(fresh, address, "ada@example.com")
    page.goto(f"{address}{HOME}/")

    def other(path: str) -> Any:
        page = signed_in(fresh, address, "rita@example.com")
        page.goto(f"{address}{HOME}{path}")
        return page

    return WALKERS[request.param](page), other


def test_from_nothing_to_a_process_in_force_and_back(
    walk: tuple[Walker, Callable[[str], Any]], fresh: Flask, clock: FakeClock, axe: Callable[[Any], list[str]]
) -> None:
    ada, rita = walk
    found: list[str] = []
    for part in (_department, _object, _feedback, _process, _for_whom):
        part(ada)
        found += axe(ada.page)
    assert found == []
    _publish(ada)
    assert ada.done <= CLICKS

    assert "department" in rita("/o/tender/new").locator("main").inner_text()
    _join_east(fresh, clock)
    form = rita("/o/tender/new")
    assert not form.get_by_label("Permit number").is_visible()
    form.get_by_label("Kind").select_option(label="Public")
    form.get_by_label("Permit number").wait_for()
    _take_back(ada)
    assert ada.done <= CLICKS


def _join_east(app: Flask, clock: FakeClock) -> None:
    with WorkspaceSession(app.extensions["funnelwright.engine"]) as session:
        uow = workspaces.open_workspace(session, clock, "fresh")
        rita = people.find_by_email(uow, "rita@example.com")
        assert rita is not None
        departments.assign(uow, rita, departments.find_or_add(uow, "East"))
        uow.commit()


def _department(ada: Walker) -> None:
    page = ada.page
    ada.press(page.get_by_role("link", name="Departments"))
    ada.press(page.get_by_role("link", name="Add a department"))
    ada.write(page.locator("#name"), "East")
    ada.press(page.get_by_role("button", name="Add", exact=True))
    page.get_by_text("East").first.wait_for()


def _object(ada: Walker) -> None:
    """Tenders, with a choice and a text that is asked for only where the choice is *Public*."""
    page = ada.page
    ada.press(page.get_by_role("link", name="Objects"))
    ada.press(page.get_by_role("link", name="New object"))
    ada.write(page.locator("#label-en"), "Tender")
    ada.write(page.locator("#plural-en"), "Tenders")
    ada.press(page.get_by_role("button", name="Go on to its fields"))
    _field(ada, "choice", "Kind")
    ada.write(page.get_by_label("New options, one a line"), "Public\nPrivate")
    ada.press(page.get_by_role("button", name="Keep"))
    page.locator("#option-public").wait_for()
    _field(ada, "text", "Permit number")
    ada.press(page.get_by_role("link", name=re.compile("(Add|New) (a )?rule")))
    page.locator("#rule-panel").wait_for()
    ada.press(page.locator("#rule-field-permit_number"))
    ada.choose(page.locator("select[name$='-field']"), "Kind")
    value = page.locator(".filter-value")
    ada.press(value.get_by_label("Public"))
    ada.press(page.get_by_role("button", name="Keep the rule"))
    page.locator("#rule-panel").wait_for(state="detached")


def _field(ada: Walker, kind: str, name: str) -> None:
    page = ada.page
    ada.press(page.locator(f"#add-{kind}"))
    ada.write(page.locator("#label-en"), name)
    ada.press(page.get_by_role("button", name="Add the field"))
    page.locator("#field-panel").wait_for()


def _feedback(ada: Walker) -> None:
    """A form with one answer, which is required."""
    page = ada.page
    ada.press(page.get_by_role("link", name="Forms", exact=True))
    ada.press(page.get_by_role("link", name="New form"))
    ada.write(page.locator("#label-en"), "First talk")
    ada.choose(page.locator("#object"), "Tender")
    ada.press(page.get_by_role("button", name="Go on to its fields"))
    _field(ada, "text", "What was agreed")
    with swapped(page):
        ada.press(page.locator("#field-panel").get_by_label(re.compile("Required")))


def _process(ada: Walker) -> None:
    """Six open stages; the first has a task and the form."""
    page = ada.page
    ada.press(page.get_by_role("link", name="Processes", exact=True))
    ada.press(page.get_by_role("link", name="New process"))
    ada.write(page.get_by_label("Name English"), "Tender way")
    ada.choose(page.get_by_label("For", exact=True), "Tender")
    ada.press(page.get_by_role("button", name="Begin"))
    page.get_by_role("heading", name="Tender way").wait_for()
    for name in ("Site visit", "Offer", "Talks", "Signing"):
        if not page.locator("#new-label_en").is_visible():
            ada.press(page.locator("summary", has_text="Add a stage"))
        ada.write(page.locator("#new-label_en"), name)
        ada.press(page.get_by_role("button", name="Add stage"))
        page.locator(".canvas-title", has_text=name).wait_for()
    ada.press(page.get_by_role("link", name="Edit First contact"))
    ada.write(page.get_by_label("Task in English"), "Read the papers")
    work = page.locator("form[action$='/work']")
    ada.choose(work.locator("select[name=feedback]"), "First talk")
    ada.press(work.get_by_role("button", name="Keep"))
    page.get_by_text("Kept in the draft.").wait_for()


def _for_whom(ada: Walker) -> None:
    page = ada.page
    ada.press(page.get_by_role("link", name="Processes", exact=True))
    ada.press(page.get_by_role("link", name=re.compile("Which process for whom|Tenders?$")))
    process = page.locator(".assignment-process")
    ada.press(process.locator("summary"))
    ada.press(process.get_by_label("East"))
    with swapped(page):
        ada.press(process.get_by_role("button", name="Keep"))


def _publish(ada: Walker) -> None:
    ada.press(ada.page.get_by_role("link", name="Review and publish"))
    ada.press(ada.page.get_by_role("button", name="Publish"))
    ada.page.get_by_text("Published.").first.wait_for()


def _take_back(ada: Walker) -> None:
    ada.press(ada.page.get_by_role("link", name=re.compile(r"No\. \d")))
    ada.press(ada.page.get_by_role("button", name="Take back"))
    ada.page.get_by_role("heading", name=re.compile("Changes|No")).first.wait_for()
