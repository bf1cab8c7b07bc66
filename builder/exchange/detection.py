"""How a file of rows is written: its encoding and delimiter or its sheet, where its header stands.

What is found is a proposal: the mapping screen and the command line show it and let a person say otherwise.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, BinaryIO

from charset_normalizer import from_bytes

from builder.exchange.joining import Join

DELIMITERS = (",", ";", "\t", "|")
# What a person may choose by hand; detection may find others of the single-byte family.
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "cp1252",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_kr",
    "cp1250",
    "cp1251",
    "iso-8859-7",
    "iso-8859-9",
    "cp1255",
    "cp1256",
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Cyrillic and Greek use the same bytes; names alone are too short for charset-normalizer to tell them apart.
_EVERYDAY_LETTERS = {"cp1251": "оеаинтсрвл", "iso8859_7": "αοιετσνηυρ"}
_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_SAMPLE_ROWS = 100
_NUMBER_LIKE = re.compile(r"[-+]?[\d.,:/ -]*\d[\d.,:/ %€$£¥-]*")


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How to read a file. ``skip``: filled rows above the header; without one, columns are numbered.

    ``footer``: filled rows at the end that are no data (totals, notes). ``sheet``: the sheet of a spreadsheet
    file, for which encoding and delimiter mean nothing; ``None`` for a text file. ``joins``: columns that are
    read as one as well, which stand behind those of the file.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    skip: int = 0
    has_header: bool = True
    footer: int = 0
    sheet: str | None = None
    joins: tuple[Join, ...] = ()

    def to_document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FileFormat:
        joins = tuple(map(Join.from_document, document.get("joins", ())))
        return cls(**{**document, "joins": joins})


def detect_text(stream: BinaryIO) -> FileFormat:
    """The most likely format of a text file (seekable, left at its start). The worst is a wrong guess."""
    encoding = detect_encoding(stream)
    stream.seek(0)
    text = stream.read(_SAMPLE).decode(encoding, errors="replace")
    stream.seek(0)
    delimiter = detect_delimiter(text)
    rows = _sample_rows(text, delimiter)
    return place_header(rows, FileFormat(encoding=encoding, delimiter=delimiter))


def detect_encoding(stream: BinaryIO) -> str:
    """A byte-order mark, else UTF-8 if all of the file is, else the family its characters are common in."""
    stream.seek(0)
    head = stream.read(_SAMPLE)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if wide := _without_mark(head):
        return wide
    stream.seek(0)
    foreign = _not_utf8(stream)
    if foreign is None:
        return "utf-8"
    return _legacy(foreign)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark shows itself by a NUL in every other byte of its Latin letters."""
    if len(head) < 4 or head.count(0) < len(head) // 4:
        return None
    return "utf-16-be" if head[0::2].count(0) > head[1::2].count(0) else "utf-16-le"


def _not_utf8(stream: BinaryIO) -> bytes | None:
    """None when the whole stream is UTF-8, else a sample of the lines that hold more than ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _foreign_lines(stream)
    return None


def _foreign_lines(stream: BinaryIO) -> bytes:
    stream.seek(0)
    lines, size = [], 0
    for line in iter(lambda: stream.readline(_SAMPLE), b""):
        if line.isascii():
            continue
        lines.append(line)
        size += len(line)
        if size >= _SAMPLE:
            break
    return b"".join(lines)[:_SAMPLE]


def _legacy(sample: bytes) -> str:
    """The old encoding of ``sample``: Chinese ones by how common their characters are, others by language.

    charset-normalizer alone mistakes short Chinese and short western texts; it decides the rest, and cp1252
    is what remains.
    """
    chinese = max((_share(sample, name), name) for name in ("big5", "gb18030"))
    if chinese[0] >= 0.7:
        return chinese[1]
    candidates = [
        "cp1252",
        "cp1250",
        "cp1251",
        "iso8859_7",
        "iso8859_9",
        "cp1255",
        "cp1256",
        "shift_jis",
        "euc_kr",
    ]
    best = from_bytes(sample, cp_isolation=candidates).best()
    if best is None or not _is_trusted(best.encoding, sample):
        return "cp1252"
    if best.encoding in _EVERYDAY_LETTERS:
        return max(_EVERYDAY_LETTERS, key=lambda name: _letter_share(sample, name))
    return best.encoding


def _letter_share(sample: bytes, encoding: str) -> float:
    """How much of the text above ASCII is among the ten most frequent letters of the language."""
    letters = [
        char for char in sample.decode(encoding, errors="ignore").lower() if char.isalpha() and char > "\x7f"
    ]
    frequent = _EVERYDAY_LETTERS[encoding]
    return sum(char in frequent for char in letters) / len(letters) if letters else 0.0


def _is_trusted(encoding: str, sample: bytes) -> bool:
    """Whether to believe another encoding than cp1252: most letters above ASCII stand together."""
    runs = re.findall(rb"[\x80-\xff]{3,}", sample)
    return encoding == "cp1252" or sum(map(len, runs)) * 2 > sum(byte >= 0x80 for byte in sample)


def _share(sample: bytes, encoding: str) -> float:
    """How many of the two-byte characters are everyday ones of the encoding: 0 when it cannot be it."""
    try:
        decoded = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    wide = [char for char in decoded if not char.isascii()]
    if not wide:
        return 0.0
    everyday = 0
    for char in wide:
        code = char.encode(encoding)
        if encoding == "gb18030":
            everyday += (
                len(code) == 2 and code[1] >= 0xA1 and (0xB0 <= code[0] <= 0xD7 or code[0] in (0xA1, 0xA3))
            )
        else:
            everyday += len(code) == 2 and 0xA1 <= code[0] <= 0xC6
    return everyday / len(wide)


def detect_delimiter(text: str) -> str:
    """The delimiter under which most rows have the same number of cells, at least two; else a comma.

    csv.Sniffer is not used: it takes letters for delimiters and is led astray by quotes.
    """
    scores = {delimiter: _regularity(text, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 0 else ","


def _sample_rows(text: str, delimiter: str) -> list[list[str]]:
    """The first filled rows; the last one may be cut off by the end of the sample, so it is left out."""
    try:
        reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
        rows = list(islice((row for row in reader if row), _SAMPLE_ROWS + 1))
    except csv.Error:
        return []
    return rows[:-1] if len(rows) > 2 and len(text) >= _SAMPLE // 4 else rows[:_SAMPLE_ROWS]


def _regularity(text: str, delimiter: str) -> float:
    rows = _sample_rows(text, delimiter)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return 0.0
    width, times = max(widths.items(), key=lambda item: (item[1], item[0]))
    # Regular rows decide; among equals, the delimiter that cuts more.
    return times / len(rows) + min(width, 100) / 1000


def place_header(rows: Sequence[Sequence[str]], file_format: FileFormat) -> FileFormat:
    """Find the header among the first rows: the first one as wide as most; there is none when it looks like a
    row of numbers.
    """
    if not rows:
        return file_format
    usual = Counter(map(len, rows)).most_common(1)[0][0]
    skip = next((index for index, row in enumerate(rows[:10]) if len(row) >= min(usual, 2)), 0)
    header = rows[skip]
    if not _is_header(header, rows[skip + 1 :]):
        return replace(file_format, skip=0, has_header=False)
    return replace(file_format, skip=skip)


def _is_header(header: Iterable[str], rest: Sequence[Sequence[str]]) -> bool:
    filled = [cell.strip() for cell in header if cell.strip()]
    if not filled or not rest:
        return not filled or not all(map(_NUMBER_LIKE.fullmatch, filled))
    return not all(map(_NUMBER_LIKE.fullmatch, filled))
