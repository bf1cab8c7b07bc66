"""Rows of a spreadsheet file (XLSX, XLS, XLSB, ODS) in the form that text files have: texts in cells.

Values stand as in a file that can be read in one way only: numbers with a point, dates as ISO 8601. Formulas
give the value that was stored with them and are never computed; macros are not looked at.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, BinaryIO

from builder.errors import N_, Invalid, TooLarge
from builder.exchange.detection import FileFormat, place_header

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

MAX_UNPACKED = 400_000_000
# One of these is in every spreadsheet that is an archive.
_PARTS = {"[Content_Types].xml", "content.xml"}
_ARCHIVE = N_(
    "This is a ZIP archive. Unpack it and upload what is in it: several files can be chosen at once."
)
TOO_LARGE = N_("Unpacked, the file is larger than %(limit)s MB.")
_HEADS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SAMPLE_ROWS = 100
_DAMAGED = N_("This spreadsheet cannot be opened: it is damaged, or of a kind that is not known.")
_LOCKED = N_("This spreadsheet is protected by a password. Save it without one and try again.")


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so is a spreadsheet, or some other archive that reading it refuses."""
    return head.startswith(_HEADS)


def detect_sheet(stream: BinaryIO) -> FileFormat:
    """The first sheet that holds something, and where its header stands. Errors: Invalid, TooLarge."""
    workbook = _open(stream)
    for name in workbook.sheet_names:
        rows = [cells for _, cells in _rows(workbook, name, _SAMPLE_ROWS)]
        if rows:
            return place_header(rows, FileFormat(sheet=name))
    raise Invalid(N_("The file holds no rows."))


def sheet_names(stream: BinaryIO) -> tuple[str, ...]:
    """The names of all sheets, in the file's order. Errors: Invalid, TooLarge."""
    return tuple(_open(stream).sheet_names)


def sheet_records(stream: BinaryIO, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Filled rows of a sheet with their numbers, from 1. Errors: Invalid, TooLarge."""
    workbook = _open(stream)
    if sheet not in workbook.sheet_names:
        names = ", ".join(workbook.sheet_names)[:300]
        raise Invalid(
            N_("The file has no sheet “%(sheet)s”. Its sheets are: %(sheets)s."), sheet=sheet, sheets=names
        )
    return _rows(workbook, sheet)


def _open(stream: BinaryIO) -> CalamineWorkbook:
    # Loaded with the first spreadsheet only.
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    stream.seek(0)
    _refuse_bombs(stream)
    stream.seek(0)
    try:
        return CalamineWorkbook.from_filelike(stream)
    except PasswordError as error:
        raise Invalid(_LOCKED) from error
    except (CalamineError, OSError) as error:
        raise Invalid(_DAMAGED) from error


def _refuse_bombs(stream: BinaryIO) -> None:
    """Errors: TooLarge for an archive that says to unpack to more than there is room for; Invalid."""
    if not stream.read(4).startswith(_HEADS[0]):
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            size = sum(part.file_size for part in archive.infolist())
            is_other = not _PARTS & set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Invalid(_DAMAGED) from error
    if size > MAX_UNPACKED:
        raise TooLarge(TOO_LARGE, limit=MAX_UNPACKED // 1_000_000)
    if is_other:
        raise Invalid(_ARCHIVE)


def _rows(workbook: CalamineWorkbook, name: str, most: int | None = None) -> Iterator[tuple[int, list[str]]]:
    from python_calamine import CalamineError

    try:
        sheet = workbook.get_sheet_by_name(name)
        found = 0
        for number, values in enumerate(sheet.iter_rows(), start=1):
            cells = [value if isinstance(value, str) else _text(value) for value in values]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield number, cells
                found += 1
                if found == most:
                    return
    except CalamineError as error:
        raise Invalid(_DAMAGED) from error


def _text(value: bool | float | date | time | timedelta) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return value.replace(microsecond=0).isoformat(" ")
    if isinstance(value, timedelta):
        return _number(value.total_seconds() / 3600)
    return value.isoformat()


def _number(value: float) -> str:
    text = format(Decimal(repr(value)), "f").removesuffix(".0")
    # Three decimals could be thousands to whoever reads the text; four cannot.
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text
