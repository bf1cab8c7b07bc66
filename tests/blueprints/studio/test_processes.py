"""Processes over HTTP: looking, and drawing them as drafts."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from builder.domain.stays import LoggedEntry
from builder.metadata.editing.objects import new_object
from builder.metadata.editing.stages import new_pipeline
from builder.queries import drafts as stored
from builder.services import designs, drafts
from builder.services.history import LoadedRecord, load_histories
from builder.services.records import NewRecord, Saved
from tests.fixtures.town import Town, Visitor

LIST = "/w/acme/studio/processes"
FREE = f"{LIST}/free"
STAGE = f"{FREE}/stages/b"


def document(town: Town, key: str = "free") -> dict[str, Any]:
    """The process as its designer has it."""
    uow = town.work()
    found = stored.editable(uow.session, "pipeline", key).document
    uow.session.close()
    return found


def stages(town: Town) -> list[str]:
    return [stage["key"] for stage in document(town)["stages"]]


def stage(town: Town, key: str = "b") -> dict[str, Any]:
    return next(each for each in document(town)["stages"] if each["key"] == key)


def checksum(visitor: Visitor, path: str = FREE) -> str:
    found = re.search(r'name="checksum" value="([0-9a-f]{64})"', visitor.get(path).text)
    assert found
    return found.group(1)


def send(visitor: Visitor, path: str, *, htmx: bool = False, **form: Any) -> Any:
    """What a form of the designer sends, made from what is there now."""
    return visitor.post(path, {"checksum": checksum(visitor), **form}, htmx=htmx)


def test_a_rep_sees_what_a_stage_asks_for_but_no_buttons(town: Town) -> None:
    rita = town.as_("Rita")
    assert "Flow" in rita.get(LIST).text
    page = rita.get(f"{LIST}/flow").text
    assert "Call" in page
    assert "Address*" in page
    assert 'name="up"' not in page
    assert "New process" not in rita.get(LIST).text


def test_moving_a_stage_works_redirects_and_reaches_nobody_until_it_is_published(town: Town) -> None:
    ada = town.as_("Ada")
    answer = send(ada, f"{FREE}/order", up="b")
    assert (answer.status_code, answer.headers["Location"]) == (303, FREE)
    assert stages(town)[:3] == ["b", "a", "c"]
    uow = town.work()
    assert [each.key for each in uow.catalog.pipeline("free").stages][:2] == ["a", "b"]
    drafts.publish_drafts(uow)
    uow.commit()
    assert [each.key for each in uow.catalog.pipeline("free").stages][:2] == ["b", "a"]
    uow.session.close()


def test_an_order_from_dragging_works_by_htmx(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    order = ["c", "a", "b", "won", "lost", "invalid"]
    answer = send(ada, f"{FREE}/order", htmx=True, stage=order)
    assert answer.status_code == 200
    assert 'id="process-designer"' in answer.text
    assert "<html" not in answer.text
    assert stages(sqlite_town) == order


def test_stages_come_and_go(town: Town) -> None:
    ada = town.as_("Ada")
    new = {"new-label_en": "Visit", "new-label_zh_Hans": "拜访", "new-kind": "open"}
    assert send(ada, f"{FREE}/stages", **new).status_code == 303
    assert stages(town) == ["a", "b", "c", "visit", "won", "lost", "invalid"]
    assert send(ada, f"{FREE}/stages/b/remove").status_code == 303
    assert stages(town) == ["a", "c", "visit", "won", "lost", "invalid"]
    assert "Visit" in ada.get(FREE).text


def test_moves_are_ticked_in_a_table(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    assert send(ada, f"{FREE}/transitions", default="next", rule="1").status_code == 303
    assert document(sqlite_town)["transitions"]["default"] == "next"
    assert send(ada, f"{FREE}/transitions", default="next", move=["a>b", "b>a", "c>won"]).status_code == 303
    transitions = document(sqlite_town)["transitions"]
    assert transitions["allow"] == [["b", "a"]]
    assert ["b", "c"] in transitions["deny"]


def test_moves_are_drawn_as_arrows(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    page = ada.get(f"{FREE}?moves=b&arrow=a>b").text
    assert 'aria-label="From A to B"' in page
    assert "In hand: From A to B." in page
    assert 'id="move-a--c"' not in page
    drawn = send(
        ada, f"{FREE}/moves", **{"from": "lost", "to": "a", "set": "add", "moves": "lost"}, htmx=True
    )
    assert drawn.status_code == 200
    assert re.search(r'class="move move-single move-back"\s+id="move-lost--a"', drawn.text)
    answer = send(ada, f"{FREE}/moves", **{"from": "a", "to": "c", "set": "remove"})
    assert (answer.status_code, answer.headers["Location"]) == (303, FREE)
    transitions = document(sqlite_town)["transitions"]
    assert ["lost", "a"] in transitions["allow"]
    assert transitions["deny"] == [["a", "c"]]


def test_milestones_reasons_and_the_name_are_kept(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    rows = {"milestones-rows-0-label_en": "Win them", "milestones-rows-1-label_en": ""}
    assert send(ada, f"{FREE}/milestones", **rows).status_code == 303
    assert send(ada, f"{FREE}/reasons/lost", **{"lost-rows-0-label_en": "Timing"}).status_code == 303
    settings = {"label_en": "Freedom", "description_en": "For all", "average_cycle_days": "45"}
    assert send(ada, f"{FREE}/settings", **settings).status_code == 303
    found = document(sqlite_town)
    assert found["milestones"] == [{"key": "win_them", "label": {"en": "Win them"}}]
    assert found["reasons"]["lost"] == [{"key": "timing", "label": {"en": "Timing"}}]
    assert (found["label"], found["average_cycle_days"]) == ({"en": "Freedom"}, 45)


def test_a_stage_is_described_equipped_and_guarded(town: Town) -> None:
    ada = town.as_("Ada")
    what = {
        "label_en": "Visit",
        "label_zh_Hans": "拜访",
        "probability": "45",
        "color": "teal",
        "goal_en": "Trust",
        "target_days": "5",
        "breach_days": "12",
    }
    answer = send(ada, STAGE, **what)
    assert (answer.status_code, answer.headers["Location"]) == (303, STAGE)
    work = {
        "actions-0-label_en": "See them",
        "actions-0-role": "rep",
        "tasks-0-label_en": "Go there",
        "tasks-0-severity": "warn",
        "tasks-0-subtasks": "Book the train\r\nPack",
        "indicators-0-label_en": "Visits",
        "indicators-0-target": "3",
        "feedback": "talk",
    }
    assert send(ada, f"{STAGE}/work", **work).status_code == 303
    gate = {
        "required_fields": ["worth", "due"],
        "marker_en": "They said yes",
        "marker": "block",
        "feedback": "warn",
        "tasks": "block",
        "approver": "manager",
        "fallback_role": "admin",
    }
    assert send(ada, f"{STAGE}/gate", **gate).status_code == 303
    found = stage(town)
    assert found["label"] == {"en": "Visit", "zh_Hans": "拜访"}
    assert (found["target_days"], found["breach_days"]) == (5, 12)
    assert found["tasks"][0]["subtasks"][1]["label"] == {"en": "Pack"}
    assert found["gate"]["leave"] == {
        "required_fields": ["worth", "due"],
        "marker": "block",
        "feedback": "warn",
        "approval": {"approver": "manager", "fallback_role": "admin"},
    }
    page = ada.get(STAGE).text
    for text in ("See them", "Go there", "They said yes", "Visits"):
        assert text in page
    uow = town.work()
    drafts.publish_drafts(uow)
    uow.commit()
    assert uow.catalog.pipeline("free").by_key["b"].probability == 45
    uow.session.close()
    seen = town.as_("Rita").get(FREE).text
    assert "They said yes" in seen
    assert "target 5 days · limit 12 days" in seen


def test_a_new_process_begins_as_a_draft(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    answer = ada.post(f"{LIST}/new", {"label_en": "Tender", "object": "matter"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{LIST}/tender")
    assert "First contact" in ada.get(f"{LIST}/tender").text
    assert "Tender" in ada.get(LIST).text
    assert "Tender" not in sqlite_town.as_("Rita").get(LIST).text
    assert ada.post(f"{LIST}/tender/remove", {"checksum": checksum(ada, f"{LIST}/tender")}).status_code == 303
    assert ada.get(f"{LIST}/tender").status_code == 404


def test_a_new_process_needs_a_name_and_an_object(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    answer = ada.post(f"{LIST}/new", {"label_zh_Hans": " ", "object": "matter"})
    assert answer.status_code == 422
    assert "Give it a name" in answer.text
    assert ada.post(f"{LIST}/new", {"label_en": "X", "object": "ghost"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "form", "told", "kept"),
    [
        (f"{FREE}/stages", {"new-label_en": "", "new-label_zh_Hans": " "}, "Give it a name", ""),
        (f"{FREE}/stages", {"new-label_en": "Odd name", "new-kind": "sideways"}, "what the stage means", "Odd name"),
        (f"{FREE}/settings", {"label_en": "Kept name", "average_cycle_days": "many"}, "average cycle is", "Kept name"),
        (f"{FREE}/order", {"stage": ["a", "b"]}, "must name each stage once", ""),
        (f"{FREE}/order", {"up": "ghost"}, "no longer there", ""),
        (f"{FREE}/transitions", {"default": "sideways"}, "Choose a general rule", ""),
        (f"{FREE}/stages/ghost/remove", {}, "no longer there", ""),
        (f"{FREE}/moves", {"from": "a", "to": "a"}, "from one stage to another", ""),
        (STAGE, {"label_en": "Kept name", "breach_days": "soon"}, "from 1 to 3650", "Kept name"),
        (STAGE, {"label_en": "Kept name", "probability": "101"}, "from 0 to 100", "Kept name"),
        (STAGE, {"label_en": "Kept name", "probability": "many"}, "from 0 to 100", "Kept name"),
        (STAGE, {"label_en": ""}, "Give it a name", ""),
        (f"{STAGE}/work", {"tasks-0-label_en": "Kept task", "tasks-0-severity": "never"}, "still open", "Kept task"),
        (f"{STAGE}/gate", {"marker_en": "Kept sign", "approver": "nobody"}, "who approves", "Kept sign"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_what_was_typed_is_kept(
    sqlite_town: Town, path: str, form: dict[str, Any], told: str, kept: str
) -> None:
    ada = sqlite_town.as_("Ada")
    before = document(sqlite_town)
    answer = send(ada, path, **form)
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert kept in answer.text
    assert document(sqlite_town) == before


def marked(text: str) -> set[str]:
    """The ids of the controls that are marked as wrong and described by a message that is there."""
    found = set()
    for control in re.findall(r"<(?:input|select|textarea)[^>]*aria-invalid[^>]*>", text):
        (id,) = re.findall(r' id="([^"]+)"', control)
        (told,) = re.findall(r'aria-describedby="([^"]+)"', control)
        assert f"{id}-error" in told.split()
        assert all(f'id="{each}"' in text for each in told.split())
        found.add(id)
    return found


@pytest.mark.parametrize(
    ("path", "form", "wrong"),
    [
        (
            STAGE,
            {
                "label_en": "",
                "probability": "many",
                "target_days": "0",
                "breach_days": "soon",
                "milestone": "ghost",
                "goal_en": "x" * 4001,
            },
            {"label_en", "probability", "target_days", "breach_days", "milestone", "goal_en"},
        ),
        (
            f"{STAGE}/work",
            {
                "actions-0-label_en": "Kept",
                "actions-1-label_en": "x" * 201,
                "tasks-0-label_en": "Kept",
                "tasks-0-severity": "never",
                "tasks-0-subtasks": "y" * 201,
                "indicators-0-label_en": "Kept",
                "indicators-0-target": "9" * 101,
            },
            {"actions-1-label_en", "tasks-0-severity", "tasks-0-subtasks", "indicators-0-target"},
        ),
        (
            f"{STAGE}/gate",
            {"marker_en": "x" * 201, "feedback": "often", "tasks": "often", "approver": "nobody"},
            {"marker_en", "guard-feedback", "guard-tasks", "approver"},
        ),
        (
            f"{FREE}/settings",
            {"label_en": "", "average_cycle_days": "many", "reminder_days": "-2"},
            {"label_en", "average_cycle_days", "reminder_days"},
        ),
        (f"{FREE}/stages", {"new-label_en": " ", "new-kind": "sideways"}, {"new-label_en", "new-kind"}),
        (
            f"{FREE}/milestones",
            {"milestones-rows-0-label_en": "x" * 201, "milestones-rows-1-label_zh_Hans": "签" * 201},
            {"milestones-rows-0-label_en", "milestones-rows-1-label_zh_Hans"},
        ),
        (f"{FREE}/reasons/lost", {"lost-rows-0-label_en": "x" * 201}, {"lost-rows-0-label_en"}),
    ],
)
def test_every_fault_stands_at_its_control_and_in_the_summary(
    sqlite_town: Town, path: str, form: dict[str, Any], wrong: set[str]
) -> None:
    ada = sqlite_town.as_("Ada")
    before = document(sqlite_town)
    answer = send(ada, path, **form)
    assert answer.status_code == 422
    assert marked(answer.text) == wrong
    if path == f"{FREE}/milestones":
        assert re.search(
            r'<details class="card designer-part"\s+open>\s*<summary>.{0,400}?Milestones',
            answer.text,
            re.DOTALL,
        )
    summary = answer.text.split('class="error-summary"')[1].split("</ul>")[0]
    assert set(re.findall(r'<a href="#([^"]+)">', summary)) == wrong
    lines = re.findall(r"<li>(.*?)</li>", summary)
    assert len(set(lines)) == len(wrong), "each says what it is about"
    for kept in ("many", "soon", "Kept", "x" * 201, "y" * 201, "9" * 101, "签" * 201):
        assert kept in answer.text or kept not in form.values()
    assert document(sqlite_town) == before


def test_the_second_of_two_admins_is_told_and_overwrites_nothing(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    seen = checksum(ada)
    assert send(ada, f"{FREE}/order", up="b").status_code == 303
    late = ada.post(f"{FREE}/order", {"checksum": seen, "up": "c"})
    assert late.status_code == 409
    assert "nothing was overwritten" in late.text
    typed = ada.post(STAGE, {"checksum": seen, "label_en": "Typed name"})
    assert (typed.status_code, "Typed name" in typed.text) == (409, True)
    assert stages(sqlite_town)[:3] == ["b", "a", "c"]


WRITES = [
    f"{LIST}/new",
    *(f"{FREE}/{name}" for name in ("settings", "order", "stages", "transitions", "moves", "milestones", "reasons/lost", "remove", "stages/b/remove")),
    STAGE,
    f"{STAGE}/work",
    f"{STAGE}/gate",
]  # fmt: skip


@pytest.mark.parametrize("path", WRITES)
def test_who_may_not_edit_is_403_strangers_404_and_nothing_unseen_is_written(
    sqlite_town: Town, path: str
) -> None:
    form = {"checksum": "0" * 64, "label_en": "X"}
    assert sqlite_town.as_("Rita").post(path, form).status_code == 403
    assert sqlite_town.as_("Otto").post(path, form).status_code == 404
    if path != f"{LIST}/new":
        ada = sqlite_town.as_("Ada")
        assert ada.post(path, {"label_en": "X", "default": "any"}).status_code == 400
        ghost = path.replace("/free", "/ghost")
        assert ada.post(ghost, form).status_code == 404
        if path != STAGE:
            assert ada.get(path).status_code == 405


def test_what_is_not_there_is_404(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    for path in (f"{LIST}/ghost", f"{FREE}/stages/ghost"):
        assert ada.get(path).status_code == 404
    assert ada.post(f"{FREE}/reasons/sideways", {"checksum": "0" * 64}).status_code == 404
    assert ada.post(f"{FREE}/stages/ghost", {"checksum": "0" * 64}).status_code == 404


def test_what_is_wrong_with_a_draft_is_said_beside_it(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    for key in ("won", "lost", "invalid"):
        send(ada, f"{FREE}/stages/{key}/remove")
    assert "No record can be won here" in html.unescape(ada.get(FREE).text)
    assert send(ada, f"{STAGE}/gate", required_fields=["ghost"]).status_code == 303
    assert "ghost" in html.unescape(ada.get(STAGE).text)


def load(town: Town, *histories: str) -> None:
    """Records that went through stages, a day each; every second one is Rita's."""
    uow = town.work()
    begin = town.clock.now() - timedelta(days=40)
    items = []
    for number, words in enumerate(histories):
        entries = [LoggedEntry(key, begin + timedelta(days=at)) for at, key in enumerate(words.split())]
        holder = {"holder": str(town.ids["Rita"])} if number % 2 else {}
        items.append(LoadedRecord(NewRecord({"title": f"Case {number}", **holder}), entries))
    results = load_histories(uow, "matter", "free", items)
    assert all(isinstance(result, Saved) for result in results), results
    uow.commit()
    uow.session.close()


def earned(page: str) -> dict[str, tuple[str, str]]:
    """Stage → what its probability turned out to be, and the address of the list."""
    found = {}
    for key, card in re.findall(
        r'id="stage-([a-z]+)">(.*?)</li>\s*(?=<li class="card|</ol>)', page, re.DOTALL
    ):
        link = re.search(r'Earned\s*<a href="([^"]+)"><strong>([^<]+)<', card)
        if link:
            found[key] = (link.group(2), html.unescape(link.group(1)))
    return found


def test_beside_the_set_probability_stands_what_was_earned(town: Town) -> None:
    load(town, "a b won", "a b won", *["a b lost"] * 5, *["a b invalid"] * 3, "a b", "a lost", "a c")
    ada = town.as_("Ada")
    page = ada.get(FREE).text

    found = earned(page)
    assert {key: text for key, (text, _) in found.items()} == {
        "a": "2 of 11 = 18.2 %",
        "b": "2 of 10 = 20 %",
    }
    assert "40 %" in page
    listed = ada.get(found["b"][1]).text
    assert "10 records" in listed
    assert "B: Came through and ended" in listed


def test_a_rep_sees_the_rate_of_her_own_records(town: Town) -> None:
    load(town, "a won", "a lost", "a won", "a won")
    rita = town.as_("Rita")
    text, address = earned(rita.get(FREE).text)["a"]
    assert text == "1 of 2 = 50 %"
    assert "2 records" in rita.get(address).text


def test_without_history_there_is_no_rate(town: Town) -> None:
    assert earned(town.as_("Ada").get(FREE).text) == {}


def test_a_drafted_object_is_among_those_whose_process_can_be_said(sqlite_town: Town) -> None:
    uow = sqlite_town.work()
    document = new_object({"en": "Lot"}, {"en": "Lots"}, ())
    designs.begin(uow, document)
    designs.begin(uow, new_pipeline({"en": "Auction"}, document["key"], ()))
    uow.commit()
    uow.session.close()
    place = f"/w/acme/studio/processes/for/{document['key']}"
    assert f'href="{place}"' in sqlite_town.as_("Ada").get("/w/acme/studio/processes").text
    assert place not in sqlite_town.as_("Rita").get("/w/acme/studio/processes").text
