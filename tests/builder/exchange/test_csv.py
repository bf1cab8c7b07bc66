"""Reading delimited text: real messy files against an oracle, and files made to break the reader."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from builder.errors import Invalid, TooLarge
from builder.exchange.csv import MAX_CELL, Table, detect, unpacked
from builder.exchange.detection import FileFormat

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
ORACLE = DATA / "oracles" / "messy_csv.json"


def table_of(data: bytes, **known: object) -> Table:
    stream = io.BytesIO(data)
    return Table(stream, FileFormat(**known) if known else detect(unpacked(stream)))


def _messy_files() -> list[str]:
    return list(json.loads(ORACLE.read_text())["files"]) if ORACLE.exists() else []


def _same_text(name: str, left: str, right: str) -> bool:
    data = (DATA / "messy_csv" / name).read_bytes()
    return data.decode(left, errors="replace") == data.decode(right, errors="replace")


@pytest.mark.skipif(not ORACLE.exists(), reason="../shared/data is absent")
@pytest.mark.parametrize("name", _messy_files())
def test_a_messy_file_is_read_as_the_oracle_says(name: str) -> None:
    expected = json.loads(ORACLE.read_text())["files"][name]
    stream = io.BytesIO((DATA / "messy_csv" / name).read_bytes())
    found = detect(stream)
    assert _same_text(name, found.encoding, expected["encoding"])
    if expected["header"] is None and not expected["records"]:
        with pytest.raises(Invalid, match="no rows"):
            Table(stream, found)
        return
    table = Table(stream, found)
    rows = list(table.rows())
    if expected["header"] is None:
        assert not found.has_header
    else:
        assert found.delimiter == expected["delimiter"]
        assert found.skip == expected["skip"]
        assert table.header[: len(expected["header"])] == expected["header"]
        assert len(table.columns) == expected["header_cells"] == len(set(table.columns))
    assert len(rows) == expected["records"] - expected["all_blank"]
    wide = sum(n for width, n in expected["widths"].items() if int(width) > len(table.columns))
    assert Counter(bool(row.problem) for row in rows)[True] == wide
    first = expected["first"][: len(table.columns)]
    assert rows[0].cells[: len(first)] == first


@pytest.mark.skipif(not ORACLE.exists(), reason="../shared/data is absent")
@pytest.mark.parametrize(
    "path", sorted((DATA / "messy_csv" / "csv_spectrum").glob("*.csv")), ids=lambda p: p.stem
)
def test_csv_spectrum_gives_its_expected_records(path: Path) -> None:
    if path.stem == "location_coordinates":
        pytest.skip("its own .csv and .json differ")
    expected = json.loads(path.with_suffix("").with_suffix(".expected.json").read_text())
    table = table_of(path.read_bytes())
    assert [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows()] == expected


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("客户,金额\n华为技术有限公司,100\n北京银行股份有限公司,200\n", "gb18030"),
        ("客戶,金額\n台灣積體電路製造股份有限公司,100\n鴻海精密工業,200\n", "big5"),
        ("Kunde;Umsatz\nMüller & Söhne;1.054,00 €\nGroße Äpfel;3,50 €\n", "cp1252"),
        ("Customer,City\nCafé Society,Zürich\nSeñor Nuñez,Málaga\n", "cp1252"),
        ("Имя,Город\nИван Петров,Москва\n", "cp1251"),
        ("客户,金额\n华为,100\n", "utf-16"),
        ("客户,金额\n华为,100\n", "utf-8-sig"),
        ("name,amount\nAcme,100\n", "utf-16-le"),
    ],
)
def test_encodings_of_offices_are_found(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    found = detect(io.BytesIO(data))
    assert data.decode(found.encoding).lstrip("\ufeff") == text


def test_a_late_foreign_character_still_decides_the_encoding() -> None:
    data = b"name,amount\n" + b"plain,1\n" * 200_000 + "Müller,2\n".encode()
    assert detect(io.BytesIO(data)).encoding == "utf-8"


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    table = table_of(b'a,b\n1,"two\nlines"\n\n3,4\n')
    assert [(row.line, row.cells) for row in table.rows()] == [(2, ["1", "two\nlines"]), (5, ["3", "4"])]


def test_nul_bytes_and_wrong_bytes_name_their_line_and_column() -> None:
    table = table_of(b"a,b\nok,fine\nx\x00y,2\n", encoding="utf-8")
    bad = [row for row in table.rows() if row.problem]
    assert [(row.line, row.problem.values["column"]) for row in bad if row.problem] == [(3, "a")]
    table = table_of("a,b\nx,caf\xe9\n".encode("latin-1"), encoding="utf-8")
    assert [row.problem.place for row in table.rows() if row.problem] == ["b"]


def test_a_row_with_too_many_filled_cells_is_refused_and_a_short_one_filled_up() -> None:
    rows = list(table_of(b"a,b\n1,2,3\n1\n1,2,,\n").rows())
    assert [bool(row.problem) for row in rows] == [True, False, False]
    assert rows[1].cells == ["1", ""]


def test_blank_and_repeated_headers_get_names_of_their_own() -> None:
    assert table_of(b"id,,id,id (2),name\n1,2,3,4,5\n").columns == (
        "id",
        "#2",
        "id (2)",
        "id (2) (2)",
        "name",
    )


def test_three_hundred_columns_are_read_and_too_many_refused() -> None:
    header = ",".join(f"c{n}" for n in range(300))
    assert len(table_of(f"{header}\n{header}\n".encode()).columns) == 300
    with pytest.raises(Invalid, match="1001 columns"):
        table_of(("a," * 1000 + "b\n").encode(), encoding="utf-8")


def test_ten_megabytes_on_one_line_are_read_or_refused_with_a_reason() -> None:
    wide = ",".join(["x" * 99_999] * 100)
    table = table_of(f"{','.join(f'c{n}' for n in range(100))}\n{wide}\n".encode(), encoding="utf-8")
    assert len(next(iter(table.rows())).cells[99]) == 99_999
    with pytest.raises(Invalid, match="line 2 cannot be read"):
        list(table_of(b"a,b\n" + b"x" * (MAX_CELL * 10) + b",1\n", encoding="utf-8").rows())


def test_a_quote_that_never_ends_is_told_where_it_began() -> None:
    data = b'a,b\n1,2\n3,"open\n' + b"line\n" * (MAX_CELL // 4)
    with pytest.raises(Invalid, match="line 3 cannot be read"):
        list(table_of(data, encoding="utf-8").rows())


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_rows_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match="no rows"):
        table_of(data)


def test_other_kinds_of_file_are_named() -> None:
    with pytest.raises(Invalid, match="PDF"):
        table_of(b"%PDF-1.7 rest", encoding="utf-8")
    with pytest.raises(Invalid, match="damaged"):
        table_of(b"\x1f\x8b\x08rest", encoding="utf-8")


def test_a_packed_file_is_read_through() -> None:
    assert [row.cells for row in table_of(gzip.compress(b"a,b\n1,2\n")).rows()] == [["1", "2"]]


def test_a_packed_file_that_says_the_same_again_and_again_is_refused_before_it_is_read() -> None:
    trap = io.BytesIO(gzip.compress(b"name\n" + b"a\n" * 15_000_000))
    with pytest.raises(TooLarge, match="more than 200 times as large"):
        detect(unpacked(trap))
    # A small one may be as dense as it likes.
    assert detect(unpacked(io.BytesIO(gzip.compress(b"name,city\n" + b"a,b\n" * 1_000_000)))).delimiter == ","


def test_a_file_of_nothing_but_nuls_is_no_text() -> None:
    stream = io.BytesIO(b"\0" * 5000)
    with pytest.raises(Invalid, match="holds no text"):
        Table(stream, detect(stream))


def test_a_packed_file_is_unpacked_on_disk() -> None:
    lines = os.urandom(50_000).hex("\n", 40).encode() + b"\n"  # more than gzip remembers: never much denser
    packed = io.BytesIO(gzip.compress(b"a\n" + lines * 400, 1))
    tracemalloc.start()
    try:
        plain = unpacked(packed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    with plain:
        assert plain.seek(0, io.SEEK_END) > 40_000_000
    assert peak < 10_000_000


def test_rows_can_be_read_again() -> None:
    table = table_of(b"a,b\n1,2\n")
    assert list(table.rows()) == list(table.rows())


def test_random_bytes_never_break_the_reader() -> None:
    import random

    chance = random.Random(7)
    for _ in range(200):
        data = bytes(chance.choices(b'a1,;"\n\r\t|\x00\xff\xc3\xa4 ', k=chance.randrange(200)))
        try:
            rows = list(table_of(data).rows())
        except Invalid:
            continue
        assert all(len(row.cells) == len(rows[0].cells) for row in rows)
