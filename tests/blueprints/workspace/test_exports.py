"""Exporting over HTTP: the dialog, files at once and from the background, for whom they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ledger import EventRow
from builder.exchange.blobs import FolderBlobStore
from builder.services import exports as services
from tests import factories
from tests.blueprints.workspace.desk import MATTERS, NOBODY, make, matter, sent_by
from tests.fixtures.exports import InlineExports
from tests.fixtures.town import Town, Visitor

EXPORT = f"{MATTERS}/export"
CSV = {"columns": "shown", "format": "csv"}
# it holds the second in which it was made
_TOKEN = re.compile(r'name="csrf_token" value="[^"]*"')


@pytest.fixture
def house(town: Town) -> Town:
    return with_queue(town)


@pytest.fixture
def sqlite_house(sqlite_town: Town) -> Town:
    return with_queue(sqlite_town)


def with_queue(town: Town) -> Town:
    settings = town.app.extensions["funnelwright.settings"]
    blobs = FolderBlobStore(settings.data_folder / "files")
    engine = town.app.extensions["funnelwright.engine"]
    town.app.extensions["funnelwright.queue"] = InlineExports(engine, town.clock, blobs)
    return town


def queue_of(town: Town) -> InlineExports:
    return town.app.extensions["funnelwright.queue"]


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def may_export(town: Town, *roles: str) -> None:
    """Let people of these roles export, too."""
    uow = town.work()
    known = {role["key"]: role for role in factories.ROLES}
    factories.publish(
        uow, [{**known[key], "rights": [*known[key]["rights"], "record.export"]} for key in roles]
    )
    uow.commit()
    uow.session.close()


def noted(town: Town, kind: str = "records.exported") -> list[Any]:
    uow = town.work()
    found = uow.session.execute(
        select(EventRow.actor_id, EventRow.object_key, EventRow.data).where(EventRow.kind == kind)
    ).all()
    uow.session.close()
    return list(found)


def large(town: Town, monkeypatch: pytest.MonkeyPatch, visitor: Visitor, **more: str) -> str:
    """An export that is too large to be made at once; the address of its job."""
    monkeypatch.setattr(services, "AT_ONCE", 1)
    answer = visitor.post(EXPORT, {**CSV, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_a_list_is_exported_as_it_is_shown(house: Town) -> None:
    for title, worth in (("Beta", "5.00"), ("=Alpha", "-7.50"), ("Gamma", "9.00")):
        matter(house, title, worth=worth, heat="hot")
    ada = house.as_("Ada")
    page = ada.get(f"{MATTERS}?sort=-worth&cols=title,worth,heat,record.stage,record.owner").text
    address = re.search(rf'href="({EXPORT}[^"]*)"', page)
    assert address
    dialog = ada.get(address[1].replace("&amp;", "&"), htmx=True).text
    assert dialog.lstrip().startswith("<div")
    sent = dict(sent_by(dialog, "export-form"))
    answer = ada.post(EXPORT, {**sent, "columns": "shown", "format": "csv"})
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Matters 2025-05-12.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text.startswith("\ufeff")
    found = rows_of(answer.text)
    assert all(row[0].startswith("fw:") for row in found[1:]), "an import finds each record again"
    assert [found[0][0], len({row[0] for row in found})] == ["Record ID", 4]
    assert [row[1:] for row in found] == [
        ["Title", "Worth", "Worth (currency)", "Heat", "Stage", "Owner"],
        ["Gamma", "9.00", "USD", "Hot", "A", "Rita"],
        ["Beta", "5.00", "USD", "Hot", "A", "Rita"],
        ["'=Alpha", "-7.50", "USD", "Hot", "A", "Rita"],
    ]


def test_filter_words_and_saved_view_of_the_list_hold_for_the_file(sqlite_house: Town) -> None:
    for title, heat in (("One", "hot"), ("Two", "cold"), ("Three", "hot")):
        matter(sqlite_house, title, heat=heat)
    ada = sqlite_house.as_("Ada")
    hot = '{"field":"heat","op":"eq","value":"hot"}'
    answer = ada.post(EXPORT, {**CSV, "f": hot, "sort": "title"})
    assert [row[1] for row in rows_of(answer.text)] == ["Title", "One", "Three"]
    assert not answer.text.startswith("\ufeff")
    assert [row[1] for row in rows_of(ada.post(EXPORT, {**CSV, "q": "thr"}).text)] == ["Title", "Three"]
    saved = ada.post(f"{MATTERS}/views", {"name": "Hot: ones", "f": hot, "cols": "heat,title"})
    view = saved.location.rpartition("view=")[2]
    answer = ada.post(EXPORT, {**CSV, "view": view})
    assert rows_of(answer.text)[0] == ["Record ID", "Heat", "Title"]
    assert len(rows_of(answer.text)) == 3
    assert '"Hot ones 2025-05-12.csv"' in answer.headers["Content-Disposition"]
    (first, *_rest, last) = noted(sqlite_house)
    assert (first.actor_id, first.object_key, first.data["count"]) == (sqlite_house.ids["Ada"], "matter", 2)
    assert first.data["filter"] == {"field": "heat", "op": "eq", "value": "hot"}
    assert last.data["columns"] == ["@id", "heat", "title"]


def test_nobody_exports_what_they_do_not_see(house: Town) -> None:
    may_export(house, "rep", "manager")
    matter(house, "Ritas", owner="Rita")
    matter(house, "Adas", owner="Ada")
    gone = matter(house, "Gone", owner="Rita")
    house.as_("Ada").post(f"/w/acme/r/{_public(gone)}/delete", {"revision": "1"})
    for name, seen in (("Rita", ["Ritas"]), ("Mia", ["Ritas"]), ("Ada", ["Adas", "Ritas"])):
        text = house.as_(name).post(EXPORT, {**CSV, "sort": "title"}).text
        assert [row[1] for row in rows_of(text)[1:]] == seen, name


def _public(record_id: int) -> str:
    from builder.db.ids import to_public

    return to_public(record_id)


def test_all_fields_come_with_keys_and_process(sqlite_house: Town) -> None:
    matter(sqlite_house, "One", heat="hot")
    ada = sqlite_house.as_("Ada")
    head, row = rows_of(ada.post(EXPORT, {"columns": "all", "format": "csv"}).text)
    found = dict(zip(head, row, strict=True))
    assert head[:2] == ["Record ID", "External ID"]
    assert found["Record ID"].startswith("fw:")
    assert (found["Title"], found["Heat"], found["Stage"], found["Outcome"]) == ("One", "hot", "A", "Open")
    assert "Owner" not in found, "the field that holds the owner stands there"
    chinese = ada.get(EXPORT, **{"Accept-Language": "zh-CN"})
    assert chinese.status_code == 200


def test_an_excel_file_holds_numbers_and_days(sqlite_house: Town) -> None:
    from python_calamine import load_workbook

    matter(sqlite_house, "=1+1", worth="1234.50", due="2026-11-21")
    ada = sqlite_house.as_("Ada")
    answer = ada.post(EXPORT, {"columns": "shown", "format": "xlsx", "cols": "title,worth,due"})
    assert answer.mimetype.endswith("spreadsheetml.sheet")
    head, row = load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert head == ["Record ID", "Title", "Worth", "Worth (currency)", "Due"]
    assert row[1:4] == ["=1+1", 1234.5, "USD"]
    assert row[4].isoformat() == "2026-11-21"


def test_a_large_export_runs_in_the_background_and_is_for_its_owner_alone(
    house: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_export(house, "manager")
    for title in ("A", "B", "C"):
        matter(house, title)
    ada, mia = house.as_("Ada"), house.as_("Mia")
    queue_of(house).is_held = True
    monkeypatch.setattr(services, "AT_ONCE", 1)
    assert "more than 1 records" in ada.get(EXPORT).text
    place = large(house, monkeypatch, ada)
    waiting = ada.get(place, htmx=True).text
    assert waiting.lstrip().startswith("<section")
    assert 'hx-trigger="every 1s"' in waiting
    assert ada.get(f"{place}/file").status_code == 409
    queue_of(house).work()
    shown = ada.get(place, htmx=True).text
    assert "hx-trigger" not in shown
    assert _TOKEN.sub("", shown) in _TOKEN.sub("", ada.get(place).text)
    assert "The file is ready: 3 records." in shown
    file = ada.get(f"{place}/file")
    assert '"Matters 2025-05-12.csv"' in file.headers["Content-Disposition"]
    assert len(rows_of(file.text)) == 4
    assert "Matters 2025-05-12.csv" in ada.get("/w/acme/exports/").text

    for part in ("", "/file"):
        assert mia.get(place + part).status_code == 404, part
    for part in ("/cancel", "/remove"):
        assert mia.post(place + part).status_code == 404, part
    assert "Matters 2025-05-12.csv" not in mia.get("/w/acme/exports/").text
    assert [event.data["count"] for event in noted(house)] == [3]
    assert len(noted(house, "export.downloaded")) == 1


def test_a_file_goes_when_its_days_are_over_or_its_owner_wants_it(
    sqlite_house: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    matter(sqlite_house, "A")
    matter(sqlite_house, "B")
    ada = sqlite_house.as_("Ada")
    folder = sqlite_house.app.extensions["funnelwright.settings"].data_folder / "files"
    first, second = large(sqlite_house, monkeypatch, ada), large(sqlite_house, monkeypatch, ada)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
    assert ada.post(f"{first}/remove").status_code == 303
    assert ada.get(f"{first}/file").status_code == 404
    assert "The file was removed." in ada.get(first).text
    sqlite_house.clock.advance(timedelta(days=7))
    answer = ada.get(f"{second}/file")
    assert answer.status_code == 404
    assert "This file is no longer stored." in answer.text
    assert "kept until" not in ada.get(second).text
    assert queue_of(sqlite_house).expiring[0][2] == timedelta(days=7).total_seconds()
    queue_of(sqlite_house).expire()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_an_export_can_be_stopped_once(sqlite_house: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    matter(sqlite_house, "A")
    matter(sqlite_house, "B")
    ada = sqlite_house.as_("Ada")
    queue_of(sqlite_house).is_held = True
    place = large(sqlite_house, monkeypatch, ada)
    assert ada.post(f"{place}/cancel").status_code == 303
    assert ada.post(f"{place}/cancel").status_code == 409
    queue_of(sqlite_house).work()
    assert ada.get(f"{place}/file").status_code == 409
    assert noted(sqlite_house) == []


def test_only_so_many_run_at_once_and_only_so_many_records_fit(
    sqlite_house: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    matter(sqlite_house, "A")
    matter(sqlite_house, "B")
    ada = sqlite_house.as_("Ada")
    queue_of(sqlite_house).is_held = True
    for _ in range(services.MOST_RUNNING):
        large(sqlite_house, monkeypatch, ada)
    answer = ada.post(EXPORT, {**CSV, "format": "xlsx"})
    assert answer.status_code == 409
    assert "3 of your exports are still running" in answer.text
    assert dict(sent_by(answer.text, "export-form"))["format"] == "xlsx"
    monkeypatch.setattr(services, "MOST_CSV_ROWS", 1)
    answer = ada.post(EXPORT, CSV)
    assert answer.status_code == 422
    assert "An export holds at most 1 records" in answer.text


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"columns": "some"}, "Choose which columns the file has."),
        ({"format": "pdf"}, "Choose the kind of file."),
        ({"f": "{"}, "This filter cannot be understood."),
        ({"f": '{"field":"note","op":"empty"}'}, "cannot be filtered"),
    ],
)
def test_invalid_choices_are_told_and_the_others_kept(
    sqlite_house: Town, sent: dict[str, str], text: str
) -> None:
    ada = sqlite_house.as_("Ada")
    answer = ada.post(EXPORT, {**CSV, "cols": "heat", "format": "xlsx", **sent})
    assert answer.status_code == 422
    assert text in answer.text
    assert dict(sent_by(answer.text, "export-form"))["cols"] == "heat"
    assert noted(sqlite_house) == []


def test_without_the_right_there_is_neither_button_nor_file(sqlite_house: Town) -> None:
    rita = sqlite_house.as_("Rita")
    assert "/export" not in rita.get(MATTERS).text
    for path in (EXPORT, "/w/acme/exports/", f"/w/acme/exports/{NOBODY}", f"/w/acme/exports/{NOBODY}/file"):
        assert rita.get(path).status_code == 403, path
    for path in (EXPORT, f"/w/acme/exports/{NOBODY}/cancel", f"/w/acme/exports/{NOBODY}/remove"):
        assert rita.post(path, CSV).status_code == 403, path


def test_whoever_lost_the_right_meanwhile_gets_no_file(
    sqlite_house: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_export(sqlite_house, "manager")
    matter(sqlite_house, "A")
    matter(sqlite_house, "B")
    mia = sqlite_house.as_("Mia")
    queue_of(sqlite_house).is_held = True
    large(sqlite_house, monkeypatch, mia)
    sqlite_house.take_right("manager", "record.export")
    from builder.errors import Forbidden

    with pytest.raises(Forbidden):
        queue_of(sqlite_house).work()
    assert noted(sqlite_house) == []
    assert len(noted(sqlite_house, "export.failed")) == 1


def test_missing_strange_and_wrong_verbs(sqlite_house: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, otto = sqlite_house.as_("Ada"), sqlite_house.as_("Otto")
    matter(sqlite_house, "A")
    matter(sqlite_house, "B")
    place = large(sqlite_house, monkeypatch, ada)
    assert ada.get("/w/acme/o/nothing/export").status_code == 404
    assert ada.post("/w/acme/o/nothing/export", CSV).status_code == 404
    assert ada.get(f"{EXPORT}?view={NOBODY}").status_code == 404
    assert ada.get(f"/w/acme/exports/{NOBODY}").status_code == 404
    for part in ("cancel", "remove"):
        assert ada.post(f"/w/acme/exports/{NOBODY}/{part}").status_code == 404
        assert ada.get(f"{place}/{part}").status_code == 405
    assert ada.post(f"{place}/file").status_code == 405
    assert otto.get(place).status_code == 404
    assert otto.get(place.replace("/acme/", "/other/")).status_code == 404


def test_a_page_of_the_dialog_costs_few_statements(
    sqlite_house: Town, count_statements: Callable[..., Any]
) -> None:
    make(sqlite_house, "client", {"title": "Acme"})
    ada = sqlite_house.as_("Ada")
    ada.get(EXPORT)
    with count_statements(sqlite_house.app) as sent:
        ada.get(EXPORT, htmx=True)
    assert len(sent) <= 4, sent
