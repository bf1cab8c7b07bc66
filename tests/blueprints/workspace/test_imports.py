"""Importing over HTTP: the whole way without JavaScript, and what is refused."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from builder.db.imports import ImportJob
from builder.db.records import Record
from builder.errors import N_, Forbidden
from builder.services import import_runs
from tests import factories
from tests.blueprints.workspace.test_once import key_in
from tests.fixtures.town import Town, Visitor

FILE = (
    "ref,title,worth,due,client,holder,extra\n"
    'A1,First,"1,200.50",2025-06-01,Acme,Rita,x\n'
    "A2,Second,lots,2025-06-02,Acme,Rita,y\n"
    "A3,=HYPERLINK(1),7,2025-06-03,Nobody,Rita,z\n"
)


def upload(visitor: Visitor, text: str, object_key: str = "matter", name: str = "cases.csv") -> str:
    """The address of the new import."""
    data = {"object": object_key, "file": (io.BytesIO(text.encode()), name)}
    answer = visitor.client.post(
        "/w/acme/imports/", data=data, headers={"X-CSRFToken": visitor.token},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    return answer.location.removesuffix("/mapping")


def form_of(page: str) -> dict[str, str]:
    """What a browser would send: every control of the mapping form as it stands."""
    data: dict[str, str] = {}
    for name, body in re.findall(r'<select[^>]*?name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        options = re.findall(r'<option value="([^"]*)"([^>]*)>', body)
        data[name] = next((value for value, rest in options if "selected" in rest), options[0][0])
    for tag in re.findall(r"<input[^>]*>", page):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and value and ("checkbox" not in tag or " checked" in tag):
            data[name.group(1)] = value.group(1)
    return data


def records(town: Town, object_key: str = "matter") -> list[Record]:
    uow = town.work()
    found = uow.session.scalars(
        select(Record).where(Record.object_key == object_key).order_by(Record.external_key)
    ).all()
    uow.session.close()
    return list(found)


def test_a_file_is_received_once(importing: Town) -> None:
    ada = importing.as_("Ada")
    key = key_in(ada.get("/w/acme/imports/new").text)

    def send(*texts: str) -> str:
        files = [(io.BytesIO(text.encode()), f"cases{number}.csv") for number, text in enumerate(texts)]
        answer = ada.post("/w/acme/imports/", {"once": key, "object": "matter", "file": files})
        assert answer.status_code == 303, answer.text
        return answer.location or ""

    first = send(FILE)
    assert send(FILE) == first
    assert first.endswith("/mapping")
    together = send(FILE, FILE)
    assert send(FILE, FILE) == together
    assert together.endswith("/together")
    assert send(FILE.replace("Second", "Last")) != first
    assert ada.get("/w/acme/imports/").text.count("cases0.csv") == 3
    folder = importing.app.extensions["funnelwright.settings"].data_folder / "files"
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert len(kept) == 4


def test_a_file_walks_from_upload_to_result(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    page = ada.get(f"{place}/mapping").text
    data = form_of(page)
    assert data["field-1"] == "key:title"
    assert data["field-2"] == "key:worth"
    assert data["field-4"] == "key:client"
    assert data["field-6"] == ""
    data |= {"key_column": "ref", "field-6": "new:text", "create_references": "1", "entry_pipeline": "free"}
    answer = ada.post(f"{place}/mapping", data)
    assert (answer.status_code, answer.location) == (303, f"{place}/check")
    checked = ada.get(f"{place}/check").text
    assert "1 row would be refused" in checked
    assert "“lots” is not a number." in checked
    assert records(importing) == []
    answer = ada.post(f"{place}/start")
    assert (answer.status_code, answer.location) == (303, place)
    shown = ada.get(place).text
    assert "“lots” is not a number." in shown
    first, third = records(importing)
    assert (first.external_key, first.name, first.amount_minor) == ("A1", "First", 120_050)
    assert (first.pipeline_key, first.stage_key) == ("free", "a")
    assert first.data["extra"] == "x"
    assert first.owner_id == importing.ids["Rita"]
    assert third.name == "=HYPERLINK(1)"
    assert [client.name for client in records(importing, "client")] == ["Acme", "Nobody"]


def test_the_result_file_is_safe_and_gives_one_reason(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    data = form_of(ada.get(f"{place}/mapping").text) | {"key_column": "ref", "create_references": "1"}
    ada.post(f"{place}/mapping", data)
    ada.post(f"{place}/start")
    answer = ada.get(f"{place}/result.csv")
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert answer.headers["Content-Disposition"] == "attachment; filename=cases-result.csv"
    assert lines[0].endswith("Line,Result,Column,Reason")
    assert lines[1].endswith(",2,created,,")
    assert lines[2].endswith(",3,refused,worth,“lots” is not a number.")
    assert ",'=HYPERLINK(1)," in lines[3]


def test_the_same_file_again_changes_nothing(importing: Town) -> None:
    ada = importing.as_("Ada")
    for expected in ("created", "unchanged"):
        place = upload(ada, FILE)
        data = form_of(ada.get(f"{place}/mapping").text) | {"key_column": "ref", "create_references": "1"}
        ada.post(f"{place}/mapping", data)
        ada.post(f"{place}/start")
        assert f",2,{expected},," in ada.get(f"{place}/result.csv").text
    assert len(records(importing)) == 2


def test_an_open_date_order_is_asked_and_the_answer_kept(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "title,due\nA,01/02/2025\nB,03/04/2025\n")
    data = form_of(ada.get(f"{place}/mapping").text)
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 422
    assert "the day and the month cannot be told apart" in answer.text
    ada.post(f"{place}/mapping", data | {"order-1": "mdy"})
    ada.post(f"{place}/start")
    assert sorted(record.data["due"] for record in records(importing)) == ["2025-01-02", "2025-03-04"]


def test_the_mapping_shows_both_sides_and_asks_for_what_the_values_leave_open(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "title,worth,due\nA,$342.09K,01/02/2025\nB,lots,03/04/2025\n")
    page = ada.get(f"{place}/mapping").text
    assert "$342,090.00" in page
    assert "“lots” is not a number." in page
    assert "1 different value cannot be read" in page
    assert "Feb 1, 2025 or Jan 2, 2025?" in page
    data = form_of(page) | {"order-2": "mdy"}
    answer = ada.post(f"{place}/mapping", {**data, "refresh": "1"}, htmx=True)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<form")
    assert "Feb 1, 2025" not in answer.text
    assert "Jan 2, 2025" in answer.text


def test_numbers_may_stand_for_dates_once_somebody_says_so(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "title,due\nA,44196\n")
    data = form_of(ada.get(f"{place}/mapping").text) | {"field-1": "key:due"}
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 422
    assert "numbers stand for dates" in answer.text
    assert 'value="serial"' in answer.text
    ada.post(f"{place}/mapping", data | {"order-1": "serial"})
    ada.post(f"{place}/start")
    assert [record.data["due"] for record in records(importing)] == ["2020-12-31"]


def test_totals_and_notes_at_the_end_are_left_out_and_can_be_taken_back(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "ref,title,worth\nA1,A,1\nA2,B,2\nA3,C,3\nTotal,,6\n\nGenerated by Ann\n")
    page = ada.get(f"{place}/mapping").text
    assert "2 rows at the end are left out" in page
    shown = ada.get(f"{place}/format").text
    assert 'value="2"' in shown
    assert "Generated by Ann" in shown
    assert "Left out at the end" in shown
    data = form_of(shown) | {"footer": "1"}
    assert "Total" not in ada.post(f"{place}/format", data | {"refresh": "1"}).text.partition("Left out")[2]
    assert ada.post(f"{place}/format", data | {"footer": "0"}).status_code == 303
    assert "are left out" not in ada.get(f"{place}/mapping").text


def test_only_the_data_above_the_totals_become_records(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "ref,title,worth\nA1,A,1\nA2,B,2\nA3,C,3\nTotal,,6\n")
    ada.post(f"{place}/mapping", form_of(ada.get(f"{place}/mapping").text))
    ada.post(f"{place}/start")
    assert [record.name for record in records(importing)] == ["A", "B", "C"]


def test_history_is_loaded_into_a_pipeline_made_from_the_file(importing: Town) -> None:
    ada = importing.as_("Ada")
    text = "ref,title,phase,since,done\n1,A,Talk,2025-01-02,\n2,B,Yes,2025-01-03,2025-02-01\n"
    place = upload(ada, text)
    data = form_of(ada.get(f"{place}/mapping").text)
    data |= {"with_history": "1", "stage_column": "phase", "at_column": "since", "closed_column": "done",
             "pipeline": "+", "pipeline_name": "Old", "key_column": "ref"}  # fmt: skip
    page = ada.post(f"{place}/mapping", data | {"refresh": "1"})
    assert page.status_code == 200
    assert "the process and the stages that “Load history” below says" in page.text
    data |= form_of(page.text) | {"stage-1-kind": "won"}
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 303, answer.text
    ada.post(f"{place}/start")
    assert [(record.stage_key, record.outcome) for record in records(importing)] == [
        ("talk", "open"), ("yes", "won")
    ]  # fmt: skip
    made = 'href="/w/acme/studio/processes/old">Old</a>'
    assert "that this import made stays" not in ada.get(place).text
    assert made in ada.get(f"{place}/undo").text
    assert ada.post(f"{place}/undo").status_code == 303
    assert records(importing)[0].deleted_at is not None
    told = ada.get(place).text
    assert "The process that this import made stays" in told
    assert made in told


LOG = (
    "case,step,when,who,worth\n1,Talk,2025-01-02,Rita,100\n1,Offer,2025-01-05,Rita,120\n"
    "2,Talk,2025-01-03,Lone Stranger,50\n1,Signed,2025-02-01,Rita,150\n2,Offer,2025-01-09,Rita,60\n"
)


def test_an_event_log_becomes_records_with_their_stays(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, LOG)
    data = form_of(ada.get(f"{place}/mapping").text)
    data |= {"with_history": "1", "row_is": "visit", "stage_column": "step", "pipeline": "+",
             "pipeline_name": "Old", "key_column": ""}  # fmt: skip
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 422
    assert "needs three columns" in answer.text
    assert form_of(answer.text)["row_is"] == "visit"
    data |= {"key_column": "case", "at_column": "when", "user_column": "who", "amount_column": "worth"}
    page = ada.post(f"{place}/mapping", data | {"refresh": "1"})
    assert "closed_column" not in page.text
    found = form_of(page.text)
    assert [found[f"stage-{place}-text"] for place in range(3)] == ["Talk", "Offer", "Signed"]
    data = found | {"stage-2-kind": "won", "create_users": "1"}
    assert ada.post(f"{place}/mapping", data).status_code == 303
    assert "The rows are visits of stages by 2 records." in ada.get(f"{place}/check").text
    ada.post(f"{place}/start")
    assert [(each.external_key, each.stage_key, each.outcome, each.amount_minor) for each in records(importing)] == [
        ("1", "signed", "won", 15_000), ("2", "offer", "open", 6_000)
    ]  # fmt: skip


DEALS = (
    "Deal - ID,Deal - Title,Deal - Owner,Deal - Value,Deal - Stage,Deal - Status,Deal - Deal created,"
    "Deal - Deal closed on\n"
    "1,One,Rita,100,Qualified,won,2025-01-02,2025-02-01\n"
    "2,Two,Rita,200,Proposal Made,open,2025-01-03,\n"
    "3,Three,Rita,300,Proposal Made,lost,2025-01-04,2025-03-01\n"
)


def test_the_export_of_another_product_is_recognised_and_filled_in(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, DEALS, name="deals.csv")
    page = ada.get(f"{place}/mapping").text
    assert "The headers are those of Pipedrive." in page
    data = form_of(page)
    assert data["start"] == "preset:pipedrive"
    assert (data["field-1"], data["field-2"], data["field-3"]) == ("key:title", "key:holder", "key:worth")
    assert (data["key_column"], data["status_column"]) == ("Deal - ID", "Deal - Status")
    assert (data["pipeline"], data["pipeline_name"]) == ("+", "Pipedrive: Matters")
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 303, answer.text
    assert ada.post(f"{place}/start").status_code == 303
    assert [(record.stage_key, record.outcome, record.amount_minor) for record in records(importing)] == [
        ("won", "won", 10_000), ("proposal_made", "open", 20_000), ("lost", "lost", 30_000),
    ]  # fmt: skip


def test_a_person_may_start_from_something_else_than_what_was_recognised(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, DEALS, name="deals.csv")
    plain = form_of(ada.get(f"{place}/mapping?start=").text)
    assert plain["start"] == ""
    assert "with_history" not in plain
    assert form_of(ada.get(f"{place}/mapping?start=preset:hubspot").text)["start"] == "preset:hubspot"
    for wrong in ("preset:nothing", "nothing:x"):
        assert ada.get(f"{place}/mapping?start={wrong}").status_code == 422


def test_stages_of_the_file_are_matched_with_those_of_a_pipeline_that_is_there(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "ref,title,phase,since\n1,A,Talk,2025-01-02\n2,B,Agreed,2025-01-03\n")
    data = form_of(ada.get(f"{place}/mapping").text)
    data |= {"with_history": "1", "stage_column": "phase", "at_column": "since", "pipeline": "free",
             "key_column": "ref"}  # fmt: skip
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 422
    assert "has no stage for: Talk, Agreed" in answer.text
    data |= form_of(answer.text) | {"stage-0-target": "b", "stage-1-target": "b"}
    answer = ada.post(f"{place}/mapping", data)
    assert answer.status_code == 303, answer.text
    ada.post(f"{place}/start")
    assert {record.stage_key for record in records(importing)} == {"b"}


def test_progress_is_a_fragment_that_asks_again_only_while_it_runs(importing: Town) -> None:
    ada = importing.as_("Ada")
    queue = importing.app.extensions["funnelwright.queue"]
    queue.is_held = True
    place = upload(ada, "title\nA\n")
    ada.post(f"{place}/mapping", form_of(ada.get(f"{place}/mapping").text))
    ada.post(f"{place}/start")
    waiting = ada.get(place, htmx=True).text
    assert waiting.lstrip().startswith("<section")
    assert 'hx-trigger="every 1s"' in waiting
    queue.work()
    assert "hx-trigger" not in ada.get(place, htmx=True).text


def test_an_import_is_started_once_and_can_be_stopped(importing: Town) -> None:
    ada = importing.as_("Ada")
    queue = importing.app.extensions["funnelwright.queue"]
    queue.is_held = True
    place = upload(ada, "title\nA\n")
    ada.post(f"{place}/mapping", form_of(ada.get(f"{place}/mapping").text))
    assert ada.post(f"{place}/start").status_code == 303
    assert ada.post(f"{place}/start").status_code == 409
    assert ada.post(f"{place}/cancel").status_code == 303
    queue.work()
    assert records(importing) == []


def test_a_row_whose_record_is_here_already_is_taken_as_chosen(importing: Town) -> None:
    ada = importing.as_("Ada")
    for title, known_rows in (("One", "change"), ("Two", "leave"), ("Three", "?"), ("Four", "refuse")):
        place = upload(ada, f"ref,title\nA,{title}\n")
        data = form_of(ada.get(f"{place}/mapping").text) | {"key_column": "ref", "known_rows": known_rows}
        assert ada.post(f"{place}/mapping", data).status_code == 303
        kept = form_of(ada.get(f"{place}/mapping").text)["known_rows"]
        assert kept == (known_rows if known_rows != "?" else "change")
        ada.post(f"{place}/start")
    assert [record.name for record in records(importing)] == ["Three"]
    assert "A record with this key is here already" in ada.get(place).text


def test_a_file_that_breaks_off_leads_to_how_it_is_read_with_the_line(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, 'title,worth\nA,1\n"' + "x" * 1_000_001)
    answer = ada.get(f"{place}/mapping")
    assert (answer.status_code, answer.location) == (303, f"{place}/format")
    page = ada.get(f"{place}/format")
    assert page.status_code == 422
    assert "The row at line 3 cannot be read" in page.text
    assert records(importing) == []


def test_a_file_of_a_header_alone_says_so_and_cannot_be_imported(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "title,worth\n")
    answer = ada.post(f"{place}/mapping", form_of(ada.get(f"{place}/mapping").text))
    page = ada.get(answer.location).text
    assert "The file holds no rows below its header." in page
    assert f'action="{place}/start"' in page
    assert ">Import</button>" not in " ".join(page.split()).replace(
        "</svg>Import </button>", ">Import</button>"
    )


def test_an_import_that_was_stopped_goes_on_and_keeps_what_was_written(
    importing: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_runs, "BATCH_ROWS", 2)
    ada = importing.as_("Ada")
    queue = importing.app.extensions["funnelwright.queue"]
    queue.is_held = True
    place = upload(ada, "ref,title\n" + "".join(f"R{n},T{n}\n" for n in range(5)))
    data = form_of(ada.get(f"{place}/mapping").text) | {"key_column": "ref"}
    assert ada.post(f"{place}/mapping", data).status_code == 303
    assert ada.post(f"{place}/cancel").status_code == 409  # not begun
    assert ada.post(f"{place}/resume").status_code == 409
    ada.post(f"{place}/start")
    assert ada.post(f"{place}/cancel").status_code == 303
    queue.work()
    page = ada.get(place).text
    assert "Go on with the import" in page
    assert ada.post(f"{place}/resume").status_code == 303
    assert ada.post(f"{place}/resume").status_code == 409  # it waits already
    queue.work()
    assert [record.external_key for record in records(importing)] == ["R0", "R1", "R2", "R3", "R4"]
    page = ada.get(place).text
    assert "Go on with the import" not in page
    assert 'href="/w/acme/o/matter"' in page
    assert ada.post(f"{place}/resume").status_code == 409
    assert ada.get(f"{place}/resume").status_code == 405
    assert ada.post("/w/acme/imports/AAAAAAAAAAA/resume").status_code == 404
    assert importing.as_("Rita").post(f"{place}/resume").status_code == 403
    assert importing.as_("Otto").post(f"{place}/resume").status_code == 404


def test_a_running_import_says_how_long_it_will_take(importing: Town) -> None:
    ada = importing.as_("Ada")
    queue = importing.app.extensions["funnelwright.queue"]
    queue.is_held = True
    place = upload(ada, "title\nA\n")
    ada.post(f"{place}/mapping", form_of(ada.get(f"{place}/mapping").text))
    ada.post(f"{place}/start")
    uow = importing.work()
    uow.begin()
    job = uow.session.scalars(select(ImportJob)).one()
    job.status, job.total_rows, job.done_rows = "running", 10_000, 2_500
    job.started_at = importing.clock.now() - timedelta(seconds=40)
    uow.commit()
    uow.session.close()
    page = " ".join(ada.get(place, htmx=True).text.split())
    assert "62 rows a second · about 2 minutes left" in page
    # Stopped at 2,500 and gone on: the time between counts for no rate.
    uow = importing.work()
    uow.begin()
    job = uow.session.scalars(select(ImportJob)).one()
    job.options = {**job.options, "resumed_rows": 2_000}
    uow.commit()
    uow.session.close()
    assert "12 rows a second" in ada.get(place, htmx=True).text


def test_why_an_import_could_not_go_on_is_told_in_the_language_of_the_reader(importing: Town) -> None:
    ada = importing.as_("Ada")
    queue = importing.app.extensions["funnelwright.queue"]
    queue.is_held = True
    place = upload(ada, "title\nA\n")
    ada.post(f"{place}/mapping", form_of(ada.get(f"{place}/mapping").text))
    ada.post(f"{place}/start")
    uow = importing.work()
    job_id = uow.session.scalars(select(ImportJob.id)).one()
    import_runs.fail(
        uow, job_id, Forbidden(N_("Whoever started this does not belong to the workspace any more."))
    )
    uow.session.close()
    assert "does not belong to the workspace any more" in ada.get(place).text
    chinese = ada.get(place, **{"Accept-Language": "zh-CN"}).text
    assert "The import could not go on" not in chinese
    assert "does not belong" not in chinese


def test_a_role_without_the_right_is_refused_everywhere(importing: Town) -> None:
    ada, rita = importing.as_("Ada"), importing.as_("Rita")
    place = upload(ada, FILE)
    for path in ("/w/acme/imports/", "/w/acme/imports/new", place, f"{place}/mapping", f"{place}/result.csv"):
        assert rita.get(path).status_code == 403
    for path in (f"{place}/mapping", f"{place}/start", f"{place}/cancel"):
        assert rita.post(path).status_code == 403


def test_files_and_results_are_for_whoever_brought_them_and_for_admins(importing: Town) -> None:
    uow = importing.work()
    roles = [factories.role(key, (*factories.REP_RIGHTS, "import"), "own") for key in ("rep", "manager")]
    factories.publish(uow, roles)
    uow.commit()
    uow.session.close()
    rita, mia, ada = (importing.as_(name) for name in ("Rita", "Mia", "Ada"))
    place = upload(rita, "title\nSecret\n", name="ritas.csv")
    rita.post(f"{place}/mapping", form_of(rita.get(f"{place}/mapping").text))

    for part in ("", "/mapping", "/check", "/result.csv"):
        assert mia.get(place + part).status_code == 404, part
    for part in ("/mapping", "/start", "/cancel"):
        assert mia.post(place + part).status_code == 404, part
    assert "ritas.csv" not in mia.get("/w/acme/imports/").text
    assert rita.post(f"{place}/start").status_code == 303
    for person in (rita, ada):
        assert "ritas.csv" in person.get("/w/acme/imports/").text
        assert person.get(place).status_code == 200
        assert "Secret" in person.get(f"{place}/result.csv").text
    assert mia.get(f"{place}/result.csv").status_code == 404


def test_the_result_of_a_file_that_is_gone_is_told_in_words(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "title\nA\n")
    ada.post(f"{place}/mapping", form_of(ada.get(f"{place}/mapping").text))
    ada.post(f"{place}/start")
    folder = importing.app.extensions["funnelwright.settings"].data_folder / "files"
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()

    for part in ("/result.csv", "/mapping"):
        answer = ada.get(place + part)
        assert answer.status_code == 404
        assert "This file is no longer stored." in answer.text
    assert ada.get(place).status_code == 200


def test_another_workspace_does_not_know_the_import(importing: Town) -> None:
    place = upload(importing.as_("Ada"), FILE)
    otto = importing.as_("Otto")
    assert otto.get(place).status_code == 404
    assert otto.get(place.replace("/acme/", "/other/")).status_code == 404


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "The file holds no rows."),
        (b"%PDF-1.7", "Save it as CSV"),
        (b"PK\x03\x04zip", "This spreadsheet cannot be opened"),
        (b"\x1f\x8bno gzip", "damaged"),
        (b"a,b\n" + b"x" * 3_000_000 + b",1\n", ""),
    ],
)
def test_a_broken_file_is_told_in_words(importing: Town, content: bytes, text: str) -> None:
    ada = importing.as_("Ada")
    answer = ada.client.post(
        "/w/acme/imports/", data={"object": "matter", "file": (io.BytesIO(content), "x.csv")},
        headers={"X-CSRFToken": ada.token}, content_type="multipart/form-data",
    )  # fmt: skip
    if text:
        assert answer.status_code == 422
        assert text in answer.text
    else:
        assert ada.client.get(answer.location, follow_redirects=True).status_code == 422


def test_no_file_and_no_object_are_told(importing: Town) -> None:
    ada = importing.as_("Ada")
    assert ada.post("/w/acme/imports/", {"object": "matter"}).status_code == 422
    data = {"object": "nothing", "file": (io.BytesIO(b"a\n1\n"), "x.csv")}
    answer = ada.client.post(
        "/w/acme/imports/", data=data, headers={"X-CSRFToken": ada.token}, content_type="multipart/form-data"
    )
    assert answer.status_code == 404


def test_joined_columns_units_and_options_are_said_on_the_page_and_carried_out(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "ref,first,last,Worth (k USD),heat\nA1,Ann,Lee,1.5,hot\nA2,Bo,Day,2,boiling\n")
    data = form_of(ada.get(f"{place}/mapping?start=").text)
    assert data["unit-3"] == "3:"
    data |= {"join-0-0": "first", "join-0-1": "last", "join-0-mark": "space", "refresh": "1"}
    data |= {"key_column": "ref", "field-4": "key:heat"}
    page = ada.post(f"{place}/mapping", data).text
    assert "first + last" in page
    assert "1 value names no option" in page
    data = form_of(page)
    data |= {"field-1": "", "field-2": "", "field-5": "key:title", "meaning-4-0": "+"}
    page = ada.post(f"{place}/mapping", {**data, "refresh": "1"}).text
    assert "$1,500.00" in page
    assert ada.post(f"{place}/mapping", data).status_code == 303
    assert "2 rows" not in ada.get(f"{place}/check").text
    ada.post(f"{place}/start")
    assert [(row.name, row.amount_minor, row.data["heat"]) for row in records(importing)] == [
        ("Ann Lee", 150_000, "hot"), ("Bo Day", 200_000, "boiling"),
    ]  # fmt: skip
