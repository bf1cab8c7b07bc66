"""Columns that are read as one stand behind those of the file, in every row."""

from __future__ import annotations

import io

import pytest

from builder.errors import Invalid
from builder.exchange.csv import Table
from builder.exchange.detection import FileFormat
from builder.exchange.joining import Join
from builder.exchange.profile import profile


def test_filled_parts_are_joined_and_empty_ones_leave_no_mark() -> None:
    stream = io.BytesIO(b"first,last,city\n Ann ,Lee,Rome\n,Lee,\nBo,,Oslo\n,,x\nshort\n")
    joins = (Join(("last", "first"), ", "), Join(("first", "last", "city")))
    table = Table(stream, FileFormat(joins=joins))
    assert table.columns == ("first", "last", "city", "last + first", "first + last + city")
    rows = [row.cells[3:] for row in table.rows()]
    assert rows == [["Lee, Ann", "Ann Lee Rome"], ["Lee", "Lee"], ["Bo", "Bo Oslo"], ["", "x"],
                    ["short", "short"]]  # fmt: skip
    found = profile(table)
    assert (found.headers, found.columns[3].filled) == (("first", "last", "city"), 4)


def test_a_format_with_joins_survives_being_stored() -> None:
    kept = FileFormat(joins=(Join(("a", "b"), "-"),))
    assert FileFormat.from_document(kept.to_document()) == kept
    old = {name: value for name, value in kept.to_document().items() if name != "joins"}
    assert FileFormat.from_document(old).joins == ()


def test_a_column_that_is_not_there_cannot_be_joined() -> None:
    with pytest.raises(Invalid):
        Table(io.BytesIO(b"a,b\n1,2\n"), FileFormat(joins=(Join(("a", "c")),)))
