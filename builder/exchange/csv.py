"""Rows of a file as a stream: one (line number, cells) at a time, whatever the file holds.

Delimited text is read here, spreadsheets in ``exchange.workbooks``.

A file that cannot be read at all raises ``Invalid``; a row that cannot be used carries its ``Problem``, and
reading goes on. Lines are counted as an editor counts them; a quoted cell may span several.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

from builder.errors import N_, Invalid, Problem, TooLarge
from builder.exchange.detection import FileFormat, detect_text
from builder.exchange.footers import KEPT, footer_rows
from builder.exchange.harmless import plain_text
from builder.exchange.workbooks import TOO_LARGE, detect_sheet, is_workbook, sheet_records

MAX_CELL = 1_000_000
MAX_LINE = 16_000_000
MAX_COLUMNS = 1_000
MAX_UNPACKED = 1 << 30
# Tables pack to a tenth or a fiftieth. A file that says the same again and again costs minutes of reading.
MOST_DENSE = 200
NEVER_A_TRAP = 20_000_000
# A NUL, or a byte that the encoding does not know (kept by surrogateescape so that its cell can be named).
_UNREADABLE = re.compile("[\x00\udc80-\udcff]")
_GZIP = b"\x1f\x8b"
_OTHER_KINDS = ((b"%PDF", "PDF"), (b"{\\rtf", "RTF"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"))


class Row(NamedTuple):
    """``line`` is where the row begins, from 1. ``cells`` has exactly one text per column of the header."""

    line: int
    cells: list[str]
    problem: Problem | None = None


def unpacked(stream: BinaryIO) -> BinaryIO:
    """``stream`` itself, or what a gzip stream holds. Errors: Invalid for kinds of file that are no text."""
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    for magic, kind in _OTHER_KINDS:
        if head.startswith(magic):
            raise Invalid(N_("This is a file of the kind %(kind)s. Save it as CSV and try again."), kind=kind)
    if not head.startswith(_GZIP):
        return stream
    return _gunzip(stream)


def detect(stream: BinaryIO) -> FileFormat:
    """The most likely format of an unpacked file, text or spreadsheet. Errors: Invalid, TooLarge."""
    stream.seek(0)
    found = detect_sheet(stream) if is_workbook(stream.read(4)) else detect_text(stream)
    return with_footer(stream, found)


def with_footer(stream: BinaryIO, file_format: FileFormat) -> FileFormat:
    """The format with as many rows left out at the end as are no data. The whole file is read once."""
    above = file_format.skip + (1 if file_format.has_header else 0)
    try:
        last = deque(islice(_records(stream, file_format), above, None), maxlen=KEPT)
    except Invalid:
        return replace(file_format, footer=0)  # whoever reads the rows is told where it breaks off
    return replace(file_format, footer=footer_rows(last))


def _gunzip(stream: BinaryIO) -> BinaryIO:
    # On disk: what was packed may be a hundred times as large as the memory that an import may take.
    packed_size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    plain = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - removed when the last reader lets go
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            while chunk := packed.read(1 << 20):
                plain.write(chunk)
                if plain.tell() > MAX_UNPACKED:
                    raise TooLarge(TOO_LARGE, limit=MAX_UNPACKED // 1_000_000)
                if plain.tell() > max(NEVER_A_TRAP, packed_size * MOST_DENSE):
                    raise TooLarge(
                        N_(
                            "Unpacked, the file is more than %(times)s times as large as packed. "
                            "If it is sound, upload it unpacked."
                        ),
                        times=MOST_DENSE,
                    )
    except (OSError, EOFError) as error:
        raise Invalid(N_("The packed file is damaged and cannot be unpacked.")) from error
    plain.seek(0)
    return plain


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Physical lines, ended by LF, CRLF or CR. Errors: Invalid for lines too long and undecodable bytes."""
    try:
        text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    except LookupError as error:
        raise Invalid(N_("The encoding %(encoding)s is not known."), encoding=encoding) from error
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE:
                raise Invalid(
                    N_("Line %(line)s is longer than %(limit)s characters."), line=number, limit=MAX_LINE
                )
            yield line
    except UnicodeError as error:
        raise Invalid(
            N_("After line %(line)s the file cannot be read as %(encoding)s."), line=number, encoding=encoding
        ) from error
    finally:
        if not stream.closed:
            text.detach()


def _records(stream: BinaryIO, file_format: FileFormat) -> Iterator[tuple[int, list[str]]]:
    """Filled records with the line each begins at. A line with nothing at all is no record."""
    if file_format.sheet is not None:
        return sheet_records(stream, file_format.sheet)
    return _text_records(stream, file_format)


def _text_records(stream: BinaryIO, file_format: FileFormat) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MAX_CELL)
    stream.seek(0)
    reader = csv.reader(_lines(stream, file_format.encoding), delimiter=file_format.delimiter)
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Invalid(
                N_(
                    "The row at line %(line)s cannot be read: a cell is longer than %(limit)s characters. "
                    "Is a closing quotation mark missing?"
                ),
                line=begins,
                limit=MAX_CELL,
            ) from error
        if cells:
            yield begins, cells


def shown(cell: str) -> str:
    """``cell`` for looking at: what is no text in the encoding shows as a sign of its own."""
    return _UNREADABLE.sub("\ufffd", cell)


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Names by which columns are mapped: the header's texts in one line, numbered where blank or repeated."""
    names: list[str] = []
    taken: set[str] = set()
    for position, cell in enumerate(header, start=1):
        base = " ".join(_UNREADABLE.sub("", cell).split())[:200] or f"#{position}"
        name, again = base, 2
        while name in taken:
            name, again = f"{base} ({again})", again + 1
        taken.add(name)
        names.append(name)
    return tuple(names)


class Table:
    """A file opened for reading: its column names, and its rows as often as asked for.

    ``stream`` must be seekable and stays the caller's to close. Errors: Invalid when there is nothing to
    read, when there are too many columns, or when the bytes are no text in the given encoding.
    """

    def __init__(self, stream: BinaryIO, file_format: FileFormat) -> None:
        self._stream = unpacked(stream)
        self.format = file_format
        self.header = self._header()
        if len(self.header) > MAX_COLUMNS:
            raise Invalid(
                N_("The file has %(columns)s columns; at most %(limit)s can be read."),
                columns=len(self.header),
                limit=MAX_COLUMNS,
            )
        own = column_names(self.header)
        self._width = len(own)
        self._joins = [(join, join.places(own)) for join in file_format.joins]
        self.columns = column_names([*own, *(join.name for join in file_format.joins)])

    def _header(self) -> list[str]:
        for index, (_line, cells) in enumerate(_records(self._stream, self.format)):
            if index == self.format.skip:
                if all("\0" in cell for cell in cells):
                    raise Invalid(N_("The file holds no text. Save it as CSV and try again."))
                return [*map(plain_text, cells)] if self.format.has_header else [""] * len(cells)
        raise Invalid(N_("The file holds no rows."))

    def rows(self) -> Iterator[Row]:
        """All rows between header and footer, those whose every cell is blank left out."""
        above = self.format.skip + (1 if self.format.has_header else 0)
        below: deque[Row] = deque()
        for index, (line, cells) in enumerate(_records(self._stream, self.format)):
            if index >= above and any(map(str.strip, cells)):
                below.append(self._row(line, cells))
                if len(below) > self.format.footer:
                    yield below.popleft()

    def _row(self, line: int, cells: list[str]) -> Row:
        width = self._width
        problem = None
        if "'" in "".join(cells):
            cells = [plain_text(cell) for cell in cells]
        if len(cells) > width:
            if any(map(str.strip, cells[width:])):
                problem = Problem(
                    N_("Line %(line)s has %(cells)s cells, but the header has %(columns)s."),
                    values={"line": line, "cells": len(cells), "columns": width},
                )
            cells = cells[:width]
        elif len(cells) < width:
            # Spreadsheets leave out empty cells at the end of a row.
            cells = cells + [""] * (width - len(cells))
        if self._joins:
            cells = cells + [join.text(cells, places) for join, places in self._joins]
        return Row(line, cells, problem or self._unreadable(line, cells))

    def _unreadable(self, line: int, cells: Sequence[str]) -> Problem | None:
        if not _UNREADABLE.search("".join(cells)):
            return None
        for name, cell in zip(self.columns, cells, strict=True):
            if cell and _UNREADABLE.search(cell):
                return Problem(
                    N_("Line %(line)s, column %(column)s holds bytes that are no text in %(encoding)s."),
                    name,
                    {"line": line, "column": name, "encoding": self.format.encoding},
                )
        return None


def as_seekable(stream: BinaryIO) -> BinaryIO:
    """The stream, or a copy in memory of one that cannot be rewound (standard input)."""
    return stream if stream.seekable() else cast(BinaryIO, io.BytesIO(stream.read()))
