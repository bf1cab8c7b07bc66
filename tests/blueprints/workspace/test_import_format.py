"""How an import's file is read, over HTTP: found, shown, put right; and what is refused."""

from __future__ import annotations

import io
import re

import pytest
import xlsxwriter

from tests.fixtures.town import Town, Visitor

FILE = "Report of March\nName;Wert\nMüller;1,5\nTotal;1,5\n".encode("cp1252")
WANTED = {"encoding": "cp1252", "delimiter": ";", "skip": "1", "footer": "1", "has_header": "1"}


def upload(visitor: Visitor, content: bytes, name: str = "cases.csv") -> str:
    answer = visitor.client.post(
        "/w/acme/imports/",
        data={"object": "matter", "file": (io.BytesIO(content), name)},
        headers={"X-CSRFToken": visitor.token},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 303, answer.text
    return answer.location.removesuffix("/mapping")


def is_chosen(page: str, value: str) -> bool:
    return re.search(rf'<option value="{value}"\s+selected>', page) is not None


def sheets() -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.add_worksheet("2025").write_row(0, 0, ["old"])
        new = book.add_worksheet("2026")
        new.write_row(0, 0, ["title", "worth"])
        new.write_row(1, 0, ["First", 7.5])
    return made.getvalue()


def test_what_was_found_is_shown_and_put_right(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    page = ada.get(f"{place}/mapping").text
    assert f'href="{place}/format"' in page
    shown = ada.get(f"{place}/format").text
    assert is_chosen(shown, "cp1252")
    assert "Müller" in shown

    looked = ada.post(f"{place}/format", {**WANTED, "encoding": "cp1251", "refresh": "1"})
    assert looked.status_code == 200
    assert "Mьller" in looked.text
    rows, _, left_out = looked.text.partition("Left out at the end")
    assert "<td>Total</td>" not in rows
    assert "<td>Total</td>" in left_out
    assert is_chosen(ada.get(f"{place}/format").text, "cp1252"), "only looked at"

    kept = ada.post(f"{place}/format", WANTED)
    assert (kept.status_code, kept.location) == (303, f"{place}/mapping")
    mapping = ada.get(f"{place}/mapping").text
    assert "Wert" in mapping
    assert "1 filled" in mapping


def test_another_sheet_of_a_spreadsheet_becomes_records(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, sheets(), "cases.xlsx")
    page = ada.get(f"{place}/format").text
    assert is_chosen(page, "2025")
    assert 'name="encoding"' not in page
    wanted = {"sheet": "2026", "skip": "0", "footer": "0", "has_header": "1"}
    assert ada.post(f"{place}/format", wanted).status_code == 303
    ada.post(f"{place}/mapping", {"field-0": "key:title", "field-1": "key:worth"})
    ada.post(f"{place}/start")
    result = ada.get(f"{place}/result.csv").text
    assert "First,7.5,2,created" in result


def test_with_htmx_the_form_answers_alone_and_leads_on(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    looked = ada.post(f"{place}/format", {**WANTED, "refresh": "1"}, htmx=True)
    assert looked.text.lstrip().startswith("<form")
    kept = ada.post(f"{place}/format", WANTED, htmx=True)
    assert (kept.status_code, kept.headers["HX-Redirect"]) == (204, f"{place}/mapping")


@pytest.mark.parametrize("count", ["-1", "many", "1001", "１"])
def test_a_count_that_is_none_is_told_at_its_field(importing: Town, count: str) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    answer = ada.post(f"{place}/format", {**WANTED, "skip": count})
    assert answer.status_code == 422
    assert 'id="skip-error"' in answer.text
    assert f'value="{count}"' in answer.text
    assert is_chosen(answer.text, "cp1252")


def test_a_file_that_cannot_be_read_so_is_told_and_stays_as_it_was(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    answer = ada.post(f"{place}/format", {**WANTED, "skip": "900"})
    assert answer.status_code == 422
    assert "The file holds no rows." in answer.text
    assert 'value="900"' in answer.text
    book = upload(ada, sheets(), "cases.xlsx")
    answer = ada.post(f"{book}/format", {"sheet": "2027", "skip": "0", "footer": "0", "has_header": "1"})
    assert answer.status_code == 422
    assert "2025, 2026" in answer.text
    assert ada.get(f"{book}/mapping").status_code == 200


def test_whoever_may_not_and_whatever_is_not_there(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    assert importing.as_("Rita").post(f"{place}/format", WANTED).status_code == 403
    assert importing.as_("Otto").post(f"{place}/format", WANTED).status_code == 404
    assert ada.post("/w/acme/imports/AAAAAAAAAAA/format", WANTED).status_code == 404
    assert ada.client.delete(f"{place}/format", headers={"X-CSRFToken": ada.token}).status_code == 405


def test_once_started_it_is_read_as_it_was(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, FILE)
    ada.post(f"{place}/mapping", {"field-0": "key:title"})
    ada.post(f"{place}/start")
    assert ada.post(f"{place}/format", WANTED).status_code == 409
    assert ada.get(f"{place}/format").location == place


def test_bytes_that_are_no_text_in_the_chosen_encoding_are_looked_at_all_the_same(importing: Town) -> None:
    ada = importing.as_("Ada")
    place = upload(ada, "title,worth\nMüller,1\n".encode("cp1252"))
    for more in ({"refresh": "1"}, {}):
        answer = ada.post(f"{place}/format", {"encoding": "utf-8", "has_header": "1", **more})
        assert answer.status_code == (200 if more else 303)
    assert "M\ufffdller" in ada.get(f"{place}/format").text
