"""Which process for whom over HTTP: rules, departments and the tester in the Studio; forms that follow them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from builder.db.ids import from_public
from tests.blueprints.studio.test_designer import STUDIO, mark, publish
from tests.blueprints.workspace.desk import MATTERS, make, page_of, stored
from tests.fixtures.town import Town, Visitor

PAGE = f"{STUDIO}/processes/for/matter"
NEW = f"{MATTERS}/new"
STEEL = {
    "rule": "new", "label-en": "Steel", "pipeline": "free", "_filter": "apply", "mode": "all", "group": "0",
    "g0-mode": "all", "g0-row": "0", "g0-0-field": "client.sector", "g0-0-op": "in", "g0-0-a": "steel",
}  # fmt: skip
HOT = {**STEEL, "label-en": "", "pipeline": "flow", "g0-0-field": "heat", "g0-0-a": "hot"}


def post(visitor: Visitor, path: str, *, htmx: bool = False, **data: Any) -> Any:
    return visitor.post(PAGE + path, {"checksum": mark(visitor, PAGE), **data}, htmx=htmx)


def rules_on(visitor: Visitor) -> list[str]:
    return re.findall(r'name="rule" value="([a-z0-9_]+)"', visitor.get(PAGE).text)


def with_rules(town: Town) -> Visitor:
    ada = town.as_("Ada")
    for rule in (STEEL, HOT):
        assert post(ada, "/rules", **rule).status_code == 303
    assert post(ada, "/default", default="flow").status_code == 303
    return ada


def test_rules_are_built_ordered_switched_and_published(town: Town) -> None:
    ada = with_rules(town)
    assert rules_on(ada) == ["steel", "rule"]
    page = ada.get(PAGE).text
    assert "Client › Sector is Steel" in page
    assert post(ada, "/order", up="rule").headers["Location"] == PAGE
    assert rules_on(ada) == ["rule", "steel"]
    assert post(ada, "/order", rule=["steel", "rule"], htmx=True).status_code == 200
    assert rules_on(ada) == ["steel", "rule"]
    assert "is-off" in post(ada, "/rules/rule/switch", htmx=True).text
    assert "is-off" not in post(ada, "/rules/rule/switch", on="1", htmx=True).text
    assert publish(ada).status_code == 303
    client = make(town, "client", {"title": "Mill", "sector": "steel"})
    form = {"f-title": "Gate", "f-client": str(client), "pipeline": "free"}
    assert town.as_("Rita").post(NEW, form).status_code == 303
    assert post(ada, "/rules/steel/remove").status_code == 303
    assert rules_on(ada) == ["rule"]


def test_the_builder_shows_itself_again_until_its_button_keeps_the_rule(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    shown = post(ada, "/rules", htmx=True, **{**STEEL, "_filter": "row:0"})
    assert shown.status_code == 200
    assert 'name="g0-1-field"' in shown.text
    assert 'value="Steel"' in shown.text
    assert rules_on(ada) == []
    assert 'id="rule-panel"' in ada.get(f"{PAGE}?rule=new").text
    assert 'id="rule-panel"' not in ada.get(f"{PAGE}?rule=nothing").text


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"pipeline": ""}, "rule-pipeline"),
        ({"pipeline": "gone"}, "rule-pipeline"),
        ({"g0-0-a": ""}, "g0-0-field"),
    ],
)
def test_a_rule_that_cannot_be_is_422_named_and_keeps_what_was_typed(
    sqlite_town: Town, wrong: dict[str, str], named: str
) -> None:
    answer = post(sqlite_town.as_("Ada"), "/rules", **{**STEEL, **wrong})
    assert answer.status_code == 422
    assert f'href="#{named}"' in answer.text
    assert 'value="Steel"' in answer.text


def test_who_saw_an_older_state_is_told_and_overwrites_nothing(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    seen = mark(ada, PAGE)
    assert post(ada, "/rules", **STEEL).status_code == 303
    for path, data in (
        ("/rules", HOT),
        ("/order", {"up": "steel"}),
        ("/default", {"default": "flow"}),
        ("/departments/flow", {}),
        ("/rules/steel/switch", {}),
        ("/rules/steel/remove", {}),
    ):
        assert ada.post(PAGE + path, {**data, "checksum": seen}).status_code == 409, path
        assert ada.post(PAGE + path, data).status_code == 400, path
    assert rules_on(ada) == ["steel"]


def test_rules_are_for_those_who_may_and_of_what_is_there(sqlite_town: Town) -> None:
    ada, rita = sqlite_town.as_("Ada"), sqlite_town.as_("Rita")
    otto = sqlite_town.as_("Otto")
    for path in ("/rules", "/order", "/default", "/departments/flow", "/rules/x/switch", "/rules/x/remove"):
        assert rita.post(PAGE + path, {"checksum": "0" * 64}).status_code == 403, path
        assert otto.post(PAGE + path, {"checksum": "0" * 64}).status_code == 404, path
        assert ada.get(PAGE + path).status_code in (404, 405), path
    for path in ("/rules/x/switch", "/rules/x/remove", "/departments/none"):
        assert post(ada, path).status_code == 404, path
    assert rita.get(PAGE).status_code == rita.get(f"{PAGE}/try").status_code == 403
    assert ada.get(f"{STUDIO}/processes/for/nothing").status_code == 404
    assert post(ada, "/order", rule=["steel"]).status_code == 422
    assert post(ada, "/default", default="gone").status_code == 422


def test_a_rule_that_is_never_reached_is_told_beside_it(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    always = {**STEEL, "g0-row": "0", "g0-0-field": ""}
    post(ada, "/rules", **{**always, "label-en": "Everything"})
    page = post(ada, "/rules", htmx=True, **STEEL).text
    assert "never reached: rule 1" in page


def test_the_tester_tells_of_each_rule_why_it_fires_or_not(sqlite_town: Town) -> None:
    ada = with_rules(sqlite_town)
    mill = make(sqlite_town, "client", {"title": "Mill", "sector": "steel"})
    shop = make(sqlite_town, "client", {"title": "Shop", "sector": "retail"})
    case = make(sqlite_town, "matter", {"title": "Case 7", "client": str(shop)}, owner="Rita")
    empty = ada.get(f"{PAGE}/try")
    assert 'id="tester-result"' not in empty.text
    by_values = ada.get(f"{PAGE}/try?tried=1&f-client={mill}").text
    assert "the rule that fires is “Steel”. The process is “Free”." in by_values
    by_record = ada.get(
        f"{PAGE}/try?tried=1&t-record={case}&person={sqlite_town.ids['Rita']}", htmx=True
    ).text
    assert "<html" not in by_record
    assert "“Case 7”: no rule fires. The process is “Flow”, by default." in by_record
    assert "(here: Retail)" in by_record
    assert "(here: empty)" in by_record
    assert post(ada, "/departments/flow", department=str(sqlite_town.ids["east"])).status_code == 303
    for asked, names in ({"person": "Ada"}, "Free"), ({"person": "Rita"}, "Flow, Free"), ({}, "Free"):
        person = str(sqlite_town.ids[asked["person"]]) if asked else ""
        assert f"Open to this person: {names}<" in ada.get(f"{PAGE}/try?tried=1&person={person}").text
    east = ada.get(f"{PAGE}/try?tried=1&department={sqlite_town.ids['east']}").text
    assert "Open to this person: Flow, Free<" in east
    odd = f"{PAGE}/try?tried=1&t-record=9&person=%00&department=9&f-client=x"
    assert ada.get(odd).status_code == 200


def test_departments_say_who_is_offered_a_process_and_who_is_refused(town: Town) -> None:
    ada, rita, mia = town.as_("Ada"), town.as_("Rita"), town.as_("Mia")
    client = make(town, "matter", {"title": "Runs"}, "flow", owner="Rita")
    assert post(ada, "/departments/flow", department=[str(town.ids["east"]), "77"]).status_code == 303
    assert "East" in ada.get(PAGE).text
    assert publish(ada).status_code == 303
    assert '<option value="flow"' in rita.get(NEW).text
    # Ada is in no department: not offered, not started, nowhere.
    page = ada.get(NEW).text
    assert '<option value="flow"' not in page
    assert '<option value="free" selected' in page
    forged = ada.post(NEW, {"f-title": "Forged", "pipeline": "flow"})
    assert forged.status_code == 422
    assert "is not open to your department" in forged.text
    board = "/w/acme/p/flow/board"
    assert f"{board}/a/new" in mia.get(board).text
    assert f"{board}/a/new" not in ada.get(board).text
    assert ada.get(f"{board}/a/new").status_code == 422
    assert ada.post(f"{board}/a/new", {"f-title": "Forged"}).status_code == 422
    loose = make(town, "matter", {"title": "Loose"}, owner="Ada")
    assert '<option value="flow"' not in ada.get(page_of(loose)).text
    refused = ada.post(page_of(loose, "/start"), {"pipeline": "flow", "revision": "1"})
    assert refused.status_code == 422
    assert stored(town, loose).pipeline_key is None
    # What runs goes on.
    assert "Runs" in ada.get(board).text
    assert stored(town, client).stage_key == "a"


def test_the_form_proposes_what_the_rules_say_and_follows_until_somebody_chooses(sqlite_town: Town) -> None:
    ada = with_rules(sqlite_town)
    assert publish(ada).status_code == 303
    rita = sqlite_town.as_("Rita")
    mill = make(sqlite_town, "client", {"title": "Mill", "sector": "steel"})
    first = rita.get(NEW).text
    assert '<option value="flow" selected' in first
    assert re.search(r'id="f-client-field" hx-post="/w/acme/o/matter/form"', first)
    typed = {"f-title": "Gate", "f-client": str(mill), "pipeline": "flow", "proposed": "flow"}
    again = rita.post(f"{MATTERS}/form", typed, htmx=True).text
    assert 'id="process-field" hx-swap-oob="true"' in again
    assert '<option value="free" selected' in again
    assert "By the rule “Steel”." in again
    # Without JavaScript nothing showed that, so it is shown before anything is made.
    asked = rita.post(NEW, typed)
    assert asked.status_code == 422
    assert "leads to another process: “Free”" in asked.text
    chosen = rita.post(f"{MATTERS}/form", {**typed, "proposed": "free"}, htmx=True).text
    assert '<option value="flow" selected' in chosen
    assert "The rule “Steel” says “Free”." in chosen
    made = rita.post(NEW, {**typed, "proposed": "free"})
    assert made.status_code == 303
    assert stored(sqlite_town, from_public(made.headers["Location"].rsplit("/", 1)[1])).pipeline_key == "flow"


def test_a_process_that_a_rule_leads_to_does_not_go(sqlite_town: Town) -> None:
    ada = with_rules(sqlite_town)
    assert publish(ada).status_code == 303
    seen = {"checksum": mark(ada, f"{STUDIO}/processes/free")}
    assert ada.post(f"{STUDIO}/processes/free/remove", seen).status_code == 303
    assert "which is not there for this object" in ada.get(f"{STUDIO}/changes").text
    assert publish(ada).status_code == 422
