"""The start wizard over HTTP: a scenario, four questions, a proposed template, and the report (S23, S115)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from builder.queries import drafts as stored
from builder.services import definitions, people, workspaces
from tests import factories
from tests.fixtures.town import PASSWORD, Town, Visitor

START = "/w/fresh/studio/start"
ANSWERS = {
    "scenario": "standardisation",
    "current": "We sell excavators to contractors",
    "prospects": "在工地和展会寻找客户",
    "judging": "By gut feeling <b>",
    "stuck": "Financing takes weeks",
}


@pytest.fixture
def eve(sqlite_town: Town) -> Visitor:
    """The admin of a workspace that has roles and nothing else."""
    from builder.db.tenancy import WorkspaceSession

    engine = sqlite_town.app.extensions["funnelwright.engine"]
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        uow = workspaces.create(session, sqlite_town.clock, workspaces.WorkspaceFacts("fresh"))
        definitions.publish(uow, factories.ROLES)
        added = people.add(uow, people.PersonFacts("Eve", "admin", "eve@example.com"), password=PASSWORD)
        uow.commit()
    sqlite_town.ids["Eve"] = added.member_id
    return sqlite_town.as_("Eve")


def chosen(page: str) -> str:
    found = re.search(r'name="pack"\s+id="pack-1"\s+value="([^"]+)"\s+checked', page)
    assert found, page
    return found.group(1)


def background(town: Town, key: str) -> dict[str, Any]:
    uow = town.work("fresh")
    found: dict[str, Any] = stored.editable(uow.session, "pipeline", key).document.get("background", {})
    uow.session.close()
    return found


def test_answers_lead_to_a_template_a_report_and_stay_with_the_process(
    sqlite_town: Town, eve: Visitor
) -> None:
    page = eve.get(START).text
    assert page.count('name="scenario"') == 4
    answer = eve.post(START, ANSWERS)
    assert answer.status_code == 200
    assert "excavator" in answer.text  # the reason
    assert "By gut feeling &lt;b&gt;" in answer.text

    installed = eve.post(START, {**ANSWERS, "pack": chosen(answer.text), "install": "1"})

    assert installed.status_code == 303
    report = installed.headers["Location"]
    assert report.endswith("/road-map")
    process = report.split("/")[-2]
    assert background(sqlite_town, process) == ANSWERS
    for text in ("Financing takes weeks", "展会", "One standard"):
        assert text in eve.get(report).text
    # A second time it is there already; the answers typed are kept.
    again = eve.post(START, {**ANSWERS, "pack": chosen(answer.text), "install": "1"})
    assert again.status_code == 409
    assert "Financing takes weeks" in again.text

    designer = f"/w/fresh/studio/processes/{process}"
    seen = re.findall(r'name="checksum" value="([0-9a-f]{64})"', eve.get(designer).text)[0]
    assert "Financing takes weeks" in eve.get(designer).text
    kept = eve.post(f"{designer}/background", {"checksum": seen, "stuck": "Nowhere any more"})
    assert kept.status_code == 303
    assert background(sqlite_town, process) == {"stuck": "Nowhere any more"}
    stale = eve.post(f"{designer}/background", {"checksum": seen, "stuck": "x"})
    assert stale.status_code == 409


def test_without_trade_words_the_scenario_decides_and_propose_again_forgets_the_choice(eve: Visitor) -> None:
    first = eve.post(START, {"scenario": "new_business"}).text
    assert "Made for" in first
    other = eve.post(START, {"scenario": "team_tuning", "pack": chosen(first), "again": "1"}).text
    assert chosen(other) != chosen(first)


@pytest.mark.parametrize(
    "data", [{}, {"scenario": "nonsense"}, {"scenario": "new_business", "stuck": "x" * 2001}]
)
def test_what_cannot_be_kept_is_refused_with_what_was_typed(eve: Visitor, data: dict[str, str]) -> None:
    answer = eve.post(START, {"current": "Door to door", **data})
    assert answer.status_code == 422
    assert "Door to door" in answer.text


def test_only_who_may_edit_may_begin_and_unknown_templates_are_missing(
    sqlite_town: Town, eve: Visitor
) -> None:
    rita = sqlite_town.as_("Rita")
    assert rita.get("/w/acme/studio/start").status_code == 403
    assert rita.post("/w/acme/studio/start", ANSWERS).status_code == 403
    assert rita.post("/w/acme/studio/processes/flow/background", {"checksum": "0" * 64}).status_code == 403
    assert eve.get("/w/acme/studio/start").status_code == 404
    assert eve.post(START, {**ANSWERS, "pack": "nothing", "install": "1"}).status_code == 404
    assert eve.post("/w/fresh/studio/processes/nothing/background").status_code == 404
    assert eve.client.put(START, headers={"X-CSRFToken": eve.token}).status_code == 405
    assert eve.get("/w/fresh/studio/processes/x/background").status_code == 405
