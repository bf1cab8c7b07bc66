"""Spreadsheets: values that can be read in one way only, sheets by name, and files that are refused."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xlsxwriter

from builder.errors import Invalid, TooLarge
from builder.exchange.csv import Table, detect
from builder.exchange.detection import FileFormat
from builder.exchange.profile import profile
from builder.exchange.workbooks import sheet_names

Rows = Sequence[Sequence[Any]]
# Spreadsheets know no zones.
_AT = dt.datetime(2026, 3, 1, 13, 45)  # noqa: DTZ001


def workbook(**sheets: Rows) -> io.BytesIO:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for line, cells in enumerate(rows):
                for column, value in enumerate(cells):
                    is_day = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
                    sheet.write(line, column, value, *([day] if is_day else []))
    made.seek(0)
    return made


def ods(rows: Rows) -> io.BytesIO:
    """The least that makes an OpenDocument spreadsheet."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{spaces} office:version="1.2">'
        f'<office:body><office:spreadsheet><table:table table:name="表">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        archive.writestr(
            "META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{manifest}"></manifest:manifest>'
        )
    made.seek(0)
    return made


def test_values_become_texts_that_can_be_read_in_one_way_only() -> None:
    values = ["x ", 5, 1.234, 0.5, 1e20, -2.5, True, dt.date(2026, 3, 1), _AT, ""]
    file = workbook(Deals=[[f"c{n}" for n in range(len(values))], values])
    (row,) = Table(file, detect(file)).rows()
    assert row.line == 2
    assert row.cells == [
        "x ", "5", "1.2340", "0.5", "100000000000000000000", "-2.5", "true", "2026-03-01",
        "2026-03-01 13:45:00", "",
    ]  # fmt: skip


def test_dates_and_numbers_of_a_sheet_leave_nothing_to_ask() -> None:
    rows = [["day", "worth"], *([dt.date(2026, 1, day), 1.234] for day in (2, 3, 4))]
    file = workbook(Deals=rows)
    day, worth = profile(Table(file, detect(file))).columns
    assert (day.kind, day.is_order_open) == ("date", False)
    assert (worth.kind, worth.mark, worth.is_mark_open) == ("decimal", ".", False)


def test_the_first_sheet_with_rows_is_taken_and_any_other_can_be() -> None:
    file = workbook(Empty=[], Notes=[["Report of March"], [], ["a", "b"], ["1", "x"]], Other=[["z"], ["9"]])
    found = detect(file)
    assert found == FileFormat(sheet="Notes", skip=1)
    assert sheet_names(file) == ("Empty", "Notes", "Other")
    table = Table(file, found)
    assert (table.columns, [(row.line, row.cells) for row in table.rows()]) == (("a", "b"), [(4, ["1", "x"])])
    assert Table(file, FileFormat(sheet="Other")).columns == ("z",)


def test_rows_at_the_end_are_left_out_as_told() -> None:
    file = workbook(Deals=[["a", "b"], ["1", "2"], ["3", "4"], ["Total", "6"]])
    table = Table(file, FileFormat(sheet="Deals", footer=1))
    assert [row.cells for row in table.rows()] == [["1", "2"], ["3", "4"]]


def test_an_open_document_is_read() -> None:
    file = ods([["公司", "city"], ["华为", "Shenzhen"]])
    found = detect(file)
    assert found.sheet == "表"
    assert [row.cells for row in Table(file, found).rows()] == [["华为", "Shenzhen"]]


def _archive() -> io.BytesIO:
    """Two tables packed together, as some products export them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("Account.csv", "Id,Name\n1,Acme\n")
        packed.writestr("Contact.csv", "Id,Name\n1,Ann\n")
    return stream


def _bomb() -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/a.xml", "w") as part:
        for _ in range(401):
            part.write(bytes(1_000_000))
    return made


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: io.BytesIO(b"PK\x03\x04not an archive"), Invalid, "cannot be opened"),
        (lambda: io.BytesIO(b"\xd0\xcf\x11\xe0" + bytes(600)), Invalid, "cannot be opened"),
        (lambda: workbook(Empty=[]), Invalid, "no rows"),
        (_bomb, TooLarge, "larger than 400 MB"),
        (_archive, Invalid, "This is a ZIP archive"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    make: Callable[[], io.BytesIO], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        detect(make())


def test_a_sheet_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(Invalid) as refused:
        Table(workbook(Deals=[["a"], ["1"]]), FileFormat(sheet="Dels"))
    assert refused.value.values == {"sheet": "Dels", "sheets": "Deals"}
