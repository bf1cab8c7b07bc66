"""Files of rows: CSV that no spreadsheet executes, XLSX that calculates and loses nothing."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import load_workbook

from builder.errors import Invalid
from builder.exchange import export_files
from builder.exchange.export_files import CsvSheet, SheetColumn, XlsxSheet
from builder.exchange.harmless import plain_text

KINDS = ("text", "number", "percent", "day", "moment", "yes_no")
COLUMNS = [SheetColumn(kind, kind) for kind in KINDS]  # type: ignore[arg-type]


def as_csv(columns: Sequence[SheetColumn], rows: Sequence[Sequence[str]], *, bom: bool = False) -> str:
    stream = io.BytesIO()
    sheet = CsvSheet(stream, columns, bom=bom)
    sheet.write(rows)
    sheet.close()
    return stream.getvalue().decode("utf-8")


def as_xlsx(
    columns: Sequence[SheetColumn], rows: Sequence[Sequence[str]], zone: str = "Europe/Berlin"
) -> list[list[Any]]:
    stream = io.BytesIO()
    sheet = XlsxSheet(stream, columns, zone=zone, title="A/B: [things]?")
    sheet.write(rows)
    sheet.close()
    with zipfile.ZipFile(stream) as package:
        for name in package.namelist():
            ElementTree.fromstring(package.read(name))
    return load_workbook(io.BytesIO(stream.getvalue())).get_sheet_by_index(0).to_python()


def test_csv_begins_with_the_mark_when_wanted_and_ends_lines_as_the_standard_has_it() -> None:
    assert as_csv(COLUMNS[:1], [["é"]], bom=True) == "\ufefftext\r\né\r\n"
    assert as_csv(COLUMNS[:1], [["é"]]) == "text\r\né\r\n"


def test_numbers_stay_plain_and_everything_else_that_begins_like_a_formula_is_guarded() -> None:
    text = as_csv(COLUMNS, [["-1", "-1.50", "-3", "", "", ""], ["=1", "-1:30", "+1h", "@x", "=y", "\tz"]])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1] == ["'-1", "-1.50", "-3", "", "", ""]
    assert rows[2] == ["'=1", "'-1:30", "'+1h", "'@x", "'=y", "'\tz"]


def test_xlsx_holds_what_a_spreadsheet_calculates_with() -> None:
    head, row = as_xlsx(COLUMNS, [["=1+1", "-1234.50", "12.5", "2026-11-21", "2026-11-21T08:30:00Z", "true"]])
    assert head == list(KINDS)
    assert row == [
        "=1+1",
        -1234.5,
        12.5,
        date(2026, 11, 21),
        datetime.fromisoformat("2026-11-21 09:30"),
        True,
    ]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (1, "1234567890123456789"),
        (1, "1:30"),
        (3, "1889-01-02"),
        (3, "no day"),
        (4, "2026-11-21T08:30:00.5Z"),
        (4, "2026-10-25T00:30:00Z"),  # 2:30 in Berlin comes twice that night
        (4, "1000-01-01T00:00:00Z"),
        (5, "maybe"),
    ],
)
def test_what_a_spreadsheet_cannot_hold_exactly_stays_text(place: int, text: str) -> None:
    row = [""] * len(KINDS)
    row[place] = text
    assert as_xlsx(COLUMNS, [row])[1][place] == text


def test_hostile_texts_are_texts() -> None:
    texts = [
        "<r><t>x</t></r>", "<r></broken></r>", "<r></r>", "a & b < c", "http://x.example/", "{=1}", "\x01\x1f",
        " spaces ", "line\nfeed", "𝕳", "0012", "TRUE", "_x0041_",
    ]  # fmt: skip
    rows = as_xlsx(COLUMNS[:1], [[text] for text in texts])
    assert [row[0] for row in rows[1:]] == texts


def test_labels_may_be_hostile_too() -> None:
    columns = [SheetColumn(label) for label in ("<r>", "<r></bad></r>", "=1", "a\nb")]
    assert as_xlsx(columns, [["x"] * 4])[0] == [column.heading for column in columns]
    assert as_csv(columns, []).startswith("<r>,<r></bad></r>,'=1,")


def test_a_cell_that_does_not_fit_is_refused_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "LONGEST_XLSX_CELL", 3)
    with pytest.raises(Invalid) as caught:
        as_xlsx(COLUMNS, [["abc", "", "", "", "", ""], ["abcd", "", "", "", "", ""]])
    assert (caught.value.values["line"], caught.value.values["column"]) == (3, "text")


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30), max_size=8
    )
)
def test_every_text_comes_back_from_csv(texts: list[str]) -> None:
    text = as_csv(COLUMNS[:1], [["x" + each] for each in texts] + [[each] for each in texts if each])
    cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]
    assert [plain_text(cell) for cell in cells] == ["x" + each for each in texts] + [t for t in texts if t]
