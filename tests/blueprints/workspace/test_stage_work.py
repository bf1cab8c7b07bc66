"""Work on the present stage from the record page: tasks, marker, feedback, entering a process."""

from __future__ import annotations

from typing import Any

import pytest

from blueprints.workspace.panel import fingerprint
from builder.db.ids import to_public
from builder.services.transitions import MoveRecord, move
from tests import factories
from tests.blueprints.workspace.desk import NOBODY, actor, make, matter, page_of, present_stay, stored
from tests.fixtures.town import Town

MARKED = {
    **factories.FLOW,
    "key": "marked",
    "milestones": [{"key": "early", "label": {"en": "Early days"}}],
    "stages": [
        factories.stage(
            "a",
            10,
            milestone="early",
            definition={"en": "We have met."},
            goal={"en": "A second meeting."},
            key_actions=[{"label": {"en": "Ask for it"}, "role": "rep"}],
            indicators=[{"label": {"en": "Meetings"}, "target": "3"}],
            marker={"label": {"en": "They call back"}},
            tasks=[
                {
                    "key": "pack",
                    "label": {"en": "Pack the bag"},
                    "subtasks": [
                        {"key": "pen", "label": {"en": "Pen"}},
                        {"key": "ink", "label": {"en": "Ink"}},
                    ],
                }
            ],
            gate={"leave": {"required_fields": ["worth"], "marker": "warn"}},
        ),
        factories.stage(
            "b", 40, goal={"en": "A signed letter."}, gate={"leave": {"required_fields": ["due"]}}
        ),
        *factories.FLOW["stages"][3:],
    ],
}


def facts(town: Town, record: int, **more: Any) -> dict[str, Any]:
    stay = present_stay(town, record)
    return {"stay": to_public(stay.id), "seen": fingerprint(stay.answers or {}), **more}


def publish_marked(town: Town) -> None:
    uow = town.work()
    factories.publish(uow, [MARKED])
    uow.commit()
    uow.session.close()


def go_on(town: Town, record: int, to: str, **more: Any) -> None:
    uow = town.work()
    uow.actor = actor(town, "Rita")
    move(uow, MoveRecord(record, to, is_confirmed=True, **more))
    uow.commit()
    uow.session.close()


def test_a_tick_is_saved_and_redirects_without_htmx(town: Town) -> None:
    record, rita = matter(town), town.as_("Rita")

    answer = rita.post(page_of(record, "/tasks"), facts(town, record, done="call"))

    assert (answer.status_code, answer.headers["Location"]) == (303, page_of(record) + "#stage-tasks")
    assert set(present_stay(town, record).tasks_done) == {"call"}
    assert rita.post(page_of(record, "/tasks"), facts(town, record, shown="call")).status_code == 303
    assert not present_stay(town, record).tasks_done


def test_a_tick_with_htmx_renews_the_tasks_and_what_is_missing(sqlite_town: Town) -> None:
    record, rita = matter(sqlite_town), sqlite_town.as_("Rita")
    assert "Task “Call” is still open." in rita.get(page_of(record)).text

    answer = rita.post(page_of(record, "/tasks"), facts(sqlite_town, record, done="call"), htmx=True)

    assert answer.status_code == 200
    assert 'id="stage-tasks"' in answer.text
    assert 'hx-swap-oob="true"' in answer.text
    assert "is still open" not in answer.text
    assert "<html" not in answer.text


def test_two_people_ticking_never_undo_each_other(sqlite_town: Town) -> None:
    publish_marked(sqlite_town)
    record, rita = matter(sqlite_town, flow="marked"), sqlite_town.as_("Rita")
    both = facts(sqlite_town, record)

    rita.post(page_of(record, "/tasks"), {**both, "done": "pack/pen"})
    rita.post(page_of(record, "/tasks"), {**both, "done": "pack/ink"})

    assert set(present_stay(sqlite_town, record).tasks_done) == {"pack/pen", "pack/ink"}


def test_the_panel_says_what_to_do_now_and_next(sqlite_town: Town) -> None:
    publish_marked(sqlite_town)
    record = matter(sqlite_town, flow="marked")

    page = sqlite_town.as_("Rita").get(page_of(record)).text

    for words in (
        "Early days", "We have met.", "A second meeting.", "Ask for it", "Meetings", "They call back", "Pack the bag",
        "Pen", "“Worth” must be filled in.", "A signed letter.", "Next: B", "Prepare already", "Due",
    ):  # fmt: skip
        assert words in page, words
    assert 'aria-current="step"' in page


def test_what_is_missing_leads_to_its_control(sqlite_town: Town) -> None:
    publish_marked(sqlite_town)
    marked, plain = matter(sqlite_town, flow="marked"), matter(sqlite_town)
    rita = sqlite_town.as_("Rita")

    missing = rita.get(page_of(marked)).text.split('id="stage-missing"')[1].split("</ul>")[0]
    assert f'href="{page_of(marked, "/edit")}#f-worth"' in missing
    assert 'id="f-worth"' in rita.get(page_of(marked, "/edit")).text
    page = rita.get(page_of(plain)).text
    missing = page.split('id="stage-missing"')[1].split("</ul>")[0]
    for control in ("a-address", "task-call"):
        assert f'href="#{control}"' in missing
        assert f'id="{control}"' in page


@pytest.mark.parametrize("htmx", [False, True])
def test_the_marker_is_ticked_by_hand(sqlite_town: Town, htmx: bool) -> None:
    publish_marked(sqlite_town)
    record, rita = matter(sqlite_town, flow="marked"), sqlite_town.as_("Rita")

    answer = rita.post(page_of(record, "/marker"), facts(sqlite_town, record, met="1"), htmx=htmx)

    assert answer.status_code == (200 if htmx else 303)
    assert present_stay(sqlite_town, record).is_marked
    rita.post(page_of(record, "/marker"), facts(sqlite_town, record))
    assert not present_stay(sqlite_town, record).is_marked


def test_feedback_is_saved_though_incomplete(town: Town) -> None:
    record, rita = matter(town), town.as_("Rita")

    answer = rita.post(
        page_of(record, "/feedback"), facts(town, record, **{"a-mood": "fine", "a-address": ""})
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, page_of(record) + "#stage-feedback")
    assert present_stay(town, record).answers == {"mood": "fine"}
    assert 'value="fine"' in rita.get(page_of(record)).text


def test_feedback_with_htmx_stands_alone(sqlite_town: Town) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Rita").post(
        page_of(record, "/feedback"), facts(sqlite_town, record, **{"a-address": "Elm Road 1"}), htmx=True
    )

    assert answer.status_code == 200
    assert "Feedback saved." in answer.text
    assert "<html" not in answer.text
    assert "Address" not in answer.text.split('id="stage-missing"')[1]


@pytest.mark.parametrize("htmx", [False, True])
def test_invalid_feedback_is_422_named_and_kept(sqlite_town: Town, htmx: bool) -> None:
    record = matter(sqlite_town)

    answer = sqlite_town.as_("Rita").post(
        page_of(record, "/feedback"),
        facts(sqlite_town, record, **{"a-mood": "typed", "a-address": "nul\0"}),
        htmx=htmx,
    )

    assert answer.status_code == 422
    assert "a-address-error" in answer.text
    assert 'value="typed"' in answer.text
    assert present_stay(sqlite_town, record).answers is None


def test_feedback_given_meanwhile_is_409_and_shows_theirs(sqlite_town: Town) -> None:
    record, rita = matter(sqlite_town), sqlite_town.as_("Rita")
    before = facts(sqlite_town, record)
    rita.post(page_of(record, "/feedback"), {**before, "a-mood": "theirs", "a-address": ""})

    answer = rita.post(page_of(record, "/feedback"), {**before, "a-mood": "ours", "a-address": ""})

    assert answer.status_code == 409
    assert "theirs" in answer.text
    assert 'value="ours"' in answer.text
    assert present_stay(sqlite_town, record).answers == {"mood": "theirs"}


@pytest.mark.parametrize("part", ["/tasks", "/marker", "/feedback"])
def test_work_on_a_stage_that_was_left_is_409(sqlite_town: Town, part: str) -> None:
    record, rita = matter(sqlite_town, flow="free"), sqlite_town.as_("Rita")
    before = facts(sqlite_town, record)
    go_on(sqlite_town, record, "b")

    assert rita.post(page_of(record, part), before).status_code == 409
    assert rita.post(page_of(record, part), {}).status_code == 409
    assert rita.post(page_of(record, part), {"stay": "nonsense"}).status_code == 409


def test_an_unknown_task_and_a_record_without_a_stage_are_422(sqlite_town: Town) -> None:
    record, plain, rita = matter(sqlite_town), matter(sqlite_town, flow=None), sqlite_town.as_("Rita")

    assert rita.post(page_of(record, "/tasks"), facts(sqlite_town, record, done="nothing")).status_code == 422
    assert rita.post(page_of(plain, "/tasks"), {"done": "call"}).status_code == 422


@pytest.mark.parametrize("part", ["/tasks", "/marker", "/feedback", "/start"])
def test_not_yours_or_missing_is_404_and_without_the_right_403(sqlite_town: Town, part: str) -> None:
    mine, of_mia = matter(sqlite_town, flow=None), matter(sqlite_town, owner="Mia")
    rita = sqlite_town.as_("Rita")

    assert rita.post(page_of(of_mia, part), {"pipeline": "flow"}).status_code == 404
    assert rita.post(f"/w/acme/r/{NOBODY}{part}", {"pipeline": "flow"}).status_code == 404
    sqlite_town.take_right("rep", "move" if part == "/start" else "record.edit")
    assert rita.post(page_of(mine, part), {"pipeline": "flow"}).status_code == 403


def test_a_record_enters_a_process_later(sqlite_town: Town) -> None:
    record, rita = matter(sqlite_town, flow=None), sqlite_town.as_("Rita")
    assert "In no process yet" in rita.get(page_of(record)).text

    assert rita.post(page_of(record, "/start"), {"pipeline": "nothing", "revision": "1"}).status_code == 404
    assert rita.post(page_of(record, "/start"), {"pipeline": "free", "revision": "1"}).status_code == 303

    assert stored(sqlite_town, record).stage_key == "a"
    assert rita.post(page_of(record, "/start"), {"pipeline": "free", "revision": "1"}).status_code == 409


def test_each_visit_keeps_its_answers_under_its_own_form(sqlite_town: Town) -> None:
    record, rita = matter(sqlite_town), sqlite_town.as_("Rita")
    go_on(sqlite_town, record, "b", answers={"address": "Elm Road 1"}, done_tasks=frozenset({"call"}))
    uow = sqlite_town.work()
    fields = {"type": "object", "properties": {"place": factories.text_field("Meeting point")}}
    factories.publish(uow, [{**factories.TALK, "fields": fields}])
    uow.commit()
    uow.session.close()
    go_on(sqlite_town, record, "a")
    go_on(sqlite_town, record, "b", answers={"place": "Harbour"}, done_tasks=frozenset({"call"}))

    visits = rita.get(page_of(record)).text.split('id="visits"')[1]

    for words in ("Address", "Elm Road 1", "Meeting point", "Harbour"):
        assert words in visits


def test_old_faults_warn_and_do_not_block_a_save(sqlite_town: Town) -> None:
    record, rita = make(sqlite_town, "matter", {"title": "Fence", "heat": "hot"}, "flow", owner="Rita"), None
    uow = sqlite_town.work()
    fields = factories.CASE["fields"]
    stricter = {**fields, "required": ["title", "note"]}
    factories.publish(uow, [{**factories.CASE, "fields": stricter}])
    uow.commit()
    uow.session.close()
    rita = sqlite_town.as_("Rita")

    page = rita.get(page_of(record)).text
    assert "Some values do not fit their fields any more" in page
    assert "Note: Please fill in this field." in page
    # A save that leaves the field out of the page is not held up by it.
    answer = rita.post(page_of(record, "/edit"), {"f-title": "Wall", "revision": "1"})
    assert answer.status_code == 303
