"""Files of rows, written as a stream: CSV for every program, XLSX with real numbers, days and times.

Rows come as the texts that field types export. CSV writes them as they are, texts made harmless; XLSX turns
them into what a spreadsheet calculates with, and keeps as text what it could not hold exactly. A spreadsheet
knows no zones: its times are of the workspace's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO, Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from builder.errors import N_, Invalid
from builder.exchange.harmless import RISKY, harmless

CellKind: TypeAlias = Literal["text", "number", "percent", "day", "moment", "yes_no"]
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
MOST_XLSX_ROWS = 1_048_575  # below the heading
LONGEST_XLSX_CELL = 32_767
# Excel counts days from 1900, and takes that year for a leap year.
_FIRST_DAY = date(1900, 3, 1)
TOO_LONG = N_(
    "Line %(line)s, column %(column)s holds %(length)s characters, and a cell of a spreadsheet at most "
    "%(limit)s. Export as CSV instead."
)


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """``decimals``: how many an XLSX number shows; ``None``: as many as it has."""

    heading: str
    kind: CellKind = "text"
    decimals: int | None = None


class Sheet(Protocol):
    """A file being written. ``close`` completes it; the stream stays the caller's."""

    def write(self, rows: Sequence[Sequence[str]]) -> None: ...

    def close(self) -> None: ...


class CsvSheet:
    """CSV in UTF-8 with CRLF, as RFC 4180 has it."""

    def __init__(self, stream: BinaryIO, columns: Sequence[SheetColumn], *, bom: bool) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        if bom:
            self._text.write("\ufeff")
        self._writer = csv.writer(self._text)
        self._writer.writerow([harmless(column.heading) for column in columns])
        self._guards = [harmless if column.kind == "text" else _unless_number for column in columns]

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        guards = self._guards
        self._writer.writerows(
            [guard(cell) if cell[:1] in RISKY else cell for cell, guard in zip(row, guards, strict=True)]
            for row in rows
        )

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class XlsxSheet:
    """One sheet of an Excel workbook, written row by row so that memory does not grow with it."""

    def __init__(
        self, stream: BinaryIO, columns: Sequence[SheetColumn], *, zone: str, title: str = ""
    ) -> None:
        from xlsxwriter import Workbook  # type: ignore[import-untyped]  # heavy: loaded when first used

        # Text is written as text, whatever it looks like; only typed columns hold anything else.
        self._book = Workbook(
            stream,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._sheet = self._book.add_worksheet(_sheet_name(title))
        self._columns = columns
        self._zone = ZoneInfo(zone)
        self._writers = [self._writer(column) for column in columns]
        self._line = 1
        head = self._book.add_format({"bold": True, "bottom": 1})
        self._usual = self._book.add_format()
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, 24 if column.kind == "text" else 12)
        for place, column in enumerate(columns):
            self._put_text(0, place, column.heading, head)
        self._sheet.freeze_panes(1, 0)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Errors: Invalid when a cell is longer than a spreadsheet holds."""
        for row in rows:
            for place, text in enumerate(row):
                if text:
                    self._writers[place](place, text)
            self._line += 1

    def close(self) -> None:
        self._book.close()

    def _writer(self, column: SheetColumn) -> Callable[[int, str], None]:
        shape = self._book.add_format({"num_format": _shape(column)}) if _shape(column) else None
        if column.kind in ("number", "percent"):
            return lambda place, text: self._put(self._sheet.write_number, place, _number(text), text, shape)
        if column.kind == "day":
            return lambda place, text: self._put(self._sheet.write_datetime, place, _day(text), text, shape)
        if column.kind == "moment":
            return lambda place, text: self._put(
                self._sheet.write_datetime, place, _moment(text, self._zone), text, shape
            )
        if column.kind == "yes_no":
            return lambda place, text: self._put(
                self._sheet.write_boolean, place, {"true": True, "false": False}.get(text), text, shape
            )
        return self._text

    def _put(self, write: Any, place: int, value: Any, text: str, shape: Any) -> None:
        if value is None:
            self._text(place, text)
        else:
            write(self._line, place, value, shape)

    def _text(self, place: int, text: str) -> None:
        if len(text) > LONGEST_XLSX_CELL:
            raise Invalid(
                TOO_LONG,
                line=self._line + 1,
                column=self._columns[place].heading,
                length=len(text),
                limit=LONGEST_XLSX_CELL,
            )
        # No cell of ours is a formula; but what looks guarded would lose its apostrophe when read back.
        self._put_text(self._line, place, harmless(text) if text[0] == "'" else text)

    def _put_text(self, line: int, place: int, text: str, shape: Any = None) -> None:
        if text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter would take this for a rich text that it has written itself, and not escape it.
            self._sheet.write_rich_string(line, place, "<r>", self._usual, text[3:], shape or self._usual)
        else:
            self._sheet.write_string(line, place, text, shape)


def _unless_number(cell: str) -> str:
    """A negative number is no formula, and a program that reads it wants it plain."""
    return cell if _PLAIN_NUMBER.fullmatch(cell) else harmless(cell)


def _shape(column: SheetColumn) -> str:
    decimals = "" if not column.decimals else "." + "0" * column.decimals
    return {
        "number": "" if column.decimals is None else f"#,##0{decimals}",
        "percent": '0.######"%"' if column.decimals is None else f'0{decimals}"%"',
        "day": "yyyy-mm-dd",
        "moment": "yyyy-mm-dd hh:mm:ss",
        "text": "",
        "yes_no": "",
    }[column.kind]


def _sheet_name(title: str) -> str:
    """At most 31 characters, none of those that Excel forbids."""
    return "".join(" " if mark in "[]:*?/\\'" else mark for mark in title).strip()[:31] or "Export"


def _number(text: str) -> int | float | None:
    """A number that a double holds exactly as written; all of ours have at most 15 digits."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if sum(map(str.isdigit, text)) <= 15 else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day >= _FIRST_DAY else None


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Wall-clock time in ``zone``; ``None`` where that says less than the instant (fractions, the hour that
    comes twice).
    """
    try:
        wall = datetime.fromisoformat(text).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    naive = wall.replace(tzinfo=None, fold=0)
    is_twice = (
        naive.replace(tzinfo=zone, fold=0).utcoffset() != naive.replace(tzinfo=zone, fold=1).utcoffset()
    )
    return None if is_twice or naive.microsecond or naive.date() < _FIRST_DAY else naive
