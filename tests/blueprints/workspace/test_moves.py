"""Moving over HTTP: works, redirects, invalid, stale, not yours, forbidden, missing, wrong verb (B1, B2)."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from builder.cli import main
from builder.db.ids import to_public
from builder.db.ledger import MoveRequestRow, RollupDelta, StayRow
from builder.services import maintenance, records, rollup
from builder.services.records import SaveRecord
from tests.fixtures.boards import ANSWERS, Boards

BOARD = "gated?"
_UNMET = re.compile(r'<li data-unmet="([^"]*)" data-field="([^"]*)">.*?<span>(.*?)</span></li>', re.DOTALL)


def unmet(text: str) -> set[tuple[str, str, str]]:
    return {(kind, field, html.unescape(told)) for kind, field, told in _UNMET.findall(text)}


def told_by(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_whole_dialog_moves_and_commits_answers_together(boards: Boards) -> None:
    rita = boards.town.as_("Rita")

    answer = rita.post(boards.address("b"), {**ANSWERS, "revision": "1"})

    assert answer.status_code == 303, answer.text
    assert answer.location == f"/w/acme/r/{to_public(boards.id)}"
    assert (boards.row().stage_key, boards.row().revision) == ("b", 2)
    uow = boards.town.work()
    first = uow.session.scalars(select(StayRow).where(StayRow.record_id == boards.id)).first()
    assert first is not None
    assert first.answers == {"address": "1 High St"}
    assert sorted(first.tasks_done or ()) == ["mail", "visit/go", "visit/plan"]
    assert first.is_marked
    assert maintenance.verify(uow).is_clean
    uow.session.close()
    assert boards.row().data["due"] == "2025-09-01"


def test_a_dragged_card_with_nothing_missing_moves_at_once(boards: Boards) -> None:
    ada = boards.town.as_("Ada")
    record_id = boards.new("Tower", "free", worth="20")

    answer = ada.post(boards.address("b", record_id), {"revision": "1", "board": "free?owner=me"}, htmx=True)

    assert answer.status_code == 200
    moved = told_by(answer.headers["HX-Trigger"])["moved"]
    assert moved == {"record": to_public(record_id), "from": "a", "to": "b"}
    assert answer.headers["HX-Reswap"] == "none"
    assert f'id="c-{to_public(record_id)}" hx-swap-oob="delete"' in answer.text
    assert 'hx-swap-oob="afterbegin:#cards-b"' in answer.text
    assert 'id="head-a" hx-swap-oob="true"' in answer.text
    assert 'id="head-b" hx-swap-oob="true"' in answer.text
    assert boards.row(record_id).stage_key == "b"


def test_a_dragged_card_opens_exactly_what_is_missing(sqlite_boards: Boards) -> None:
    rita = sqlite_boards.town.as_("Rita")

    answer = rita.post(sqlite_boards.address("b"), {"revision": "1", "board": BOARD}, htmx=True)

    assert answer.status_code == 422
    names = set(re.findall(r'name="((?:values|answers)-[^"]+)"', answer.text))
    assert names == {"answers-address", "values-due"}
    assert set(re.findall(r'name="tasks"\s+value="([^"]+)"', answer.text)) == {
        "visit/plan",
        "visit/go",
        "mail",
    }
    assert 'name="marked"' in answer.text
    assert 'name="confirmed"' in answer.text
    assert 'name="override_reason"' not in answer.text
    assert "<html" not in answer.text
    assert sqlite_boards.row().stage_key == "a"


def test_a_condition_that_fails_offers_the_field_it_asks_about(sqlite_boards: Boards) -> None:
    record_id = sqlite_boards.new("Cold", worth="1", due="2025-09-01", heat="cold")

    page = sqlite_boards.town.as_("Ada").get(sqlite_boards.address("b", record_id)).text

    assert 'name="values-heat"' in page
    assert 'name="values-due"' not in page
    assert "It is cold." in page


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"answers-address": ""}, "answers-address-error"),
        ({"answers-address": "nul\0"}, "answers-address-error"),
        ({"values-due": ""}, "values-due-error"),
        ({"values-due": "someday"}, "values-due-error"),
        ({"tasks": ["visit/plan", "mail"]}, "task-visit--go-error"),
        ({"marked": ""}, "#marked"),
    ],
)
def test_invalid_is_422_named_and_keeps_what_was_typed(
    sqlite_boards: Boards, wrong: dict[str, Any], named: str, htmx: bool
) -> None:
    rita = sqlite_boards.town.as_("Rita")
    data = {**ANSWERS, "revision": "1", "answers-mood": "Typed mood", **wrong}

    answer = rita.post(sqlite_boards.address("b"), data, htmx=htmx)

    assert answer.status_code == 422
    assert named in answer.text
    assert 'role="alert"' in answer.text
    assert "Typed mood" in answer.text
    if "values-due" not in wrong:
        assert 'value="2025-09-01"' in answer.text
    if wrong.get("values-due") == "someday":
        assert 'value="someday"' in answer.text
    assert ("<html" in answer.text) is not htmx
    assert sqlite_boards.row().stage_key == "a"


def marked(text: str) -> set[str]:
    controls = re.findall(r"<(?:input|select|textarea)[^>]*aria-invalid[^>]*>", text)
    for control in controls:
        told = re.search(r'aria-describedby="([^"]*)"', control)
        assert told, control
        assert all(f'id="{one}"' in text for one in told[1].split()), told[1]
    return {found for control in controls for found in re.findall(r' id="([^"]+)"', control)}


def test_every_fault_stands_at_its_control_and_in_the_summary(sqlite_boards: Boards) -> None:
    rita = sqlite_boards.town.as_("Rita")
    data = {"_form": "1", "revision": "1", "tasks": ["visit/plan"], "answers-mood": "Typed mood"}
    data |= {"answers-address": "", "values-due": "someday"}

    answer = rita.post(sqlite_boards.address("b"), data)

    assert answer.status_code == 422
    # The task “mail” only warns: it is told, and the box that confirms it is marked.
    wrong = {"answers-address", "values-due", "task-visit--go", "marked", "confirmed"}
    assert marked(answer.text) == wrong
    summary = answer.text.split('class="error-summary"')[1].split("</ul>")[0]
    links = re.findall(r'<a href="#([^"]+)">', summary)
    assert set(links) == {"answers-address", "values-due", "task-visit--go", "task-mail", "marked"}
    assert "<li>" not in summary.replace("<li><a", "")
    assert re.search(r'value="visit/plan" checked', answer.text)
    assert "Typed mood" in answer.text
    assert 'value="someday"' in answer.text


def test_a_condition_stands_at_the_field_that_it_asks_about(sqlite_boards: Boards) -> None:
    record_id = sqlite_boards.new("Cold", worth="1", due="2025-09-01", heat="cold")
    data = {**ANSWERS, "revision": "1", "values-heat": "cold", "values-due": "2025-09-01"}

    answer = sqlite_boards.town.as_("Ada").post(sqlite_boards.address("b", record_id), data)

    assert answer.status_code == 422
    assert "values-heat" in marked(answer.text)
    assert re.search(r'<a href="#values-heat">[^<]*It is cold\.', answer.text)


def test_warnings_are_confirmed(sqlite_boards: Boards) -> None:
    rita = sqlite_boards.town.as_("Rita")
    data = {**ANSWERS, "revision": "1", "tasks": ["visit/plan", "visit/go"]}

    answer = rita.post(sqlite_boards.address("b"), data)
    assert answer.status_code == 422
    assert 'name="confirmed"' in answer.text

    assert rita.post(sqlite_boards.address("b"), {**data, "confirmed": "1"}).status_code == 303
    assert sqlite_boards.row().stage_key == "b"


def test_an_override_needs_the_right_and_a_reason(sqlite_boards: Boards) -> None:
    bare = {"_form": "1", "revision": "1", "override_reason": "The boss said so"}

    assert sqlite_boards.town.as_("Rita").post(sqlite_boards.address("b"), bare).status_code == 403
    ada = sqlite_boards.town.as_("Ada")
    assert 'name="override_reason"' in ada.get(sqlite_boards.address("b")).text
    assert ada.post(sqlite_boards.address("b"), {**bare, "override_reason": " "}).status_code == 422
    assert ada.post(sqlite_boards.address("b"), bare).status_code == 303
    uow = sqlite_boards.town.work()
    first = uow.session.scalars(select(StayRow).where(StayRow.record_id == sqlite_boards.id)).first()
    assert first is not None
    assert first.override_reason == "The boss said so"
    uow.session.close()


def test_closing_asks_for_a_reason_of_the_catalogue(sqlite_boards: Boards) -> None:
    rita = sqlite_boards.town.as_("Rita")
    lost = sqlite_boards.address("lost")

    assert rita.post(lost, {"revision": "1"}, htmx=True).status_code == 422
    wrong = rita.post(lost, {"_form": "1", "revision": "1", "reason_key": "x", "reason_note": "Kept note"})
    assert wrong.status_code == 422
    assert 'href="#reason_key"' in wrong.text
    assert marked(wrong.text) == {"reason_key"}
    assert "Kept note" in wrong.text
    done = rita.post(lost, {"_form": "1", "revision": "1", "reason_key": "price", "reason_note": "Too dear"})
    assert done.status_code == 303
    assert (sqlite_boards.row().outcome, sqlite_boards.row().reason_key) == ("lost", "price")


def test_changing_a_value_asks_anew_without_moving(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")
    record_id = sqlite_boards.new("Cold", worth="1", heat="cold")
    data = {
        "_form": "1",
        "revision": "1",
        "_action": "refresh",
        "values-heat": "hot",
        "values-due": "2025-09-01",
    }

    answer = ada.post(sqlite_boards.address("b", record_id), data, htmx=True)

    assert answer.status_code == 200
    assert "It is cold." not in answer.text
    assert 'value="2025-09-01"' in answer.text
    assert 'role="alert"' not in answer.text
    assert sqlite_boards.row(record_id).revision == 1


def test_a_move_that_needs_approval_is_parked(boards: Boards) -> None:
    rita = boards.town.as_("Rita")
    assert rita.post(boards.address("b"), {**ANSWERS, "revision": "1"}).status_code == 303
    page = rita.get(boards.address("c")).text
    assert "It is sent to Mia" in page

    answer = rita.post(boards.address("c"), {"revision": "2", "board": BOARD}, htmx=True)

    assert answer.status_code == 202
    assert "waits for approval by Mia" in answer.text
    assert "moved" not in told_by(answer.headers["HX-Trigger"])
    assert boards.row().stage_key == "b"
    uow = boards.town.work()
    assert uow.session.scalar(select(MoveRequestRow.approver_id)) == boards.town.ids["Mia"]
    uow.session.close()


@pytest.mark.parametrize("htmx", [False, True])
def test_stale_is_409_and_tells_what_changed(sqlite_boards: Boards, htmx: bool) -> None:
    town = sqlite_boards.town
    rita, ada = town.as_("Rita"), town.as_("Ada")
    uow = town.work()
    records.save(uow, SaveRecord(sqlite_boards.id, {"worth": "77"}, 1))
    uow.commit()
    uow.session.close()
    assert ada.post(sqlite_boards.address("b"), {**ANSWERS, "revision": "2"}).status_code == 303

    data = {**ANSWERS, "revision": "1", "answers-address": "Typed address", "board": BOARD}
    answer = rita.post(sqlite_boards.address("b"), data, htmx=htmx)

    assert answer.status_code == 409
    assert "Ada" in answer.text
    assert "Worth" in answer.text
    assert "77" in answer.text
    assert re.search(r"A <svg.*?</svg> B", answer.text, re.DOTALL)
    assert 'value="Typed address"' in answer.text
    assert 'name="revision" value="3"' in answer.text
    assert ("<html" in answer.text) is not htmx
    if htmx:
        assert answer.headers["HX-Retarget"] == "#fw-dialog"
        look = re.search(r'hx-get="([^"]+/card[^"]*)"', answer.text)
        assert look
        shown = rita.get(html.unescape(look.group(1)), htmx=True)
        assert 'afterbegin:#cards-b"' in shown.text
        assert shown.headers["HX-Trigger"] == "closeDialog"
    again = rita.post(sqlite_boards.address("c"), {**data, "revision": "3", "_action": "refresh"}, htmx=htmx)
    assert again.status_code == 200


def test_not_yours_is_404(sqlite_boards: Boards) -> None:
    otto = sqlite_boards.town.as_("Otto")
    foreign = sqlite_boards.address("b").replace("/acme/", "/other/")

    for path in (sqlite_boards.address("b"), foreign):
        assert otto.get(path).status_code == 404
        assert otto.post(path, {**ANSWERS, "revision": "1"}).status_code == 404
    hidden = sqlite_boards.new("Ada's", holder=str(sqlite_boards.town.ids["Ada"]))
    rita = sqlite_boards.town.as_("Rita")
    assert rita.post(sqlite_boards.address("b", hidden), {"revision": "1"}).status_code == 404
    assert rita.get(sqlite_boards.address("", hidden)).status_code == 404
    assert rita.get(f"/w/acme/r/{to_public(hidden)}/card?board=gated%3F", htmx=True).text.count("bcard") == 0


def test_missing_is_404_and_the_wrong_verb_405(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")

    assert ada.get(sqlite_boards.address("b", 12345)).status_code == 404
    assert ada.post(sqlite_boards.address("nowhere"), {"revision": "1"}).status_code == 404
    assert ada.get(sqlite_boards.address("nowhere")).status_code == 404
    assert ada.post(sqlite_boards.address(), {}).status_code == 405
    assert ada.client.put(sqlite_boards.address("b")).status_code in (400, 405)


@pytest.mark.parametrize("htmx", [False, True])
def test_forbidden_is_403_with_every_reason(sqlite_boards: Boards, htmx: bool) -> None:
    rita = sqlite_boards.town.as_("Rita")

    answer = rita.post(sqlite_boards.address("d"), {"revision": "1", "board": BOARD}, htmx=htmx)

    assert answer.status_code == 403
    assert "Only these roles may make this move" in answer.text
    assert "Task “Visit” is still open." in html.unescape(answer.text)
    assert rita.get(sqlite_boards.address("d")).status_code == 403
    assert sqlite_boards.row().stage_key == "a"


def test_a_step_that_is_not_allowed_offers_another(sqlite_boards: Boards) -> None:
    answer = sqlite_boards.town.as_("Rita").post(sqlite_boards.address("won"), {"revision": "1"}, htmx=True)

    assert answer.status_code == 422
    assert "does not allow going from" in answer.text
    assert "Another stage" in answer.text


def test_page_drag_and_command_line_refuse_with_the_same_list(
    sqlite_boards: Boards, monkeypatch: Any
) -> None:
    ada = sqlite_boards.town.as_("Ada")
    settings = sqlite_boards.town.app.extensions["funnelwright.settings"]
    monkeypatch.setattr("builder.commands.context.read_settings", lambda: settings)

    for to in ("b", "c", "won", "lost"):
        page = unmet(ada.get(sqlite_boards.address(to)).text)
        drag = unmet(ada.post(sqlite_boards.address(to), {"revision": "1"}, htmx=True).text)
        form = unmet(ada.post(sqlite_boards.address(to), {"_form": "1", "revision": "1"}).text)
        run = CliRunner().invoke(
            main, ["move", to_public(sqlite_boards.id), "--to", to, "-w", "acme", "--json"]
        )
        listed = {
            (each["kind"], each["field"] or "", each["message"]) for each in json.loads(run.output)["reasons"]
        }
        assert page == drag == form == listed, to
        assert page


def test_ticked_rows_say_of_each_reason_what_it_is_about(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")
    row = f"{to_public(sqlite_boards.id)}:{sqlite_boards.row().revision}"

    answer = ada.post("/w/acme/o/matter/bulk/move", {"row": [row], "to": "gated/b"})

    assert answer.status_code == 422
    reasons = [html.unescape(text) for text in re.findall(r'class="import-reason">([^<]*)<', answer.text)]
    assert "“Due” must be filled in." in reasons
    assert "Feedback “Address” must be given." in reasons
    assert "Please fill in this field." not in reasons


def test_looking_at_a_move_locks_nothing(boards: Boards, count_statements: Any) -> None:
    rita = boards.town.as_("Rita")
    with count_statements(boards.town.app) as sent:
        for address in (boards.address(), boards.address("b")):
            assert rita.get(address).status_code == 200
    assert sent
    assert not [statement for statement in sent if "FOR UPDATE" in statement or "FOR NO KEY" in statement]
    with count_statements(boards.town.app) as sent:
        assert rita.post(boards.address("b"), {**ANSWERS, "revision": "1"}).status_code == 303
    is_locking = boards.town.app.extensions["funnelwright.engine"].dialect.name == "postgresql"
    assert any("FOR KEY SHARE OF workspace FOR UPDATE OF taken" in each for each in sent) is is_locking


@pytest.mark.parametrize("who", ["Rita", "Mia"])
def test_a_move_takes_eight_statements(
    boards: Boards, count_statements: Any, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """Read: the sign-in with a manager's departments, the record with its stays and the stamp, the heads with
    the card; written: record, stays, slices, roll-up and event. The wall comes with BEGIN.
    """
    monkeypatch.setattr(rollup, "FOLD_EVERY", 1)
    visitor = boards.town.as_(who)
    assert visitor.get(boards.address("b")).status_code == 200

    with count_statements(boards.town.app) as sent:
        answer = visitor.post(boards.address("b"), {**ANSWERS, "revision": "1", "board": BOARD}, htmx=True)

    assert answer.status_code == 200, answer.text
    assert len(sent) <= 8, sent


def test_the_command_line_tells_which_tasks_there_are(sqlite_boards: Boards, monkeypatch: Any) -> None:
    settings = sqlite_boards.town.app.extensions["funnelwright.settings"]
    monkeypatch.setattr("builder.commands.context.read_settings", lambda: settings)
    sent = ["move", to_public(sqlite_boards.id), "--to", "b", "-w", "acme", "--done", "visit/gone"]

    run = CliRunner().invoke(main, sent)

    assert run.exit_code == 1
    assert "has no task “visit/gone”. Its tasks are: visit, visit/plan, visit/go, mail." in run.output
    assert sqlite_boards.row().stage_key == "a"


def test_the_choice_tells_what_each_step_asks_for(sqlite_boards: Boards) -> None:
    rita = sqlite_boards.town.as_("Rita")

    page = rita.get(sqlite_boards.address())
    part = rita.get(f"{sqlite_boards.address()}?board=gated%3Fowner%3Dme", htmx=True)

    assert "<html" in page.text
    assert "<html" not in part.text
    for text in (page.text, part.text):
        titles = re.findall(r'class="move-target-name">([^<]*)<', text)
        assert titles == ["B", "C", "Lost", "Invalid"]
        assert "things missing" in text
    assert "board=gated?owner%3Dme" in html.unescape(part.text)


def test_without_a_board_htmx_is_led_to_the_record(sqlite_boards: Boards) -> None:
    ada = sqlite_boards.town.as_("Ada")

    answer = ada.post(sqlite_boards.address("b"), {**ANSWERS, "revision": "1"}, htmx=True)

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"/w/acme/r/{to_public(sqlite_boards.id)}"


def test_deltas_are_folded_now_and_then(sqlite_boards: Boards, monkeypatch: Any) -> None:
    def deltas() -> int:
        uow = sqlite_boards.town.work()
        found = uow.session.scalars(select(RollupDelta.id)).all()
        uow.session.close()
        return len(found)

    monkeypatch.setattr(rollup, "FOLD_EVERY", 1 << 40)
    record_id = sqlite_boards.new("Tower", "free")
    assert deltas() > 0
    monkeypatch.setattr(rollup, "FOLD_EVERY", 1)

    answer = sqlite_boards.town.as_("Ada").post(sqlite_boards.address("b", record_id), {"revision": "1"})
    assert answer.status_code == 303
    assert deltas() > 0, "nobody waits for it"
    answer.close()
    assert deltas() == 0
    uow = sqlite_boards.town.work()
    assert maintenance.verify(uow).is_clean
    uow.session.close()


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "'; DROP TABLE stay; --", "{{7*7}}", "名字 🙂", "a" * 5000, "\ud800"],
)
def test_hostile_strings_are_text(sqlite_boards: Boards, text: str) -> None:
    ada = sqlite_boards.town.as_("Ada")
    safe = text.encode("utf-8", "surrogatepass")
    data = {
        **ANSWERS, "revision": safe, "answers-address": safe, "values-due": safe, "tasks": [safe], "marked": safe,
        "reason_key": safe, "reason_note": safe, "confirmed": safe, "override_reason": "", "board": safe,
    }  # fmt: skip

    for to in ("b", "lost"):
        answer = ada.post(sqlite_boards.address(to), data)
        assert answer.status_code == 400
        answer = ada.post(sqlite_boards.address(to), {**data, "revision": str(sqlite_boards.row().revision)})
        assert answer.status_code in (303, 422, 400)
        assert "<script>alert" not in answer.text
