"""How the file of an import is read: what was found, shown with its first rows, and put right by a person."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import message, told
from blueprints.scope import scope
from blueprints.workspace.imports import blobs, imports
from builder.errors import N_, FunnelwrightError, Problem
from builder.exchange.csv import Row, shown
from builder.exchange.detection import DELIMITERS, ENCODINGS, FileFormat
from builder.queries import imports as queries
from builder.services import imports as services

MOST_AROUND = 1000
_PREVIEWED_ROWS, _PREVIEWED_END, _PREVIEWED_COLUMNS = 8, 20, 12
_ROWS_AROUND = N_("Type a whole number from 0 to %(limit)s.")
_ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": lazy_gettext("UTF-8 with a mark"),
    "utf-16": "UTF-16",
    "cp1252": lazy_gettext("Western Europe (Windows-1252)"),
    "gb18030": lazy_gettext("Simplified Chinese (GBK, GB18030)"),
    "big5": lazy_gettext("Traditional Chinese (Big5)"),
    "shift_jis": lazy_gettext("Japanese (Shift JIS)"),
    "euc_kr": lazy_gettext("Korean (EUC-KR)"),
    "cp1250": lazy_gettext("Central Europe (Windows-1250)"),
    "cp1251": lazy_gettext("Cyrillic (Windows-1251)"),
    "iso-8859-7": lazy_gettext("Greek (ISO 8859-7)"),
    "iso-8859-9": lazy_gettext("Turkish (ISO 8859-9)"),
    "cp1255": lazy_gettext("Hebrew (Windows-1255)"),
    "cp1256": lazy_gettext("Arabic (Windows-1256)"),
}
_DELIMITER_NAMES = {
    ",": lazy_gettext("comma ,"),
    ";": lazy_gettext("semicolon ;"),
    "\t": lazy_gettext("tabulator"),
    "|": lazy_gettext("bar |"),
}


@dataclass(frozen=True)
class FormatPage:
    """What the page shows. Options are (value, label, chosen); ``rows`` are (line, cells), and so are those
    at the end that are ``left_out``.
    """

    sheets: tuple[tuple[str, str, bool], ...]
    encodings: tuple[tuple[str, Any, bool], ...]
    delimiters: tuple[tuple[str, Any, bool], ...]
    typed: Mapping[str, str]
    has_header: bool
    columns: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]
    left_out: tuple[tuple[int, list[str]], ...]
    problems: tuple[tuple[str, str], ...]

    def problem_of(self, place: str) -> str:
        return next((text for name, text in self.problems if name == place), "")


@imports.get("/<rid:job_id>/format")
def file_format(job_id: int) -> Response:
    """What was found, with the first rows as they are read so."""
    job = services.find(scope().unit_of_work(), job_id)
    if job.status != services.DRAFT:
        return done(url_for("imports.show", job_id=job_id))
    return _show(job, services.format_of(job), {})


@imports.post("/<rid:job_id>/format")
def choose_format(job_id: int) -> Response:
    """Read the file as told: only shown (``refresh``), or kept; what was planned for its columns is void."""
    uow = scope().unit_of_work()
    job = services.find(uow, job_id)
    wanted, problems = _read(services.format_of(job))
    wanted = _with_footer(job, wanted)
    if problems or "refresh" in request.form:
        return _show(job, wanted, request.form if problems else {}, problems, 422 if problems else 200)
    try:
        services.set_format(uow, blobs(), job, wanted)
    except FunnelwrightError as error:
        uow.rollback()
        said = [("", message(error.message_key, error.values))]
        return _show(job, wanted, request.form, said, error.status)
    uow.commit()
    return done(url_for("imports.mapping", job_id=job_id), gettext("The file is read as you said."))


def _read(found: FileFormat) -> tuple[FileFormat, list[tuple[str, str]]]:
    """What the form says, on top of what was found; and what cannot be."""
    form = request.form
    problems: list[tuple[str, str]] = []
    counts = {"skip": found.skip, "footer": found.footer}
    for name in counts:
        text = form.get(name, "").strip() or "0"
        if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MOST_AROUND:
            counts[name] = int(text)
        else:
            problems.append((name, told(Problem(_ROWS_AROUND, name, {"limit": MOST_AROUND}))))
    wanted = replace(found, skip=counts["skip"], footer=counts["footer"], has_header="has_header" in form)
    if found.sheet is not None:
        return replace(wanted, sheet=form.get("sheet", found.sheet)), problems
    encoding, delimiter = form.get("encoding", found.encoding), form.get("delimiter", found.delimiter)
    return replace(
        wanted,
        encoding=encoding if encoding in ENCODINGS else found.encoding,
        delimiter=delimiter if delimiter in DELIMITERS else found.delimiter,
    ), problems


def _show(
    job: Any,
    wanted: FileFormat,
    typed: Mapping[str, str],
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    listed = list(problems or [])
    columns: tuple[str, ...] = ()
    rows: list[tuple[int, list[str]]] = []
    left_out: list[tuple[int, list[str]]] = []
    try:
        with services.OpenFile(blobs(), job, wanted) as table:
            columns = table.columns[:_PREVIEWED_COLUMNS]
            rows = [*map(_shown, islice(table.rows(), _PREVIEWED_ROWS))]
        left_out = [*map(_shown, services.left_out(blobs(), job, wanted)[:_PREVIEWED_END])]
    except FunnelwrightError as error:
        said = message(error.message_key, error.values)
        if said not in {text for _, text in listed}:
            listed.append(("", said))
    here = scope()
    return show_form(
        "pages/imports/format.html",
        status=422 if listed and status == 200 else status,
        fragment="fragments/import/format.html",
        page=FormatPage(
            sheets=tuple(
                (name, name, name == wanted.sheet) for name in services.sheets_of(blobs(), job, wanted)
            ),
            encodings=tuple(_encodings(wanted)) if wanted.sheet is None else (),
            delimiters=tuple(_delimiters(wanted)) if wanted.sheet is None else (),
            typed={"skip": str(wanted.skip), "footer": str(wanted.footer), **typed},
            has_header=wanted.has_header,
            columns=columns,
            rows=tuple(rows),
            left_out=tuple(left_out),
            problems=tuple(listed),
        ),
        job=queries.job(here.session, here.actor, job.id),
    )


def _shown(row: Row) -> tuple[int, list[str]]:
    return row.line, [*map(shown, row.cells[:_PREVIEWED_COLUMNS])]


def _with_footer(job: Any, wanted: FileFormat) -> FileFormat:
    """Another sheet or delimiter has other rows at its end, unless a person counted them just now."""
    found = services.format_of(job)
    if (wanted.sheet, wanted.delimiter) == (found.sheet, found.delimiter) or wanted.footer != found.footer:
        return wanted
    try:
        return services.footer_found(blobs(), job, wanted)
    except FunnelwrightError:
        return wanted  # reading the rows tells what is wrong


def _encodings(wanted: FileFormat) -> Iterator[tuple[str, Any, bool]]:
    """Those that may be chosen; one that was found and is none of them comes first."""
    chosen = codecs.lookup(wanted.encoding).name
    known = {codecs.lookup(name).name: name for name in ENCODINGS}
    if chosen not in known:
        yield wanted.encoding, wanted.encoding, True
    for normal, name in known.items():
        yield name, _ENCODING_NAMES[name], normal == chosen


def _delimiters(wanted: FileFormat) -> Iterator[tuple[str, Any, bool]]:
    for sign in DELIMITERS:
        yield sign, _DELIMITER_NAMES[sign], sign == wanted.delimiter
