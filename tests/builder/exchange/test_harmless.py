"""Cells that a spreadsheet would take for formulas: harmless in the file, themselves when read back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.exchange.csv import Table
from builder.exchange.detection import FileFormat
from builder.exchange.harmless import harmless, plain_text

HOSTILE = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠A",
    "'=1", "''=1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")',
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_could_be_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert plain_text(harmless(text)) == text


@pytest.mark.parametrize("text", ["", "Acme", "'", "'tis", "O'Hara", "1+1", " =1", "[1]"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == plain_text(text) == text


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n＝a1 "), max_size=8))
def test_every_text_comes_back(text: str) -> None:
    assert plain_text(harmless(text)) == text


def test_reading_a_file_removes_the_apostrophe_in_header_and_cells() -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([harmless("=head"), "'tis"])
    writer.writerows([[harmless(text), "'quoted'"] for text in HOSTILE])
    table = Table(io.BytesIO(buffer.getvalue().encode()), FileFormat())
    assert table.header == ["=head", "'tis"]
    assert [row.cells for row in table.rows()] == [[text, "'quoted'"] for text in HOSTILE]
